//! Every run of the plan, whatever became of it.

use track::{FailureClass, RunState};

use crate::escape::esc;
use crate::number::{MISSING, fixed, grouped};
use crate::page::Subject;

pub(crate) fn section(subject: &Subject<'_>) -> String {
    let record = subject.record;
    let mut out = String::from(
        "<section id=\"runs\">\n<h2>Runs</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Runs table\">\n\
         <table class=\"sortable small\">\n<thead><tr>",
    );
    let columns = [
        ("index", true),
        ("cell", false),
        ("seed", true),
        ("state", false),
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
        out.push_str(&format!("<th scope=\"col\"{class} data-sortable>{name}</th>"));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
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
            "<tr><td class=\"num\">{}</td><th scope=\"row\">{}</th><td class=\"num\">{}</td><td>{}</td>{}{}{}\
             <td class=\"num\">{}</td>{}{}{}</tr>\n",
            run.index,
            esc(&record.plan.cells[run.cell].label),
            run.seed,
            state(&run.state),
            number(steps.map(grouped), steps.map(|s| s as f64)),
            number(minutes.map(|m| fixed(m, 1)), minutes),
            word(run.device.as_deref()),
            run.attempts,
            word(run.code.as_deref().map(short)),
            word(Some(short(&run.key))),
            word(folder.as_deref()),
        ));
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    out.push_str(&damaged(subject));
    out.push_str("</section>\n");
    out
}

pub(crate) fn state_word(state: &RunState) -> &'static str {
    match state {
        RunState::Planned => "pending",
        RunState::Running => "running",
        RunState::Completed => "completed",
        RunState::Diverged { .. } => "diverged",
        RunState::Failed { .. } => "failed",
        RunState::Interrupted => "interrupted",
        RunState::Lost => "lost",
    }
}

fn state(state: &RunState) -> String {
    let word = state_word(state);
    let detail = match state {
        RunState::Diverged { reason } => {
            format!("<br><span class=\"quiet\">{}</span>", esc(reason))
        }
        RunState::Failed { class, reason } => {
            format!("<br><span class=\"quiet\">{}: {}</span>", class_word(*class), esc(reason))
        }
        RunState::Lost => {
            "<br><span class=\"quiet\">ended without a last word; it can be resumed</span>".into()
        }
        _ => String::new(),
    };
    format!("<span class=\"state {word}\">{word}</span>{detail}")
}

fn class_word(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Config => "configuration",
        FailureClass::Data => "data",
        FailureClass::Io => "files",
        FailureClass::Oom => "out of memory",
        FailureClass::Panic => "panic",
        FailureClass::Exit => "exit",
    }
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
        "<h3>Unreadable parts</h3>\n<p>The metrics in these files are missing from this page.</p>\n<ul>\n{items}</ul>\n"
    )
}
