//! What every error says when it is printed with all that is below it, as an operator reads it in a log.

use crate::{
    child,
    fixture::{SqliteFixture, foreign_connection},
    sample::{Writer, account, claim, event, page},
};
use actum_model::{Lane, LaneCount, PartitionCount, SequenceNr};
use actum_persistence::store::{
    EventFilter, EventStore, Incarnation, JournalLayout, PageLimit, Resolution, StoreError,
    WriterClaim, WriterStore,
};
use actum_store_sqlite::{OpenError, SqliteSettings, SqliteStore};
use sqlx::Executor;
use std::{error::Error, fs, path::Path, time::Duration};

/// The messages of an error and of everything below it, on one line.
pub(crate) fn line(error: &dyn Error) -> String {
    let below = std::iter::successors(Some(error), |error: &&dyn Error| (*error).source());
    below.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn assert_says(error: impl Error, expected: &str) {
    assert_eq!(line(&error), expected, "{error:?}");
}

fn failure<T: std::fmt::Debug>(done: Result<T, StoreError>) -> StoreError {
    done.expect_err("this cannot be done")
}

fn impatient() -> SqliteSettings {
    SqliteSettings::default().with_busy_timeout(Duration::from_millis(20))
}

async fn refused(path: &Path) -> OpenError {
    SqliteStore::open_with(path, impatient()).await.expect_err("the file is no journal to use")
}

#[tokio::test]
async fn a_path_that_is_refused_is_reported_once() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap();
    let at = root.display();
    assert_says(
        refused(Path::new(":memory:")).await,
        "`:memory:` cannot name a journal: a journal in memory is a store of its own, `MemoryStore`",
    );
    assert_says(refused(&root).await, &format!("`{at}` is not a file"));
    assert_says(
        refused(&root.join("no/bank.db")).await,
        &format!(
            "the journal `{at}/no/bank.db` cannot be created: there is no directory `{at}/no`"
        ),
    );
    fs::write(root.join("letter"), "Dear Sir or Madam").unwrap();
    assert_says(
        refused(&root.join("letter")).await,
        &format!("`{at}/letter` is not a SQLite database"),
    );
    assert_says(
        refused(&root.join("letter/bank.db")).await,
        &format!(
            "the journal `{at}/letter/bank.db` cannot be opened: Not a directory (os error 20)"
        ),
    );
    let invalid = impatient().with_reader_connections(0).with_checkpoint_bytes(1);
    assert_says(
        SqliteStore::open_with(root.join("bank.db"), invalid).await.unwrap_err(),
        &format!(
            "the settings for the journal `{at}/bank.db` are not valid: `reader_connections` is 0, it must be 1 to 64; \
            `checkpoint_bytes` is 1 byte, it must be 1 MiB to 64 GiB"
        ),
    );
    // the user that runs the tests may be allowed to write everywhere
    let read_only = OpenError::ReadOnly { path: "bank.db".into(), read_only: "there".into() };
    assert_says(
        read_only,
        "the journal `bank.db` cannot be written: no permission to change `there`",
    );
}

#[tokio::test]
async fn a_file_that_is_refused_is_reported_once() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    fixture.store().await.close().await;
    let path = fixture.path().canonicalize().unwrap();
    let at = path.display();
    let mut connection = fixture.foreign_connection().await;
    connection.execute("BEGIN EXCLUSIVE").await.unwrap();
    assert_says(
        refused(&path).await,
        &format!("the journal `{at}` is locked by another program: (code: 5) database is locked"),
    );
    connection.execute("ROLLBACK").await.unwrap();
    let asked = JournalLayout { lanes: LaneCount::new(3).unwrap(), ..JournalLayout::default() };
    let partitions = asked.partitions.get();
    assert_says(
        SqliteStore::open_with(&path, impatient().with_layout(asked)).await.unwrap_err(),
        &format!(
            "the journal `{at}` was created with {partitions} partitions and 1 lanes, \
            the settings ask for {partitions} partitions and 3 lanes"
        ),
    );
    connection.execute("PRAGMA user_version = 99").await.unwrap();
    assert_says(
        refused(&path).await,
        &format!(
            "the journal `{at}` has schema version 99, this program knows up to 4: use a newer one"
        ),
    );
    connection.execute("PRAGMA application_id = 7").await.unwrap();
    assert_says(
        refused(&path).await,
        &format!(
            "the SQLite database `{at}` belongs to another program: it is not a journal of Actum"
        ),
    );
}

