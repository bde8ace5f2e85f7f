use actum_persistence::serializer::Uptime;

/// Counts the seconds that have surely passed for one entity: those between two moments of one life of an engine, by its
/// monotonic clock. Between two lives nothing has surely passed, whatever wall clocks say.
///
/// Moments are whole seconds, so two of one life that differ by two may be little more than one second apart. That second
/// is taken off once a life: otherwise the roundings of many short lives would add up.
#[derive(Clone, Copy, Debug, Default)]
pub struct SureClock {
    /// What time it was when this life began.
    base: i32,
    /// The first moment of this life, in seconds.
    first: u32,
    last: Uptime,
}

impl SureClock {
    /// Moves on to a moment, in the order the entity met them, and says what time it is then.
    pub fn move_to(&mut self, moment: Uptime) -> i32 {
        if moment.incarnation != self.last.incarnation {
            (self.base, self.first, self.last) = (self.now(), moment.seconds, moment);
        } else if moment.seconds > self.last.seconds {
            self.last = moment;
        }
        self.now()
    }

    /// What time it is.
    pub fn now(&self) -> i32 {
        let passed = self.last.seconds.saturating_sub(self.first).saturating_sub(1);
        self.base.saturating_add(i32::try_from(passed).unwrap_or(i32::MAX))
    }

    /// The last moment it met.
    pub fn last(&self) -> Uptime {
        self.last
    }

    /// A clock that shows zero at this moment.
    pub fn from_zero(last: Uptime) -> Self {
        Self { base: 0, first: last.seconds, last }
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
        assert_eq!(shown, [0, 6, 6, 6, 6, 8, 8, 8]);
    }

    #[test]
    fn the_roundings_of_short_lives_do_not_add_up() {
        let mut clock = SureClock::default();
        for life in 1..=100 {
            // less than a second each
            clock.move_to(moment(life, 7));
            assert_eq!(clock.move_to(moment(life, 8)), 0);
        }
    }
}
