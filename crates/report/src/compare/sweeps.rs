//! What is compared: a column a sweep, with what was asked, of which images, how far it is, and every
//! leaf in which the baselines are not the same.

use std::collections::BTreeSet;

use track::{DatasetRecord, RunState};

use super::{Beside, Sweep, ink};
use crate::escape::esc;
use crate::evaluation::data_sets;
use crate::figure::swatch;
use crate::metric;
use crate::number::{MISSING, grouped, plural, setting};
use crate::section::header::{plan_size, status};
use crate::section::seeds;
use crate::summary::Counts;

pub(super) fn section(beside: &Beside<'_>) -> String {
    let heads: String = (0..beside.sweeps.len())
        .map(|at| format!("<th scope=\"col\">{}</th>", head(beside, at)))
        .collect();
    let mut out = format!(
        "<section id=\"sweeps\">\n<h2>What is compared</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"The sweeps\">\n<table class=\"beside marks\">\n<thead><tr><td></td>{heads}</tr></thead>\n<tbody>\n"
    );
    for (name, write) in FACTS {
        let cells = beside.sweeps.iter().map(|sweep| format!("<td>{}</td>", write(sweep)));
        out.push_str(&fact(name, &cells.collect::<String>()));
    }
    out.push_str("</tbody>\n");
    out.push_str(&differing(beside));
    out.push_str("</table>\n</div>\n");
    out.push_str(&note(beside));
    out.push_str("</section>\n");
    out
}

/// The sweep's mark and name.
pub(super) fn head(beside: &Beside<'_>, at: usize) -> String {
    format!("{}{}", swatch(ink(at), true), esc(&beside.sweeps[at].record().plan.name))
}

type Write = fn(&Sweep<'_>) -> String;

const FACTS: [(&str, Write); 9] = [
    ("Question", |it| match it.record().plan.question.trim() {
        "" => MISSING.into(),
        question => esc(question).to_string(),
    }),
    ("Plan", |it| plan_size(&it.subject)),
    ("Status", |it| status(Counts::of(&it.record().runs))),
    ("Images", |it| {
        data_sets(it.record()).into_iter().map(images).collect::<Vec<_>>().join("<br>")
    }),
    ("Baseline", |it| match it.summary.baseline {
        Some(baseline) => esc(&it.record().plan.cells[baseline].label).to_string(),
        None => "none".into(),
    }),
    ("Judged by", |it| {
        let metric = metric::declared(it.record());
        format!("{}, {}", esc(&metric.title), metric.direction())
    }),
    ("Seeds", |it| {
        esc(seeds(it.record()).iter().map(u64::to_string).collect::<Vec<_>>().join(", "))
            .to_string()
    }),
    ("Code", |it| listed(it.record().runs.iter().filter_map(|run| run.code.as_deref()))),
    ("Devices", |it| listed(it.record().runs.iter().filter_map(|run| run.device.as_deref()))),
];

fn fact(name: &str, cells: &str) -> String {
    format!("<tr><th scope=\"row\">{name}</th>{cells}</tr>\n")
}

fn images(data: &DatasetRecord) -> String {
    let counts = data.counts.iter().map(|(fold, a, b)| {
        format!("{} {} + {}", esc(fold), grouped(*a as u64), grouped(*b as u64))
    });
    format!(
        "{} <span class=\"quiet\">({}; fingerprint <code>{}</code>)</span>",
        esc(&data.title),
        counts.collect::<Vec<_>>().join(", "),
        esc(data.fingerprint.chars().take(12).collect::<String>())
    )
}

fn listed<'a>(values: impl Iterator<Item = &'a str>) -> String {
    let values: BTreeSet<&str> = values.collect();
    if values.is_empty() {
        return "not recorded".into();
    }
    let values = values.iter().map(|value| format!("<code>{}</code>", esc(value)));
    values.collect::<Vec<_>>().join(", ")
}

