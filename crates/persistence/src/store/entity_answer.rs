use super::{
    CoveredEvent, EntityPage, EntityRead, PageLimit, PageRoom, Recovered, RecoveryRead, Snapshot,
    SnapshotFit, StoredEvent,
};
use actum_model::{EntityKey, SequenceNr, Timestamp};

/// What is wanted of one entity, in a read of many.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The entity.
    pub entity: &'a EntityKey,
    /// Events behind this one.
    pub after: SequenceNr,
    /// The newest snapshot, and events behind that instead.
    pub snapshot: bool,
}

/// The answer for one entity while its rows come in: for stores that read events, and the snapshots they follow, of
/// many entities together. The store takes rows apart, and this decides what they amount to.
#[derive(Debug)]
pub struct EntityAnswer<'a> {
    wanted: Wanted<'a>,
    recovered: Recovered,
    room: PageRoom,
    /// The number of the last event so far; before the first one, the number in front of the page.
    last: SequenceNr,
    /// Whether the snapshot cannot be used.
    needs_care: bool,
}

/// The newest snapshot of an entity, as a store has it.
#[derive(Debug)]
pub struct NewestSnapshot {
    /// The snapshot; `None` if it cannot be read.
    pub snapshot: Option<Snapshot>,
    /// When the event that it covers was stored; `None` if that is not there.
    pub covered: Option<Timestamp>,
}

/// What was read of an entity.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are of the large one, and none lives long"
)]
pub enum Answered {
    /// The snapshot that fits, if any, and the events behind it.
    Recovered(Recovered),
    /// Its newest snapshot cannot be used: see [`recover_carefully`](super::recover_carefully).
    NeedsCare,
}

/// Events are missing between two that are there.
#[derive(Debug, thiserror::Error)]
#[error("events of {entity} are missing between {last} and {next}")]
pub struct MissingEvents {
    entity: EntityKey,
    last: SequenceNr,
    next: SequenceNr,
}

impl MissingEvents {
    /// Those of `entity` that should be between these two.
    pub(super) fn between(entity: &EntityKey, last: SequenceNr, next: SequenceNr) -> Self {
        Self { entity: entity.clone(), last, next }
    }
}

impl<'a> EntityAnswer<'a> {
    /// An answer without any row so far.
    #[must_use]
    pub fn new(wanted: Wanted<'a>, limit: PageLimit) -> Self {
        let (recovered, room) = (Recovered::default(), PageRoom::new(limit));
        Self { wanted, recovered, room, last: wanted.after, needs_care: false }
    }

    /// The entity.
    #[must_use]
    pub fn entity(&self) -> &'a EntityKey {
        self.wanted.entity
    }

    /// Takes what comes before the events: the number of the last one, that of the last one that was deleted, and the
    /// newest snapshot if it was wanted and there is one.
    pub fn begin(&mut self, head: SequenceNr, floor: SequenceNr, newest: Option<NewestSnapshot>) {
        let page = &mut self.recovered.page;
        (page.head, page.floor) = (head, floor);
        if let Some(NewestSnapshot { snapshot, covered }) = newest {
            let covered = CoveredEvent { head, floor, timestamp: covered };
            match snapshot.filter(|snapshot| snapshot.fit(&covered) == SnapshotFit::Fits) {
                Some(snapshot) => {
                    self.last = self.last.max(snapshot.sequence_nr);
                    self.recovered.snapshot = Some(snapshot);
                }
                None => self.needs_care = true,
            }
        }
        self.last = self.last.max(floor);
    }

    /// Takes the next event if there is room; true when it finds the page full for the first time.
    ///
    /// # Errors
    /// [`MissingEvents`] when it is not the next one.
    pub fn add(&mut self, event: StoredEvent) -> Result<bool, MissingEvents> {
        if self.needs_care || self.room.is_full() {
            return Ok(false);
        }
        if event.sequence_nr != self.last.next() {
            return Err(self.missing_before(event.sequence_nr));
        }
        if self.room.take(&event) {
            self.last = event.sequence_nr;
            self.recovered.page.events.push(event);
        }
        Ok(self.room.is_full())
    }

    /// What it amounts to, once all rows have come.
    ///
    /// # Errors
    /// [`MissingEvents`] when there is room on the page, and events up to the head have not come.
    pub fn finish(self) -> Result<Answered, MissingEvents> {
        if self.needs_care {
            return Ok(Answered::NeedsCare);
        }
        let head = self.recovered.page.head;
        if self.last < head && !self.room.is_full() {
            return Err(self.missing_before(head));
        }
        Ok(Answered::Recovered(self.recovered))
    }

    fn missing_before(&self, next: SequenceNr) -> MissingEvents {
        MissingEvents::between(self.wanted.entity, self.last, next)
    }
}

impl Answered {
    /// The page of an entity that was read without a snapshot.
    ///
    /// # Panics
    /// If a snapshot was read and cannot be used.
    #[must_use]
    pub fn into_page(self) -> EntityPage {
        match self {
            Self::Recovered(recovered) => recovered.page,
            Self::NeedsCare => unreachable!("no snapshot was read"),
        }
    }
}

impl<'a> From<&'a EntityRead> for Wanted<'a> {
    fn from(EntityRead { entity, after }: &'a EntityRead) -> Self {
        Self { entity, after: *after, snapshot: false }
    }
}

