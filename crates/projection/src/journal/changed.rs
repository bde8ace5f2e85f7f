use super::{ReadError, Recorded};
use actum_model::{EntityKey, Lane, Partition, Position, Revision, Timestamp};
use actum_persistence::store::EventId;

/// A durable state as it was left by its last write, with what is known of that.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changed<S> {
    /// Whose state it is.
    pub entity: EntityKey,
    /// The partition of the entity.
    pub partition: Partition,
    /// How often the entity was written.
    pub revision: Revision,
    /// The lane of the entity.
    pub lane: Lane,
    /// The place of the write among the changes of the lane; it has nothing to do with the positions of events.
    pub position: Position,
    /// What names the write, for ever and in every copy of the journal.
    pub write_id: EventId,
    /// When the last of its commands was handled, by the clock of the node that did.
    pub timestamp: Timestamp,
    /// The state; `None` once it was deleted.
    pub state: Option<S>,
}

/// What was read as if it were an event.
impl<S> From<Recorded<Option<S>>> for Changed<S> {
    fn from(read: Recorded<Option<S>>) -> Self {
        Self {
            entity: read.entity,
            partition: read.partition,
            revision: read.sequence_nr.into(),
            lane: read.lane,
            position: read.position,
            write_id: read.event_id,
            timestamp: read.timestamp,
            state: read.event,
        }
    }
}

/// Says of a state what was said of an event.
pub(super) fn of_state(error: ReadError) -> ReadError {
    match error {
        ReadError::Undecodable { entity, sequence_nr, source } => {
            ReadError::UndecodableState { entity, revision: sequence_nr.into(), source }
        }
        error => error,
    }
}
