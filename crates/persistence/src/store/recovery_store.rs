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
///
/// # Cancel safety
/// Dropping the future has no effect.
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

/// How often a recovery is read again because retention ran between its two reads.
const CATCH_UPS_MAX: usize = 8;

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

    async fn read(
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

    /// Reads again as long as events behind the snapshot are missing: between the two reads a newer snapshot was saved
    /// and what it covers deleted.
    async fn catch_up(
        &self,
        read: &RecoveryRead,
        found: &mut Recovered,
        limit: PageLimit,
    ) -> Result<(), StoreError> {
        for _ in 0..CATCH_UPS_MAX {
            let taken = taken_at(&found.snapshot);
            if !read.snapshot || found.page.floor <= taken {
                break;
            }
            let mut again = self.read(std::slice::from_ref(read), limit).await?;
            *found = again.pop().expect("one read has one answer");
            if taken_at(&found.snapshot) <= taken {
                break; // the snapshot that covers them cannot be had: recovery will see the gap
            }
        }
        Ok(())
    }
}

#[async_trait]
impl RecoveryStore for SeparateRecovery {
    async fn recover(
        &self,
        reads: &[RecoveryRead],
        limit: PageLimit,
    ) -> Result<Vec<Recovered>, StoreError> {
        let mut all = self.read(reads, limit).await?;
        for (read, found) in reads.iter().zip(&mut all) {
            self.catch_up(read, found, limit).await?;
        }
        Ok(all)
    }
}

fn taken_at(snapshot: &Option<Snapshot>) -> SequenceNr {
    snapshot.as_ref().map_or(SequenceNr::ZERO, |snapshot| snapshot.sequence_nr)
}

fn tail(read: &RecoveryRead, found: &Option<Snapshot>) -> EntityRead {
    EntityRead { entity: EntityKey::clone(&read.entity), after: taken_at(found) }
}
