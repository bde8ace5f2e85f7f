//! Handlers that end the transaction, or let SQLite end it, and go on.

use super::sample::{Place, Runner, insert};
use actum_persistence::progress::{ExactTarget, SaveError};
use actum_store_sqlite::SqliteTarget;
use sqlx::SqliteConnection;

/// Statements that end the transaction of a handler; whatever they fail with is swallowed.
const ENDS: [&[&str]; 9] = [
    &["COMMIT"],
    &["ROLLBACK"],
    &["COMMIT", "BEGIN"],
    &["ROLLBACK", "BEGIN"],
    &["ROLLBACK", "BEGIN IMMEDIATE"],
    &["COMMIT", "BEGIN IMMEDIATE", "COMMIT", "BEGIN IMMEDIATE"],
    &["END TRANSACTION"],
    // SQLite ends it
    &["INSERT OR ROLLBACK INTO handled (position) VALUES (1)"],
    &[
        "CREATE TRIGGER strict BEFORE INSERT ON handled WHEN new.position = 99 BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
        "INSERT INTO handled (position) VALUES (99)",
    ],
];

async fn swallow(connection: &mut SqliteConnection, statements: &[&'static str]) {
    for statement in statements {
        drop(sqlx::query(*statement).execute(&mut *connection).await);
    }
}

async fn assert_nothing_kept(runner: &Runner, what: &[&str]) {
    assert_eq!(runner.both().await, (0, vec![]), "{what:?}");
    runner.handle(7).await.unwrap();
    assert_eq!(runner.both().await, (7, vec![7]), "{what:?}");
}

#[tokio::test]
async fn a_transaction_that_has_ended_keeps_neither_rows_nor_progress() {
    for ends in ENDS {
        let place = Place::new();
        let runner = place.runner().await;
        let mut tx = runner.begin().await.unwrap();
        let connection = SqliteTarget::connection(&mut tx);
        insert(connection, 1).await.unwrap();
        swallow(connection, ends).await;
        // it goes on as if nothing had happened
        drop(insert(connection, 2).await);
        swallow(connection, &["CREATE TABLE more (x)"]).await;
        let done = runner.target.commit(tx, &runner.save(5)).await;
        assert!(matches!(done, Err(SaveError::Broken { .. })), "{ends:?}: {done:?}");
        assert_nothing_kept(&runner, ends).await;
        let mut tx = runner.begin().await.unwrap();
        let found = sqlx::query("SELECT * FROM more").execute(SqliteTarget::connection(&mut tx));
        assert!(found.await.is_err(), "{ends:?}");
    }
}

#[tokio::test]
async fn a_transaction_that_has_ended_is_rolled_back_and_dropped_without_a_trace() {
    for (ends, is_dropped) in ENDS.into_iter().flat_map(|ends| [(ends, true), (ends, false)]) {
        let place = Place::new();
        let runner = place.runner().await;
        let mut tx = runner.begin().await.unwrap();
        let connection = SqliteTarget::connection(&mut tx);
        insert(connection, 1).await.unwrap();
        swallow(connection, ends).await;
        drop(insert(connection, 2).await);
        if is_dropped {
            drop(tx);
        } else {
            runner.target.rollback(tx).await;
        }
        assert_nothing_kept(&runner, ends).await;
    }
}

#[tokio::test]
async fn a_statement_that_fails_alone_breaks_nothing() {
    let place = Place::new();
    let runner = place.runner().await;
    let mut tx = runner.begin().await.unwrap();
    let connection = SqliteTarget::connection(&mut tx);
    insert(connection, 1).await.unwrap();
    insert(connection, 1).await.unwrap_err();
    swallow(connection, &["SELEC", "INSERT INTO nowhere VALUES (1)"]).await;
    runner.target.commit(tx, &runner.save(5)).await.unwrap();
    assert_eq!(runner.both().await, (5, vec![1]));
}
