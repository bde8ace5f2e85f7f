use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// What the clients have seen since it was read last.
#[derive(Default)]
pub(super) struct ClientTally {
    answered: AtomicU64,
    again: AtomicU64,
    micros: AtomicU64,
    slowest: AtomicU64,
}

/// A tally of some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tallied {
    /// Orders that were answered.
    pub(super) answered: u64,
    /// Attempts that had no answer, or one that leaves the outcome open.
    pub(super) again: u64,
    /// From the first attempt to the answer, on average.
    pub(super) mean: Duration,
    pub(super) slowest: Duration,
}

impl ClientTally {
    pub(super) fn answered(&self, after: Duration) {
        let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        self.answered.fetch_add(1, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
        self.slowest.fetch_max(micros, Relaxed);
    }

    pub(super) fn again(&self) {
        self.again.fetch_add(1, Relaxed);
    }

    pub(super) fn take(&self) -> Tallied {
        let answered = self.answered.swap(0, Relaxed);
        let micros = self.micros.swap(0, Relaxed);
        Tallied {
            answered,
            again: self.again.swap(0, Relaxed),
            mean: Duration::from_micros(micros.checked_div(answered).unwrap_or_default()),
            slowest: Duration::from_micros(self.slowest.swap(0, Relaxed)),
        }
    }
}

impl fmt::Display for Tallied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answered, again, mean, slowest } = self;
        if *answered == 0 {
            return write!(f, "no order answered; {again} attempts without an answer");
        }
        write!(
            f,
            "{answered} orders answered, {mean:.1?} on average, {slowest:.1?} at most; {again} attempts without an answer"
        )
    }
}
