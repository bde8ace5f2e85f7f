use crate::rig::Rig;
use actum_model::{EntityKey, Lane, Offset, Position, SequenceNr};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityPage, EntityRead, EntitySearch, EventDeletion, EventFilter,
    EventStore, Incarnation, JournalLayout, LanePage, ListedEntity, Listing, PageLimit, Resolution,
    StoreError,
};
use async_trait::async_trait;
use parking_lot::Mutex;
use std::sync::Arc;

/// A journal in whose place another one is put: a replica that did not have all events has taken over, or a backup was
/// restored.
#[derive(Clone)]
pub(crate) struct ReplacedJournal(Arc<Mutex<Arc<dyn EventStore>>>);

impl ReplacedJournal {
    pub(crate) fn of(events: Arc<dyn EventStore>) -> Self {
        Self(Arc::new(Mutex::new(events)))
    }

    pub(crate) fn replace(&self, rig: &Rig) {
        *self.0.lock() = Arc::new(rig.store.clone());
    }

    fn now(&self) -> Arc<dyn EventStore> {
        Arc::clone(&self.0.lock())
    }
}

#[async_trait]
impl EventStore for ReplacedJournal {
    fn layout(&self) -> JournalLayout {
        self.now().layout()
    }

    async fn append(&self, batch: &AppendBatch) -> Result<Vec<AppendOutcome>, StoreError> {
        self.now().append(batch).await
    }

    async fn resolve(
        &self,
        batch: &AppendBatch,
    ) -> Result<Vec<Resolution<AppendOutcome>>, StoreError> {
        self.now().resolve(batch).await
    }

    async fn read_entities(
        &self,
        reads: &[EntityRead],
        limit: PageLimit,
    ) -> Result<Vec<EntityPage>, StoreError> {
        self.now().read_entities(reads, limit).await
    }

    async fn read_backward(
        &self,
        entity: &EntityKey,
        before: SequenceNr,
        limit: PageLimit,
    ) -> Result<EntityPage, StoreError> {
        self.now().read_backward(entity, before, limit).await
    }

    async fn list_entities(
        &self,
        search: &EntitySearch,
    ) -> Result<Listing<ListedEntity>, StoreError> {
        self.now().list_entities(search).await
    }

    async fn kinds(&self) -> Result<Vec<String>, StoreError> {
        self.now().kinds().await
    }

    async fn read_lane(
        &self,
        lane: Lane,
        after: Position,
        filter: &EventFilter,
        limit: PageLimit,
    ) -> Result<LanePage, StoreError> {
        self.now().read_lane(lane, after, filter, limit).await
    }

    async fn heads(&self) -> Result<Offset, StoreError> {
        self.now().heads().await
    }

    async fn has_events_of(&self, kind: &str) -> Result<bool, StoreError> {
        self.now().has_events_of(kind).await
    }

    async fn prune_events(
        &self,
        incarnation: Incarnation,
        deletions: &[EventDeletion],
    ) -> Result<(), StoreError> {
        self.now().prune_events(incarnation, deletions).await
    }
}
