//! Final values against each axis, one small plot a metric.

use std::collections::BTreeSet;

use track::{AxisRecord, CellRecord, SweepRecord};

use super::{interval, level};
use crate::ReportError;
use crate::escape::esc;
use crate::figure::{
    Effect, EffectPoint, EffectSeries, Level, Place, SERIES, effect, place, swatch,
};
use crate::metric::{self, Metric};
use crate::number::{MISSING, decimals, fixed, plural};
use crate::page::Subject;
use crate::summary::{Summary, same_settings, settings_at, summarise};

pub(crate) fn section(subject: &Subject<'_>) -> Result<String, ReportError> {
    let record = subject.record;
    let mut out =
        String::from("<section id=\"effects\">\n<h2>Final metrics against the axes</h2>\n");
    let measured: Vec<(Metric, Summary)> = metrics(subject)
        .into_iter()
        .map(|metric| {
            let summary = summarise(record, &metric.name);
            (metric, summary)
        })
        .filter(|(_, summary)| summary.cells.iter().any(|cell| cell.estimate.is_some()))
        .collect();
    if measured.is_empty() {
        out.push_str("<p>No run with a final metric has completed yet.</p>\n</section>\n");
        return Ok(out);
    }
    for (at, axis) in record.plan.axes.iter().enumerate() {
        out.push_str(&axis_block(subject, axis, at, &measured)?);
    }
    if record.plan.axes.is_empty() {
        out.push_str("<p>The sweep has no axis; its cells are in the table above.</p>\n");
    }
    out.push_str("</section>\n");
    Ok(out)
}

/// Primary, secondary, then every other metric of the evaluation.
pub(crate) fn metrics(subject: &Subject<'_>) -> Vec<Metric> {
    let plan = &subject.record.plan;
    let mut names: Vec<&str> = vec![&plan.metric.name];
    let recorded: BTreeSet<&str> = subject
        .record
        .runs
        .iter()
        .flat_map(|run| &run.rows)
        .filter(|row| row.split == track::Split::Eval)
        .map(|row| row.name.as_str())
        .collect();
    for name in plan.metric.secondary.iter().map(String::as_str).chain(recorded) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
        .into_iter()
        .map(|name| {
            if name == subject.primary.name {
                subject.primary.clone()
            } else {
                metric::describe(name)
            }
        })
        .collect()
}

