//! What every error says when it is printed with all that is below it, as an operator reads it in a log.

use crate::{
    bounded::{run, run_on},
    fixture::PostgresFixture,
    guarded::{Guarded, guarded},
    sample::{Writer, account, claim, event, page},
    secrets::assert_no_password,
};
use actum_model::{Lane, LaneCount, PartitionCount, SequenceNr};
use actum_persistence::store::{
    ClaimError, EventFilter, EventStore, HeldLease, Incarnation, JournalLayout, PageLimit,
    Resolution, StoreError, WriterStore,
};
use actum_store_postgres::{Migrate, OpenError, PostgresSettings, PostgresStore};
use sqlx::Executor;
use std::{
    error::Error,
    fmt::Debug,
    io::{Read, Write},
    net::TcpListener,
    time::Duration,
};

fn journal() -> PostgresFixture {
    PostgresFixture::with(PostgresSettings::default())
}

/// The messages of an error and of everything below it, on one line.
fn line(error: &dyn Error) -> String {
    let below = std::iter::successors(Some(error), |error: &&dyn Error| (*error).source());
    below.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// It says just that; what it says is no sentence, says nothing twice and has no password; nor has what it is shown as
/// to a developer.
pub(crate) fn assert_says<E: Error>(error: E, expected: &str) {
    let shown = format!("{error:?} {error:#?}");
    assert_eq!(line(&error), expected, "{shown}");
    assert!(!expected.ends_with('.') && !expected.contains('\n'), "{expected}");
    assert!(expected.starts_with(|first: char| first.is_lowercase()), "{expected}");
    assert_no_password(&shown);
    assert_no_password(expected);
}

async fn refused(url: &str, settings: PostgresSettings) -> OpenError {
    PostgresStore::connect_with(url, settings).await.expect_err("it cannot be opened")
}

fn default() -> PostgresSettings {
    PostgresSettings::default()
}

pub(crate) fn failure<T: Debug>(done: Result<T, StoreError>) -> StoreError {
    done.expect_err("this cannot be done")
}

fn with_server(test: impl AsyncFnOnce(&'static Guarded)) {
    if let Some(server) = guarded() {
        run(async { test(server).await });
    }
}

#[test]
fn a_url_or_settings_that_are_refused_are_reported_once() {
    run(async {
        let cannot = "the URL of the database cannot be used:";
        for (url, why) in [
            (
                "mysql://me:hunter2@host/bank",
                "it does not begin with `postgres://` or `postgresql://`",
            ),
            ("postgres://me:hunter2@host:x/bank", "invalid port number"),
            (
                "postgres://me:hunter2@host/bank?sslmode=on",
                "`sslmode` is `on`, it must be one of disable, allow, prefer, require, verify-ca, verify-full",
            ),
            (
                "postgres://me:hunter2/Zauber@host/bank",
                "`#`, `/`, `?` and `@` in a user, a password or the name of a database are written `%23`, `%2F`, \
                `%3F` and `%40`",
            ),
        ] {
            assert_says(refused(url, default()).await, &format!("{cannot} {why}"));
        }
        let url = "postgres://me:hunter2@no-such-host.invalid/bank";
        let settings = default().with_schema("a b").with_connections_max(1);
        assert_says(
            refused(url, settings).await,
            "the settings for the journal at postgres://me@no-such-host.invalid:5432/bank, schema a b are not valid: \
            `schema` is `a b`, it must be 1 to 63 letters, digits and underscores of ASCII, and not begin with a digit \
            or `pg_`; `connections_max` is 1, it must be 2 to 1,000",
        );
    });
}

/// Answers the next caller, whatever it says, and hangs up.
async fn answered(listener: &TcpListener, answer: &str) {
    let (listener, answer) = (listener.try_clone().unwrap(), answer.to_owned());
    let answering = tokio::task::spawn_blocking(move || {
        let mut caller = listener.accept().unwrap().0;
        assert!(caller.read(&mut [0; 100]).unwrap() > 0);
        caller.write_all(answer.as_bytes()).unwrap();
    });
    answering.await.unwrap();
}

#[test]
fn a_server_that_cannot_be_reached_is_reported_once() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("postgres://me:hunter2@127.0.0.1:{port}/bank");
        let address = format!("postgres://me@127.0.0.1:{port}/bank, schema actum");
        assert_says(
            refused(&url, default().with_connect_timeout(Duration::from_millis(20))).await,
            &format!("the database at {address} cannot be reached: no connection within 20ms"),
        );
        drop(listener);
        let error = refused(&url, default()).await;
        let expected =
            format!("the database at {address} cannot be reached: Connection refused (os error ");
        assert!(line(&error).starts_with(&expected), "{error:?}");
        let error = refused("postgres://me:hunter2@no-such-host.invalid/bank", default()).await;
        let expected = "the database at postgres://me@no-such-host.invalid:5432/bank, schema actum cannot be reached: ";
        assert!(line(&error).starts_with(expected), "{error:?}");
        assert_no_password(&format!("{error:?}"));
    });
}

