use super::Door;
use crate::load::Load;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

/// Lets the least recently used entities of an engine leave while it holds more than its cap.
///
/// Only a partition can let its own cells go, so the eviction is handed from partition to partition: always to the one
/// whose oldest cell is the oldest of all. One is under way at a time.
pub(crate) struct Eviction {
    load: Arc<Load>,
    doors: Arc<[Arc<Door>]>,
    under_way: AtomicBool,
}

/// Who lets a cell go next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Mine,
    /// Another partition, which knows, or nobody.
    NotMine,
}

impl Eviction {
    pub(crate) fn new(load: Arc<Load>, doors: Arc<[Arc<Door>]>) -> Self {
        Self { load, doors, under_way: AtomicBool::new(false) }
    }

    /// Whether the partition at this door has the eviction: it was handed over, or begins.
    pub(crate) fn is_mine(&self, door: &Door) -> bool {
        door.take_eviction() || self.begins()
    }

    /// Says who lets a cell go next; to be asked by the partition that has the eviction.
    pub(crate) fn next(&self, mine: &Door) -> Next {
        while !self.load.has_too_many_entities() {
            self.end();
            // an entity that came before the end has found the eviction under way
            if !self.begins() {
                return Next::NotMine;
            }
        }
        let oldest = self.doors.iter().min_by_key(|door| door.oldest_use());
        match oldest.filter(|door| door.oldest_use() < mine.oldest_use()) {
            Some(other) => {
                other.hand_eviction();
                Next::NotMine
            }
            None => Next::Mine,
        }
    }

    /// Ends it: whoever finds too many entities begins another one.
    pub(crate) fn end(&self) {
        self.under_way.store(false, SeqCst);
    }

    fn begins(&self) -> bool {
        self.load.has_too_many_entities() && !self.under_way.swap(true, SeqCst)
    }
}
