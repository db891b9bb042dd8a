//! One row a setting, over all data sets of the sweep: the interquartile mean of the gain.
//!
//! Source: Agarwal et al. 2021, arXiv:2108.13264, §4.

use std::collections::BTreeSet;

use serde_json::Value;
use stats::{Interquartile, Level, MIN_RUNS, Pool, Resampling};
use track::{AxisRecord, CellRecord, SweepRecord};

use crate::escape::esc;
use crate::metric::{self, GAIN, is_gain};
use crate::number::{MISSING, fixed, plural, setting};
use crate::page::Subject;
use crate::section::interval;
use crate::summary::{LEVEL, Summary, measure, same_settings, settings_at};

/// Leaves that say which images a cell has.
const DATA_SET: [&str; 2] = ["data.dataset", "data.path"];

/// Empty for a sweep of one data set.
pub(super) fn table(subject: &Subject<'_>) -> String {
    let record = subject.record;
    let data_sets = data_sets(&record.plan.cells);
    if data_sets.len() < 2 {
        return String::new();
    }
    let primary = &record.plan.metric.name;
    let name = if is_gain(primary) { primary } else { GAIN };
    let gain = metric::describe(name);
    let summary = measure(record, name);
    let mut out = String::from("<h3 id=\"across\">Across data sets</h3>\n");
    if summary.cells.iter().all(|cell| cell.estimate.is_none()) {
        out.push_str(
            "<p>The gain alone has a scale that data sets share, and no run has one yet: nothing is averaged over them.</p>\n",
        );
        return out;
    }
    out.push_str(&format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Across data sets\">\n<table>\n<thead><tr>\
         <th scope=\"col\">setting</th><th scope=\"col\" class=\"num\">data sets</th><th scope=\"col\" class=\"num\">runs</th>\
         <th scope=\"col\" class=\"num\">{}, interquartile mean</th>\
         <th scope=\"col\" class=\"num\">95\u{a0}% interval over seeds</th></tr></thead>\n<tbody>\n",
        esc(gain.heading())
    ));
    for group in groups(record) {
        out.push_str(&row(&group, &summary, &record.plan.cells));
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    out.push_str(&note(&summary));
    out
}

/// As cells name them, in plan order.
fn data_sets(cells: &[CellRecord]) -> Vec<Vec<&Value>> {
    let mut found: Vec<Vec<&Value>> = Vec::new();
    for cell in cells {
        let own = data_set(cell);
        if !found.contains(&own) {
            found.push(own);
        }
    }
    found
}

fn data_set(cell: &CellRecord) -> Vec<&Value> {
    settings_at(cell, &DATA_SET.map(String::from))
}

/// Cells that differ in their data set and in what follows from it.
struct Group {
    name: String,
    cells: Vec<usize>,
}

fn groups(record: &SweepRecord) -> Vec<Group> {
    let cells = &record.plan.cells;
    let keys = free_keys(cells);
    let axes: Vec<&AxisRecord> = record.plan.axes.iter().collect();
    let mut groups: Vec<Group> = Vec::new();
    for (at, cell) in cells.iter().enumerate() {
        let own = settings_at(cell, &keys);
        let fits =
            |group: &&mut Group| same_settings(&settings_at(&cells[group.cells[0]], &keys), &own);
        match groups.iter_mut().find(fits) {
            Some(group) => group.cells.push(at),
            None => groups.push(Group { name: name(&axes, &keys, &own), cells: vec![at] }),
        }
    }
    groups
}

/// Leaves that vary within a data set. One that a rule sets for each data set, such as the size of its
/// images, belongs to the data set.
fn free_keys(cells: &[CellRecord]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    let named: BTreeSet<&String> =
        cells.iter().flat_map(|cell| &cell.settings).map(|(key, _)| key).collect();
    for key in named {
        let value = |cell| settings_at(cell, std::slice::from_ref(key));
        let varies = cells.iter().any(|a| {
            cells.iter().any(|b| data_set(a) == data_set(b) && !same_settings(&value(a), &value(b)))
        });
        if varies {
            keys.push(key.clone());
        }
    }
    keys
}

