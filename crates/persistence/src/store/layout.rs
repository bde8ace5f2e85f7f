use actum_model::{LaneCount, PartitionCount};

/// How a journal is divided; fixed when it is created. Exhaustive on purpose: every journal stores these two numbers,
/// and with a third it would be in another format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalLayout {
    /// The number of partitions, 256 by default.
    pub partitions: PartitionCount,
    /// The number of lanes, 1 by default.
    pub lanes: LaneCount,
}
