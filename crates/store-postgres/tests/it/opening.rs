//! What can be opened, and what error the others get: URLs, settings and schemas. Who is let in stands in `logins.rs`.

use crate::{
    bounded::{run, run_on},
    fixture::PostgresFixture,
    guarded::guarded,
    sample::{Writer, account, head_of},
};
use actum_model::{LaneCount, PartitionCount};
use actum_persistence::store::{EventStore, JournalLayout, WriterStore};
use actum_store_postgres::{
    Migrate, Migration, OpenError, PostgresSettings, PostgresStore, migrate, migrations,
};
use sqlx::{AssertSqlSafe, Executor};
use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

fn layout(partitions: u16, lanes: u16) -> JournalLayout {
    JournalLayout {
        partitions: PartitionCount::new(partitions).unwrap(),
        lanes: LaneCount::new(lanes).unwrap(),
    }
}

fn journal() -> PostgresFixture {
    PostgresFixture::with(PostgresSettings::default())
}

async fn refused(url: &str) -> OpenError {
    // long enough for a busy machine: what is refused here answers
    refused_within(url, Duration::from_secs(20)).await
}

async fn refused_within(url: &str, patience: Duration) -> OpenError {
    let settings = PostgresSettings::default().with_connect_timeout(patience);
    PostgresStore::connect_with(url, settings).await.expect_err("it cannot be opened")
}

async fn number(fixture: &PostgresFixture, query: &str) -> i64 {
    let query = sqlx::query_scalar(fixture.sql(query));
    query.fetch_one(&mut fixture.foreign_connection().await).await.unwrap()
}

#[test]
fn a_url_that_cannot_be_read_is_refused() {
    run(async {
        for url in [
            "",
            "bank.db",
            "sqlite://bank.db",
            "postgres://host:port/bank",
            "postgres://host:70000/bank",
            "postgres://host/bank?sslmode=on",
            "postgres://host/bank?sslmod=require",
            "postgres://host/bank?port=none",
        ] {
            let error = refused(url).await;
            assert!(matches!(error, OpenError::InvalidUrl { .. }), "{url}: {error:?}");
            let settings = PostgresSettings::default();
            let listed = migrations(url, &settings).await;
            assert!(matches!(listed, Err(OpenError::InvalidUrl { .. })), "{url}: {listed:?}");
        }
    });
}

