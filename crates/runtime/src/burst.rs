//! Failures that may come a thousand times for one cause, such as a full disk: the first is told in full, the others are
//! counted.

use crate::cell::Moment;
use parking_lot::Mutex;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// How often a burst that goes on is told again.
const INTERVAL: Duration = Duration::from_secs(10);

/// How long nothing of the kind may fail before a success ends a burst.
const CALM: Duration = Duration::from_secs(1);

/// How many different texts of one burst are told in full.
const TEXTS_MAX: usize = 8;

/// The failures of one kind of work since they began. A success costs one atomic read while there are none.
#[derive(Debug, Default)]
pub(crate) struct Burst {
    lasts: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u64,
    texts: Vec<String>,
    told: Moment,
    failed: Moment,
}

/// What a log says about one failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tell {
    /// The failure itself, with everything that caused it.
    InFull,
    /// That it goes on, and how often it has failed so far.
    Count(u64),
    /// Nothing: it was told not long ago.
    Nothing,
}

impl Burst {
    /// Notes a failure, and says what to tell of it.
    pub(crate) fn failed(&self, text: &str, now: Moment) -> Tell {
        let mut state = self.state.lock();
        self.lasts.store(true, Ordering::Relaxed);
        state.failures += 1;
        state.failed = now;
        let known = state.texts.iter().any(|known| known == text);
        if !known && state.texts.len() < TEXTS_MAX {
            state.texts.push(text.to_owned());
            state.told = now;
            return Tell::InFull;
        }
        if now.since(state.told) < INTERVAL {
            return Tell::Nothing;
        }
        state.told = now;
        Tell::Count(state.failures)
    }

    /// Notes a success. Ends the burst, if there is one and nothing has failed for a while, and says how many failures
    /// it had.
    pub(crate) fn succeeded(&self, now: Moment) -> Option<u64> {
        if !self.lasts.load(Ordering::Relaxed) {
            return None;
        }
        let mut state = self.state.lock();
        if now.since(state.failed) < CALM {
            return None;
        }
        self.lasts.store(false, Ordering::Relaxed);
        Some(std::mem::take(&mut *state).failures).filter(|failures| *failures > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Burst, CALM, INTERVAL, TEXTS_MAX, Tell};
    use crate::cell::Moment;
    use std::time::Duration;

    fn at(after: Duration) -> Moment {
        Moment::default().after(after)
    }

    #[test]
    fn one_cause_is_told_in_full_once_and_then_counted_at_intervals() {
        let burst = Burst::default();
        assert_eq!(burst.succeeded(at(Duration::ZERO)), None);
        assert_eq!(burst.failed("disk full", at(Duration::ZERO)), Tell::InFull);
        for millis in 1..1_000 {
            let told = burst.failed("disk full", at(Duration::from_millis(millis)));
            assert_eq!(told, Tell::Nothing, "{millis} ms later");
        }
        assert_eq!(burst.failed("disk full", at(INTERVAL)), Tell::Count(1_001));
        assert_eq!(burst.failed("disk full", at(INTERVAL)), Tell::Nothing);
        assert_eq!(burst.succeeded(at(INTERVAL)), None, "others still fail");
        assert_eq!(burst.succeeded(at(INTERVAL + CALM)), Some(1_002));
        assert_eq!(burst.succeeded(at(INTERVAL + CALM)), None, "it was told");
        assert_eq!(burst.failed("disk full", at(INTERVAL + CALM)), Tell::InFull, "another burst");
    }

    #[test]
    fn every_other_cause_is_told_in_full_up_to_a_bound() {
        let burst = Burst::default();
        for nr in 0..TEXTS_MAX {
            assert_eq!(burst.failed(&format!("cause {nr}"), Moment::default()), Tell::InFull);
        }
        assert_eq!(burst.failed("one more", Moment::default()), Tell::Nothing);
        assert_eq!(burst.failed("cause 0", at(INTERVAL)), Tell::Count(10));
    }
}
