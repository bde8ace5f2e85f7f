use actum_model::{EntityKey, Lane, Metadata, Partition, Position, SequenceNr, Timestamp};
use actum_persistence::store::EventId;

/// An event as the journal keeps it, with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded<E> {
    /// Whose event it is.
    pub entity: EntityKey,
    /// The partition of the entity.
    pub partition: Partition,
    /// Its number within the entity.
    pub sequence_nr: SequenceNr,
    /// Its lane.
    pub lane: Lane,
    /// Its place in the lane.
    pub position: Position,
    /// What names it, for ever and in every copy of the journal.
    pub event_id: EventId,
    /// When its command was handled, by the clock of the node that did.
    pub timestamp: Timestamp,
    /// What came with the command: its id, correlation, causation, trace context and headers.
    pub metadata: Metadata,
    /// What happened.
    pub event: E,
}
