use super::{
    super::{Incarnation, progress::Epoch},
    RolePartition,
};

/// Who owns a partition, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnerRow {
    /// What is owned.
    pub of: RolePartition,
    /// By whom, if by anyone.
    pub owner: Option<Incarnation>,
    /// How often it was claimed, released and freed.
    pub epoch: Epoch,
}

impl OwnerRow {
    /// This one.
    #[must_use]
    pub fn new(of: RolePartition, owner: Option<Incarnation>, epoch: Epoch) -> Self {
        Self { of, owner, epoch }
    }
}
