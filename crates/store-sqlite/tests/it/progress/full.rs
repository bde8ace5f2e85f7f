//! A file that may not grow any more.

use super::sample::{Runner, create_tables};
use crate::fixture::SqliteFixture;
use actum_persistence::{
    progress::{ExactTarget, SaveError},
    store::StoreError,
};
use actum_store_sqlite::{SqliteSettings, SqliteTarget};

const LARGE: &str = "INSERT INTO handled VALUES (NULL, zeroblob(50000))";

#[tokio::test]
async fn a_full_file_is_an_outage_and_not_a_broken_handler() {
    let fixture = SqliteFixture::with(SqliteSettings::default().with_file_bytes_max(1 << 20));
    let store = fixture.store().await;
    let target = SqliteTarget::of(&store);
    create_tables(&target).await;
    let runner = Runner::claim(&target, "rows").await;
    let mut position = 0;
    let error = loop {
        let mut tx = runner.begin().await.unwrap();
        let written = sqlx::query(LARGE).execute(SqliteTarget::connection(&mut tx)).await;
        if let Err(error) = written {
            runner.target.rollback(tx).await;
            break error;
        }
        position += 1;
        runner.target.commit(tx, &runner.save(position)).await.unwrap();
        assert!(position < 100, "a file of 1 MiB holds no more");
    };
    assert!(SqliteTarget::is_unavailable(&error), "{error}");
    let (progress, rows) = runner.both().await;
    assert_eq!((progress, rows.len() as u64), (position, position));

    // one that swallows it keeps no progress without its rows
    let mut tx = runner.begin().await.unwrap();
    let connection = SqliteTarget::connection(&mut tx);
    for _ in 0..3 {
        drop(sqlx::query(LARGE).execute(&mut *connection).await);
    }
    let in_between = sqlx::query("DELETE FROM handled").execute(connection).await;
    match runner.target.commit(tx, &runner.save(position + 1)).await {
        Ok(()) => {
            in_between.unwrap();
            assert_eq!(runner.both().await, (position + 1, vec![]));
        }
        Err(SaveError::Broken { .. } | SaveError::Store(StoreError::Unavailable { .. })) => {
            assert_eq!(runner.both().await.0, position);
        }
        other => panic!("{other:?}"),
    }
    runner.target.rollback(runner.begin().await.unwrap()).await;
}
