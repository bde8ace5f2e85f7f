use parking_lot::Mutex;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// How often problems of one cause are logged at most.
const INTERVAL: Duration = Duration::from_secs(10);

/// How many different problems are distinguished; all others of one name count as one.
const PROBLEMS_MAX: usize = 64;

/// Logs requests that could not be served: the first of each cause, then a count at intervals. A store that is away fails
/// thousands of requests a second, and the log must not fill the disk.
#[derive(Debug, Default)]
pub(super) struct ProblemLog {
    /// When each was logged, and how many were not since.
    logged: Mutex<HashMap<Cause, (Instant, u64)>>,
}

/// The name of a problem, and its detail without digits: how much room is left on a full disk makes no other cause.
type Cause = (&'static str, String);

impl ProblemLog {
    pub(super) fn failed(&self, problem: &'static str, detail: &str, path: &str) {
        let Some(suppressed) = self.count(problem, detail, Instant::now()) else { return };
        tracing::warn!(problem, detail, path, suppressed, "request not served");
    }

    /// How many of the cause were not logged since the last one was; `None` if this one is not either.
    fn count(&self, problem: &'static str, detail: &str, now: Instant) -> Option<u64> {
        let mut logged = self.logged.lock();
        let shape = detail.chars().filter(|char| !char.is_ascii_digit()).collect();
        let mut cause: Cause = (problem, shape);
        if logged.len() >= PROBLEMS_MAX && !logged.contains_key(&cause) {
            cause.1.clear();
        }
        let Some((at, suppressed)) = logged.get_mut(&cause) else {
            logged.insert(cause, (now, 0));
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
    fn the_first_problem_of_a_cause_is_logged_and_the_next_ones_are_counted() {
        let (log, start) = (ProblemLog::default(), Instant::now());
        assert_eq!(log.count("unavailable", "3 KiB are free", start), Some(0));
        assert_eq!(log.count("unavailable", "away", start), Some(0));
        assert_eq!(log.count("overloaded", "disk full", start), Some(0));
        for nr in 0..1_000 {
            assert_eq!(log.count("unavailable", &format!("{nr} KiB are free"), start), None);
        }
        assert_eq!(log.count("unavailable", "4 KiB are free", start + INTERVAL), Some(1_000));
        assert_eq!(log.count("unavailable", "4 KiB are free", start + 2 * INTERVAL), Some(0));
    }

    #[test]
    fn causes_without_end_take_up_no_memory_without_end() {
        let (log, now) = (ProblemLog::default(), Instant::now());
        let logged = (1..10_000).filter(|nr| log.count("corrupt", &"x".repeat(*nr), now).is_some());
        assert_eq!(logged.count(), PROBLEMS_MAX + 1);
        assert_eq!(log.logged.lock().len(), PROBLEMS_MAX + 1);
    }
}
