//! How an engine describes itself to the next one that claims its journal.

use actum_model::Timestamp;

/// Where Linux keeps the name of the host; in a container, that of the container. Other systems keep it in no file.
const HOST_FILE: &str = "/proc/sys/kernel/hostname";

/// The engine's name, its host if that is known, its process, and since when it is there. In containers the id of the
/// process is often 1, and the name of the host often stays the same when it is started again.
pub(super) fn describe(name: &str, started: Timestamp) -> String {
    let host = std::fs::read_to_string(HOST_FILE).unwrap_or_default();
    text(name, host.trim(), std::process::id(), started)
}

fn text(name: &str, host: &str, process: u32, started: Timestamp) -> String {
    let host = if host.is_empty() { String::new() } else { format!(" on host `{host}`") };
    format!("engine `{name}`{host}, process {process}, started {}", utc(started))
}

/// A time to the second, as RFC 3339 writes it.
fn utc(time: Timestamp) -> String {
    let seconds = time.as_micros().div_euclid(1_000_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The date so many days after 1970-01-01: `civil_from_days` of Howard Hinnant's "chrono-compatible low-level date
/// algorithms". Years begin in March, so that a leap day is the last of its year.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // since 0000-03-01
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153; // 0 is March
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_differs_from_another_of_the_same_process_id() {
        let started = Timestamp::from_micros(1_795_963_267_000_001);
        assert_eq!(
            text("bank", "web-1", 1, started),
            "engine `bank` on host `web-1`, process 1, started 2026-11-29T14:41:07Z"
        );
        assert_eq!(
            text("bank", "", 7, started),
            "engine `bank`, process 7, started 2026-11-29T14:41:07Z"
        );
    }

    #[test]
    fn times_are_in_utc() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_799, "2000-02-29T23:59:59Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
        ] {
            assert_eq!(utc(Timestamp::from_micros(seconds * 1_000_000)), text);
        }
    }
}
