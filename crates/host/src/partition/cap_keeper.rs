use super::NextToLeave;
use crate::{Load, Moment};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

/// Lets the least recently used entities of an engine leave while it holds more than its cap, or while the command ids
/// they remember take more than their budget.
///
/// Only a partition can let its own cells go, so the cap is handed from partition to partition: always to the one
/// whose oldest cell is the oldest of all. One at a time keeps it.
pub struct CapKeeper {
    load: Arc<Load>,
    is_kept: AtomicBool,
}

/// A partition, as far as the cap needs it.
pub trait CapMember {
    /// When the least recently used of its cells was used, as far as it has said.
    fn oldest_use(&self) -> Moment;

    /// Makes it the one that keeps the cap, and wakes it. Says whether it will: it may have closed.
    fn hand_cap(&self) -> bool;

    /// Takes the cap over, if it was handed here.
    fn take_cap(&self) -> bool;
}

impl CapKeeper {
    pub fn new(load: Arc<Load>) -> Self {
        Self { load, is_kept: AtomicBool::new(false) }
    }

    /// Whether this partition keeps the cap: it was handed over, or no partition did yet.
    pub fn is_mine(&self, mine: &impl CapMember) -> bool {
        mine.take_cap() || self.begins()
    }

    /// Says which partition lets a cell go next; to be asked by the one that keeps the cap. `oldest` finds the one whose
    /// oldest cell is the oldest of all.
    pub fn next<'a, P: CapMember + 'a>(
        &self,
        mine: &impl CapMember,
        oldest: impl Fn() -> Option<&'a P>,
    ) -> NextToLeave {
        loop {
            while !self.load.has_too_many_entities() {
                self.end();
                // an entity that came before the end has found the cap being kept
                if !self.begins() {
                    return NextToLeave::NotMine;
                }
            }
            match oldest().filter(|other| other.oldest_use() < mine.oldest_use()) {
                Some(other) if other.hand_cap() => return NextToLeave::NotMine,
                Some(_) => {} // it has just closed, and none of its cells is left
                None => return NextToLeave::Mine,
            }
        }
    }

    /// Ends it: the next partition that finds too many entities begins again.
    pub fn end(&self) {
        self.is_kept.store(false, SeqCst);
    }

    fn begins(&self) -> bool {
        self.load.has_too_many_entities() && !self.is_kept.swap(true, SeqCst)
    }
}
