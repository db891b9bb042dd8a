//! Which device worked when: attempts, what was tried again, and what stood idle.

mod attempt;

use std::collections::{BTreeMap, BTreeSet};

use attempt::Attempt;
use track::AttemptEnd;

use super::{plain_table, wide_figure};
use crate::ReportError;
use crate::escape::esc;
use crate::figure::{Gantt, GanttBar, gantt};
use crate::number::{fixed, percent, plural};
use crate::page::Subject;

/// Rows on one figure; the table has every device.
const MOST: usize = 40;

pub(crate) fn section(subject: &Subject<'_>) -> Result<String, ReportError> {
    let attempts: Vec<Attempt> = subject.record.runs.iter().flat_map(attempt::of_run).collect();
    let body = match attempts.is_empty() {
        true => "<p>No run has recorded when it began.</p>\n".into(),
        false => drawn(subject, &attempts)?,
    };
    Ok(format!("<section id=\"timeline\">\n<h2>Timeline</h2>\n{body}</section>\n"))
}

/// A device of a host, and what ran on it, in order of beginning.
struct Lane<'a> {
    name: String,
    attempts: Vec<&'a Attempt>,
}

fn lanes(attempts: &[Attempt]) -> Vec<Lane<'_>> {
    let hosts: BTreeSet<&str> = attempts.iter().map(|it| it.host.as_str()).collect();
    let mut by_device: BTreeMap<(&str, &str), Vec<&Attempt>> = BTreeMap::new();
    for attempt in attempts {
        by_device.entry((&attempt.host, &attempt.device)).or_default().push(attempt);
    }
    let lane = |((host, device), mut attempts): ((&str, &str), Vec<_>)| {
        attempts.sort_by(|a: &&Attempt, b| a.from.total_cmp(&b.from).then(a.run.cmp(&b.run)));
        let name = if hosts.len() > 1 { format!("{device} of {host}") } else { device.to_string() };
        Lane { name, attempts }
    };
    by_device.into_iter().map(lane).collect()
}

impl Lane<'_> {
    fn span(&self) -> (f64, f64) {
        let from = self.attempts.iter().map(|it| it.from).fold(f64::INFINITY, f64::min);
        let to = self.attempts.iter().map(|it| it.to).fold(f64::NEG_INFINITY, f64::max);
        (from, to)
    }

    /// Seconds in which at least one attempt was under way.
    fn busy(&self) -> f64 {
        let (mut busy, mut until) = (0.0, f64::NEG_INFINITY);
        for attempt in &self.attempts {
            busy += (attempt.to - attempt.from.max(until)).max(0.0);
            until = until.max(attempt.to);
        }
        busy
    }

    /// Which of the rows of this device each attempt has: the first that is free.
    fn rows(&self) -> Vec<usize> {
        let mut free_from: Vec<f64> = Vec::new();
        let mut rows = Vec::new();
        for attempt in &self.attempts {
            let row = free_from.iter().position(|&free| free <= attempt.from);
            let row = row.unwrap_or_else(|| {
                free_from.push(0.0);
                free_from.len() - 1
            });
            free_from[row] = attempt.to;
            rows.push(row);
        }
        rows
    }
}

fn drawn(subject: &Subject<'_>, attempts: &[Attempt]) -> Result<String, ReportError> {
    let lanes = lanes(attempts);
    let origin = lanes.iter().map(|lane| lane.span().0).fold(f64::INFINITY, f64::min);
    let last = lanes.iter().map(|lane| lane.span().1).fold(origin, f64::max);
    let unit = Unit::of(last - origin);
    let (mut rows, mut bars) = (Vec::new(), Vec::new());
    for lane in &lanes {
        let own = lane.rows();
        let first = rows.len();
        let count = own.iter().max().map_or(0, |most| most + 1);
        rows.extend((1..=count).map(|row| match count {
            1 => lane.name.clone(),
            _ => format!("{} ({row})", lane.name),
        }));
        for (attempt, row) in lane.attempts.iter().zip(own) {
            bars.push(bar(attempt, first + row, origin, unit));
        }
    }
    let left_out = rows.len().saturating_sub(MOST);
    rows.truncate(MOST);
    bars.retain(|bar| bar.row < rows.len());
    let words = in_words(subject, attempts, &lanes);
    let figure = Gantt {
        id: "timeline-plot".into(),
        title: "Attempts over time, by device".into(),
        description: words.clone(),
        x_title: format!("{} since {}", unit.name, begun(subject)),
        rows,
        bars,
    };
    let Some(svg) = gantt(&figure)? else { return Ok(String::new()) };
    Ok(format!(
        "<p>{}</p>\n{}{}",
        esc(words),
        wide_figure("When each device worked", &svg, &table(&lanes, origin, unit)),
        note(left_out)
    ))
}

