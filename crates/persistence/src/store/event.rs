use super::Incarnation;
use actum_model::{EntityKey, Partition, Position, SequenceNr, StoredPayload, Timestamp};
use bytes::Bytes;
use std::fmt;

/// Names one event in its journal for ever: the writer's incarnation, and a number that incarnation uses once.
///
/// A store keeps it with the event, so that after a lost connection it can recognise its own rows among foreign ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId {
    /// Who wrote the event.
    pub incarnation: Incarnation,
    /// Which of its events it is.
    pub nr: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.incarnation, self.nr)
    }
}

/// An event as its entity reads it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number within the entity.
    pub sequence_nr: SequenceNr,
    /// Its place in the lane.
    pub position: Position,
    /// What names it.
    pub event_id: EventId,
    /// When its command was handled.
    pub timestamp: Timestamp,
    /// What happened.
    pub payload: StoredPayload,
    /// The encoded metadata, see [`decode_metadata`](Self::decode_metadata); empty if there is none.
    pub metadata: Bytes,
}

impl StoredEvent {
    /// Its bytes: payload and metadata.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.payload.bytes.len() + self.metadata.len()
    }
}

/// An event as a consumer of the journal reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEvent {
    /// Whose event it is.
    pub entity: EntityKey,
    /// The partition of the entity.
    pub partition: Partition,
    /// The event.
    pub event: StoredEvent,
}
