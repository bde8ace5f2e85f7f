use super::{Journal, number_of};
use actum_persistence::store::Snapshot;

/// A snapshot in the store.
pub(crate) struct Kept {
    pub(crate) snapshot: Snapshot,
    /// Whether it can be read back.
    pub(crate) readable: bool,
}

impl Journal {
    pub(crate) fn save(&mut self, snapshot: Snapshot, readable: bool) {
        let kept = &mut self.snapshots[number_of(&snapshot.entity) as usize];
        let place = kept.binary_search_by_key(&snapshot.sequence_nr, |at| at.snapshot.sequence_nr);
        let new = Kept { snapshot, readable };
        match place {
            Ok(same) => kept[same] = new,
            Err(place) => kept.insert(place, new),
        }
    }

    /// Deletes all but the newest `keep` snapshots of an entity; says the number of the oldest that is left.
    pub(crate) fn prune(&mut self, entity: u32, keep: usize) -> Option<u64> {
        let kept = &mut self.snapshots[entity as usize];
        kept.drain(..kept.len().saturating_sub(keep));
        kept.first().map(|oldest| oldest.snapshot.sequence_nr.get())
    }

    pub(crate) fn snapshots(&self, entity: u32) -> &[Kept] {
        &self.snapshots[entity as usize]
    }

    /// Whether the entity cannot be recovered any more: events are deleted, and no readable snapshot reaches as far.
    pub(crate) fn is_lost(&self, entity: u32) -> bool {
        let floor = self.histories[entity as usize].floor;
        let reaches = |kept: &Kept| kept.readable && kept.snapshot.sequence_nr.get() >= floor;
        floor > 0 && !self.snapshots[entity as usize].iter().any(reaches)
    }
}
