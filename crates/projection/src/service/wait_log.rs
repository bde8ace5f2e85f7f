use std::time::Duration;

/// Which waits of a segment are worth a line in the log: the first, and its end; of those that come soon after it, such as for the
/// retries of one event after the other, none.
#[derive(Debug, Default)]
pub(super) struct WaitLog {
    /// When a wait was logged last.
    logged: Option<Duration>,
    /// Whether its end is to be logged.
    is_open: bool,
    waits: bool,
}

/// What is worth a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitNews {
    Waits,
    GoesOn,
}

/// How long after one that was logged the next one is, at the earliest.
const INTERVAL: Duration = Duration::from_secs(10);

impl WaitLog {
    /// Takes in whether the segment waits `now`.
    pub(super) fn see(&mut self, waits: bool, now: Duration) -> Option<WaitNews> {
        if waits == self.waits {
            return None;
        }
        self.waits = waits;
        if !waits {
            return std::mem::take(&mut self.is_open).then_some(WaitNews::GoesOn);
        }
        if self.logged.is_some_and(|logged| now < logged + INTERVAL) {
            return None;
        }
        (self.logged, self.is_open) = (Some(now), true);
        Some(WaitNews::Waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_and_its_end_are_logged_once_and_those_that_follow_soon_are_not() {
        let (mut log, at) = (WaitLog::default(), Duration::from_secs);
        assert_eq!(log.see(false, at(1)), None);
        assert_eq!(log.see(true, at(1)), Some(WaitNews::Waits));
        assert_eq!(log.see(true, at(50)), None);
        assert_eq!(log.see(false, at(51)), Some(WaitNews::GoesOn));
        assert_eq!(log.see(true, at(51)), Some(WaitNews::Waits));
        assert_eq!(log.see(false, at(52)), Some(WaitNews::GoesOn));
        assert_eq!((log.see(true, at(53)), log.see(false, at(54))), (None, None));
        assert_eq!(log.see(true, at(61)), Some(WaitNews::Waits));
    }
}