#[test]
fn a_server_that_speaks_something_else_is_reported_once() {
    run(async {
        for (answer, says) in [
            ("", "the connection was closed"),
            ("HTTP/1.1 400 Bad Request\r\n\r\n", "unexpected response from SSLRequest: 0x48"),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = format!("127.0.0.1:{}/bank", listener.local_addr().unwrap().port());
            let url = format!("postgres://me:hunter2@{address}");
            let (error, ()) = tokio::join!(refused(&url, default()), answered(&listener, answer));
            let expected = format!(
                "the database at postgres://me@{address}, schema actum cannot be reached: {says}"
            );
            assert!(line(&error).starts_with(&expected), "{error:?}");
        }
    });
}

#[test]
fn a_user_who_is_not_let_in_gets_one_error() {
    with_server(async |server| {
        let user = server.user().await;
        let at = |user: &str, database: &str| {
            format!("{}, schema actum", server.address(user, database))
        };
        let url = server.url(&user, "postgres");
        assert_says(
            refused(&url.replace("Zauber", "zauber"), default()).await,
            &format!(
                "the server refused the login at {}: password authentication failed for user \"{user}\" \
                (SQLSTATE 28P01)",
                at(&user, "postgres")
            ),
        );
        assert_says(
            refused(&server.url("actum", "no_bank"), default()).await,
            &format!(
                "there is no such database: {}: database \"no_bank\" does not exist (SQLSTATE 3D000)",
                at("actum", "no_bank")
            ),
        );
        let other = server.other_root();
        let verified = format!("{url}?sslmode=verify-full&sslrootcert={}", other.display());
        let error = refused(&verified, default()).await;
        let expected = format!(
            "no encrypted connection to {}: invalid peer certificate: ",
            at(&user, "postgres")
        );
        assert!(line(&error).starts_with(&expected), "{}", line(&error));
        assert_says(
            refused(&format!("{url}?options=-cno_such_setting%3D1"), default()).await,
            &format!(
                "the journal at {} cannot be opened: unrecognized configuration parameter \"no_such_setting\" \
                (SQLSTATE 42704)",
                at(&user, "postgres")
            ),
        );
        let database = server.database("").await;
        assert_says(
            refused(&server.url(&user, &database), default()).await,
            &format!(
                "the user lacks rights for the journal at {}: permission denied for database {database} \
                (SQLSTATE 42501)",
                at(&user, &database)
            ),
        );
        let ascii = server.database("ENCODING 'SQL_ASCII' TEMPLATE template0").await;
        assert_says(
            refused(&server.url("actum", &ascii), default()).await,
            &format!(
                "the server cannot keep the journal at {}: its encoding is SQL_ASCII, not UTF8",
                at("actum", &ascii)
            ),
        );
        let read_only = format!("ALTER DATABASE {database} SET default_transaction_read_only = on");
        server.run("postgres", read_only).await;
        assert_says(
            refused(&server.url("actum", &database), default()).await,
            &format!(
                "the server takes no writes, the journal cannot be made at {}: cannot execute CREATE SCHEMA in a \
                read-only transaction (SQLSTATE 25006)",
                at("actum", &database)
            ),
        );
    });
}

#[test]
fn a_schema_that_is_refused_is_reported_once() {
    with_server(async |server| {
        let database = server.database("").await;
        let url = server.url("actum", &database);
        let at = format!("{}, schema actum", server.address("actum", &database));
        assert_says(
            refused(&url, default().with_migrate(Migrate::Never)).await,
            &format!(
                "the journal at {at} lacks migrations: 1 (journal), 2 (commands), 3 (changes), 4 (members)"
            ),
        );
        let store = PostgresStore::connect(&url).await.unwrap();
        let shown = format!("{store:?} {:?} {}", default(), store.address());
        assert_no_password(&shown);
        assert!(shown.contains(&at), "{shown}");
        store.close().await;
        let asked = JournalLayout {
            partitions: PartitionCount::new(16).unwrap(),
            lanes: LaneCount::new(3).unwrap(),
        };
        assert_says(
            refused(&url, default().with_layout(asked)).await,
            &format!(
                "the journal at {at} was created with 256 partitions and 1 lanes, the settings ask for 16 partitions and \
                3 lanes"
            ),
        );
        server.run(&database, "ALTER TABLE actum.journal RENAME TO gone").await;
        assert_says(
            refused(&url, default()).await,
            &format!(
                "the journal at {at} is damaged: relation \"actum.journal\" does not exist (SQLSTATE 42P01)"
            ),
        );
        let newer = "INSERT INTO actum.actum_migrations (version, name) VALUES (99, 'x')";
        server.run(&database, newer).await;
        assert_says(
            refused(&url, default()).await,
            &format!(
                "the journal at {at} has schema version 99, this program knows up to 4: use a newer one"
            ),
        );
        server.run(&database, "DROP TABLE actum.actum_migrations").await;
        assert_says(
            refused(&url, default()).await,
            &format!("the schema belongs to another program, it is not a journal of Actum: {at}"),
        );
    });
}

