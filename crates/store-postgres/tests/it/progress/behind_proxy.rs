//! Targets behind PgBouncer, which gives each transaction another connection.

use super::sample::{OPEN_MAX, Sample, claim};
use crate::{bounded::run, private::PrivateServer};
use actum_persistence::progress::{ExactTarget, ProgressChange, SaveError};
use actum_store_postgres::{PostgresSettings, PostgresTarget};
use actum_test_servers::{PgBouncer, PgBouncerSettings, available};
use futures_util::future::join_all;
use sqlx::{AssertSqlSafe, Row};

#[test]
fn many_targets_behind_a_proxy_save_exactly_once_on_few_connections() {
    let Some(program) = available(PgBouncer::find()) else { return };
    let Some(server) = PrivateServer::start() else { return };
    let settings = PgBouncerSettings::default().with_default_pool_size(2);
    let bouncer = server.with(|server| PgBouncer::start(&program, server, &settings)).unwrap();
    run(async {
        let target = || {
            let settings = PostgresSettings::default().with_transaction_pooling(true);
            let target = PostgresTarget::connect(&bouncer.url("postgres")).unwrap();
            target.with_settings(settings).with_schema("progress")
        };
        let sample = Sample::create(target(), "progress").await;
        // each writes a row and the same progress, one after the other and across each other
        let work = (1..=40).map(|nr| {
            let (sample, target) = (&sample, target());
            async move {
                let mut tx = target.begin(OPEN_MAX).await.unwrap();
                let rows = PostgresTarget::connection(&mut tx);
                let insert = AssertSqlSafe("INSERT INTO progress.rows VALUES ($1)");
                let insert = sqlx::query(insert).bind(nr).persistent(false);
                insert.execute(rows).await.unwrap();
                match nr % 4 {
                    0 => target.rollback(tx).await,
                    1 => drop(tx),
                    2 => {
                        sample.run(&mut tx, "SELECT 1 / 0").await.unwrap_err();
                        let broken = target.commit(tx, &sample.save(5)).await.unwrap_err();
                        assert!(matches!(broken, SaveError::Broken { .. }), "{broken:?}");
                    }
                    _ => target.commit(tx, &sample.save(5)).await.unwrap(),
                }
            }
        });
        join_all(work).await;
        let stored = sample.stored().await;
        let rows = sqlx::query("SELECT count(*) FROM progress.rows");
        let mut direct = crate::fixture::foreign_connection(&server.url).await;
        let rows: i64 = rows.fetch_one(&mut direct).await.unwrap().get(0);
        assert_eq!((stored.handled, rows), (10, 10));

        let tx = sample.begin().await;
        claim(&sample.target, &stored, "runner 2").await.unwrap();
        let stale = sample.commit(tx, 9).await.unwrap_err();
        assert!(matches!(stale, SaveError::Stale), "{stale:?}");
        let tx = sample.begin().await;
        sample.target.commit(tx, &ProgressChange::Nothing).await.unwrap();
    });
}
