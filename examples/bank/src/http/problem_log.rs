use parking_lot::Mutex;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// How often problems of one name are logged at most.
const INTERVAL: Duration = Duration::from_secs(10);

/// Logs requests that could not be served: the first of each name, then a count at intervals. A store that is away fails
/// thousands of requests a second, and the log must not fill the disk.
#[derive(Debug, Default)]
pub(super) struct ProblemLog {
    /// When each was logged, and how many were not since.
    logged: Mutex<HashMap<&'static str, (Instant, u64)>>,
}

impl ProblemLog {
    pub(super) fn failed(&self, problem: &'static str, detail: &str, path: &str) {
        let Some(suppressed) = self.count(problem, Instant::now()) else { return };
        tracing::warn!(problem, detail, path, suppressed, "request not served");
    }

    /// How many of the name were not logged since the last one was; `None` if this one is not either.
    fn count(&self, problem: &'static str, now: Instant) -> Option<u64> {
        let mut logged = self.logged.lock();
        let Some((at, suppressed)) = logged.get_mut(problem) else {
            logged.insert(problem, (now, 0));
            return Some(0);
        };
        if now.duration_since(*at) < INTERVAL {
            *suppressed += 1;
            return None;
        }
        *at = now;
        Some(std::mem::take(suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_problem_of_a_name_is_logged_and_the_next_ones_are_counted() {
        let (log, start) = (ProblemLog::default(), Instant::now());
        assert_eq!(log.count("unavailable", start), Some(0));
        assert_eq!(log.count("overloaded", start), Some(0));
        for _ in 0..1_000 {
            assert_eq!(log.count("unavailable", start), None);
        }
        assert_eq!(log.count("unavailable", start + INTERVAL), Some(1_000));
        assert_eq!(log.count("unavailable", start + 2 * INTERVAL), Some(0));
    }
}
