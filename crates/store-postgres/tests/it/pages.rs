//! How much the server sends for a page.

use crate::{
    bounded::run_on,
    fixture::PostgresFixture,
    relay::Relay,
    sample::{Writer, account, event},
};
use actum_model::SequenceNr;
use actum_persistence::store::{EntityPage, EntityRead, EventStore, PageLimit};
use actum_store_postgres::{PostgresSettings, PostgresStore};
use sqlx::{ConnectOptions, postgres::PgConnectOptions};
use std::{num::NonZeroU32, str::FromStr};

const EVENTS: usize = 40;
const LARGE: usize = 10_000;

/// Opens a journal through a relay.
async fn behind(fixture: &PostgresFixture) -> (Relay, PostgresStore) {
    let options = PgConnectOptions::from_str(fixture.url()).unwrap();
    let relay = Relay::start(options.get_port()).await;
    let options = options.host("127.0.0.1").port(relay.address.port());
    let url = options.to_url_lossy();
    (relay, PostgresStore::connect_with(url.as_str(), fixture.settings()).await.unwrap())
}

async fn pages(store: &PostgresStore, nrs: &[usize], limit: PageLimit) -> Vec<EntityPage> {
    let read = |nr: &usize| EntityRead { entity: account(*nr), after: SequenceNr::ZERO };
    store.read_entities(&nrs.iter().map(read).collect::<Vec<_>>(), limit).await.unwrap()
}

/// An entity of many large events, and one of many small ones.
async fn write(store: &PostgresStore) {
    let writer = Writer::claim(store).await;
    for (nr, bytes) in [(1, LARGE), (2, 10)] {
        let append = writer.append(&account(nr), 0, vec![event(vec![7; bytes]); EVENTS]);
        store.append(&writer.batch(vec![append])).await.unwrap();
    }
}

#[test]
fn the_server_sends_no_more_than_a_page_holds_and_one_event() {
    run_on(PostgresFixture::with(PostgresSettings::default()), async |fixture| {
        write(&fixture.store().await).await;
        let (relay, store) = behind(fixture).await;
        let found = pages(&store, &[1, 2], PageLimit::default().with_bytes(LARGE * 2)).await;
        assert_eq!([found[0].events.len(), found[1].events.len()], [2, EVENTS]);
        store.close().await;
        let received = relay.received().await;
        assert!(received > 2 * LARGE as u64, "{received} bytes");
        assert!(received < 6 * LARGE as u64, "{received} bytes");
    });
}

#[test]
fn a_page_is_the_same_whether_all_that_is_asked_for_fits_on_it_or_not() {
    run_on(PostgresFixture::with(PostgresSettings::default()), async |fixture| {
        let store = fixture.store().await;
        write(&store).await;
        let all = pages(&store, &[1, 2, 3], PageLimit::default()).await;
        assert_eq!([all[0].events.len(), all[1].events.len()], [EVENTS, EVENTS]);
        for events in [1, 16, 17, 39, 40, 41] {
            for bytes in [1, LARGE - 1, LARGE * 17, LARGE * EVENTS, usize::MAX] {
                let limit = PageLimit::default().with_bytes(bytes);
                let limit = limit.with_events(NonZeroU32::new(events).unwrap());
                let found = pages(&store, &[1, 2, 3], limit).await;
                for (found, all) in found.iter().zip(&all) {
                    let count = found.events.len();
                    assert_eq!((found.head, &found.events[..]), (all.head, &all.events[..count]));
                    assert!(count > 0 || all.events.is_empty());
                }
                let large = (bytes / LARGE).clamp(1, EVENTS.min(events as usize));
                assert_eq!(found[0].events.len(), large, "{events} events, {bytes} bytes");
            }
        }
    });
}
