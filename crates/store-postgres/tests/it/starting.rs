//! Many programs that open a journal at once, openings that are broken off, and servers that take no writes.

use crate::{
    bounded::{run, run_on, until},
    fixture::PostgresFixture,
    guarded::{Guarded, PASSWORD, guarded},
    sample::{Writer, account, claim, head_of, page},
};
use actum_persistence::store::{ClaimError, EventStore, Incarnation, StoreError, WriterStore};
use actum_store_postgres::{OpenError, PostgresSettings, PostgresStore, migrations};
use actum_test_servers::{
    PostgresServer, PostgresServerSettings, ServerError, StopMode, available,
};
use sqlx::{Executor, PgConnection};
use std::{
    error::Error,
    fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    process::Command,
    time::Duration,
};

fn journal() -> PostgresFixture {
    PostgresFixture::with(PostgresSettings::default())
}

#[test]
fn of_many_who_open_a_new_journal_at_once_one_makes_it_and_all_use_it() {
    run_on(journal(), async |fixture| {
        let openings = (0..16).map(|_| {
            let (url, settings) = (fixture.url(), fixture.settings());
            tokio::spawn(async move { PostgresStore::connect_with(url, settings).await.unwrap() })
        });
        let mut stores = Vec::new();
        for opening in openings.collect::<Vec<_>>() {
            stores.push(opening.await.unwrap());
        }
        let writer = Writer::claim(&stores[0]).await;
        for (store, expected) in stores.iter().zip(0..) {
            Writer::of(store, writer.incarnation).write(&account(expected), 0).await;
            writer.write(&account(expected), 1).await;
        }
        let mut foreign = fixture.foreign_connection().await;
        let migrations = "SELECT count(DISTINCT version) - count(*) + 1 FROM @actum_migrations";
        for query in [migrations, "SELECT count(*) FROM @journal"] {
            let rows: i64 =
                sqlx::query_scalar(fixture.sql(query)).fetch_one(&mut foreign).await.unwrap();
            assert_eq!(rows, 1, "{query}");
        }
    });
}

/// Makes a schema of the journal's name and does not commit it: a migration waits for that in its middle.
async fn hold(fixture: &PostgresFixture) -> PgConnection {
    let mut foreign = fixture.foreign_connection().await;
    foreign.execute("BEGIN").await.unwrap();
    let create = fixture.sql("CREATE SCHEMA @").0.replace("\".", "\"");
    foreign.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
    foreign
}

/// How many connections make a schema of the journal's name, of those that wait for another session;
/// `pg_terminate_backend(pid)` counts and ends them. Asked on a connection of its own: inside of a transaction the
/// answer stays the same.
async fn waiting(fixture: &PostgresFixture, what: &str) -> i64 {
    let query = format!(
        "SELECT count({what}) FROM pg_stat_activity
        WHERE cardinality(pg_blocking_pids(pid)) > 0 AND query LIKE 'CREATE SCHEMA \"{}\"%'",
        fixture.settings().schema
    );
    let query = sqlx::query_scalar(sqlx::AssertSqlSafe(query));
    query.fetch_one(&mut fixture.foreign_connection().await).await.unwrap()
}

async fn is_there(fixture: &PostgresFixture) -> bool {
    let query = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)";
    let query = sqlx::query_scalar(query).bind(fixture.settings().schema);
    query.fetch_one(&mut fixture.foreign_connection().await).await.unwrap()
}

#[test]
fn a_migration_whose_connection_is_killed_leaves_nothing_and_the_next_one_succeeds() {
    run_on(journal(), async |fixture| {
        let mut foreign = hold(fixture).await;
        let (url, settings) = (fixture.url(), fixture.settings());
        let opening = tokio::spawn(async move { PostgresStore::connect_with(url, settings).await });
        until("it migrates", async || waiting(fixture, "*").await == 1).await;
        assert_eq!(waiting(fixture, "pg_terminate_backend(pid)").await, 1);
        let error = opening.await.unwrap().unwrap_err();
        assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
        foreign.execute("ROLLBACK").await.unwrap();
        assert!(!is_there(fixture).await);
        assert!(!migrations(url, &fixture.settings()).await.unwrap()[0].applied);
        Writer::claim(&fixture.store().await).await.write(&account(1), 0).await;
    });
}

#[test]
fn an_opening_that_is_dropped_leaves_no_connection_and_nothing_half_made() {
    run_on(journal(), async |fixture| {
        let mut foreign = hold(fixture).await;
        let opening = PostgresStore::connect_with(fixture.url(), fixture.settings());
        tokio::select! {
            opened = opening => panic!("it waits for a foreign session: {opened:?}"),
            () = until("it migrates", async || waiting(fixture, "*").await == 1) => {}
        }
        foreign.execute("ROLLBACK").await.unwrap();
        until("it has gone", async || waiting(fixture, "*").await == 0).await;
        let query =
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE $1 AND pid <> pg_backend_pid()";
        let schema = format!("%{}%", fixture.settings().schema);
        until("its connection is closed", async || {
            let query = sqlx::query_scalar::<_, i64>(query).bind(&schema);
            query.fetch_one(&mut foreign).await.unwrap() == 0
        })
        .await;
        assert!(!is_there(fixture).await);
        fixture.store().await;
    });
}

#[test]
fn openings_that_are_dropped_at_any_moment_leave_a_journal_or_nothing() {
    run_on(journal(), async |fixture| {
        for patience in (0..80).step_by(5) {
            let opening = PostgresStore::connect_with(fixture.url(), fixture.settings());
            drop(tokio::time::timeout(Duration::from_millis(patience), opening).await);
        }
        let store = fixture.store().await;
        Writer::claim(&store).await.write(&account(1), 0).await;
    });
}

