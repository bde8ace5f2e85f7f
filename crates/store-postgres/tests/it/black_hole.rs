//! A network that swallows everything, and connections that the server has forgotten.

use crate::{
    bounded::{run_on, until, within},
    fixture::PostgresFixture,
    proxied::Proxied,
    reader::texts,
    writer::{LONG_LEASE, Writer, account, claim_of, payload},
};
use actum_model::{Lane, LaneCount, Position, SequenceNr, Timestamp};
use actum_persistence::store::{
    AppendOutcome, ClaimError, DurableStateStore, EventFilter, EventStore, JournalLayout,
    PageLimit, Resolution, Snapshot, SnapshotStore, StoreError, WriterStore,
};
use actum_store_postgres::PostgresSettings;
use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use sqlx::Row;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_millis(1_000);
const ANSWER_TIMEOUT: Duration = Duration::from_millis(1_500);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(1_500);

fn settings() -> PostgresSettings {
    let lanes = LaneCount::new(2).unwrap();
    PostgresSettings::default()
        .with_layout(JournalLayout { lanes, ..JournalLayout::default() })
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_lock_timeout(Duration::from_millis(1_000))
        .with_statement_timeout(Duration::from_millis(1_200))
        .with_answer_timeout(ANSWER_TIMEOUT)
}

#[test]
fn every_call_into_a_black_hole_ends_in_time() {
    for ping_after_idle in [Duration::ZERO, Duration::from_secs(60)] {
        run_on(
            PostgresFixture::with(settings().with_ping_after_idle(ping_after_idle)),
            async |journal| {
                let (proxied, store) = Proxied::open(journal).await;
                let writer = Writer::claim(store).await;
                writer.write(&account(1), 0, "before").await;
                warm_up(&writer).await;

                proxied.proxy.stall(true);
                // at the same time, so that each meets a connection that was good before
                let calls = calls(&writer).into_iter().map(|(name, call)| async move {
                    let limit = CONNECT_TIMEOUT + ANSWER_TIMEOUT + SLACK;
                    let error = within(limit, name, call).await.expect_err(name);
                    let is_expected = matches!(
                        error,
                        StoreError::Unavailable { .. } | StoreError::OutcomeUnknown { .. }
                    );
                    assert!(is_expected, "{name}: {error:?}");
                });
                join_all(calls).await;

                proxied.proxy.stall(false);
                goes_on(&writer).await;
            },
        );
    }
}

/// One caller alone, who finds many connections that were good once.
#[test]
fn a_call_does_not_try_all_the_connections_it_has() {
    run_on(
        PostgresFixture::with(settings().with_ping_after_idle(Duration::ZERO)),
        async |journal| {
            let (proxied, store) = Proxied::open(journal).await;
            let writer = Writer::claim(store).await;
            writer.write(&account(1), 0, "before").await;
            warm_up(&writer).await;
            proxied.proxy.stall(true);
            let limit = CONNECT_TIMEOUT + ANSWER_TIMEOUT + SLACK;
            within(limit, "a read", writer.store.heads()).await.unwrap_err();
            proxied.proxy.cut();
            proxied.proxy.stall(false);
            goes_on(&writer).await;
        },
    );
}

/// Opens as many connections as there may be.
async fn warm_up(writer: &Writer) {
    let store = &writer.store;
    for done in join_all((0..200).map(|_| store.heads())).await {
        done.unwrap();
    }
}

async fn goes_on(writer: &Writer) {
    let store = &writer.store;
    until("reads go on", async || store.heads().await.is_ok()).await;
    until("appends go on", async || {
        let batch = writer.one(&account(1), 1, "after");
        match store.append(&batch).await {
            Ok(outcomes) => matches!(outcomes[..], [AppendOutcome::Appended { .. }]),
            Err(error) if error.maybe_written() => {
                let outcomes = EventStore::resolve(&**store, &batch).await;
                matches!(outcomes.as_deref(), Ok([Resolution::Stored(_)]))
            }
            Err(_) => false,
        }
    })
    .await;
    let texts = texts(store).await;
    assert_eq!(texts.iter().filter(|text| *text == "after").count(), 1);
}

