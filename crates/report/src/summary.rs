//! Runs to estimates: per cell over its seeds, and paired differences to the
//! baseline.
//!
//! The unit is the run. Seeds fix every draw of a run, so a cell and the
//! baseline are compared seed by seed, and only then averaged.

use serde_json::Value;
use track::{CellRecord, RunRecord, RunState, SweepRecord};

use crate::metric;
use crate::students_t::two_sided_quantile;

/// Coverage of every interval.
pub const LEVEL: f64 = 0.95;

/// A mean over seeds with its t interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub mean: f64,
    /// `None` for a single value, which says nothing about its spread.
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub n: usize,
    pub min: f64,
    pub max: f64,
}

/// One metric over the whole sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    pub metric: String,
    /// `None` where neither direction is better; there is no best cell then.
    pub minimize: Option<bool>,
    /// In plan order.
    pub cells: Vec<CellSummary>,
    pub baseline: Option<usize>,
    /// Best against the baseline, seed by seed, among the cells without a diverged or failed run.
    pub best: Option<usize>,
}

/// One metric in one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct CellSummary {
    pub runs: Counts,
    /// Finite final values of completed runs, by seed, ascending.
    pub values: Vec<(u64, f64)>,
    pub estimate: Option<Estimate>,
    /// This cell minus the baseline, paired by seed. `None` for the baseline itself.
    pub difference: Option<Estimate>,
    pub verdict: Option<Verdict>,
}

/// Where the runs of a cell stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub planned: usize,
    pub completed: usize,
    pub running: usize,
    pub diverged: usize,
    /// Timed out included.
    pub failed: usize,
    /// Planned, interrupted or lost: still to be done.
    pub pending: usize,
}

/// What a paired interval lets one say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Better,
    Worse,
    /// The metric has no better side, and the interval excludes zero.
    Different,
    NoDetectableDifference,
    TooFewSeeds,
}

impl Verdict {
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::Different => "different",
            Verdict::NoDetectableDifference => "no detectable difference",
            Verdict::TooFewSeeds => "too few seeds to tell",
        }
    }
}

/// Estimates and paired differences of one metric for every cell.
pub fn summarise(record: &SweepRecord, metric: &str) -> Summary {
    let minimize = if metric == record.plan.metric.name {
        Some(record.plan.metric.minimize)
    } else {
        metric::describe(metric).minimize
    };
    let baseline = record.plan.cells.iter().position(|cell| cell.baseline);
    let values: Vec<Vec<(u64, f64)>> =
        (0..record.plan.cells.len()).map(|cell| final_values(record, cell, metric)).collect();

    let cells: Vec<CellSummary> = values
        .iter()
        .enumerate()
        .map(|(cell, own)| {
            let difference =
                baseline.filter(|&base| base != cell).and_then(|base| paired(own, &values[base]));
            CellSummary {
                runs: Counts::of(record.runs.iter().filter(|run| run.cell == cell)),
                estimate: estimate(own.iter().map(|&(_, value)| value)),
                verdict: difference.map(|difference| verdict(&difference, minimize)),
                difference,
                values: own.clone(),
            }
        })
        .collect();
    let best = minimize.and_then(|minimize| best(&cells, baseline, minimize));
    Summary { metric: metric.into(), minimize, cells, baseline, best }
}

/// Mean and t interval; `None` of nothing.
pub fn estimate(values: impl IntoIterator<Item = f64>) -> Option<Estimate> {
    let values: Vec<f64> = values.into_iter().collect();
    let n = values.len();
    if n == 0 {
        return None;
    }
    let (min, max) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    // A mean outside its own values is rounding: three times 0.1 is such a case.
    let mean = (values.iter().sum::<f64>() / n as f64).clamp(min, max);
    let half_width = (n > 1).then(|| {
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
        two_sided_quantile(LEVEL, (n - 1) as u32) * (variance / n as f64).sqrt()
    });
    Some(Estimate {
        mean,
        lower: half_width.map(|h| mean - h),
        upper: half_width.map(|h| mean + h),
        n,
        min,
        max,
    })
}

