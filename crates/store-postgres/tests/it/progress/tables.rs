//! How the tables get there, and who is refused.

use super::{
    fixture::TargetFixture,
    sample::{Sample, projection, run_on},
};
use crate::{bounded::run, database::OwnDatabase, fixture::foreign_connection};
use actum_persistence::{
    progress::{ExactTarget, KeepsProgress},
    store::StoreError,
};
use actum_store_postgres::{Migrate, PostgresSettings, PostgresStore, PostgresTarget};
use actum_testkit::conformance::progress::ProgressFixture;
use futures_util::future::join_all;
use sqlx::{AssertSqlSafe, Executor, Row};

async fn execute(url: &str, text: impl Into<String>) {
    let text = AssertSqlSafe(text.into());
    foreign_connection(url).await.execute(sqlx::raw_sql(text)).await.unwrap();
}

fn invalid<T: std::fmt::Debug>(refused: Result<T, StoreError>) -> String {
    match refused {
        Err(StoreError::Invalid { what }) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn many_that_come_first_at_once_make_the_tables_once() {
    let fixture = TargetFixture::with(PostgresSettings::default());
    if fixture.is_available() {
        run(async {
            let targets = (0..8).map(|_| fixture.target());
            let loads =
                targets.map(|target| async move { target.progress().load(&projection()).await });
            for load in join_all(loads).await {
                assert_eq!(load.unwrap(), None);
            }
        });
    }
    drop(fixture);
}

#[test]
fn nothing_is_opened_or_made_before_the_first_use() {
    run(async {
        let url = "postgres://me@no-such-host.invalid/bank";
        let target = PostgresTarget::connect(url).unwrap().with_schema("a b");
        let what = invalid(target.progress().load(&projection()).await);
        assert!(what.contains("`schema` is `a b`"), "{what}");
        let target = target.with_schema("ab");
        let refused = target.progress().load(&projection()).await.unwrap_err();
        assert!(PostgresTarget::is_unavailable(&refused), "{refused:?}");
    });
}

#[test]
fn tables_of_a_newer_program_are_refused() {
    run_on(TargetFixture::with(PostgresSettings::default()), &async |fixture, sample| {
        let newer = format!("INSERT INTO \"{}\".progress_migrations VALUES (7)", sample.schema);
        execute(fixture.url(), newer).await;
        let target = fixture.target();
        let what = invalid(target.progress().load(&projection()).await);
        assert!(what.contains("have version 7, this program knows up to 1"), "{what}");
        assert_eq!(invalid(target.begin(super::sample::OPEN_MAX).await), what);
        assert_eq!(invalid(target.migrate().await), what);
    });
}

#[test]
fn the_schema_of_another_program_or_a_journal_is_refused() {
    run_on(TargetFixture::with(PostgresSettings::default()), &async |fixture, sample| {
        let settings = PostgresSettings::default().with_schema(format!("{}_rows", sample.schema));
        let url = fixture.url();
        PostgresStore::connect_with(url, settings.clone()).await.unwrap().close().await;
        for schema in [&*settings.schema, "information_schema"] {
            let target = PostgresTarget::connect(url).unwrap().with_schema(schema);
            let what = invalid(target.progress().load(&projection()).await);
            assert!(what.contains("belongs to another program or a journal"), "{what}");
        }
    });
}

/// The message says what to do, and it helps.
#[test]
fn a_user_who_may_not_make_the_tables_uses_those_that_another_has_made() {
    run(async {
        let Some(database) = OwnDatabase::create(&[]).await else { return };
        let user = actum_test_servers::unique_name("clerk");
        let url = database.url();
        execute(&url, format!("CREATE ROLE {user} LOGIN")).await;
        let address = url.split_once('@').unwrap().1;
        let of_clerk = PostgresTarget::connect(&format!("postgres://{user}@{address}")).unwrap();
        let what = invalid(of_clerk.progress().load(&projection()).await);
        assert!(
            what.contains("may not create") && what.contains("`PostgresTarget::migrate`"),
            "{what}"
        );
        let never = PostgresSettings::default().with_migrate(Migrate::Never);
        let of_clerk = of_clerk.with_settings(never);
        let what = invalid(of_clerk.progress().load(&projection()).await);
        assert!(what.contains("missing") && what.contains("`PostgresTarget::migrate`"), "{what}");

        PostgresTarget::connect(&url).unwrap().migrate().await.unwrap();
        let what = invalid(of_clerk.progress().load(&projection()).await);
        assert!(what.contains("may not read"), "{what}");
        let grant = "GRANT USAGE ON SCHEMA actum_projections TO #;
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA actum_projections TO #;
            CREATE SCHEMA # AUTHORIZATION #";
        execute(&url, grant.replace('#', &user)).await;
        let sample = Sample::create(of_clerk.clone(), &user).await;
        let tx = sample.begin_with_row(1).await;
        sample.commit(tx, 5).await.unwrap();
        assert_eq!(sample.position().await, 5);
        of_clerk.progress().delete(&projection()).await.unwrap();
        of_clerk.progress().close().await;
        drop(sample);
        execute(&url, format!("DROP OWNED BY {user}; DROP ROLE {user}")).await;
    });
}

#[test]
fn journals_of_one_database_do_not_share_the_progress_of_projections() {
    run(async {
        let Some(database) = OwnDatabase::create(&[]).await else { return };
        let url = database.url();
        let store = |schema: &'static str| {
            let settings = PostgresSettings::default().with_schema(schema);
            PostgresStore::connect_with(&url, settings)
        };
        let (one, other) = (store("one").await.unwrap(), store("other").await.unwrap());
        Sample::create(PostgresTarget::of(&one), "one").await;
        assert!(one.progress().load(&projection()).await.unwrap().is_some());
        assert_eq!(other.progress().load(&projection()).await.unwrap(), None);
        assert!(std::sync::Arc::ptr_eq(&one.progress(), &one.progress()));
        let again = store("one").await.unwrap();
        assert!(again.progress().load(&projection()).await.unwrap().is_some());
        let progress = one.progress();
        one.close().await;
        let refused = progress.load(&projection()).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable { .. }), "{refused:?}");
    });
}

