use std::time::Duration;
use tokio::time::Instant;

/// How often something has failed, and how long to wait before it is started again: not at all the first time, then a
/// pause that doubles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Restarts {
    failures: u32,
    started: Instant,
}

const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// What ran this long starts with a clean record.
const FORGIVEN_AFTER: Duration = Duration::from_secs(60);

impl Restarts {
    pub(crate) fn new() -> Self {
        Self { failures: 0, started: Instant::now() }
    }

    /// It runs from now on.
    pub(crate) fn started(&mut self) {
        self.started = Instant::now();
    }

    /// It has failed; says how long to wait.
    pub(crate) fn failed(&mut self) -> Duration {
        if self.started.elapsed() >= FORGIVEN_AFTER {
            self.failures = 0;
        }
        let pause = match self.failures {
            0 => Duration::ZERO,
            again => PAUSE_MIN.saturating_mul(1 << (again - 1).min(10)).min(PAUSE_MAX),
        };
        self.failures += 1;
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_a_bound_and_are_forgotten() {
        let mut restarts = Restarts::new();
        let pauses: Vec<_> = (0..9).map(|_| restarts.failed().as_millis()).collect();
        assert_eq!(pauses, [0, 50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
        restarts.started();
        advance(FORGIVEN_AFTER).await;
        assert_eq!(restarts.failed(), Duration::ZERO);
    }
}