/// The smallest two-sided p a sign-flip test of `n` paired seeds can give.
pub fn smallest_sign_flip_p(n: usize) -> f64 {
    2.0_f64.powi(1 - n as i32).min(1.0)
}

impl Summary {
    /// Seeds behind the difference that has the fewest; `None` before there is any difference.
    pub fn fewest_pairs(&self) -> Option<usize> {
        self.cells.iter().filter_map(|cell| cell.difference).map(|difference| difference.n).min()
    }

    /// Every run of every cell has come to an end, good or bad.
    pub fn is_final(&self) -> bool {
        self.cells.iter().all(|cell| cell.runs.is_final())
    }
}

impl CellSummary {
    /// Completed runs whose value of the metric is not there, or not finite.
    pub fn without_value(&self) -> usize {
        self.runs.completed.saturating_sub(self.values.len())
    }
}

impl Counts {
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a RunRecord>) -> Counts {
        let mut counts = Counts::default();
        for run in runs {
            counts.planned += 1;
            *match &run.state {
                RunState::Completed => &mut counts.completed,
                RunState::Running => &mut counts.running,
                RunState::Diverged { .. } => &mut counts.diverged,
                RunState::Failed { .. } | RunState::TimedOut { .. } => &mut counts.failed,
                RunState::Planned | RunState::Interrupted | RunState::Lost { .. } => {
                    &mut counts.pending
                }
            } += 1;
        }
        counts
    }

    /// Every run has come to an end, good or bad.
    pub fn is_final(&self) -> bool {
        self.running == 0 && self.pending == 0
    }
}

/// Only a completed run has a final value: the last one of a run that diverged
/// or is still going answers another question.
fn final_values(record: &SweepRecord, cell: usize, metric: &str) -> Vec<(u64, f64)> {
    let mut values: Vec<(u64, f64)> = record
        .runs
        .iter()
        .filter(|run| run.cell == cell && run.state == RunState::Completed)
        .filter_map(|run| {
            run.last(metric).filter(|value| value.is_finite()).map(|value| (run.seed, value))
        })
        .collect();
    values.sort_by_key(|&(seed, _)| seed);
    values
}

fn paired(own: &[(u64, f64)], base: &[(u64, f64)]) -> Option<Estimate> {
    estimate(own.iter().filter_map(|&(seed, value)| {
        base.iter().find(|&&(other, _)| other == seed).map(|&(_, reference)| value - reference)
    }))
}

fn verdict(difference: &Estimate, minimize: Option<bool>) -> Verdict {
    let (Some(lower), Some(upper)) = (difference.lower, difference.upper) else {
        return Verdict::TooFewSeeds;
    };
    if lower <= 0.0 && upper >= 0.0 {
        // Two seeds have an interval 18 times their half distance: a zero inside it is no finding.
        return if difference.n < 3 {
            Verdict::TooFewSeeds
        } else {
            Verdict::NoDetectableDifference
        };
    }
    match minimize {
        None => Verdict::Different,
        Some(minimize) if minimize == (upper < 0.0) => Verdict::Better,
        Some(_) => Verdict::Worse,
    }
}

/// A cell that only equals the baseline does not replace it.
fn best(cells: &[CellSummary], baseline: Option<usize>, minimize: bool) -> Option<usize> {
    let others = (0..cells.len()).filter(|&at| Some(at) != baseline);
    best_of(cells, baseline, baseline.into_iter().chain(others), minimize)
}

