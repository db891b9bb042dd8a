//! One arm's values, or one set of differences: mean, spread, t interval.

use crate::interval::{Interval, Level};
use crate::students_t::two_sided_quantile;

/// A mean over seeds with its t interval, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    pub n: usize,
    pub mean: f64,
    /// With n - 1. `None` for a single value, which says nothing about its spread.
    pub sd: Option<f64>,
    /// Student's t, absent with `sd`; without width where all values are equal.
    pub interval: Option<Interval>,
    pub min: f64,
    pub max: f64,
}

impl Sample {
    /// `None` of nothing, and where a value is not finite: a run without a
    /// finite value has failed, and its place is [`crate::Outcome::Failed`].
    pub fn of(values: &[f64], level: Level) -> Option<Sample> {
        let n = values.len();
        if n == 0 || values.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let (min, max) = values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
        // A mean outside its own values is rounding: three times 0.1 is such a case.
        let mean = (values.iter().sum::<f64>() / n as f64).clamp(min, max);
        let sd = (n > 1).then(|| standard_deviation(values, mean));
        let interval = sd.map(|sd| {
            let quantile = two_sided_quantile(level.coverage(), (n - 1) as u32);
            Interval::around(mean, quantile * sd / (n as f64).sqrt())
        });
        Some(Sample { n, mean, sd, interval, min, max })
    }
}

/// With n - 1; of two values or more.
pub(crate) fn standard_deviation(values: &[f64], mean: f64) -> f64 {
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

/// The value below which a share `q` in [0, 1] of ascending values, at least
/// one, lies: linear between neighbours (type 7 of Hyndman and Fan 1996; numpy's
/// default).
pub(crate) fn quantile_of_sorted(sorted: &[f64], q: f64) -> f64 {
    let position = q.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

/// The middle share `level` of resampled values: a percentile interval.
pub(crate) fn middle(mut values: Vec<f64>, level: Level) -> Interval {
    values.sort_unstable_by(f64::total_cmp);
    let tail = level.alpha() / 2.0;
    Interval {
        lower: quantile_of_sorted(&values, tail),
        upper: quantile_of_sorted(&values, 1.0 - tail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resample::Draws;

    const LEVEL: Level = Level::NINETY_FIVE;

    #[test]
    fn an_interval_contains_its_mean_and_its_mean_its_values() {
        let check = |values: &[f64]| {
            let found = Sample::of(values, LEVEL).expect("values are given");
            assert!(found.min <= found.mean && found.mean <= found.max, "{found:?}");
            assert_eq!(found.n, values.len());
            assert_eq!(found.interval.is_some(), values.len() > 1);
            if let Some(Interval { lower, upper }) = found.interval {
                assert!((upper - found.mean - (found.mean - lower)).abs() < 1e-12, "{found:?}");
                assert!(lower <= found.mean && found.mean <= upper, "{found:?}");
            }
        };
        check(&[1.0]);
        check(&[0.1, 0.1, 0.1]);
        check(&[-3.0, 4.0]);
        check(&[0.2, 0.21, 0.19, 0.205, 0.5]);
        assert_eq!(Sample::of(&[], LEVEL), None);
        assert_eq!(Sample::of(&[1.0, f64::NAN], LEVEL), None);
    }

    #[test]
    fn the_interval_is_the_textbook_one() {
        // Sleep data of Student (1908), paired differences; digits from `tests/reference/stats.py`.
        let sleep = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4];
        let found = Sample::of(&sleep, LEVEL).expect("ten values");
        let interval = found.interval.expect("n > 1");
        assert!((found.mean - 1.58).abs() < 1e-12);
        assert!((found.sd.expect("n > 1") - 1.22999548327987).abs() < 1e-12, "{found:?}");
        assert!((interval.lower - 0.700114236723018).abs() < 1e-11, "{found:?}");
        assert!((interval.upper - 2.45988576327698).abs() < 1e-11, "{found:?}");
    }

    #[test]
    fn quantiles_match_numpy() {
        let values = [-2.0, 0.1, 0.2, 0.35, 0.4, 0.55, 0.6, 0.75, 0.9, 5.0];
        for (q, expected) in [(0.025, -1.5275), (0.25, 0.2375), (0.5, 0.475), (0.9, 1.31)] {
            let found = quantile_of_sorted(&values, q);
            assert!((found - expected).abs() < 1e-12, "{q}: {found}");
        }
        assert_eq!(quantile_of_sorted(&values, 0.0), -2.0);
        assert_eq!(quantile_of_sorted(&values, 1.0), 5.0);
    }

    #[test]
    fn a_95_percent_interval_misses_one_time_in_twenty() {
        const REPEATS: usize = 4000;
        for n in [3, 10] {
            let mut draws = Draws::new(n as u64);
            let held = (0..REPEATS)
                .filter(|_| {
                    let values: Vec<f64> = (0..n).map(|_| 7.0 + 3.0 * draws.normal()).collect();
                    let sample = Sample::of(&values, LEVEL).expect("values are given");
                    sample.interval.expect("n > 1").contains(7.0)
                })
                .count();
            // Binomial: standard deviation 0.0034; four of them.
            let coverage = held as f64 / REPEATS as f64;
            assert!((coverage - 0.95).abs() < 0.014, "n {n}: {coverage}");
        }
    }
}