#[derive(Debug, Clone, Copy)]
struct Unit {
    name: &'static str,
    seconds: f64,
}

impl Unit {
    fn of(span: f64) -> Unit {
        match span {
            span if span < 3.0 * 3600.0 => Unit { name: "minutes", seconds: 60.0 },
            span if span < 72.0 * 3600.0 => Unit { name: "hours", seconds: 3600.0 },
            _ => Unit { name: "days", seconds: 86_400.0 },
        }
    }
}

fn bar(attempt: &Attempt, row: usize, origin: f64, unit: Unit) -> GanttBar {
    GanttBar {
        row,
        from: (attempt.from - origin) / unit.seconds,
        to: (attempt.to - origin) / unit.seconds,
        ink: if attempt.number > 1 { 6 } else { 1 },
        filled: matches!(attempt.end, AttemptEnd::Completed | AttemptEnd::Diverged),
        failed: matches!(attempt.end, AttemptEnd::Failed | AttemptEnd::Diverged),
    }
}

/// As the events have it, to the second.
fn begun(subject: &Subject<'_>) -> String {
    let attempts = subject.record.runs.iter().flat_map(|run| &run.history);
    let times = attempts.map(|attempt| attempt.from.as_str());
    let is_time = |ts: &&str| humantime::parse_rfc3339(ts).is_ok();
    let first = times.filter(is_time).min().unwrap_or_default();
    let first = first.split('.').next().unwrap_or(first).trim_end_matches('Z');
    format!("{} UTC", first.replace('T', " "))
}

fn in_words(subject: &Subject<'_>, attempts: &[Attempt], lanes: &[Lane<'_>]) -> String {
    let again: BTreeSet<usize> =
        attempts.iter().filter(|it| it.number > 1).map(|it| it.run).collect();
    let begun: BTreeSet<usize> = attempts.iter().map(|it| it.run).collect();
    let (busy, span) = lanes.iter().fold((0.0, 0.0), |(busy, span), lane| {
        let (from, to) = lane.span();
        (busy + lane.busy(), span + to - from)
    });
    let failed = attempts.iter().filter(|it| it.end == AttemptEnd::Failed).count();
    let idle = if span > 0.0 { percent(1.0 - busy / span) } else { percent(0.0) };
    format!(
        "{} of {} in {} on {}; {} begun more than once; {} ended without a result. Between their first and last work \
         the devices stood idle for {idle} of the time.",
        begun.len(),
        plural(subject.record.runs.len(), "run"),
        plural(attempts.len(), "attempt"),
        plural(lanes.len(), "device"),
        plural(again.len(), "run") + if again.len() == 1 { " was" } else { " were" },
        plural(failed, "attempt"),
    )
}

fn table(lanes: &[Lane<'_>], origin: f64, unit: Unit) -> String {
    let rows: Vec<Vec<String>> = lanes
        .iter()
        .map(|lane| {
            let ((from, to), busy) = (lane.span(), lane.busy());
            let runs: BTreeSet<usize> = lane.attempts.iter().map(|it| it.run).collect();
            let again = lane.attempts.iter().filter(|it| it.number > 1).count();
            let time = |seconds: f64| fixed(seconds / unit.seconds, 2);
            vec![
                lane.name.clone(),
                runs.len().to_string(),
                lane.attempts.len().to_string(),
                again.to_string(),
                time(from - origin),
                time(to - origin),
                time(busy),
                time(to - from - busy),
            ]
        })
        .collect();
    let times =
        ["first began", "last ended", "busy", "idle"].map(|it| format!("{it}, {}#", unit.name));
    let mut heads = vec!["device", "runs#", "attempts#", "of them not the first#"];
    heads.extend(times.iter().map(String::as_str));
    plain_table(&heads, &rows)
}

fn note(left_out: usize) -> String {
    let left_out = match left_out {
        0 => String::new(),
        count => format!(" {} not drawn.", plural(count, "more row")),
    };
    format!(
        "<p class=\"note\">A bar is one attempt, evaluation included: filled where it came to the run's end, an outline where it \
         was stopped, failed or is under way; blue the first of its run, orange a later one; ✕ where it failed or diverged. A \
         device that has several runs at once has a row for each.{left_out}</p>\n"
    )
}
