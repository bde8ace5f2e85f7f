use super::{EventId, Incarnation};
use actum_model::{EntityKey, Partition, Revision, StoredPayload, Timestamp};
use bytes::Bytes;
use std::sync::Arc;

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
    /// The role in which the writer must own the partition for this to be stored; `None` where that is not checked, as in
    /// [`EntityAppend::owned_as`](super::EntityAppend::owned_as).
    pub owned_as: Option<Arc<str>>,
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
    /// The commands that carried an id, oldest first: kept in rows of their own, for retries.
    pub commands: Vec<CommandRecord>,
    /// Commands up to this revision are not needed any more, and may be deleted; zero if all are.
    pub forget_to: Revision,
}

/// A command that carried an id, as a durable state keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRecord {
    /// The revision it led to. No two commands of an entity have the same.
    pub revision: Revision,
    /// The hash of its id.
    pub id_hash: u64,
    /// For how many seconds its engine had been running.
    pub uptime_seconds: u32,
    /// The encoded command id and reply.
    pub record: Bytes,
}

impl StateWrite {
    /// The id of this write.
    #[must_use]
    pub fn write_id(&self, incarnation: Incarnation) -> EventId {
        EventId { incarnation, nr: self.write_nr }
    }

    /// The outcome where the entity is at revision `actual`: it is written if that is the one it expects.
    #[must_use]
    pub fn outcome_at(&self, actual: Revision) -> StateOutcome {
        if actual == self.expected {
            StateOutcome::Written
        } else {
            StateOutcome::Conflict { actual }
        }
    }

    /// The bytes of its state and of its commands.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let state = match &self.change {
            StateChange::Put(state) => state.bytes.len(),
            StateChange::Delete => 0,
        };
        state + self.commands.iter().map(|command| command.record.len()).sum::<usize>()
    }
}

/// What a write leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateChange {
    /// This state.
    Put(StoredPayload),
    /// A tombstone: no state, but the revision and the records of commands stay.
    Delete,
}

/// The outcome of one [`StateWrite`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateOutcome {
    /// It is stored.
    Written,
    /// The entity is not at the expected revision: nothing of it is stored.
    Conflict {
        /// Where it is.
        actual: Revision,
    },
    /// The writer does not own the partition in the role that the write names: nothing of it is stored.
    NotOwned,
}
