use crate::share_out::look_max;
use std::time::Duration;

/// Until when the others leave the segments of a runner to it.
///
/// While a handler of this process has the place of progress for itself, no one else renews or claims there, and a look that
/// comes late [counts little](crate::share_out): all of such a time but one look is added to the lease. A renewal that waits comes
/// behind the handler before others have looked twice.
#[derive(Clone, Copy, Debug)]
pub struct RunnerLease {
    lease: Duration,
    /// When the last renewal that succeeded was begun.
    renewed: Duration,
    /// When the last time began that a handler had the place for itself, and what it adds.
    last_hold: Option<(Duration, Duration)>,
    /// What those before it add.
    added: Duration,
}

impl RunnerLease {
    /// One that begins now.
    #[must_use]
    pub fn new(lease: Duration, now: Duration) -> Self {
        Self { lease, renewed: now, last_hold: None, added: Duration::ZERO }
    }

    /// How long it is.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.lease
    }

    /// When others may take over, if no renewal succeeds.
    #[must_use]
    pub fn lapses_at(&self) -> Duration {
        let last = self.last_hold.map_or(Duration::ZERO, |(_, added)| added);
        self.renewed + self.lease + self.added + last
    }

    /// Whether others may have taken over.
    #[must_use]
    pub fn has_lapsed(&self, now: Duration) -> bool {
        self.lapses_at() <= now
    }

    /// Whether a renewal is due.
    #[must_use]
    pub fn is_due(&self, now: Duration) -> bool {
        self.renewed + self.lease / 3 <= now
    }

    /// A renewal that was begun then has succeeded.
    pub fn renewed(&mut self, begun: Duration) {
        *self = Self::new(self.lease, begun);
    }

    /// A handler of this process has had the place of progress for itself in this time, which may be said again while it goes on.
    /// To be said of one such time behind the other. One that was begun when the lease had lapsed changes nothing.
    pub fn held(&mut self, since: Duration, until: Duration) {
        let (last, of_last) = self.last_hold.unwrap_or_default();
        if since < last || since >= self.lapses_at() {
            return;
        }
        if since > last {
            self.added += of_last;
        }
        let held = until.saturating_sub(since.max(self.renewed));
        self.last_hold = Some((since, held.saturating_sub(look_max(self.lease))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_lapses_when_no_renewal_that_was_begun_within_it_has_succeeded() {
        let mut lease = RunnerLease::new(seconds(10), seconds(0));
        lease.renewed(seconds(3));
        assert!(!lease.has_lapsed(seconds(12)) && lease.has_lapsed(seconds(13)));
        assert!(!lease.is_due(seconds(6)) && lease.is_due(seconds(7)));
    }

    #[test]
    fn a_handler_that_has_the_place_for_itself_prolongs_it_by_all_but_one_look() {
        let mut lease = RunnerLease::new(seconds(10), seconds(0));
        for (since, until, lapses_at) in [(1, 5, 10), (1, 10, 15), (1, 15, 20), (1, 31, 36)] {
            lease.held(seconds(since), seconds(until));
            assert_eq!(lease.lapses_at(), seconds(lapses_at), "{until}");
        }
        lease.held(seconds(33), seconds(35));
        assert_eq!(lease.lapses_at(), seconds(36), "a short one takes nothing away");
        lease.held(seconds(1), seconds(31));
        assert_eq!(lease.lapses_at(), seconds(36), "it was counted");
        lease.held(seconds(35), seconds(49));
        assert_eq!(lease.lapses_at(), seconds(46), "and one look for each");
        lease.held(seconds(46), seconds(90));
        assert_eq!(lease.lapses_at(), seconds(46), "others may have taken over before");
    }

    #[test]
    fn what_was_held_before_a_renewal_does_not_count() {
        let mut lease = RunnerLease::new(seconds(10), seconds(0));
        lease.renewed(seconds(20));
        lease.held(seconds(1), seconds(31));
        assert_eq!(lease.lapses_at(), seconds(37), "it was begun, and waited");
        lease.renewed(seconds(31));
        lease.held(seconds(1), seconds(31));
        assert_eq!(lease.lapses_at(), seconds(41));
    }
}