type Call<'a> = BoxFuture<'a, Result<(), StoreError>>;

fn calls(writer: &Writer) -> Vec<(&'static str, Call<'_>)> {
    let store = &*writer.store;
    let incarnation = writer.incarnation;
    let claim = async move {
        match store.claim(&claim_of("another", LONG_LEASE)).await {
            Ok(_) => Ok(()),
            Err(ClaimError::Store(error)) => Err(error),
            Err(error) => panic!("{error:?}"),
        }
    };
    let snapshot = Snapshot {
        entity: account(1),
        sequence_nr: SequenceNr::new(1),
        timestamp: Timestamp::from_micros(0),
        state: payload("state"),
        recent_commands: bytes::Bytes::new(),
    };
    let append = async move { store.append(&writer.one(&account(3), 0, "during")).await.map(drop) };
    let resolve = async move {
        let batch = writer.one(&account(3), 0, "never sent");
        EventStore::resolve(store, &batch).await.map(drop)
    };
    let read = async move {
        let (filter, limit) = (EventFilter::default(), PageLimit::default());
        store.read_lane(Lane::default(), Position::ZERO, &filter, limit).await.map(drop)
    };
    let write = async move { store.write(&writer.put(&account(1), 0, "during")).await.map(drop) };
    let save = async move { store.save(&[snapshot]).await };
    vec![
        ("append", append.boxed()),
        ("resolve", resolve.boxed()),
        ("read_lane", read.boxed()),
        ("write", write.boxed()),
        ("save", save.boxed()),
        ("claim", claim.boxed()),
        ("renew", async move { store.renew(incarnation, LONG_LEASE).await }.boxed()),
    ]
}

/// A firewall or an administrator has ended the connections that no one used.
#[test]
fn calls_on_connections_that_the_server_has_ended_succeed_at_once() {
    let settings = PostgresSettings::default().with_ping_after_idle(Duration::ZERO);
    run_on(PostgresFixture::with(settings), async |journal| {
        let name = journal.settings().schema;
        let url = format!("{}?application_name={name}", journal.url());
        let store = actum_store_postgres::PostgresStore::connect_with(&url, journal.settings());
        let writer = Writer::claim(store.await.unwrap()).await;
        warm_up(&writer).await;
        for round in 0..3 {
            writer.write(&account(1), 2 * round, "event").await;
            assert!(end_connections(journal, &name).await > 1);
            writer.write(&account(1), 2 * round + 1, "event").await;
            end_connections(journal, &name).await;
            writer.store.heads().await.unwrap();
            end_connections(journal, &name).await;
            writer.store.renew(writer.incarnation, LONG_LEASE).await.unwrap();
        }
    });
}

/// A read on a connection that is not pinged is made again on another one.
#[test]
fn reads_on_connections_that_the_server_has_just_ended_succeed() {
    let settings = PostgresSettings::default().with_ping_after_idle(Duration::from_secs(60));
    run_on(PostgresFixture::with(settings), async |journal| {
        let name = journal.settings().schema;
        let url = format!("{}?application_name={name}", journal.url());
        let store = actum_store_postgres::PostgresStore::connect_with(&url, journal.settings());
        let writer = Writer::claim(store.await.unwrap()).await;
        for round in 0..3 {
            warm_up(&writer).await;
            assert!(end_connections(journal, &name).await > 0, "{round}");
            writer.store.heads().await.unwrap();
        }
    });
}

/// Ends the connections of an application, waits until they are gone, and says how many they were.
async fn end_connections(journal: &PostgresFixture, name: &str) -> i64 {
    let mut foreign = journal.foreign_connection().await;
    let end =
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
    let ended = sqlx::query(end).bind(name).fetch_one(&mut foreign).await.unwrap().get(0);
    until("the connections are gone", async || {
        let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
        let left = sqlx::query(count).bind(name).fetch_one(&mut foreign).await.unwrap();
        left.get::<i64, _>(0) == 0
    })
    .await;
    ended
}