#[test]
fn settings_that_are_not_valid_are_all_listed_before_anybody_is_asked() {
    run(async {
        let settings = PostgresSettings::default()
            .with_schema("a b")
            .with_connections_max(0)
            .with_lock_timeout(Duration::ZERO);
        let url = "postgres://me@no-such-host.invalid/bank";
        match PostgresStore::connect_with(url, settings).await {
            Err(OpenError::InvalidSettings { problems, address }) => {
                assert_eq!(problems.len(), 3, "{problems:?}");
                assert_eq!(address, "postgres://me@no-such-host.invalid:5432/bank, schema a b");
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_server_that_cannot_be_reached_is_given_up_soon() {
    run(async {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let gone = TcpListener::bind("127.0.0.1:0").unwrap();
        let (silent_port, port) =
            [&silent, &gone].map(|listener| listener.local_addr().unwrap().port()).into();
        drop(gone);
        for (url, says) in [
            (format!("postgres://me@127.0.0.1:{port}/bank"), "refused"),
            ("postgres://me@no-such-host.invalid/bank".to_owned(), "lookup"),
            (format!("postgres://me@127.0.0.1:{silent_port}/bank"), "no connection within 500ms"),
            ("postgres:///bank?host=/no/such/directory".to_owned(), "No such file"),
        ] {
            let start = Instant::now();
            match refused_within(&url, Duration::from_millis(500)).await {
                OpenError::Unreachable { source, .. } => {
                    assert!(source.to_string().contains(says), "{url}: {source}");
                }
                other => panic!("{url}: {other:?}"),
            }
            assert!(start.elapsed() < Duration::from_secs(5), "{url}: {:?}", start.elapsed());
        }
    });
}

#[test]
fn a_schema_that_is_missing_or_empty_becomes_a_journal_with_the_layout_asked_for() {
    run_on(
        PostgresFixture::with(PostgresSettings::default().with_layout(layout(7, 3))),
        async |fixture| {
            let store = fixture.store().await;
            assert_eq!(store.layout(), layout(7, 3));
            assert_eq!(store.heads().await.unwrap().positions().len(), 3);
            let schema = fixture.settings().schema;
            assert!(
                store.address().ends_with(&format!(", schema {schema}")),
                "{}",
                store.address()
            );
        },
    );
    run_on(journal(), async |fixture| {
        let empty = fixture.sql("CREATE SCHEMA @").0.replace("\".", "\"");
        fixture.foreign_connection().await.execute(AssertSqlSafe(empty)).await.unwrap();
        let store = fixture.store().await;
        assert_eq!(store.layout(), JournalLayout::default());
        Writer::claim(&store).await.write(&account(1), 0).await;
    });
}

#[test]
fn names_with_capitals_and_words_of_sql_are_names_of_schemas() {
    run_on(journal(), async |fixture| {
        for name in ["Select", "user", "_", "Größe", "order"] {
            let settings = fixture.settings().with_schema(name);
            let opened = PostgresStore::connect_with(fixture.url(), settings).await;
            if !name.is_ascii() {
                assert!(matches!(opened, Err(OpenError::InvalidSettings { .. })), "{opened:?}");
                continue;
            }
            let store = opened.unwrap();
            Writer::claim(&store).await.write(&account(1), 0).await;
            store.close().await;
            let drop = AssertSqlSafe(format!("DROP SCHEMA \"{name}\" CASCADE"));
            fixture.foreign_connection().await.execute(drop).await.unwrap();
        }
    });
}

#[test]
fn a_layout_is_compared_when_one_is_asked_for() {
    run_on(
        PostgresFixture::with(PostgresSettings::default().with_layout(layout(16, 2))),
        async |fixture| {
            fixture.store().await.close().await;
            for asked in [layout(16, 1), layout(256, 2), JournalLayout::default()] {
                let settings = fixture.settings().with_layout(asked);
                let opened = PostgresStore::connect_with(fixture.url(), settings).await;
                match opened.unwrap_err() {
                    OpenError::LayoutMismatch { found, asked: named, .. } => {
                        assert_eq!((found, named), (layout(16, 2), asked));
                    }
                    other => panic!("{other:?}"),
                }
            }
            let settings = PostgresSettings::default().with_schema(fixture.settings().schema);
            let store = PostgresStore::connect_with(fixture.url(), settings).await.unwrap();
            assert_eq!(
                store.layout(),
                layout(16, 2),
                "without a wish the journal is taken as it is"
            );
        },
    );
}

#[test]
fn a_schema_of_another_program_is_refused_and_left_alone() {
    for object in ["TABLE @notes (note text)", "VIEW @notes AS SELECT 1", "SEQUENCE @notes"] {
        run_on(journal(), async |fixture| {
            let schema = fixture.sql("CREATE SCHEMA @").0.replace("\".", "\"");
            let mut foreign = fixture.foreign_connection().await;
            foreign.execute(AssertSqlSafe(schema)).await.unwrap();
            let create = format!("CREATE {object}");
            foreign.execute(fixture.sql(&create)).await.unwrap();
            let opened = PostgresStore::connect_with(fixture.url(), fixture.settings()).await;
            assert!(matches!(opened, Err(OpenError::NotAJournal { .. })), "{object}: {opened:?}");
            let migrated = migrate(fixture.url(), &fixture.settings()).await;
            assert!(matches!(migrated, Err(OpenError::NotAJournal { .. })), "{migrated:?}");
            let query = "SELECT count(*) FROM pg_class WHERE relnamespace = $1::regnamespace";
            let tables: i64 = sqlx::query_scalar(query)
                .bind(fixture.settings().schema)
                .fetch_one(&mut foreign)
                .await
                .unwrap();
            assert_eq!(tables, 1);
        });
    }
}

#[test]
fn a_journal_of_a_newer_schema_is_refused_and_left_alone() {
    run_on(journal(), async |fixture| {
        fixture.store().await.close().await;
        let newer = "INSERT INTO @actum_migrations (version, name) VALUES (99, 'from the future')";
        fixture.foreign_connection().await.execute(fixture.sql(newer)).await.unwrap();
        let opened = PostgresStore::connect_with(fixture.url(), fixture.settings()).await;
        let is_newer =
            |error: &OpenError| matches!(error, OpenError::NewerSchema { found: 99, known: 4, .. });
        assert!(opened.as_ref().is_err_and(is_newer), "{opened:?}");
        let migrated = migrate(fixture.url(), &fixture.settings()).await;
        assert!(migrated.as_ref().is_err_and(is_newer), "{migrated:?}");
        assert_eq!(number(fixture, "SELECT count(*) FROM @actum_migrations").await, 5);
    });
}

#[test]
fn migrations_are_listed_and_run_apart_from_opening() {
    run_on(journal(), async |fixture| {
        let (url, settings) = (fixture.url(), fixture.settings().with_migrate(Migrate::Never));
        let lists_each = |listed: &[Migration], applied| {
            let entry = |it: &Migration| (it.version, it.name, it.applied);
            let names = ["journal", "commands", "changes", "members"];
            let expected = (1..).zip(names).map(|(version, name)| (version, name, applied));
            listed.iter().map(entry).eq(expected)
        };
        for _ in 0..2 {
            let listed = migrations(url, &settings).await.unwrap();
            assert!(lists_each(&listed, false), "{listed:?}");
            match PostgresStore::connect_with(url, settings.clone()).await.unwrap_err() {
                OpenError::PendingMigrations { pending, .. } => assert_eq!(pending, listed),
                other => panic!("{other:?}"),
            }
        }
        let ran = migrate(url, &settings).await.unwrap();
        assert!(lists_each(&ran, false), "{ran:?}");
        assert_eq!(migrate(url, &settings).await.unwrap(), []);
        assert!(lists_each(&migrations(url, &settings).await.unwrap(), true));
        PostgresStore::connect_with(url, settings).await.unwrap();
    });
}

#[test]
fn a_journal_whose_tables_are_gone_or_rows_are_wrong_is_damaged() {
    for damage in [
        "DROP TABLE @journal",
        "DELETE FROM @journal",
        "UPDATE @journal SET partitions = 0",
        "UPDATE @journal SET lanes = 65",
        "ALTER TABLE @journal ALTER COLUMN lanes TYPE text",
        "ALTER TABLE @journal RENAME COLUMN lock_space TO lock",
        "ALTER TABLE @actum_migrations RENAME COLUMN version TO revision",
        "UPDATE @actum_migrations SET version = -version",
    ] {
        run_on(journal(), async |fixture| {
            fixture.store().await.close().await;
            fixture.foreign_connection().await.execute(fixture.sql(damage)).await.unwrap();
            let opened = PostgresStore::connect_with(fixture.url(), fixture.settings()).await;
            assert!(matches!(opened, Err(OpenError::Corrupt { .. })), "{damage}: {opened:?}");
        });
    }
}

/// A server of that version, or of another kind, is not at hand: a schema in front of PostgreSQL's own reports one.
#[test]
fn a_server_that_is_too_old_is_refused() {
    let Some(server) = guarded() else { return };
    run(async {
        let database = server.database("").await;
        server
            .run(
                &database,
                "CREATE SCHEMA old; CREATE FUNCTION old.current_setting(text) RETURNS text LANGUAGE sql AS
                $$ SELECT CASE $1 WHEN 'server_version_num' THEN '120022' ELSE pg_catalog.current_setting($1) END $$",
            )
            .await;
        let url = server.url("actum", &database) + "?options=-csearch_path%3Dold,pg_catalog";
        match refused(&url).await {
            OpenError::UnfitServer { unfit, .. } => {
                assert_eq!(unfit, "it is PostgreSQL 12, which is older than 13");
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_database_of_another_encoding_is_refused() {
    let Some(server) = guarded() else { return };
    run(async {
        let how = "ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'";
        let database = server.database(how).await;
        match refused(&server.url("actum", &database)).await {
            OpenError::UnfitServer { unfit, .. } => {
                assert_eq!(unfit, "its encoding is SQL_ASCII, not UTF8");
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn journals_of_one_database_do_not_see_each_other_and_do_not_wait_for_each_other() {
    run_on(journal(), async |one| {
        let two = journal();
        let (first, second) = (one.store().await, two.store().await);
        let (here, there) = (Writer::claim(&first).await, Writer::claim(&second).await);
        assert_eq!(here.incarnation, there.incarnation, "each counts for itself");
        here.write(&account(1), 0).await;
        assert_eq!(head_of(&second, &account(1)).await, 0);
        // the first journal's lane, fence and slot are held by another session
        let mut foreign = one.foreign_connection().await;
        foreign.execute("BEGIN").await.unwrap();
        let hold = "SELECT pg_advisory_xact_lock(j.lock_space, k.key) FROM @journal AS j, (
            SELECT 0 AS key UNION ALL SELECT -1 - w.incarnation::integer FROM @writers AS w
            UNION ALL SELECT 65536 + (hashtext(w.slot) & 1073741823) FROM @writers AS w
        ) AS k";
        foreign.execute(one.sql(hold)).await.unwrap();
        there.write(&account(1), 0).await;
        there.write(&account(1), 1).await;
        second.release(there.incarnation).await.unwrap();
        Writer::claim(&second).await.write(&account(1), 2).await;
        let impatient = one.settings().with_lock_timeout(Duration::from_millis(50));
        let third = PostgresStore::connect_with(one.url(), impatient).await.unwrap();
        let waiting = Writer::of(&third, here.incarnation).each(&[account(1)], 1, 10).await;
        waiting.expect_err("the lane of the first journal is held");
        foreign.execute("ROLLBACK").await.unwrap();
        here.write(&account(1), 1).await;
    });
}
