//! Three axes or more at one look: a path a cell, its colour by how well it did.

use super::answer::places;
use super::coordinate::{Coordinate, Span};
use super::figure_data::{Column, Datum, FigureData};
use super::{scatter, wide_figure_above};
use crate::ReportError;
use crate::escape::esc;
use crate::figure::{Parallel, ParallelAxis, ParallelLine, parallel, swatch};
use crate::number::fixed;
use crate::page::Subject;

/// With fewer the plots above show all there is.
const FEWEST_AXES: usize = 3;
/// Colour, dash and mark by quarter of the cells, the best first.
const QUARTERS: [usize; 4] = [3, 1, 4, 2];

/// Empty for fewer than three axes.
pub(crate) fn block(subject: &Subject<'_>) -> Result<String, ReportError> {
    let record = subject.record;
    let axes: Vec<Coordinate<'_>> =
        record.plan.axes.iter().filter_map(|axis| Coordinate::of(record, axis)).collect();
    if axes.len() < FEWEST_AXES {
        return Ok(String::new());
    }
    let ranked = ranked(subject);
    let body = match ranked.is_empty() {
        true => "<p>No cell has a value yet.</p>\n".into(),
        false => drawn(subject, &axes, &ranked)? + &scatter::figure(subject, &axes, &ranked)?,
    };
    Ok(format!("<h3 id=\"parallel\">All axes at once</h3>\n{body}"))
}

/// Cells with a mean, the best first; the highest where neither side is better.
fn ranked(subject: &Subject<'_>) -> Vec<(usize, f64)> {
    let cells = subject.summary.cells.iter().enumerate();
    let mut found: Vec<(usize, f64)> =
        cells.filter_map(|(at, own)| Some((at, own.estimate?.mean))).collect();
    let sign = if subject.summary.minimize == Some(true) { 1.0 } else { -1.0 };
    found.sort_by(|a, b| (sign * a.1).total_cmp(&(sign * b.1)));
    found
}

