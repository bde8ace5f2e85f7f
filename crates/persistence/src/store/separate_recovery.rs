use super::{
    EntityRead, EventStore, PageLimit, Recovered, RecoveryRead, RecoveryStore, Snapshot,
    SnapshotFit, SnapshotStore, StoreError,
    careful_recovery::recover_carefully,
    covered_event::{covered_events, unanswered},
};
use actum_model::SequenceNr;
use async_trait::async_trait;
use std::sync::Arc;

const NEWEST: SequenceNr = SequenceNr::new(u64::MAX);

/// Recovers from an event store and a snapshot store that do not know each other.
#[derive(Clone)]
pub struct SeparateRecovery {
    events: Arc<dyn EventStore>,
    snapshots: Arc<dyn SnapshotStore>,
}

/// The newest snapshot of an entity, as far as it can be used without a closer check.
enum Newest {
    None,
    Fits(Snapshot),
    NeedsCare,
}

impl SeparateRecovery {
    /// Reads snapshots from `snapshots` and the events behind them from `events`.
    #[must_use]
    pub fn new(events: Arc<dyn EventStore>, snapshots: Arc<dyn SnapshotStore>) -> Self {
        Self { events, snapshots }
    }

    /// The newest snapshots of these entities, in their order.
    async fn newest(&self, reads: &[RecoveryRead]) -> Result<Vec<Newest>, StoreError> {
        let mut loaded = Vec::with_capacity(reads.len());
        for read in reads {
            loaded.push(self.load(read).await?);
        }
        let snapshots: Vec<&Snapshot> =
            loaded.iter().filter_map(|found| found.as_ref().ok()?.as_ref()).collect();
        let mut covered = covered_events(&*self.events, &snapshots).await?.into_iter();
        let newest = |found: Result<Option<Snapshot>, ()>| match found {
            Err(()) => Newest::NeedsCare,
            Ok(None) => Newest::None,
            Ok(Some(snapshot)) => match covered.next().map(|covered| snapshot.fit(&covered)) {
                Some(SnapshotFit::Fits) => Newest::Fits(snapshot),
                _ => Newest::NeedsCare,
            },
        };
        Ok(loaded.into_iter().map(newest).collect())
    }

    /// The newest snapshot; `Err(())` inside when the store cannot read it.
    async fn load(&self, read: &RecoveryRead) -> Result<Result<Option<Snapshot>, ()>, StoreError> {
        if !read.snapshot {
            return Ok(Ok(None));
        }
        match self.snapshots.load(&read.entity, NEWEST).await {
            Ok(snapshot) => Ok(Ok(snapshot)),
            Err(StoreError::Corrupt { .. } | StoreError::Invalid { .. }) => Ok(Err(())),
            // whether the entity needs a snapshot is not known while the store is away
            Err(error) => Err(error),
        }
    }

    async fn with_care(
        &self,
        read: &RecoveryRead,
        limit: PageLimit,
    ) -> Result<Recovered, StoreError> {
        let (events, snapshots) = (&*self.events, &*self.snapshots);
        recover_carefully(events, snapshots, &read.entity, NEWEST, limit).await
    }
}

#[async_trait]
impl RecoveryStore for SeparateRecovery {
    async fn recover(
        &self,
        reads: &[RecoveryRead],
        limit: PageLimit,
    ) -> Result<Vec<Recovered>, StoreError> {
        let newest = self.newest(reads).await?;
        let after = |found: &Newest| match found {
            Newest::Fits(snapshot) => snapshot.sequence_nr,
            Newest::None | Newest::NeedsCare => SequenceNr::ZERO,
        };
        let plain = || reads.iter().zip(&newest).filter(|(_, n)| !matches!(n, Newest::NeedsCare));
        let tail = |(read, found): (&RecoveryRead, &Newest)| EntityRead {
            entity: read.entity.clone(),
            after: after(found),
        };
        let tails: Vec<EntityRead> = plain().map(tail).collect();
        let mut pages = self.events.read_entities(&tails, limit).await?.into_iter();
        let mut all = Vec::with_capacity(reads.len());
        for (read, found) in reads.iter().zip(newest) {
            let snapshot = match found {
                Newest::None => None,
                Newest::Fits(snapshot) => Some(snapshot),
                Newest::NeedsCare => {
                    all.push(self.with_care(read, limit).await?);
                    continue;
                }
            };
            let page = pages.next().ok_or_else(unanswered)?;
            let recovered = Recovered { snapshot, page, skipped: None };
            // between the two reads a newer snapshot was saved and what it covers deleted
            let overtaken = read.snapshot && recovered.page.floor > recovered.taken_at();
            all.push(if overtaken { self.with_care(read, limit).await? } else { recovered });
        }
        Ok(all)
    }
}
