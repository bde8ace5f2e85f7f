use super::{EntityPage, EntityRead, EventStore, PageLimit, Snapshot, SnapshotStore, StoreError};
use actum_model::{EntityKey, SequenceNr};
use async_trait::async_trait;
use std::sync::Arc;

/// Asks for what an event-sourced entity recovers from.
#[derive(Clone, Debug)]
pub struct RecoveryRead {
    /// The entity.
    pub entity: EntityKey,
    /// Whether a snapshot is wanted; otherwise events are read from the first.
    pub snapshot: bool,
}

/// The newest snapshot of an entity and the first page of the events behind it.
#[derive(Clone, Debug, Default)]
pub struct Recovered {
    /// The snapshot; `None` if there is none or none was wanted.
    pub snapshot: Option<Snapshot>,
    /// The events behind the snapshot, or from the first.
    pub page: EntityPage,
}

/// Reads snapshot and tail together, of many entities at once.
///
/// # Contract
/// Each answer is consistent: the page starts right behind the snapshot that comes with it.
#[async_trait]
pub trait RecoveryStore: Send + Sync + 'static {
    /// Reads what these entities recover from, answers in their order. The limit holds for each entity.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails as a whole.
    async fn recover(
        &self,
        reads: &[RecoveryRead],
        limit: PageLimit,
    ) -> Result<Vec<Recovered>, StoreError>;
}

/// Recovers from an event store and a snapshot store that do not know each other.
#[derive(Clone)]
pub struct SeparateRecovery {
    events: Arc<dyn EventStore>,
    snapshots: Arc<dyn SnapshotStore>,
}

impl SeparateRecovery {
    /// Reads snapshots from `snapshots` and the events behind them from `events`.
    #[must_use]
    pub fn new(events: Arc<dyn EventStore>, snapshots: Arc<dyn SnapshotStore>) -> Self {
        Self { events, snapshots }
    }

    async fn snapshot(&self, read: &RecoveryRead) -> Option<Snapshot> {
        if !read.snapshot {
            return None;
        }
        match self.snapshots.load(&read.entity, SequenceNr::new(u64::MAX)).await {
            Ok(snapshot) => snapshot,
            Err(error) => {
                // a snapshot is never needed: the events are the truth
                tracing::warn!(entity = %read.entity, %error, "snapshot cannot be read, replaying");
                None
            }
        }
    }
}

#[async_trait]
impl RecoveryStore for SeparateRecovery {
    async fn recover(
        &self,
        reads: &[RecoveryRead],
        limit: PageLimit,
    ) -> Result<Vec<Recovered>, StoreError> {
        let mut snapshots = Vec::with_capacity(reads.len());
        for read in reads {
            snapshots.push(self.snapshot(read).await);
        }
        let tails: Vec<EntityRead> =
            reads.iter().zip(&snapshots).map(|(read, found)| tail(read, found)).collect();
        let pages = self.events.read_entities(&tails, limit).await?;
        Ok(snapshots
            .into_iter()
            .zip(pages)
            .map(|(snapshot, page)| Recovered { snapshot, page })
            .collect())
    }
}

fn tail(read: &RecoveryRead, found: &Option<Snapshot>) -> EntityRead {
    let after = found.as_ref().map_or(SequenceNr::ZERO, |snapshot| snapshot.sequence_nr);
    EntityRead { entity: EntityKey::clone(&read.entity), after }
}
