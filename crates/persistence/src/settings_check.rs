//! The one check of settings: what is beyond its bounds is named with its value and its bounds, in plain units.

use std::{
    fmt::Write,
    ops::{Bound, RangeBounds},
    time::Duration,
};

/// Gathers what is wrong with settings: for each field that is beyond its bounds a sentence that names the field, its
/// value and the bounds.
///
/// # Examples
/// ```
/// use actum_persistence::settings_check::SettingsCheck;
/// use std::time::Duration;
///
/// let mut check = SettingsCheck::new();
/// let least = Duration::from_millis(1);
/// check.duration("slow_handler_after", Duration::ZERO, least..);
/// check.number("readers", 65, 1..=64);
/// check.bytes("journal_bytes_max", 1, 1 << 20..);
/// assert_eq!(check.into_problems(), [
///     "`slow_handler_after` is 0 ms, it must be at least 1 ms",
///     "`readers` is 65, it must be 1 to 64",
///     "`journal_bytes_max` is 1 byte, it must be at least 1 MiB",
/// ]);
/// ```
#[derive(Debug, Default)]
pub struct SettingsCheck {
    problems: Vec<String>,
}

impl SettingsCheck {
    /// Nothing is wrong so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks a number, such as how many there may be of something.
    pub fn number<N: SettingNumber>(&mut self, field: &str, value: N, bounds: impl RangeBounds<N>) {
        self.check(field, &value, &bounds, |number| plain_number(number.number()));
    }

    /// Checks a number of bytes.
    pub fn bytes<N: SettingNumber>(&mut self, field: &str, value: N, bounds: impl RangeBounds<N>) {
        self.check(field, &value, &bounds, |number| plain_bytes(number.number()));
    }

    /// Checks a time.
    pub fn duration(&mut self, field: &str, value: Duration, bounds: impl RangeBounds<Duration>) {
        self.check(field, &value, &bounds, |duration| plain_duration(*duration));
    }

    /// Adds what is wrong in another way: a sentence that names the field and its value.
    pub fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    /// All that is wrong; empty if the settings can be used.
    #[must_use]
    pub fn into_problems(self) -> Vec<String> {
        self.problems
    }

    fn check<T: PartialOrd>(
        &mut self,
        field: &str,
        value: &T,
        bounds: &impl RangeBounds<T>,
        plain: impl Fn(&T) -> String,
    ) {
        if bounds.contains(value) {
            return;
        }
        let bounds = match (bounds.start_bound(), bounds.end_bound()) {
            (Bound::Included(min), Bound::Included(max)) => {
                format!("{} to {}", plain(min), plain(max))
            }
            (min, max) => [
                limit("at least", "more than", min, &plain),
                limit("at most", "less than", max, &plain),
            ]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" and "),
        };
        self.problems.push(format!("`{field}` is {}, it must be {bounds}", plain(value)));
    }
}

impl Extend<String> for SettingsCheck {
    /// Adds the problems of settings within these.
    fn extend<I: IntoIterator<Item = String>>(&mut self, problems: I) {
        self.problems.extend(problems);
    }
}

fn limit<T>(
    included: &str,
    excluded: &str,
    bound: Bound<&T>,
    plain: &impl Fn(&T) -> String,
) -> Option<String> {
    match bound {
        Bound::Included(value) => Some(format!("{included} {}", plain(value))),
        Bound::Excluded(value) => Some(format!("{excluded} {}", plain(value))),
        Bound::Unbounded => None,
    }
}

/// A whole number that a setting may be.
pub trait SettingNumber: Copy + PartialOrd {
    /// The number.
    fn number(&self) -> u64;
}

macro_rules! setting_numbers {
    ($($number:ty)*) => { $(
        impl SettingNumber for $number {
            fn number(&self) -> u64 {
                u64::try_from(*self).unwrap_or(u64::MAX)
            }
        }
    )* };
}

setting_numbers! { u16 u32 u64 usize i32 }

