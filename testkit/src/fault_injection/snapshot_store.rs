use super::{FaultStore, Operation, call::Call};
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::{Snapshot, SnapshotDeletion, SnapshotStore, StoreError};
use async_trait::async_trait;
use std::num::NonZeroU32;

#[async_trait]
impl SnapshotStore for FaultStore {
    async fn save(&self, snapshots: &[Snapshot]) -> Result<(), StoreError> {
        let call = Call::begin(&self.faults, Operation::SaveSnapshots);
        self.faults.script().counts.snapshots += snapshots.len() as u64;
        call.run(self.stores().snapshots.save(snapshots)).await
    }

    async fn load(
        &self,
        entity: &EntityKey,
        at_most: SequenceNr,
    ) -> Result<Option<Snapshot>, StoreError> {
        let call = Call::begin(&self.faults, Operation::LoadSnapshot);
        call.read(self.stores().snapshots.load(entity, at_most)).await
    }

    async fn list(
        &self,
        entity: &EntityKey,
        at_most: SequenceNr,
        limit: NonZeroU32,
    ) -> Result<Vec<SequenceNr>, StoreError> {
        let call = Call::begin(&self.faults, Operation::ListSnapshots);
        call.run(self.stores().snapshots.list(entity, at_most, limit)).await
    }

    async fn prune_snapshots(&self, deletions: &[SnapshotDeletion]) -> Result<(), StoreError> {
        let call = Call::begin(&self.faults, Operation::DeleteSnapshots);
        call.run(self.stores().snapshots.prune_snapshots(deletions)).await
    }

    async fn close(&self) {
        self.stores().snapshots.close().await;
    }
}
