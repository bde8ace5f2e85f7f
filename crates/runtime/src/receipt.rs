use actum_model::{Lane, Position, SequenceNr};

/// Where a command left its entity: what to wait for when a read model must show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The entity's last event, or revision, that the answer depends on.
    pub sequence_nr: SequenceNr,
    /// The lane of the entity.
    pub lane: Lane,
    /// A position in that lane at or behind everything the answer depends on; zero for durable state and for an entity
    /// without events.
    pub position: Position,
}
