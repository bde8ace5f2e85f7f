mod tail_reader;

pub use tail_reader::TailReader;

use super::{
    lane_tail::{LaneTail, Run},
    watermark::Watermark,
};
use crate::{
    Weight,
    store::{AppendOutcome, EntityAppend, Incarnation, JournalEvent, StoredEvent},
};
use actum_model::{Lane, Position};
use parking_lot::Mutex;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// What one incarnation commits to a lane: how far it has come, and its newest events while a reader follows them.
#[derive(Debug)]
pub struct LaneCommits {
    lane: Lane,
    incarnation: Incarnation,
    head: Watermark,
    /// Whether the tail has readers: kept beside it, so that a commit without one takes no lock.
    is_followed: AtomicBool,
    tail: Mutex<Followed>,
}

#[derive(Debug)]
struct Followed {
    readers: usize,
    tail: LaneTail,
}

impl LaneCommits {
    /// Nothing committed yet, by the writer `incarnation` of `lane`. While it has readers it keeps at most `bounds` of
    /// the newest events; what they take in memory beside their bytes counts as well.
    #[must_use]
    pub fn new(lane: Lane, incarnation: Incarnation, bounds: Weight) -> Self {
        Self {
            lane,
            incarnation,
            head: Watermark::default(),
            is_followed: AtomicBool::new(false),
            tail: Mutex::new(Followed { readers: 0, tail: LaneTail::new(bounds) }),
        }
    }

    /// The lane.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// The position of the last event that was committed here; zero before the first. It never regresses. What was in
    /// the journal before is not counted: ask [`EventStore::heads`](crate::store::EventStore::heads).
    #[must_use]
    pub fn head(&self) -> Position {
        Position::new(self.head.get())
    }

    /// Waits until an event behind `after` is committed here, and returns the head then.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn behind(&self, after: Position) -> Position {
        Position::new(self.head.past(after.get()).await)
    }

    /// Keeps the newest events for a reader, for as long as what it gets lives.
    pub fn follow(self: &Arc<Self>) -> TailReader {
        let mut followed = self.tail.lock();
        followed.readers += 1;
        self.is_followed.store(true, Relaxed);
        drop(followed);
        TailReader::new(Arc::clone(self))
    }

    fn unfollow(&self) {
        let mut followed = self.tail.lock();
        followed.readers -= 1;
        if followed.readers == 0 {
            self.is_followed.store(false, Relaxed);
            followed.tail.clear();
        }
    }

    fn runs_behind(&self, after: Position) -> Vec<Run> {
        self.tail.lock().tail.runs_behind(after)
    }

    /// Announces what was committed of `appends`: those that have an outcome in which they were appended. Called by
    /// the lane's only writer, in the order of its commits.
    pub(crate) fn announce<'a>(
        &self,
        appends: &[EntityAppend],
        outcomes: impl Iterator<Item = Option<&'a AppendOutcome>>,
    ) {
        let appended = appends.iter().zip(outcomes).filter_map(|(append, outcome)| {
            let Some(AppendOutcome::Appended { last }) = outcome else { return None };
            Some((append, *last))
        });
        let head = if self.is_followed.load(Relaxed) {
            self.keep(appended)
        } else {
            appended.map(|(_, last)| last).max()
        };
        if let Some(head) = head {
            self.head.raise(head.get());
        }
    }

    /// Adds what was appended to the tail, and says how far it reaches.
    fn keep<'a>(
        &self,
        appended: impl Iterator<Item = (&'a EntityAppend, Position)>,
    ) -> Option<Position> {
        let (mut events, mut head) = (Vec::new(), None);
        for (append, last) in appended {
            events.extend(journal_events(append, self.incarnation, last));
            head = head.max(Some(last));
        }
        let mut followed = self.tail.lock();
        if followed.readers > 0 {
            followed.tail.push(events);
        }
        head
    }
}

/// The events of an append whose last one has the position `last`, as a store returns them.
fn journal_events(
    append: &EntityAppend,
    incarnation: Incarnation,
    last: Position,
) -> impl Iterator<Item = JournalEvent> {
    let before = last.get().saturating_sub(append.events.len() as u64);
    append.events.iter().enumerate().map(move |(index, event)| {
        let nr = index as u64 + 1;
        JournalEvent {
            entity: append.entity.clone(),
            partition: append.partition,
            event: StoredEvent {
                sequence_nr: append.expected.plus(nr),
                position: Position::new(before + nr),
                event_id: append.event_id(incarnation, index),
                timestamp: event.timestamp,
                payload: event.payload.clone(),
                metadata: event.metadata.clone(),
            },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::NewEvent;
    use actum_model::{EntityKey, Partition, SequenceNr, StoredPayload, Timestamp};
    use allocation_counter::measure;
    use bytes::Bytes;

    fn append(nr: u64) -> EntityAppend {
        let payload = StoredPayload {
            codec: "utf8".into(),
            manifest: "opened".into(),
            schema_version: 1,
            bytes: Bytes::from_static(b"12345"),
        };
        let (timestamp, metadata) = (Timestamp::default(), Bytes::new());
        EntityAppend {
            entity: EntityKey::new("account", nr.to_string()).unwrap(),
            partition: Partition::new(0),
            expected: SequenceNr::ZERO,
            first_event_nr: nr,
            events: vec![NewEvent { timestamp, payload, metadata }],
        }
    }

    #[test]
    fn a_commit_without_readers_allocates_nothing_and_one_with_them_little() {
        let bounds = Weight { events: 10_000, bytes: 8 << 20 };
        let commits = Arc::new(LaneCommits::new(Lane::new(0), Incarnation::new(1), bounds));
        let appends: Vec<_> = (1..=1000).map(append).collect();
        let outcomes = |from: u64| -> Vec<_> {
            let last = |nr| AppendOutcome::Appended { last: Position::new(from + nr) };
            (1..=1000).map(last).collect()
        };
        let announce = |from| {
            let outcomes = outcomes(from);
            measure(|| commits.announce(&appends, outcomes.iter().map(Some)))
        };
        let unfollowed = announce(0);
        assert_eq!((unfollowed.count_total, commits.head()), (0, Position::new(1000)));
        let reader = commits.follow();
        let followed = announce(1000);
        assert!(followed.count_total < 20, "{} allocations for a commit", followed.count_total);
        let gone = measure(|| drop(reader));
        assert!(gone.bytes_current < -100_000, "{} bytes are given back", -gone.bytes_current);
        assert_eq!(announce(2000).count_total, 0, "no one follows any more");
    }
}
