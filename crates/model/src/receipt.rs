use crate::{Lane, Position, Revision, SequenceNr};

/// Where a command left its entity: what to wait for when a read model must show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The entity's last event, or revision, that the answer depends on.
    pub sequence_nr: SequenceNr,
    /// The lane of the entity.
    pub lane: Lane,
    /// A position in that lane at or behind everything the answer depends on. `None` for durable states, and as long as
    /// an entity has read and stored no event since it came into memory: without any, or right behind a snapshot.
    pub position: Option<Position>,
}

impl Receipt {
    /// A receipt of a command that left its entity at `sequence_nr`; for tests of code that takes one.
    #[must_use]
    pub fn new(sequence_nr: SequenceNr, lane: Lane, position: Option<Position>) -> Self {
        Self { sequence_nr, lane, position }
    }
}

/// The revision an entity is at as long as nothing else changes it: what the next command may
/// expect.
impl From<Receipt> for Revision {
    fn from(receipt: Receipt) -> Self {
        receipt.sequence_nr.into()
    }
}
