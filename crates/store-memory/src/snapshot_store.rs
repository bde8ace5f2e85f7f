use crate::{MemoryStore, entity_table::EntityTable};
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::{Snapshot, SnapshotStore, StoreError};
use async_trait::async_trait;

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

    async fn prune(&self, entity: &EntityKey, keep: u32) -> Result<Option<SequenceNr>, StoreError> {
        let _open = self.writing("pruning snapshots")?;
        Ok(self.snapshots().write().prune(entity, keep as usize))
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
        let kept = self.of_entity.find(entity)?;
        let behind = kept.partition_point(|snapshot| snapshot.sequence_nr <= at_most);
        kept.get(behind.checked_sub(1)?)
    }

    fn save(&mut self, snapshot: &Snapshot) {
        let kept = self.of_entity.find_or_default(&snapshot.entity);
        match kept.binary_search_by_key(&snapshot.sequence_nr, |other| other.sequence_nr) {
            Ok(same) => kept[same] = snapshot.clone(),
            Err(place) => kept.insert(place, snapshot.clone()),
        }
    }

    fn prune(&mut self, entity: &EntityKey, keep: usize) -> Option<SequenceNr> {
        let kept = self.of_entity.find_mut(entity)?;
        kept.drain(..kept.len().saturating_sub(keep));
        kept.first().map(|oldest| oldest.sequence_nr)
    }
}

impl Default for Snapshots {
    fn default() -> Self {
        Self { of_entity: EntityTable::new(256) }
    }
}
