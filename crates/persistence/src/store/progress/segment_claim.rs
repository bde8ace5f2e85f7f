use super::{Epoch, ProjectionId, Segment};
use std::sync::Arc;

/// Asks for a segment that was seen without an owner who lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentClaim {
    /// The projection.
    pub projection: ProjectionId,
    /// The segment.
    pub segment: Segment,
    /// Who wants to run it; it has [renewed](super::ProgressStore::renew).
    pub runner: Arc<str>,
    /// The epoch it was seen in.
    pub epoch: Epoch,
    /// The owner that was seen not to renew; none if it had no owner.
    pub replaces: Option<SeenOwner>,
}

/// An owner of a segment that has not renewed while it was watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenOwner {
    /// Its name.
    pub name: Arc<str>,
    /// How often it had renewed; none if it is not entered as a runner.
    pub renewal: Option<u64>,
}
