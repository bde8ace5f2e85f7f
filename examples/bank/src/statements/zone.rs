use actum::Timestamp;
use jiff::tz::TimeZone;
use std::{fmt, str::FromStr};

/// A time zone, by its name in the IANA database, such as `Europe/Zurich`: it says which day a moment belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The day of a moment, as `2026-11-30`.
    #[must_use]
    pub fn day(&self, timestamp: Timestamp) -> String {
        let moment = jiff::Timestamp::from_microsecond(timestamp.as_micros());
        let moment = moment.unwrap_or(if timestamp.as_micros() < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        self.0.to_datetime(moment).date().to_string()
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let unknown = || format!("`{name}` is not a time zone: write one as Europe/Zurich, or UTC");
        // the name is kept with the rows, so one that has none is no use
        let zone = TimeZone::get(name).map_err(|_| unknown())?;
        zone.iana_name().is_some().then_some(Self(zone)).ok_or_else(unknown)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(zone: &str, at: &str) -> String {
        let at = humantime::parse_rfc3339(at).expect("a moment");
        zone.parse::<Zone>().expect("a zone").day(at.into())
    }

    #[test]
    fn a_day_is_that_of_the_zone_also_when_its_clocks_are_changed() {
        for (at, day_in_zurich, day_in_utc) in [
            ("2026-03-28T22:59:59Z", "2026-03-28", "2026-03-28"),
            ("2026-03-28T23:00:00Z", "2026-03-29", "2026-03-28"), // the day that has 23 hours
            ("2026-03-29T21:59:59Z", "2026-03-29", "2026-03-29"),
            ("2026-03-29T22:00:00Z", "2026-03-30", "2026-03-29"),
            ("2026-10-24T22:00:00Z", "2026-10-25", "2026-10-24"), // the day that has 25
            ("2026-10-25T22:59:59Z", "2026-10-25", "2026-10-25"),
            ("2026-10-25T23:00:00Z", "2026-10-26", "2026-10-25"),
        ] {
            assert_eq!(day("Europe/Zurich", at), day_in_zurich, "{at}");
            assert_eq!(day("UTC", at), day_in_utc, "{at}");
        }
        assert_eq!(day("Pacific/Kiritimati", "2026-12-31T10:00:00Z"), "2027-01-01");
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for name in ["", "Zurich", "Mars/Olympus", "+01:00"] {
            let error = name.parse::<Zone>().expect_err("no zone");
            assert_eq!(
                error,
                format!("`{name}` is not a time zone: write one as Europe/Zurich, or UTC")
            );
        }
        assert_eq!("Europe/Zurich".parse::<Zone>().expect("a zone").to_string(), "Europe/Zurich");
        assert_eq!(("UTC".parse(), Zone::UTC.to_string().as_str()), (Ok(Zone::UTC), "UTC"));
    }

    #[test]
    fn every_moment_has_a_day() {
        for micros in [i64::MIN, i64::MAX] {
            assert!(!Zone::UTC.day(Timestamp::from_micros(micros)).is_empty());
        }
    }
}
