use crate::MemoryStore;
use actum_model::SequenceNr;
use actum_persistence::store::{
    Answered, CoveredEvent, PageLimit, Recovered, RecoveryRead, RecoveryStore, SnapshotFit,
    StoreError, complete_recovery,
};
use async_trait::async_trait;

const NEWEST: SequenceNr = SequenceNr::new(u64::MAX);

#[async_trait]
impl RecoveryStore for MemoryStore {
    async fn recover(
        &self,
        reads: &[RecoveryRead],
        limit: PageLimit,
    ) -> Result<Vec<Recovered>, StoreError> {
        self.check_open("recovering entities")?;
        let answers = reads.iter().map(|read| self.recover_one(read, limit)).collect();
        complete_recovery(self, reads, limit, Ok(answers)).await
    }
}

impl MemoryStore {
    fn recover_one(&self, read: &RecoveryRead, limit: PageLimit) -> Answered {
        // held until the events are read: events are deleted only after a newer snapshot is saved, and it cannot be
        let snapshots = self.snapshots().read();
        let lane = self.lane_of(&read.entity).read();
        let mut recovered = Recovered::default();
        if let Some(newest) =
            read.snapshot.then(|| snapshots.newest(&read.entity, NEWEST)).flatten()
        {
            let before = newest.sequence_nr.previous();
            let page = lane.read_entity(&read.entity, before, PageLimit::one_event());
            let covered = CoveredEvent::of(&page, newest.sequence_nr);
            if newest.fit(&covered) != SnapshotFit::Fits {
                return Answered::NeedsCare;
            }
            recovered.snapshot = Some(newest.clone());
        }
        recovered.page = lane.read_entity(&read.entity, recovered.taken_at(), limit);
        Answered::Recovered(recovered)
    }
}
