//! Of two engines over one file only the one that holds the journal can append.

use super::{Booked, add, amounts, book};
use crate::counter::Counter;
use actum::{
    AppendError, Engine, Expected, SqliteStore, Stream, TransactError, store::WriterStore,
};

async fn start(store: SqliteStore) -> Engine {
    let builder = Engine::builder("ledgers").store(store).entity::<Counter>(());
    builder.start().await.unwrap()
}

#[tokio::test]
async fn an_engine_that_was_taken_over_appends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledgers.db");
    let open = || SqliteStore::open(&path);
    let first = start(open().await.unwrap()).await;
    let old: Stream<Booked> = first.stream("ledger", "2026-11");
    old.append(Expected::NEW, [Booked(1)]).await.unwrap();

    open().await.unwrap().revoke(first.incarnation()).await.unwrap();
    let second = start(open().await.unwrap()).await;
    let new: Stream<Booked> = second.stream("ledger", "2026-11");
    assert_eq!(new.transact(0, add, book(2)).await.unwrap().0, 3);
    let refused = [
        old.append(Expected::Any, [Booked(100)]).await.unwrap_err(),
        match old.transact(0, add, book(100)).await.unwrap_err() {
            TransactError::Append(error) => error,
            other => panic!("{other}"),
        },
    ];
    for error in refused {
        assert!(matches!(error, AppendError::Unavailable { .. }), "{error}");
        assert!(!error.maybe_appended());
    }
    first.fenced().await;
    assert_eq!(new.transact(0, add, book(4)).await.unwrap().0, 7);
    assert_eq!(amounts(&new).await, [1, 2, 4]);
    let _ = first.shutdown().await;
    assert!(second.shutdown().await.is_clean());
}
