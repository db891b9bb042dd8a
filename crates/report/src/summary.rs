//! Runs to estimates: per cell over its seeds, and paired differences to the
//! baseline.
//!
//! The unit is the run. Seeds fix every draw of a run, so a cell and the
//! baseline are compared seed by seed, and only then averaged. What may be said
//! of the differences is decided in `stats`, and not before every run has ended.

mod counts;

use std::collections::BTreeMap;

use serde_json::Value;
use stats::{Goal, Outcome, PairedDifferences, Resampling};
use track::{AxisRecord, CellRecord, FlagRecord, RunRecord, RunState, SweepRecord};

pub use counts::Counts;
pub use stats::{Contrast, Interval, Judgement, Level, Sample, Verdict};

use crate::metric;

/// Coverage of every interval.
pub const LEVEL: Level = Level::NINETY_FIVE;

/// One metric over the whole sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    pub metric: String,
    /// `None` where neither direction is better; there is no best cell then.
    pub minimize: Option<bool>,
    /// What a run counts as that failed by its own doing, in the metric's unit; `None` where the metric
    /// has no such value.
    pub failed_as: Option<f64>,
    /// In plan order.
    pub cells: Vec<CellSummary>,
    pub baseline: Option<usize>,
    /// Best against the baseline, seed by seed, among the cells whose runs all gave an untainted result.
    pub best: Option<usize>,
}

/// One metric in one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct CellSummary {
    pub runs: Counts,
    /// By seed, ascending: the final values of completed runs, and where the
    /// metric has a value for a failed run, that.
    pub values: Vec<(u64, f64)>,
    /// How many of `values` are those of failed runs.
    pub failed_in_values: usize,
    /// Completed runs whose value of the metric is not there, or not finite.
    pub without_value: usize,
    /// Those of them that did not record it: as good as not done.
    pub unmeasured: usize,
    pub estimate: Option<Sample>,
    /// This cell against the baseline. `None` for the baseline itself, without one, and for a
    /// metric that was measured without being compared.
    pub comparison: Option<Comparison>,
}

/// A cell against the baseline, paired by seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Comparison {
    /// Runs or their values are still to come: figures that will change, and nothing said of them.
    SoFar(Option<Contrast>),
    /// Every run has an end and a value. One of the family of all cells but the baseline.
    Judged(Judgement),
}

/// Estimates, and every cell against the baseline.
pub fn summarise(record: &SweepRecord, metric: &str) -> Summary {
    let mut summary = measure(record, metric);
    if let Some(baseline) = summary.baseline {
        compare(record, &mut summary, baseline);
    }
    summary.best =
        summary.minimize.and_then(|minimize| best(&summary.cells, summary.baseline, minimize));
    summary
}

/// Estimates alone: for metrics that are shown and not judged.
pub(crate) fn measure(record: &SweepRecord, metric: &str) -> Summary {
    let minimize = if metric == record.plan.metric.name {
        Some(record.plan.metric.minimize)
    } else {
        metric::describe(metric).minimize
    };
    let failed_as = failed_as(record, metric);
    let of_cell = |cell| CellSummary::of(record, cell, metric, failed_as);
    let cells = (0..record.plan.cells.len()).map(of_cell);
    Summary {
        metric: metric.into(),
        minimize,
        failed_as,
        cells: cells.collect(),
        baseline: record.plan.cells.iter().position(|cell| cell.baseline),
        best: None,
    }
}

/// The gain's scale has a place for a run without a result: no better than doing nothing, and no
/// better than any run of the sweep that came to its end, else failing would beat finishing.
fn failed_as(record: &SweepRecord, metric: &str) -> Option<f64> {
    let completed = record.runs.iter().filter(|run| run.state == RunState::Completed);
    let gains = completed.filter_map(|run| run.last(metric)).filter(|gain| gain.is_finite());
    metric::is_gain(metric).then(|| gains.fold(0.0, f64::min))
}

/// All cells but the baseline are one family, also those without a run that is done.
fn compare(record: &SweepRecord, summary: &mut Summary, baseline: usize) {
    let reference = outcomes(record, baseline, &summary.metric);
    let failed_as = summary.failed_as;
    let others: Vec<usize> = (0..summary.cells.len()).filter(|&cell| cell != baseline).collect();
    let arms: Vec<PairedDifferences> = others
        .iter()
        .map(|&cell| {
            PairedDifferences::new(&outcomes(record, cell, &summary.metric), &reference, failed_as)
                .expect("one outcome a seed, and values that are finite")
        })
        .collect();
    let goal = summary.goal();
    if summary.is_final() {
        let judged = stats::judge(&arms, goal, LEVEL, Resampling::default());
        for (cell, judgement) in others.into_iter().zip(judged) {
            let marks = [cell, baseline].map(|at| misleading_flags(record, at, &summary.metric));
            summary.cells[cell].comparison = Some(Comparison::Judged(judgement.doubting(marks)));
        }
    } else {
        for (cell, arm) in others.into_iter().zip(&arms) {
            let contrast = Contrast::of(arm, goal, LEVEL, Resampling::default());
            summary.cells[cell].comparison = Some(Comparison::SoFar(contrast));
        }
    }
}