#[tokio::test]
async fn a_file_that_is_damaged_is_reported_once() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    fixture.store().await.close().await;
    let path = fixture.path().canonicalize().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..4096].fill(0xa5); // behind the header: the list of tables
    fs::write(&path, bytes).unwrap();
    assert_says(
        refused(&path).await,
        &format!(
            "the journal `{}` is damaged: (code: 11) database disk image is malformed",
            path.display()
        ),
    );
}

#[tokio::test]
async fn a_store_that_is_unavailable_says_why_once() {
    let fixture = SqliteFixture::with(impatient());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let mut foreign = foreign_connection(&fixture.path()).await;
    foreign.execute("BEGIN IMMEDIATE").await.unwrap();
    let locked = |doing| format!("the store is unavailable: {doing}: (code: 5) database is locked");
    assert_says(failure(writer.each(&[account(1)], 0, 10).await), &locked("appending events"));
    let free = WriterClaim { slot: "another".to_owned(), ..claim("another") };
    assert_says(store.claim(&free).await.unwrap_err(), &locked("claiming a writer slot"));
    foreign.execute("ROLLBACK").await.unwrap();
    store.close().await;
    assert_says(
        failure(store.heads().await),
        "the store is unavailable: reading the heads: the store was closed",
    );
    assert_says(
        failure(store.revoke(writer.incarnation).await),
        "the store is unavailable: revoking a writer: the store was closed",
    );
}

#[tokio::test]
async fn a_request_that_is_refused_says_why_once() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let unclaimed = Writer::of(&store, Incarnation::new(7));
    assert_says(
        failure(unclaimed.each(&[account(1)], 0, 10).await),
        "writer incarnation 7 was revoked, another writer has taken over",
    );
    assert_says(
        failure(writer.each(&[account(1), account(1)], 0, 10).await),
        "the store refuses the request: the batch names account/acc-1 twice",
    );
    let nothing = writer.batch(vec![writer.append(&account(1), 0, Vec::new())]);
    assert_says(
        failure(store.append(&nothing).await),
        "the store refuses the request: the append of account/acc-1 has no event",
    );
    let (lane, filter) = (Lane::new(1), EventFilter::default());
    let read = store.read_lane(lane, Default::default(), &filter, PageLimit::default()).await;
    assert_says(failure(read), "the store refuses the request: the journal has no lane 1");
    let deleted = store.delete_events(writer.incarnation, &account(1), SequenceNr::new(3)).await;
    assert_says(
        failure(deleted),
        "the store refuses the request: events of account/acc-1 cannot be deleted up to 3, it has 0",
    );
}

#[tokio::test]
async fn a_write_that_cannot_be_settled_and_an_event_that_is_missing_are_reported_once() {
    let layout =
        JournalLayout { partitions: PartitionCount::new(1).unwrap(), ..Default::default() };
    let fixture = SqliteFixture::with(SqliteSettings::default().with_layout(layout));
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let batch = writer.batch(vec![writer.append(&account(1), 0, vec![event("one")])]);
    store.append(&batch).await.unwrap();
    store.delete_events(writer.incarnation, &account(1), SequenceNr::new(1)).await.unwrap();
    let why = "the events of account/acc-1 up to 1 were deleted".to_owned();
    assert_eq!(store.resolve(&batch).await.unwrap(), [Resolution::Untraceable { why }]);
    for expected in 0..3 {
        writer.write(&account(2), expected).await;
    }
    let mut foreign = fixture.foreign_connection().await;
    foreign.execute("DELETE FROM events WHERE entity = 2 AND sequence_nr = 2").await.unwrap();
    assert_says(
        failure(page(&store, &account(2)).await),
        "the store holds corrupt data: reading entities: events of account/acc-2 are missing between 1 and 3",
    );
    foreign.execute("DROP TABLE events").await.unwrap();
    assert_says(
        failure(store.heads().await),
        &format!(
            "the store holds corrupt data: reading the heads: (code: 1) no such table: events, in `{}`",
            store.path().display()
        ),
    );
}

