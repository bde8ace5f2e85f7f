use actum::{
    EntityKey, Lane, Offset, Position, SequenceNr,
    store::{
        AppendBatch, AppendOutcome, EntityPage, EntityRead, EntitySearch, EventDeletion,
        EventFilter, EventStore, Incarnation, JournalLayout, LanePage, ListedEntity, Listing,
        PageLimit, Resolution, StoreError,
    },
};
use async_trait::async_trait;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// How much was appended, in how many transactions.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    batches: AtomicU64,
    events: AtomicU64,
}

/// An event store that counts.
pub(crate) struct Counted {
    store: Arc<dyn EventStore>,
    counts: Arc<Counts>,
}

impl Counts {
    /// Starts again at nothing.
    pub(crate) fn reset(&self) {
        self.batches.store(0, Relaxed);
        self.events.store(0, Relaxed);
    }

    /// Events in a transaction on average; `None` without a transaction.
    pub(crate) fn batch(&self) -> Option<f64> {
        let (batches, events) = (self.batches.load(Relaxed), self.events.load(Relaxed));
        (batches > 0).then(|| events as f64 / batches as f64)
    }
}

impl Counted {
    pub(crate) fn new(store: Arc<dyn EventStore>, counts: Arc<Counts>) -> Self {
        Self { store, counts }
    }
}

#[async_trait]
impl EventStore for Counted {
    fn layout(&self) -> JournalLayout {
        self.store.layout()
    }

    async fn append(&self, batch: &AppendBatch) -> Result<Vec<AppendOutcome>, StoreError> {
        self.counts.batches.fetch_add(1, Relaxed);
        self.counts.events.fetch_add(batch.events() as u64, Relaxed);
        self.store.append(batch).await
    }

    async fn resolve(
        &self,
        batch: &AppendBatch,
    ) -> Result<Vec<Resolution<AppendOutcome>>, StoreError> {
        self.store.resolve(batch).await
    }

    async fn read_entities(
        &self,
        reads: &[EntityRead],
        limit: PageLimit,
    ) -> Result<Vec<EntityPage>, StoreError> {
        self.store.read_entities(reads, limit).await
    }

    async fn read_lane(
        &self,
        lane: Lane,
        after: Position,
        filter: &EventFilter,
        limit: PageLimit,
    ) -> Result<LanePage, StoreError> {
        self.store.read_lane(lane, after, filter, limit).await
    }

    async fn read_backward(
        &self,
        entity: &EntityKey,
        before: SequenceNr,
        limit: PageLimit,
    ) -> Result<EntityPage, StoreError> {
        self.store.read_backward(entity, before, limit).await
    }

    async fn list_entities(
        &self,
        search: &EntitySearch,
    ) -> Result<Listing<ListedEntity>, StoreError> {
        self.store.list_entities(search).await
    }

    async fn kinds(&self) -> Result<Vec<String>, StoreError> {
        self.store.kinds().await
    }

    async fn heads(&self) -> Result<Offset, StoreError> {
        self.store.heads().await
    }

    async fn has_events_of(&self, kind: &str) -> Result<bool, StoreError> {
        self.store.has_events_of(kind).await
    }

    async fn prune_events(
        &self,
        incarnation: Incarnation,
        deletions: &[EventDeletion],
    ) -> Result<(), StoreError> {
        self.store.prune_events(incarnation, deletions).await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}
