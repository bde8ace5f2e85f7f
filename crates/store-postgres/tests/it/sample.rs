use actum_model::{EntityKey, Lane, Revision, SequenceNr, StoredPayload, Timestamp};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityAppend, EntityPage, EntityRead, EventStore, Incarnation,
    NewEvent, PageLimit, StateBatch, StateChange, StateWrite, StoreError, WriterClaim, WriterStore,
};
use actum_store_postgres::PostgresStore;
use bytes::Bytes;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// An entity of kind `account`.
pub(crate) fn account(nr: usize) -> EntityKey {
    EntityKey::new("account", format!("acc-{nr}")).unwrap()
}

/// An event that carries `bytes`.
pub(crate) fn event(bytes: impl Into<Bytes>) -> NewEvent {
    NewEvent {
        timestamp: Timestamp::from_micros(1_795_000_000_123_456),
        payload: StoredPayload {
            codec: "utf8".into(),
            manifest: "account.deposited".into(),
            schema_version: 1,
            bytes: bytes.into(),
        },
        metadata: Bytes::new(),
    }
}

/// The claim of the slot `journal`.
pub(crate) fn claim(holder: &str) -> WriterClaim {
    WriterClaim {
        slot: "journal".into(),
        holder: holder.into(),
        lease: Duration::from_secs(60),
        replaces: None,
    }
}

/// An incarnation that writes through a store, to lane 0.
pub(crate) struct Writer<'a> {
    pub(crate) store: &'a PostgresStore,
    pub(crate) incarnation: Incarnation,
    next_event_nr: AtomicU64,
}

impl<'a> Writer<'a> {
    /// Claims the slot.
    pub(crate) async fn claim(store: &'a PostgresStore) -> Self {
        Self::claim_slot(store, "journal").await
    }

    /// Claims a slot of this name.
    pub(crate) async fn claim_slot(store: &'a PostgresStore, slot: &str) -> Self {
        let claim = WriterClaim { slot: slot.to_owned(), ..claim("a test") };
        Self::of(store, store.claim(&claim).await.unwrap())
    }

    /// Writes as `incarnation`, whether it may or not.
    pub(crate) fn of(store: &'a PostgresStore, incarnation: Incarnation) -> Self {
        Self { store, incarnation, next_event_nr: AtomicU64::new(1) }
    }

    /// An append that expects `entity` at `expected`.
    pub(crate) fn append(
        &self,
        entity: &EntityKey,
        expected: u64,
        events: Vec<NewEvent>,
    ) -> EntityAppend {
        let count = events.len() as u64;
        EntityAppend {
            entity: entity.clone(),
            partition: entity.partition(self.store.layout().partitions),
            owned_as: None,
            expected: SequenceNr::new(expected),
            first_event_nr: self.next_event_nr.fetch_add(count, Ordering::Relaxed),
            events,
        }
    }

    /// A batch for lane 0.
    pub(crate) fn batch(&self, appends: Vec<EntityAppend>) -> AppendBatch {
        AppendBatch { lane: Lane::default(), incarnation: self.incarnation, appends }
    }

    /// A batch that writes a state of `entity`, expected at this revision.
    pub(crate) fn put(&self, entity: &EntityKey, expected: u64) -> StateBatch {
        let write = StateWrite {
            entity: entity.clone(),
            partition: entity.partition(self.store.layout().partitions),
            owned_as: None,
            expected: Revision::new(expected),
            revision: Revision::new(expected + 1),
            write_nr: self.next_event_nr.fetch_add(1, Ordering::Relaxed),
            timestamp: Timestamp::default(),
            change: StateChange::Put(event("state").payload),
            commands: Vec::new(),
            forget_to: Revision::ZERO,
        };
        StateBatch { incarnation: self.incarnation, writes: vec![write] }
    }

    /// Appends one event to each of `entities`, all of which are at `expected`.
    pub(crate) async fn each(
        &self,
        entities: &[EntityKey],
        expected: u64,
        bytes: usize,
    ) -> Result<Vec<AppendOutcome>, StoreError> {
        let payload = Bytes::from(vec![7; bytes]);
        let append = |key| self.append(key, expected, vec![event(payload.clone())]);
        self.store.append(&self.batch(entities.iter().map(append).collect())).await
    }

    /// Appends an event that must be stored.
    pub(crate) async fn write(&self, entity: &EntityKey, expected: u64) {
        let outcomes = self.each(std::slice::from_ref(entity), expected, 10).await.unwrap();
        let stored = matches!(outcomes[..], [AppendOutcome::Appended { .. }]);
        assert!(stored, "{entity} expected at {expected}: {outcomes:?}");
    }
}

/// Everything a page shows of an entity.
pub(crate) async fn page(
    store: &PostgresStore,
    entity: &EntityKey,
) -> Result<EntityPage, StoreError> {
    let read = EntityRead { entity: entity.clone(), after: SequenceNr::ZERO };
    let pages = store.read_entities(&[read], PageLimit::default()).await;
    pages.map(|mut pages| pages.remove(0))
}

/// The sequence number of the entity's last event.
pub(crate) async fn head_of(store: &PostgresStore, entity: &EntityKey) -> u64 {
    page(store, entity).await.unwrap().head.get()
}
