//! The curves of one run as they were recorded, without a mean over seeds.

use std::collections::BTreeSet;

use track::{RunRecord, RunState, Split};

use crate::ReportError;
use crate::escape::esc;
use crate::evaluation::result_fold;
use crate::figure::{RunCurve, RunLine, run_curve, swatch};
use crate::metric;
use crate::number::{MISSING, decimals, fixed};
use crate::page::Subject;
use crate::section::curves::{held_out, resumptions};
use crate::section::{folded_data, plain_table};

/// Of the losses, those that every objective has; caption, and how their names begin.
const LOSSES: [(&str, &str); 4] = [
    ("Adversarial", "loss/gan_g"),
    ("Cycle consistency", "loss/cycle"),
    ("Identity", "loss/idt"),
    ("Discriminators", "loss/d_"),
];

/// A metric over the steps of a run.
struct Trace<'a> {
    name: &'a str,
    points: Vec<(u64, f64)>,
}

/// `anchor` is where the run's part is; what lies within is named after it.
pub(super) fn block(
    subject: &Subject<'_>,
    run: &RunRecord,
    anchor: &str,
) -> Result<String, ReportError> {
    let mut panels = String::new();
    if let Some(panel) = primary(subject, run, anchor)? {
        panels.push_str(&panel);
    }
    for (at, (caption, prefix)) in LOSSES.iter().enumerate() {
        let traces = losses(run, prefix);
        let id = format!("{anchor}-curve-{}", at + 1);
        if let Some(panel) = panel(run, id, caption, "", &traces, Vec::new())? {
            panels.push_str(&panel);
        }
    }
    Ok(match panels.is_empty() {
        true => "<p class=\"absent\">No metric was recorded more than once.</p>\n".into(),
        false => format!("<div class=\"plots\">\n{panels}</div>\n"),
    })
}

/// The metric the sweep is judged by, among the other seeds of the cell.
fn primary(
    subject: &Subject<'_>,
    run: &RunRecord,
    anchor: &str,
) -> Result<Option<String>, ReportError> {
    let name = subject.primary.name.as_str();
    let found = held_out(run);
    let Some(points) = found.series.get(name) else { return Ok(None) };
    let is_other = |it: &&RunRecord| it.cell == run.cell && it.seed != run.seed;
    let of_others = |it: &RunRecord| -> Vec<(u64, f64)> {
        let own = it.rows.iter().filter(|row| row.split == found.split && row.name == name);
        own.map(|row| (row.step, row.value)).collect()
    };
    let others = subject.record.runs.iter().filter(is_other).map(of_others);
    let others: Vec<_> = others.filter(|it| it.len() > 1).collect();
    let fold = if found.split == Split::Val { "val fold" } else { &result_fold(subject.record) };
    let seeds = if others.is_empty() { "" } else { "; thin: its cell's other seeds" };
    let note = format!("{fold}{seeds}");
    let traces = [Trace { name, points: points.clone() }];
    let id = format!("{anchor}-curve-0");
    panel(run, id, &subject.primary.heading(), &note, &traces, others)
}

fn losses<'a>(run: &'a RunRecord, prefix: &str) -> Vec<Trace<'a>> {
    let logged = || run.rows.iter().filter(|row| row.split == Split::Train);
    let names: BTreeSet<&str> =
        logged().map(|row| row.name.as_str()).filter(|name| name.starts_with(prefix)).collect();
    let trace = |name: &'a str| {
        let own = logged().filter(|row| row.name == name);
        Trace { name, points: own.map(|row| (row.step, row.value)).collect() }
    };
    names.into_iter().map(trace).collect()
}

fn panel(
    run: &RunRecord,
    id: String,
    caption: &str,
    note: &str,
    traces: &[Trace<'_>],
    others: Vec<Vec<(u64, f64)>>,
) -> Result<Option<String>, ReportError> {
    let is_broken = matches!(run.state, RunState::Diverged { .. });
    // Two of a kind, told apart by colour and dashes; one alone needs neither.
    let ink = |nth: usize| if traces.len() > 1 { nth + 1 } else { 0 };
    let lines = traces.iter().enumerate().map(|(nth, trace)| RunLine {
        ink: ink(nth),
        points: trace.points.clone(),
        end: trace.points.iter().rev().find(|it| is_broken && it.1.is_finite()).copied(),
        resumed: resumptions(run, &trace.points),
    });
    let figure = RunCurve {
        id,
        title: format!("{caption}, run {}", run.index),
        description: description(traces),
        lines: lines.collect(),
        others,
    };
    let Some(svg) = run_curve(&figure)? else { return Ok(None) };
    let key = traces.iter().enumerate().filter(|_| traces.len() > 1).map(|(nth, trace)| {
        let title = metric::describe(trace.name).title;
        // The caption says what of: the side is left.
        let side = title.rsplit(' ').next().unwrap_or_default();
        format!("{} {} ", swatch(ink(nth), false), esc(side))
    });
    let said = format!("{}{}", key.collect::<String>(), esc(note));
    Ok(Some(format!(
        "<figure class=\"panel\">\n<figcaption>{} <span class=\"quiet\">{}</span></figcaption>\n{svg}{}</figure>\n",
        esc(caption),
        said.trim_end(),
        folded_data(&data(traces))
    )))
}

fn description(traces: &[Trace<'_>]) -> String {
    let said = traces.iter().filter_map(|trace| {
        let (first, last) = (trace.points.first()?, trace.points.last()?);
        let places = decimals([first.1, last.1]);
        Some(format!(
            "{} from {} at step {} to {} at step {}",
            metric::describe(trace.name).title,
            fixed(first.1, places),
            first.0,
            fixed(last.1, places),
            last.0
        ))
    });
    said.collect::<Vec<_>>().join("; ") + "."
}

fn data(traces: &[Trace<'_>]) -> String {
    let row = |trace: &Trace<'_>| {
        let values = || trace.points.iter().map(|it| it.1).filter(|it| it.is_finite());
        let places = decimals(values());
        let write =
            |value: Option<f64>| value.map_or_else(|| MISSING.into(), |it| fixed(it, places));
        vec![
            metric::describe(trace.name).title,
            trace.points.len().to_string(),
            write(trace.points.first().map(|it| it.1)),
            write(trace.points.last().map(|it| it.1)),
            write(values().reduce(f64::min)),
            write(values().reduce(f64::max)),
            trace.points.last().map_or_else(|| MISSING.into(), |it| it.0.to_string()),
        ]
    };
    let heads = ["curve", "values#", "first#", "last#", "lowest#", "highest#", "last step#"];
    plain_table(&heads, &traces.iter().map(row).collect::<Vec<_>>())
}
