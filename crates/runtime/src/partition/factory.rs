use super::{PartitionHandle, Surroundings, served::ServedPartition, shell::PartitionShell};
use actum_host::partition::HostedKind;
use actum_model::Partition;
use std::sync::Arc;

/// Makes the cells of a kind in a partition, empty.
pub(crate) type HostPlan = Box<dyn Fn(Partition) -> Box<dyn HostedKind> + Send + Sync>;

/// Makes what an actor of a partition works on, for its first actor and for every later one.
pub(crate) struct PartitionFactory {
    pub(crate) surroundings: Arc<Surroundings>,
    /// In the order of the kinds.
    pub(crate) hosts: Vec<HostPlan>,
}

impl PartitionFactory {
    /// Makes a partition without cells.
    pub(super) fn make(&self, handle: &Arc<PartitionHandle>) -> ServedPartition {
        self.surroundings.cap.end(); // a former actor may have failed in the middle of one
        let kinds = self.hosts.iter().map(|host| host(handle.partition)).collect();
        ServedPartition::new(
            PartitionShell::new(Arc::clone(&self.surroundings), Arc::clone(handle)),
            kinds,
        )
    }
}
