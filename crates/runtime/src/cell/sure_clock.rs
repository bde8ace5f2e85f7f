use actum_persistence::serializer::Uptime;

/// Counts the seconds that have surely passed for one entity: those between two moments of one life of an engine, by its
/// monotonic clock. Between two lives nothing has surely passed, whatever wall clocks say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SureClock {
    now: i32,
    last: Uptime,
}

impl SureClock {
    /// Moves on to a moment, in the order the entity met them, and says what time it is then.
    pub(crate) fn move_to(&mut self, moment: Uptime) -> i32 {
        if moment.incarnation != self.last.incarnation {
            self.last = moment;
        } else if moment.seconds > self.last.seconds {
            let passed = i32::try_from(moment.seconds - self.last.seconds).unwrap_or(i32::MAX);
            self.now = self.now.saturating_add(passed);
            self.last = moment;
        }
        self.now
    }

    /// What time it is.
    pub(crate) fn now(&self) -> i32 {
        self.now
    }

    /// The last moment it met.
    pub(crate) fn last(&self) -> Uptime {
        self.last
    }

    /// A clock that shows zero at this moment.
    pub(crate) fn from_zero(last: Uptime) -> Self {
        Self { now: 0, last }
    }
}

#[cfg(test)]
mod tests {
    use super::SureClock;
    use actum_persistence::{serializer::Uptime, store::Incarnation};

    fn moment(incarnation: u64, seconds: u32) -> Uptime {
        Uptime { incarnation: Incarnation::new(incarnation), seconds }
    }

    #[test]
    fn only_time_within_one_life_counts() {
        let mut clock = SureClock::default();
        let met = [(1, 100), (1, 107), (2, 5), (2, 5), (2, 4), (2, 8), (3, 1_000_000), (2, 9)];
        let shown = met.map(|(incarnation, seconds)| clock.move_to(moment(incarnation, seconds)));
        assert_eq!(shown, [0, 7, 7, 7, 7, 10, 10, 10]);
    }
}
