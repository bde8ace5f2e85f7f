use super::{
    ChangeFilter, ChangePage, EntitySearch, EventId, Incarnation, ListedState, Listing, PageLimit,
    Resolution, StateBatch, StateOutcome, StoreError,
};
use actum_model::{EntityKey, Lane, Offset, Position, Revision, StoredPayload, Timestamp};
use async_trait::async_trait;
use bytes::Bytes;

/// What finds a command again by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredCommand {
    /// The revision it led to.
    pub revision: Revision,
    /// The hash of its id.
    pub id_hash: u64,
    /// Who wrote it.
    pub incarnation: Incarnation,
    /// For how many seconds that engine had been running.
    pub uptime_seconds: u32,
}

/// Asks for something of a command of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRead {
    /// The entity.
    pub entity: EntityKey,
    /// Of the command that led to this revision, or of those before it.
    pub revision: Revision,
}

/// How many commands of an entity one read brings at most.
pub const COMMANDS_READ_MAX: usize = 1_000;

/// A durable state as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRecord {
    /// How often the entity was written.
    pub revision: Revision,
    /// When it was written last.
    pub timestamp: Timestamp,
    /// The state; `None` for a tombstone.
    pub state: Option<StoredPayload>,
    /// The newest [`COMMANDS_READ_MAX`] commands that are kept, oldest first.
    pub commands: Vec<StoredCommand>,
    /// What schema version 1 kept in their place: an encoded list of whole commands. Empty once the entity was written
    /// again, and so in every store that never had that version.
    pub recent_commands: Bytes,
    /// Which write left this record.
    pub write_id: EventId,
    /// The place of that write among the [changes](DurableStateStore::read_changes) of the entity's lane.
    pub position: Position,
}

/// Keeps the states of durable-state entities, one row an entity.
///
/// # Contract
/// Fence, expected revision, owner, atomicity, durability and the isolation of mistakes are those of
/// [`EventStore`](super::EventStore), with revisions in place of sequence numbers. What [`StateBatch::check`] refuses
/// is [`StoreError::Invalid`], before anything is written.
///
/// The commands of a write are stored, and those it does not need any more deleted, in its own transaction, if it is
/// written. A store may put the deletion off to a later write, for as long as it does not let what is kept grow without
/// bound. Commands whose revision is behind that of the write, or does not grow from one to the next, are
/// [`StoreError::Invalid`]. Those up to `expected` move what schema version 1 kept beside the state.
///
/// # Changes
/// Each write that is stored has a position among the changes of its entity's lane. These are ordered as events are, and have
/// nothing to do with the positions of events: they start at 1 and are the commit order: once a reader has seen position `n`,
/// nothing is ever committed at or before `n`. Within a batch they follow the order of the writes. They never regress.
///
/// There is one change for each entity, its last: a write moves its entity to a new position, also one that deletes, and
/// leaves nothing at the former one. So positions have gaps, and a reader learns the last state of each entity that changed,
/// and not every state it has had. States that were written before a store knew of changes have positions too, about in the order of
/// their times.
///
/// # Cancel safety
/// As [`EventStore`](super::EventStore).
#[async_trait]
pub trait DurableStateStore: Send + Sync + 'static {
    /// Stores a batch in one transaction, and returns the outcome of each write, in their order.
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

    /// Lists entities that have a state or a tombstone, as
    /// [`EventStore::list_entities`](super::EventStore::list_entities) does those that have events.
    ///
    /// # Errors
    /// As [`EventStore::list_entities`](super::EventStore::list_entities).
    async fn list_states(&self, search: &EntitySearch) -> Result<Listing<ListedState>, StoreError>;

    /// Whether entities of `kind` have states or tombstones. As
    /// [`EventStore::has_events_of`](super::EventStore::has_events_of) a store looks at the first entities of the kind.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails.
    async fn has_states_of(&self, kind: &str) -> Result<bool, StoreError>;

    /// The records of commands, in the order of `reads`; `None` for one that is not kept.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails as a whole.
    async fn command_records(
        &self,
        reads: &[CommandRead],
    ) -> Result<Vec<Option<Bytes>>, StoreError>;

    /// For each read the newest [`COMMANDS_READ_MAX`] commands before its revision that are kept, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails as a whole.
    async fn commands_before(
        &self,
        reads: &[CommandRead],
    ) -> Result<Vec<Vec<StoredCommand>>, StoreError>;

    /// Reads changes of a lane behind `after`, in order of position.
    ///
    /// # Errors
    /// As [`EventStore::read_lane`](super::EventStore::read_lane).
    async fn read_changes(
        &self,
        lane: Lane,
        after: Position,
        filter: &ChangeFilter,
        limit: PageLimit,
    ) -> Result<ChangePage, StoreError>;

    /// The position of the last change in every lane.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails.
    async fn change_heads(&self) -> Result<Offset, StoreError>;

    /// As [`EventStore::close`](super::EventStore::close).
    async fn close(&self) {}
}