/// Flags by which numbers mislead, a completed run; of the metric's direction where it has one.
fn misleading_flags(record: &SweepRecord, cell: usize, metric: &str) -> f64 {
    let direction = ["ab", "ba"].into_iter().find(|it| metric.ends_with(&format!("_{it}")));
    let completed = |run: &&RunRecord| run.cell == cell && run.state == RunState::Completed;
    let runs: Vec<&RunRecord> = record.runs.iter().filter(completed).collect();
    let counts = |flag: &&FlagRecord| {
        flag.fails && direction.is_none_or(|direction| flag.direction == direction)
    };
    let flags = runs.iter().flat_map(|run| &run.flags).filter(counts).count();
    flags as f64 / runs.len().max(1) as f64
}

impl Summary {
    /// The better side, if to be there is an achievement: what follows from the objective has none.
    pub fn goal(&self) -> Option<Goal> {
        let minimize = self.minimize.filter(|_| !metric::is_mechanical(&self.metric))?;
        Some(if minimize { Goal::Minimise } else { Goal::Maximise })
    }

    /// Seeds behind the difference that has the fewest; `None` before there is any difference.
    pub fn fewest_pairs(&self) -> Option<usize> {
        self.cells.iter().filter_map(|cell| cell.difference()).map(|difference| difference.n).min()
    }

    /// Every run of every cell has come to an end that says something of its cell, good or bad.
    pub fn has_ended(&self) -> bool {
        self.cells.iter().all(|cell| cell.runs.is_final())
    }

    /// That, and every completed run has a value: a run without one is as good as not done.
    pub fn is_final(&self) -> bool {
        self.has_ended() && self.cells.iter().all(|cell| cell.unmeasured == 0)
    }
}

impl CellSummary {
    fn of(record: &SweepRecord, cell: usize, metric: &str, failed_as: Option<f64>) -> CellSummary {
        let own = || record.runs.iter().filter(|run| run.cell == cell);
        let runs = Counts::of(own());
        let outcomes = outcomes(record, cell, metric);
        let values: Vec<(u64, f64)> = outcomes
            .iter()
            .filter_map(|(seed, outcome)| Some((*seed, outcome.value(failed_as)?)))
            .collect();
        let measured =
            outcomes.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Value(_))).count();
        let plain: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
        CellSummary {
            runs,
            failed_in_values: values.len() - measured,
            without_value: runs.completed.saturating_sub(measured),
            unmeasured: own().filter(|run| is_unmeasured(run, metric)).count(),
            estimate: Sample::of(&plain, LEVEL),
            comparison: None,
            values,
        }
    }

    /// This cell minus the baseline over the seeds that both have.
    pub fn difference(&self) -> Option<&Contrast> {
        match self.comparison.as_ref()? {
            Comparison::SoFar(contrast) => contrast.as_ref(),
            Comparison::Judged(judgement) => judgement.contrast.as_ref(),
        }
    }

    pub fn judgement(&self) -> Option<&Judgement> {
        match self.comparison.as_ref()? {
            Comparison::SoFar(_) => None,
            Comparison::Judged(judgement) => Some(judgement),
        }
    }

    /// `None` as long as a run of the sweep, or its value, is still to come.
    pub fn verdict(&self) -> Option<Verdict> {
        self.judgement().map(|judgement| judgement.verdict)
    }

    /// Runs that came to an end without a number one may build on.
    fn tainted(&self) -> usize {
        self.runs.diverged + self.runs.failed + self.runs.flagged
    }
}

/// A run that completed without recording the metric.
pub(crate) fn is_unmeasured(run: &RunRecord, metric: &str) -> bool {
    run.state == RunState::Completed && run.last(metric).is_none()
}

/// How the runs of a cell ended, by seed, ascending. A run that is still to come is not there, and
/// neither is one that the machine stopped or that completed without recording the metric: of these
/// nothing is known.
fn outcomes(record: &SweepRecord, cell: usize, metric: &str) -> Vec<(u64, Outcome)> {
    let mut found = BTreeMap::new();
    for run in record.runs.iter().filter(|run| run.cell == cell) {
        let outcome = match &run.state {
            // The last value of a run that diverged answers another question.
            RunState::Diverged { .. } => Some(Outcome::Failed),
            RunState::Failed { class, .. } if class.is_of_the_run() => Some(Outcome::Failed),
            RunState::Completed => run.last(metric).map(|value| Outcome::of(Some(value))),
            _ => None,
        };
        found.extend(outcome.map(|outcome| (run.seed, outcome)));
    }
    found.into_iter().collect()
}

/// A cell that only equals the baseline does not replace it.
fn best(cells: &[CellSummary], baseline: Option<usize>, minimize: bool) -> Option<usize> {
    let others = (0..cells.len()).filter(|&at| Some(at) != baseline);
    best_of(cells, baseline, baseline.into_iter().chain(others), minimize)
}

/// The best of the given cells, leaving out those with a run that failed or misleads.
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
        Some(_) => cells[at].difference().map(|difference| difference.mean),
        None => cells[at].estimate.map(|estimate| estimate.mean),
    };
    among
        .into_iter()
        .filter(|&at| cells[at].tainted() == 0)
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

/// The one number that a cell has there.
pub(crate) fn number_at(cell: &CellRecord, keys: &[String]) -> Option<f64> {
    match settings_at(cell, keys).as_slice() {
        [only] => only.as_f64(),
        _ => None,
    }
}

/// Where it lies on an axis of numbers.
pub(crate) fn number_on(axis: &AxisRecord, cell: &CellRecord) -> Option<f64> {
    number_at(cell, &axis.keys).filter(|_| axis.scale != "category")
}

/// Equal as settings: 10 and 10.0 are one value.
pub(crate) fn same_settings(a: &[&Value], b: &[&Value]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        })
}
