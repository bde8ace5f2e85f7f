//! Where progress is kept: opening, files of others, and files that go away.

use super::sample::{Place, Runner, create_tables, id, insert};
use crate::fixture::foreign_connection;
use actum_persistence::{
    progress::{ExactTarget, KeepsProgress, SaveError},
    store::{EventStore, StoreError},
};
use actum_store_sqlite::{SqliteStore, SqliteTarget, SqliteTargetSettings};
use futures_util::FutureExt;
use sqlx::{Connection, Row};
use std::{fs, path::Path, time::Duration};

async fn tables(path: &Path) -> Vec<String> {
    let mut connection = foreign_connection(path).await;
    let query = sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    let tables = query.fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    tables.iter().map(|row| row.get(0)).collect()
}

const OWN: [&str; 6] = [
    "actum_dead_letters",
    "actum_parked",
    "actum_progress",
    "actum_projections",
    "actum_runners",
    "actum_segments",
];

#[tokio::test]
async fn a_file_with_tables_of_the_user_is_used_and_they_stay() {
    let place = Place::new();
    let mut foreign = foreign_connection(&place.path()).await;
    for statement in
        ["CREATE TABLE mine (x)", "INSERT INTO mine VALUES (7)", "PRAGMA user_version = 42"]
    {
        sqlx::query(statement).execute(&mut foreign).await.unwrap();
    }
    let runner = place.runner().await;
    runner.handle(1).await.unwrap();
    let query = "SELECT x, (SELECT user_version FROM pragma_user_version) FROM mine";
    let row = sqlx::query(query).fetch_one(&mut foreign).await.unwrap();
    assert_eq!((row.get::<i64, _>(0), row.get::<i64, _>(1)), (7, 42));
    let mut expected = OWN.to_vec();
    expected.extend(["handled", "mine", "texts"]);
    assert_eq!(tables(&place.path()).await, expected);
}

#[tokio::test]
async fn a_journal_gets_the_tables_by_the_first_call_and_is_closed_with_its_target() {
    let place = Place::new();
    let store = SqliteStore::open(place.path()).await.unwrap();
    let (progress, target) = (store.progress(), SqliteTarget::of(&store));
    assert!(tables(&place.path()).await.iter().all(|table| !table.starts_with("actum_")));
    assert_eq!(progress.load(&id("rows")).await.unwrap(), None);
    let found = tables(&place.path()).await;
    assert!(OWN.iter().all(|own| found.iter().any(|table| table == own)), "{found:?}");
    create_tables(&target).await;
    let runner = Runner::claim(&target, "rows").await;
    runner.handle(3).await.unwrap();
    assert_eq!(progress.load(&id("rows")).await.unwrap().unwrap().segments[0].handled, 1);
    store.close().await;
    let late = progress.load(&id("rows")).await;
    assert!(matches!(late, Err(StoreError::Unavailable { .. })), "{late:?}");
    assert!(matches!(runner.begin().await, Err(StoreError::Unavailable { .. })));
    assert!(!place.path().with_extension("db-wal").exists(), "all connections are closed");

    // the journal is one still, and so are the rows
    let store = SqliteStore::open(place.path()).await.unwrap();
    store.heads().await.unwrap();
    let again = Runner { target: SqliteTarget::of(&store), ..runner };
    assert_eq!(again.both().await, (3, vec![3]));
}

#[tokio::test]
async fn many_open_a_new_file_at_once() {
    let place = Place::new();
    let mut tasks = tokio::task::JoinSet::new();
    for nr in 0..8 {
        let path = place.path();
        tasks.spawn(async move {
            let target = SqliteTarget::open(path).await.unwrap();
            Runner::claim(&target, &format!("projection-{nr}")).await.target
        });
    }
    let targets = tasks.join_all().await;
    for target in &targets {
        assert_eq!(target.progress().projections().await.unwrap().len(), 8);
    }
}

