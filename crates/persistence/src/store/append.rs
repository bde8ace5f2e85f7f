use super::{EventId, Incarnation};
use actum_model::{EntityKey, Lane, Partition, Position, SequenceNr, StoredPayload, Timestamp};
use bytes::Bytes;
use std::sync::Arc;

/// One transaction of a lane: appends of many entities, each entity at most once.
#[derive(Clone, Debug)]
pub struct AppendBatch {
    /// The lane all entities of the batch write to.
    pub lane: Lane,
    /// Who writes.
    pub incarnation: Incarnation,
    /// What is written, in this order.
    pub appends: Vec<EntityAppend>,
}

/// The events one entity appends: all or none.
#[derive(Clone, Debug)]
pub struct EntityAppend {
    /// The entity.
    pub entity: EntityKey,
    /// Its partition.
    pub partition: Partition,
    /// The role in which the writer must own the partition for this to be stored; `None` where that is not checked: a
    /// stream has no owner, and an engine that is no member of a cluster owns nothing.
    pub owned_as: Option<Arc<str>>,
    /// The sequence number the entity has in the journal now; its first new event gets the next one.
    pub expected: SequenceNr,
    /// The number of the first event's [`EventId`]; the following events count on from it.
    pub first_event_nr: u64,
    /// The events, at least one.
    pub events: Vec<NewEvent>,
}

/// An event to be stored.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// When its command was handled.
    pub timestamp: Timestamp,
    /// What happened.
    pub payload: StoredPayload,
    /// The encoded metadata; empty if there is none.
    pub metadata: Bytes,
}

/// The outcome of one [`EntityAppend`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendOutcome {
    /// All its events are stored.
    Appended {
        /// The position of the last of them; the others are right before it.
        last: Position,
    },
    /// The entity is not at the expected sequence number: none of its events is stored.
    Conflict {
        /// Where it is.
        actual: SequenceNr,
    },
    /// The writer does not own the partition in the role that the append names: none of its events is stored.
    NotOwned,
}

impl EntityAppend {
    /// The id of event `index` of this append.
    #[must_use]
    pub fn event_id(&self, incarnation: Incarnation, index: usize) -> EventId {
        EventId { incarnation, nr: self.first_event_nr + index as u64 }
    }

    /// The id of its last event.
    #[must_use]
    pub fn last_event_id(&self, incarnation: Incarnation) -> EventId {
        self.event_id(incarnation, self.events.len().saturating_sub(1))
    }

    /// The sequence number of its last event.
    #[must_use]
    pub fn last_sequence_nr(&self) -> SequenceNr {
        self.expected.plus(self.events.len() as u64)
    }

    /// The conflict it is in with an entity that is at `actual`, if it expects another number.
    #[must_use]
    pub fn conflict_at(&self, actual: SequenceNr) -> Option<AppendOutcome> {
        (actual != self.expected).then_some(AppendOutcome::Conflict { actual })
    }

    /// The bytes of its events: payloads and metadata.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.events.iter().map(NewEvent::bytes).sum()
    }
}

impl NewEvent {
    /// Its bytes: payload and metadata.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.payload.bytes.len() + self.metadata.len()
    }
}

impl AppendBatch {
    /// The number of events in the batch.
    #[must_use]
    pub fn events(&self) -> usize {
        self.appends.iter().map(|append| append.events.len()).sum()
    }
}
