use super::GroupWrite;
use crate::store::{
    AppendBatch, AppendOutcome, DurableStateStore, EntityAppend, EventStore, Incarnation,
    Resolution, StateBatch, StateOutcome, StateWrite, StoreError,
};
use actum_model::Lane;
use async_trait::async_trait;
use std::sync::Arc;

/// Where the batches of one lane go.
#[async_trait]
pub(super) trait BatchStore<W: GroupWrite>: Send + Sync + 'static {
    type Batch: Send + Sync;

    fn batch_of(&self, writes: Vec<W>) -> Self::Batch;

    fn writes_of(batch: Self::Batch) -> Vec<W>;

    async fn write(&self, batch: &Self::Batch) -> Result<Vec<W::Outcome>, StoreError>;

    async fn resolve(&self, batch: &Self::Batch)
    -> Result<Vec<Resolution<W::Outcome>>, StoreError>;
}

/// A lane of a journal, as one incarnation writes it.
pub(super) struct LaneJournal {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) lane: Lane,
    pub(super) incarnation: Incarnation,
}

/// Durable states, as one incarnation writes them.
pub(super) struct States {
    pub(super) store: Arc<dyn DurableStateStore>,
    pub(super) incarnation: Incarnation,
}

#[async_trait]
impl BatchStore<EntityAppend> for LaneJournal {
    type Batch = AppendBatch;

    fn batch_of(&self, appends: Vec<EntityAppend>) -> AppendBatch {
        AppendBatch { lane: self.lane, incarnation: self.incarnation, appends }
    }

    fn writes_of(batch: AppendBatch) -> Vec<EntityAppend> {
        batch.appends
    }

    async fn write(&self, batch: &AppendBatch) -> Result<Vec<AppendOutcome>, StoreError> {
        self.store.append(batch).await
    }

    async fn resolve(
        &self,
        batch: &AppendBatch,
    ) -> Result<Vec<Resolution<AppendOutcome>>, StoreError> {
        self.store.resolve(batch).await
    }
}

#[async_trait]
impl BatchStore<StateWrite> for States {
    type Batch = StateBatch;

    fn batch_of(&self, writes: Vec<StateWrite>) -> StateBatch {
        StateBatch { incarnation: self.incarnation, writes }
    }

    fn writes_of(batch: StateBatch) -> Vec<StateWrite> {
        batch.writes
    }

    async fn write(&self, batch: &StateBatch) -> Result<Vec<StateOutcome>, StoreError> {
        self.store.write(batch).await
    }

    async fn resolve(
        &self,
        batch: &StateBatch,
    ) -> Result<Vec<Resolution<StateOutcome>>, StoreError> {
        self.store.resolve(batch).await
    }
}
