//! Where values go on an axis, and which of them are written there.

use crate::number;

/// One position on the axis of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Level {
    pub(crate) label: String,
    /// `None` for a category.
    pub(crate) value: Option<f64>,
}

/// How levels are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Linear,
    Log,
    /// One step from each level to the next, whatever their values.
    Even,
}

impl Place {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Place::Linear => "linear axis",
            Place::Log => "logarithmic axis",
            Place::Even => "levels evenly spaced",
        }
    }
}

/// Levels wider apart than this share of the axis have room for their labels.
const ROOM: f64 = 0.09;

/// The first of declared, logarithmic and even that keeps the levels apart.
///
/// A zero has no place on a logarithmic axis, and one invented for it would
/// show a distance that is none: such an axis is spaced evenly.
pub(crate) fn place(levels: &[Level], declared: &str) -> (Place, Vec<f64>) {
    let even = || (0..levels.len()).map(|at| at as f64).collect::<Vec<_>>();
    let Some(values) = levels.iter().map(|level| level.value).collect::<Option<Vec<f64>>>() else {
        return (Place::Even, even());
    };
    let positive: Vec<f64> = values.iter().copied().filter(|&v| v > 0.0).collect();
    let spread = positive.iter().copied().fold(0.0, f64::max)
        / positive.iter().copied().fold(f64::INFINITY, f64::min);
    if declared == "category" {
        return (Place::Even, even());
    }
    if declared != "log" && spread <= 20.0 && keeps_apart(&values) {
        return (Place::Linear, values);
    }
    if positive.len() == values.len() {
        let logs: Vec<f64> = values.iter().map(|v| v.log10()).collect();
        if keeps_apart(&logs) {
            return (Place::Log, logs);
        }
    }
    (Place::Even, even())
}

fn keeps_apart(values: &[f64]) -> bool {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let span = sorted.last().copied().unwrap_or(0.0) - sorted.first().copied().unwrap_or(0.0);
    sorted.windows(2).all(|pair| pair[1] - pair[0] >= ROOM * span && pair[1] > pair[0])
}

/// Round numbers within the range, about `count` of them, and their decimals.
pub(crate) fn ticks(low: f64, high: f64, count: usize) -> (Vec<f64>, usize) {
    let rough = (high - low) / count as f64;
    let power = 10.0_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * power);
    let exponent = step.log10().floor();
    let fraction = step / 10.0_f64.powf(exponent);
    let quarter = usize::from((fraction - 2.5).abs() < 1e-9);
    let decimals = (-exponent).max(0.0) as usize + if exponent <= 0.0 { quarter } else { 0 };
    let (first, last) = ((low / step).ceil() as i64, (high / step + 1e-9).floor() as i64);
    ((first..=last).map(|k| k as f64 * step).collect(), decimals)
}

/// Steps as a reader says them: 800, 1200, 20k.
pub(super) fn step_label(step: f64, largest: f64) -> String {
    if step <= 0.0 {
        return "0".into();
    }
    if largest >= 10_000.0 {
        let thousands = step / 1000.0;
        return if thousands.fract() == 0.0 {
            format!("{thousands:.0}k")
        } else {
            format!("{thousands:.1}k")
        };
    }
    number::grouped(step as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(values: &[f64]) -> Vec<Level> {
        values.iter().map(|&v| Level { label: v.to_string(), value: Some(v) }).collect()
    }

    #[test]
    fn levels_are_placed_so_that_labels_fit() {
        let check = |values: &[f64], declared, expected| {
            assert_eq!(place(&levels(values), declared).0, expected, "{values:?} {declared}");
        };
        check(&[1.0, 2.0, 3.0], "linear", Place::Linear);
        check(&[1.0, 10.0, 100.0], "linear", Place::Log);
        check(&[1.0, 10.0, 100.0], "log", Place::Log);
        check(&[0.0, 1.0, 10.0, 50.0], "log", Place::Even);
        check(&[0.0, 0.5, 1.0], "linear", Place::Linear);
        check(&[1.0, 2.0], "category", Place::Even);
        check(&[1.0, 1.001, 9.0], "linear", Place::Even);
        check(&[5.0], "linear", Place::Linear);
        let words = [Level { label: "nearest".into(), value: None }];
        assert_eq!(place(&words, "category").0, Place::Even);
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let check = |low, high, expected: &[f64], decimals| {
            let (found, places) = ticks(low, high, 4);
            assert_eq!(places, decimals, "{found:?}");
            assert_eq!(found.len(), expected.len(), "{found:?}");
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
        };
        check(0.0, 1.0, &[0.0, 0.25, 0.5, 0.75, 1.0], 2);
        check(0.19, 0.26, &[0.2, 0.22, 0.24, 0.26], 2);
        check(0.0, 1200.0, &[0.0, 500.0, 1000.0], 0);
        check(-3.0, 5.0, &[-2.0, 0.0, 2.0, 4.0], 0);
    }

    #[test]
    fn steps_are_short() {
        let check = |step, largest, expected: &str| assert_eq!(step_label(step, largest), expected);
        check(0.0, 20_000.0, "0");
        check(10_000.0, 20_000.0, "10k");
        check(2_500.0, 10_000.0, "2.5k");
        check(800.0, 1200.0, "800");
    }
}
