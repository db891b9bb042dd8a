//! The final value of a metric against an axis of numbers that were drawn: a mark a cell where its number
//! lies, joined to no other, for between two cells all else differs, too.

use super::chart::{Frame, PANEL, UNIT, faint, line, stroke};
use super::effect::{EffectDrawing, range, spaced};
use super::ink::Ink;
use super::mark::{cross, marker};
use crate::ReportError;
use crate::summary::{Interval, Sample};

pub(crate) struct Cloud {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) axis_title: String,
    /// What is written under the axis: a share of its length, and the words.
    pub(crate) marks: Vec<(f64, String)>,
    /// The baseline's mean.
    pub(crate) reference: Option<f64>,
    /// The baseline's mark lies on all others.
    pub(crate) cells: Vec<CloudCell>,
}

pub(crate) struct CloudCell {
    /// A share of the axis.
    pub(crate) place: f64,
    pub(crate) estimate: Option<Sample>,
    pub(crate) is_baseline: bool,
    /// A run of this cell diverged.
    pub(crate) diverged: bool,
}

/// What marks at the ends of the axis keep from the frame, as a share of the axis.
const EDGE: f64 = 0.06;
/// Intervals are shown as far as this share of the means' own spread: many of two seeds each would leave
/// nothing else to see.
const BEYOND: f64 = 0.25;

/// `None` where there is no value to draw.
pub(crate) fn cloud(figure: &Cloud) -> Result<Option<EffectDrawing>, ReportError> {
    let estimates = || figure.cells.iter().filter_map(|cell| cell.estimate);
    if estimates().next().is_none() {
        return Ok(None);
    }
    let y = range(
        estimates().map(|it| it.mean).chain(figure.reference),
        estimates().filter_map(|it| it.interval),
        BEYOND,
        figure.cells.iter().any(|cell| cell.diverged),
    );
    let x = (-EDGE, 1.0 + EDGE);
    let frame = Frame {
        x,
        x_ticks: spaced(&figure.marks, x.1 - x.0),
        x_title: figure.axis_title.clone(),
        y,
        y_labels: None,
        size: PANEL,
        title: figure.title.clone(),
        description: figure.description.clone(),
        id: figure.id.clone(),
    };
    let mut cells: Vec<&CloudCell> = figure.cells.iter().collect();
    cells.sort_by_key(|cell| cell.is_baseline);
    let mut cut_intervals = 0;
    let svg = frame.draw(|chart| {
        if let Some(reference) = figure.reference {
            line(chart, &[(x.0, reference), (x.1, reference)], stroke(Ink::Reference, 1.0))?;
        }
        for cell in &cells {
            let Some(Interval { lower, upper }) = cell.estimate.and_then(|it| it.interval) else {
                continue;
            };
            let ends = [lower.max(y.0), upper.min(y.1)].map(|end| (cell.place, end));
            line(chart, &ends, faint(Ink::Trace(cell.ink()), 1.0, 0.6))?;
            cut_intervals += usize::from(lower < y.0 || upper > y.1);
        }
        for cell in &cells {
            if cell.diverged {
                cross(chart, (cell.place, y.1), 4 * UNIT, 8 * UNIT, Ink::Trace(cell.ink()))?;
            }
            if let Some(estimate) = cell.estimate {
                marker(chart, (cell.place, estimate.mean), cell.ink())?;
            }
        }
        Ok(())
    })?;
    Ok(Some(EffectDrawing { svg, cut_intervals }))
}

impl CloudCell {
    fn ink(&self) -> usize {
        if self.is_baseline { 0 } else { 1 }
    }
}
