use actum_model::{EntityKey, Position, Revision, SequenceNr, StoredPayload, Timestamp};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityAppend, EventStore, Incarnation, NewEvent, StateBatch,
    StateChange, StateWrite, StoreError, WriterClaim, WriterStore,
};
use actum_store_postgres::PostgresStore;
use bytes::Bytes;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// A lease that does not run out during a test.
pub(crate) const LONG_LEASE: Duration = Duration::from_secs(3600);

/// An incarnation that holds a slot, and the store it writes through.
#[derive(Clone)]
pub(crate) struct Writer {
    pub(crate) store: Arc<PostgresStore>,
    pub(crate) incarnation: Incarnation,
    next_nr: Arc<AtomicU64>,
}

/// The claim of `slot`.
pub(crate) fn claim_of(slot: &str, lease: Duration) -> WriterClaim {
    WriterClaim {
        slot: slot.to_owned(),
        holder: format!("the writer of {slot}"),
        lease,
        replaces: None,
    }
}

/// An account.
pub(crate) fn account(nr: usize) -> EntityKey {
    EntityKey::new("account", nr.to_string()).unwrap()
}

/// An event that carries `text`.
pub(crate) fn event(text: &str) -> NewEvent {
    NewEvent {
        timestamp: Timestamp::from_micros(0),
        payload: payload(text),
        metadata: Bytes::new(),
    }
}

/// A payload that carries `text`.
pub(crate) fn payload(text: &str) -> StoredPayload {
    StoredPayload {
        codec: "utf8".into(),
        manifest: "account.deposited".into(),
        schema_version: 1,
        bytes: Bytes::copy_from_slice(text.as_bytes()),
    }
}

impl Writer {
    /// Claims the slot `journal`.
    pub(crate) async fn claim(store: PostgresStore) -> Self {
        Self::claim_slot(Arc::new(store), "journal").await
    }

    /// Claims `slot`.
    pub(crate) async fn claim_slot(store: Arc<PostgresStore>, slot: &str) -> Self {
        let incarnation = store.claim(&claim_of(slot, LONG_LEASE)).await.unwrap();
        Self::of(store, incarnation)
    }

    /// Writes through `store` as `incarnation`, whether it may or not.
    pub(crate) fn of(store: Arc<PostgresStore>, incarnation: Incarnation) -> Self {
        Self { store, incarnation, next_nr: Arc::new(AtomicU64::new(1)) }
    }

    /// An append of events that carry these texts.
    pub(crate) fn append(&self, entity: &EntityKey, expected: u64, texts: &[&str]) -> EntityAppend {
        let first_event_nr = self.next_nr.fetch_add(texts.len() as u64, Ordering::Relaxed);
        EntityAppend {
            entity: entity.clone(),
            partition: entity.partition(self.store.layout().partitions),
            owned_as: None,
            expected: SequenceNr::new(expected),
            first_event_nr,
            events: texts.iter().map(|text| event(text)).collect(),
        }
    }

    /// A batch for the lane of its first append.
    pub(crate) fn batch(&self, appends: Vec<EntityAppend>) -> AppendBatch {
        let lane = self.store.layout().lane_of(&appends[0].entity);
        AppendBatch { lane, incarnation: self.incarnation, appends }
    }

    /// A batch of one event.
    pub(crate) fn one(&self, entity: &EntityKey, expected: u64, text: &str) -> AppendBatch {
        self.batch(vec![self.append(entity, expected, &[text])])
    }

    /// Appends one event.
    pub(crate) async fn try_write(
        &self,
        entity: &EntityKey,
        expected: u64,
        text: &str,
    ) -> Result<Position, StoreError> {
        let outcomes = self.store.append(&self.one(entity, expected, text)).await?;
        match outcomes[..] {
            [AppendOutcome::Appended { last }] => Ok(last),
            _ => panic!("{entity}, expected at {expected}: {outcomes:?}"),
        }
    }

    /// Appends one event, which must go through.
    pub(crate) async fn write(&self, entity: &EntityKey, expected: u64, text: &str) -> Position {
        self.try_write(entity, expected, text).await.unwrap()
    }

    /// As [`write`](Self::write), in a task.
    pub(crate) fn spawn_write(
        &self,
        entity: &EntityKey,
        expected: u64,
        text: &str,
    ) -> tokio::task::JoinHandle<Result<Position, StoreError>> {
        let (writer, entity, text) = (self.clone(), entity.clone(), text.to_owned());
        tokio::spawn(async move { writer.try_write(&entity, expected, &text).await })
    }

    /// A batch that puts one state.
    pub(crate) fn put(&self, entity: &EntityKey, expected: u64, text: &str) -> StateBatch {
        let write = StateWrite {
            entity: entity.clone(),
            partition: entity.partition(self.store.layout().partitions),
            owned_as: None,
            expected: Revision::new(expected),
            revision: Revision::new(expected + 1),
            write_nr: self.next_nr.fetch_add(1, Ordering::Relaxed),
            timestamp: Timestamp::from_micros(0),
            change: StateChange::Put(payload(text)),
            commands: Vec::new(),
            forget_to: Revision::ZERO,
        };
        StateBatch { incarnation: self.incarnation, writes: vec![write] }
    }
}
