//! The numbers of a cell one by one, for copies that a program reads: a cell holds a mean, its interval
//! and more, rounded to be read.

use crate::summary::Interval;

/// Of a heading, the columns that it becomes.
pub(super) fn names(names: &[&str]) -> String {
    format!(" data-csv=\"{}\"", names.join("|"))
}

/// What an estimate becomes.
pub(super) const ESTIMATE: [&str; 3] = ["mean", "low", "high"];

/// A mean with its interval, as [`ESTIMATE`] names them.
pub(super) fn estimate(mean: f64, interval: Option<Interval>) -> [Option<f64>; 3] {
    [Some(mean), interval.map(|it| it.lower), interval.map(|it| it.upper)]
}

/// Of a cell, in the order of its heading's names; what is not known is empty.
pub(super) fn parts(values: &[Option<f64>]) -> String {
    let exact = |value: &Option<f64>| match value {
        Some(value) if value.is_finite() => exact(*value),
        _ => String::new(),
    };
    let all: Vec<String> = values.iter().map(exact).collect();
    format!(" data-csv=\"{}\"", all.join(","))
}

/// The shortest digits that are read back as the same number.
fn exact(value: f64) -> String {
    let text = format!("{value:?}");
    text.strip_suffix(".0").map_or(text.clone(), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_back_as_they_were() {
        for value in [0.1 + 0.2, -1.0 / 3.0, 1e-9, 7.0, 1e21, 0.0] {
            assert_eq!(exact(value).parse(), Ok(value));
        }
        let found = parts(&[Some(7.0), None, Some(f64::NAN), Some(-0.25)]);
        assert_eq!(found, " data-csv=\"7,,,-0.25\"");
    }
}