/// `λ cycle 10, model.norm none`.
pub(crate) fn name(axes: &[&AxisRecord], keys: &[String], values: &[&Value]) -> String {
    let named: Vec<String> = keys
        .iter()
        .zip(values)
        .map(|(key, value)| format!("{} {}", label(axes, key), setting(value)))
        .collect();
    if named.is_empty() { "all cells".into() } else { named.join(", ") }
}

/// What the first axis of this leaf alone is called; without one the leaf.
pub(crate) fn label(axes: &[&AxisRecord], key: &str) -> String {
    let axis = axes.iter().find(|axis| axis.keys == [key]);
    axis.map_or(key.to_owned(), |axis| axis.label.clone())
}

fn row(group: &Group, summary: &Summary, cells: &[CellRecord]) -> String {
    // One stratum a data set: seeds are resampled within it.
    let mut tasks: Vec<(Vec<&Value>, Vec<f64>)> = Vec::new();
    for &cell in &group.cells {
        let values = summary.cells[cell].values.iter().map(|(_, value)| *value);
        let own = data_set(&cells[cell]);
        match tasks.iter_mut().find(|(data_set, _)| *data_set == own) {
            Some((_, task)) => task.extend(values),
            None => tasks.push((own, values.collect())),
        }
    }
    tasks.retain(|(_, values)| !values.is_empty());
    let runs: usize = tasks.iter().map(|(_, values)| values.len()).sum();
    let values: Vec<Vec<f64>> = tasks.iter().map(|(_, values)| values.clone()).collect();
    let (mean, bounds) = written(over_data_sets(&values, LEVEL), |value| fixed(value, PLACES));
    format!(
        "<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"num\">{runs}</td><td class=\"num\">{mean}</td>\
         <td class=\"num quiet\">{bounds}</td></tr>\n",
        esc(&group.name),
        tasks.len(),
    )
}

/// Finite scores of one setting, a stratum a data set. One data set says nothing across them.
pub(crate) fn over_data_sets(tasks: &[Vec<f64>], level: Level) -> Option<Interquartile> {
    let pool = Pool::new(tasks.iter().map(|scores| ("", scores.clone())));
    let has_scores = tasks.iter().filter(|scores| !scores.is_empty()).count();
    match has_scores {
        0 | 1 => None,
        _ => pool.expect("scores are finite").interquartile(level, Resampling::default()),
    }
}

/// Mean and interval.
pub(crate) fn written(
    found: Option<Interquartile>,
    write: impl Fn(f64) -> String,
) -> (String, String) {
    match found {
        Some(Interquartile { mean, interval: Some(bounds), .. }) => {
            (write(mean), interval(Some(bounds), write))
        }
        Some(Interquartile { mean, interval: None, .. }) => (write(mean), MISSING.into()),
        None => (MISSING.into(), MISSING.into()),
    }
}

/// Of a gain, which is of the order of 1.
pub(crate) const PLACES: usize = 3;

fn note(summary: &Summary) -> String {
    let failed: usize = summary.cells.iter().map(|cell| cell.failed_in_values).sum();
    let failed = match failed {
        0 => String::new(),
        count => format!(
            " {} in with what they count as.",
            plural(count, "failed run") + if count == 1 { " is" } else { " are" }
        ),
    };
    let so_far =
        if summary.is_final() { "" } else { " So far: runs or their values are still to come." };
    format!(
        "<p class=\"note\">The mean of the middle half of all runs of all data sets, from {MIN_RUNS} runs of two data sets on; its \
         interval is a percentile bootstrap that resamples seeds within each data set (Agarwal et al. 2021). It is made of the \
         gain, which every data set's own anchors put on one scale; no other metric here has a scale that data sets share, so \
         none is averaged over them.{failed}{so_far}</p>\n"
    )
}
