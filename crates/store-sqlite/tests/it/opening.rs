//! What can be opened, and what error the others get.

use crate::{
    fixture::{SqliteFixture, foreign_connection},
    sample::{Writer, account, head_of},
};
use actum_model::{LaneCount, PartitionCount};
use actum_persistence::store::{EventStore, JournalLayout};
use actum_store_sqlite::{OpenError, SqliteSettings, SqliteStore};
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::{fs, path::Path, time::Duration};

fn layout(partitions: u16, lanes: u16) -> JournalLayout {
    JournalLayout {
        partitions: PartitionCount::new(partitions).unwrap(),
        lanes: LaneCount::new(lanes).unwrap(),
    }
}

fn impatient() -> SqliteSettings {
    SqliteSettings::default().with_busy_timeout(Duration::from_millis(50))
}

async fn refused(path: &Path) -> OpenError {
    SqliteStore::open_with(path, impatient()).await.expect_err("the file is no journal to use")
}

/// The message names the file and says what is wrong.
fn assert_says(error: &OpenError, path: &Path, what: &str) {
    let message = error.to_string();
    assert!(message.contains(path.to_str().unwrap()), "{message} does not name the file");
    assert!(message.contains(what), "{message} does not say `{what}`");
}

#[tokio::test]
async fn a_file_that_is_missing_is_created_with_the_layout_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bank.db");
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.layout(), JournalLayout::default());
    assert_eq!(store.path(), path.canonicalize().unwrap());
    let other = directory.path().join("other.db");
    let asked = SqliteSettings::default().with_layout(layout(7, 3));
    let store = SqliteStore::open_with(&other, asked).await.unwrap();
    assert_eq!(store.layout(), layout(7, 3));
    assert_eq!(store.heads().await.unwrap().positions().len(), 3);
}

#[tokio::test]
async fn an_empty_file_becomes_a_journal() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("empty.db");
    fs::write(&path, "").unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    Writer::claim(&store).await.write(&account(1), 0).await;
}

#[tokio::test]
async fn names_that_mean_something_to_sqlite_are_names_of_files() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a b.db", "100%.db", "what?mode=memory", "#1", "file:x?mode=ro", "'; --", "día"] {
        let path = directory.path().join(name);
        let store = SqliteStore::open(&path).await.unwrap();
        Writer::claim(&store).await.write(&account(1), 0).await;
        store.close().await;
        assert!(path.is_file(), "{name}");
        assert_eq!(head_of(&SqliteStore::open(&path).await.unwrap(), &account(1)).await, 1);
    }
}

#[tokio::test]
async fn a_path_that_names_no_file_is_refused() {
    for path in ["", "/", "..", ":memory:", "a\0b"] {
        let error = refused(Path::new(path)).await;
        assert!(matches!(error, OpenError::InvalidPath { .. }), "{path:?}: {error}");
    }
    let directory = tempfile::tempdir().unwrap();
    let error = refused(directory.path()).await;
    assert!(matches!(error, OpenError::NotAFile { .. }));
    assert_says(&error, directory.path(), "is not a file");
}

#[tokio::test]
async fn a_missing_directory_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("not/there/bank.db");
    let error = refused(&path).await;
    assert!(matches!(error, OpenError::MissingDirectory { .. }));
    assert_says(&error, &path, "there is no directory");
    assert_says(&error, &directory.path().join("not/there"), "`");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("letter.txt");
    for bytes in [b"Dear Sir or Madam".to_vec(), vec![0; 100], vec![b'x'; 10_000]] {
        fs::write(&path, &bytes).unwrap();
        let error = refused(&path).await;
        assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
        assert_says(&error, &path, "is not a SQLite database");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let cases =
        ["CREATE TABLE notes (text)", "PRAGMA application_id = 7", "PRAGMA user_version = 1"];
    for (nr, statement) in cases.into_iter().enumerate() {
        let path = directory.path().join(format!("notes-{nr}.db"));
        let mut connection = foreign_connection(&path).await;
        connection.execute(statement).await.unwrap();
        connection.close().await.unwrap();
        let before = fs::read(&path).unwrap();
        let error = refused(&path).await;
        assert!(matches!(error, OpenError::NotAJournal { .. }), "{statement}: {error:?}");
        assert_says(&error, &path, "belongs to another program");
        assert_eq!(fs::read(&path).unwrap(), before, "{statement}");
    }
}

