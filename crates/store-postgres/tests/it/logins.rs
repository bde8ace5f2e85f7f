//! Who is let in, over what kind of connection, and with which rights.

use crate::{
    bounded::run,
    guarded::{Guarded, guarded},
    sample::{Writer, account, claim, head_of},
};
use actum_model::SequenceNr;
use actum_persistence::store::{ClaimError, EventStore, StoreError, WriterStore};
use actum_store_postgres::{Migrate, OpenError, PostgresSettings, PostgresStore};
use actum_test_servers::{PostgresServer, PostgresServerSettings};
use sqlx::{Connection, PgConnection};
use std::{error::Error, time::Duration};

async fn refused(url: &str) -> OpenError {
    PostgresStore::connect(url).await.expect_err("no one is let in")
}

fn cause(error: &dyn Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

/// A test that needs the server.
fn with_server(test: impl AsyncFnOnce(&'static Guarded)) {
    if let Some(server) = guarded() {
        run(async { test(server).await });
    }
}

/// A database whose schema `actum` is a journal, and a user of no more rights than these statements give; `@` is the
/// user.
async fn journal_of_others(server: &Guarded, grants: &str) -> String {
    let (database, user) = (server.database("").await, server.user().await);
    PostgresStore::connect(&server.url("actum", &database)).await.unwrap().close().await;
    server.run(&database, grants.replace('@', &user)).await;
    server.url(&user, &database)
}

#[test]
fn a_wrong_password_or_user_or_rule_is_a_login_that_fails() {
    with_server(async |server| {
        let user = server.user().await;
        server.run("postgres", format!("CREATE ROLE {user}_out NOLOGIN PASSWORD 'x'")).await;
        let right = server.url(&user, "postgres");
        for url in [
            right.replace("hunter2", "hunter3"),
            right.replacen(&user, "nobody_at_all", 1),
            right.replacen(&user, &format!("{user}_out"), 1),
            server.address(&user, "postgres"),
            // no rule lets anybody in there
            server.url(&user, "replication").replace("/replication", "/tls_only?sslmode=disable"),
        ] {
            let error = refused(&url).await;
            assert!(matches!(error, OpenError::Login { .. }), "{url}: {error:?}");
            assert!(cause(&error).contains("(SQLSTATE 28"), "{error:?}");
        }
    });
}

#[test]
fn a_database_that_is_not_there_is_named() {
    with_server(async |server| {
        let error = refused(&server.url("actum", "no_such_bank")).await;
        assert!(matches!(error, OpenError::NoDatabase { .. }), "{error:?}");
        assert!(error.to_string().contains("/no_such_bank"), "{error}");
    });
}

#[test]
fn an_encrypted_connection_is_made_and_verified_as_the_url_asks() {
    with_server(async |server| {
        let database = server.database("").await;
        let url = server.url("actum", &database);
        let (root, other) = (server.root(), server.other_root());
        let (root, other) = (root.display(), other.display());
        let by_name = |url: &str| url.replace("127.0.0.1", "localhost");
        for fine in [
            format!("{url}?sslmode=require"),
            format!("{url}?sslmode=verify-full&sslrootcert={root}"),
            format!("{url}?sslmode=require&sslrootcert={root}"),
            by_name(&format!("{url}?sslmode=verify-ca&sslrootcert={root}")),
        ] {
            let settings = PostgresSettings::default().with_connections_max(2);
            let store = PostgresStore::connect_with(&fine, settings).await.expect(&fine);
            store.heads().await.unwrap();
            let query = "SELECT bool_and(s.ssl) FROM pg_stat_ssl AS s JOIN pg_stat_activity AS a USING (pid)
                WHERE a.datname = $1 AND a.application_name = 'actum'";
            let query = sqlx::query_scalar::<_, bool>(query).bind(&database);
            let mut watcher = server.connect("postgres").await;
            assert!(query.fetch_one(&mut watcher).await.unwrap(), "{fine} is not encrypted");
            store.close().await;
        }
        for (wrong, says) in [
            (format!("{url}?sslmode=verify-full"), "UnknownIssuer"),
            (format!("{url}?sslmode=verify-full&sslrootcert={other}"), "certificate"),
            (format!("{url}?sslmode=verify-ca&sslrootcert={other}"), "certificate"),
            (format!("{url}?sslmode=require&sslrootcert={other}"), "certificate"),
            (by_name(&format!("{url}?sslmode=verify-full&sslrootcert={root}")), "localhost"),
            (format!("{url}?sslmode=require&sslcert={root}"), "key"),
        ] {
            let error = refused(&wrong).await;
            assert!(matches!(error, OpenError::Tls { .. }), "{wrong}: {error:?}");
            assert!(cause(&error).contains(says), "{wrong}: {error:?}");
        }
        let error = refused(&format!("{url}?sslmode=verify-full&sslrootcert=/no/such.pem")).await;
        assert!(matches!(error, OpenError::InvalidUrl { .. }), "{error:?}");
        assert!(error.to_string().contains("/no/such.pem"), "{error}");
    });
}

#[test]
fn a_server_without_tls_and_one_that_is_full_are_distinguished() {
    let Some(guarded) = guarded() else { return };
    let settings = PostgresServerSettings::default().with_max_connections(6);
    let server = PostgresServer::start(guarded.server().binaries(), settings).unwrap();
    run(async {
        let url = server.url("postgres");
        for mode in ["require", "verify-ca", "verify-full"] {
            let error = refused(&format!("{url}?sslmode={mode}")).await;
            assert!(matches!(error, OpenError::Tls { .. }), "{mode}: {error:?}");
            assert_eq!(cause(&error), "server does not support TLS");
        }
        let store = PostgresStore::connect(&url).await.unwrap();
        let writer = Writer::claim(&store).await;
        let mut others = Vec::new();
        let full = loop {
            match PgConnection::connect(&url).await {
                Ok(connection) => others.push(connection),
                Err(error) => break error,
            }
        };
        let code = full.as_database_error().and_then(sqlx::error::DatabaseError::code);
        assert_eq!(code.as_deref(), Some("53300"), "{full:?}");
        let error = refused(&url).await;
        assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
        assert!(cause(&error).contains("too many clients already"), "{error:?}");
        // at run time: the lane has no connection yet
        let late = writer.each(&[account(1)], 0, 10).await.unwrap_err();
        assert!(matches!(late, StoreError::Unavailable { .. }), "{late:?}");
        assert!(cause(&late).contains("too many clients already"), "{late:?}");
        assert_eq!(head_of(&store, &account(1)).await, 0, "the connection there is still serves");
        others.pop().unwrap().close().await.unwrap();
        others.pop().unwrap().close().await.unwrap();
        crate::bounded::until("there is room again", async || {
            writer.each(&[account(1)], 0, 10).await.is_ok()
        })
        .await;
    });
}

#[test]
fn a_database_that_takes_only_encrypted_connections_says_so() {
    with_server(async |server| {
        server.run("postgres", "CREATE DATABASE tls_only").await;
        let url = server.url("actum", "tls_only");
        let error = refused(&format!("{url}?sslmode=disable")).await;
        assert!(matches!(error, OpenError::Login { .. }), "{error:?}");
        let says = ["no encryption", "SSL off"]; // the second up to PostgreSQL 13
        assert!(says.iter().any(|says| cause(&error).contains(says)), "{error:?}");
        PostgresStore::connect(&url).await.expect("by default an encrypted one is tried first");
    });
}

#[test]
fn a_user_who_may_not_make_or_see_the_schema_lacks_rights() {
    with_server(async |server| {
        let (database, user) = (server.database("").await, server.user().await);
        let url = server.url(&user, &database);
        let error = refused(&url).await;
        assert!(matches!(error, OpenError::MissingRights { .. }), "CREATE: {error:?}");
        assert!(cause(&error).contains(&format!("database {database}")), "{error:?}");
        server.run(&database, format!("REVOKE CONNECT ON DATABASE {database} FROM public")).await;
        let error = refused(&url).await;
        assert!(matches!(error, OpenError::MissingRights { .. }), "CONNECT: {error:?}");

        let hidden = journal_of_others(server, "").await;
        for migrate in [Migrate::Pending, Migrate::Never] {
            let settings = PostgresSettings::default().with_migrate(migrate);
            let error = PostgresStore::connect_with(&hidden, settings).await.unwrap_err();
            assert!(matches!(error, OpenError::MissingRights { .. }), "USAGE: {error:?}");
            assert!(cause(&error).contains("schema actum"), "{error:?}");
        }
        let closed = journal_of_others(server, "GRANT USAGE ON SCHEMA actum TO @").await;
        let error = refused(&closed).await;
        assert!(matches!(error, OpenError::MissingRights { .. }), "SELECT: {error:?}");
    });
}

fn assert_lacks_rights<T: std::fmt::Debug>(result: &Result<T, StoreError>, to: &str) {
    match result {
        Err(error @ StoreError::Unavailable { .. }) => {
            assert!(cause(error).contains(&format!("permission denied for {to}")), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
}

fn of_store<T>(claimed: Result<T, ClaimError>) -> Result<T, StoreError> {
    claimed.map_err(|error| match error {
        ClaimError::Store(error) => error,
        held => panic!("{held}"),
    })
}

#[test]
fn a_user_who_may_only_read_reads_and_learns_what_is_missing_to_write() {
    with_server(async |server| {
        let grants =
            "GRANT USAGE ON SCHEMA actum TO @; GRANT SELECT ON ALL TABLES IN SCHEMA actum TO @";
        let store = PostgresStore::connect(&journal_of_others(server, grants).await).await.unwrap();
        assert_eq!(head_of(&store, &account(1)).await, 0);
        assert_lacks_rights(&of_store(store.claim(&claim("me")).await), "table writers");
    });
}

#[test]
fn a_user_who_may_claim_and_not_append_learns_what_is_missing() {
    with_server(async |server| {
        let grants =
            "GRANT USAGE ON SCHEMA actum TO @; GRANT SELECT ON ALL TABLES IN SCHEMA actum TO @;
            GRANT INSERT, UPDATE ON actum.writers TO @; GRANT INSERT ON actum.entities TO @";
        let store = PostgresStore::connect(&journal_of_others(server, grants).await).await.unwrap();
        let writer = Writer::claim(&store).await;
        assert_lacks_rights(&writer.each(&[account(1)], 0, 10).await, "table events");
        assert_eq!(head_of(&store, &account(1)).await, 0);
    });
}

/// What a service needs that did not make its journal.
#[test]
fn a_user_who_may_use_the_tables_and_owns_nothing_runs_a_journal() {
    with_server(async |server| {
        let grants = "GRANT USAGE ON SCHEMA actum TO @;
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA actum TO @";
        let url = journal_of_others(server, grants).await;
        let settings = PostgresSettings::default().with_migrate(Migrate::Never);
        let store = PostgresStore::connect_with(&url, settings).await.unwrap();
        let writer = Writer::claim(&store).await;
        writer.write(&account(1), 0).await;
        store.delete_events(writer.incarnation, &account(1), SequenceNr::new(1)).await.unwrap();
        store.renew(writer.incarnation, Duration::from_secs(60)).await.unwrap();
        store.release(writer.incarnation).await.unwrap();
    });
}

/// Functions that save time are done without where they cannot be made, or not be called.
#[test]
fn a_user_who_may_not_make_or_call_the_functions_that_save_time_appends_without() {
    with_server(async |server| {
        for without in [
            "DROP FUNCTION actum.append_one_after_v1",
            "REVOKE EXECUTE ON FUNCTION actum.append_one_after_v1 FROM PUBLIC",
        ] {
            let grants = "GRANT USAGE ON SCHEMA actum TO @;
                GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA actum TO @";
            let url = journal_of_others(server, &format!("{grants}; {without}")).await;
            let store = PostgresStore::connect(&url).await.expect(without);
            let writer = Writer::claim(&store).await;
            for expected in 0..3 {
                writer.write(&account(1), expected).await;
            }
        }
    });
}
