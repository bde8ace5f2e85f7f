use super::EventId;
use actum_model::{EntityKey, Partition, Position, Revision, StoredPayload, Timestamp};

/// The last change of a durable state, as a consumer of changes reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedState {
    /// Whose state it is.
    pub entity: EntityKey,
    /// The partition of the entity.
    pub partition: Partition,
    /// Its place among the changes of the lane.
    pub position: Position,
    /// The revision it has led to.
    pub revision: Revision,
    /// When the last of its commands was handled.
    pub timestamp: Timestamp,
    /// Which write it was.
    pub write_id: EventId,
    /// The state; `None` once it was deleted.
    pub state: Option<StoredPayload>,
}
