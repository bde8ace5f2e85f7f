//! Stores behind PgBouncer, which gives a client another connection for each transaction.

use crate::{
    bounded::{random, run, until, within},
    load::{Amount, Load},
    private::PrivateServer,
    reader::texts,
    relay::Relay,
    writer::{LONG_LEASE, Writer, account, claim_of},
};
use actum_model::{LaneCount, SequenceNr};
use actum_persistence::store::{
    DurableStateStore, EventStore, JournalLayout, Resolution, StoreError, WriterStore,
};
use actum_store_postgres::{PostgresSettings, PostgresStore};
use actum_test_servers::{PgBouncer, PgBouncerProgram, PgBouncerSettings, available};
use futures_util::future::join_all;
use std::{sync::Arc, time::Duration};

fn settings() -> PostgresSettings {
    let lanes = LaneCount::new(4).unwrap();
    PostgresSettings::default()
        .with_layout(JournalLayout { lanes, ..JournalLayout::default() })
        .with_transaction_pooling(true)
}

fn found() -> Option<(PgBouncerProgram, PrivateServer)> {
    Some((available(PgBouncer::find())?, PrivateServer::start()?))
}

/// A proxy with two connections to the server.
fn start(program: &PgBouncerProgram, server: &PrivateServer) -> PgBouncer {
    server.with(|server| PgBouncer::start(program, server, &PgBouncerSettings::default())).unwrap()
}

async fn open(url: &str) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::connect_with(url, settings()).await.unwrap())
}

#[test]
fn many_stores_open_and_use_one_journal_at_the_same_time() {
    let Some((program, server)) = found() else { return };
    let bouncer = start(&program, &server);
    run(async {
        let url = bouncer.url("postgres");
        // some of them create the journal, all at once; then again, between the calls of the others
        let stores = join_all((0..8).map(|_| open(&url))).await;
        let nodes = stores.into_iter().enumerate();
        let nodes = nodes.map(|(nr, store)| tokio::spawn(use_everything(url.clone(), nr, store)));
        for node in nodes.collect::<Vec<_>>() {
            node.await.unwrap();
        }
        let direct = server.store(settings()).await;
        assert_eq!(texts(&direct).await.len(), 8 * 20);
    });
}

async fn use_everything(url: String, nr: usize, store: Arc<PostgresStore>) {
    let writer = Writer::claim_slot(Arc::clone(&store), &nr.to_string()).await;
    for round in 0..20 {
        let key = account(100 * nr + round);
        writer.write(&key, 0, "event").await;
        store.write(&writer.put(&key, 0, "state")).await.unwrap();
        let batch = writer.one(&key, 1, "never sent");
        assert_eq!(EventStore::resolve(&*store, &batch).await.unwrap(), [Resolution::NotStored]);
        store.heads().await.unwrap();
        assert!(store.load(std::slice::from_ref(&key)).await.unwrap()[0].is_some());
        store.renew(writer.incarnation, LONG_LEASE).await.unwrap();
        open(&url).await.close().await;
    }
    let doomed = store.claim(&claim_of(&format!("doomed {nr}"), LONG_LEASE)).await.unwrap();
    store.revoke(doomed).await.unwrap();
    let doomed = Writer::of(Arc::clone(&store), doomed);
    let fenced = doomed.try_write(&account(10_000 + nr), 0, "too late").await.unwrap_err();
    assert!(matches!(fenced, StoreError::Fenced { .. }), "{fenced:?}");
    let up_to = SequenceNr::new(1);
    let gone = store.delete_events(doomed.incarnation, &account(100 * nr), up_to).await;
    assert!(matches!(gone, Err(StoreError::Fenced { .. })), "{gone:?}");
}

#[test]
fn a_proxy_that_restarts_under_load_is_used_again() {
    let Some((program, server)) = found() else { return };
    run(async {
        let mut rng = random();
        let mut bouncer = start(&program, &server);
        let relay = Relay::start(bouncer.port()).await;
        let url = format!("postgres://actum@{}/postgres", relay.address);
        let mut writers = Vec::new();
        for slot in ["one", "two"] {
            writers.push(Writer::claim_slot(open(&url).await, slot).await);
        }
        let amount = Amount { entities: 60, writes: 40, rivals: false };
        let all = amount.entities * amount.writes;
        let load = Load::start(&writers, amount, &mut rng);
        for quarter in 1..4 {
            let enough = all * quarter / 4 + rng.usize(..20);
            until("writes are stored", async || load.stored() >= enough).await;
            drop(bouncer);
            bouncer = start(&program, &server);
            relay.turn_to(bouncer.port());
        }
        let ledger = within(Duration::from_secs(40), "the load", load.end()).await;
        ledger.check(&server.store(settings()).await).await;
    });
}
