//! A journal in memory under a fault store, and one writer to it.

use actum_model::{
    EntityKey, Lane, Partition, PartitionCount, Revision, SequenceNr, StoredPayload, Timestamp,
};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, DurableStateStore, EntityAppend, EntityRead, EventStore,
    Incarnation, NewEvent, PageLimit, RecoveryRead, RecoveryStore, Resolution, Snapshot,
    StateBatch, StateChange, StateWrite, StoreError, StoredEvent, WriterClaim, WriterStore,
};
use actum_store_memory::MemoryStore;
use actum_testkit::{FaultStore, Faults};
use bytes::Bytes;
use std::time::Duration;

#[derive(Clone)]
pub(crate) struct Journal {
    pub(crate) store: FaultStore,
    pub(crate) faults: Faults,
    pub(crate) writer: Incarnation,
}

pub(crate) fn key(id: &str) -> EntityKey {
    EntityKey::new("account", id).unwrap()
}

fn partition(entity: &EntityKey) -> Partition {
    entity.partition(PartitionCount::default())
}

/// When the commands of all events were handled.
const HANDLED_AT: Timestamp = Timestamp::from_micros(7);

/// The numbers of the events of one append, as text.
pub(crate) fn payload(text: &str) -> StoredPayload {
    StoredPayload::encode(&text.to_owned()).unwrap()
}

pub(crate) fn append(id: &str, expected: u64, first_event_nr: u64, texts: &[&str]) -> EntityAppend {
    let entity = key(id);
    let event = |text: &&str| NewEvent {
        timestamp: HANDLED_AT,
        payload: payload(text),
        metadata: Bytes::from_static(b"meta"),
    };
    EntityAppend {
        partition: partition(&entity),
        owned_as: None,
        entity,
        expected: SequenceNr::new(expected),
        first_event_nr,
        events: texts.iter().map(event).collect(),
    }
}

impl Journal {
    pub(crate) async fn new() -> Self {
        let store = FaultStore::new(MemoryStore::new());
        let claim = WriterClaim {
            slot: "journal".into(),
            holder: "test".into(),
            lease: Duration::from_secs(60),
            replaces: None,
        };
        let writer = store.claim(&claim).await.unwrap();
        let faults = store.faults();
        faults.reset_counts();
        Self { store, faults, writer }
    }

    pub(crate) fn batch(&self, appends: Vec<EntityAppend>) -> AppendBatch {
        AppendBatch { lane: Lane::new(0), incarnation: self.writer, appends }
    }

    pub(crate) async fn append(
        &self,
        batch: &AppendBatch,
    ) -> Result<Vec<AppendOutcome>, StoreError> {
        self.store.append(batch).await
    }

    pub(crate) fn put(&self, id: &str, expected: u64, write_nr: u64, text: &str) -> StateBatch {
        let entity = key(id);
        let write = StateWrite {
            partition: partition(&entity),
            owned_as: None,
            entity,
            expected: Revision::new(expected),
            revision: Revision::new(expected + 1),
            write_nr,
            timestamp: Timestamp::default(),
            change: StateChange::Put(payload(text)),
            commands: Vec::new(),
            forget_to: Revision::ZERO,
        };
        StateBatch { incarnation: self.writer, writes: vec![write] }
    }

    pub(crate) async fn save_snapshot(&self, id: &str, at: u64) {
        let snapshot = Snapshot {
            entity: key(id),
            sequence_nr: SequenceNr::new(at),
            timestamp: HANDLED_AT, // of the event it covers
            state: payload("state"),
            recent_commands: Bytes::new(),
        };
        self.store.inner().snapshots.save(&[snapshot]).await.unwrap();
    }

    /// The events of an entity, read through the fault store.
    pub(crate) async fn read(&self, id: &str) -> Result<Vec<StoredEvent>, StoreError> {
        let read = EntityRead { entity: key(id), after: SequenceNr::ZERO };
        let mut pages = self.store.read_entities(&[read], PageLimit::default()).await?;
        Ok(pages.remove(0).events)
    }

    pub(crate) async fn recover(&self, id: &str) -> (Option<Snapshot>, Vec<StoredEvent>) {
        let read = RecoveryRead { entity: key(id), snapshot: true };
        let found = self.store.recover(&[read], PageLimit::default()).await.unwrap().remove(0);
        (found.snapshot, found.page.events)
    }

    /// What the events of an entity say, read where nothing goes wrong.
    pub(crate) async fn texts(&self, id: &str) -> Vec<String> {
        let read = EntityRead { entity: key(id), after: SequenceNr::ZERO };
        let pages =
            self.store.inner().events.read_entities(&[read], PageLimit::default()).await.unwrap();
        pages[0].events.iter().map(|event| event.payload.decode().unwrap()).collect()
    }

    /// What the durable state of an entity says, read where nothing goes wrong.
    pub(crate) async fn state(&self, id: &str) -> Option<(u64, String)> {
        let records = self.store.inner().states.load(&[key(id)]).await.unwrap();
        let record = records.into_iter().next()??;
        Some((record.revision.get(), record.state?.decode().unwrap()))
    }

    pub(crate) async fn write(
        &self,
        batch: &StateBatch,
    ) -> Result<Vec<actum_persistence::store::StateOutcome>, StoreError> {
        self.store.write(batch).await
    }
}

pub(crate) fn is_appended(outcome: &AppendOutcome) -> bool {
    matches!(outcome, AppendOutcome::Appended { .. })
}

/// Whether an append of unknown outcome turned out to be stored.
pub(crate) fn is_stored(found: &Resolution<AppendOutcome>) -> bool {
    found.stored().is_some_and(is_appended)
}

/// Resolves events, where two traits have a method of that name.
pub(crate) async fn resolve(
    journal: &Journal,
    batch: &AppendBatch,
) -> Result<Vec<Resolution<AppendOutcome>>, StoreError> {
    EventStore::resolve(&journal.store, batch).await
}
