use std::time::Duration;

/// A batch that was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommittedBatch {
    /// How many entities wrote; those that conflicted are not counted.
    pub writes: usize,
    /// How many events they wrote; of durable states, how many revisions.
    pub events: u64,
    /// How many bytes of payload and metadata.
    pub bytes: usize,
    /// From the moment it was handed to the store until that has answered.
    pub took: Duration,
}
