use std::time::Duration;
use tokio::time::Instant;

/// How the clock of leases steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockStep {
    /// It is suddenly later.
    Forward(Duration),
    /// It is suddenly earlier.
    Back(Duration),
}

/// The clock that leases are kept by: tokio's, and the steps it has made.
pub(crate) struct LeaseClock {
    started: Instant,
    stepped: i128,
}

/// A time on a [`LeaseClock`], in nanoseconds.
#[derive(Clone, Copy)]
pub(crate) struct LeaseTime(i128);

impl Default for LeaseClock {
    fn default() -> Self {
        Self { started: Instant::now(), stepped: 0 }
    }
}

impl LeaseClock {
    pub(crate) fn now(&self) -> LeaseTime {
        LeaseTime(nanos(self.started.elapsed()) + self.stepped)
    }

    pub(crate) fn after(&self, duration: Duration) -> LeaseTime {
        LeaseTime(self.now().0 + nanos(duration))
    }

    pub(crate) fn step(&mut self, step: ClockStep) {
        match step {
            ClockStep::Forward(by) => self.stepped += nanos(by),
            ClockStep::Back(by) => self.stepped -= nanos(by),
        }
    }
}

impl LeaseTime {
    /// How long after `earlier` this is; zero if it is not after.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        let nanos = u64::try_from((self.0 - earlier.0).max(0)).unwrap_or(u64::MAX);
        Duration::from_nanos(nanos)
    }
}

fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).expect("the nanoseconds of a duration have 95 bits")
}
