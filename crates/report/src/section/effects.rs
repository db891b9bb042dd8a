//! Final values against each axis, one small plot a metric.

mod in_words;

use track::{AxisRecord, CellRecord, SweepRecord};

use in_words::{data_table, describe};

use super::{factorial, importance, level, parallel};
use crate::ReportError;
use crate::escape::esc;
use crate::figure::{
    Effect, EffectPoint, EffectSeries, Level, Place, SERIES, effect, place, swatch,
};
use crate::measured::{Measured, Role};
use crate::metric::is_mechanical;
use crate::number::plural;
use crate::page::Subject;
use crate::summary::{Summary, same_settings, settings_at};

pub(crate) fn section(subject: &Subject<'_>) -> Result<String, ReportError> {
    let record = subject.record;
    let mut out =
        String::from("<section id=\"effects\">\n<h2>Final metrics against the axes</h2>\n");
    let measured: Vec<&Measured> =
        subject.measured.iter().filter(|measured| measured.is_recorded()).collect();
    if measured.is_empty() {
        out.push_str("<p>No run with a final metric has completed yet.</p>\n");
    } else if record.plan.axes.is_empty() {
        out.push_str("<p>The sweep has no axis; its cells are in the table above.</p>\n");
    } else {
        for (at, axis) in record.plan.axes.iter().enumerate() {
            out.push_str(&axis_block(subject, axis, at, &measured)?);
        }
    }
    out.push_str(&parallel::block(subject)?);
    out.push_str(&match record.plan.design.as_str() {
        "random" => importance::block(subject),
        _ => factorial::block(subject),
    });
    out.push_str("</section>\n");
    Ok(out)
}

fn axis_block(
    subject: &Subject<'_>,
    axis: &AxisRecord,
    axis_at: usize,
    measured: &[&Measured],
) -> Result<String, ReportError> {
    let record = subject.record;
    let view = View::of(subject, axis);
    let mut out = String::new();
    if record.plan.axes.len() > 1 {
        out.push_str(&format!("<h3>{}</h3>\n", esc(&axis.label)));
    }
    if view.groups.len() > 1 {
        out.push_str("<ul class=\"legend\">");
        for (ink, group) in view.drawn().iter().enumerate() {
            out.push_str(&format!("<li>{}{}</li>", swatch(ink, true), esc(&group.name)));
        }
        out.push_str("</ul>\n");
    }
    let (mut declared, mut others, mut cut_intervals) = (String::new(), String::new(), 0);
    let mut other_panels = 0;
    for (at, measured) in measured.iter().enumerate() {
        let Some((panel, cut)) = panel(record, &view, measured, format!("effect-{axis_at}-{at}"))?
        else {
            continue;
        };
        cut_intervals += cut;
        match measured.role {
            Role::Other => {
                others.push_str(&panel);
                other_panels += 1;
            }
            _ => declared.push_str(&panel),
        }
    }
    out.push_str(&format!("<div class=\"plots\">\n{declared}</div>\n"));
    if !others.is_empty() {
        out.push_str(&format!(
            "<details class=\"more\"><summary>{} against {}</summary>\n<div class=\"plots\">\n{others}</div>\n</details>\n",
            plural(other_panels, "more metric"),
            esc(&axis.label),
        ));
    }
    out.push_str(&view.note(subject, cut_intervals));
    Ok(out)
}

/// One axis, laid out once for all metrics.
struct View<'a> {
    axis: &'a AxisRecord,
    labels: Vec<String>,
    placing: Place,
    places: Vec<f64>,
    groups: Vec<Group>,
}

impl<'a> View<'a> {
    fn of(subject: &Subject<'_>, axis: &'a AxisRecord) -> View<'a> {
        let (labels, placing, places) = layout(subject.record, axis);
        View { axis, labels, placing, places, groups: groups(subject, axis) }
    }

    fn drawn(&self) -> &[Group] {
        &self.groups[..self.groups.len().min(SERIES)]
    }

    fn note(&self, subject: &Subject<'_>, cut_intervals: usize) -> String {
        let plan = &subject.record.plan;
        let left_out = match self.groups.len().saturating_sub(SERIES) {
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
            " ✕ at the upper edge: a run of this cell diverged; it has no final value, and counts on the gain as the \
             lowest of any completed run, at most 0."
        } else {
            ""
        };
        let others = match plan.design.as_str() {
            _ if plan.axes.len() < 2 => "",
            "one-at-a-time" => " The other axes are at the baseline.",
            "random" => " The other axes vary from mark to mark: a scatter, not a curve.",
            _ => "",
        };
        format!(
            "<p class=\"note\">Large mark: mean over seeds; bar: 95\u{a0}% t interval over seeds; small dots: the seeds; dashed \
             line: mean of the baseline. {}: {}.{others}{diverged}{cut}{left_out}</p>\n",
            esc(&self.axis.label),
            self.placing.words(),
        )
    }
}

/// A figure, and how many of its bars leave the frame. `None` where there is nothing to draw.
fn panel(
    record: &SweepRecord,
    view: &View<'_>,
    measured: &Measured,
    id: String,
) -> Result<Option<(String, usize)>, ReportError> {
    let Measured { metric, summary, .. } = measured;
    let axis = view.axis;
    let series: Vec<EffectSeries> = view
        .drawn()
        .iter()
        .enumerate()
        .map(|(ink, group)| EffectSeries {
            ink: if view.groups.len() == 1 { 1 } else { ink },
            points: points(record, axis, group, &view.labels, summary),
        })
        .collect();
    let figure = Effect {
        id,
        title: format!("{} against {}", metric.title, axis.label),
        description: describe(record, metric, summary),
        axis_title: axis.label.clone(),
        levels: view.places.iter().copied().zip(view.labels.iter().cloned()).collect(),
        connected: axis.scale != "category" && axis.keys.len() == 1,
        reference: summary.baseline.and_then(|base| summary.cells[base].estimate).map(|e| e.mean),
        series,
    };
    let Some(drawing) = effect(&figure)? else {
        return Ok(None);
    };
    let tag =
        if measured.role == Role::Primary { " <span class=\"tag\">primary</span>" } else { "" };
    let mechanical = if is_mechanical(&metric.name) {
        " <span class=\"tag\">follows the objective</span>"
    } else {
        ""
    };
    let unit = if metric.unit.is_empty() {
        String::new()
    } else {
        format!(" <span class=\"quiet\">{}</span>", metric.unit)
    };
    let html = format!(
        "<figure class=\"panel\">\n<figcaption>{}{unit}{tag}{mechanical}</figcaption>\n{}{}</figure>\n",
        esc(metric.heading()),
        drawing.svg,
        data_table(record, metric, summary),
    );
    Ok(Some((html, drawing.cut_intervals)))
}

/// Labels of the levels and where they go; numbers in their order, words as declared.
pub(super) fn layout(record: &SweepRecord, axis: &AxisRecord) -> (Vec<String>, Place, Vec<f64>) {
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
    if plan.design == "random" {
        return vec![Group { name: String::new(), cells: (0..plan.cells.len()).collect() }];
    }
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
    if plan.design == "one-at-a-time"
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