/// Leaves of the baselines: what a difference between the sweeps may come from.
fn differing(beside: &Beside<'_>) -> String {
    let columns = beside.sweeps.len() + 1;
    let mut out = format!(
        "<tbody>\n<tr class=\"part\"><th scope=\"colgroup\" colspan=\"{columns}\">What else differs between the baselines</th></tr>\n"
    );
    if beside.matched.differing.is_empty() {
        out.push_str(&format!(
            "<tr><td colspan=\"{columns}\">Nothing: their configurations are the same.</td></tr>\n"
        ));
    }
    for it in &beside.matched.differing {
        let value = |value: &Option<serde_json::Value>| {
            format!("<td>{}</td>", esc(value.as_ref().map_or(MISSING.into(), setting)))
        };
        let cells: String = it.values.iter().map(value).collect();
        out.push_str(&format!(
            "<tr><th scope=\"row\"><code>{}</code></th>{cells}</tr>\n",
            esc(&it.leaf)
        ));
    }
    out.push_str("</tbody>\n");
    out
}

fn note(beside: &Beside<'_>) -> String {
    let mut said = vec![beside.evaluation.sentence()];
    if !beside.matched.differing.is_empty() {
        said.push(
            "Where the baselines differ in more than one leaf, no difference between the sweeps can be laid to one of \
             them."
                .into(),
        );
    }
    if let Some(shared) = shared_runs(beside) {
        said.push(shared);
    }
    format!("<p class=\"note\">{}</p>\n", esc(said.join(" ")))
}

/// What was asked twice was trained once: it confirms nothing.
fn shared_runs(beside: &Beside<'_>) -> Option<String> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut again: BTreeSet<&str> = BTreeSet::new();
    for sweep in &beside.sweeps {
        for run in &sweep.record().runs {
            if run.state == RunState::Completed && !seen.insert(&run.key) {
                again.insert(&run.key);
            }
        }
    }
    (!again.is_empty()).then(|| {
        format!(
            "{} of more than one sweep: the same training, which both count and which is no second observation.",
            match again.len() {
                1 => "1 run is part".to_string(),
                many => format!("{many} runs are part"),
            }
        )
    })
}

/// What every number below is to be read with.
pub(super) fn banners(beside: &Beside<'_>) -> String {
    let mut out = String::new();
    let mut banner = |strong: &str, html: String| {
        out.push_str(&format!(
            "<p class=\"banner\" role=\"note\"><strong>{strong}</strong> {html}</p>\n"
        ));
    };
    for sweep in &beside.sweeps {
        let counts = Counts::of(&sweep.record().runs);
        if !counts.is_final() {
            banner(
                "Partial.",
                format!(
                    "{}: {} of {} runs have come to an end; its numbers will change, and nothing of it is judged.",
                    sweep.html_name(),
                    counts.ended(),
                    counts.planned
                ),
            );
        }
        let damaged = sweep.record().runs.iter().filter(|run| !run.damaged.is_empty()).count();
        if damaged > 0 {
            banner(
                "Damaged files.",
                format!(
                    "{}: not all that {} recorded can be read, and what is missing is left out; its own report names it.",
                    sweep.html_name(),
                    plural(damaged, "run")
                ),
            );
        }
    }
    let runs = beside.sweeps.iter().flat_map(|sweep| &sweep.record().runs);
    let codes: BTreeSet<&str> = runs.filter_map(|run| run.code.as_deref()).collect();
    if codes.len() > 1 {
        banner(
            &format!("{} code versions.", codes.len()),
            format!(
                "The runs were made by {}; differences between sweeps may be differences between programs.",
                listed(codes.into_iter())
            ),
        );
    }
    out
}

/// How many runs of each sweep are flagged: a difference between such may be one of how they fail.
pub(super) fn flagged(beside: &Beside<'_>) -> String {
    let of_sweep = |sweep: &Sweep<'_>| {
        let cells = &sweep.summary.cells;
        let flagged: usize = cells.iter().map(|it| it.runs.flagged).sum();
        let completed: usize = cells.iter().map(|it| it.runs.completed).sum();
        (flagged > 0)
            .then(|| format!("{flagged} of {completed} completed runs of {}", sweep.html_name()))
    };
    let counts: Vec<String> = beside.sweeps.iter().filter_map(of_sweep).collect();
    if counts.is_empty() {
        return String::new();
    }
    format!(
        "<p><strong>Flagged as misleading:</strong> {}. Their numbers are in the figures; a difference between such runs may be \
         one of how they fail. Each sweep's own report names the flags: look at the samples there first.</p>\n",
        counts.join("; ")
    )
}
