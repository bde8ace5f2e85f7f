use crate::MemoryStore;
use actum_model::SequenceNr;
use actum_persistence::store::{PageLimit, Recovered, RecoveryRead, RecoveryStore, StoreError};
use async_trait::async_trait;

#[async_trait]
impl RecoveryStore for MemoryStore {
    async fn recover(
        &self,
        reads: &[RecoveryRead],
        limit: PageLimit,
    ) -> Result<Vec<Recovered>, StoreError> {
        self.check_open("recovering entities")?;
        Ok(reads.iter().map(|read| self.recover_one(read, limit)).collect())
    }
}

impl MemoryStore {
    fn recover_one(&self, read: &RecoveryRead, limit: PageLimit) -> Recovered {
        // held until the events are read: events are deleted only after a newer snapshot is saved, and it cannot be
        let snapshots = self.snapshots().read();
        let newest = || snapshots.newest(&read.entity, SequenceNr::new(u64::MAX));
        let snapshot = read.snapshot.then(newest).flatten().cloned();
        let after = snapshot.as_ref().map_or(SequenceNr::ZERO, |found| found.sequence_nr);
        let page = self.lane_of(&read.entity).read().read_entity(&read.entity, after, limit);
        Recovered { snapshot, page }
    }
}
