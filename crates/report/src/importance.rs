//! Which axes of a random design the best cells have in common: which cells count, in which order they
//! are, and among which of them an axis varies.

use stats::{Drawn, Goal, Importance, Parameter, StatsError, holm};
use track::{AxisRecord, CellOrigin, CellRecord, PlanRecord, SweepRecord};

use crate::number::plural;
use crate::section::level;
use crate::summary::{CellSummary, Summary, number_on};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Importances {
    /// Cells that have ended, of those that chance chose.
    pub(crate) cells: usize,
    /// How many of them are the best.
    pub(crate) best: usize,
    /// Those of them in which a run has no value, behind all others.
    pub(crate) without_value: usize,
    /// Runs in them that failed, and have what failing counts as.
    pub(crate) failed_runs: usize,
    /// Plans of earlier versions do not tell points from drawn cells.
    pub(crate) is_origin_known: bool,
    /// Of the axes that vary, in plan order.
    pub(crate) axes: Vec<AxisImportance>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AxisImportance {
    /// Its position in the plan.
    pub(crate) axis: usize,
    pub(crate) label: String,
    pub(crate) when: Option<String>,
    /// Or why there is none.
    pub(crate) found: Result<Found, String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// In how many it varies.
    pub(crate) cells: usize,
    pub(crate) divergence: f64,
    /// Of the sum over all axes that vary in every cell; `None` for one that does not.
    pub(crate) share: Option<f64>,
    pub(crate) p: f64,
    /// After Holm, over all axes that vary.
    pub(crate) adjusted_p: f64,
}

impl Found {
    /// More often than this a random quarter is as far off: then nothing is to be seen.
    const LUCK: f64 = 0.05;

    pub(crate) fn is_more_than_luck(&self) -> bool {
        self.adjusted_p <= Found::LUCK
    }
}

/// One cell of those that count.
struct Ranked<'a> {
    cell: &'a CellRecord,
    /// How many cells are better: all that is known of one without a value is that it is none of the best.
    rank: f64,
}

impl Importances {
    /// Or why not, in words. `None` for another design, and for fewer than two axes: one is all there is.
    pub(crate) fn of(
        record: &SweepRecord,
        summary: &Summary,
    ) -> Option<Result<Importances, String>> {
        let plan = &record.plan;
        let drawn = drawn(plan);
        let varies = |axis: &AxisRecord| {
            let mut levels = drawn.iter().map(|&cell| level(axis, &plan.cells[cell]));
            let first = levels.next();
            levels.any(|own| Some(own) != first)
        };
        let axes = plan.axes.iter().enumerate().filter(|(_, axis)| varies(axis));
        let axes: Vec<(usize, &AxisRecord)> = axes.collect();
        let is_asked = plan.design == "random" && axes.len() >= 2;
        is_asked.then(|| Importances::computed(plan, summary, &drawn, &axes))
    }

    fn computed(
        plan: &PlanRecord,
        summary: &Summary,
        drawn: &[usize],
        axes: &[(usize, &AxisRecord)],
    ) -> Result<Importances, String> {
        let Some(minimize) = summary.minimize else {
            return Err("the metric has no better side, so no cells are its best".into());
        };
        let ended = |cell: &usize| has_ended(&summary.cells[*cell]);
        let ended: Vec<usize> = drawn.iter().copied().filter(ended).collect();
        let means: Vec<Option<f64>> =
            ended.iter().map(|&cell| mean(&summary.cells[cell])).collect();
        let ranks = ranks(&means, minimize);
        let cells: Vec<Ranked<'_>> = ended
            .iter()
            .zip(ranks)
            .map(|(&cell, rank)| Ranked { cell: &plan.cells[cell], rank })
            .collect();
        let without_value = means.iter().filter(|mean| mean.is_none()).count();

        let plain: Vec<&AxisRecord> =
            axes.iter().map(|(_, axis)| *axis).filter(|axis| axis.when.is_none()).collect();
        let all: Vec<&Ranked<'_>> = cells.iter().collect();
        let common = importance(&plain, &all).map_err(|error| match error {
            StatsError::TooFewCells { count, needed } => format!(
                "{count} of {} finished, and of fewer than {needed} the best quarter shows luck rather than importance",
                plural(drawn.len(), "drawn cell") + if count == 1 { " is" } else { " are" }
            ),
            StatsError::NoBest if without_value > 0 => format!(
                "of {} only {} without a run that failed, less than a quarter, so the best quarter is not known",
                plural(cells.len(), "drawn cell"),
                (cells.len() - without_value).to_string()
                    + if cells.len() - without_value == 1 { " is" } else { " are" }
            ),
            other => other.to_string(),
        })?;

        let mut shares = common.parameters.iter();
        let found = axes.iter().map(|&(at, axis)| {
            let found = match axis.when {
                None => {
                    let own = shares.next().expect("one for every axis without a condition");
                    Ok(found(common.cells, own, Some(own.share)))
                }
                Some(_) => conditional(at, axis, &cells),
            };
            AxisImportance { axis: at, label: axis.label.clone(), when: axis.when.clone(), found }
        });
        let mut found: Vec<AxisImportance> = found.collect();
        let p: Vec<Option<f64>> =
            found.iter().map(|it| it.found.as_ref().ok().map(|found| found.p)).collect();
        for (own, adjusted) in found.iter_mut().zip(holm(&p)) {
            if let (Ok(own), Some(adjusted)) = (&mut own.found, adjusted) {
                own.adjusted_p = adjusted;
            }
        }
        Ok(Importances {
            cells: common.cells,
            best: common.best,
            without_value,
            failed_runs: ended.iter().map(|&cell| summary.cells[cell].failed_in_values).sum(),
            is_origin_known: drawn.iter().all(|&cell| plan.cells[cell].origin.is_some()),
            axes: found,
        })
    }
}

