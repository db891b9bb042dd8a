//! Every run of the plan, whatever became of it.

mod anchor;
mod failures;
mod parts;

mod configuration;
mod traces;

mod folder;
mod provenance;

use std::collections::BTreeSet;

use track::{RunRecord, RunState};

use self::anchor::Anchors;
use super::flags;
use crate::escape::esc;
use crate::number::{MISSING, fixed, grouped};
use crate::page::Subject;
use crate::{Options, ReportError};

pub(crate) fn section(subject: &Subject<'_>, options: &Options) -> Result<String, ReportError> {
    let mut out = String::from("<section id=\"runs\">\n<h2>Runs</h2>\n");
    let anchors = Anchors::of(&subject.record.runs);
    out.push_str(&table(subject, &anchors));
    out.push_str(&failures::block(subject, &anchors));
    out.push_str(&parts::block(subject, options, &anchors)?);
    out.push_str(&damaged(subject));
    out.push_str("</section>\n");
    Ok(out)
}

fn table(subject: &Subject<'_>, anchors: &Anchors) -> String {
    let record = subject.record;
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Runs table\">\n\
         <table class=\"sortable small\">\n<thead><tr>",
    );
    let columns = [
        ("index", true),
        ("cell", false),
        ("seed", true),
        ("state", false),
        ("flags", false),
        ("steps", true),
        ("training, min", true),
        ("device", false),
        ("attempts", true),
        ("code", false),
        ("key", false),
        ("folder", false),
    ];
    for (name, number) in columns {
        let class = if number { " class=\"num\"" } else { "" };
        let copied = if name == "flags" { " data-csv=\"flags\"" } else { "" };
        out.push_str(&format!("<th scope=\"col\"{class}{copied} data-sortable>{name}</th>"));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    // Runs of a few seconds are told apart, too.
    let longest = record.runs.iter().filter_map(|run| run.active_s).fold(0.0, f64::max);
    let places = if longest >= 600.0 { 1 } else { 2 };
    for run in &record.runs {
        let steps = run.rows.iter().map(|row| row.step).max();
        let minutes = run.active_s.map(|seconds| seconds / 60.0);
        let number = |value: Option<String>, key: Option<f64>| {
            format!(
                "<td class=\"num\" data-sort=\"{}\">{}</td>",
                key.map_or_else(String::new, |v| v.to_string()),
                value.unwrap_or_else(|| MISSING.into())
            )
        };
        let word = |text: Option<&str>| match text {
            Some(text) => format!("<td><code>{}</code></td>", esc(text)),
            None => format!("<td>{MISSING}</td>"),
        };
        let folder = run.folder.file_name().map(|name| name.to_string_lossy().into_owned());
        out.push_str(&format!(
            "<tr data-cell=\"{}\" data-seed=\"{}\"><td class=\"num\">{}</td><th scope=\"row\">{}</th><td class=\"num\">{}</td><td>{}</td><td data-csv=\"{}\">{}</td>{}{}{}\
             <td class=\"num\">{}</td>{}{}{}</tr>\n",
            run.cell,
            run.seed,
            run_link(anchors, run),
            esc(&record.plan.cells[run.cell].label),
            run.seed,
            state(run),
            esc(flags::copied_of_run(run)),
            folded_flags(run),
            number(steps.map(grouped), steps.map(|s| s as f64)),
            number(minutes.map(|m| fixed(m, places)), minutes),
            word(run.device.as_deref()),
            run.attempts,
            word(run.code.as_deref().map(short)),
            word(Some(short(&run.key))),
            word(folder.as_deref()),
        ));
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    out
}

/// To all there is to say of it.
fn run_link(anchors: &Anchors, run: &RunRecord) -> String {
    format!("<a href=\"#{}\" aria-label=\"Run {1}\">{1}</a>", anchors.at(run), run.index)
}

/// How far one has come that will go on, or that it has not begun: both are still to be done.
pub(super) fn still_to_do(run: &RunRecord) -> Option<String> {
    match run.state {
        RunState::Planned => Some("not begun".into()),
        RunState::Interrupted => {
            let step = run.rows.iter().map(|row| row.step).max();
            let at = step.map_or_else(
                || "before its first step".into(),
                |it| format!("at step {}", grouped(it)),
            );
            Some(format!("{at}, resumes"))
        }
        _ => None,
    }
}

pub(crate) fn state_word(state: &RunState) -> &'static str {
    match state {
        RunState::Planned => "pending",
        RunState::Running => "running",
        RunState::Completed => "completed",
        RunState::Diverged { .. } => "diverged",
        RunState::Failed { .. } => "failed",
        RunState::Interrupted => "interrupted",
        RunState::TimedOut { .. } => "timed out",
        RunState::Lost { .. } => "lost",
    }
}