fn axis_block(
    subject: &Subject<'_>,
    axis: &AxisRecord,
    axis_at: usize,
    measured: &[(Metric, Summary)],
) -> Result<String, ReportError> {
    let record = subject.record;
    let (labels, placing, places) = layout(record, axis);
    let groups = groups(subject, axis);
    let mut out = String::new();
    if record.plan.axes.len() > 1 {
        out.push_str(&format!("<h3>{}</h3>\n", esc(&axis.label)));
    }
    let drawn = &groups[..groups.len().min(SERIES)];
    if groups.len() > 1 {
        out.push_str("<ul class=\"legend\">");
        for (ink, group) in drawn.iter().enumerate() {
            out.push_str(&format!("<li>{}{}</li>", swatch(ink, true), esc(&group.name)));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("<div class=\"plots\">\n");
    let mut cut_intervals = 0;
    for (at, (metric, summary)) in measured.iter().enumerate() {
        let series: Vec<EffectSeries> = drawn
            .iter()
            .enumerate()
            .map(|(ink, group)| EffectSeries {
                ink: if groups.len() == 1 { 1 } else { ink },
                points: points(record, axis, group, &labels, summary),
            })
            .collect();
        let figure = Effect {
            id: format!("effect-{axis_at}-{at}"),
            title: format!("{} against {}", metric.title, axis.label),
            description: describe(record, metric, summary),
            axis_title: axis.label.clone(),
            levels: places.iter().copied().zip(labels.iter().cloned()).collect(),
            connected: axis.scale != "category" && axis.keys.len() == 1,
            reference: summary
                .baseline
                .and_then(|base| summary.cells[base].estimate)
                .map(|e| e.mean),
            series,
        };
        let Some(drawing) = effect(&figure)? else {
            continue;
        };
        cut_intervals += drawing.cut_intervals;
        let tag = if at == 0 { " <span class=\"tag\">primary</span>" } else { "" };
        let unit = if metric.unit.is_empty() {
            String::new()
        } else {
            format!(" <span class=\"quiet\">{}</span>", metric.unit)
        };
        out.push_str(&format!(
            "<figure class=\"panel\">\n<figcaption>{}{unit}{tag}</figcaption>\n{}{}</figure>\n",
            esc(metric.heading()),
            drawing.svg,
            data_table(record, metric, summary),
        ));
    }
    out.push_str("</div>\n");
    let left_out = match groups.len().saturating_sub(SERIES) {
        0 => String::new(),
        count => format!(" {} of the other axes not drawn.", plural(count, "combination")),
    };
    let cut = match cut_intervals {
        0 => String::new(),
        count => format!(
            " {} without an end mark {} past the frame; the data under each plot has it whole.",
            if count == 1 { "One bar".into() } else { format!("{count} bars") },
            if count == 1 { "reaches" } else { "reach" },
        ),
    };
    let diverged = if subject.summary.cells.iter().any(|cell| cell.runs.diverged > 0) {
        " ✕ at the upper edge: a run of this cell diverged and has no final value."
    } else {
        ""
    };
    let others = if subject.record.plan.design != "grid" && record.plan.axes.len() > 1 {
        " The other axes are at the baseline."
    } else {
        ""
    };
    out.push_str(&format!(
        "<p class=\"note\">Large mark: mean over seeds; bar: 95 % t interval; small dots: the seeds; dashed line: mean of the \
         baseline. {}: {}.{others}{diverged}{cut}{left_out}</p>\n",
        esc(&axis.label),
        placing.words(),
    ));
    Ok(out)
}

/// Labels of the levels and where they go; numbers in their order, words as declared.
fn layout(record: &SweepRecord, axis: &AxisRecord) -> (Vec<String>, Place, Vec<f64>) {
    let mut levels: Vec<Level> = Vec::new();
    for cell in &record.plan.cells {
        let label = level(axis, cell);
        let value = match settings_at(cell, &axis.keys).as_slice() {
            [only] => only.as_f64(),
            _ => None,
        };
        if !levels.iter().any(|level| level.label == label) {
            levels.push(Level { label, value });
        }
    }
    if levels.iter().all(|level| level.value.is_some()) {
        levels.sort_by(|a, b| a.value.unwrap_or(0.0).total_cmp(&b.value.unwrap_or(0.0)));
    }
    let (placing, places) = place(&levels, &axis.scale);
    (levels.into_iter().map(|level| level.label).collect(), placing, places)
}

/// Cells that agree on everything but the axis.
struct Group {
    name: String,
    cells: Vec<usize>,
}

fn groups(subject: &Subject<'_>, axis: &AxisRecord) -> Vec<Group> {
    let plan = &subject.record.plan;
    let others: Vec<String> = plan
        .cells
        .iter()
        .flat_map(|cell| &cell.settings)
        .map(|(key, _)| key)
        .filter(|key| !axis.keys.contains(key))
        .fold(Vec::new(), |mut keys, key| {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
            keys
        });
    let rest = |cell: &CellRecord| {
        let other_axes = plan.axes.iter().filter(|other| other.keys != axis.keys);
        other_axes
            .map(|other| format!("{} {}", other.label, level(other, cell)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut groups: Vec<Group> = Vec::new();
    for (at, cell) in plan.cells.iter().enumerate() {
        let fits = |group: &&mut Group| {
            same_settings(
                &settings_at(&plan.cells[group.cells[0]], &others),
                &settings_at(cell, &others),
            )
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.cells.push(at),
            None => groups.push(Group { name: rest(cell), cells: vec![at] }),
        }
    }
    // One at a time: what another axis moved is a lone point here, not a series.
    if plan.design != "grid"
        && let Some(base) = subject.summary.baseline
    {
        groups.retain(|group| group.cells.contains(&base));
    }
    groups
}

fn points(
    record: &SweepRecord,
    axis: &AxisRecord,
    group: &Group,
    labels: &[String],
    summary: &Summary,
) -> Vec<EffectPoint> {
    let mut points: Vec<EffectPoint> = group
        .cells
        .iter()
        .filter_map(|&cell| {
            let own = level(axis, &record.plan.cells[cell]);
            let summary = &summary.cells[cell];
            Some(EffectPoint {
                level: labels.iter().position(|label| *label == own)?,
                estimate: summary.estimate,
                values: summary.values.iter().map(|(_, value)| *value).collect(),
                diverged: summary.runs.diverged > 0,
            })
        })
        .collect();
    points.sort_by_key(|point| point.level);
    points
}

fn describe(record: &SweepRecord, metric: &Metric, summary: &Summary) -> String {
    let places = decimals(summary.cells.iter().filter_map(|cell| cell.estimate).map(|e| e.mean));
    let said: Vec<String> = record
        .plan
        .cells
        .iter()
        .zip(&summary.cells)
        .map(|(cell, own)| match own.estimate {
            Some(e) => {
                format!("{}: {} over {}", cell.label, fixed(e.mean, places), plural(e.n, "seed"))
            }
            None => format!("{}: no value", cell.label),
        })
        .collect();
    format!("{}. Means: {}.", metric.direction(), said.join("; "))
}

fn data_table(record: &SweepRecord, metric: &Metric, summary: &Summary) -> String {
    let places = decimals(summary.cells.iter().filter_map(|cell| cell.estimate).map(|e| e.mean));
    let mut out = format!(
        "<details><summary>Data</summary><div class=\"scroll\"><table><caption class=\"unseen\">{}</caption><thead><tr>\
         <th scope=\"col\">cell</th><th scope=\"col\" class=\"num\">mean</th><th scope=\"col\" class=\"num\">95 % interval</th>\
         <th scope=\"col\">seeds</th></tr></thead><tbody>",
        esc(&metric.title)
    );
    for (cell, own) in record.plan.cells.iter().zip(&summary.cells) {
        let (mean, bounds) = own.estimate.map_or((MISSING.into(), MISSING.into()), |e| {
            (fixed(e.mean, places), interval(&e, |v| fixed(v, places)))
        });
        let seeds: Vec<String> = own
            .values
            .iter()
            .map(|(seed, value)| format!("{seed}: {}", fixed(*value, places)))
            .collect();
        out.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td class=\"num\">{mean}</td><td class=\"num\">{bounds}</td><td>{}</td></tr>",
            esc(&cell.label),
            if seeds.is_empty() { MISSING.into() } else { seeds.join(", ") },
        ));
    }
    out.push_str("</tbody></table></div></details>\n");
    out
}
