use super::{InLane, JournalEvent, PageLimit, PageRoom};
use actum_model::Position;

/// A page of a lane while its events, or the changes of its states, come in: for stores that take them out of their lanes,
/// and leave it to this what fits and how far the page reaches.
#[derive(Debug)]
pub struct LaneAnswer<T = JournalEvent> {
    items: Vec<T>,
    read_to: Position,
    room: PageRoom,
}

impl LaneAnswer {
    /// How many events, or changes, one filtered read looks at, so that a filter that nothing passes does not read the whole
    /// journal; 1,000 to 10,000. A store counts them before it reads: more than a page with such a limit needs would take
    /// longer than the page itself.
    #[must_use]
    pub fn looked_at_max(limit: PageLimit) -> u32 {
        limit.events.get().saturating_mul(2).clamp(1_000, 10_000)
    }
}

impl<T: InLane> LaneAnswer<T> {
    /// An empty page of what is behind `after`.
    #[must_use]
    pub fn new(after: Position, limit: PageLimit) -> Self {
        Self { items: Vec::new(), read_to: after, room: PageRoom::new(limit) }
    }

    /// Everything up to `position` is looked at, if it fits.
    pub fn reach(&mut self, position: Position) {
        self.read_to = self.read_to.max(position);
    }

    /// Takes the next item that passes the filter, in order of position, if there is room; false once nothing more
    /// fits.
    pub fn add(&mut self, item: T) -> bool {
        if self.room.take_bytes(item.bytes()) {
            debug_assert!(
                self.items.last().is_none_or(|last| last.position() < item.position()),
                "items come in order"
            );
            self.items.push(item);
        }
        !self.room.is_full()
    }

    /// The page, once all have come. One that is full reaches up to its last item.
    #[must_use]
    pub fn finish(self) -> T::Page {
        let Self { items, mut read_to, room } = self;
        if let Some(last) = items.last().filter(|_| room.is_full()) {
            read_to = last.position();
        }
        T::page(items, read_to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{EventId, Incarnation, StoredEvent};
    use actum_model::{EntityKey, Partition, SequenceNr, StoredPayload, Timestamp};
    use bytes::Bytes;
    use std::num::NonZeroU32;

    fn event(position: u64) -> JournalEvent {
        let event = StoredEvent {
            sequence_nr: SequenceNr::new(1),
            position: Position::new(position),
            event_id: EventId { incarnation: Incarnation::new(1), nr: position },
            timestamp: Timestamp::default(),
            payload: StoredPayload {
                codec: "utf8".into(),
                manifest: "deposited".into(),
                schema_version: 1,
                bytes: Bytes::from_static(b"12345"),
            },
            metadata: Bytes::new(),
        };
        let entity = EntityKey::new("account", "a").unwrap();
        JournalEvent { entity, partition: Partition::new(0), event }
    }

    /// Reads behind 10, up to `end`, what passes the filter: the positions of the page's events, and how far it reaches.
    fn page(end: u64, limit: PageLimit, passing: &[u64]) -> (Vec<u64>, u64) {
        let mut answer = LaneAnswer::new(Position::new(10), limit);
        answer.reach(Position::new(end));
        for position in passing {
            answer.add(event(*position)); // whatever it says
        }
        let page = answer.finish();
        (page.events.iter().map(|event| event.event.position.get()).collect(), page.read_to.get())
    }

    #[test]
    fn a_page_with_room_left_reaches_as_far_as_was_looked() {
        let limit = PageLimit::default();
        assert_eq!(page(20, limit, &[12, 15]), (vec![12, 15], 20));
        assert_eq!(page(20, limit, &[]), (vec![], 20), "nothing passes the filter");
        assert_eq!(page(0, limit, &[]), (vec![], 10), "it never regresses");
    }

    #[test]
    fn a_page_says_when_nothing_more_fits() {
        let mut answer = LaneAnswer::new(Position::ZERO, PageLimit::default().with_bytes(12));
        let fits: Vec<_> = (1..5).map(|position| answer.add(event(position))).collect();
        assert_eq!(fits, [true, true, false, false]);
        let mut answer = LaneAnswer::new(Position::ZERO, PageLimit::one_event());
        assert!(!answer.add(event(1)));
    }

    #[test]
    fn a_page_that_is_full_reaches_up_to_its_last_event() {
        let two = PageLimit::default().with_events(NonZeroU32::new(2).unwrap());
        assert_eq!(page(20, two, &[12, 15, 17]), (vec![12, 15], 15));
        let bytes = PageLimit::default().with_bytes(12);
        assert_eq!(page(20, bytes, &[12, 15, 17]), (vec![12, 15], 15));
        assert_eq!(page(20, PageLimit::one_event(), &[12, 15]), (vec![12], 12));
    }

    #[test]
    fn a_filtered_read_looks_at_some_pages_and_at_ten_thousand_at_most() {
        for (events, looked_at) in [(1, 1_000), (500, 1_000), (1_000, 2_000), (u32::MAX, 10_000)] {
            let limit = PageLimit::default().with_events(NonZeroU32::new(events).unwrap());
            assert_eq!(LaneAnswer::looked_at_max(limit), looked_at, "{events} events");
        }
    }
}
