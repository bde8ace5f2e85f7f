use crate::MemoryStore;
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::{Snapshot, SnapshotDeletion, SnapshotStore, StoreError};
use async_trait::async_trait;
use std::num::NonZeroU32;

#[async_trait]
impl SnapshotStore for MemoryStore {
    async fn save(&self, snapshots: &[Snapshot]) -> Result<(), StoreError> {
        Snapshot::check_all(snapshots)?;
        let _open = self.writing("saving snapshots")?;
        let mut kept = self.snapshots().write();
        snapshots.iter().for_each(|snapshot| kept.save(snapshot));
        Ok(())
    }

    async fn load(
        &self,
        entity: &EntityKey,
        at_most: SequenceNr,
    ) -> Result<Option<Snapshot>, StoreError> {
        self.check_open("loading a snapshot")?;
        Ok(self.snapshots().read().newest(entity, at_most).cloned())
    }

    async fn list(
        &self,
        entity: &EntityKey,
        at_most: SequenceNr,
        limit: NonZeroU32,
    ) -> Result<Vec<SequenceNr>, StoreError> {
        self.check_open("listing snapshots")?;
        let snapshots = self.snapshots().read();
        let newest = snapshots.up_to(entity, at_most).iter().rev();
        Ok(newest.take(limit.get() as usize).map(|snapshot| snapshot.sequence_nr).collect())
    }

    async fn prune_snapshots(&self, deletions: &[SnapshotDeletion]) -> Result<(), StoreError> {
        SnapshotDeletion::check_all(deletions)?;
        let _open = self.writing("deleting snapshots")?;
        let mut kept = self.snapshots().write();
        deletions.iter().for_each(|deletion| kept.delete(&deletion.entity, &deletion.numbers));
        Ok(())
    }

    async fn close(&self) {
        self.close_handle();
    }
}
