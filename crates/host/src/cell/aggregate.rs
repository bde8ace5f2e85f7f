use super::CommandIds;
use actum_model::{Entity, Position, SequenceNr, Timestamp};
use actum_persistence::store::CommandRecord;

/// The value inside an entity: its state, what led to it, and the commands it remembers.
pub struct Aggregate<E: Entity> {
    pub state: E,
    /// The last event, or revision, the state has seen.
    pub sequence_nr: SequenceNr,
    /// The position of the last event that was read or committed; zero for durable state.
    pub position: Position,
    /// When the last event was stored: what ties a snapshot of the state to it. Not kept for durable state.
    pub timestamp: Timestamp,
    /// The event the newest snapshot covers.
    pub snapshot_nr: SequenceNr,
    pub ids: CommandIds,
    /// Records that lie beside the state, where schema version 1 kept them: the next write moves them.
    pub unmoved: Option<Box<Unmoved>>,
}

/// Records of commands, oldest first. Rare, so an aggregate spends one word on them.
pub struct Unmoved(pub Vec<CommandRecord>);

impl<E: Entity> Aggregate<E> {
    pub fn new(state: E) -> Self {
        Self {
            state,
            sequence_nr: SequenceNr::ZERO,
            position: Position::ZERO,
            timestamp: Timestamp::default(),
            snapshot_nr: SequenceNr::ZERO,
            ids: CommandIds::default(),
            unmoved: None,
        }
    }
}
