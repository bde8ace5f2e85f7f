use super::{SnapshotDeletion, StoreError};
use actum_model::{EntityKey, SequenceNr, StoredPayload, Timestamp};
use async_trait::async_trait;
use bytes::Bytes;
use std::{num::NonZeroU32, ops::RangeInclusive};

/// The state of an event-sourced entity after an event, so that recovery need not replay what came before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The entity.
    pub entity: EntityKey,
    /// The last event the state has seen: at least 1.
    pub sequence_nr: SequenceNr,
    /// When that event was stored: its own timestamp, by which [`fit`](Self::fit) distinguishes it from another event
    /// with the same number.
    pub timestamp: Timestamp,
    /// The state.
    pub state: StoredPayload,
    /// The encoded commands the entity remembers; empty if none.
    pub recent_commands: Bytes,
}

impl Snapshot {
    /// The bytes of its state and of the commands it remembers.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.state.bytes.len() + self.recent_commands.len()
    }
}

/// Keeps snapshots: disposable, never the truth.
///
/// # Contract
/// * A snapshot that [`save`](Self::save) confirmed is found by later loads until it is deleted.
/// * Saving the same entity and sequence number again replaces it.
/// * What [`Snapshot::check_all`] refuses is [`StoreError::Invalid`], before anything is saved.
/// * A snapshot that is damaged is skipped with a warning: a load finds the next older one
///   ([`SnapshotRow::newest_readable`](super::SnapshotRow::newest_readable)). [`list`](Self::list) and
///   [`delete`](Self::delete) go by numbers alone.
/// * A store that cannot be reached says [`StoreError::Unavailable`]: no snapshot is something else.
/// * No fence: a snapshot states what immutable events amount to, no matter who takes it.
///
/// # Cancel safety
/// Dropping the future of a load or list has no effect; of a save or delete leaves its outcome unknown.
#[async_trait]
pub trait SnapshotStore: Send + Sync + 'static {
    /// Stores snapshots, durably, all or none.
    ///
    /// # Errors
    /// [`StoreError`]; after an error none or all of them are stored.
    async fn save(&self, snapshots: &[Snapshot]) -> Result<(), StoreError>;

    /// The newest snapshot of `entity` at or before `at_most` that can be read.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails.
    async fn load(
        &self,
        entity: &EntityKey,
        at_most: SequenceNr,
    ) -> Result<Option<Snapshot>, StoreError>;

    /// The sequence numbers of the newest `limit` snapshots of `entity` at or before `at_most`, newest first, whether
    /// they can be read or not.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails.
    async fn list(
        &self,
        entity: &EntityKey,
        at_most: SequenceNr,
        limit: NonZeroU32,
    ) -> Result<Vec<SequenceNr>, StoreError>;

    /// Deletes snapshots of many entities. It need not be one transaction: after an error some of it may be done, and the
    /// same call can be repeated.
    ///
    /// # Errors
    /// [`StoreError`] when the write fails; [`StoreError::Invalid`] when there are [too
    /// many](SnapshotDeletion::check_all).
    async fn prune_snapshots(&self, deletions: &[SnapshotDeletion]) -> Result<(), StoreError>;

    /// Deletes the snapshots of `entity` with these sequence numbers, as far as there are any.
    ///
    /// # Errors
    /// As [`prune_snapshots`](Self::prune_snapshots).
    async fn delete(
        &self,
        entity: &EntityKey,
        numbers: RangeInclusive<SequenceNr>,
    ) -> Result<(), StoreError> {
        self.prune_snapshots(&[SnapshotDeletion::new(entity, numbers)]).await
    }

    /// As [`EventStore::close`](super::EventStore::close).
    async fn close(&self) {}
}
