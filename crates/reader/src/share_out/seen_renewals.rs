use super::rest_name::asks_for_rest;
use actum_persistence::progress::RunnerRow;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// The renewals of runners that were seen last, and when each was seen first. A runner lives while its renewal changes, by the
/// clock of the one that watches: no clock of a database or of another process is asked.
#[derive(Clone, Debug, Default)]
pub struct SeenRenewals(HashMap<Arc<str>, (u64, Duration)>);

impl SeenRenewals {
    /// Takes in the rows that are there now, and forgets runners that are not.
    pub fn see(&mut self, rows: &[RunnerRow], now: Duration) {
        self.0.retain(|name, _| rows.iter().any(|row| row.name == *name));
        for RunnerRow { name, renewal, .. } in rows {
            let seen = self.0.entry(Arc::clone(name)).or_insert((*renewal, now));
            if seen.0 != *renewal {
                *seen = (*renewal, now);
            }
        }
    }

    /// For how long the renewal of a runner has not changed; none if it is not among the rows that were seen last.
    pub fn unchanged(&self, name: &str, now: Duration) -> Option<Duration> {
        self.0.get(name).map(|(_, since)| now.saturating_sub(*since))
    }

    /// Whether a runner lives that runs segments: it was seen to renew, or first seen, within a lease. One that asks the others to
    /// rest runs none.
    pub fn any_lives(&self, lease: Duration, now: Duration) -> bool {
        let runs = self.0.iter().filter(|(name, _)| !asks_for_rest(name));
        runs.into_iter().any(|(_, (_, since))| now.saturating_sub(*since) < lease)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::division_name, *};

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn row(name: &str, renewal: u64) -> RunnerRow {
        RunnerRow::new(name, renewal)
    }

    #[test]
    fn a_runner_is_silent_since_its_renewal_was_seen_first() {
        let mut seen = SeenRenewals::default();
        seen.see(&[row("a", 7), row("b", 1)], seconds(10));
        seen.see(&[row("a", 7), row("b", 2)], seconds(15));
        assert_eq!(seen.unchanged("a", seconds(20)), Some(seconds(10)));
        assert_eq!(seen.unchanged("b", seconds(20)), Some(seconds(5)));
        // a counter that has gone down is another life: it has renewed
        seen.see(&[row("a", 1)], seconds(21));
        assert_eq!(seen.unchanged("a", seconds(22)), Some(seconds(1)));
        assert_eq!(seen.unchanged("b", seconds(22)), None, "it is not there any more");
    }

    #[test]
    fn a_runner_lives_for_a_lease_behind_its_last_renewal_and_one_that_asks_for_rest_is_none() {
        let mut seen = SeenRenewals::default();
        assert!(!seen.any_lives(seconds(9), seconds(0)));
        seen.see(&[row("a", 7), row(&division_name("b"), 1)], seconds(10));
        assert!(seen.any_lives(seconds(9), seconds(18)));
        seen.see(&[row("a", 7), row(&division_name("b"), 2)], seconds(19));
        assert!(!seen.any_lives(seconds(9), seconds(19)), "a is silent, and b runs nothing");
    }

    #[test]
    fn one_that_comes_back_is_seen_as_new() {
        let mut seen = SeenRenewals::default();
        seen.see(&[row("a", 7)], seconds(1));
        seen.see(&[], seconds(2));
        seen.see(&[row("a", 7)], seconds(9));
        assert_eq!(seen.unchanged("a", seconds(10)), Some(seconds(1)));
    }
}