/// `100,000`
fn plain_number(number: u64) -> String {
    let digits = number.to_string();
    let mut plain = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            plain.push(',');
        }
        plain.push(digit);
    }
    plain
}

/// `1 byte`, `16 KiB`, `1,000 bytes`
fn plain_bytes(bytes: u64) -> String {
    for (unit, size) in [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= size && bytes.is_multiple_of(size) {
            return format!("{} {unit}", plain_number(bytes / size));
        }
    }
    counted(bytes, "byte")
}

/// `0 ms`, `1,500 ms`, `5 s`, `1 minute`, `2 hours`, `1 day`
fn plain_duration(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    if nanos == 0 {
        for (unit, size) in [("day", 24 * 60 * 60), ("hour", 60 * 60), ("minute", 60)] {
            if seconds >= size && seconds.is_multiple_of(size) {
                return counted(seconds / size, unit);
            }
        }
    }
    // a setting of more than a day does not mean its last nanosecond
    if seconds >= 24 * 60 * 60 || (nanos == 0 && seconds > 0) {
        return format!("{} s", plain_number(seconds));
    }
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    for (unit, size) in [("ms", 1_000_000), ("µs", 1_000)] {
        if nanos.is_multiple_of(size) {
            return format!("{} {unit}", plain_number(nanos / size));
        }
    }
    format!("{} ns", plain_number(nanos))
}

fn counted(count: u64, unit: &str) -> String {
    let mut plain = plain_number(count);
    let plural = if count == 1 { "" } else { "s" };
    let _ = write!(plain, " {unit}{plural}"); // a string takes all
    plain
}

#[cfg(test)]
mod tests {
    use super::{SettingsCheck, plain_bytes, plain_duration, plain_number};
    use std::{ops::Bound, time::Duration};

    #[test]
    fn numbers_bytes_and_times_are_shown_in_plain_units() {
        for (number, plain) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(plain_number(number), plain);
        }
        for (bytes, plain) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1 << 10, "1 KiB"),
            ((1 << 20) - 1, "1,048,575 bytes"),
            (64 << 20, "64 MiB"),
            (1 << 40, "1,024 GiB"),
        ] {
            assert_eq!(plain_bytes(bytes), plain);
        }
        for (duration, plain) in [
            (Duration::ZERO, "0 ms"),
            (Duration::from_nanos(1), "1 ns"),
            (Duration::from_micros(10), "10 µs"),
            (Duration::from_millis(1_500), "1,500 ms"),
            (Duration::from_secs(1), "1 s"),
            (Duration::from_secs(90), "90 s"),
            (Duration::from_secs(60), "1 minute"),
            (Duration::from_secs(7_200), "2 hours"),
            (Duration::from_secs(24 * 60 * 60), "1 day"),
            (Duration::from_secs(24 * 60 * 60) + Duration::from_nanos(1), "86,400 s"),
            (Duration::MAX, "18,446,744,073,709,551,615 s"),
        ] {
            assert_eq!(plain_duration(duration), plain);
        }
    }

    #[test]
    fn every_kind_of_bound_is_reported_and_holds() {
        let mut check = SettingsCheck::new();
        check.number("a", 5u32, 1..=5);
        check.number("b", 6u32, 1..=5);
        check.number("c", 0usize, 1..);
        check.number("d", 9u16, ..=8);
        check.number("e", 9u64, ..9);
        check.number("f", 9u64, (Bound::Excluded(9), Bound::Unbounded));
        check.number("g", 0u64, (Bound::Excluded(0), Bound::Excluded(2)));
        check.extend(["`h` is not `i`".to_owned()]);
        check.problem("`j` is missing");
        assert_eq!(
            check.into_problems(),
            [
                "`b` is 6, it must be 1 to 5",
                "`c` is 0, it must be at least 1",
                "`d` is 9, it must be at most 8",
                "`e` is 9, it must be less than 9",
                "`f` is 9, it must be more than 9",
                "`g` is 0, it must be more than 0 and less than 2",
                "`h` is not `i`",
                "`j` is missing",
            ]
        );
    }
}
