use actum_model::{EntityKey, Lane, Partition, Position, SequenceNr, Timestamp};
use std::sync::Arc;

/// An entity whose events are held back, because one of them could not be handled. Kept is where that event is, and not the
/// events: those are in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedEntity {
    /// The entity.
    pub entity: EntityKey,
    /// The partition of the entity.
    pub partition: Partition,
    /// Its lane.
    pub lane: Lane,
    /// Its first event that was not handled.
    pub from: SequenceNr,
    /// The place of that event.
    pub position: Position,
    /// What went wrong, with everything that caused it, in one line.
    pub error: Arc<str>,
    /// How often the event was tried.
    pub attempts: u32,
    /// When it was parked, by the clock of the runner.
    pub parked_at: Timestamp,
    /// What is asked of its runner.
    pub request: Option<ParkedRequest>,
}

/// What is asked of the runner that has parked an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParkedRequest {
    /// Handle the events that were held back, and go on with the entity.
    Replay,
    /// Go on with the entity, and never handle what was held back.
    Discard,
}
