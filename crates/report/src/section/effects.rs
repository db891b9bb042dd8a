//! Final values against each axis, one small plot a metric.

mod cells;
mod in_words;
mod levels;

use in_words::{data, describe};
pub(super) use levels::layout;

use self::cells::Cells;
use self::levels::Levels;
use super::{factorial, importance, parallel};
use crate::ReportError;
use crate::escape::esc;
use crate::figure::EffectDrawing;
use crate::measured::{Measured, Role};
use crate::metric::is_mechanical;
use crate::number::plural;
use crate::page::Subject;
use crate::summary::Summary;

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
        for at in 0..record.plan.axes.len() {
            out.push_str(&axis_block(subject, at, &measured)?);
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
    axis_at: usize,
    measured: &[&Measured],
) -> Result<String, ReportError> {
    let plan = &subject.record.plan;
    let label = esc(&plan.axes[axis_at].label).to_string();
    let view = View::of(subject, axis_at);
    let mut out = String::new();
    if plan.axes.len() > 1 {
        out.push_str(&format!("<h3>{label}</h3>\n"));
    }
    out.push_str(&view.legend());
    let (mut declared, mut others, mut cut_intervals) = (String::new(), String::new(), 0);
    let mut other_panels = 0;
    for (at, measured) in measured.iter().enumerate() {
        let id = format!("effect-{axis_at}-{at}");
        let Some((panel, cut)) = panel(subject, axis_at, &view, measured, id)? else {
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
            "<details class=\"more\"><summary>{} against {label}</summary>\n<div class=\"plots\">\n{others}</div>\n</details>\n",
            plural(other_panels, "more metric"),
        ));
    }
    out.push_str(&view.note(subject, cut_intervals));
    Ok(out)
}

/// How one axis is shown, the same for all metrics.
enum View<'a> {
    Levels(Levels<'a>),
    Cells(Cells<'a>),
}

/// What is said of a drawing: its address, and the words that are read in its place.
struct Words {
    id: String,
    title: String,
    description: String,
}

impl<'a> View<'a> {
    fn of(subject: &Subject<'a>, axis: usize) -> View<'a> {
        match Cells::of(subject, axis) {
            Some(cells) => View::Cells(cells),
            None => View::Levels(Levels::of(subject, axis)),
        }
    }

    fn legend(&self) -> String {
        match self {
            View::Levels(levels) => levels.legend(),
            View::Cells(cells) => cells.legend(),
        }
    }

    fn draw(
        &self,
        subject: &Subject<'_>,
        summary: &Summary,
        words: Words,
    ) -> Result<Option<EffectDrawing>, ReportError> {
        match self {
            View::Levels(levels) => levels.draw(subject.record, summary, words),
            View::Cells(cells) => cells.draw(subject.record, summary, words),
        }
    }

    fn note(&self, subject: &Subject<'_>, cut_intervals: usize) -> String {
        match self {
            View::Levels(levels) => levels.note(subject, cut_intervals),
            View::Cells(cells) => cells.note(subject, cut_intervals),
        }
    }
}

/// A figure, and how many of its bars leave the frame. `None` where there is nothing to draw.
fn panel(
    subject: &Subject<'_>,
    axis: usize,
    view: &View<'_>,
    measured: &Measured,
    id: String,
) -> Result<Option<(String, usize)>, ReportError> {
    let Measured { metric, summary, .. } = measured;
    let axis = &subject.record.plan.axes[axis];
    let words = Words {
        id,
        title: format!("{} against {}", metric.title, axis.label),
        description: describe(subject.record, metric, summary),
    };
    let Some(drawing) = view.draw(subject, summary, words)? else {
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
        data(subject.record, axis, summary),
    );
    Ok(Some((html, drawing.cut_intervals)))
}

fn baseline_mean(summary: &Summary) -> Option<f64> {
    summary.baseline.and_then(|base| summary.cells[base].estimate).map(|estimate| estimate.mean)
}

fn diverged(subject: &Subject<'_>) -> &'static str {
    if subject.summary.cells.iter().any(|cell| cell.runs.diverged > 0) {
        " ✕ at the upper edge: a run of this cell diverged; it has no final value, and counts on the gain as the \
         lowest of any completed run, at most 0."
    } else {
        ""
    }
}

/// Of bars that leave the frame: how they are known, and where they are whole.
fn cut(count: usize, known_by: &str, elsewhere: &str) -> String {
    match count {
        0 => String::new(),
        1 => format!(" One bar{known_by} reaches past the frame{elsewhere}."),
        count => format!(" {count} bars{known_by} reach past the frame{elsewhere}."),
    }
}
