//! Several processes and one file.

use crate::{
    child,
    fixture::{SqliteFixture, foreign_connection},
    sample::{Writer, account, claim, event, head_of, page},
};
use actum_model::{Lane, Position};
use actum_persistence::store::{
    AppendOutcome, ClaimError, EventFilter, EventStore, Incarnation, PageLimit, StoreError,
    WriterStore,
};
use actum_store_sqlite::{SqliteSettings, SqliteStore, SqliteTarget};
use std::{fs, path::Path};

fn fixture() -> SqliteFixture {
    SqliteFixture::with(SqliteSettings::default())
}

#[test]
fn processes_that_open_a_new_file_at_once_all_get_the_same_journal() {
    for _ in 0..8 {
        let fixture = fixture();
        let mut players: Vec<_> = (0..4).map(|_| child::start("open", &fixture.path())).collect();
        for player in &mut players {
            assert_eq!(player.line(), "ready");
        }
        players.iter_mut().for_each(child::Player::go);
        for player in &mut players {
            assert_eq!(player.line(), "opened 1");
        }
        for player in players {
            assert_eq!(player.finish(), Vec::<String>::new());
        }
    }
}

/// The writer is killed in the midst of appending, over and over. Its successor takes over at once and finds everything
/// that was confirmed, whole batches only, and no way for the dead one to come back.
#[tokio::test]
async fn what_a_killed_writer_has_confirmed_is_there() {
    let seed = std::env::var("ACTUM_TEST_SEED")
        .map_or_else(|_| fastrand::u64(..), |text| text.parse().unwrap());
    println!("seed {seed}");
    let mut choices = fastrand::Rng::with_seed(seed);
    let fixture = fixture();
    for round in 0..6 {
        let mut player = child::start("append for ever", &fixture.path());
        assert_eq!(player.line(), format!("claimed {}", 2 * round + 1));
        for _ in 0..choices.usize(1..60) {
            player.line();
        }
        player.process.kill().unwrap();
        player.process.wait().unwrap();
        let lines: Vec<String> = player.lines.map_while(Result::ok).collect();
        let confirmed = lines.last().and_then(|line| line.strip_prefix("confirmed ")?.parse().ok());

        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        let head = assert_whole(&store).await;
        assert!(
            confirmed.is_none_or(|confirmed: u64| head >= confirmed),
            "{confirmed:?} of {head}"
        );
        let dead = Writer::of(&store, Incarnation::new(2 * round + 1));
        let late = dead.each(&[account(0)], head, 10).await;
        assert!(matches!(late, Err(StoreError::Fenced { .. })), "{late:?}");
        let batch: Vec<_> = (0..10)
            .map(|nr| writer.append(&account(nr), head, vec![event("x"), event("y"), event("z")]))
            .collect();
        store.append(&writer.batch(batch)).await.unwrap();
        drop(store);
    }
}

/// All ten entities are at the same number, and positions are dense up to the head of the lane.
async fn assert_whole(store: &SqliteStore) -> u64 {
    let head = head_of(store, &account(0)).await;
    for nr in 0..10 {
        let page = page(store, &account(nr)).await.unwrap();
        assert_eq!(page.head.get(), head, "a batch was torn apart");
        assert_eq!(page.events.len() as u64, head.min(1000));
    }
    let (mut read_to, mut seen) = (Position::ZERO, 0);
    loop {
        let filter = EventFilter::default();
        let page = store.read_lane(Lane::default(), read_to, &filter, PageLimit::default()).await;
        let page = page.unwrap();
        for event in &page.events {
            seen += 1;
            assert_eq!(event.event.position.get(), seen);
        }
        if page.read_to == read_to {
            assert_eq!(seen, 10 * head);
            return head;
        }
        read_to = page.read_to;
    }
}

