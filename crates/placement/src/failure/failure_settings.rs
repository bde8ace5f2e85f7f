use actum_persistence::{settings_check::SettingsCheck, store::LEASE_MAX};
use std::time::Duration;

/// How fast failed members are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailureSettings {
    /// How long a member relies on a renewal; 3 seconds by default, 300 milliseconds to 1 day. The same for all members:
    /// they renew three times as often.
    pub lease: Duration,
    /// For how long a member is refused, without a renewal, before it is suspected; 200 milliseconds by default, 20
    /// milliseconds up to the lease. With more than a third of the lease a member that renews is never suspected, even when
    /// its listener has failed; and one that was killed is found that much later.
    pub refused_for: Duration,
}

impl FailureSettings {
    /// Sets [`lease`](Self::lease).
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// Sets [`refused_for`](Self::refused_for).
    #[must_use]
    pub fn with_refused_for(self, refused_for: Duration) -> Self {
        Self { refused_for, ..self }
    }

    /// Checks that they are within their bounds.
    pub fn check(&self, check: &mut SettingsCheck) {
        check.duration("failure.lease", self.lease, Duration::from_millis(300)..=LEASE_MAX);
        let least = Duration::from_millis(20);
        let bounds = least..=self.lease.max(least);
        check.duration("failure.refused_for", self.refused_for, bounds);
    }
}

impl Default for FailureSettings {
    fn default() -> Self {
        Self { lease: Duration::from_secs(3), refused_for: Duration::from_millis(200) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_bounds() {
        let problems = |settings: FailureSettings| {
            let mut check = SettingsCheck::new();
            settings.check(&mut check);
            check.into_problems()
        };
        let settings = FailureSettings::default();
        assert_eq!(problems(settings), [""; 0]);
        assert_eq!(
            problems(settings.with_lease(Duration::ZERO)),
            [
                "`failure.lease` is 0 ms, it must be 300 ms to 1 day",
                "`failure.refused_for` is 200 ms, it must be 20 ms to 20 ms",
            ]
        );
        assert_eq!(
            problems(settings.with_refused_for(Duration::from_secs(4))),
            ["`failure.refused_for` is 4 s, it must be 20 ms to 3 s"]
        );
    }
}
