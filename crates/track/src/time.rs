//! The clock of the store: microseconds since the Unix epoch, and their
//! RFC 3339 text, always UTC. Nobody needs a calendar beyond this one line, so
//! there is no date crate here.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the Unix epoch. Durations come from a monotonic clock
/// instead: this one may jump.
pub fn now_us() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_micros() as i64,
        Err(before) => -(before.duration().as_micros() as i64),
    }
}

/// `2026-03-01T12:00:00.000000Z`: fixed width, so text order is time order.
pub fn rfc3339(us: i64) -> String {
    const DAY_US: i64 = 86_400_000_000;
    let (year, month, day) = civil_from_days(us.div_euclid(DAY_US));
    let of_day = us.rem_euclid(DAY_US);
    let (seconds, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}Z")
}

/// Days since 1970-01-01 to (year, month, day) of the proleptic Gregorian
/// calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
/// The year is shifted to begin in March, so that the leap day comes last.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        let check =
            |seconds: i64, expected: &str| assert_eq!(rfc3339(seconds * 1_000_000), expected);
        check(0, "1970-01-01T00:00:00.000000Z");
        check(951_782_400, "2000-02-29T00:00:00.000000Z");
        check(1_234_567_890, "2009-02-13T23:31:30.000000Z");
        check(1_709_164_799, "2024-02-28T23:59:59.000000Z");
        check(1_709_164_800, "2024-02-29T00:00:00.000000Z");
        check(1_709_251_200, "2024-03-01T00:00:00.000000Z");
        check(4_107_542_400, "2100-03-01T00:00:00.000000Z"); // 2100 has no leap day
        check(-1, "1969-12-31T23:59:59.000000Z");
        assert_eq!(rfc3339(1_234_567), "1970-01-01T00:00:01.234567Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999999Z");
    }

    #[test]
    fn now_is_after_this_was_written() {
        assert!(rfc3339(now_us()).as_str() > "2025-01-01");
    }
}
