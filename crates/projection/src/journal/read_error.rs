use actum_model::{DecodeError, EntityKey, InvalidKey, Revision, SequenceNr};
use actum_persistence::{serializer::MetadataError, store::StoreError};

/// Why the journal could not be read on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The store failed. Asking again reads from the same place, and helps if the store was only away; not if it panicked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Events were deleted after a snapshot while they were read. Asking again goes on behind them.
    #[error("events of {entity} up to {up_to} were deleted while they were read")]
    Deleted {
        /// Whose events they are.
        entity: EntityKey,
        /// The last one that is gone.
        up_to: SequenceNr,
    },
    /// No entity can have this kind or id.
    #[error(transparent)]
    Invalid(#[from] InvalidKey),
    /// The event is not of the type it is read as, or damaged. Asking again goes on behind it.
    #[error("event {sequence_nr} of {entity} cannot be decoded")]
    Undecodable {
        /// Whose event it is.
        entity: EntityKey,
        /// Its number.
        sequence_nr: SequenceNr,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The state is not of the type it is read as, or damaged. Asking again goes on behind it.
    #[error("the state of {entity} at revision {revision} cannot be decoded")]
    UndecodableState {
        /// Whose state it is.
        entity: EntityKey,
        /// Its revision.
        revision: Revision,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// What is stored beside the event is damaged. Asking again goes on behind it.
    #[error("the metadata of event {sequence_nr} of {entity} cannot be decoded")]
    Metadata {
        /// Whose event it is.
        entity: EntityKey,
        /// Its number.
        sequence_nr: SequenceNr,
        /// What is wrong with it.
        source: MetadataError,
    },
}
