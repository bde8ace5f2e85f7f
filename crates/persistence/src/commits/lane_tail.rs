use crate::{
    Weight,
    store::{EventFilter, JournalEvent, LanePage, PageLimit, PageRoom},
};
use actum_model::Position;
use std::{collections::VecDeque, sync::Arc};

/// The newest events of a lane, without a gap: a run of events for each commit. What is over the bounds goes, the
/// oldest commit first.
#[derive(Debug)]
pub struct LaneTail {
    /// Each begins where the one before it ends, and none is empty.
    runs: VecDeque<Run>,
    weight: Weight,
    bounds: Weight,
}

/// The events of one commit, shared with the readers that copy them.
pub(super) type Run = Arc<[JournalEvent]>;

impl LaneTail {
    /// An empty tail that keeps at most `bounds`.
    #[must_use]
    pub fn new(bounds: Weight) -> Self {
        Self { runs: VecDeque::new(), weight: Weight::ZERO, bounds }
    }

    /// Adds what was just committed. What does not follow the events that are here replaces them: between them are
    /// others that this tail has not seen.
    pub fn push(&mut self, events: Vec<JournalEvent>) {
        if !is_dense(&events) {
            return self.clear();
        }
        let Some(first) = events.first().map(position) else { return };
        if self.runs.back().is_some_and(|last| !is_next(end(last), first)) {
            self.clear();
        }
        self.weight += weight(&events);
        self.runs.push_back(events.into());
        while !self.weight.is_within(self.bounds)
            && let Some(oldest) = self.runs.pop_front()
        {
            self.weight = self.weight - weight(&oldest);
        }
    }

    /// The page that [`EventStore::read_lane`](crate::store::EventStore::read_lane) would return, from memory; `None`
    /// when the event right behind `after` is not here.
    #[must_use]
    pub fn page(
        &self,
        after: Position,
        filter: &EventFilter,
        limit: PageLimit,
    ) -> Option<LanePage> {
        page(&self.runs_behind(after), after, filter, limit)
    }

    /// Forgets everything, and gives the memory back.
    pub fn clear(&mut self) {
        self.runs = VecDeque::new();
        self.weight = Weight::ZERO;
    }

    /// The runs from the one that holds the event right behind `after` on; none if that event is not here.
    pub(super) fn runs_behind(&self, after: Position) -> Vec<Run> {
        let is_before = |run: &Run| end(run) <= after;
        match self.runs.front() {
            Some(oldest)
                if position(&oldest[0]) <= after || is_next(after, position(&oldest[0])) =>
            {
                let at = self.runs.partition_point(is_before);
                self.runs.range(at..).cloned().collect()
            }
            _ => Vec::new(),
        }
    }

    /// How much it holds, with what the events take in memory beside their bytes.
    #[cfg(test)]
    pub(super) fn weight(&self) -> Weight {
        self.weight
    }
}

/// The events of `runs` behind `after` that pass the filter, as a store would return them; none if there are no runs.
pub(super) fn page(
    runs: &[Run],
    after: Position,
    filter: &EventFilter,
    limit: PageLimit,
) -> Option<LanePage> {
    let first = runs.first()?;
    let known = first.partition_point(|event| position(event) <= after);
    let behind = first[known..].iter().chain(runs[1..].iter().flat_map(|run| run.iter()));
    let mut page = LanePage { events: Vec::new(), read_to: after };
    let mut room = PageRoom::new(limit);
    for event in behind {
        if filter.passes(event) {
            if !room.take(&event.event) {
                break;
            }
            page.events.push(event.clone());
        }
        page.read_to = position(event);
    }
    Some(page)
}

fn position(event: &JournalEvent) -> Position {
    event.event.position
}

fn end(run: &Run) -> Position {
    run.last().map_or(Position::ZERO, position)
}

fn is_next(before: Position, next: Position) -> bool {
    before.get().checked_add(1) == Some(next.get())
}

fn is_dense(events: &[JournalEvent]) -> bool {
    events.windows(2).all(|pair| is_next(position(&pair[0]), position(&pair[1])))
}