/// How a run ended without a result: `out of time`, `io`.
pub(crate) fn ending(state: &RunState) -> &'static str {
    match state {
        RunState::Failed { class, .. } => class.name(),
        other => state_word(other),
    }
}

fn state(run: &RunRecord) -> String {
    let state = &run.state;
    let word = state_word(state);
    let detail = match state {
        _ if let Some(said) = still_to_do(run) => said,
        RunState::Failed { class, reason } => format!("{}: {}", class.name(), esc(reason)),
        other => other.reason().map_or_else(String::new, |reason| esc(reason).to_string()),
    };
    let resumed = if state.is_of_the_machine() { "; the same command goes on with it" } else { "" };
    let detail = match detail.is_empty() {
        true => String::new(),
        false => format!("<br><span class=\"quiet\">{detail}{resumed}</span>"),
    };
    let class = word.replace(' ', "-");
    format!("<span class=\"state {class}\">{word}</span>{detail}")
}

/// Which flags, and folded their reasons: five a run would make the table longer than the page.
fn folded_flags(run: &RunRecord) -> String {
    if run.flags.is_empty() {
        return String::new();
    }
    // What misleads comes first; a flag of both directions is named once.
    let ranked: BTreeSet<(bool, &str)> =
        run.flags.iter().map(|it| (!it.fails, it.flag.as_str())).collect();
    let mut named: Vec<(bool, &str)> = Vec::new();
    for (warns, name) in ranked {
        if !named.iter().any(|(_, other)| *other == name) {
            named.push((warns, name));
        }
    }
    // Each kind has its mark: a warning beside what misleads is no more than that.
    let kind = |warns: bool| {
        let own = named.iter().filter(|it| it.0 == warns).map(|it| it.1).collect::<Vec<_>>();
        let class = if warns { "state warned" } else { "state failed" };
        (!own.is_empty()).then(|| format!("<span class=\"{class}\">{}</span>", esc(own.join(", "))))
    };
    let marked: Vec<String> = [false, true].into_iter().filter_map(kind).collect();
    format!(
        "<details class=\"flags\"><summary>{}</summary> {}</details>",
        marked.join("; "),
        flags::of_run(run)
    )
}

/// Twelve characters name a commit or a run; a mark of changed files stays.
fn short(hash: &str) -> &str {
    let hex = hash.bytes().take_while(u8::is_ascii_hexdigit).count();
    if hex == hash.len() && hex > 16 { &hash[..12] } else { hash }
}

fn damaged(subject: &Subject<'_>) -> String {
    let mut items = String::new();
    for run in &subject.record.runs {
        for (path, reason) in &run.damaged {
            let name = path.strip_prefix(&run.folder).unwrap_or(path);
            items.push_str(&format!(
                "<li>run {}: <code>{}</code>: {}</li>\n",
                run.index,
                esc(name.display()),
                esc(reason)
            ));
        }
    }
    if items.is_empty() {
        return String::new();
    }
    format!(
        "<h3>Unreadable parts</h3>\n<p>What these files hold is missing from this page.</p>\n<ul>\n{items}</ul>\n"
    )
}
