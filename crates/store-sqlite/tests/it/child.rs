//! Other processes: this test binary, started again to play one part.
//!
//! What a child has to say goes to its standard error, a line each; the test harness keeps standard output to itself.

use crate::{
    messages::line,
    progress::sample::{Runner, insert},
    sample::{Writer, account, claim, event, head_of, page},
};
use actum_persistence::{
    progress::ExactTarget,
    store::{AppendBatch, AppendOutcome, EventStore, StoreError, WriterStore},
};
use actum_store_sqlite::{SqliteSettings, SqliteStore, SqliteTarget};
use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader, Lines, Write},
    path::Path,
    process::{Child, ChildStderr, ChildStdin, Command, Stdio},
    time::Duration,
};

const PART: &str = "ACTUM_TEST_PART";
const JOURNAL: &str = "ACTUM_TEST_JOURNAL";

/// A child that plays its part.
pub(crate) struct Player {
    pub(crate) process: Child,
    pub(crate) lines: Lines<BufReader<ChildStderr>>,
    input: ChildStdin,
}

/// The command that plays `part` on a journal, to be started as it is or by a shell.
pub(crate) fn arguments() -> [&'static OsStr; 4] {
    ["child::plays_its_part", "--exact", "--nocapture", "--test-threads=1"].map(OsStr::new)
}

/// Starts a child.
pub(crate) fn start(part: &str, journal: &Path) -> Player {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(arguments());
    start_with(command, part, journal)
}

/// Starts a child in some other way.
pub(crate) fn start_with(mut command: Command, part: &str, journal: &Path) -> Player {
    command.env(PART, part).env(JOURNAL, journal).env_remove("RUST_BACKTRACE");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let input = process.stdin.take().unwrap();
    Player { process, lines, input }
}

impl Player {
    /// The next line the child says.
    pub(crate) fn line(&mut self) -> String {
        let line = self.lines.next().expect("the child says more").unwrap();
        if !line.is_empty() {
            return line;
        }
        // it panics: the test fails with what it says
        let rest: Vec<_> = self.lines.by_ref().map_while(Result::ok).collect();
        panic!("the child fails: {}", rest.join("\n"));
    }

    /// Lets a child that waits go on.
    pub(crate) fn go(&mut self) {
        self.input.write_all(b"go\n").unwrap();
    }

    /// Waits until the child has ended well, and says what it said last.
    pub(crate) fn finish(mut self) -> Vec<String> {
        drop(self.input);
        let lines = self.lines.map(Result::unwrap).collect();
        let ended = self.process.wait().unwrap();
        assert!(ended.success(), "{ended}: {lines:?}");
        lines
    }
}

/// What a child does. Nothing when the tests are run as usual.
#[tokio::test]
async fn plays_its_part() {
    let (Ok(part), Some(journal)) = (env::var(PART), env::var_os(JOURNAL)) else { return };
    let journal = Path::new(&journal);
    match part.as_str() {
        "open" => open(journal).await,
        "append for ever" => append_for_ever(journal).await,
        "append and copy" => append_and_copy(journal).await,
        "append until the files are lost" => append_until_the_files_are_lost(journal).await,
        "hold" => hold(journal).await,
        "say why no target" => say_why_no_target(journal).await,
        "hold a transaction" => hold_a_transaction(journal).await,
        "append until the disk fails" => append_until_the_disk_fails(journal).await,
        "run out of descriptors" => run_out_of_descriptors(journal).await,
        "say why not" => say_why_not(journal).await,
        #[cfg(target_os = "linux")]
        other => crate::small_volume::parts::play(other, journal).await,
        #[cfg(not(target_os = "linux"))]
        other => panic!("there is no part `{other}`"),
    }
}

fn wait_for_go() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

/// Says that it is ready, and opens the journal when asked to.
async fn open(journal: &Path) {
    eprintln!("ready");
    wait_for_go();
    let store = SqliteStore::open(journal).await.unwrap();
    eprintln!("opened {:?}", store.heads().await.unwrap().positions().len());
    wait_for_go();
    store.close().await;
}

/// Claims the slot and says so, then appends to ten entities in turn, and says what was confirmed.
async fn append_for_ever(journal: &Path) {
    let store = SqliteStore::open(journal).await.unwrap();
    let writer = Writer::claim(&store).await;
    eprintln!("claimed {}", writer.incarnation);
    let keys: Vec<_> = (0..10).map(account).collect();
    let mut head = head_of(&store, &keys[0]).await;
    loop {
        let events = |_| event(vec![1; 500]);
        let append = |key| writer.append(key, head, (0..3).map(events).collect());
        let batch = writer.batch(keys.iter().map(append).collect());
        let outcomes = store.append(&batch).await.unwrap();
        assert!(outcomes.iter().all(|o| matches!(o, AppendOutcome::Appended { .. })));
        head += 3;
        eprintln!("confirmed {head}");
    }
}

