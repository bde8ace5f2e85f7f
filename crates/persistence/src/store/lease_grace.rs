use std::time::Duration;

/// The longest lease anything has.
pub const LEASE_MAX: Duration = Duration::from_hours(24);

/// Timers are a little late.
const TIMERS: Duration = Duration::from_millis(20);

/// How long after the end of a lease its holder is taken for dead by others: 20 milliseconds and a thousandth of the lease,
/// since timers are a little late, and two clocks do not run at quite the same rate.
#[must_use]
pub fn lease_grace(lease: Duration) -> Duration {
    TIMERS + lease / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_of_ten_seconds_has_a_grace_of_thirty_milliseconds() {
        assert_eq!(lease_grace(Duration::from_secs(10)), Duration::from_millis(30));
        assert_eq!(lease_grace(Duration::ZERO), Duration::from_millis(20));
    }
}