/// Whatever the database is set to.
#[test]
fn transactions_are_as_promised_where_the_database_has_other_defaults() {
    run(async {
        let settings = [
            ("default_transaction_isolation", "serializable"),
            ("search_path", "nowhere"),
            ("statement_timeout", "1h"),
        ];
        let Some(database) = OwnDatabase::create(&settings).await else { return };
        let url = database.url();
        let pool = sqlx::PgPool::connect_lazy(&url).unwrap();
        for target in [PostgresTarget::connect(&url).unwrap(), PostgresTarget::new(pool)] {
            let mut tx = target.begin(super::sample::OPEN_MAX).await.unwrap();
            let rows = PostgresTarget::connection(&mut tx);
            let level = "SELECT current_setting('transaction_isolation') || current_setting('statement_timeout')";
            let level = sqlx::query(level).fetch_one(rows).await.unwrap();
            assert_eq!(level.get::<&str, _>(0), "read committed20s");
            target.rollback(tx).await;
            assert_eq!(target.progress().projections().await.unwrap(), []);
        }
    });
}

/// The row that a save changes, and those that it frees, are found by their keys.
#[test]
fn statements_of_saves_find_their_rows_by_primary_keys() {
    run_on(TargetFixture::with(PostgresSettings::default()), &async |fixture, sample| {
        let mut foreign = fixture.foreign_connection().await;
        let schema = &sample.schema;
        let fill = format!(
            "SET search_path = \"{schema}\";
            INSERT INTO segments (name, version, first, last, epoch, progress)
                SELECT 'other', nr, 0, 255, 1, '0' FROM generate_series(1, 5000) AS nr;
            INSERT INTO parked SELECT 'other', 1, 'account', nr, 0, 0, 1, 1, '', 1, 1 FROM generate_series(1, 5000) AS nr;
            ANALYZE"
        );
        foreign.execute(sqlx::raw_sql(AssertSqlSafe(fill))).await.unwrap();
        for (statement, key) in [
            (
                "UPDATE segments SET handled = 1 WHERE name = 'other' AND version = 7 AND first = 0 AND last = 255 AND epoch = 1",
                "segments_pkey",
            ),
            (
                "DELETE FROM parked WHERE name = 'other' AND version = 1 AND kind = 'account' AND id = ANY ('{1,2,3}'::text[])",
                "parked_pkey",
            ),
        ] {
            let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN {statement}")));
            let plan = plan.fetch_all(&mut foreign).await.unwrap();
            let plan: Vec<&str> = plan.iter().map(|row| row.get(0)).collect();
            assert!(plan.iter().any(|line| line.contains(key)), "{plan:#?}");
        }
    });
}