#[tokio::test]
async fn pages_that_are_damaged_are_reported_with_their_file() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let keys: Vec<_> = (0..500).map(account).collect();
    Writer::claim(&store).await.each(&keys, 0, 1_000).await.unwrap();
    store.close().await;
    let mut bytes = fs::read(fixture.path()).unwrap();
    bytes[30 * 4096..].fill(0xa5); // behind the list of tables
    fs::write(fixture.path(), bytes).unwrap();
    let store = fixture.store().await;
    let filter = EventFilter::default();
    let read = store.read_lane(Lane::default(), Default::default(), &filter, PageLimit::default());
    assert_says(
        failure(read.await),
        &format!(
            "the store holds corrupt data: reading a lane: (code: 11) database disk image is malformed, in `{}`",
            store.path().display()
        ),
    );
}

/// The name of another thing than a file is in the way, or the file of another user.
#[tokio::test]
async fn a_file_beside_the_journal_that_is_in_the_way_is_named() {
    for suffix in ["-wal", "-shm"] {
        let fixture = SqliteFixture::with(SqliteSettings::default());
        fixture.store().await.close().await;
        let path = fixture.path().canonicalize().unwrap();
        let other = format!("{}{suffix}", path.display());
        fs::create_dir(&other).unwrap();
        assert_says(refused(&path).await, &format!("`{other}` is not a file"));
    }
}

#[tokio::test]
async fn a_url_is_distinguished_from_a_path() {
    for url in ["sqlite://x.db", "sqlite:x.db", "sqlite:///var/lib/x.db", "file://x.db"] {
        assert_says(
            refused(Path::new(url)).await,
            &format!(
                "`{url}` cannot name a journal: it is a URL, and a path is needed, such as `bank.db` or `/var/lib/bank/bank.db`"
            ),
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_lock_file_of_a_writer_is_named_when_it_cannot_be_had() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let lock = format!("{}.writer-1", store.path().display());
    fs::create_dir(&lock).unwrap();
    assert_says(
        store.claim(&claim("a test")).await.unwrap_err(),
        &format!(
            "the store is unavailable: locking `{lock}`, which shows that a writer lives: Is a directory (os error 21)"
        ),
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_journal_with_several_names_is_reported_once() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    fixture.store().await.close().await;
    let path = fixture.path().canonicalize().unwrap();
    fs::hard_link(&path, path.with_extension("link")).unwrap();
    assert_says(
        refused(&path).await,
        &format!(
            "the journal `{}` has 2 hard links, and a program that opens it by another name does not see its log: \
            remove all but one",
            path.display()
        ),
    );
}

#[cfg(unix)]
#[tokio::test]
async fn files_that_were_removed_are_reported_once() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let log = format!("{}-wal", store.path().display());
    fs::remove_file(&log).unwrap();
    let removed = format!("`{log}` was removed or renamed while it was in use");
    assert_says(
        failure(writer.each(&[account(1)], 0, 10).await),
        &format!("it is unknown whether the store has committed: appending events: {removed}"),
    );
    assert_says(
        failure(writer.each(&[account(1)], 1, 10).await),
        &format!("the store is lost: {removed}"),
    );
}

/// A process of its own that may open few files.
#[cfg(unix)]
#[tokio::test]
async fn a_process_that_is_out_of_descriptors_gets_an_error_that_says_so() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    fixture.store().await.close().await;
    let path = fixture.path().canonicalize().unwrap();
    let mut command = std::process::Command::new("sh");
    // the standard three, and what the test harness and tokio need
    command.arg("-c").arg("ulimit -n 24; exec \"$0\" \"$@\"");
    command.arg(std::env::current_exe().unwrap()).args(child::arguments());
    let lines = child::start_with(command, "run out of descriptors", &path).finish();
    let [opening, claiming, reading] = lines.as_slice() else { panic!("{lines:?}") };
    let (path, many) = (path.display(), "Too many open files (os error 24)");
    assert_eq!(*opening, format!("the journal `{path}` cannot be opened: {many}"));
    assert_eq!(*claiming, format!("the store is unavailable: claiming a writer slot: {many}"));
    assert_eq!(*reading, format!("the store is unavailable: reading entities: {many}"));
}
