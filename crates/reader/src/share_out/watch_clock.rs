use std::time::Duration;

/// Counts the time by which others are silent, for one who looks at their renewals three times a lease, each time behind a
/// renewal of its own.
///
/// Where a look came late, because the database was away or a transaction held all of a file, the others may have been kept
/// from renewing just as long: no one is taken for dead by a single look.
#[derive(Debug)]
pub(super) struct WatchClock {
    look_max: Duration,
    looked: Option<Duration>,
    counted: Duration,
}

impl WatchClock {
    pub(super) fn new(lease: Duration) -> Self {
        Self { look_max: look_max(lease), looked: None, counted: Duration::ZERO }
    }

    /// Looks.
    pub(super) fn look(&mut self, now: Duration) {
        let since = now.saturating_sub(self.looked.replace(now).unwrap_or(now));
        self.counted += since.min(self.look_max);
    }

    /// What was counted up to the last look.
    pub(super) fn counted(&self) -> Duration {
        self.counted
    }
}

/// How much of the time between two looks counts against those who have not renewed.
pub(crate) fn look_max(lease: Duration) -> Duration {
    lease * 2 / 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_in_time_count_whole_and_one_that_comes_late_counts_less_than_half_a_lease() {
        let seconds = Duration::from_secs;
        let mut clock = WatchClock::new(seconds(9));
        for (now, counted) in [(100, 0), (103, 3_000), (104, 4_000), (500, 7_600), (503, 10_600)] {
            clock.look(seconds(now));
            assert_eq!(clock.counted(), Duration::from_millis(counted), "{now}");
        }
    }
}
