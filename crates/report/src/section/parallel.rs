//! Three axes or more at one look: a path a cell, its colour by how well it did.

use super::answer::places;
use super::coordinate::{Coordinate, ends};
use super::{level, plain_table, scatter, wide_figure};
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
    let (low, high) = ends(&means).expect("some cell has a mean, checked above");
    let share = |mean: f64| if high > low { (mean - low) / (high - low) } else { 0.5 };
    let lines = ranked.iter().map(|&(cell, mean)| {
        let own = &subject.record.plan.cells[cell];
        ParallelLine {
            ink: ink(ranked, mean),
            is_baseline: subject.summary.baseline == Some(cell),
            places: axes.iter().map(|axis| axis.place(own)).chain([share(mean)]).collect(),
        }
    });
    let mut uprights: Vec<ParallelAxis> = axes
        .iter()
        .map(|it| ParallelAxis { title: it.axis.label.clone(), marks: it.marks.clone() })
        .collect();
    let mut marks: Vec<(f64, String)> =
        [low, high].map(|mean| (share(mean), fixed(mean, digits))).into();
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
        "<ul class=\"legend\">{}</ul>\n{}{NOTE}",
        legend(subject, ranked),
        wide_figure(&caption, &svg, &table(subject, axes, ranked))
    ))
}

const NOTE: &str = "<p class=\"note\">Means over seeds; the thick line is the baseline. Colours, dashes and end marks say the \
                    same; lines at one level are drawn side by side. Where lines of one quarter meet at one level, that level may matter; whether it does is for the \
                    tests above to say.</p>\n";

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

pub(super) fn table(
    subject: &Subject<'_>,
    axes: &[Coordinate<'_>],
    ranked: &[(usize, f64)],
) -> String {
    let digits = places(subject);
    let rows: Vec<Vec<String>> = ranked
        .iter()
        .map(|&(cell, mean)| {
            let own = &subject.record.plan.cells[cell];
            let settings = axes.iter().map(|it| level(it.axis, own));
            let mut row = vec![own.label.clone()];
            row.extend(settings);
            row.push(fixed(mean, digits));
            row
        })
        .collect();
    let metric = format!("{}#", subject.primary.heading());
    let mut heads = vec!["cell"];
    heads.extend(axes.iter().map(|it| it.axis.label.as_str()));
    heads.push(&metric);
    plain_table(&heads, &rows)
}
