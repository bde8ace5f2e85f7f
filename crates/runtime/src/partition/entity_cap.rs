use super::Door;
use actum_host::Load;
use actum_host::partition::NextToLeave;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

/// Lets the least recently used entities of an engine leave while it holds more than its cap, or while the command ids
/// they remember take more than their budget.
///
/// Only a partition can let its own cells go, so the cap is handed from partition to partition: always to the one
/// whose oldest cell is the oldest of all. One at a time keeps it.
pub(crate) struct EntityCap {
    load: Arc<Load>,
    doors: Arc<[Arc<Door>]>,
    is_kept: AtomicBool,
}

impl EntityCap {
    pub(crate) fn new(load: Arc<Load>, doors: Arc<[Arc<Door>]>) -> Self {
        Self { load, doors, is_kept: AtomicBool::new(false) }
    }

    /// Whether the partition at this door keeps the cap: it was handed over, or nobody did yet.
    pub(crate) fn is_mine(&self, door: &Door) -> bool {
        door.take_cap() || self.begins()
    }

    /// Says who lets a cell go next; to be asked by the partition that keeps the cap.
    pub(crate) fn next(&self, mine: &Door) -> NextToLeave {
        while !self.load.has_too_many_entities() {
            self.end();
            // an entity that came before the end has found the cap being kept
            if !self.begins() {
                return NextToLeave::NotMine;
            }
        }
        let oldest = self.doors.iter().min_by_key(|door| door.oldest_use());
        match oldest.filter(|door| door.oldest_use() < mine.oldest_use()) {
            Some(other) => {
                other.hand_cap();
                NextToLeave::NotMine
            }
            None => NextToLeave::Mine,
        }
    }

    /// Ends it: whoever finds too many entities begins anew.
    pub(crate) fn end(&self) {
        self.is_kept.store(false, SeqCst);
    }

    fn begins(&self) -> bool {
        self.load.has_too_many_entities() && !self.is_kept.swap(true, SeqCst)
    }
}
