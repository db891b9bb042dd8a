//! A time limit as Slurm writes it.

use std::fmt;

/// `90`, `90:00`, `8:00:00`, `1-0`, `1-0:00`, `1-00:00:00`: minutes, with seconds, hours with both,
/// and the same after days. Kept as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeLimit {
    text: String,
    seconds: u64,
}

impl TimeLimit {
    /// `None` where Slurm would refuse it, or take it for no limit at all.
    pub fn parse(text: &str) -> Option<TimeLimit> {
        let (days, clock) = match text.split_once('-') {
            Some((days, clock)) => (Some(number(days)?), clock),
            None => (None, text),
        };
        let parts = clock.split(':').map(number).collect::<Option<Vec<u64>>>()?;
        // Behind days the first part is hours; alone, minutes, unless there are three.
        let units: &[u64] = match (days.is_some(), parts.len()) {
            (true, 1..=3) | (false, 3) => &[3600, 60, 1],
            (false, 1..=2) => &[60, 1],
            _ => return None,
        };
        let in_days = days.unwrap_or(0).checked_mul(86_400)?;
        let seconds = parts
            .iter()
            .zip(units)
            .try_fold(in_days, |sum, (part, unit)| sum.checked_add(part.checked_mul(*unit)?))?;
        (seconds > 0).then(|| TimeLimit { text: text.to_string(), seconds })
    }

    pub fn seconds(&self) -> u64 {
        self.seconds
    }
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// No sign, no space, and no more digits than a year has seconds.
fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.len() <= 8 && text.bytes().all(|c| c.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}
