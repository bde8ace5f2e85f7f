//! How a store ends, and what is left of it.

use crate::{
    bounded::{run_on, until},
    fixture::PostgresFixture,
    sample::{Writer, account, claim, head_of, page},
};
use actum_model::SequenceNr;
use actum_persistence::store::{
    ClaimError, DurableStateStore, EventStore, SnapshotStore, StoreError, WriterStore,
};
use actum_store_postgres::{PostgresSettings, PostgresStore};
use actum_test_servers::unique_name;
use std::time::Duration;

const FIRST: SequenceNr = SequenceNr::new(1);

fn journal() -> PostgresFixture {
    PostgresFixture::with(PostgresSettings::default())
}

/// A store whose connections can be distinguished from all others.
async fn named(fixture: &PostgresFixture) -> (String, PostgresStore) {
    let name = unique_name("closing");
    let mark = if fixture.url().contains('?') { '&' } else { '?' };
    let url = format!("{}{mark}application_name={name}", fixture.url());
    (name, PostgresStore::connect_with(&url, fixture.settings()).await.unwrap())
}

async fn connections(fixture: &PostgresFixture, name: &str) -> i64 {
    let query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
    let query = sqlx::query_scalar(query).bind(name);
    query.fetch_one(&mut fixture.foreign_connection().await).await.unwrap()
}

async fn until_gone(fixture: &PostgresFixture, name: &str) {
    until("all connections are closed", async || connections(fixture, name).await == 0).await;
}

#[test]
fn a_closed_store_leaves_no_connection_and_says_that_it_is_closed() {
    run_on(journal(), async |fixture| {
        let (name, store) = named(fixture).await;
        let writer = Writer::claim(&store).await;
        writer.write(&account(1), 0).await;
        assert_eq!(head_of(&store, &account(1)).await, 1);
        assert!(connections(fixture, &name).await > 0);
        EventStore::close(&store).await;
        SnapshotStore::close(&store).await;
        DurableStateStore::close(&store).await;
        until_gone(fixture, &name).await;

        let refusals = [
            writer.each(&[account(1)], 1, 10).await.map(drop),
            page(&store, &account(1)).await.map(drop),
            store.renew(writer.incarnation, claim("a").lease).await,
            store.delete(&account(1), FIRST..=FIRST).await,
            store.heads().await.map(drop),
            EventStore::resolve(&store, &writer.batch(Vec::new())).await.map(drop),
            store.claim(&claim("late")).await.map(drop).map_err(|error| match error {
                ClaimError::Store(error) => error,
                held => panic!("{held}"),
            }),
        ];
        for refusal in refusals {
            match refusal {
                Err(error @ StoreError::Unavailable { .. }) => {
                    let source = std::error::Error::source(&error).unwrap().to_string();
                    assert_eq!(source, "the store was closed");
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(connections(fixture, &name).await, 0, "nothing was asked for");
        assert_eq!(head_of(&fixture.store().await, &account(1)).await, 1);
    });
}

#[test]
fn a_dropped_store_leaves_no_connection() {
    run_on(journal(), async |fixture| {
        let (name, store) = named(fixture).await;
        Writer::claim(&store).await.write(&account(1), 0).await;
        let keys: Vec<_> = (0..8).map(account).collect();
        let reads = keys.iter().map(|key| page(&store, key));
        for read in futures_util::future::join_all(reads).await {
            read.unwrap();
        }
        let open = connections(fixture, &name).await;
        assert!(open > 2, "{open} connections");
        drop(store);
        until_gone(fixture, &name).await;
    });
}

#[test]
fn no_more_connections_are_open_than_the_settings_allow() {
    let settings = PostgresSettings::default().with_connections_max(3);
    run_on(PostgresFixture::with(settings), async |fixture| {
        let (name, store) = named(fixture).await;
        let writer = Writer::claim(&store).await;
        let keys: Vec<_> = (0..50).map(account).collect();
        let reads = futures_util::future::join_all(keys.iter().map(|key| page(&store, key)));
        let (appended, read) = tokio::join!(writer.each(&keys, 0, 10), reads);
        appended.unwrap();
        assert!(read.iter().all(Result::is_ok));
        let open = connections(fixture, &name).await;
        assert!(open <= 4, "{open} connections, one for the lane beside three");
    });
}

#[test]
fn closing_waits_for_what_is_under_way() {
    run_on(journal(), async |fixture| {
        let (name, store) = named(fixture).await;
        let writer = Writer::claim(&store).await;
        let keys: Vec<_> = (0..500).map(account).collect();
        writer.each(&keys, 0, 100).await.unwrap();
        let appending = writer.each(&keys, 1, 100);
        let reading = page(&store, &keys[3]);
        let (appended, read, ()) =
            tokio::join!(biased; appending, reading, EventStore::close(&store));
        assert_eq!(appended.unwrap().len(), 500);
        assert!(!read.unwrap().events.is_empty());
        until_gone(fixture, &name).await;
        assert_eq!(head_of(&fixture.store().await, &keys[499]).await, 2);
    });
}

/// Calls that are dropped at any moment leave connections behind that others can use, or none.
#[test]
fn dropped_calls_leave_the_store_usable() {
    let settings = PostgresSettings::default().with_connections_max(2);
    run_on(PostgresFixture::with(settings), async |fixture| {
        let (name, store) = named(fixture).await;
        let writer = Writer::claim(&store).await;
        let keys: Vec<_> = (0..300).map(account).collect();
        writer.each(&keys, 0, 100).await.unwrap();
        for patience in 0..60 {
            let patience = tokio::time::sleep(Duration::from_micros(patience * 100));
            tokio::select! {
                biased;
                read = page(&store, &keys[0]) => drop(read.unwrap()),
                () = patience => {}
            }
        }
        let rival = claim("a rival");
        for patience in 0..30 {
            let patience = tokio::time::sleep(Duration::from_micros(patience * 100));
            tokio::select! {
                biased;
                claimed = store.claim(&rival) => drop(claimed.unwrap_err()),
                deleted = store.delete(&keys[0], FIRST..=FIRST) => deleted.unwrap(),
                () = patience => {}
            }
        }
        assert_eq!(head_of(&store, &keys[299]).await, 1);
        writer.each(&keys, 1, 100).await.unwrap();
        let open = connections(fixture, &name).await;
        assert!(open <= 3 + 90, "{open} connections");
        store.close().await;
        until_gone(fixture, &name).await;
    });
}
