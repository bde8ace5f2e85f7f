use super::RolePartition;
use std::fmt;

/// Counts the changes of one partition's owner: each claim, release and revocation. Zero for one that was never claimed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerEpoch(u64);

/// Asks for a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerClaim {
    /// Which.
    pub of: RolePartition,
    /// The epoch in which it was seen without an owner.
    pub seen: OwnerEpoch,
}

impl OwnerEpoch {
    /// Of a partition that was never claimed.
    pub const ZERO: Self = Self(0);

    /// The epoch `epoch`.
    #[must_use]
    pub const fn new(epoch: u64) -> Self {
        Self(epoch)
    }

    /// As a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The one behind it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for OwnerEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
