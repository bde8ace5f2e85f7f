use super::super::EventId;
use actum_model::{EntityKey, Lane, Partition, Position, SequenceNr, Timestamp};
use std::sync::Arc;

/// An event that was skipped, because it could not be handled. Kept is where it is, and not the event: that is in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where it is.
    pub place: DeadLetterPlace,
    /// Whose event it is.
    pub entity: EntityKey,
    /// The partition of the entity.
    pub partition: Partition,
    /// Its number within the entity.
    pub sequence_nr: SequenceNr,
    /// Its name.
    pub event_id: EventId,
    /// Its manifest.
    pub manifest: Arc<str>,
    /// What went wrong, with everything that caused it, in one line.
    pub error: Arc<str>,
    /// How often it was tried; 0 if it could not be decoded.
    pub attempts: u32,
    /// When it was skipped, by the clock of the runner.
    pub skipped_at: Timestamp,
    /// Whether its runner is asked to handle it again.
    pub is_requested: bool,
}

/// The place of a dead letter in the journal: there is one at most for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeadLetterPlace {
    /// The lane.
    pub lane: Lane,
    /// The place in the lane.
    pub position: Position,
}
