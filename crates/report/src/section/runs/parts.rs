//! All there is to say of each run, folded: what it was asked, what came of it, and how it went.
//!
//! Runs that went wrong come first. On a page of many runs what they share is told once.

use std::path::Path;

use track::{CheckpointRecord, RunRecord, RunState};

use super::anchor::Anchors;
use super::configuration::{self, Reference};
use super::provenance::{self, Facts, facts, size};
use super::{folder, state_word, still_to_do, traces};
use crate::escape::esc;
use crate::number::{decimals, fixed, grouped, plural};
use crate::page::Subject;
use crate::section::plain_table;
use crate::{Options, ReportError};

/// Past this a run's part holds what is its own: no curves, and of the rest no more than what differs.
const MOST_IN_FULL: usize = 64;

/// What all parts are made with.
struct Parts<'a> {
    subject: &'a Subject<'a>,
    options: &'a Options,
    anchors: &'a Anchors,
    reference: Reference<'a>,
    in_full: bool,
    /// What is told above the parts, and not in them.
    shared: Facts,
}

pub(super) fn block(
    subject: &Subject<'_>,
    options: &Options,
    anchors: &Anchors,
) -> Result<String, ReportError> {
    let runs = &subject.record.runs;
    let in_full = runs.len() <= MOST_IN_FULL;
    let begun = || runs.iter().filter(|run| run.state != RunState::Planned);
    let shared = match in_full {
        true => Facts::new(),
        false => provenance::shared(&begun().map(|run| facts(subject, run)).collect::<Vec<_>>()),
    };
    let reference = Reference::of(subject);
    let parts = Parts { subject, options, anchors, reference, in_full, shared };
    let (wrong, others): (Vec<&RunRecord>, Vec<&RunRecord>) =
        runs.iter().partition(|run| went_wrong(run));
    let mut out = String::from("<div class=\"run-parts\">\n");
    if !wrong.is_empty() {
        out.push_str("<h3>What went wrong, run by run</h3>\n");
        for run in &wrong {
            out.push_str(&parts.part(run)?);
        }
    }
    if !others.is_empty() {
        out.push_str("<h3>Run by run</h3>\n");
        out.push_str(&parts.told_once());
        let count = match wrong.is_empty() {
            true => plural(others.len(), "run"),
            false => plural(others.len(), "other run"),
        };
        out.push_str(&format!(
            "<details class=\"more\" id=\"run-by-run\"><summary>Configuration, curves, samples, timeline, log, checkpoints \
             and provenance: {count}</summary>\n"
        ));
        for run in others {
            out.push_str(&parts.part(run)?);
        }
        out.push_str("</details>\n");
    } else {
        out.push_str(&parts.told_once());
    }
    out.push_str("</div>\n");
    Ok(out)
}

/// Without a result, or with gaps in its records.
fn went_wrong(run: &RunRecord) -> bool {
    run.state.is_failure()
        || matches!(run.state, RunState::Diverged { .. })
        || !run.trouble.is_empty()
}

