use super::{PartitionHandle, PartitionHandles};
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
    partitions: Arc<PartitionHandles>,
    is_kept: AtomicBool,
}

impl EntityCap {
    pub(crate) fn new(load: Arc<Load>, partitions: Arc<PartitionHandles>) -> Self {
        Self { load, partitions, is_kept: AtomicBool::new(false) }
    }

    /// Whether this partition keeps the cap: it was handed over, or no partition did yet.
    pub(super) fn is_mine(&self, partition: &PartitionHandle) -> bool {
        partition.take_cap() || self.begins()
    }

    /// Says which partition lets a cell go next; to be asked by the one that keeps the cap.
    pub(super) fn next(&self, mine: &PartitionHandle) -> NextToLeave {
        loop {
            while !self.load.has_too_many_entities() {
                self.end();
                // an entity that came before the end has found the cap being kept
                if !self.begins() {
                    return NextToLeave::NotMine;
                }
            }
            let oldest = self.partitions.iter().min_by_key(|partition| partition.oldest_use());
            match oldest.filter(|partition| partition.oldest_use() < mine.oldest_use()) {
                Some(other) if other.hand_cap() => return NextToLeave::NotMine,
                Some(_) => {} // it has just closed, and none of its cells is left
                None => return NextToLeave::Mine,
            }
        }
    }

    /// Ends it: the next partition that finds too many entities begins again.
    pub(crate) fn end(&self) {
        self.is_kept.store(false, SeqCst);
    }

    fn begins(&self) -> bool {
        self.load.has_too_many_entities() && !self.is_kept.swap(true, SeqCst)
    }
}
