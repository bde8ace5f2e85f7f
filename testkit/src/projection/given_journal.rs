use crate::conformance::Writer;
use actum_model::EntityKey;
use actum_persistence::store::{AppendOutcome, NewEvent, Stores};
use actum_store_memory::MemoryStore;
use std::collections::HashMap;

/// A journal in memory with the events that were given.
pub(super) struct GivenJournal {
    pub(super) store: MemoryStore,
}

impl GivenJournal {
    pub(super) async fn of(events: Vec<(EntityKey, NewEvent)>) -> Self {
        let store = MemoryStore::new();
        let writer = Writer::claim(&Stores::of(store.clone())).await;
        let mut heads: HashMap<EntityKey, u64> = HashMap::new();
        // one at a time, so that events stand in the journal in the order in which they were given
        for (entity, event) in events {
            let head = heads.entry(entity.clone()).or_default();
            let outcome = writer.store_one(&entity, *head, vec![event]).await;
            let outcome = outcome.expect("memory takes what is within bounds");
            assert!(matches!(outcome, AppendOutcome::Appended { .. }), "{outcome:?}");
            *head += 1;
        }
        Self { store }
    }
}
