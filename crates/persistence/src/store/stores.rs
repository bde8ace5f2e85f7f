use super::{
    DurableStateStore, EventStore, RecoveryStore, SeparateRecovery, SnapshotStore, WriterStore,
    members::{KeepsMembers, MemberStore},
    progress::{KeepsProgress, ProgressStore},
};
use std::{fmt, sync::Arc};

/// A product that keeps everything: events, snapshots, durable states, who may write, how far projections have come, and who
/// belongs to a cluster.
pub trait Store:
    EventStore
    + SnapshotStore
    + DurableStateStore
    + WriterStore
    + RecoveryStore
    + KeepsProgress
    + KeepsMembers
{
}

impl<S> Store for S where
    S: EventStore
        + SnapshotStore
        + DurableStateStore
        + WriterStore
        + RecoveryStore
        + KeepsProgress
        + KeepsMembers
{
}

/// The stores an engine uses: one product for all, or one for each purpose.
///
/// Events, and who may write them, always belong together, since the fence is checked in the append's own transaction.
#[derive(Clone)]
#[non_exhaustive]
pub struct Stores {
    /// The journal.
    pub events: Arc<dyn EventStore>,
    /// Snapshots.
    pub snapshots: Arc<dyn SnapshotStore>,
    /// Durable states.
    pub states: Arc<dyn DurableStateStore>,
    /// Who may write.
    pub writers: Arc<dyn WriterStore>,
    /// Snapshots and events read together.
    pub recovery: Arc<dyn RecoveryStore>,
    /// How far projections have come that have no database of their own.
    pub progress: Arc<dyn ProgressStore>,
    /// The nodes of a cluster; `None` where several of them cannot share the journal.
    pub members: Option<Arc<dyn MemberStore>>,
}

impl Stores {
    /// Uses one product for everything.
    #[must_use]
    pub fn of<S: Store>(store: S) -> Self {
        Self::shared(Arc::new(store))
    }

    /// As [`Stores::of`], for a store that the caller also keeps.
    #[must_use]
    pub fn shared<S: Store>(store: Arc<S>) -> Self {
        Self {
            events: Arc::clone(&store) as _,
            snapshots: Arc::clone(&store) as _,
            states: Arc::clone(&store) as _,
            writers: Arc::clone(&store) as _,
            progress: store.progress(),
            members: Arc::clone(&store).members(),
            recovery: store,
        }
    }

    /// Keeps snapshots in another product than events.
    #[must_use]
    pub fn with_snapshots(self, snapshots: Arc<dyn SnapshotStore>) -> Self {
        let recovery =
            Arc::new(SeparateRecovery::new(Arc::clone(&self.events), Arc::clone(&snapshots)));
        Self { snapshots, recovery, ..self }
    }

    /// Goes to the journal through `events`, for example to count its calls: it is the same journal, and recovery reads it as
    /// before.
    #[must_use]
    pub fn with_events(self, events: Arc<dyn EventStore>) -> Self {
        Self { events, ..self }
    }

    /// Keeps durable states in another product than events, or goes to them through `states`.
    #[must_use]
    pub fn with_states(self, states: Arc<dyn DurableStateStore>) -> Self {
        Self { states, ..self }
    }

    /// Asks `writers` who may write: those of the same journal.
    #[must_use]
    pub fn with_writers(self, writers: Arc<dyn WriterStore>) -> Self {
        Self { writers, ..self }
    }

    /// Keeps the progress of projections in another product than events, or goes to it through `progress`.
    #[must_use]
    pub fn with_progress(self, progress: Arc<dyn ProgressStore>) -> Self {
        Self { progress, ..self }
    }

    /// Closes all of them.
    ///
    /// # Cancel safety
    /// Dropping the future leaves some of them open; closing again closes the rest.
    pub async fn close(&self) {
        self.progress.close().await;
        self.snapshots.close().await;
        self.states.close().await;
        self.events.close().await;
    }
}

impl<S: Store> From<S> for Stores {
    fn from(store: S) -> Self {
        Self::of(store)
    }
}

impl<S: Store> From<Arc<S>> for Stores {
    fn from(store: Arc<S>) -> Self {
        Self::shared(store)
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores").finish_non_exhaustive()
    }
}
