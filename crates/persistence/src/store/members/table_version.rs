use std::fmt;

/// Counts the changes of a cluster's members and owners. It only grows, also when all members leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableVersion(u64);

impl TableVersion {
    /// Before anything was changed.
    pub const ZERO: Self = Self(0);

    /// The version `version`.
    #[must_use]
    pub const fn new(version: u64) -> Self {
        Self(version)
    }

    /// As a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TableVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
