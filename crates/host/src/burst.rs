//! Failures that may come a thousand times for one cause, such as a full disk: the first is logged in full, the others are
//! counted.

use crate::Moment;
use parking_lot::Mutex;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// How often a burst that goes on is logged again.
const INTERVAL: Duration = Duration::from_secs(10);

/// How long nothing of the kind may fail before a success ends a burst.
const CALM: Duration = Duration::from_secs(1);

/// How many different texts of one burst are logged in full.
const TEXTS_MAX: usize = 8;

/// The failures of one kind of work since they began. A success costs one atomic read while there are none.
#[derive(Debug, Default)]
pub struct Burst {
    lasts: AtomicBool,
    state: Mutex<BurstState>,
}

#[derive(Debug, Default)]
struct BurstState {
    failures: u64,
    texts: Vec<String>,
    logged: Moment,
    failed: Moment,
}

/// What to log of one failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The failure itself, with everything that caused it.
    InFull,
    /// That it goes on, and how often it has failed so far.
    Count(u64),
    /// Nothing but for debugging: its like was logged a moment ago.
    Repeated,
}

/// Logs a failure of a burst as its [`Report`] says: the failure itself with the fields of `at`, or that the like of it
/// `keeps` failing.
#[macro_export]
#[doc(hidden)]
macro_rules! log_burst {
    ($report:expr, of: [$($of:tt)*], at: [$($at:tt)*], $error:ident, $once:literal, keeps: $keeps:literal) => {
        $crate::log_safely(|| match $report {
            $crate::Report::InFull => tracing::warn!($($at)* $error, $once),
            $crate::Report::Count(failures) => {
                tracing::warn!($($of)* failures, $error, $keeps);
            }
            $crate::Report::Repeated => tracing::debug!($($at)* $error, $once),
        })
    };
}

impl Burst {
    /// Notes a failure, and says what to log of it.
    pub fn failed(&self, text: &str, now: Moment) -> Report {
        let mut state = self.state.lock();
        self.lasts.store(true, Ordering::Relaxed);
        state.failures += 1;
        state.failed = now;
        let known = state.texts.iter().any(|known| known == text);
        if !known && state.texts.len() < TEXTS_MAX {
            state.texts.push(text.to_owned());
            state.logged = now;
            return Report::InFull;
        }
        if now.since(state.logged) < INTERVAL {
            return Report::Repeated;
        }
        state.logged = now;
        Report::Count(state.failures)
    }

    /// Notes a success. Ends the burst, if there is one and nothing has failed for a while, and says how many failures
    /// it had. It reads the clock only if there is one.
    pub fn succeeded(&self, now: impl FnOnce() -> Moment) -> Option<u64> {
        if !self.lasts.load(Ordering::Relaxed) {
            return None;
        }
        let mut state = self.state.lock();
        let now = now();
        if now.since(state.failed) < CALM {
            return None;
        }
        self.lasts.store(false, Ordering::Relaxed);
        Some(std::mem::take(&mut *state).failures).filter(|failures| *failures > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Burst, CALM, INTERVAL, Report, TEXTS_MAX};
    use crate::Moment;
    use std::time::Duration;

    fn at(after: Duration) -> Moment {
        Moment::default().after(after)
    }

    #[test]
    fn one_cause_is_logged_in_full_once_and_then_counted_at_intervals() {
        let burst = Burst::default();
        assert_eq!(burst.succeeded(|| at(Duration::ZERO)), None);
        assert_eq!(burst.failed("disk full", at(Duration::ZERO)), Report::InFull);
        for millis in 1..1_000 {
            let report = burst.failed("disk full", at(Duration::from_millis(millis)));
            assert_eq!(report, Report::Repeated, "{millis} ms later");
        }
        assert_eq!(burst.failed("disk full", at(INTERVAL)), Report::Count(1_001));
        assert_eq!(burst.failed("disk full", at(INTERVAL)), Report::Repeated);
        assert_eq!(burst.succeeded(|| at(INTERVAL)), None, "others still fail");
        assert_eq!(burst.succeeded(|| at(INTERVAL + CALM)), Some(1_002));
        assert_eq!(burst.succeeded(|| at(INTERVAL + CALM)), None, "it was reported");
        assert_eq!(burst.failed("disk full", at(INTERVAL + CALM)), Report::InFull, "another burst");
    }

    #[test]
    fn every_other_cause_is_logged_in_full_up_to_a_bound() {
        let burst = Burst::default();
        for nr in 0..TEXTS_MAX {
            assert_eq!(burst.failed(&format!("cause {nr}"), Moment::default()), Report::InFull);
        }
        assert_eq!(burst.failed("one more", Moment::default()), Report::Repeated);
        assert_eq!(burst.failed("cause 0", at(INTERVAL)), Report::Count(10));
    }
}
