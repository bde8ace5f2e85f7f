use crate::entity_table::EntityTable;
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::Snapshot;
use std::ops::RangeInclusive;

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
    pub(crate) fn up_to(&self, entity: &EntityKey, at_most: SequenceNr) -> &[Snapshot] {
        let kept = self.of_entity.find(entity).map_or(&[][..], Vec::as_slice);
        &kept[..kept.partition_point(|snapshot| snapshot.sequence_nr <= at_most)]
    }

    pub(crate) fn save(&mut self, snapshot: &Snapshot) {
        let kept = self.of_entity.find_or_default(&snapshot.entity);
        match kept.binary_search_by_key(&snapshot.sequence_nr, |other| other.sequence_nr) {
            Ok(same) => kept[same] = snapshot.clone(),
            Err(place) => kept.insert(place, snapshot.clone()),
        }
    }

    pub(crate) fn delete(&mut self, entity: &EntityKey, numbers: &RangeInclusive<SequenceNr>) {
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
