mod tail_reader;

pub use tail_reader::TailReader;

use super::{
    JournalRegress,
    lane_tail::{LaneTail, Run},
    watermark::Watermark,
};
use crate::{
    Weight,
    store::{
        AppendOutcome, CurrentIncarnation, EntityAppend, Incarnation, JournalEvent, StoredEvent,
    },
};
use actum_model::{Lane, Position};
use parking_lot::Mutex;
use std::sync::{
    Arc,
    atomic::{
        AtomicBool, AtomicU64,
        Ordering::{Relaxed, SeqCst},
    },
};

/// What one writer commits to a lane: how far it has come, and its newest events while a reader follows them.
#[derive(Debug)]
pub struct LaneCommits {
    lane: Lane,
    incarnation: CurrentIncarnation,
    head: Watermark,
    /// Where the lane ended before this writer began, or where it was found to end since.
    known: AtomicU64,
    /// How often the lane was found to have regressed.
    regressions: AtomicU64,
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
    /// Nothing committed yet, by the writer of `lane` that writes as this incarnation. While it has readers it keeps at most `bounds` of
    /// the newest events; what they take in memory beside their bytes counts as well.
    #[must_use]
    pub fn new(lane: Lane, incarnation: impl Into<CurrentIncarnation>, bounds: Weight) -> Self {
        Self {
            lane,
            incarnation: incarnation.into(),
            head: Watermark::default(),
            known: AtomicU64::new(0),
            regressions: AtomicU64::new(0),
            is_followed: AtomicBool::new(false),
            tail: Mutex::new(Followed { readers: 0, tail: LaneTail::new(bounds) }),
        }
    }

    /// The lane.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// The position of the last event that was committed here; zero before the first. It regresses with the journal
    /// only. What was in the journal before is not counted: ask [`EventStore::heads`](crate::store::EventStore::heads).
    #[must_use]
    pub fn head(&self) -> Position {
        Position::new(self.head.get())
    }

    /// The last position that is known to have been given out: here, or [before](Self::begin_behind).
    #[must_use]
    pub fn known(&self) -> Position {
        Position::new(self.known.load(SeqCst).max(self.head.get()))
    }

    /// Takes note of where the lane ends before its writer writes anything.
    pub fn begin_behind(&self, head: Position) {
        self.known.store(head.get(), SeqCst);
    }

    /// How often the lane was found to have regressed.
    #[must_use]
    pub fn regressions(&self) -> u64 {
        self.regressions.load(SeqCst)
    }

    /// The store has said that the lane ends at `found`, though an event at `known` had been there: what was known of it
    /// is forgotten. None if that was found out meanwhile.
    pub fn regressed(&self, known: Position, found: Position) -> Option<JournalRegress> {
        if found >= known {
            return None;
        }
        let mut followed = self.tail.lock();
        if self.known() < known {
            return None;
        }
        followed.tail.clear();
        self.head.lower(found.get());
        self.known.store(found.get(), SeqCst);
        self.regressions.fetch_add(1, SeqCst);
        Some(JournalRegress { lane: self.lane, known, found })
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
    /// the lane's only writer, in the order of its commits. Positions are given out once: one that was known before shows
    /// that the journal has regressed.
    pub(crate) fn announce<'a>(
        &self,
        appends: &[EntityAppend],
        outcomes: impl Iterator<Item = Option<&'a AppendOutcome>> + Clone,
    ) -> Option<JournalRegress> {
        let appended = appends.iter().zip(outcomes).filter_map(|(append, outcome)| {
            let Some(AppendOutcome::Appended { last }) = outcome else { return None };
            Some((append, *last))
        });
        let before = |(append, last): (&EntityAppend, Position)| {
            Position::new(last.get().saturating_sub(append.events.len() as u64))
        };
        let found = appended.clone().map(before).min();
        let regress = found.and_then(|found| self.regressed(self.known(), found));
        let head = if self.is_followed.load(Relaxed) {
            self.keep(appended)
        } else {
            appended.map(|(_, last)| last).max()
        };
        if let Some(head) = head {
            self.head.raise(head.get());
        }
        regress
    }

    /// Adds what was appended to the tail, and says how far it reaches.
    fn keep<'a>(
        &self,
        appended: impl Iterator<Item = (&'a EntityAppend, Position)>,
    ) -> Option<Position> {
        let (mut events, mut head) = (Vec::new(), None);
        let incarnation = self.incarnation.get();
        for (append, last) in appended {
            events.extend(journal_events(append, incarnation, last));
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
            owned_as: None,
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
            measure(|| _ = commits.announce(&appends, outcomes.iter().map(Some)))
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

    fn commits() -> LaneCommits {
        let bounds = Weight { events: 10_000, bytes: 8 << 20 };
        LaneCommits::new(Lane::new(3), Incarnation::new(1), bounds)
    }

    /// The commit of an event at this position.
    fn commit(commits: &LaneCommits, at: u64) -> Option<JournalRegress> {
        let outcome = AppendOutcome::Appended { last: Position::new(at) };
        commits.announce(&[append(at)], std::iter::once(Some(&outcome)))
    }

    fn regress(known: u64, found: u64) -> Option<JournalRegress> {
        let (known, found) = (Position::new(known), Position::new(found));
        Some(JournalRegress { lane: Lane::new(3), known, found })
    }

    #[test]
    fn a_position_that_comes_again_shows_that_the_journal_has_regressed_and_once() {
        let commits = Arc::new(commits());
        commits.begin_behind(Position::new(7));
        assert_eq!(commit(&commits, 8), None);
        assert_eq!(commit(&commits, 10), None, "what came between was not announced");
        let reader = commits.follow();
        assert_eq!(commit(&commits, 11), None);
        assert_eq!(commit(&commits, 6), regress(11, 5));
        assert_eq!((commits.head(), commits.known()), (Position::new(6), Position::new(6)));
        assert_eq!(commits.runs_behind(Position::new(10)).len(), 0, "what was lost is not kept");
        assert_eq!(commits.runs_behind(Position::new(5)).len(), 1);
        assert_eq!(commit(&commits, 7), None);
        assert_eq!(commits.regressions(), 1);
        drop(reader);
    }

    #[test]
    fn a_head_that_the_store_says_counts_if_nothing_else_has_shown_it_meanwhile() {
        let commits = commits();
        commits.begin_behind(Position::new(7));
        let known = commits.known();
        assert_eq!(commits.regressed(known, Position::new(7)), None);
        assert_eq!(commit(&commits, 8), None);
        assert_eq!(commits.regressed(known, Position::new(6)), regress(7, 6));
        assert_eq!(commits.known(), Position::new(6));
        assert_eq!(commits.regressed(known, Position::new(6)), None, "it was found out already");
    }
}