#[test]
fn a_migration_that_is_cancelled_says_why_and_leaves_nothing() {
    run_on(journal(), async |fixture| {
        let mut foreign = hold(fixture).await;
        let (url, settings) = (fixture.url(), fixture.settings());
        let opening = tokio::spawn(async move { PostgresStore::connect_with(url, settings).await });
        until("it migrates", async || waiting(fixture, "*").await == 1).await;
        assert_eq!(waiting(fixture, "pg_cancel_backend(pid)").await, 1);
        let error = opening.await.unwrap().unwrap_err();
        assert!(matches!(error, OpenError::Database { .. }), "{error:?}");
        let cause = error.source().unwrap().to_string();
        assert_eq!(cause, "canceling statement due to user request (SQLSTATE 57014)");
        foreign.execute("ROLLBACK").await.unwrap();
        assert!(!is_there(fixture).await);
    });
}

#[test]
fn a_schema_that_another_session_makes_meanwhile_is_no_damage_and_used_the_next_time() {
    run_on(journal(), async |fixture| {
        let mut foreign = hold(fixture).await;
        let (url, settings) = (fixture.url(), fixture.settings());
        let opening = tokio::spawn(async move { PostgresStore::connect_with(url, settings).await });
        until("it migrates", async || waiting(fixture, "*").await == 1).await;
        foreign.execute("COMMIT").await.unwrap();
        let error = opening.await.unwrap().unwrap_err();
        assert!(matches!(error, OpenError::Database { .. }), "{error:?}");
        Writer::claim(&fixture.store().await).await.write(&account(1), 0).await;
    });
}

/// A journal in a database of its own, with one event of one account.
async fn journal_on(server: &Guarded) -> (String, Incarnation) {
    let database = server.database("").await;
    let store = PostgresStore::connect(&server.url("actum", &database)).await.unwrap();
    let writer = Writer::claim(&store).await;
    writer.write(&account(1), 0).await;
    store.close().await;
    (database, writer.incarnation)
}

/// A journal that can only be read is opened, read, and refuses all writes with the server's words.
async fn assert_read_only(url: &str, written_by: Incarnation) {
    let store = PostgresStore::connect(url).await.unwrap();
    assert_eq!(page(&store, &account(1)).await.unwrap().events.len(), 1);
    assert_eq!(store.heads().await.unwrap().positions().len(), 1);
    let late = WriterStore::claim(&store, &claim_of("another")).await.unwrap_err();
    let ClaimError::Store(late) = late else { panic!("{late:?}") };
    let appended = Writer::of(&store, written_by).each(&[account(1)], 1, 10).await;
    let revoked = store.revoke(written_by).await;
    for error in [late, appended.unwrap_err(), revoked.unwrap_err()] {
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        let cause = error.source().unwrap().to_string();
        assert!(cause.ends_with("in a read-only transaction (SQLSTATE 25006)"), "{cause}");
    }
    assert_eq!(head_of(&store, &account(1)).await, 1);
    let other = PostgresSettings::default().with_schema("other");
    let error = PostgresStore::connect_with(url, other).await.unwrap_err();
    assert!(matches!(error, OpenError::ReadOnly { .. }), "{error:?}");
}

fn claim_of(slot: &str) -> actum_persistence::store::WriterClaim {
    actum_persistence::store::WriterClaim { slot: slot.to_owned(), ..claim("a reader") }
}

#[test]
fn a_database_that_was_set_to_take_no_writes_is_read() {
    let Some(server) = guarded() else { return };
    run(async {
        let (database, incarnation) = journal_on(server).await;
        let set = format!("ALTER DATABASE {database} SET default_transaction_read_only = on");
        server.run("postgres", set).await;
        assert_read_only(&server.url("actum", &database), incarnation).await;
    });
}

#[test]
fn a_standby_is_read_and_refuses_writes() {
    let Some(server) = guarded() else { return };
    run(async {
        let (database, incarnation) = journal_on(server).await;
        let Some(standby) = standby_of(server.server()) else { return };
        let (ours, its) = (server.server().port(), standby.port());
        let url = server.url("actum", &database).replace(&format!(":{ours}/"), &format!(":{its}/"));
        assert_read_only(&url, incarnation).await;
    });
}

/// A server on a copy of the data of `server`, which replays its log and never leaves recovery. None, which is then
/// said, where there is no program to copy with.
fn standby_of(server: &PostgresServer) -> Option<PostgresServer> {
    let program = server.binaries().program("pg_basebackup");
    let missing = ServerError::NotInstalled { program: "pg_basebackup", hint: "it is a client" };
    available(program.is_file().then_some(()).ok_or(missing))?;
    let settings = PostgresServerSettings::default();
    let mut standby = PostgresServer::start(server.binaries(), settings).unwrap();
    standby.stop(StopMode::Immediate).unwrap();
    let data = standby.data_dir();
    let owner = fs::metadata(&data).unwrap();
    fs::remove_dir_all(&data).unwrap();
    let mut copying = Command::new(program);
    copying.args(["--checkpoint=fast", "--no-sync", "--host=127.0.0.1", "--username=actum", "-D"]);
    copying.arg(&data).arg(format!("--port={}", server.port())).current_dir("/");
    copying.env("PGPASSWORD", PASSWORD).env("LC_ALL", "C");
    if fs::metadata("/proc/self").is_ok_and(|own| own.uid() != owner.uid()) {
        copying.uid(owner.uid()).gid(owner.gid());
    }
    let copied = copying.output().unwrap();
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    fs::write(data.join("standby.signal"), "").unwrap();
    standby.start_again().unwrap();
    Some(standby)
}
