use super::{EventId, Incarnation, Resolution, StoreError};
use actum_model::{EntityKey, Partition, Revision, StoredPayload, Timestamp};
use async_trait::async_trait;
use bytes::Bytes;

/// One transaction of durable-state writes, each entity at most once.
#[derive(Clone, Debug)]
pub struct StateBatch {
    /// Who writes.
    pub incarnation: Incarnation,
    /// What is written.
    pub writes: Vec<StateWrite>,
}

/// Replaces or deletes the state of one entity.
#[derive(Clone, Debug)]
pub struct StateWrite {
    /// The entity.
    pub entity: EntityKey,
    /// Its partition.
    pub partition: Partition,
    /// The revision the entity has in the store now; zero if it was never written.
    pub expected: Revision,
    /// The revision it gets: at least the next one, further on when one write carries the changes of several commands.
    pub revision: Revision,
    /// The number of this write's [`EventId`].
    pub write_nr: u64,
    /// When the last of its commands was handled.
    pub timestamp: Timestamp,
    /// The new state.
    pub change: StateChange,
    /// The encoded commands the entity remembers; empty if none.
    pub recent_commands: Bytes,
}

/// What a write leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateChange {
    /// This state.
    Put(StoredPayload),
    /// A tombstone: no state, but the revision and the remembered commands stay.
    Delete,
}

/// What became of one [`StateWrite`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateOutcome {
    /// It is stored.
    Written,
    /// The entity is not at the expected revision: nothing of it is stored.
    Conflict {
        /// Where it is.
        actual: Revision,
    },
}

/// A durable state as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRecord {
    /// How often the entity was written.
    pub revision: Revision,
    /// When it was written last.
    pub timestamp: Timestamp,
    /// The state; `None` for a tombstone.
    pub state: Option<StoredPayload>,
    /// The encoded commands the entity remembers; empty if none.
    pub recent_commands: Bytes,
    /// Which write left this record.
    pub write_id: EventId,
}

/// Keeps the states of durable-state entities, one row an entity.
///
/// # Contract
/// Fence, expected revision, atomicity, durability and the isolation of mistakes are those of
/// [`EventStore`](super::EventStore), with revisions in place of sequence numbers. What [`StateBatch::check`] refuses is
/// [`StoreError::Invalid`], before anything is written.
///
/// # Cancel safety
/// As [`EventStore`](super::EventStore).
#[async_trait]
pub trait DurableStateStore: Send + Sync + 'static {
    /// Stores a batch in one transaction, and says what became of each write, in their order.
    ///
    /// # Errors
    /// As [`EventStore::append`](super::EventStore::append).
    async fn write(&self, batch: &StateBatch) -> Result<Vec<StateOutcome>, StoreError>;

    /// Settles a batch whose outcome is unknown, as [`EventStore::resolve`](super::EventStore::resolve) does. A write
    /// that may be below a later one is [`Untraceable`](Resolution::Untraceable).
    ///
    /// # Errors
    /// [`StoreError`] when that could not be found out now; asking again may help.
    async fn resolve(
        &self,
        batch: &StateBatch,
    ) -> Result<Vec<Resolution<StateOutcome>>, StoreError>;

    /// The records of these entities, in their order; `None` for one that was never written.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails as a whole.
    async fn load(&self, entities: &[EntityKey]) -> Result<Vec<Option<StateRecord>>, StoreError>;

    /// Whether entities of `kind` have states or tombstones. As
    /// [`EventStore::has_events_of`](super::EventStore::has_events_of) a store looks at the first entities of the kind.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails.
    async fn has_states_of(&self, kind: &str) -> Result<bool, StoreError>;

    /// As [`EventStore::close`](super::EventStore::close).
    async fn close(&self) {}
}
