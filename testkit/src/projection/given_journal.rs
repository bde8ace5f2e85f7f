use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityAppend, EventStore, Incarnation, NewEvent, WriterClaim,
    WriterStore,
};
use actum_store_memory::MemoryStore;
use std::{collections::HashMap, time::Duration};

/// A journal in memory with the events that were given.
pub(super) struct GivenJournal {
    pub(super) store: MemoryStore,
}

impl GivenJournal {
    pub(super) async fn of(events: Vec<(EntityKey, NewEvent)>) -> Self {
        let store = MemoryStore::new();
        let claim = WriterClaim {
            slot: "journal".into(),
            holder: "the test".into(),
            lease: Duration::from_secs(3_600),
            replaces: None,
        };
        let incarnation = store.claim(&claim).await.expect("no one else writes to this journal");
        let mut heads: HashMap<EntityKey, SequenceNr> = HashMap::new();
        for (nr, (entity, event)) in (1..).zip(events) {
            let head = heads.entry(entity.clone()).or_insert(SequenceNr::ZERO);
            let batch = batch(&store, incarnation, (entity, *head), (nr, event));
            let outcomes = store.append(&batch).await.expect("memory takes what is within bounds");
            assert!(matches!(outcomes[..], [AppendOutcome::Appended { .. }]), "{outcomes:?}");
            *head = head.next();
        }
        Self { store }
    }
}

/// One event, so that events stand in the journal in the order in which they were given.
fn batch(
    store: &MemoryStore,
    incarnation: Incarnation,
    (entity, expected): (EntityKey, SequenceNr),
    (first_event_nr, event): (u64, NewEvent),
) -> AppendBatch {
    let layout = EventStore::layout(store);
    let (lane, partition) = (layout.lane_of(&entity), entity.partition(layout.partitions));
    let append = EntityAppend { entity, partition, expected, first_event_nr, events: vec![event] };
    AppendBatch { lane, incarnation, appends: vec![append] }
}
