//! What the paired differences of one arm amount to.

use crate::bootstrap_t::bootstrap_t;
use crate::differences::{Pair, PairedDifferences};
use crate::interval::{Interval, Level};
use crate::resample::Resampling;
use crate::sample::Sample;
use crate::sign_flip::SignFlip;
use crate::students_t::two_sided_p;

/// The metric's better side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    Maximise,
    Minimise,
}

impl Goal {
    /// A difference with this sign is an improvement.
    pub fn is_better(self, difference: f64) -> bool {
        match self {
            Goal::Maximise => difference > 0.0,
            Goal::Minimise => difference < 0.0,
        }
    }
}

/// The arm minus the baseline over the seeds that both have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    /// Pairs.
    pub n: usize,
    /// Mean difference, in the metric's unit: above 0 where the arm's value is larger.
    pub mean: f64,
    /// Of the differences, with n - 1; 0 where they differ by rounding only. `None` for n = 1.
    pub sd: Option<f64>,
    pub level: Level,
    /// Paired t interval of the mean difference. `None` for n = 1; without
    /// width where `sd` is 0.
    pub interval: Option<Interval>,
    /// Two-sided p of the paired t test. `None` for n = 1 and where `sd` is 0.
    pub t_p: Option<f64>,
    /// Bootstrap-t interval. `None` for n < 3 and where `sd` is 0.
    pub bootstrap_t: Option<Interval>,
    /// The test that decides: it assumes the least.
    pub sign_flip: SignFlip,
    /// Mean over SD of the differences. `None` for n = 1 and where `sd` is 0.
    pub d_z: Option<f64>,
    pub goal: Option<Goal>,
    /// P(a run of the arm is better than a run of the baseline), in [0, 1].
    /// `None` where the metric has no better side.
    pub probability_of_improvement: Option<f64>,
}

impl Contrast {
    /// `None` where no seed has a value on both sides.
    pub fn of(
        differences: &PairedDifferences,
        goal: Option<Goal>,
        level: Level,
        resampling: Resampling,
    ) -> Option<Contrast> {
        let pairs = differences.pairs();
        let mut values = differences.differences();
        let n = values.len();
        if n > 1 && differ_by_rounding_only(pairs, &values) {
            values = vec![values.iter().sum::<f64>() / n as f64; n];
        }
        let Sample { mean, sd, interval, .. } = Sample::of(&values, level)?;
        let d_z = sd.filter(|sd| *sd > 0.0).map(|sd| mean / sd);
        Some(Contrast {
            n,
            mean,
            sd,
            level,
            interval,
            t_p: d_z.map(|d_z| two_sided_p(d_z * (n as f64).sqrt(), (n - 1) as u32)),
            bootstrap_t: bootstrap_t(&values, level, resampling),
            sign_flip: SignFlip::of(&values, resampling),
            d_z,
            goal,
            probability_of_improvement: goal.map(|goal| probability_of_improvement(pairs, goal)),
        })
    }
}

/// 0.3 - 0.2 and 0.5 - 0.4 differ in binary. A d_z made of that difference
/// would be 10^15.
fn differ_by_rounding_only(pairs: &[Pair], differences: &[f64]) -> bool {
    let largest = pairs.iter().fold(0.0, |m: f64, p| m.max(p.arm.abs()).max(p.baseline.abs()));
    let (min, max) = differences
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &d| (low.min(d), high.max(d)));
    max - min <= 4.0 * f64::EPSILON * largest
}

