use crate::store::StoreError;
use actum_model::{Partition, Position, SequenceNr};

/// A write is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The position of its last event; `None` for a durable state.
    pub last: Option<Position>,
}

/// Why a write is not known to be stored. Exhaustive on purpose: a sink must have an answer to each of these.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommitError {
    /// The entity is somewhere else than expected. Nothing of the write is stored.
    #[error("the journal has the entity at {actual}")]
    Conflict {
        /// Its sequence number, or revision, in the store.
        actual: SequenceNr,
    },
    /// The writer does not own the partition any more. Nothing of the write is stored.
    #[error("the partition does not belong to this writer any more")]
    NotOwned,
    /// The store failed. Nothing of the write is stored, except perhaps after [`StoreError::OutcomeUnknown`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The outcome of one write.
#[derive(Clone, Debug)]
pub struct Settled<T> {
    /// The ticket it was submitted with.
    pub ticket: T,
    /// The partition of its entity.
    pub partition: Partition,
    /// Whether it is stored.
    pub result: Result<Committed, CommitError>,
}