#[tokio::test]
async fn many_make_the_first_call_on_a_journal_at_once() {
    let place = Place::new();
    let mut tasks = tokio::task::JoinSet::new();
    let store = SqliteStore::open(place.path()).await.unwrap();
    for _ in 0..8 {
        let (path, progress) = (place.path(), store.progress());
        tasks.spawn(async move {
            let other = SqliteStore::open(path).await.unwrap();
            let id = id("balances");
            assert_eq!(progress.projections().await.unwrap(), []);
            let (one, two) =
                tokio::join!(progress.load(&id), async { other.progress().load(&id).await });
            (one.unwrap(), two.unwrap())
        });
    }
    assert_eq!(tasks.join_all().await, vec![(None, None); 8]);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_as_it_is() {
    let place = Place::new();
    let store = SqliteStore::open(place.path()).await.unwrap();
    place.target().await.close().await;
    let mut foreign = foreign_connection(&place.path()).await;
    let newer = "UPDATE actum_progress SET schema_version = 77";
    sqlx::query(newer).execute(&mut foreign).await.unwrap();
    let opened = SqliteTarget::open(place.path()).await.map(drop);
    let loaded = store.progress().load(&id("rows")).await.map(drop);
    let begun = SqliteTarget::of(&store).begin(Duration::from_secs(1)).await.map(drop);
    for refused in [opened, loaded, begun] {
        let Err(StoreError::Invalid { what }) = refused else { panic!("{refused:?}") };
        let expected = "has schema version 77, this program knows up to 1: use a newer one";
        assert!(what.contains("rows.db") && what.ends_with(expected), "{what}");
    }
    let query = sqlx::query("SELECT schema_version FROM actum_progress");
    let row = query.fetch_one(&mut foreign).await.unwrap();
    assert_eq!(row.get::<i64, _>(0), 77);
}

#[tokio::test]
async fn a_path_that_cannot_be_opened_is_named() {
    let place = Place::new();
    let inside = |name: &str| place.directory.path().join(name);
    fs::write(inside("text.db"), "this is a text, and long enough to be one".repeat(40)).unwrap();
    fs::create_dir(inside("directory.db")).unwrap();
    fs::write(inside("linked.db"), "").unwrap();
    fs::hard_link(inside("linked.db"), inside("link.db")).unwrap();
    for (name, says) in [
        ("text.db", "the store holds corrupt data: "),
        ("directory.db", "it is not a file"),
        ("linked.db", "it has 2 hard links"),
        ("missing/rows.db", "there is no directory `"),
    ] {
        let error = SqliteTarget::open(inside(name)).await.unwrap_err().to_string();
        assert!(error.contains(says), "{name}: {error}");
        assert!(error.contains(name), "{name}: {error}");
    }
    let error = SqliteTarget::open(":memory:").await.unwrap_err().to_string();
    assert!(error.contains("`MemoryTarget`"), "{error}");
    let settings = SqliteTargetSettings::default().with_cache_bytes(1);
    let error = SqliteTarget::open_with(inside("new.db"), &settings).await.unwrap_err();
    assert!(error.to_string().contains("`cache_bytes` is 1"), "{error}");
    assert!(!inside("new.db").exists());
}

/// A file that is gone confirms nothing: what is committed into it is unknown, and then nothing more is begun.
#[cfg(unix)]
#[tokio::test]
async fn nothing_is_confirmed_once_the_file_is_gone() {
    for (is_journal, suffix) in [(true, ""), (true, "-wal"), (false, ""), (false, "-wal")] {
        let place = Place::new();
        let store = match is_journal {
            true => Some(SqliteStore::open(place.path()).await.unwrap()),
            false => None,
        };
        let target = match &store {
            Some(store) => SqliteTarget::of(store),
            None => place.target().await,
        };
        create_tables(&target).await;
        let runner = Runner::claim(&target, "rows").await;
        runner.handle(1).await.unwrap();
        let mut tx = runner.begin().await.unwrap();
        insert(SqliteTarget::connection(&mut tx), 2).await.unwrap();
        fs::remove_file(format!("{}{suffix}", place.path().display())).unwrap();
        let done = runner.target.commit(tx, &runner.save(2)).await;
        let is_unknown = matches!(done, Err(SaveError::Store(StoreError::OutcomeUnknown { .. })));
        assert!(is_unknown, "{is_journal}, {suffix}: {done:?}");
        let begun = runner.begin().await;
        assert!(matches!(begun, Err(StoreError::Lost { .. })), "{is_journal}: {begun:?}");
        let loaded = target.progress().load(&id("rows")).await;
        assert!(matches!(loaded, Err(StoreError::Lost { .. })), "{is_journal}: {loaded:?}");
        assert_eq!(place.path().exists(), suffix == "-wal", "no other file was created");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_connection_that_is_opened_again_is_never_to_another_file() {
    for is_journal in [true, false] {
        let (place, other) = (Place::new(), Place::new());
        other.target().await.close().await;
        let store = SqliteStore::open(place.path().with_extension("journal")).await.unwrap();
        let (path, target) = match is_journal {
            true => (store.path().to_path_buf(), SqliteTarget::of(&store)),
            false => (place.path(), place.target().await),
        };
        drop(target.begin(Duration::from_secs(1)).await.unwrap()); // and its connection with it
        fs::rename(other.path(), path).unwrap();
        let begun = target.begin(Duration::from_secs(1)).await.map(drop);
        assert!(matches!(begun, Err(StoreError::Lost { .. })), "{is_journal}: {begun:?}");
    }
}

/// By the commit that notices it, so that the database file can be copied without its log.
#[cfg(unix)]
#[tokio::test]
async fn rows_in_a_lost_log_of_a_journal_are_saved_into_the_database_file() {
    let (place, copy) = (Place::new(), Place::new());
    let store = SqliteStore::open(place.path()).await.unwrap();
    let target = SqliteTarget::of(&store);
    create_tables(&target).await;
    let runner = Runner::claim(&target, "rows").await;
    runner.handle(1).await.unwrap();
    fs::remove_file(place.path().with_extension("db-wal")).unwrap();
    runner.handle(2).await.unwrap_err();
    fs::copy(place.path(), copy.path()).unwrap();
    let copied = Runner { target: copy.target().await, ..runner };
    assert_eq!(copied.both().await, (2, vec![1, 2]));
}

/// Whatever connections are closed, because they were left in the middle of something: its log stays.
#[tokio::test]
async fn a_target_keeps_its_log_when_its_connections_are_closed() {
    let place = Place::new();
    let runner = place.runner().await;
    let progress = runner.target.progress();
    for position in 1..=30 {
        runner.handle(position).await.unwrap();
        assert!(progress.load(&runner.id).now_or_never().is_none());
        drop(runner.begin().await.unwrap());
    }
    assert_eq!(runner.stored().await.handled, 30);
}
