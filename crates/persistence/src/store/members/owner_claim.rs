use super::{super::progress::Epoch, RolePartition};

/// Asks for a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerClaim {
    /// Which.
    pub of: RolePartition,
    /// The epoch in which it was seen without an owner.
    pub seen: Epoch,
}
