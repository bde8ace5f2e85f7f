//! What a handler leaves on its connection, and handlers that do not come to an end.

use super::sample::{Place, Runner, insert};
use actum_persistence::progress::ExactTarget;
use actum_store_sqlite::{SqliteTarget, SqliteTx};
use futures_util::FutureExt;
use sqlx::{Row, SqliteConnection};
use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

const LEFT: [&str; 6] = [
    "CREATE TEMP TABLE own (x)",
    "CREATE TEMP TRIGGER own AFTER INSERT ON main.handled BEGIN DELETE FROM handled; END",
    "ATTACH ':memory:' AS own",
    "PRAGMA recursive_triggers = 1",
    "PRAGMA ignore_check_constraints = 1",
    "PRAGMA reverse_unordered_selects = 1",
];

/// What can be seen of them.
async fn traces(connection: &mut SqliteConnection) -> Vec<i64> {
    let query = "SELECT (SELECT count(*) FROM temp.sqlite_schema), (SELECT count(*) FROM pragma_database_list WHERE seq > 1),
        (SELECT recursive_triggers FROM pragma_recursive_triggers),
        (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints),
        (SELECT reverse_unordered_selects FROM pragma_reverse_unordered_selects)";
    let row = sqlx::query(query).fetch_one(connection).await.unwrap();
    (0..5).map(|nr| row.get(nr)).collect()
}

async fn begin_and_leave(runner: &Runner, left: &'static str) -> SqliteTx {
    let mut tx = runner.begin().await.unwrap();
    let connection = SqliteTarget::connection(&mut tx);
    assert_eq!(traces(connection).await, [0; 5], "in front of {left}");
    sqlx::query(left).execute(&mut *connection).await.unwrap();
    assert_ne!(traces(connection).await, [0; 5], "{left}");
    tx
}

#[tokio::test]
async fn the_next_transaction_sees_nothing_of_what_a_handler_left_on_the_connection() {
    let place = Place::new();
    let runner = place.runner().await;
    for (nr, left) in (1..).zip(LEFT) {
        let tx = begin_and_leave(&runner, left).await;
        runner.target.commit(tx, &runner.save(nr)).await.unwrap();
        let tx = begin_and_leave(&runner, left).await;
        runner.target.rollback(tx).await;
        let tx = begin_and_leave(&runner, left).await;
        drop(tx);
    }
    let mut tx = runner.begin().await.unwrap();
    assert_eq!(traces(SqliteTarget::connection(&mut tx)).await, [0; 5]);
}

#[tokio::test]
async fn a_connection_without_leftovers_is_used_again() {
    let place = Place::new();
    let runner = place.runner().await;
    let mut changes = Vec::new();
    for position in [1, 2, 3] {
        let mut tx = runner.begin().await.unwrap();
        let connection = SqliteTarget::connection(&mut tx);
        let query = sqlx::query_scalar::<_, i64>("SELECT total_changes()");
        changes.push(query.fetch_one(&mut *connection).await.unwrap());
        insert(connection, position).await.unwrap();
        match position {
            1 => runner.target.rollback(tx).await,
            _ => runner.target.commit(tx, &runner.save(position)).await.unwrap(),
        }
    }
    // a new one begins at 0
    assert!(changes[0] < changes[1] && changes[1] < changes[2], "{changes:?}");
}

const ENDLESS: &str =
    "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";

/// Begins a transaction whose handler is given up in the middle of a statement that never ends.
async fn begin_endless(runner: &Runner) -> SqliteTx {
    let mut tx = runner.begin().await.unwrap();
    let connection = SqliteTarget::connection(&mut tx);
    insert(connection, 1).await.unwrap();
    assert!(sqlx::query(ENDLESS).execute(connection).now_or_never().is_none());
    tx
}

/// Without an interruption the file would stay locked: the next transaction would be unavailable after the busy timeout, or
/// wait for ever.
#[tokio::test]
async fn a_handler_that_is_given_up_in_an_endless_statement_leaves_the_file_to_others() {
    let place = Place::new();
    let runner = place.runner().await;
    for is_dropped in [true, false] {
        let tx = begin_endless(&runner).await;
        if is_dropped {
            drop(tx);
        } else {
            runner.target.rollback(tx).await;
        }
        assert_eq!(runner.both().await, (0, vec![]), "{is_dropped}");
    }
    runner.handle(2).await.unwrap();
    assert_eq!(runner.both().await, (2, vec![2]));
}

#[tokio::test]
async fn a_commit_that_is_given_up_leaves_a_target_that_goes_on() {
    let place = Place::new();
    let runner = place.runner().await;
    for position in 1..50 {
        let mut tx = runner.begin().await.unwrap();
        insert(SqliteTarget::connection(&mut tx), position).await.unwrap();
        {
            let change = runner.save(position);
            let mut commit = pin!(runner.target.commit(tx, &change));
            for _ in 0..position % 7 {
                let polled = poll_fn(|context| Poll::Ready(commit.as_mut().poll(context)));
                if polled.await.is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        // kept with the progress, or not at all
        let (progress, rows) = runner.both().await;
        assert_eq!(rows.last().copied().unwrap_or(0).cast_unsigned(), progress, "{position}");
    }
}
