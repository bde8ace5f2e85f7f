use super::joining::{JoinedNode, NotJoined};
use actum_model::Partition;
use actum_persistence::members::{ClusterSight, OwnerRow};
use actum_persistence::store::{Incarnation, StoreError};
use tokio::time::Instant;

/// What a task of a node that asks the store, or opens and closes partitions, has brought.
#[derive(Debug)]
pub(super) enum TaskResult {
    /// A renewal that was begun at that time. Where the membership had lapsed, the journal was checked behind it.
    Renewed { asked: Instant, sight: Result<ClusterSight, StoreError> },
    /// Claims of these partitions: those that this node owns now are open, if they can be opened.
    Claimed { partitions: Vec<Partition>, rows: Result<Vec<OwnerRow>, StoreError> },
    /// A partition of this node is closed, and everything it had sent is settled.
    Closed { partition: Partition },
    /// The journal was compared with what this node has committed.
    Compared,
    /// A partition that this node owns was opened, or one that it does not own was closed, as far as that is possible.
    Matched { partition: Partition, is_done: bool },
    /// Partitions that were closed are given back.
    Released { partitions: Vec<Partition>, rows: Result<Vec<OwnerRow>, StoreError> },
    /// A member that has failed was removed, unless it has renewed meanwhile.
    Revoked { member: Incarnation, done: Result<bool, StoreError> },
    /// The former membership has ended, and the node has tried to join again.
    Rejoined(Result<JoinedNode, NotJoined>),
}
