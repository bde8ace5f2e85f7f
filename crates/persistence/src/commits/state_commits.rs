use super::watermark::Watermark;
use crate::store::StateOutcome;

/// How many writes of durable states one incarnation has committed. States have no positions, so all a reader learns is
/// that there is something to look for.
#[derive(Debug, Default)]
pub struct StateCommits {
    writes: Watermark,
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

    /// Announces the writes that were committed.
    pub(crate) fn announce<'a>(&self, outcomes: impl Iterator<Item = Option<&'a StateOutcome>>) {
        let written = outcomes.flatten().filter(|outcome| **outcome == StateOutcome::Written);
        self.writes.add(written.count() as u64);
    }
}
