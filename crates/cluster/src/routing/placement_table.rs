use actum_model::{Partition, PartitionCount};
use actum_persistence::members::TableVersion;
use actum_persistence::store::Incarnation;
use std::sync::atomic::{AtomicU64, Ordering};

/// Who owns which partition, as this node has read it last. Reading takes no lock.
#[derive(Debug)]
pub(crate) struct PlacementTable {
    /// The incarnation of each owner; zero where there is none.
    owners: Box<[AtomicU64]>,
    version: AtomicU64,
}

impl PlacementTable {
    /// Nothing is owned, as far as is known.
    pub(crate) fn new(partitions: PartitionCount) -> Self {
        let owners = partitions.iter().map(|_| AtomicU64::new(0)).collect();
        Self { owners, version: AtomicU64::new(0) }
    }

    pub(crate) fn owner(&self, partition: Partition) -> Option<Incarnation> {
        let owner = self.owners.get(partition.index())?.load(Ordering::Acquire);
        (owner > 0).then(|| Incarnation::new(owner))
    }

    /// The version of the table that was read last.
    pub(crate) fn version(&self) -> TableVersion {
        TableVersion::new(self.version.load(Ordering::Acquire))
    }

    /// Takes in what was read, the first for partition 0. Only one task does that.
    pub(crate) fn set(&self, version: TableVersion, owners: &[Option<Incarnation>]) {
        for (kept, owner) in self.owners.iter().zip(owners) {
            kept.store(owner.map_or(0, Incarnation::get), Ordering::Release);
        }
        self.version.store(version.get(), Ordering::Release);
    }

    /// Takes in the outcome of a claim or a release of this node, which the version of a later read includes.
    pub(crate) fn set_owner(&self, partition: Partition, owner: Option<Incarnation>) {
        if let Some(kept) = self.owners.get(partition.index()) {
            kept.store(owner.map_or(0, Incarnation::get), Ordering::Release);
        }
    }
}