/// The best of the given cells, leaving out those that diverge or fail.
///
/// Judged by the paired difference to the baseline where there is one: means
/// of a sweep under way are over different seeds, and an easy seed would make
/// its cells the best. In a complete sweep the order is that of the means.
pub(crate) fn best_of(
    cells: &[CellSummary],
    baseline: Option<usize>,
    among: impl IntoIterator<Item = usize>,
    minimize: bool,
) -> Option<usize> {
    let reference = baseline.filter(|&base| cells[base].estimate.is_some());
    let score = |at: usize| match reference {
        Some(base) if base == at => Some(0.0),
        Some(_) => cells[at].difference.map(|difference| difference.mean),
        None => cells[at].estimate.map(|estimate| estimate.mean),
    };
    among
        .into_iter()
        .filter(|&at| cells[at].runs.diverged + cells[at].runs.failed == 0)
        .filter_map(|at| score(at).map(|score| (at, score)))
        .min_by(|a, b| if minimize { a.1.total_cmp(&b.1) } else { b.1.total_cmp(&a.1) })
        .map(|(at, _)| at)
}

/// What a cell has along an axis, or over all its settings but an axis.
pub(crate) fn settings_at<'a>(cell: &'a CellRecord, keys: &[String]) -> Vec<&'a Value> {
    keys.iter()
        .map(|key| {
            cell.settings
                .iter()
                .find(|(name, _)| name == key)
                .map_or(&Value::Null, |(_, value)| value)
        })
        .collect()
}

/// Equal as settings: 10 and 10.0 are one value.
pub(crate) fn same_settings(a: &[&Value], b: &[&Value]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_contains_its_mean_and_its_mean_its_values() {
        let check = |values: &[f64]| {
            let found = estimate(values.iter().copied()).expect("values are given");
            assert!(found.min <= found.mean && found.mean <= found.max, "{found:?}");
            assert_eq!(found.n, values.len());
            if let (Some(lower), Some(upper)) = (found.lower, found.upper) {
                assert!(lower <= found.mean && found.mean <= upper, "{found:?}");
                assert!((upper - found.mean - (found.mean - lower)).abs() < 1e-12, "{found:?}");
            }
        };
        check(&[1.0]);
        check(&[0.1, 0.1, 0.1]);
        check(&[-3.0, 4.0]);
        check(&[0.2, 0.21, 0.19, 0.205, 0.5]);
    }

    #[test]
    fn the_interval_is_the_textbook_one() {
        // Sleep data of Student (1908), paired differences: mean 1.58, 95 % interval 0.70 to 2.46.
        let sleep = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4];
        let found = estimate(sleep).expect("ten values");
        assert!((found.mean - 1.58).abs() < 1e-12);
        assert!((found.lower.expect("n > 1") - 0.700_114_2).abs() < 1e-6, "{found:?}");
        assert!((found.upper.expect("n > 1") - 2.459_885_8).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn one_value_has_no_interval_and_none_no_estimate() {
        assert_eq!(estimate([0.5]).expect("one value").lower, None);
        assert_eq!(estimate([]), None);
    }

    #[test]
    fn sign_flips_halve_with_each_seed() {
        let check = |n, expected| assert_eq!(smallest_sign_flip_p(n), expected);
        check(0, 1.0);
        check(1, 1.0);
        check(2, 0.5);
        check(5, 0.0625);
    }

    #[test]
    fn verdicts_follow_the_interval() {
        let check = |differences: &[f64], minimize, expected| {
            let difference = estimate(differences.iter().copied()).expect("values are given");
            assert_eq!(verdict(&difference, minimize), expected, "{differences:?}");
        };
        check(&[-1.0, -1.1, -0.9], Some(true), Verdict::Better);
        check(&[-1.0, -1.1, -0.9], Some(false), Verdict::Worse);
        check(&[1.0, 1.1, 0.9], Some(true), Verdict::Worse);
        check(&[1.0, 1.1, 0.9], None, Verdict::Different);
        check(&[1.0, -1.1, 0.9], Some(true), Verdict::NoDetectableDifference);
        check(&[1.0, 2.0], Some(true), Verdict::TooFewSeeds);
        check(&[1.0], Some(true), Verdict::TooFewSeeds);
    }
}