/// Over all pairs of a run of the arm and one of the baseline, whatever their
/// seeds; a tie counts one half.
///
/// # Source
/// Agarwal et al. 2021, arXiv:2108.13264, §4.3 (Mann–Whitney U over its maximum).
fn probability_of_improvement(pairs: &[Pair], goal: Goal) -> f64 {
    let score = |arm: f64, baseline: f64| match arm - baseline {
        0.0 => 0.5,
        difference if goal.is_better(difference) => 1.0,
        _ => 0.0,
    };
    let total: f64 =
        pairs.iter().map(|a| pairs.iter().map(|b| score(a.arm, b.baseline)).sum::<f64>()).sum();
    total / (pairs.len() * pairs.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::differences::Outcome;

    // Student (1908), extra hours of sleep of ten patients under two drugs.
    const ARM: [f64; 10] = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    const BASE: [f64; 10] = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];

    fn contrast(arm: &[f64], base: &[f64], goal: Goal) -> Contrast {
        let runs = |values: &[f64]| -> Vec<(u64, Outcome)> {
            (1..).zip(values.iter().map(|v| Outcome::Value(*v))).collect()
        };
        let differences = PairedDifferences::new(&runs(arm), &runs(base), None).expect("finite");
        Contrast::of(&differences, Some(goal), Level::NINETY_FIVE, Resampling::default())
            .expect("pairs are given")
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{found}, {expected}");
    }

    /// `tests/reference/stats.py`.
    #[test]
    fn sleep_matches_scipy() {
        let found = contrast(&ARM, &BASE, Goal::Maximise);
        close(found.mean, 1.58);
        close(found.sd.expect("n > 1"), 1.22999548327987);
        close(found.d_z.expect("spread"), 1.28455756259105);
        close(found.t_p.expect("spread"), 0.00283289019738427);
        close(found.interval.expect("n > 1").lower, 0.700114236723018);
        close(found.interval.expect("n > 1").upper, 2.45988576327698);
        close(found.sign_flip.p, 0.00390625);
        close(found.probability_of_improvement.expect("a goal"), 0.745);
        close(contrast(&ARM, &BASE, Goal::Minimise).probability_of_improvement.unwrap(), 0.255);
    }

    #[test]
    fn a_constant_on_both_sides_changes_nothing_and_swapped_sides_the_sign() {
        let found = contrast(&ARM, &BASE, Goal::Maximise);
        let moved = |values: &[f64]| -> Vec<f64> { values.iter().map(|v| v + 64.0).collect() };
        let shifted = contrast(&moved(&ARM), &moved(&BASE), Goal::Maximise);
        let swapped = contrast(&BASE, &ARM, Goal::Maximise);
        for (other, sign) in [(shifted, 1.0), (swapped, -1.0)] {
            close(other.mean, sign * found.mean);
            close(other.d_z.expect("spread"), sign * found.d_z.expect("spread"));
            close(other.sign_flip.p, found.sign_flip.p);
            close(other.t_p.expect("spread"), found.t_p.expect("spread"));
        }
        let chances = [found, swapped].map(|c| c.probability_of_improvement.expect("a goal"));
        close(chances[0] + chances[1], 1.0);
        let (own, mirror) =
            (found.bootstrap_t.expect("n > 2"), swapped.bootstrap_t.expect("n > 2"));
        close(own.lower, -mirror.upper);
    }

    #[test]
    fn few_seeds_and_no_spread_leave_things_out() {
        let one = contrast(&[1.0], &[0.5], Goal::Maximise);
        assert_eq!((one.mean, one.sd, one.interval, one.d_z), (0.5, None, None, None));
        assert_eq!((one.sign_flip.p, one.t_p, one.bootstrap_t), (1.0, None, None));

        // Five times 0.1 but for the last binary digits.
        let arm = [0.3, 0.5, 0.8, 0.7, 0.4];
        let even = contrast(&arm, &[0.2, 0.4, 0.7, 0.6, 0.3], Goal::Maximise);
        assert_eq!((even.sd, even.d_z, even.t_p, even.bootstrap_t), (Some(0.0), None, None, None));
        assert_eq!(even.sign_flip.p, 0.0625);
        close(even.mean, 0.1);

        let none = PairedDifferences::new(&[], &[], None).expect("nothing is wrong");
        assert_eq!(Contrast::of(&none, None, Level::NINETY_FIVE, Resampling::default()), None);
    }
}
