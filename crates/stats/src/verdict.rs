//! What may be said of an arm, and silence where the data say nothing.
//!
//! The exact sign-flip test decides, after Holm's correction, and the t
//! interval must agree. Absence of evidence is never called "no difference".

use crate::contrast::{Contrast, Goal};
use crate::differences::{PairedDifferences, Side};
use crate::holm::holm;
use crate::interval::{Interval, Level};
use crate::power::{needed_seeds, reaches};
use crate::resample::Resampling;
use crate::sign_flip::Basis;
use crate::words::{self, plural};

/// No claim from fewer seeds: 5 cannot reach p = .05 by any exact test.
pub const MIN_SEEDS: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    Better,
    Worse,
    /// Significant, and the metric has no better side.
    Different,
    Undecided {
        why: Why,
    },
    /// Every seed has the very same value on both sides: what was varied does not show in it.
    Identical,
    /// `needed`: for a claim within this family; `None` where no number is enough.
    TooFewSeeds {
        n: usize,
        needed: Option<usize>,
    },
    /// Every shared seed's run failed on this side.
    AllFailed {
        side: Side,
    },
    /// No seed was run on both sides.
    NoPairs,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Why {
    NotSignificant,
    /// Significant alone, not as one of so many comparisons.
    OnlyBeforeHolm,
    /// The test is significant and the interval holds 0.
    IntervalHoldsZero,
    /// Failed runs of a metric that has no value for them: the others were selected by surviving.
    FailuresWithoutValue {
        seeds: usize,
    },
    /// By evidence of another kind, the numbers of the side that would win mislead more than the
    /// other's: marks a run of the arm and of the baseline.
    Misleading {
        side: Side,
        marks: [f64; 2],
    },
}

impl Verdict {
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::Different => "different",
            Verdict::Undecided { why: Why::Misleading { .. } } => "undecided: misleading runs",
            Verdict::Undecided { .. } => "undecided",
            Verdict::Identical => "identical",
            Verdict::TooFewSeeds { .. } => "too few seeds to tell",
            Verdict::AllFailed { side: Side::Arm } => "all runs failed",
            Verdict::AllFailed { side: Side::Baseline } => "all runs of the baseline failed",
            Verdict::NoPairs => "nothing to compare",
        }
    }
}

/// A verdict and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    pub verdict: Verdict,
    pub contrast: Option<Contrast>,
    /// The contrast's sign-flip p after [`holm`]; absent without a contrast, and where failed runs
    /// without a value leave a selection of seeds.
    pub adjusted_p: Option<f64>,
    /// Arms that were judged together.
    pub family: usize,
    /// Shared seeds, and those that failed: of the arm, of the baseline.
    pub n_shared: usize,
    pub n_failed: [usize; 2],
}

/// Judges all arms of one metric against the baseline, in input order.
///
/// All planned arms belong in `arms`, also those without a finished run: they
/// are the family that Holm's correction allows for.
pub fn judge(
    arms: &[PairedDifferences],
    goal: Option<Goal>,
    level: Level,
    resampling: Resampling,
) -> Vec<Judgement> {
    let contrasts: Vec<Option<Contrast>> =
        arms.iter().map(|arm| Contrast::of(arm, goal, level, resampling)).collect();
    let p: Vec<Option<f64>> = arms
        .iter()
        .zip(&contrasts)
        .map(|(arm, contrast)| contrast.filter(|_| arm.without_value().is_empty()))
        .map(|contrast| contrast.map(|contrast| contrast.sign_flip.p))
        .collect();
    arms.iter()
        .zip(contrasts)
        .zip(holm(&p))
        .map(|((arm, contrast), adjusted_p)| Judgement {
            verdict: verdict(arm, contrast.zip(adjusted_p), arms.len()),
            contrast,
            adjusted_p,
            family: arms.len(),
            n_shared: arm.n_shared(),
            n_failed: [Side::Arm, Side::Baseline].map(|side| arm.failed(side).len()),
        })
        .collect()
}

impl Judgement {
    /// Takes back a win of the side whose numbers mislead more: `marks`, by which they are in doubt, a
    /// run of the arm and of the baseline. It takes one mark more in every second run. A loss of such
    /// a side stands, and so does a win over one that is in as much doubt.
    #[must_use]
    pub fn doubting(self, marks: [f64; 2]) -> Judgement {
        const MORE: f64 = 0.5;
        let [arm, baseline] = marks;
        let doubted = match self.verdict {
            Verdict::Better if arm >= baseline + MORE => Some(Side::Arm),
            Verdict::Worse if baseline >= arm + MORE => Some(Side::Baseline),
            _ => None,
        };
        match doubted {
            None => self,
            Some(side) => {
                let verdict = Verdict::Undecided { why: Why::Misleading { side, marks } };
                Judgement { verdict, ..self }
            }
        }
    }

    /// Estimate, interval, p and what they rest on, in one line.
    pub fn sentence(&self) -> String {
        let verdict = capitalised(self.verdict.words());
        let evidence = match (self.verdict, &self.contrast) {
            (Verdict::AllFailed { .. }, _) => {
                let [arm, baseline] = self.n_failed;
                format!(": {arm} of {0}, of the baseline {baseline} of {0}", self.n_shared)
            }
            (Verdict::Identical, _) => format!(" over {}", plural(self.n_shared, "seed")),
            (_, Some(contrast)) => format!(": {}", estimate(contrast)),
            (_, None) => String::new(),
        };
        format!("{verdict}{evidence}{}{}.", self.reason(), self.failures())
    }

