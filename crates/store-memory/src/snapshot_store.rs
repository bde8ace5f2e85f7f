use crate::{MemoryStore, entity_table::EntityTable};
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::{Snapshot, SnapshotDeletion, SnapshotStore, StoreError};
use async_trait::async_trait;
use std::{num::NonZeroU32, ops::RangeInclusive};

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

/// The snapshots of all entities.
pub(crate) struct Snapshots {
    /// Oldest first.
    of_entity: EntityTable<Vec<Snapshot>>,
}

impl Snapshots {
    /// The newest snapshot of `entity` at or before `at_most`.
    pub(crate) fn newest(&self, entity: &EntityKey, at_most: SequenceNr) -> Option<&Snapshot> {
        self.up_to(entity, at_most).last()
    }

    /// The snapshots of `entity` at or before `at_most`, oldest first.
    fn up_to(&self, entity: &EntityKey, at_most: SequenceNr) -> &[Snapshot] {
        let kept = self.of_entity.find(entity).map_or(&[][..], Vec::as_slice);
        &kept[..kept.partition_point(|snapshot| snapshot.sequence_nr <= at_most)]
    }

    fn save(&mut self, snapshot: &Snapshot) {
        let kept = self.of_entity.find_or_default(&snapshot.entity);
        match kept.binary_search_by_key(&snapshot.sequence_nr, |other| other.sequence_nr) {
            Ok(same) => kept[same] = snapshot.clone(),
            Err(place) => kept.insert(place, snapshot.clone()),
        }
    }

    fn delete(&mut self, entity: &EntityKey, numbers: &RangeInclusive<SequenceNr>) {
        if let Some(kept) = self.of_entity.find_mut(entity) {
            kept.retain(|snapshot| !numbers.contains(&snapshot.sequence_nr));
        }
    }
}

impl Default for Snapshots {
    fn default() -> Self {
        Self { of_entity: EntityTable::new(256) }
    }
}
