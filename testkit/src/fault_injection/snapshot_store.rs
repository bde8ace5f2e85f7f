use super::{FaultStore, Operation, call::Call};
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::{Snapshot, SnapshotStore, StoreError};
use async_trait::async_trait;

#[async_trait]
impl SnapshotStore for FaultStore {
    async fn save(&self, snapshots: &[Snapshot]) -> Result<(), StoreError> {
        let call = Call::begin(&self.faults, Operation::SaveSnapshots);
        self.faults.script().counts.snapshots += snapshots.len() as u64;
        call.run(self.inner.snapshots.save(snapshots)).await
    }

    async fn load(
        &self,
        entity: &EntityKey,
        at_most: SequenceNr,
    ) -> Result<Option<Snapshot>, StoreError> {
        let call = Call::begin(&self.faults, Operation::LoadSnapshot);
        call.read(self.inner.snapshots.load(entity, at_most)).await
    }

    async fn prune(&self, entity: &EntityKey, keep: u32) -> Result<Option<SequenceNr>, StoreError> {
        let call = Call::begin(&self.faults, Operation::PruneSnapshots);
        call.run(self.inner.snapshots.prune(entity, keep)).await
    }

    async fn close(&self) {
        self.inner.snapshots.close().await;
    }
}
