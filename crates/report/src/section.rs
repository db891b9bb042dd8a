//! The page's sections, one a file, in reading order.

pub(crate) mod answer;
mod coordinate;
pub(crate) mod curves;
pub(crate) mod effects;
pub(crate) mod factorial;
mod figure_data;
pub(crate) mod flags;
pub(crate) mod forest;
pub(crate) mod header;
mod importance;
pub(crate) mod leaves;
pub(crate) mod method;
pub(crate) mod parallel;
pub(crate) mod results;
pub(crate) mod runs;
pub(crate) mod samples;
mod scatter;
pub(crate) mod timeline;
pub(crate) mod tradeoffs;

use serde_json::Value;
use track::{AxisRecord, CellRecord, SweepRecord};

use crate::escape::esc;
use crate::figure::SERIES;
use crate::number;
use crate::page::Subject;
use crate::summary::{Interval, same_settings, settings_at};

/// `[0.198, 0.209]`; a single value has none.
pub(crate) fn interval(interval: Option<Interval>, write: impl Fn(f64) -> String) -> String {
    match interval {
        Some(Interval { lower, upper }) => format!("[{}, {}]", write(lower), write(upper)),
        None => "n = 1".into(),
    }
}

/// A figure that has a row of its own: narrow screens scroll it, as its words would be too small.
pub(crate) fn wide_figure(caption: &str, svg: &str, table: &str) -> String {
    wide_figure_above(caption, svg, &folded_data(table))
}

/// The same, above what is already folded.
pub(crate) fn wide_figure_above(caption: &str, svg: &str, folded: &str) -> String {
    format!(
        "<figure class=\"panel wide\">\n<figcaption>{caption}</figcaption>\n<div class=\"scroll\" tabindex=\"0\" \
         role=\"group\" aria-label=\"Drawing\">{svg}</div>\n{folded}</figure>\n"
    )
}

/// The numbers of a figure, beneath it. What scrolls can be focused: a keyboard has no other way to it.
pub(crate) fn folded_data(table: &str) -> String {
    format!(
        "<details><summary>Data</summary><div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Data\">{table}\
         </div></details>\n"
    )
}

/// A table of words, the first column naming the row, those with a heading that ends in `#` numbers.
pub(crate) fn plain_table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let is_number: Vec<bool> = heads.iter().map(|head| head.ends_with('#')).collect();
    let class = |at: usize| if is_number[at] { " class=\"num\"" } else { "" };
    let heads = heads.iter().enumerate().map(|(at, head)| {
        format!("<th scope=\"col\"{}>{}</th>", class(at), esc(head.trim_end_matches('#')))
    });
    let row = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(at, cell)| match at {
            0 => format!("<th scope=\"row\">{}</th>", esc(cell)),
            _ => format!("<td{}>{}</td>", class(at), esc(cell)),
        });
        format!("<tr>{}</tr>", cells.collect::<String>())
    };
    format!(
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        heads.collect::<String>(),
        rows.iter().map(row).collect::<String>()
    )
}

/// What a run that failed counts as, and why so; `None` where the metric has no such value.
pub(crate) fn failed_as(subject: &Subject<'_>) -> Option<String> {
    let value = subject.summary.failed_as?;
    Some(match value < 0.0 {
        true => format!(
            "{}, the lowest of any completed run, as failing is not better than finishing",
            number::fixed(value, answer::places(subject))
        ),
        false => "0, no better than doing nothing".into(),
    })
}

/// A cell's position on an axis, in words: `10`, or `resnet, 64` for a zip.
pub(crate) fn level(axis: &AxisRecord, cell: &CellRecord) -> String {
    let values = settings_at(cell, &axis.keys);
    values.into_iter().map(number::setting).collect::<Vec<_>>().join(", ")
}

/// Seeds of the runs: the plan's in its order, then those that single cells have of their own.
pub(crate) fn seeds(record: &SweepRecord) -> Vec<u64> {
    let mut seeds: Vec<u64> = Vec::new();
    for run in &record.runs {
        if !seeds.contains(&run.seed) {
            seeds.push(run.seed);
        }
    }
    let planned = |seed: &u64| record.plan.seeds.iter().position(|other| other == seed);
    seeds.sort_by_key(|seed| planned(seed).unwrap_or(usize::MAX));
    seeds
}

/// Settings that vary without belonging to an axis.
pub(crate) fn loose_settings(record: &SweepRecord) -> Vec<String> {
    let cells = &record.plan.cells;
    let varies = |key: &String| {
        let value = |cell| settings_at(cell, std::slice::from_ref(key));
        cells.iter().any(|cell| !same_settings(&value(cell), &value(&cells[0])))
    };
    let mut loose: Vec<String> = Vec::new();
    for (key, _) in cells.iter().flat_map(|cell| &cell.settings) {
        let on_axis = record.plan.axes.iter().any(|axis| axis.keys.contains(key));
        if !on_axis && !loose.contains(key) && varies(key) {
            loose.push(key.clone());
        }
    }
    loose
}

pub(crate) fn loose_value(cell: &CellRecord, key: &str) -> String {
    let value = cell.settings.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    value.map_or_else(|| number::MISSING.into(), |value: &Value| number::setting(value))
}

/// Cells that one plot can tell apart, with their colours: the baseline has the
/// first, the best is among them, the others are spread over the plan.
pub(crate) fn drawn_cells(subject: &Subject<'_>) -> Vec<(usize, usize)> {
    let count = subject.record.plan.cells.len();
    let baseline = subject.summary.baseline;
    let mut chosen: Vec<usize> = if count <= SERIES {
        (0..count).collect()
    } else {
        let mut chosen: Vec<usize> = baseline.into_iter().chain(subject.summary.best).collect();
        chosen.dedup();
        let others: Vec<usize> = (0..count).filter(|cell| !chosen.contains(cell)).collect();
        let free = SERIES - chosen.len();
        chosen.extend((0..free).map(|at| others[at * (others.len() - 1) / (free - 1)]));
        chosen
    };
    chosen.sort_unstable();
    chosen.dedup();
    let mut next = 0;
    chosen
        .into_iter()
        .map(|cell| {
            if Some(cell) == baseline {
                return (cell, 0);
            }
            next += 1;
            // Without a baseline eight cells need the first colour too.
            (cell, next % SERIES)
        })
        .collect()
}
