//! Runs without a result by what ended them: one cause seldom ends one run alone.

use std::collections::BTreeMap;

use track::{FailureClass, RunRecord, RunState};

use super::anchor::Anchors;
use super::{ending, run_link};
use crate::escape::esc;
use crate::page::Subject;

/// Runs that are named in one group.
const MOST: usize = 12;

pub(super) fn block(subject: &Subject<'_>, anchors: &Anchors) -> String {
    let ended =
        |run: &&RunRecord| run.state.is_failure() || matches!(run.state, RunState::Diverged { .. });
    let mut groups: BTreeMap<(&str, String), Vec<&RunRecord>> = BTreeMap::new();
    for run in subject.record.runs.iter().filter(ended) {
        groups.entry((ending(&run.state), alike(first_line(run)))).or_default().push(run);
    }
    let mut out = String::from("<h3 id=\"failures\">Failures</h3>\n");
    if groups.is_empty() {
        out.push_str("<p>No run has failed or diverged.</p>\n");
        return out;
    }
    let mut groups: Vec<((&str, String), Vec<&RunRecord>)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, runs)| std::cmp::Reverse(runs.len()));
    out.push_str(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Failures\">\n<table class=\"failures\">\n<thead><tr>\
         <th scope=\"col\">class</th><th scope=\"col\">first line</th><th scope=\"col\" class=\"num\">runs</th>\
         <th scope=\"col\">which</th><th scope=\"col\">what to do</th></tr></thead>\n<tbody>\n",
    );
    for ((class, _), runs) in &groups {
        out.push_str(&row(subject, anchors, class, runs));
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    out
}

fn row(subject: &Subject<'_>, anchors: &Anchors, class: &str, runs: &[&RunRecord]) -> String {
    let line = first_line(runs[0]);
    let others = match runs.iter().all(|run| first_line(run) == line) {
        true => "",
        false => " <span class=\"quiet\">(and alike)</span>",
    };
    let mut which: Vec<String> = runs.iter().take(MOST).map(|run| run_link(anchors, run)).collect();
    if runs.len() > MOST {
        which.push(format!("and {} more", runs.len() - MOST));
    }
    format!(
        "<tr><th scope=\"row\">{}</th><td>{}{others}</td><td class=\"num\">{}</td><td class=\"which\">{}</td><td>{}</td></tr>\n",
        esc(class),
        esc(line),
        runs.len(),
        which.join(", "),
        remedy(subject, &runs[0].state)
    )
}

/// The command that goes on with such runs, where one does.
fn remedy(subject: &Subject<'_>, state: &RunState) -> String {
    let again = format!("<code>{}</code>", esc(&subject.record.plan.command));
    match state {
        RunState::Diverged { .. } => "a result; it is not tried again".into(),
        RunState::Failed { class: FailureClass::Config, .. } => {
            format!("correct the sweep file, then {again}")
        }
        RunState::Failed { class: FailureClass::Data, .. } => {
            format!("mend the images or weights, then {again}")
        }
        RunState::Failed { class: FailureClass::Io, .. } => {
            format!("make room or give access, then {again}")
        }
        RunState::Failed { class: FailureClass::Oom, .. } => {
            format!("free memory or make the cell smaller, then {again}")
        }
        _ => format!("{again} goes on from the last checkpoint"),
    }
}

fn first_line(run: &RunRecord) -> &str {
    let reason = run.state.reason().unwrap_or_default();
    reason.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason recorded").trim()
}

/// Numbers apart: step 640 and step 650 are one cause.
fn alike(line: &str) -> String {
    let mut out = String::new();
    for c in line.chars() {
        match c.is_ascii_digit() {
            true if out.ends_with('0') => {}
            true => out.push('0'),
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_do_not_part_one_cause() {
        let check =
            |a: &str, b: &str, same: bool| assert_eq!(alike(a) == alike(b), same, "{a} {b}");
        check("NaN at step 640", "NaN at step 1250", true);
        check("NaN at step 640", "NaN at step", false);
        check("64 GiB", "64 MiB", false);
    }
}
