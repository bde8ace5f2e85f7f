//! Reading whole journals back, and what must hold for what is read.

use actum_model::{EntityKey, Lane, Position};
use actum_persistence::store::{EventFilter, EventStore, JournalEvent, PageLimit};
use actum_store_postgres::PostgresStore;
use std::collections::{HashMap, HashSet};

/// All events of a lane. It checks that their positions are dense.
pub(crate) async fn lane_events(store: &PostgresStore, lane: Lane) -> Vec<JournalEvent> {
    let mut events: Vec<JournalEvent> = Vec::new();
    let (filter, limit) = (EventFilter::default(), PageLimit::default());
    loop {
        let after = Position::new(events.len() as u64);
        let page = store.read_lane(lane, after, &filter, limit).await.unwrap();
        for event in page.events {
            assert_eq!(event.event.position.get(), events.len() as u64 + 1, "lane {lane}");
            events.push(event);
        }
        if page.read_to == after {
            return events;
        }
    }
}

/// The events of all lanes. It checks that positions and sequence numbers are dense, and that no event is there twice.
pub(crate) async fn journal(store: &PostgresStore) -> Vec<JournalEvent> {
    let mut events = Vec::new();
    for lane in store.layout().lanes.iter() {
        events.extend(lane_events(store, lane).await);
    }
    let mut heads: HashMap<EntityKey, u64> = HashMap::new();
    let mut ids = HashSet::new();
    for event in &events {
        let head = heads.entry(event.entity.clone()).or_default();
        *head += 1;
        assert_eq!(event.event.sequence_nr.get(), *head, "{}", event.entity);
        assert!(ids.insert(event.event.event_id), "{} is there twice", event.event.event_id);
    }
    events
}

/// What the events of a journal carry, in its order.
pub(crate) async fn texts(store: &PostgresStore) -> Vec<String> {
    journal(store).await.iter().map(text_of).collect()
}

/// What an event carries.
pub(crate) fn text_of(event: &JournalEvent) -> String {
    String::from_utf8(event.event.payload.bytes.to_vec()).unwrap()
}
