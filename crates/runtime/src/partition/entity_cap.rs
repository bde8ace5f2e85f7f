use super::{PartitionHandle, PartitionHandles};
use actum_host::{
    Load, Moment,
    partition::{CapKeeper, CapMember, NextToLeave},
};
use std::sync::Arc;

/// The cap on entities in memory, which the partitions of an engine share.
pub(crate) struct EntityCap {
    keeper: CapKeeper,
    partitions: Arc<PartitionHandles>,
}

impl EntityCap {
    pub(crate) fn new(load: Arc<Load>, partitions: Arc<PartitionHandles>) -> Self {
        Self { keeper: CapKeeper::new(load), partitions }
    }

    /// Whether this partition keeps the cap: it was handed over, or no partition did yet.
    pub(super) fn is_mine(&self, partition: &PartitionHandle) -> bool {
        self.keeper.is_mine(partition)
    }

    /// Says which partition lets a cell go next; to be asked by the one that keeps the cap.
    pub(super) fn next(&self, mine: &PartitionHandle) -> NextToLeave {
        self.keeper
            .next(mine, || self.partitions.iter().map(|it| &**it).min_by_key(|it| it.oldest_use()))
    }

    /// Ends it: the next partition that finds too many entities begins again.
    pub(crate) fn end(&self) {
        self.keeper.end();
    }
}

impl CapMember for PartitionHandle {
    fn oldest_use(&self) -> Moment {
        self.oldest_use()
    }

    fn hand_cap(&self) -> bool {
        self.hand_cap()
    }

    fn take_cap(&self) -> bool {
        self.take_cap()
    }
}