fn weight(events: &[JournalEvent]) -> Weight {
    let bytes =
        |event: &JournalEvent| event.event.bytes() + event.entity.id().len() + size_of_val(event);
    Weight { events: events.len(), bytes: events.iter().map(bytes).sum() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{EventId, Incarnation, StoredEvent};
    use actum_model::{EntityKey, Partition, SequenceNr, StoredPayload, Timestamp};
    use bytes::Bytes;
    use std::num::NonZeroU32;

    const ALL: EventFilter = EventFilter { kinds: vec![], manifests: vec![], partitions: None };

    fn event(nr: u64) -> JournalEvent {
        JournalEvent {
            entity: EntityKey::new(if nr.is_multiple_of(2) { "even" } else { "odd" }, "a").unwrap(),
            partition: Partition::new(0),
            event: StoredEvent {
                sequence_nr: SequenceNr::new(nr),
                position: Position::new(nr),
                event_id: EventId { incarnation: Incarnation::new(1), nr },
                timestamp: Timestamp::default(),
                payload: StoredPayload {
                    codec: "utf8".into(),
                    manifest: "counted".into(),
                    schema_version: 1,
                    bytes: Bytes::from_static(b"12345"),
                },
                metadata: Bytes::new(),
            },
        }
    }

    fn tail(events_max: usize, commits: &[std::ops::RangeInclusive<u64>]) -> LaneTail {
        let mut tail = LaneTail::new(Weight { events: events_max, bytes: usize::MAX });
        commits.iter().for_each(|commit| tail.push(commit.clone().map(event).collect()));
        tail
    }

    /// The positions on the page behind `after`, and how far it reaches.
    fn read(tail: &LaneTail, after: u64, filter: &EventFilter) -> Option<(Vec<u64>, u64)> {
        let limit = PageLimit::default().with_events(NonZeroU32::new(4).unwrap());
        let after = Position::new(after);
        let page = page(&tail.runs_behind(after), after, filter, limit)?;
        let positions = page.events.iter().map(|event| position(event).get()).collect();
        Some((positions, page.read_to.get()))
    }

    #[test]
    fn a_page_has_what_follows_the_position_of_the_reader() {
        let tail = tail(100, &[11..=12, 13..=13, 14..=18]);
        assert_eq!(read(&tail, 9, &ALL), None, "10 is not here");
        assert_eq!(read(&tail, 10, &ALL), Some((vec![11, 12, 13, 14], 14)));
        assert_eq!(read(&tail, 11, &ALL), Some((vec![12, 13, 14, 15], 15)));
        assert_eq!(read(&tail, 16, &ALL), Some((vec![17, 18], 18)));
        assert_eq!(read(&tail, 18, &ALL), None, "nothing is behind it");
        assert_eq!(read(&tail, 30, &ALL), None, "nor behind what was not committed here");
    }

    #[test]
    fn a_page_reaches_behind_events_that_do_not_pass_the_filter() {
        let tail = tail(100, &[1..=5]);
        let even = EventFilter { kinds: vec!["even".into()], ..ALL };
        assert_eq!(read(&tail, 0, &even), Some((vec![2, 4], 5)));
        let none = EventFilter { kinds: vec!["none".into()], ..ALL };
        assert_eq!(read(&tail, 2, &none), Some((vec![], 5)));
    }

    #[test]
    fn what_is_over_the_bounds_goes_a_commit_at_a_time() {
        assert_eq!(read(&tail(5, &[1..=3, 4..=5]), 0, &ALL), Some((vec![1, 2, 3, 4], 4)));
        let short = tail(5, &[1..=3, 4..=5, 6..=6]);
        assert_eq!(read(&short, 2, &ALL), None);
        assert_eq!(read(&short, 3, &ALL), Some((vec![4, 5, 6], 6)));
        let too_large = tail(5, &[1..=3, 4..=9]);
        assert_eq!(read(&too_large, 3, &ALL), None);
        assert_eq!(too_large.weight(), Weight::ZERO);
        let mut bytes = LaneTail::new(Weight { events: 100, bytes: 3 * size_of::<JournalEvent>() });
        (1..10).for_each(|nr| bytes.push(vec![event(nr)]));
        assert_eq!(bytes.weight().events, 2, "an event takes more than its payload");
    }

    #[test]
    fn a_gap_is_never_handed_over() {
        assert_eq!(read(&tail(100, &[1..=3, 5..=6]), 0, &ALL), None);
        assert_eq!(read(&tail(100, &[1..=3, 5..=6]), 4, &ALL), Some((vec![5, 6], 6)));
        let mut torn = tail(100, &[1..=3]);
        torn.push(vec![event(4), event(6)]);
        assert_eq!(read(&torn, 0, &ALL), None);
        torn.push(vec![event(7)]);
        assert_eq!(read(&torn, 6, &ALL), Some((vec![7], 7)));
    }
}
