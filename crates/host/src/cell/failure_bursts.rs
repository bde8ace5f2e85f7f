use crate::Burst;

/// The failures of all entities of one kind.
#[derive(Debug, Default)]
pub struct FailureBursts {
    pub(super) appends: Burst,
    pub(super) recoveries: Burst,
    pub(super) snapshots: Burst,
}
