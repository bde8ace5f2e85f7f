//! What a handler leaves on its connection.

use super::{
    fixture::TargetFixture,
    sample::{run_on, run_on_each},
};
use actum_persistence::progress::{ExactTarget, ProgressChange};
use actum_store_postgres::{PostgresSettings, PostgresTarget};
use sqlx::{Row, postgres::PgPoolOptions};

/// One connection, so that the next transaction gets the same.
#[test]
fn what_a_handler_sets_does_not_reach_the_next_transaction() {
    let settings = PostgresSettings::default().with_connections_max(2);
    run_on(TargetFixture::with(settings), &async |_, sample| {
        for is_committed in [true, false] {
            let mut tx = sample.begin().await;
            let leave = "SET search_path = nowhere; SET work_mem = '64kB'; SELECT pg_advisory_lock(77);
                CREATE TEMP TABLE IF NOT EXISTS mine (nr integer); SET statement_timeout = 1; RESET statement_timeout";
            sample.run(&mut tx, leave).await.unwrap();
            if is_committed {
                sample.target.commit(tx, &ProgressChange::Nothing).await.unwrap();
            } else {
                sample.target.rollback(tx).await;
            }
            let mut tx = sample.begin().await;
            let left = "SELECT current_setting('search_path'), current_setting('work_mem'),
                (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
                to_regclass('pg_temp.mine') IS NOT NULL";
            let left =
                sqlx::query(left).fetch_one(PostgresTarget::connection(&mut tx)).await.unwrap();
            let path: String = left.get(0);
            assert_ne!(path, "nowhere");
            assert_ne!(left.get::<String, _>(1), "64kB");
            assert_eq!(left.get::<i64, _>(2), 0);
            assert!(!left.get::<bool, _>(3));
            sample.target.rollback(tx).await;
        }
    });
}

/// A pool gets its connections back as they were: outside of a transaction, with the time-outs it has set.
#[test]
fn a_pool_gets_its_connections_back_as_they_were() {
    run_on(TargetFixture::with(PostgresSettings::default()), &async |fixture, sample| {
        let pool = PgPoolOptions::new().max_connections(1).after_connect(|connection, _| {
            Box::pin(async move {
                let set = "SET work_mem = '128kB'; SET statement_timeout = '7s'";
                sqlx::raw_sql(set).execute(connection).await.map(drop)
            })
        });
        let pool = pool.connect_lazy(fixture.url()).unwrap();
        let target = PostgresTarget::new(pool.clone()).with_schema(&sample.schema);
        for end in 0..4 {
            let mut tx = target.begin(super::sample::OPEN_MAX).await.unwrap();
            sample.run(&mut tx, "SET LOCAL statement_timeout = 50").await.unwrap();
            match end {
                0 => target.commit(tx, &ProgressChange::Nothing).await.unwrap(),
                1 => target.rollback(tx).await,
                2 => drop(tx),
                _ => {
                    sample.run(&mut tx, "SELECT 1 / 0").await.unwrap_err();
                    target.commit(tx, &ProgressChange::Nothing).await.unwrap_err();
                }
            }
            let mut free = pool.begin().await.unwrap(); // a transaction, and no savepoint
            let set = "SELECT current_setting('work_mem'), current_setting('statement_timeout'),
                current_setting('actum.tx', TRUE)";
            let set = sqlx::query(set).fetch_one(&mut *free).await.unwrap();
            let set: (String, String, Option<String>) = (set.get(0), set.get(1), set.get(2));
            assert_eq!((&*set.0, &*set.1), ("128kB", "7s"), "{end}");
            assert_eq!(set.2.unwrap_or_default(), "", "{end}");
            sample.write(&mut free, 100 + end).await;
            free.commit().await.unwrap();
            assert!(sample.rows(fixture).await.contains(&(100 + end)), "{end}");
        }
    });
}

/// A table changes under a statement that was prepared: the handler that tries again is not refused for ever.
#[test]
fn statements_that_were_prepared_are_forgotten_when_a_handler_fails() {
    run_on_each(&async |_, sample| {
        let all = async |tx: &mut _| {
            let all = sqlx::AssertSqlSafe(format!("SELECT * FROM \"{}\".rows", sample.schema));
            sqlx::query(all).fetch_all(PostgresTarget::connection(tx)).await
        };
        let mut tx = sample.begin_with_row(1).await;
        all(&mut tx).await.unwrap();
        sample.commit(tx, 5).await.unwrap();
        let mut tx = sample.begin().await;
        sample.run(&mut tx, "ALTER TABLE @rows ADD more text").await.unwrap();
        sample.commit(tx, 6).await.unwrap();
        let mut tx = sample.begin().await;
        let _ = all(&mut tx).await; // it may be the first one, or the one that fails
        sample.target.rollback(tx).await;
        let mut tx = sample.begin().await;
        assert_eq!(all(&mut tx).await.unwrap().len(), 1);
        sample.commit(tx, 7).await.unwrap();
    });
}
