use std::fmt;

/// The version of the application that a member runs, as its user numbers it. Greater is newer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppVersion {
    /// Counts first.
    pub major: u64,
    /// Counts when the first are equal.
    pub minor: u64,
    /// Counts when those are equal, too.
    pub patch: u64,
}

impl AppVersion {
    /// The version `major.minor.patch`.
    #[must_use]
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self { major, minor, patch }
    }
}

/// `1.4.2`
impl fmt::Display for AppVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}
