use super::{EntityPage, MissingEvents, PageLimit, PageRoom, StoredEvent};
use actum_model::{EntityKey, SequenceNr};

/// The page of an entity that is read backward, while its rows come in: for stores that take rows apart.
#[derive(Debug)]
pub struct BackwardAnswer<'a> {
    entity: &'a EntityKey,
    page: EntityPage,
    room: PageRoom,
    /// The number of the last event so far; before the first one, the number the page ends in front of.
    last: SequenceNr,
}

impl<'a> BackwardAnswer<'a> {
    /// The page of an entity whose last event is `head` and of which those up to `floor` are deleted, in front of `before`.
    #[must_use]
    pub fn new(
        entity: &'a EntityKey,
        (head, floor): (SequenceNr, SequenceNr),
        before: SequenceNr,
        limit: PageLimit,
    ) -> Self {
        let (page, room) = (EntityPage::new(Vec::new(), head, floor), PageRoom::new(limit));
        Self { entity, page, room, last: before.min(head.next()) }
    }

    /// The highest number that may be on the page.
    #[must_use]
    pub fn first(&self) -> SequenceNr {
        self.last.previous()
    }

    /// Takes the next event if there is room; true when nothing more is taken.
    ///
    /// # Errors
    /// [`MissingEvents`] when it is not the one in front of the last.
    pub fn add(&mut self, event: StoredEvent) -> Result<bool, MissingEvents> {
        if self.room.is_full() {
            return Ok(true);
        }
        if event.sequence_nr.next() != self.last {
            return Err(self.missing_behind(event.sequence_nr));
        }
        if self.room.take(&event) {
            self.last = event.sequence_nr;
            self.page.events.push(event);
        }
        Ok(self.room.is_full())
    }

    /// The page, once all rows have come.
    ///
    /// # Errors
    /// [`MissingEvents`] when there is room on the page, and events down to the floor have not come.
    pub fn finish(self) -> Result<EntityPage, MissingEvents> {
        if self.last > self.page.floor.next() && !self.room.is_full() {
            return Err(self.missing_behind(self.page.floor));
        }
        Ok(self.page)
    }

    fn missing_behind(&self, nr: SequenceNr) -> MissingEvents {
        MissingEvents::between(self.entity, nr, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{EventId, Incarnation};
    use actum_model::{Position, StoredPayload, Timestamp};
    use bytes::Bytes;
    use std::num::NonZeroU32;

    fn event(nr: u64) -> StoredEvent {
        let payload = StoredPayload {
            codec: "utf8".into(),
            manifest: "deposited".into(),
            schema_version: 1,
            bytes: Bytes::from_static(b"12345"),
        };
        StoredEvent {
            sequence_nr: SequenceNr::new(nr),
            position: Position::new(nr),
            event_id: EventId { incarnation: Incarnation::new(1), nr },
            timestamp: Timestamp::default(),
            payload,
            metadata: Bytes::new(),
        }
    }

    /// The numbers on a page of at most three events in front of `before`, of an entity with `floor` and `head`.
    fn page(before: u64, (floor, head): (u64, u64), events: &[u64]) -> Result<Vec<u64>, String> {
        let entity = EntityKey::new("account", "a").unwrap();
        let numbers = (SequenceNr::new(head), SequenceNr::new(floor));
        let limit = PageLimit::default().with_events(NonZeroU32::new(3).unwrap());
        let before = SequenceNr::new(before);
        let mut answer = BackwardAnswer::new(&entity, numbers, before, limit);
        for nr in events {
            answer.add(event(*nr)).map_err(|error| error.to_string())?;
        }
        let page = answer.finish().map_err(|error| error.to_string())?;
        Ok(page.events.iter().map(|event| event.sequence_nr.get()).collect())
    }

    #[test]
    fn it_is_the_events_in_front_newest_first() {
        assert_eq!(page(u64::MAX, (0, 5), &[5, 4, 3, 2]), Ok(vec![5, 4, 3]));
        assert_eq!(page(3, (0, 5), &[2, 1]), Ok(vec![2, 1]));
        assert_eq!(page(5, (2, 5), &[4, 3]), Ok(vec![4, 3]));
        for empty in [page(0, (0, 5), &[]), page(1, (0, 5), &[]), page(3, (2, 5), &[])] {
            assert_eq!(empty, Ok(vec![]));
        }
        assert_eq!(page(u64::MAX, (0, 0), &[]), Ok(vec![]), "it was never written");
        assert_eq!(page(u64::MAX, (5, 5), &[]), Ok(vec![]), "all of it is deleted");
    }

    #[test]
    fn what_is_missing_is_found() {
        let missing =
            |between: &str| Err(format!("events of account/a are missing between {between}"));
        assert_eq!(page(u64::MAX, (0, 5), &[4, 3]), missing("4 and 6"));
        assert_eq!(page(u64::MAX, (0, 5), &[5, 3]), missing("3 and 5"));
        assert_eq!(page(u64::MAX, (0, 5), &[5, 4]), missing("0 and 4"));
        assert_eq!(page(4, (1, 5), &[3]), missing("1 and 3"));
        assert_eq!(page(u64::MAX, (0, 5), &[5, 5]), missing("5 and 5"));
    }
}
