use std::{fmt, time::Duration};

/// What all members of a cluster must agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterTerms {
    /// The name of the cluster, 1 to 64 bytes without NUL: two clusters do not share a journal.
    pub cluster: String,
    /// How long a member relies on its membership after it joined and after each renewal, by its own clock: 1 ms to a day,
    /// in whole milliseconds.
    pub lease: Duration,
}

impl fmt::Display for ClusterTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster, lease } = self;
        write!(f, "the cluster `{cluster}` with leases of {lease:?}")
    }
}