#[tokio::test]
async fn a_slot_is_refused_while_another_process_lives_and_free_when_it_is_dead() {
    let fixture = fixture();
    let mut player = child::start("hold", &fixture.path());
    assert_eq!(player.line(), "claimed 1");
    let store = fixture.store().await;
    match store.claim(&claim("late")).await {
        Err(error @ ClaimError::Held { .. }) => {
            let message = error.to_string();
            assert_eq!(message, "the writer slot `journal` is held by engine `bank`, process 4711");
        }
        other => panic!("the holder is alive: {other:?}"),
    }
    player.go();
    player.process.wait().unwrap();
    assert_eq!(store.claim(&claim("next")).await.unwrap(), Incarnation::new(2));
}

#[tokio::test]
async fn a_living_process_can_be_shut_out() {
    let fixture = fixture();
    let mut player = child::start("append for ever", &fixture.path());
    assert_eq!(player.line(), "claimed 1");
    player.line();
    let store = fixture.store().await;
    // the other process leaves the lock for moments only: who gets it then is the system's choice
    for attempt in 1.. {
        match store.revoke(Incarnation::new(1)).await {
            Ok(()) => break,
            Err(StoreError::Unavailable { .. }) if attempt < 20 => {}
            Err(error) => panic!("after {attempt} attempts: {error}"),
        }
    }
    let writer = Writer::claim(&store).await;
    assert_eq!(writer.incarnation, Incarnation::new(2));
    let head = assert_whole(&store).await;
    let batch: Vec<_> =
        (0..10).map(|nr| writer.append(&account(nr), head, vec![event("x")])).collect();
    let outcomes = store.append(&writer.batch(batch)).await.unwrap();
    assert!(outcomes.iter().all(|o| matches!(o, AppendOutcome::Appended { .. })));
    // it fails with `Fenced` by itself
    assert!(!player.process.wait().unwrap().success());
    let lines: Vec<_> = player.lines.map(Result::unwrap).collect();
    assert!(
        lines.iter().any(|line| line.contains("Fenced { incarnation: Incarnation(1) }")),
        "{lines:?}"
    );
    assert_eq!(assert_whole(&store).await, head + 1);
}

/// The operating system refuses to let the write-ahead log grow, so that a COMMIT fails in the middle.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_commit_the_disk_has_failed_is_unknown_and_can_be_settled() {
    let fixture = fixture();
    // blocks of 512 bytes: 3 MiB, less than a checkpoint waits for. Without the trap the signal would end the child
    let script = "trap '' XFSZ; ulimit -f 6144; exec \"$0\" \"$@\"";
    let mut command = std::process::Command::new("sh");
    command.arg("-c").arg(script).arg(std::env::current_exe().unwrap()).args(child::arguments());
    let mut player = child::start_with(command, "append until the disk fails", &fixture.path());
    let stored: u64 = player.line().parse().unwrap();
    assert!(stored > 3, "{stored} batches were stored");
    assert_eq!(player.line(), "unknown");
    assert_eq!(player.line(), "not stored");
    assert_eq!(player.line(), stored.to_string());
    player.process.wait().unwrap();
    let store = fixture.store().await;
    for nr in 0..100 {
        assert_eq!(head_of(&store, &account(nr)).await, stored, "not now and not later");
    }
    assert_eq!(store.heads().await.unwrap().positions(), [Position::new(100 * stored)]);
    let mut foreign = fixture.foreign_connection().await;
    let query = sqlx::query_scalar::<_, i64>("SELECT settled FROM journal");
    assert_eq!(
        query.fetch_one(&mut foreign).await.unwrap(),
        1,
        "the failed frames were overwritten"
    );
}

/// Root may write everywhere, so the child runs as `nobody`; without root it is who we are.
#[cfg(unix)]
fn say_why_not(journal: &Path) -> String {
    say("say why not", journal)
}

