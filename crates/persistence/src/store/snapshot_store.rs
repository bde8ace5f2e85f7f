use super::StoreError;
use actum_model::{EntityKey, SequenceNr, StoredPayload, Timestamp};
use async_trait::async_trait;
use bytes::Bytes;

/// The state of an event-sourced entity after an event, so that recovery need not replay what came before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The entity.
    pub entity: EntityKey,
    /// The last event the state has seen.
    pub sequence_nr: SequenceNr,
    /// When it was taken.
    pub timestamp: Timestamp,
    /// The state.
    pub state: StoredPayload,
    /// The encoded commands the entity remembers; empty if none.
    pub recent_commands: Bytes,
}

/// Keeps snapshots: disposable, never the truth.
///
/// # Contract
/// * A snapshot that [`save`](Self::save) confirmed is found by later loads until it is pruned.
/// * Saving the same entity and sequence number again replaces it.
/// * What [`Snapshot::check_all`] refuses is [`StoreError::Invalid`], before anything is saved.
/// * No fence: a snapshot states what immutable events amount to, whoever takes it.
///
/// # Cancel safety
/// Dropping the future of a load has no effect; of a save or prune leaves its outcome unknown.
#[async_trait]
pub trait SnapshotStore: Send + Sync + 'static {
    /// Stores snapshots, durably, all or none.
    ///
    /// # Errors
    /// [`StoreError`]; after an error none or all of them are stored.
    async fn save(&self, snapshots: &[Snapshot]) -> Result<(), StoreError>;

    /// The newest snapshot of `entity` at or before `at_most`.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails.
    async fn load(
        &self,
        entity: &EntityKey,
        at_most: SequenceNr,
    ) -> Result<Option<Snapshot>, StoreError>;

    /// Deletes the snapshots of `entity` that are older than its newest `keep`, and says the sequence number of the
    /// oldest one that is left.
    ///
    /// # Errors
    /// [`StoreError`] when the write fails.
    async fn prune(&self, entity: &EntityKey, keep: u32) -> Result<Option<SequenceNr>, StoreError>;

    /// As [`EventStore::close`](super::EventStore::close).
    async fn close(&self) {}
}