/// Cells that chance chose: neither the baseline nor an arm nor a point.
pub(crate) fn drawn(plan: &PlanRecord) -> Vec<usize> {
    let is_drawn = |cell: &CellRecord| match cell.origin {
        Some(origin) => origin == CellOrigin::Design,
        None => cell.arm.is_none(),
    };
    let cells = plan.cells.iter().enumerate();
    cells.filter(|(_, cell)| !cell.baseline && is_drawn(cell)).map(|(at, _)| at).collect()
}

/// A run that completed without recording the metric is as good as not done.
fn has_ended(cell: &CellSummary) -> bool {
    cell.runs.is_final() && cell.unmeasured == 0
}

/// `None` where a run has no value: without its failures a cell would look better than it is.
fn mean(cell: &CellSummary) -> Option<f64> {
    let has_all = cell.values.len() == cell.runs.ended();
    cell.estimate.filter(|_| has_all).map(|estimate| estimate.mean)
}

fn ranks(means: &[Option<f64>], minimize: bool) -> Vec<f64> {
    let is_better = |a: f64, b: f64| if minimize { a < b } else { a > b };
    let better = |own: &Option<f64>| {
        let others = means.iter().flatten();
        others.filter(|&&other| own.is_none_or(|own| is_better(other, own))).count() as f64
    };
    means.iter().map(better).collect()
}

fn importance(axes: &[&AxisRecord], cells: &[&Ranked<'_>]) -> Result<Importance, StatsError> {
    let parameters: Vec<Parameter> = axes.iter().map(|axis| parameter(axis, cells)).collect();
    let ranks: Vec<f64> = cells.iter().map(|it| it.rank).collect();
    Importance::of(&parameters, &ranks, Goal::Minimise)
}

/// Among the cells where it varies: elsewhere it has a fixed value that tells of its condition alone.
fn conditional(at: usize, axis: &AxisRecord, cells: &[Ranked<'_>]) -> Result<Found, String> {
    if cells.iter().any(|it| it.cell.origin.is_none()) {
        return Err("conditional, and the plan does not say where it varies".into());
    }
    let own: Vec<&Ranked<'_>> = cells.iter().filter(|it| !it.cell.inactive.contains(&at)).collect();
    let computed = importance(&[axis], &own).map_err(|error| match error {
        StatsError::TooFewCells { count, needed } => {
            format!("conditional, and varies in {count} finished cells, fewer than {needed}")
        }
        other => format!("conditional, and where it varies {other}"),
    })?;
    Ok(found(computed.cells, &computed.parameters[0], None))
}

/// Not adjusted yet.
fn found(cells: usize, own: &stats::ParameterShare, share: Option<f64>) -> Found {
    Found { cells, divergence: own.divergence, share, p: own.by_chance, adjusted_p: 1.0 }
}

/// Numbers on the scale that the sweep file says; all else, and several leaves at once, are categories.
fn parameter(axis: &AxisRecord, cells: &[&Ranked<'_>]) -> Parameter {
    let own = || cells.iter().map(|it| it.cell);
    let numbers: Option<Vec<f64>> = own().map(|cell| number_on(axis, cell)).collect();
    let drawn = match numbers {
        Some(numbers) if axis.scale == "log" && numbers.iter().all(|it| *it > 0.0) => {
            Drawn::Log(numbers)
        }
        Some(numbers) => Drawn::Linear(numbers),
        None => {
            let mut levels: Vec<String> = Vec::new();
            let mut number_of = |level: String| {
                let known = levels.iter().position(|other| *other == level);
                known.unwrap_or_else(|| {
                    levels.push(level);
                    levels.len() - 1
                })
            };
            Drawn::Category(own().map(|cell| number_of(level(axis, cell))).collect())
        }
    };
    Parameter { name: axis.label.clone(), drawn }
}
