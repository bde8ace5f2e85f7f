use crate::clock::Clock;
use actum_host::{AskError, Moment};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// Until when this engine surely is the only one that serves, by its own clock: all of its partitions, or those that were
/// opened with this term.
///
/// Partitions check it after they have taken commands, so that a process that was stopped as a whole shows no caller what
/// is in its memory, though it has not yet noticed that its lease has run out.
#[derive(Debug)]
pub(crate) struct Term {
    clock: Clock,
    ends: AtomicU64,
    /// It is over when this one is, too.
    within: Option<Arc<Term>>,
}

impl Term {
    /// One that has ended.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, ends: AtomicU64::new(0), within: None }
    }

    /// One that has ended, and never lasts longer than `whole`.
    pub(crate) fn within(whole: Arc<Self>) -> Self {
        Self { clock: whole.clock, ends: AtomicU64::new(0), within: Some(whole) }
    }

    /// Whether it is over at `now`, a moment on this engine's clock.
    pub(crate) fn is_over_at(&self, now: Moment) -> bool {
        now >= self.end() || self.within.as_ref().is_some_and(|whole| whole.is_over_at(now))
    }

    /// How much longer it lasts; zero when it is over.
    pub(crate) fn left(&self) -> Duration {
        let left = self.end().since(self.clock.now());
        self.within.as_ref().map_or(left, |whole| left.min(whole.left()))
    }

    /// Lets it last until this instant.
    pub(crate) fn set_end(&self, until: Instant) {
        self.ends.store(self.clock.moment(until).as_micros(), Ordering::Release);
    }

    fn end(&self) -> Moment {
        Moment::from_micros(self.ends.load(Ordering::Acquire))
    }
}

/// Why commands are refused that came after the end of the term.
pub(crate) fn lapsed<X>() -> AskError<X> {
    AskError::unavailable("the writer lease could not be renewed in time")
}
