use super::{
    AppendBatch, AppendOutcome, EntityAppend, EventId, Incarnation, StateBatch, StateOutcome,
    StateWrite, StoredEvent,
};
use actum_model::{Position, Revision, SequenceNr};

/// What was found out about a write whose outcome was unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution<O> {
    /// It is stored, and this is its outcome.
    Stored(O),
    /// It is not stored: not now and not later.
    NotStored,
    /// It cannot be found out any more, and asking again does not help: what would show it was deleted or written over
    /// meanwhile.
    Untraceable {
        /// What was done to it.
        why: String,
    },
}

/// Which event a journal has at a sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventAt {
    /// Its place in the lane.
    pub position: Position,
    /// What names it.
    pub event_id: EventId,
}

/// Which write left the state of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastWrite {
    /// The revision it gave the entity.
    pub revision: Revision,
    /// What names it.
    pub write_id: EventId,
}

impl<O> Resolution<O> {
    /// [`Stored`](Self::Stored), or [`NotStored`](Self::NotStored) for none.
    #[must_use]
    pub fn of(found: Option<O>) -> Self {
        found.map_or(Self::NotStored, Self::Stored)
    }

    /// The outcome of a write that is stored.
    #[must_use]
    pub fn stored(&self) -> Option<&O> {
        match self {
            Self::Stored(outcome) => Some(outcome),
            Self::NotStored | Self::Untraceable { .. } => None,
        }
    }
}

impl Resolution<AppendOutcome> {
    /// The outcome of an append of `incarnation` that can no longer commit, from what the journal has at the number of
    /// its [last event](EntityAppend::last_sequence_nr): events are stored all or none, so the last one speaks for all.
    ///
    /// The events of the entity up to `floor` were deleted.
    #[must_use]
    pub fn of_append(
        append: &EntityAppend,
        incarnation: Incarnation,
        last: Option<EventAt>,
        floor: SequenceNr,
    ) -> Self {
        let own = append.last_event_id(incarnation);
        match last {
            Some(EventAt { position, event_id }) if event_id == own => {
                Self::Stored(AppendOutcome::Appended { last: position })
            }
            None if floor >= append.last_sequence_nr() => {
                let entity = &append.entity;
                let why = format!("the events of {entity} up to {floor} were deleted");
                Self::Untraceable { why }
            }
            _ => Self::NotStored,
        }
    }

    /// The outcome of each append of a batch, as [`of_append`](Self::of_append), from what was found of its entity: none
    /// if that was never written.
    #[must_use]
    pub fn of_appends(
        batch: &AppendBatch,
        found: Vec<Option<(Option<EventAt>, SequenceNr)>>,
    ) -> Vec<Self> {
        let of = |(append, found): (_, Option<_>)| {
            let (last, floor) = found.unwrap_or((None, SequenceNr::ZERO));
            Self::of_append(append, batch.incarnation, last, floor)
        };
        batch.appends.iter().zip(found).map(of).collect()
    }
}

impl Resolution<StateOutcome> {
    /// The outcome of a write of `incarnation` that can no longer commit, from which write left the state that is
    /// stored.
    #[must_use]
    pub fn of_write(
        write: &StateWrite,
        incarnation: Incarnation,
        stored: Option<LastWrite>,
    ) -> Self {
        match stored {
            Some(last) if last.write_id == write.write_id(incarnation) => {
                Self::Stored(StateOutcome::Written)
            }
            Some(LastWrite { revision, .. }) if revision > write.revision => {
                let entity = &write.entity;
                let why = format!("{entity} was written again, up to revision {revision}");
                Self::Untraceable { why }
            }
            _ => Self::NotStored, // revisions only grow: the write was never there
        }
    }

    /// The outcome of each write of a batch, as [`of_write`](Self::of_write).
    #[must_use]
    pub fn of_writes(batch: &StateBatch, stored: Vec<Option<LastWrite>>) -> Vec<Self> {
        let of = |(write, stored)| Self::of_write(write, batch.incarnation, stored);
        batch.writes.iter().zip(stored).map(of).collect()
    }
}

impl From<&StoredEvent> for EventAt {
    fn from(event: &StoredEvent) -> Self {
        Self { position: event.position, event_id: event.event_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{NewEvent, StateChange};
    use actum_model::{EntityKey, Partition, StoredPayload, Timestamp};
    use bytes::Bytes;

    const WRITER: Incarnation = Incarnation::new(7);

    fn id(incarnation: u64, nr: u64) -> EventId {
        EventId { incarnation: Incarnation::new(incarnation), nr }
    }

    /// The outcome of an append of the events 11 and 12, which have the numbers 100 and 101.
    fn of_append(last: Option<EventId>, floor: u64) -> Resolution<AppendOutcome> {
        let event = NewEvent {
            timestamp: Timestamp::default(),
            payload: StoredPayload {
                codec: "utf8".into(),
                manifest: "deposited".into(),
                schema_version: 1,
                bytes: Bytes::new(),
            },
            metadata: Bytes::new(),
        };
        let append = EntityAppend {
            entity: EntityKey::new("account", "a").unwrap(),
            partition: Partition::new(0),
            owned_as: None,
            expected: SequenceNr::new(10),
            first_event_nr: 100,
            events: vec![event; 2],
        };
        let last = last.map(|event_id| EventAt { position: Position::new(55), event_id });
        Resolution::of_append(&append, WRITER, last, SequenceNr::new(floor))
    }

    #[test]
    fn the_last_event_of_an_append_speaks_for_all() {
        let stored = Resolution::Stored(AppendOutcome::Appended { last: Position::new(55) });
        assert_eq!(of_append(Some(id(7, 101)), 0), stored);
        assert_eq!(of_append(Some(id(7, 101)), 11), stored, "its first event was deleted");
        for other in [id(7, 100), id(7, 102), id(6, 101)] {
            assert_eq!(of_append(Some(other), 0), Resolution::NotStored, "{other}");
        }
        assert_eq!(of_append(None, 0), Resolution::NotStored);
        assert_eq!(of_append(None, 11), Resolution::NotStored);
        for floor in [12, 13] {
            let why = format!("the events of account/a up to {floor} were deleted");
            assert_eq!(of_append(None, floor), Resolution::Untraceable { why });
        }
    }

    /// The outcome of write 100, which moves revision 10 to 12.
    fn of_write(stored: Option<(u64, EventId)>) -> Resolution<StateOutcome> {
        let write = StateWrite {
            entity: EntityKey::new("account", "a").unwrap(),
            partition: Partition::new(0),
            owned_as: None,
            expected: Revision::new(10),
            revision: Revision::new(12),
            write_nr: 100,
            timestamp: Timestamp::default(),
            change: StateChange::Delete,
            commands: Vec::new(),
            forget_to: Revision::ZERO,
        };
        let last = |(revision, write_id)| LastWrite { revision: Revision::new(revision), write_id };
        Resolution::of_write(&write, WRITER, stored.map(last))
    }

    #[test]
    fn a_write_below_a_later_one_cannot_be_traced() {
        assert_eq!(of_write(None), Resolution::NotStored);
        assert_eq!(of_write(Some((12, id(7, 100)))), Resolution::Stored(StateOutcome::Written));
        for other in [(10, id(7, 99)), (12, id(7, 101)), (12, id(8, 100))] {
            assert_eq!(of_write(Some(other)), Resolution::NotStored, "{other:?}");
        }
        let why = "account/a was written again, up to revision 13".to_owned();
        assert_eq!(of_write(Some((13, id(7, 101)))), Resolution::Untraceable { why });
    }
}
