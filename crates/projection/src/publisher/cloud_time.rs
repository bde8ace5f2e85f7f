use actum_model::Timestamp;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// A moment as RFC 3339 writes it, in UTC with microseconds; none outside of the years that it can write, 0 to 9999.
pub(super) fn cloud_time(time: Timestamp) -> Option<String> {
    let micros = time.as_micros();
    let (seconds, fraction) =
        (micros.div_euclid(MICROS_PER_SECOND), micros.rem_euclid(MICROS_PER_SECOND));
    let (days, second) = (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    (0..=9_999).contains(&year).then(|| {
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}Z")
    })
}

/// Year, month and day of a day since 1970-01-01, by the calendar of today also before it was introduced. Years are counted
/// from March, so that a leap day is the last of its year, and in eras of 400 years, after which all repeats (Howard Hinnant,
/// "chrono-compatible low-level date algorithms").
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // since 0000-03-01
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153; // 0 is March
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, of_next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year_of_era + of_next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seconds: i64, micros: i64) -> Option<String> {
        cloud_time(Timestamp::from_micros(seconds * MICROS_PER_SECOND + micros))
    }

    #[test]
    fn moments_are_written_as_in_rfc_3339() {
        for (seconds, micros, expected) in [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            (-1, 999_999, "1969-12-31T23:59:59.999999Z"),
            (951_782_400, 1, "2000-02-29T00:00:00.000001Z"),
            (1_709_164_800 + 86_399, 0, "2024-02-29T23:59:59.000000Z"),
            (1_798_761_599, 500_000, "2026-12-31T23:59:59.500000Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000Z"),
            (253_402_300_799, 999_999, "9999-12-31T23:59:59.999999Z"),
            (-62_167_219_200, 0, "0000-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(text(seconds, micros).as_deref(), Some(expected));
        }
        assert_eq!(text(253_402_300_800, 0), None);
        assert_eq!(text(-62_167_219_201, 0), None);
        assert_eq!(cloud_time(Timestamp::from_micros(i64::MIN)), None);
    }

    #[test]
    fn days_follow_each_other() {
        let (mut year, mut month, mut day) = (1599, 12, 31);
        let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for nr in -135_140..150_000 {
            let length = match month {
                2 => 28 + i64::from(leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
            assert_eq!(date(nr), (year, month, day));
        }
    }
}