#[cfg(unix)]
fn say(part: &str, journal: &Path) -> String {
    use std::os::unix::{fs::MetadataExt, process::CommandExt};
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(child::arguments());
    if fs::metadata(journal.parent().unwrap()).unwrap().uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    child::start_with(command, part, journal).finish().join("\n")
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_or_directory_that_cannot_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let fixture = fixture();
    let journal = fixture.path().canonicalize().unwrap_or(fixture.path());
    let directory = journal.parent().unwrap();
    allow(directory, 0o555);
    let reason = say_why_not(&journal);
    assert!(reason.contains("ReadOnly"), "a new file in such a directory: {reason}");
    assert!(
        reason.contains(&format!("no permission to change `{}`", directory.display())),
        "{reason}"
    );

    allow(directory, 0o777);
    fixture.store().await.close().await;
    for mode in [0o444, 0o000] {
        allow(&journal, mode);
        let reason = say_why_not(&journal);
        assert!(reason.contains("ReadOnly"), "a file of mode {mode:o}: {reason}");
        assert!(
            reason.contains(&format!("no permission to change `{}`", journal.display())),
            "{reason}"
        );
    }
    allow(&journal, 0o666);
    for log in ["journal.db-wal", "journal.db-shm"] {
        // SQLite has given them the mode the journal had
        drop(fs::remove_file(directory.join(log)));
    }
    assert_eq!(say_why_not(&journal), "it can");
    for log in ["journal.db-wal", "journal.db-shm"] {
        // left behind by another user
        let log = directory.join(log);
        fs::write(&log, "").unwrap();
        allow(&log, 0o400);
        let reason = say_why_not(&journal);
        assert!(reason.contains("ReadOnly"), "a foreign {}: {reason}", log.display());
        assert!(
            reason.contains(&format!("no permission to change `{}`", log.display())),
            "{reason}"
        );
        fs::remove_file(&log).unwrap();
        drop(fs::remove_file(directory.join("journal.db-shm")));
    }
    allow(directory, 0o555);
    let reason = say_why_not(&journal);
    assert!(reason.contains("ReadOnly"), "a good file in such a directory: {reason}");
    assert!(
        reason.contains(&format!("no permission to change `{}`", directory.display())),
        "{reason}"
    );
    allow(directory, 0o777);
}

#[cfg(unix)]
#[tokio::test]
async fn a_target_that_cannot_be_written_is_refused_with_what_is_in_the_way() {
    use std::os::unix::fs::PermissionsExt;
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let fixture = fixture();
    let directory = fixture.path().parent().unwrap().canonicalize().unwrap();
    let path = directory.join("rows.db");
    let refused = |obstacle: &Path| {
        let reason = say("say why no target", &path);
        let expected = format!("no permission to change `{}`", obstacle.display());
        assert!(reason.contains("is unavailable: opening `"), "{reason}");
        assert!(reason.ends_with(&expected), "{expected}: {reason}");
    };
    allow(&directory, 0o555);
    refused(&directory);
    allow(&directory, 0o777);
    SqliteTarget::open(&path).await.unwrap().close().await;
    for mode in [0o444, 0o000] {
        allow(&path, mode);
        refused(&path);
    }
    allow(&path, 0o666);
    for log in ["rows.db-wal", "rows.db-shm"] {
        drop(fs::remove_file(directory.join(log)));
    }
    assert_eq!(say("say why no target", &path), "it can");
    // a database of the user, without a write-ahead log
    let path = directory.join("users.db");
    let mut foreign = foreign_connection(&path).await;
    sqlx::query("CREATE TABLE mine (x)").execute(&mut foreign).await.unwrap();
    sqlx::Connection::close(foreign).await.unwrap();
    allow(&path, 0o444);
    let reason = say("say why no target", &path);
    let expected = format!("no permission to change `{}`", path.display());
    assert!(reason.ends_with(&expected), "{expected}: {reason}");
    allow(&directory, 0o555);
    refused(&directory);
    allow(&directory, 0o777);
}
