//! Rows and progress in one transaction.

use super::sample::{Place, Runner, insert, new_projection, rows};
use actum_persistence::{
    progress::{ExactTarget, ProgressChange, ProgressSave, SaveError},
    store::StoreError,
};
use actum_store_sqlite::SqliteTarget;
use sqlx::Connection;

#[tokio::test]
async fn rows_and_progress_are_kept_together() {
    let place = Place::new();
    let runner = place.runner().await;
    runner.handle(3).await.unwrap();
    runner.handle(5).await.unwrap();
    let mut tx = runner.begin().await.unwrap();
    insert(SqliteTarget::connection(&mut tx), 6).await.unwrap();
    runner.target.rollback(tx).await;
    let mut tx = runner.begin().await.unwrap();
    insert(SqliteTarget::connection(&mut tx), 7).await.unwrap();
    drop(tx);
    assert_eq!(runner.both().await, (5, vec![3, 5]));
    assert_eq!(runner.stored().await.handled, 2);
    runner.target.close().await;
    let again = Runner { target: place.target().await, ..runner };
    assert_eq!(again.both().await, (5, vec![3, 5]));
}

#[tokio::test]
async fn a_runner_that_was_replaced_keeps_nothing() {
    let place = Place::new();
    let old = place.runner().await;
    // as another process has it: by a target of its own
    let new = Runner::claim(&place.target().await, "rows").await;
    assert!(new.epoch > old.epoch);
    assert!(matches!(old.handle(1).await, Err(SaveError::Stale)));
    new.handle(2).await.unwrap();
    let change = old.save(3);
    assert!(matches!(old.target.progress().change(&change).await, Err(SaveError::Stale)));
    assert_eq!(old.both().await, (2, vec![2]));
}

#[tokio::test]
async fn a_runner_of_a_projection_that_was_deleted_stays_stale_when_it_is_entered_again() {
    let place = Place::new();
    let old = place.runner().await;
    let progress = old.target.progress();
    progress.delete(&old.id).await.unwrap();
    assert!(matches!(old.handle(1).await, Err(SaveError::Stale)));
    progress.enter(&new_projection("rows")).await.unwrap();
    assert!(matches!(old.handle(1).await, Err(SaveError::Stale)));
    let new = Runner::claim(&old.target, "rows").await;
    assert!(new.epoch > old.epoch, "{} and {}", new.epoch, old.epoch);
    assert!(matches!(old.handle(1).await, Err(SaveError::Stale)));
    new.handle(2).await.unwrap();
    assert_eq!(new.both().await, (2, vec![2]));
}

#[tokio::test]
async fn a_transaction_that_a_handler_begins_is_a_savepoint() {
    let place = Place::new();
    let runner = place.runner().await;
    let mut tx = runner.begin().await.unwrap();
    let connection = SqliteTarget::connection(&mut tx);
    insert(connection, 1).await.unwrap();
    let mut inner = connection.begin().await.unwrap();
    insert(&mut inner, 2).await.unwrap();
    let mut innermost = inner.begin().await.unwrap();
    insert(&mut innermost, 3).await.unwrap();
    drop(innermost);
    inner.commit().await.unwrap();
    let mut other = connection.begin().await.unwrap();
    insert(&mut other, 4).await.unwrap();
    other.rollback().await.unwrap();
    runner.target.commit(tx, &runner.save(9)).await.unwrap();
    assert_eq!(runner.both().await, (9, vec![1, 2]));
    // and again on the same connection
    let mut tx = runner.begin().await.unwrap();
    let mut inner = SqliteTarget::connection(&mut tx).begin().await.unwrap();
    insert(&mut inner, 5).await.unwrap();
    inner.commit().await.unwrap();
    runner.target.commit(tx, &runner.save(10)).await.unwrap();
    assert_eq!(runner.both().await, (10, vec![1, 2, 5]));
}

#[tokio::test]
async fn transactions_of_one_file_follow_each_other() {
    let place = Place::new();
    let first = place.runner().await;
    let second = Runner::claim(&place.target().await, "other").await;
    let third = Runner::claim(&first.target, "third").await;
    let mut tasks = tokio::task::JoinSet::new();
    for (nr, runner) in [first.clone(), second, third].into_iter().enumerate() {
        tasks.spawn(async move {
            for position in 1..=50 {
                let mut tx = runner.begin().await.unwrap();
                let connection = SqliteTarget::connection(&mut tx);
                let key = position * 10 + nr as u64;
                insert(connection, key).await.unwrap();
                assert!(rows(connection).await.contains(&key.cast_signed()));
                runner.target.commit(tx, &runner.save(position)).await.unwrap();
            }
            runner.stored().await.progress.offset().positions()[0].get()
        });
    }
    assert_eq!(tasks.join_all().await, [50; 3]);
    assert_eq!(first.both().await.1.len(), 150);
}

#[tokio::test]
async fn what_is_checked_at_the_end_breaks_the_transaction() {
    let place = Place::new();
    let runner = place.runner().await;
    let mut tx = runner.begin().await.unwrap();
    let connection = SqliteTarget::connection(&mut tx);
    let table = "CREATE TABLE notes (of INTEGER REFERENCES handled (position) DEFERRABLE INITIALLY DEFERRED)";
    sqlx::query(table).execute(&mut *connection).await.unwrap();
    sqlx::query("INSERT INTO notes VALUES (77)").execute(connection).await.unwrap();
    let done = runner.target.commit(tx, &runner.save(1)).await;
    let Err(SaveError::Broken { cause: Some(StoreError::Invalid { what }) }) = done else {
        panic!("{done:?}")
    };
    assert!(what.contains("FOREIGN KEY"), "{what}");
    assert_eq!(runner.both().await, (0, vec![]));
}

#[tokio::test]
async fn a_file_that_was_closed_is_unavailable() {
    let place = Place::new();
    let runner = place.runner().await;
    runner.target.close().await;
    let begun = runner.begin().await;
    assert!(matches!(begun, Err(StoreError::Unavailable { .. })), "{begun:?}");
    let loaded = runner.target.progress().load(&runner.id).await;
    assert!(matches!(loaded, Err(StoreError::Unavailable { .. })), "{loaded:?}");
    runner.target.close().await;
}

#[tokio::test]
async fn a_count_of_events_stops_at_what_can_be_counted() {
    let place = Place::new();
    let runner = place.runner().await;
    for position in [1, 2] {
        let ProgressChange::Save(save) = runner.save(position) else { unreachable!() };
        let save = ProgressSave { handled: u64::MAX, ..save };
        runner.target.progress().change(&ProgressChange::Save(save)).await.unwrap();
        assert_eq!(runner.stored().await.handled, i64::MAX.cast_unsigned());
    }
}