#[tokio::test]
async fn a_journal_of_a_newer_schema_is_refused_and_left_alone() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    fixture.store().await.close().await;
    let mut connection = fixture.foreign_connection().await;
    connection.execute("PRAGMA user_version = 99").await.unwrap();
    connection.close().await.unwrap();
    let before = fs::read(fixture.path()).unwrap();
    let error = refused(&fixture.path()).await;
    assert!(matches!(error, OpenError::NewerSchema { found: 99, known: 4, .. }), "{error:?}");
    assert_says(&error, &fixture.path(), "has schema version 99, this program knows up to 4");
    assert_eq!(fs::read(fixture.path()).unwrap(), before);
}

#[tokio::test]
async fn a_layout_is_compared_when_one_is_asked_for() {
    let fixture = SqliteFixture::with(SqliteSettings::default().with_layout(layout(16, 2)));
    fixture.store().await.close().await;
    for asked in [layout(16, 1), layout(256, 2), JournalLayout::default()] {
        let settings = SqliteSettings::default().with_layout(asked);
        let error = SqliteStore::open_with(fixture.path(), settings).await.unwrap_err();
        assert!(matches!(error, OpenError::LayoutMismatch { .. }), "{error:?}");
        assert_says(
            &error,
            &fixture.path(),
            "was created with 16 partitions and 2 lanes, the settings ask for",
        );
    }
    let store = SqliteStore::open(fixture.path()).await.unwrap();
    assert_eq!(store.layout(), layout(16, 2), "without a wish the file is taken as it is");
}

#[tokio::test]
async fn a_locked_file_is_distinguished_from_a_damaged_one() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    fixture.store().await.close().await;
    let mut connection = fixture.foreign_connection().await;
    for lock in ["BEGIN IMMEDIATE", "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE"] {
        sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut connection).await.unwrap();
        let error = refused(&fixture.path()).await;
        assert!(matches!(error, OpenError::Locked { .. }), "{lock}: {error:?}");
        assert_says(&error, &fixture.path(), "is locked by another program");
        connection.execute("ROLLBACK").await.unwrap();
    }
    connection.close().await.unwrap();
    let mut bytes = fs::read(fixture.path()).unwrap();
    bytes[100..4096].fill(0xa5); // behind the header: the list of tables
    fs::write(fixture.path(), bytes).unwrap();
    let error = refused(&fixture.path()).await;
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error:?}");
    assert_says(&error, &fixture.path(), "is damaged");
}

#[tokio::test]
async fn settings_that_are_not_valid_are_all_listed_and_nothing_is_created() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bank.db");
    let settings = SqliteSettings::default()
        .with_reader_connections(0)
        .with_checkpoint_bytes(1)
        .with_busy_timeout(Duration::ZERO);
    let error = SqliteStore::open_with(&path, settings).await.unwrap_err();
    for what in ["reader_connections", "checkpoint_bytes", "busy_timeout"] {
        assert_says(&error, &path, what);
    }
    assert!(!path.exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_names_the_same_journal() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let link = fixture.path().with_file_name("link.db");
    std::os::unix::fs::symlink(fixture.path(), &link).unwrap();
    let linked = SqliteStore::open(&link).await.unwrap();
    assert_eq!(linked.path(), store.path());
    let dangling = fixture.path().with_file_name("dangling.db");
    std::os::unix::fs::symlink("target.db", &dangling).unwrap();
    let created = SqliteStore::open(&dangling).await.unwrap();
    assert_eq!(created.path().file_name().unwrap(), "target.db");
}
