use super::watermark::Watermark;
use actum_model::{Lane, Offset, Position};
use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire},
};

/// What writers of other processes say that they have committed: that there is something to look for, and nothing else. It may
/// come late or not at all, and the journal may have lost it since; so a reader asks the store, and takes only that for a head.
#[derive(Debug)]
pub struct OtherCommits {
    /// The greatest position that anyone has named, of each lane.
    heads: Box<[AtomicU64]>,
    events: Watermark,
    states: Watermark,
}

impl OtherCommits {
    /// Nothing was said yet of a journal with so many lanes.
    #[must_use]
    pub fn new(lanes: usize) -> Self {
        let heads = (0..lanes).map(|_| AtomicU64::new(0)).collect();
        Self { heads, events: Watermark::default(), states: Watermark::default() }
    }

    /// A writer of `lane` has committed the event at this position. Of a lane that the journal does not have nothing is taken in.
    pub fn committed(&self, lane: Lane, head: Position) {
        if let Some(known) = self.heads.get(lane.index()) {
            known.fetch_max(head.get(), AcqRel);
            self.events.add(1);
        }
    }

    /// A writer has committed changes of durable states.
    pub fn states_written(&self) {
        self.states.add(1);
    }

    /// How often something was said of events.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events.get()
    }

    /// Waits until something was said of events more often than `seen`, and returns how often it was then.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn events_behind(&self, seen: u64) -> u64 {
        self.events.past(seen).await
    }

    /// Whether something that was said of any lane is further than what is `known`.
    #[must_use]
    pub fn is_news(&self, known: &Offset) -> bool {
        let heads = self.heads.iter().map(|head| Position::new(head.load(Acquire)));
        (0..).map(Lane::new).zip(heads).any(|(lane, head)| known.position(lane) < head)
    }

    /// How often something was said of states.
    #[must_use]
    pub fn states(&self) -> u64 {
        self.states.get()
    }

    /// Waits until something was said of states more often than `seen`, and returns how often it was then.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn states_behind(&self, seen: u64) -> u64 {
        self.states.past(seen).await
    }
}

#[cfg(test)]
mod tests {
    use super::OtherCommits;
    use actum_model::{Lane, Offset, Position};

    #[test]
    fn what_is_said_is_news_for_those_who_do_not_know_as_much() {
        let others = OtherCommits::new(2);
        let known = |positions: [u64; 2]| Offset::of_positions(positions.map(Position::new));
        assert!(!others.is_news(&known([0, 0])));
        others.committed(Lane::new(1), Position::new(7));
        others.committed(Lane::new(1), Position::new(5)); // another writer, whose message was slower
        others.committed(Lane::new(2), Position::new(9)); // there is no such lane
        assert_eq!((others.events(), others.states()), (2, 0));
        assert!(others.is_news(&known([9, 6])));
        assert!(!others.is_news(&known([0, 7])));
    }
}