impl Parts<'_> {
    fn told_once(&self) -> String {
        let mut out = String::new();
        if self.in_full {
            return out;
        }
        out.push_str(&format!(
            "<p class=\"note\">There are more than {MOST_IN_FULL} runs, so each part holds what is the run's own: curves by cell are \
             in <a href=\"#curves\">Learning curves</a>. <code>cyclelab show {} RUN</code> shows one run in the terminal.</p>\n",
            esc(&self.subject.record.plan.name)
        ));
        out.push_str(&self.reference.all());
        if !self.shared.is_empty() {
            out.push_str(&format!(
                "<details class=\"more\" id=\"shared-provenance\"><summary>Provenance that all runs share: {}</summary>\n{}\
                 </details>\n",
                self.shared.len(),
                provenance::list(&self.shared)
            ));
        }
        out
    }

    fn part(&self, run: &RunRecord) -> Result<String, ReportError> {
        let mut out = format!(
            "<details class=\"run\" id=\"{}\"><summary>{}</summary>\n<div class=\"of-run\">\n",
            self.anchors.at(run),
            self.summary(run)
        );
        out.push_str(&self.outcome(run));
        out.push_str(&configuration::block(&self.reference, self.anchors, run, self.in_full));
        if run.state != RunState::Planned {
            if self.in_full {
                out.push_str("<h4>Curves</h4>\n");
                out.push_str(&traces::block(self.subject, run, &self.anchors.at(run))?);
            }
            out.push_str(&self.samples(run));
            out.push_str(&timeline(run));
            out.push_str(&log(run));
            out.push_str(&checkpoints(&run.checkpoints));
            out.push_str(&self.provenance(run));
        }
        out.push_str("</div>\n</details>\n");
        Ok(out)
    }

    fn summary(&self, run: &RunRecord) -> String {
        let label = esc(&self.subject.record.plan.cells[run.cell].label);
        let word = state_word(&run.state);
        let named = format!("Run {}: {label}, seed {}", run.index, run.seed);
        let gaps = if run.trouble.is_empty() { "" } else { ", with gaps in its records" };
        let reason = match still_to_do(run) {
            Some(said) => format!(" {said}"),
            None => run.state.reason().map(|it| format!(": {}", esc(it))).unwrap_or_default(),
        };
        format!(
            "{named} <span class=\"state {}\"><strong>{word}</strong></span>{gaps}{reason}",
            word.replace(' ', "-")
        )
    }

    fn outcome(&self, run: &RunRecord) -> String {
        if run.state == RunState::Planned {
            return "<p>It has not begun: its configuration is all there is.</p>\n".into();
        }
        let metric = &self.subject.primary;
        let mut said = Vec::new();
        if run.state == RunState::Completed {
            said.push(match run.last(&metric.name) {
                Some(value) => format!("{} {}", metric.heading(), fixed(value, decimals([value]))),
                None => format!("{}: not recorded", metric.title),
            });
        }
        said.push(match run.rows.iter().map(|row| row.step).max() {
            Some(step) => format!("{} steps", grouped(step)),
            None => "no step recorded".into(),
        });
        said.extend(run.active_s.map(|s| match s < 120.0 {
            true => format!("{} s of training", fixed(s, 0)),
            false => format!("{} min of training", fixed(s / 60.0, 1)),
        }));
        said.push(plural(run.attempts as usize, "attempt"));
        format!("<p>{}.</p>\n", esc(said.join("; ")))
    }

    /// The way to its last pictures: in the grid, and in its folder.
    fn samples(&self, run: &RunRecord) -> String {
        let mut out = String::from("<h4>Samples</h4>\n");
        let Some(last) = run.samples.iter().max_by_key(|it| it.step) else {
            out.push_str("<p class=\"absent\">It has saved no sample.</p>\n");
            return out;
        };
        let inside = last.path.parent().unwrap_or(Path::new(""));
        let count = run.samples.iter().filter(|it| it.step == last.step).count();
        out.push_str(&format!(
            "<p><a class=\"to-samples\" href=\"#samples\" data-seed=\"{}\" data-step=\"{}\" data-column=\"{}\">Seed {0} in the sample \
             grid</a> <span class=\"quiet\"></span><br>{} of step {}, the last: {}</p>\n",
            run.seed,
            last.step,
            esc(&self.subject.record.plan.cells[run.cell].label),
            plural(count, "picture"),
            grouped(last.step),
            folder::named(self.options.beside.as_deref(), &run.folder, inside)
        ));
        out
    }

    fn provenance(&self, run: &RunRecord) -> String {
        let mut out = String::from("<h4>Provenance</h4>\n");
        if run.provenance.is_empty() {
            out.push_str("<p class=\"absent\">No attempt noted where it was computed.</p>\n");
        }
        let mut own = facts(self.subject, run);
        own.retain(|fact| !self.shared.contains(fact));
        if !self.shared.is_empty() {
            out.push_str("<p>The rest is <a href=\"#shared-provenance\">as in all runs</a>.</p>\n");
        }
        out.push_str(&provenance::list(&own));
        out.push_str(&format!(
            "<p>Its folder: {}</p>\n",
            folder::named(self.options.beside.as_deref(), &run.folder, Path::new(""))
        ));
        out
    }
}

fn timeline(run: &RunRecord) -> String {
    let mut out = String::from("<h4>Timeline</h4>\n");
    if run.timeline.is_empty() {
        out.push_str("<p class=\"absent\">No event is recorded.</p>\n");
        return out;
    }
    out.push_str("<ol class=\"timeline\">\n");
    for (ts, words) in &run.timeline {
        out.push_str(&format!("<li><time>{}</time> {}</li>\n", esc(to_the_second(ts)), esc(words)));
    }
    out.push_str("</ol>\n");
    out
}

/// `2026-03-01T12:00:00.000000Z` without its fraction.
fn to_the_second(ts: &str) -> &str {
    ts.split_once('.').map_or(ts, |(seconds, _)| seconds)
}

fn log(run: &RunRecord) -> String {
    let mut out = String::from("<h4>Log</h4>\n");
    if run.log_tail.is_empty() {
        out.push_str("<p class=\"absent\">The last attempt's log is empty, or was not kept.</p>\n");
        return out;
    }
    let lines: Vec<String> = run.log_tail.iter().map(|line| esc(line).to_string()).collect();
    out.push_str(&format!(
        "<p>Last lines of the log of attempt {}:</p>\n<pre class=\"log\">{}</pre>\n",
        run.attempts,
        lines.join("\n")
    ));
    out
}

fn checkpoints(all: &[CheckpointRecord]) -> String {
    let mut out = String::from("<h4>Checkpoints</h4>\n");
    if all.is_empty() {
        out.push_str("<p class=\"absent\">There is none.</p>\n");
        return out;
    }
    let row = |it: &CheckpointRecord| {
        let said = match &it.wrong {
            None => format!("{}, as listed", plural(it.files, "file")),
            Some(reason) => format!("cannot be used: {reason}"),
        };
        vec![grouped(it.step), it.bytes.map_or_else(|| "not known".into(), size), said]
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    out.push_str(&format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Checkpoints\">{}</div>\n\
         <p class=\"note\">By manifest and file sizes; for this page no weights were read. <code>cyclelab fsck</code> reads them.</p>\n",
        plain_table(&["step#", "size#", "files"], &rows)
    ));
    out
}