impl<'a> From<&'a RecoveryRead> for Wanted<'a> {
    fn from(RecoveryRead { entity, snapshot }: &'a RecoveryRead) -> Self {
        Self { entity, after: SequenceNr::ZERO, snapshot: *snapshot }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{EventId, Incarnation};
    use actum_model::{Position, StoredPayload};
    use bytes::Bytes;
    use std::num::NonZeroU32;

    fn payload() -> StoredPayload {
        StoredPayload {
            codec: "utf8".into(),
            manifest: "deposited".into(),
            schema_version: 1,
            bytes: Bytes::from_static(b"12345"),
        }
    }

    fn event(nr: u64) -> StoredEvent {
        StoredEvent {
            sequence_nr: SequenceNr::new(nr),
            position: Position::new(nr),
            event_id: EventId { incarnation: Incarnation::new(1), nr },
            timestamp: Timestamp::default(),
            payload: payload(),
            metadata: Bytes::new(),
        }
    }

    fn snapshot(entity: &EntityKey, nr: u64) -> NewestSnapshot {
        let snapshot = Snapshot {
            entity: entity.clone(),
            sequence_nr: SequenceNr::new(nr),
            timestamp: Timestamp::default(),
            state: payload(),
            recent_commands: Bytes::new(),
        };
        NewestSnapshot { snapshot: Some(snapshot), covered: Some(Timestamp::default()) }
    }

    /// What of an entity with these numbers is asked and comes.
    struct Case<'a> {
        after: u64,
        numbers: (u64, u64),
        newest: Option<NewestSnapshot>,
        events: &'a [u64],
    }

    /// The numbers of the events on the page, none if it takes more care; or what is missing.
    fn answer(entity: &EntityKey, case: Case<'_>) -> Result<Option<Vec<u64>>, String> {
        let mut limit = PageLimit::default().with_bytes(12);
        limit.events = NonZeroU32::new(3).unwrap();
        let (after, snapshot) = (SequenceNr::new(case.after), case.newest.is_some());
        let mut answer = EntityAnswer::new(Wanted { entity, after, snapshot }, limit);
        let (floor, head) = case.numbers;
        answer.begin(SequenceNr::new(head), SequenceNr::new(floor), case.newest);
        let mut filled = 0;
        for nr in case.events {
            filled += usize::from(answer.add(event(*nr)).map_err(|error| error.to_string())?);
        }
        assert!(filled < 2, "it is full for the first time once");
        match answer.finish().map_err(|error| error.to_string())? {
            Answered::Recovered(Recovered { page, .. }) => {
                assert_eq!((page.floor.get(), page.head.get()), case.numbers);
                Ok(Some(page.events.iter().map(|event| event.sequence_nr.get()).collect()))
            }
            Answered::NeedsCare => Ok(None),
        }
    }

    #[test]
    fn a_page_has_the_events_that_come_and_fit() {
        let entity = EntityKey::new("account", "a").unwrap();
        let page = |after, numbers, events: &[u64]| {
            answer(&entity, Case { after, numbers, newest: None, events })
        };
        assert_eq!(page(0, (0, 0), &[]), Ok(Some(vec![])));
        assert_eq!(page(0, (0, 2), &[1, 2]), Ok(Some(vec![1, 2])));
        assert_eq!(page(1, (0, 2), &[2]), Ok(Some(vec![2])));
        assert_eq!(page(0, (2, 4), &[3, 4]), Ok(Some(vec![3, 4])));
        assert_eq!(page(9, (0, 2), &[]), Ok(Some(vec![])), "behind the head");
        assert_eq!(page(0, (0, 9), &[1, 2, 3, 4]), Ok(Some(vec![1, 2])), "12 bytes are full");
    }

    #[test]
    fn a_page_never_leaves_out_an_event() {
        let entity = EntityKey::new("account", "a").unwrap();
        let missing = |numbers, events: &[u64], expected: &str| {
            let said = answer(&entity, Case { after: 0, numbers, newest: None, events });
            let expected = format!("events of account/a are missing between {expected}");
            assert_eq!(said, Err(expected), "{events:?}");
        };
        missing((0, 2), &[], "0 and 2");
        missing((0, 2), &[2], "0 and 2");
        missing((0, 3), &[1, 3], "1 and 3");
        missing((0, 2), &[1], "1 and 2");
        missing((1, 3), &[1, 2, 3], "1 and 1");
    }

    #[test]
    fn a_page_follows_the_snapshot_that_fits_and_any_other_needs_care() {
        let entity = EntityKey::new("account", "a").unwrap();
        let behind = |newest, events: &[u64]| {
            let numbers = (1, 4);
            answer(&entity, Case { after: 0, numbers, newest: Some(newest), events })
        };
        assert_eq!(behind(snapshot(&entity, 2), &[3, 4]), Ok(Some(vec![3, 4])));
        assert_eq!(behind(snapshot(&entity, 4), &[]), Ok(Some(vec![])));
        assert_eq!(behind(snapshot(&entity, 5), &[]), Ok(None), "it is ahead");
        let damaged = || NewestSnapshot { snapshot: None, covered: None };
        assert_eq!(behind(damaged(), &[]), Ok(None));
        assert_eq!(behind(damaged(), &[3]), Ok(None), "what comes behind it is not looked at");
        let gone = NewestSnapshot { covered: None, ..snapshot(&entity, 2) };
        assert_eq!(behind(gone, &[3, 4]), Ok(Some(vec![3, 4])), "its event was deleted");
    }
}
