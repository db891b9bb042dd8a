//! An arm against the baseline, seed by seed.
//!
//! A seed fixes every draw of a run, so two runs of one seed share their luck
//! and their difference is freer of it than either. A failed run is a result
//! of its arm: dropped, it would flatter whatever makes runs fail.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::StatsError;

/// How a run ended, as far as one metric is concerned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    Value(f64),
    /// It diverged, crashed or gave no finite value.
    Failed,
}

impl Outcome {
    /// `Failed` where there is no finite number.
    pub fn of(value: Option<f64>) -> Outcome {
        value.filter(|v| v.is_finite()).map_or(Outcome::Failed, Outcome::Value)
    }

    pub fn value(self, failed_as: Option<f64>) -> Option<f64> {
        match self {
            Outcome::Value(value) => Some(value),
            Outcome::Failed => failed_as,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Arm,
    Baseline,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Arm => "the arm",
            Side::Baseline => "the baseline",
        })
    }
}

/// One seed's two values; a failed run stands with what it counts as.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    pub seed: u64,
    pub arm: f64,
    pub baseline: f64,
}

impl Pair {
    pub fn difference(self) -> f64 {
        self.arm - self.baseline
    }
}

/// The arm minus the baseline by seed, and what failed. Seeds that one side alone ran are in neither.
#[derive(Debug, Clone, PartialEq)]
pub struct PairedDifferences {
    pairs: Vec<Pair>,
    failed: [Vec<u64>; 2],
    without_value: Vec<u64>,
}

impl PairedDifferences {
    /// Pairs the runs of both sides by seed, in any order.
    ///
    /// `failed_as` is the value of a failed run, in the metric's unit. It must
    /// not be better than that of any finished run, else failing would be better
    /// than finishing: for the gain min(0, the lowest gain of any completed run).
    /// Where the metric has no such value it is `None`: the seeds concerned are
    /// then left out and named ([`Self::without_value`]), and [`crate::judge`]
    /// decides nothing, since what is left was selected by surviving.
    ///
    /// # Errors
    /// [`StatsError::SeedTwice`], [`StatsError::NotFinite`] (a value that is
    /// not a number is a failed run) and [`StatsError::FailedAs`].
    pub fn new(
        arm: &[(u64, Outcome)],
        baseline: &[(u64, Outcome)],
        failed_as: Option<f64>,
    ) -> Result<PairedDifferences, StatsError> {
        if let Some(value) = failed_as.filter(|v| !v.is_finite()) {
            return Err(StatsError::FailedAs { value });
        }
        let arm = by_seed(arm, Side::Arm)?;
        let baseline = by_seed(baseline, Side::Baseline)?;

        let mut found = PairedDifferences {
            pairs: Vec::new(),
            failed: [Vec::new(), Vec::new()],
            without_value: Vec::new(),
        };
        for (&seed, &own) in &arm {
            let Some(&reference) = baseline.get(&seed) else { continue };
            for (failed, outcome) in found.failed.iter_mut().zip([own, reference]) {
                if outcome == Outcome::Failed {
                    failed.push(seed);
                }
            }
            match (own.value(failed_as), reference.value(failed_as)) {
                (Some(arm), Some(baseline)) => found.pairs.push(Pair { seed, arm, baseline }),
                _ => found.without_value.push(seed),
            }
        }
        Ok(found)
    }

    /// Ascending by seed.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// Ascending by seed.
    pub fn differences(&self) -> Vec<f64> {
        self.pairs.iter().map(|pair| pair.difference()).collect()
    }

    /// Seeds that both sides ran and this side failed with, ascending.
    pub fn failed(&self, side: Side) -> &[u64] {
        &self.failed[side as usize]
    }

    /// Seeds that both sides ran and that are left out because a failed run has no value.
    pub fn without_value(&self) -> &[u64] {
        &self.without_value
    }

    /// Seeds that both sides ran, whatever came of it.
    pub fn n_shared(&self) -> usize {
        self.pairs.len() + self.without_value.len()
    }

    /// Shared seeds with a failed run on either side, one on both counted twice.
    pub fn n_failed(&self) -> usize {
        self.failed.iter().map(Vec::len).sum()
    }

    /// Every shared seed's run failed on this side. False where no seed is shared.
    pub fn all_failed(&self, side: Side) -> bool {
        self.n_shared() > 0 && self.failed(side).len() == self.n_shared()
    }
}

fn by_seed(runs: &[(u64, Outcome)], side: Side) -> Result<BTreeMap<u64, Outcome>, StatsError> {
    let mut found = BTreeMap::new();
    for &(seed, outcome) in runs {
        if let Outcome::Value(value) = outcome
            && !value.is_finite()
        {
            return Err(StatsError::NotFinite { side, seed, value });
        }
        if found.insert(seed, outcome).is_some() {
            return Err(StatsError::SeedTwice { side, seed });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{Failed, Value};

    #[test]
    fn runs_are_paired_by_seed_and_the_others_left_out() {
        let arm = [(3, Value(0.5)), (1, Value(0.25)), (7, Value(9.0)), (8, Failed)];
        let baseline = [(1, Value(0.125)), (2, Failed), (3, Value(1.0))];
        let found = PairedDifferences::new(&arm, &baseline, Some(0.0)).expect("clean values");
        assert_eq!(found.differences(), [0.125, -0.5]);
        assert_eq!(found.pairs()[1], Pair { seed: 3, arm: 0.5, baseline: 1.0 });
        assert_eq!((found.n_shared(), found.failed(Side::Arm).len()), (2, 0));
    }

    #[test]
    fn failed_runs_count_as_they_are_told_to() {
        let arm = [(1, Failed), (2, Value(0.5)), (3, Failed)];
        let baseline = [(1, Value(0.25)), (2, Value(0.25)), (3, Failed)];
        let found = PairedDifferences::new(&arm, &baseline, Some(-0.5)).expect("clean values");
        assert_eq!(found.differences(), [-0.75, 0.25, 0.0]);
        assert_eq!(
            (found.failed(Side::Arm), found.failed(Side::Baseline)),
            (&[1, 3][..], &[3][..])
        );

        let found = PairedDifferences::new(&arm, &baseline, None).expect("clean values");
        assert_eq!(found.differences(), [0.25]);
        assert_eq!((found.without_value(), found.n_shared()), (&[1, 3][..], 3));
        assert!(!found.all_failed(Side::Arm));
        let found = PairedDifferences::new(&[(1, Failed)], &baseline, None).expect("clean values");
        assert!(found.all_failed(Side::Arm) && !found.all_failed(Side::Baseline));
        let found = PairedDifferences::new(&[(9, Failed)], &baseline, None).expect("clean values");
        assert!(!found.all_failed(Side::Arm), "no shared seed");
    }

    #[test]
    fn what_cannot_be_paired_is_named() {
        let check = |arm: &[(u64, Outcome)], failed_as, expected: &str| {
            let error = PairedDifferences::new(arm, &[(1, Value(0.0))], failed_as)
                .expect_err("one mistake each");
            assert_eq!(error.to_string(), expected);
        };
        check(&[(4, Failed), (4, Value(1.0))], None, "seed 4 occurs twice in the arm");
        check(
            &[(1, Value(f64::INFINITY))],
            None,
            "seed 1 of the arm has the value inf; a run without a finite value counts as failed",
        );
        check(&[], Some(f64::NAN), "failed runs cannot count as NaN");
        assert_eq!(Outcome::of(Some(f64::NAN)), Failed);
        assert_eq!(Outcome::of(Some(2.0)), Value(2.0));
    }
}
