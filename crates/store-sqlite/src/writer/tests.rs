use super::*;
use crate::{SqliteSettings, SqliteStore, row::column};
#[cfg(unix)]
use std::fs;

/// What SQLite says of the connection that writes, inside a transaction.
async fn setting(tx: &mut WriteTx<'_>, pragma: &'static str) -> i64 {
    column(&tx.rows(sqlx::query(pragma)).await.unwrap()[0], 0).unwrap()
}

#[tokio::test]
async fn every_commit_is_synced_as_the_settings_say_and_that_of_a_claim_in_any_case() {
    const FULL: i64 = 2;
    for (asked, expected) in [(Synchronous::Full, FULL), (Synchronous::Normal, 1)] {
        let directory = tempfile::tempdir().unwrap();
        let settings = SqliteSettings::default().with_synchronous(asked);
        let path = directory.path().join("journal.db");
        let store = SqliteStore::open_with(path, settings).await.unwrap();
        for round in ["before a claim", "behind one", "behind two"] {
            let mut tx = store.writer().begin("looking").await.unwrap();
            let found = setting(&mut tx, "PRAGMA synchronous").await;
            assert_eq!(found, expected, "{asked:?}, {round}");
            tx.finish(Ok::<_, StoreError>(())).await.unwrap();
            drop(tx);
            let mut tx = store.writer().begin_synced("claiming").await.unwrap();
            assert_eq!(setting(&mut tx, "PRAGMA synchronous").await, FULL, "{asked:?}");
            tx.finish(Ok::<_, StoreError>(())).await.unwrap();
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_connection_that_is_opened_again_is_never_to_another_file() {
    for replaced in [true, false] {
        let directory = tempfile::tempdir().unwrap();
        let [path, other] = ["journal.db", "other.db"].map(|name| directory.path().join(name));
        SqliteStore::open(&other).await.unwrap().close().await;
        let store = SqliteStore::open(&path).await.unwrap();
        drop(store.writer().begin("left half way").await.unwrap()); // and its connection with it
        fs::remove_file(&path).unwrap();
        if replaced {
            fs::rename(&other, &path).unwrap();
        }
        let begun = store.writer().begin("writing").await.map(drop);
        assert!(matches!(begun, Err(StoreError::Lost { .. })), "{replaced}: {begun:?}");
        assert_eq!(path.exists(), replaced, "no journal was created");
    }
}

#[tokio::test]
async fn a_commit_that_fails_is_reported_and_the_next_turn_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("journal.db")).await.unwrap();
    let mut tx = store.writer().begin("writing").await.unwrap();
    tx.execute(sqlx::query("ROLLBACK")).await.unwrap(); // nothing is left to commit
    let done = tx.finish(Ok::<_, StoreError>(())).await;
    assert!(matches!(done, Err(StoreError::OutcomeUnknown { .. })), "{done:?}");
    drop(tx);
    let mut tx = store.writer().begin("writing").await.unwrap();
    tx.finish(Ok::<_, StoreError>(())).await.unwrap();
}
