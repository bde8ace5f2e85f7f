use super::{StatesRegress, known_changes::KnownChanges, watermark::Watermark};
use crate::store::StateOutcome;
use actum_model::{Offset, Position};
use parking_lot::Mutex;

/// How many writes of durable states one incarnation has committed. States have no positions, so all a reader learns is
/// that there is something to look for.
#[derive(Debug, Default)]
pub struct StateCommits {
    writes: Watermark,
    known: Mutex<KnownChanges>,
}

impl StateCommits {
    /// Nothing committed yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many writes were committed here. It never regresses.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.writes.get()
    }

    /// Waits until more than `seen` writes are committed, and returns how many there are then.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn behind(&self, seen: u64) -> u64 {
        self.writes.past(seen).await
    }

    /// Takes note of where the [changes](crate::store::DurableStateStore::read_changes) of the lanes end before anything is
    /// written here.
    pub fn begin_behind(&self, heads: &Offset) {
        self.known.lock().begin_behind(changes(heads));
    }

    /// How many changes the journal has at least: what it had before, and what was written here. To be read before the
    /// journal is asked for its heads.
    #[must_use]
    pub fn known(&self) -> u64 {
        let known = self.known.lock();
        known.at_least(self.writes())
    }

    /// The journal has answered with these heads after so many changes were `known`; says whether it has lost some of them,
    /// which are forgotten then.
    pub fn regressed(&self, known: u64, heads: &Offset) -> Option<StatesRegress> {
        self.known.lock().compare(known, changes(heads))
    }

    /// Announces the writes that were committed.
    pub(crate) fn announce<'a>(&self, outcomes: impl Iterator<Item = Option<&'a StateOutcome>>) {
        let written = outcomes.flatten().filter(|outcome| **outcome == StateOutcome::Written);
        self.writes.add(written.count() as u64);
    }
}

/// How many changes the lanes have had in all: each has a position of its own.
fn changes(heads: &Offset) -> u64 {
    heads.positions().iter().copied().map(Position::get).fold(0, u64::saturating_add)
}
