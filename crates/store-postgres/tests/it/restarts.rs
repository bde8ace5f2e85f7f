//! Servers that stop, crash and come back while stores write to them.

use crate::{
    bounded::{random, run, until, within},
    foreign_session::ForeignSession,
    load::{Amount, Load},
    private::PrivateServer,
    writer::{LONG_LEASE, Writer, account, claim_of},
};
use actum_model::{Lane, LaneCount, Position};
use actum_persistence::store::{
    ClaimError, DurableStateStore, EventFilter, EventStore, JournalLayout, PageLimit, Resolution,
    StoreError, WriterStore,
};
use actum_store_postgres::{PostgresSettings, PostgresStore};
use actum_test_servers::{PostgresServer, StopMode};
use std::{sync::Arc, time::Duration};

/// A call that fails does so before.
const SOON: Duration = Duration::from_secs(10);

fn settings() -> PostgresSettings {
    let lanes = LaneCount::new(2).unwrap();
    PostgresSettings::default()
        .with_layout(JournalLayout { lanes, ..JournalLayout::default() })
        .with_connect_timeout(Duration::from_secs(2))
        .with_statement_timeout(Duration::from_secs(3))
        .with_lock_timeout(Duration::from_secs(2))
        .with_answer_timeout(Duration::from_secs(4))
}

#[test]
fn what_was_confirmed_under_load_is_there_after_crashes_of_the_server() {
    let Some(server) = PrivateServer::start() else { return };
    run(async {
        let mut rng = random();
        let mut writers = Vec::new();
        for slot in ["one", "two"] {
            let store = Arc::new(server.store(settings()).await);
            writers.push(Writer::claim_slot(store, slot).await);
        }
        let amount = Amount { entities: 60, writes: 60, rivals: false };
        let all = amount.entities * amount.writes;
        let load = Load::start(&writers, amount, &mut rng);
        let stops = [Some(StopMode::Immediate), None, Some(StopMode::Fast)];
        for (stop, quarter) in stops.into_iter().zip(1..) {
            let enough = all * quarter / 4 + rng.usize(..20);
            until("writes are stored", async || load.stored() >= enough).await;
            server
                .change(move |server| {
                    match stop {
                        Some(mode) => server.stop(mode)?,
                        None => server.kill()?,
                    }
                    server.start_again()
                })
                .await;
        }
        let ledger = within(Duration::from_secs(40), "the load", load.end()).await;
        ledger.check(&server.store(settings()).await).await;
    });
}

#[test]
fn calls_fail_soon_while_the_server_is_away_and_go_through_when_it_is_back() {
    let Some(server) = PrivateServer::start() else { return };
    run(async {
        let writer = Writer::claim(server.store(settings()).await).await;
        writer.write(&account(1), 0, "before").await;
        server.change(|server| server.stop(StopMode::Immediate)).await;

        let store = &writer.store;
        let batch = writer.one(&account(1), 1, "during");
        // the first call may be the one that meets the connection which breaks
        let _ = within(SOON, "an append", store.append(&batch)).await.unwrap_err();
        assert_unavailable(within(SOON, "an append", store.append(&batch)).await);
        assert_unavailable(within(SOON, "resolve", EventStore::resolve(&**store, &batch)).await);
        assert_unavailable(within(SOON, "a read", store.heads()).await);
        let (filter, limit) = (EventFilter::default(), PageLimit::default());
        let read = store.read_lane(Lane::default(), Position::ZERO, &filter, limit);
        assert_unavailable(within(SOON, "a read", read).await);
        let put = writer.put(&account(2), 0, "during");
        assert_unavailable(within(SOON, "a state write", store.write(&put)).await);
        assert_unavailable(within(SOON, "revoke", store.revoke(writer.incarnation)).await);
        let claim = claim_of("another", LONG_LEASE);
        match within(SOON, "a claim", store.claim(&claim)).await {
            Err(ClaimError::Store(StoreError::Unavailable { .. })) => {}
            other => panic!("{other:?}"),
        }

        server.change(PostgresServer::start_again).await;
        until("the store has found the server again", async || store.heads().await.is_ok()).await;
        assert_eq!(EventStore::resolve(&**store, &batch).await.unwrap(), [Resolution::NotStored]);
        writer.write(&account(1), 1, "after").await;
        store.write(&writer.put(&account(2), 0, "after")).await.unwrap();
        store.claim(&claim).await.unwrap();
    });
}

/// A holder that renews relies on it at once: a claimant must see it, whatever happens to the server.
#[test]
fn a_renewal_is_there_when_the_server_crashes_right_behind_it() {
    let Some(server) = PrivateServer::start() else { return };
    run(async {
        // where commits do not wait for the disk unless set to, and nothing else writes to it soon
        let mut foreign = ForeignSession::connect(&server.url, "actum").await;
        foreign.run("ALTER DATABASE postgres SET synchronous_commit = off").await;
        foreign.run("ALTER SYSTEM SET wal_writer_delay = '10s'").await;
        foreign.run("SELECT pg_reload_conf()").await;
        let store = server.store(settings()).await;
        let claim = claim_of("journal", LONG_LEASE);
        let first = store.claim(&claim).await.unwrap();
        let seen = async |store: &PostgresStore| store.claim(&claim).await.unwrap_err().seen();
        let claimed = seen(&store).await;
        store.renew(first, LONG_LEASE).await.unwrap();
        let renewed = seen(&store).await;
        server
            .change(|server| {
                server.kill()?;
                server.start_again()
            })
            .await;
        let found = seen(&server.store(settings()).await).await;
        assert!(claimed != renewed && found.is_some());
        assert_eq!(found, renewed);
    });
}

fn assert_unavailable<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
}
