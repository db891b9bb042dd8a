//! One axis of a random design whose numbers were drawn: a mark a cell, on the axis's own scale.

use std::collections::BTreeSet;

use track::SweepRecord;

use super::{Words, baseline_mean, cut, diverged};
use crate::ReportError;
use crate::escape::esc;
use crate::figure::{Cloud, CloudCell, EffectDrawing, cloud, swatch};
use crate::number::plural;
use crate::page::Subject;
use crate::section::coordinate::Coordinate;
use crate::summary::{Summary, number_on};

/// As many values or fewer are levels, of which each has cells enough for a mean.
const MOST_LEVELS: usize = 5;

/// Laid out once for all metrics.
pub(super) struct Cells<'a> {
    scale: Coordinate<'a>,
    cells: Vec<usize>,
    baseline: Option<usize>,
    /// Cells to which the axis does not apply, or that have no number there.
    left_out: usize,
}

impl<'a> Cells<'a> {
    /// `None` where the axis has levels, or the design is another.
    pub(super) fn of(subject: &Subject<'a>, at: usize) -> Option<Cells<'a>> {
        let plan = &subject.record.plan;
        let axis = &plan.axes[at];
        let placed = plan.cells.iter().enumerate();
        let placed = placed.filter(|(_, cell)| !cell.inactive.contains(&at));
        let (cells, numbers): (Vec<usize>, Vec<f64>) =
            placed.filter_map(|(at, cell)| Some((at, number_on(axis, cell)?))).unzip();
        let values: BTreeSet<u64> = numbers.iter().map(|value| value.to_bits()).collect();
        (plan.design == "random" && values.len() > MOST_LEVELS).then(|| Cells {
            scale: Coordinate::of_numbers(axis, &numbers),
            baseline: subject.summary.baseline.filter(|base| cells.contains(base)),
            left_out: plan.cells.len() - cells.len(),
            cells,
        })
    }

    pub(super) fn legend(&self) -> String {
        if self.baseline.is_none() {
            return String::new();
        }
        format!(
            "<ul class=\"legend marks\"><li>{}a cell</li><li>{}the baseline</li></ul>\n",
            swatch(1, true),
            swatch(0, true)
        )
    }

    pub(super) fn draw(
        &self,
        record: &SweepRecord,
        summary: &Summary,
        words: Words,
    ) -> Result<Option<EffectDrawing>, ReportError> {
        let cells = self.cells.iter().map(|&cell| CloudCell {
            place: self.scale.place(&record.plan.cells[cell]),
            estimate: summary.cells[cell].estimate,
            is_baseline: self.baseline == Some(cell),
            diverged: summary.cells[cell].runs.diverged > 0,
        });
        cloud(&Cloud {
            id: words.id,
            title: words.title,
            description: words.description,
            axis_title: self.scale.axis.label.clone(),
            marks: self.scale.marks.clone(),
            reference: baseline_mean(summary),
            cells: cells.collect(),
        })
    }

    pub(super) fn note(&self, subject: &Subject<'_>, cut_intervals: usize) -> String {
        let has_seeds = subject.summary.cells.iter().any(|cell| cell.values.len() > 1);
        let bars = if has_seeds { "; bar: 95\u{a0}% t interval over seeds" } else { "" };
        let others = match subject.record.plan.axes.len() {
            1 => "",
            _ => " From mark to mark the other axes differ, too, so no line joins them.",
        };
        let baseline = match subject.summary.baseline {
            Some(_) => " Dashed line: mean of the baseline.",
            None => "",
        };
        let left_out = match self.left_out {
            0 => String::new(),
            count => format!(
                " {} not drawn, where the axis does not apply.",
                plural(count, "cell") + if count == 1 { " is" } else { " are" }
            ),
        };
        let (diverged, cut) =
            (diverged(subject), cut(cut_intervals, "", "; the data under each plot has it whole"));
        format!(
            "<p class=\"note\">A mark is a cell's own value, the mean over its seeds{bars}.{others}{baseline} {}: \
             {} axis.{left_out}{diverged}{cut}</p>\n",
            esc(&self.scale.axis.label),
            if self.scale.is_log() { "logarithmic" } else { "linear" },
        )
    }
}