fn drawn(
    subject: &Subject<'_>,
    axes: &[Coordinate<'_>],
    ranked: &[(usize, f64)],
) -> Result<String, ReportError> {
    let (primary, digits) = (&subject.primary, places(subject));
    let means: Vec<f64> = ranked.iter().map(|(_, mean)| *mean).collect();
    let span = Span::of(&means).expect("some cell has a mean, checked above");
    let lines = ranked.iter().map(|&(cell, mean)| {
        let own = &subject.record.plan.cells[cell];
        ParallelLine {
            ink: ink(ranked, mean),
            is_baseline: subject.summary.baseline == Some(cell),
            places: axes.iter().map(|axis| axis.place(own)).chain([span.share(mean)]).collect(),
        }
    });
    let mut uprights: Vec<ParallelAxis> = axes
        .iter()
        .map(|it| ParallelAxis { title: it.axis.label.clone(), marks: it.marks.clone() })
        .collect();
    let mut marks: Vec<(f64, String)> =
        [span.low, span.high].map(|mean| (span.share(mean), fixed(mean, digits))).into();
    marks.dedup_by(|a, b| a.0 == b.0);
    uprights.push(ParallelAxis { title: primary.heading(), marks });
    let figure = Parallel {
        id: "parallel-plot".into(),
        title: format!("{} over all axes", primary.title),
        description: description(subject, ranked),
        axes: uprights,
        lines: lines.collect(),
    };
    let Some(svg) = parallel(&figure)? else { return Ok(String::new()) };
    let caption = format!("A line a cell, from its settings to its {}", esc(primary.heading()));
    Ok(format!(
        "<ul class=\"legend\">{}{}</ul>\n{}{}",
        legend(subject, ranked),
        if has_baseline(subject, ranked) { BASELINE } else { "" },
        wide_figure_above(&caption, &svg, &data(subject, axes, ranked)),
        note(subject, ranked)
    ))
}

/// Its line is as dark as the words: no quarter has that colour.
const BASELINE: &str = "<li><svg class=\"swatch\" viewBox=\"0 0 128 48\" width=\"32\" height=\"12\" aria-hidden=\"true\">\
                        <line class=\"lead\" stroke-width=\"18\" x1=\"0\" y1=\"24\" x2=\"128\" y2=\"24\"/></svg>baseline</li>";

fn has_baseline(subject: &Subject<'_>, ranked: &[(usize, f64)]) -> bool {
    ranked.iter().any(|(cell, _)| subject.summary.baseline == Some(*cell))
}

fn note(subject: &Subject<'_>, ranked: &[(usize, f64)]) -> String {
    let baseline = match has_baseline(subject, ranked) {
        true => {
            "; the thick dark line before all others is the baseline, and its end mark has its quarter"
        }
        false => "",
    };
    format!(
        "<p class=\"note\">Means over seeds{baseline}. Colours, dashes and end marks say the same; lines at one level are drawn \
         side by side. Where lines of one quarter meet at one level, that level may matter; whether it does is for the tests \
         above to say.</p>\n"
    )
}

pub(super) fn ink(ranked: &[(usize, f64)], mean: f64) -> usize {
    QUARTERS[quarter(ranked, mean)]
}

/// Equal means are in one quarter.
fn quarter(ranked: &[(usize, f64)], mean: f64) -> usize {
    let rank = ranked.iter().position(|(_, other)| *other == mean).unwrap_or(0);
    rank * QUARTERS.len() / ranked.len()
}

/// Items of a list.
pub(super) fn legend(subject: &Subject<'_>, ranked: &[(usize, f64)]) -> String {
    let [best, worst] = match (subject.summary.goal(), subject.summary.minimize) {
        (Some(_), _) => ["best", "worst"],
        (None, Some(true)) => ["lowest", "highest"],
        (None, _) => ["highest", "lowest"],
    };
    let names =
        [format!("{best} quarter"), "second".into(), "third".into(), format!("{worst} quarter")];
    let used = |at: usize| ranked.iter().any(|(_, mean)| quarter(ranked, *mean) == at);
    let items = names.iter().enumerate().filter(|(at, _)| used(*at));
    let items =
        items.map(|(quarter, name)| format!("<li>{}{name}</li>", swatch(QUARTERS[quarter], true)));
    items.collect()
}

pub(super) fn description(subject: &Subject<'_>, ranked: &[(usize, f64)]) -> String {
    let digits = places(subject);
    let said = |it: Option<&(usize, f64)>| {
        it.map_or_else(String::new, |(cell, mean)| {
            format!("{} with {}", subject.record.plan.cells[*cell].label, fixed(*mean, digits))
        })
    };
    let direction = subject.primary.direction();
    let (first, last) = (said(ranked.first()), said(ranked.last()));
    format!("{direction}. {} cells, from {first} to {last}.", ranked.len())
}

/// The data of both figures.
pub(super) fn data(
    subject: &Subject<'_>,
    axes: &[Coordinate<'_>],
    ranked: &[(usize, f64)],
) -> String {
    let (record, digits) = (subject.record, places(subject));
    let mut columns = vec![Column::words("cell"), Column::words("role")];
    columns.extend(axes.iter().map(|it| Column::axis(record, it.axis)));
    columns.push(Column::number(&subject.primary.heading()));
    let mut data = FigureData::new(columns);
    for &(cell, mean) in ranked {
        let own = &record.plan.cells[cell];
        let name = [Datum::Words(own.label.clone()), Datum::role(&subject.summary, cell)];
        let settings = axes.iter().map(|it| Datum::on_axis(record, it.axis, own));
        let mean = Datum::number(Some(mean), |mean| fixed(mean, digits));
        data.row(name.into_iter().chain(settings).chain([mean]));
    }
    data.folded()
}