/// Appends to one entity, copies its own journal in between when asked to, and says what was confirmed.
async fn append_and_copy(journal: &Path) {
    let store = SqliteStore::open(journal).await.unwrap();
    let writer = Writer::claim(&store).await;
    let mut head = 0;
    for _ in 0..3 {
        for _ in 0..5 {
            writer.write(&account(1), head).await;
            head += 1;
        }
        eprintln!("confirmed {head}");
        wait_for_go();
        std::fs::copy(journal, journal.with_extension("copy")).unwrap();
        eprintln!("copied");
        wait_for_go();
    }
    eprintln!("done");
    wait_for_go();
}

/// How many appends a child confirms at most; what it says of them is less than a pipe holds.
const CONFIRMED_MAX: u64 = 2_000;

/// Appends, one entity at a time, until the store is lost; says what was confirmed and why it ended, and dies.
async fn append_until_the_files_are_lost(journal: &Path) {
    let store = SqliteStore::open(journal).await.unwrap();
    let writer = Writer::claim(&store).await;
    let mut head = 0;
    let error = loop {
        match writer.each(&[account(1)], head, 500).await {
            Ok(_) => head += 1,
            Err(error) => break error,
        }
        eprintln!("confirmed {head}");
        assert!(head < CONFIRMED_MAX, "it goes on");
    };
    eprintln!("unknown {}", error.maybe_written());
    let error = writer.each(&[account(1)], head, 500).await.unwrap_err();
    eprintln!("{error}");
    std::process::abort();
}

/// Claims the slot, and holds it until asked to stop; then dies without a word.
async fn hold(journal: &Path) {
    let store = SqliteStore::open(journal).await.unwrap();
    let incarnation = store.claim(&claim("engine `bank`, process 4711")).await.unwrap();
    eprintln!("claimed {incarnation}");
    wait_for_go();
    std::process::abort();
}

/// Appends until it fails; settles what it cannot know; and says what happened.
async fn append_until_the_disk_fails(journal: &Path) {
    let store = SqliteStore::open(journal).await.unwrap();
    let writer = Writer::claim(&store).await;
    let keys: Vec<_> = (0..100).map(account).collect();
    let mut head = 0;
    let (batch, error): (AppendBatch, StoreError) = loop {
        let append = |key| writer.append(key, head, vec![event(vec![1; 1000])]);
        let batch = writer.batch(keys.iter().map(append).collect());
        match store.append(&batch).await {
            Ok(_) => head += 1,
            Err(error) => break (batch, error),
        }
    };
    eprintln!("{head}");
    let name = if error.maybe_written() { "unknown" } else { "clean" };
    eprintln!("{name}");
    let settled = store.resolve(&batch).await.unwrap();
    eprintln!(
        "{}",
        if settled.iter().all(|found| found.stored().is_none()) { "not stored" } else { "stored" }
    );
    let seen = head_of(&store, &keys[99]).await;
    eprintln!("{seen}");
    std::process::abort();
}

/// Opens the journal while no file can be opened, then claims and reads while none can.
async fn run_out_of_descriptors(journal: &Path) {
    let taken = take_all_descriptors();
    let refused = SqliteStore::open(journal).await.unwrap_err();
    drop(taken);
    eprintln!("{}", line(&refused));
    let store = SqliteStore::open(journal).await.unwrap();
    let taken = take_all_descriptors();
    let refusals = (
        store.claim(&claim("a test")).await.unwrap_err(),
        page(&store, &account(1)).await.unwrap_err(),
    );
    drop(taken);
    eprintln!("{}\n{}", line(&refusals.0), line(&refusals.1));
    store.close().await;
}

fn take_all_descriptors() -> Vec<std::fs::File> {
    std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect()
}

/// Says why the journal cannot be opened.
async fn say_why_not(journal: &Path) {
    let settings = SqliteSettings::default().with_busy_timeout(Duration::from_millis(50));
    match SqliteStore::open_with(journal, settings).await {
        Ok(store) => {
            store.close().await; // or else its log is left behind, and the next one finds it there
            eprintln!("it can");
        }
        Err(error) => eprintln!("{error:?}\n{error}"),
    }
}

/// Writes a row of a projection, and commits it when asked to.
async fn hold_a_transaction(journal: &Path) {
    let target = SqliteTarget::open(journal).await.unwrap();
    let runner = Runner::claim(&target, "rows").await;
    let mut tx = runner.begin().await.unwrap();
    insert(SqliteTarget::connection(&mut tx), 1).await.unwrap();
    eprintln!("holds it");
    wait_for_go();
    target.commit(tx, &runner.save(1)).await.unwrap();
    eprintln!("committed");
}

async fn say_why_no_target(path: &Path) {
    match SqliteTarget::open(path).await {
        Ok(target) => {
            target.close().await;
            eprintln!("it can");
        }
        Err(error) => eprintln!("{error:#}"),
    }
}