    fn reason(&self) -> String {
        let test = || {
            self.contrast
                .zip(self.adjusted_p)
                .map_or_else(String::new, |(contrast, p)| tested(&contrast, p, self.family))
        };
        match self.verdict {
            Verdict::Better | Verdict::Worse | Verdict::Different => {
                format!("; {}", test())
            }
            Verdict::Undecided { why } => {
                let test = test();
                match why {
                    Why::NotSignificant => {
                        format!("; {test}; neither an effect nor its absence is shown")
                    }
                    Why::OnlyBeforeHolm => format!("; {test}, significant only if it stood alone"),
                    Why::Misleading { side, marks: [arm, baseline] } => {
                        let (own, other) = match side {
                            Side::Arm => (arm, baseline),
                            Side::Baseline => (baseline, arm),
                        };
                        format!(
                            "; {test}, but the numbers of {side} mislead: {own:.1} such flags a run, against {other:.1}"
                        )
                    }
                    Why::IntervalHoldsZero => format!("; {test}, but the interval holds 0"),
                    Why::FailuresWithoutValue { seeds } => format!(
                        "; {} out because a failed run has no value in this metric",
                        if seeds == 1 { "1 seed is".into() } else { format!("{seeds} seeds are") }
                    ),
                }
            }
            Verdict::TooFewSeeds { n, needed } => match needed {
                Some(needed) if self.family > 1 => format!(
                    "; a claim among {} comparisons needs {needed} seeds, here are {n}",
                    self.family
                ),
                Some(needed) => format!("; a claim needs {needed} seeds, here are {n}"),
                None => format!("; no number of seeds carries {} comparisons", self.family),
            },
            Verdict::AllFailed { .. } => String::new(),
            Verdict::Identical => "; every run has the very value of the baseline's".into(),
            Verdict::NoPairs => ": no seed was run on both sides".into(),
        }
    }

    fn failures(&self) -> String {
        if matches!(self.verdict, Verdict::AllFailed { .. }) || self.n_failed == [0, 0] {
            return String::new();
        }
        let [arm, baseline] = self.n_failed;
        format!("; failed runs: {arm} of {0}, of the baseline {baseline} of {0}", self.n_shared)
    }
}

fn verdict(
    differences: &PairedDifferences,
    tested: Option<(Contrast, f64)>,
    family: usize,
) -> Verdict {
    if let Some(side) =
        [Side::Arm, Side::Baseline].into_iter().find(|&side| differences.all_failed(side))
    {
        return Verdict::AllFailed { side };
    }
    let without_value = differences.without_value().len();
    if without_value > 0 {
        return Verdict::Undecided { why: Why::FailuresWithoutValue { seeds: without_value } };
    }
    let Some((Contrast { n, mean, level, interval, sign_flip, goal, .. }, adjusted_p)) = tested
    else {
        return Verdict::NoPairs;
    };
    if differences.n_failed() == 0 && differences.pairs().iter().all(|it| it.difference() == 0.0) {
        return Verdict::Identical;
    }
    let needed = needed_seeds(family, level);
    if needed.is_none_or(|needed| n < needed) {
        return Verdict::TooFewSeeds { n, needed };
    }
    let undecided = |why| Verdict::Undecided { why };
    if !reaches(adjusted_p, level.alpha()) {
        let alone = reaches(sign_flip.p, level.alpha());
        return undecided(if alone { Why::OnlyBeforeHolm } else { Why::NotSignificant });
    }
    if interval.is_none_or(|interval| interval.contains(0.0)) {
        return undecided(Why::IntervalHoldsZero);
    }
    match goal {
        None => Verdict::Different,
        Some(goal) if goal.is_better(mean) => Verdict::Better,
        Some(_) => Verdict::Worse,
    }
}

/// `+0.120 [0.050, 0.190] (mean paired difference, 95 % t interval, 10 seeds)`
fn estimate(contrast: &Contrast) -> String {
    let seeds = plural(contrast.n, "seed");
    match contrast.interval {
        None => {
            let decimals = words::decimals([contrast.mean]);
            format!("{} ({seeds}, no interval)", words::signed(contrast.mean, decimals))
        }
        Some(Interval { lower, upper }) => {
            let decimals = words::decimals([contrast.mean, lower, upper]);
            format!(
                "{} [{}, {}] (mean paired difference, {} t interval, {seeds})",
                words::signed(contrast.mean, decimals),
                words::fixed(lower, decimals),
                words::fixed(upper, decimals),
                contrast.level.percent(),
            )
        }
    }
}

/// `p = .004 by the exact sign-flip test, after Holm over 3 comparisons`
fn tested(contrast: &Contrast, adjusted_p: f64, family: usize) -> String {
    let p = words::p_is(adjusted_p);
    let test = match contrast.sign_flip.basis {
        Basis::Exact => "by the exact sign-flip test".into(),
        Basis::MonteCarlo { draws } => format!("by a sign-flip test of {draws} drawn patterns"),
    };
    if family > 1 {
        format!("{p} {test}, after Holm over {family} comparisons")
    } else {
        format!("{p} {test}")
    }
}

fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests;
