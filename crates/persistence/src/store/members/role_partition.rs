use actum_model::Partition;
use std::{fmt, sync::Arc};

/// A partition in one role: what a member owns. The entities of a partition have one owner for each role of their kinds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RolePartition {
    /// The role, at most 64 bytes without NUL; empty for kinds that need none.
    pub role: Arc<str>,
    /// The partition.
    pub partition: Partition,
}

/// `17`, and with a role `17 of billing`.
impl fmt::Display for RolePartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, partition } = self;
        if role.is_empty() { write!(f, "{partition}") } else { write!(f, "{partition} of {role}") }
    }
}
