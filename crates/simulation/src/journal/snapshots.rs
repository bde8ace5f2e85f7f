use super::{Journal, number_of};
use actum_persistence::store::Snapshot;
use bytes::Bytes;

/// A snapshot in the store.
pub(crate) struct Kept {
    pub(crate) snapshot: Snapshot,
    /// Whether it can be read back.
    pub(crate) readable: bool,
}

impl Journal {
    pub(crate) fn save(&mut self, snapshot: Snapshot) {
        let kept = &mut self.snapshots[number_of(&snapshot.entity) as usize];
        let place = kept.binary_search_by_key(&snapshot.sequence_nr, |at| at.snapshot.sequence_nr);
        let new = Kept { snapshot, readable: true };
        match place {
            Ok(same) => kept[same] = new,
            Err(place) => kept.insert(place, new),
        }
    }

    /// Damages a snapshot in one of four ways.
    pub(crate) fn spoil(&mut self, entity: u32, place: usize, how: u64) {
        let Kept { snapshot, readable } = &mut self.snapshots[entity as usize][place];
        *readable = false;
        match how {
            0 => snapshot.state.bytes = Bytes::from_static(&[0xff]), // panics
            1 => snapshot.state.bytes = Bytes::from_static(&[1, 2, 3]),
            2 => snapshot.state.schema_version = 99,
            _ => snapshot.recent_commands = Bytes::from_static(&[0xff; 3]),
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

    /// Whether the entity could not be recovered without this snapshot.
    pub(crate) fn needs(&self, entity: u32, place: usize) -> bool {
        let floor = self.histories[entity as usize].floor;
        let mut others = self.snapshots[entity as usize].iter().enumerate();
        floor > 0 && !others.any(|(at, kept)| at != place && kept.reaches(floor))
    }

    /// Whether the entity cannot be recovered any more: events are deleted, and no readable snapshot reaches as far.
    pub(crate) fn is_lost(&self, entity: u32) -> bool {
        let floor = self.histories[entity as usize].floor;
        floor > 0 && !self.snapshots[entity as usize].iter().any(|kept| kept.reaches(floor))
    }
}

impl Kept {
    fn reaches(&self, floor: u64) -> bool {
        self.readable && self.snapshot.sequence_nr.get() >= floor
    }
}
