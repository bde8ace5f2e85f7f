use std::time::Duration;

/// How long to wait between attempts: twice as long each time, up to a bound, with some of it left to chance so that many
/// who failed together do not try together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// The bound.
    pub max: Duration,
}

impl Backoff {
    /// While a store cannot be reached.
    pub const AWAY: Self = Self { first: Duration::from_millis(100), max: Duration::from_secs(10) };

    /// How long to wait after failure number `nr`, the first is 1; `chance` is 0 to 1 and shortens it by up to a quarter.
    pub fn after(self, nr: u32, chance: f64) -> Duration {
        let doubled = self.first.saturating_mul(1 << nr.saturating_sub(1).min(30)).min(self.max);
        doubled.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 4.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_its_bound() {
        let backoff = Backoff { first: Duration::from_millis(100), max: Duration::from_secs(1) };
        let waits = [1, 2, 3, 4, 5, 99, u32::MAX].map(|nr| backoff.after(nr, 0.0).as_millis());
        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000, 1000]);
        assert_eq!(backoff.after(2, 1.0).as_millis(), 150);
    }
}
