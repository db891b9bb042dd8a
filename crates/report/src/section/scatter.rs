//! Axes against each other and against the metric: a panel a pair, a mark a cell, its colour and shape by
//! how well the cell did.

use super::answer::places;
use super::coordinate::{Coordinate, Span};
use super::parallel::{data, description, ink, legend};
use super::wide_figure_above;
use crate::ReportError;
use crate::escape::esc;
use crate::figure::{ScatterAxis, ScatterCell, ScatterMatrix, scatter, ticks};
use crate::number::{fixed, plural};
use crate::page::Subject;

/// Panels of more would be too small to read; five make fifteen.
const MOST_AXES: usize = 5;

/// Of cells with a mean, the best first.
pub(super) fn figure(
    subject: &Subject<'_>,
    axes: &[Coordinate<'_>],
    ranked: &[(usize, f64)],
) -> Result<String, ReportError> {
    let drawn = &axes[..axes.len().min(MOST_AXES)];
    let means: Vec<f64> = ranked.iter().map(|(_, mean)| *mean).collect();
    let Some(span) = Span::of(&means) else { return Ok(String::new()) };
    let is_baseline = |cell: usize| subject.summary.baseline == Some(cell);
    // The best lie uppermost, and the baseline on all.
    let mut cells: Vec<&(usize, f64)> = ranked.iter().rev().collect();
    cells.sort_by_key(|(cell, _)| is_baseline(*cell));
    let cells = cells.into_iter().map(|&(cell, mean)| {
        let own = &subject.record.plan.cells[cell];
        let places = drawn.iter().map(|axis| axis.place(own)).chain([span.share(mean)]);
        ScatterCell {
            ink: ink(ranked, mean),
            is_baseline: is_baseline(cell),
            places: places.collect(),
        }
    });
    let upright = |it: &Coordinate<'_>| ScatterAxis {
        title: it.axis.label.clone(),
        marks: it.marks.clone(),
        has_levels: it.has_levels(),
    };
    let figure = ScatterMatrix {
        id: "scatter-plot".into(),
        title: format!("Pairs of axes, and {} against each", subject.primary.title),
        description: description(subject, ranked),
        axes: drawn.iter().map(upright).collect(),
        metric: ScatterAxis {
            title: subject.primary.heading(),
            marks: marks(subject, span),
            has_levels: false,
        },
        cells: cells.collect(),
    };
    let Some(svg) = scatter(&figure)? else { return Ok(String::new()) };
    let caption =
        format!("A mark a cell: axes by pairs, and their {}", esc(subject.primary.heading()));
    Ok(format!(
        "<ul class=\"legend marks\">{}</ul>\n{}{}",
        legend(subject, ranked),
        wide_figure_above(&caption, &svg, &data(subject, axes, ranked)),
        note(axes.len())
    ))
}

fn marks(subject: &Subject<'_>, span: Span) -> Vec<(f64, String)> {
    if span.is_point() {
        return vec![(span.share(span.low), fixed(span.low, places(subject)))];
    }
    let (values, decimals) = ticks(span.low, span.high, 3);
    values.into_iter().map(|value| (span.share(value), fixed(value, decimals))).collect()
}

fn note(axes: usize) -> String {
    let left_out = match axes.saturating_sub(MOST_AXES) {
        0 => String::new(),
        count => format!(
            " The first {MOST_AXES} axes are drawn; {} left out, and in the data.",
            plural(count, "other") + if count == 1 { " is" } else { " are" }
        ),
    };
    format!(
        "<p class=\"note\">Colours and shapes are those of the figure above; the ring is the baseline. Cells of the same \
         settings are drawn side by side. The lowest row is the metric against each axis: there all other axes vary \
         too.{left_out}</p>\n"
    )
}