#[test]
fn a_store_that_is_unavailable_says_why_once() {
    let settings = default().with_lock_timeout(Duration::from_millis(20));
    run_on(PostgresFixture::with(settings), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        let mut foreign = fixture.foreign_connection().await;
        foreign.execute("BEGIN").await.unwrap();
        foreign.execute(fixture.sql("LOCK TABLE @events, @writers, @lanes")).await.unwrap();
        let locked = |doing| {
            format!(
                "the store is unavailable: {doing}: canceling statement due to lock timeout (SQLSTATE 55P03)"
            )
        };
        assert_says(failure(writer.each(&[account(1)], 0, 10).await), &locked("appending events"));
        let claimed = store.claim(&claim("another")).await;
        assert_says(claimed.unwrap_err(), &locked("claiming a writer slot"));
        assert_says(failure(store.heads().await), &locked("reading the heads"));
        foreign.execute("ROLLBACK").await.unwrap();
        match store.claim(&claim("another")).await.unwrap_err() {
            error @ ClaimError::Held { lease: Some(HeldLease { expires_in: left, .. }), .. } => {
                assert_says(
                    error,
                    &format!(
                        "the writer slot `journal` is held by a test, whose lease ends in {left:?} unless renewed"
                    ),
                );
            }
            other => panic!("{other:?}"),
        }
        store.close().await;
        let closed = |doing| format!("the store is unavailable: {doing}: the store was closed");
        assert_says(failure(store.heads().await), &closed("reading the heads"));
        assert_says(failure(store.revoke(writer.incarnation).await), &closed("revoking a writer"));
        let appended = writer.each(&[account(1)], 0, 10).await;
        assert_says(failure(appended), &closed("appending events"));
    });
}

#[test]
fn a_request_that_is_refused_says_why_once() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        let unclaimed = Writer::of(&store, Incarnation::new(7));
        assert_says(
            failure(unclaimed.each(&[account(1)], 0, 10).await),
            "writer incarnation 7 was revoked, another writer has taken over",
        );
        assert_says(
            failure(writer.each(&[account(1), account(1)], 0, 10).await),
            "the store refuses the request: the batch names account/acc-1 twice",
        );
        let (lane, filter) = (Lane::new(1), EventFilter::default());
        let read = store.read_lane(lane, Default::default(), &filter, PageLimit::default()).await;
        assert_says(failure(read), "the store refuses the request: the journal has no lane 1");
        let deleted =
            store.delete_events(writer.incarnation, &account(1), SequenceNr::new(3)).await;
        assert_says(
            failure(deleted),
            "the store refuses the request: events of account/acc-1 cannot be deleted up to 3, it has 0",
        );
        let mut strange = event("one");
        strange.payload.manifest = "\0".into();
        let batch = writer.batch(vec![writer.append(&account(1), 0, vec![strange])]);
        assert_says(
            failure(store.append(&batch).await),
            "the store refuses the request: account/acc-1: a manifest must not contain NUL, this one does",
        );
    });
}

#[test]
fn a_write_that_cannot_be_settled_and_an_event_that_is_missing_are_reported_once() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        let batch = writer.batch(vec![writer.append(&account(1), 0, vec![event("one")])]);
        store.append(&batch).await.unwrap();
        store.delete_events(writer.incarnation, &account(1), SequenceNr::new(1)).await.unwrap();
        let why = "the events of account/acc-1 up to 1 were deleted".to_owned();
        assert_eq!(store.resolve(&batch).await.unwrap(), [Resolution::Untraceable { why }]);
        for expected in 0..3 {
            writer.write(&account(2), expected).await;
        }
        let mut foreign = fixture.foreign_connection().await;
        let gone = "DELETE FROM @events WHERE sequence_nr = 2";
        foreign.execute(fixture.sql(gone)).await.unwrap();
        assert_says(
            failure(page(&store, &account(2)).await),
            "the store holds corrupt data: reading entities: events of account/acc-2 are missing between 1 and 3",
        );
        foreign.execute(fixture.sql("DROP TABLE @events")).await.unwrap();
        assert_says(
            failure(store.heads().await),
            &format!(
                "the store holds corrupt data: reading the heads: relation \"{}.events\" does not exist \
                (SQLSTATE 42P01)",
                fixture.settings().schema
            ),
        );
    });
}

/// The row that is refused is not shown: it may hold what no one else may read.
#[test]
fn no_payload_is_in_an_error() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        let check = "ALTER TABLE @events ADD CONSTRAINT brief CHECK (length(payload) < 9)";
        fixture.foreign_connection().await.execute(fixture.sql(check)).await.unwrap();
        let batch =
            writer.batch(vec![writer.append(&account(1), 0, vec![event("the secret word")])]);
        assert_says(
            failure(store.append(&batch).await),
            "the store holds corrupt data: appending events: new row for relation \"events\" violates check constraint \
            \"brief\" (SQLSTATE 23514)",
        );
    });
}
