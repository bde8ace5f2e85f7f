//! A journal that knows how many bytes of its events are in memory, of those that it has returned.

use actum_model::{EntityKey, Lane, Offset, Position, SequenceNr};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityPage, EntityRead, EntitySearch, EventDeletion, EventFilter,
    EventStore, Incarnation, JournalLayout, LanePage, ListedEntity, Listing, PageLimit, Resolution,
    StoreError,
};
use actum_store_memory::MemoryStore;
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

pub(crate) struct CountedBytes {
    store: MemoryStore,
    live: Arc<LiveBytes>,
}

#[derive(Debug, Default)]
pub(crate) struct LiveBytes {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// The bytes of an event, which are counted until no one has them.
struct CountedPayload(Bytes, Arc<LiveBytes>);

impl LiveBytes {
    /// The most that were in memory at once.
    pub(crate) fn most(&self) -> usize {
        self.most.load(SeqCst)
    }
}

impl CountedPayload {
    fn new(bytes: &Bytes, live: &Arc<LiveBytes>) -> Self {
        let now = live.now.fetch_add(bytes.len(), SeqCst) + bytes.len();
        live.most.fetch_max(now, SeqCst);
        Self(bytes.clone(), Arc::clone(live))
    }
}

impl AsRef<[u8]> for CountedPayload {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for CountedPayload {
    fn drop(&mut self) {
        self.1.now.fetch_sub(self.0.len(), SeqCst);
    }
}

impl CountedBytes {
    pub(crate) fn of(store: MemoryStore) -> (Self, Arc<LiveBytes>) {
        let live = Arc::<LiveBytes>::default();
        (Self { store, live: Arc::clone(&live) }, live)
    }
}

#[async_trait]
impl EventStore for CountedBytes {
    fn layout(&self) -> JournalLayout {
        self.store.layout()
    }

    async fn append(&self, batch: &AppendBatch) -> Result<Vec<AppendOutcome>, StoreError> {
        self.store.append(batch).await
    }

    async fn resolve(
        &self,
        batch: &AppendBatch,
    ) -> Result<Vec<Resolution<AppendOutcome>>, StoreError> {
        EventStore::resolve(&self.store, batch).await
    }

    async fn read_entities(
        &self,
        reads: &[EntityRead],
        limit: PageLimit,
    ) -> Result<Vec<EntityPage>, StoreError> {
        self.store.read_entities(reads, limit).await
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
        EventStore::kinds(&self.store).await
    }

    async fn read_lane(
        &self,
        lane: Lane,
        after: Position,
        filter: &EventFilter,
        limit: PageLimit,
    ) -> Result<LanePage, StoreError> {
        let mut page = self.store.read_lane(lane, after, filter, limit).await?;
        for event in &mut page.events {
            let bytes = &mut event.event.payload.bytes;
            *bytes = Bytes::from_owner(CountedPayload::new(bytes, &self.live));
        }
        Ok(page)
    }

    async fn heads(&self) -> Result<Offset, StoreError> {
        EventStore::heads(&self.store).await
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
}
