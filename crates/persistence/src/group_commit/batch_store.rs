use super::GroupWrite;
use crate::{
    panics::guarded,
    store::{
        AppendBatch, CurrentIncarnation, DurableStateStore, EntityAppend, EventStore, Resolution,
        StateBatch, StateWrite, StoreError,
    },
};
use actum_model::Lane;
use std::{pin::Pin, sync::Arc};

/// Where the batches of one lane go.
pub(super) trait BatchStore<W: GroupWrite>: Send + Sync + 'static {
    type Batch: Send + Sync + 'static;

    fn batch_of(&self, writes: Vec<W>) -> Self::Batch;

    fn writes_of(batch: Self::Batch) -> Vec<W>;

    /// Writes a batch. The task that begins it need not be the one that finishes it.
    fn write(self: Arc<Self>, batch: Self::Batch) -> Writing<W, Self::Batch>;

    fn resolve(self: Arc<Self>, batch: Self::Batch) -> Resolving<W, Self::Batch>;
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A batch that is being written: it comes back with the outcomes.
pub(super) type Writing<W, B> = BoxFuture<Written<W, B>>;

/// A batch whose outcome is being found out.
pub(super) type Resolving<W, B> = BoxFuture<Resolved<W, B>>;

pub(super) type Written<W, B> = (B, StoreAnswer<Vec<<W as GroupWrite>::Outcome>>);

pub(super) type Resolved<W, B> = (B, StoreAnswer<Vec<Resolution<<W as GroupWrite>::Outcome>>>);

/// What the store said, or the message of its panic.
pub(super) type StoreAnswer<T> = Result<Result<T, StoreError>, String>;

/// A lane of a journal, as one writer writes it.
pub(super) struct LaneJournal {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) lane: Lane,
    pub(super) incarnation: CurrentIncarnation,
}

/// Durable states, as one writer writes them.
pub(super) struct States {
    pub(super) store: Arc<dyn DurableStateStore>,
    pub(super) incarnation: CurrentIncarnation,
}

impl BatchStore<EntityAppend> for LaneJournal {
    type Batch = AppendBatch;

    fn batch_of(&self, appends: Vec<EntityAppend>) -> AppendBatch {
        AppendBatch { lane: self.lane, incarnation: self.incarnation.get(), appends }
    }

    fn writes_of(batch: AppendBatch) -> Vec<EntityAppend> {
        batch.appends
    }

    fn write(self: Arc<Self>, batch: AppendBatch) -> Writing<EntityAppend, AppendBatch> {
        Box::pin(async move {
            let written = guarded(async { self.store.append(&batch).await }).await;
            (batch, written)
        })
    }

    fn resolve(self: Arc<Self>, batch: AppendBatch) -> Resolving<EntityAppend, AppendBatch> {
        Box::pin(async move {
            let found = guarded(async { self.store.resolve(&batch).await }).await;
            (batch, found)
        })
    }
}

impl BatchStore<StateWrite> for States {
    type Batch = StateBatch;

    fn batch_of(&self, writes: Vec<StateWrite>) -> StateBatch {
        StateBatch { incarnation: self.incarnation.get(), writes }
    }

    fn writes_of(batch: StateBatch) -> Vec<StateWrite> {
        batch.writes
    }

    fn write(self: Arc<Self>, batch: StateBatch) -> Writing<StateWrite, StateBatch> {
        Box::pin(async move {
            let written = guarded(async { self.store.write(&batch).await }).await;
            (batch, written)
        })
    }

    fn resolve(self: Arc<Self>, batch: StateBatch) -> Resolving<StateWrite, StateBatch> {
        Box::pin(async move {
            let found = guarded(async { self.store.resolve(&batch).await }).await;
            (batch, found)
        })
    }
}
