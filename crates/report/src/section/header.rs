//! What was asked and how far it is; what it was asked of comes after the answer.

use std::collections::BTreeSet;

use track::DatasetRecord;

use crate::escape::esc;
use crate::evaluation::data_sets;
use crate::number::{grouped, plural, setting};
use crate::page::Subject;
use crate::summary::Counts;

pub(crate) fn section(subject: &Subject<'_>) -> String {
    let plan = &subject.record.plan;
    let mut out = format!(
        "<header>\n<p class=\"kicker\">Ablation study · {}</p>\n<h1>{}</h1>\n",
        esc(&plan.name),
        esc(question(subject))
    );
    out.push_str(&banners(subject));
    out.push_str(&format!("<p class=\"standing\">{}</p>\n</header>", standing(subject)));
    out
}

/// The sweep's name where its file asks nothing.
pub(crate) fn question<'a>(subject: &Subject<'a>) -> &'a str {
    let plan = &subject.record.plan;
    if plan.question.trim().is_empty() { &plan.name } else { &plan.question }
}

/// How much was planned, on what, and what has become of it.
pub(crate) fn standing(subject: &Subject<'_>) -> String {
    let record = subject.record;
    let titles: Vec<&str> = data_sets(record).iter().map(|it| it.title.as_str()).collect();
    format!(
        "{} on {}: {}",
        plan_size(subject),
        esc(titles.join(" and ")),
        status(Counts::of(&record.runs))
    )
}

/// What every number below is to be read with.
pub(crate) fn banners(subject: &Subject<'_>) -> String {
    format!("{}{}{}", partial_banner(subject), code_banner(subject), damage_banner(subject))
}

fn partial_banner(subject: &Subject<'_>) -> String {
    let counts = Counts::of(&subject.record.runs);
    if counts.is_final() {
        return String::new();
    }
    format!(
        "<p class=\"banner\" role=\"note\"><strong>Partial.</strong> {} of {} runs have come to an end; \
         numbers below will change.</p>\n",
        counts.ended(),
        counts.planned
    )
}

/// Data, settings and origin.
pub(crate) fn facts(subject: &Subject<'_>) -> String {
    let plan = &subject.record.plan;
    let mut out =
        String::from("<section id=\"sweep\">\n<h2>The sweep</h2>\n<dl class=\"facts\">\n");
    let mut fact = |name: &str, html: String| {
        out.push_str(&format!("<div><dt>{name}</dt><dd>{html}</dd></div>\n"))
    };
    let data: Vec<String> = data_sets(subject.record).into_iter().map(data).collect();
    fact("Data", data.join("<br>\n"));
    fact("Preset", preset(subject));
    fact("Reproduce", format!("<code>{}</code>", esc(&plan.command)));
    let version = env!("CARGO_PKG_VERSION");
    fact(
        "Generated from",
        format!(
            "sweep <code>{}</code>, store format {}, by cyclelab {version}",
            esc(&plan.name),
            track::SCHEMA_REV
        ),
    );
    out.push_str("</dl>\n</section>\n");
    out
}

/// A number that rests on fewer runs than it seems to is worse than none.
fn damage_banner(subject: &Subject<'_>) -> String {
    let damaged = subject.record.runs.iter().filter(|run| !run.damaged.is_empty()).count();
    match damaged {
        0 => String::new(),
        damaged => format!(
            "<p class=\"banner\" role=\"note\"><strong>Damaged files.</strong> Not all that {} recorded can be \
             read; what is missing is left out below, and <a href=\"#runs\">named</a>.</p>\n",
            plural(damaged, "run")
        ),
    }
}

/// Runs of different programs are not one experiment; the reader decides.
fn code_banner(subject: &Subject<'_>) -> String {
    let codes: BTreeSet<&str> =
        subject.record.runs.iter().filter_map(|run| run.code.as_deref()).collect();
    let list = codes
        .iter()
        .map(|code| format!("<code>{}</code>", esc(code)))
        .collect::<Vec<_>>()
        .join(", ");
    if codes.len() > 1 {
        return format!(
            "<p class=\"banner\" role=\"note\"><strong>{} code versions.</strong> The runs were made by {list}; \
             differences between cells may be differences between programs.</p>\n",
            codes.len()
        );
    }
    if codes.iter().any(|code| code.ends_with("-dirty")) {
        return format!(
            "<p class=\"banner\" role=\"note\"><strong>Uncommitted code.</strong> The program was built from a \
             changed tree ({list}).</p>\n"
        );
    }
    String::new()
}

fn data(data: &DatasetRecord) -> String {
    let counts = data
        .counts
        .iter()
        .map(|(fold, a, b)| {
            format!("{} {} A + {} B", esc(fold), grouped(*a as u64), grouped(*b as u64))
        })
        .collect::<Vec<_>>()
        .join("; ");
    let paired = if data.paired { "; held-out inputs have a true translation" } else { "" };
    let skipped = match data.skipped {
        0 => String::new(),
        skipped => format!("; {} left out as unreadable", plural(skipped, "image")),
    };
    format!(
        "<strong>{}</strong> <span class=\"quiet\">({counts}{paired}{skipped})</span><br><span class=\"quiet\">{}</span>{}",
        esc(&data.title),
        esc(&data.credit),
        left_out(data)
    )
}

/// Which images, and why.
fn left_out(data: &DatasetRecord) -> String {
    if data.left_out.is_empty() {
        return String::new();
    }
    let named = data.left_out.iter().map(|image| format!("<li>{}</li>", esc(image)));
    let more = match data.skipped.saturating_sub(data.left_out.len()) {
        0 => String::new(),
        more => format!("<li>… and {more} more</li>"),
    };
    let named = named.collect::<String>();
    format!("\n<details><summary>Images left out</summary><ul>{named}{more}</ul></details>")
}

/// The preset, and what the baseline makes of it: without that its name says too much.
fn preset(subject: &Subject<'_>) -> String {
    let plan = &subject.record.plan;
    let name = format!("<code>{}</code>", esc(&plan.preset));
    if plan.departures.is_empty() {
        return name;
    }
    let items: Vec<String> = plan
        .departures
        .iter()
        .map(|(leaf, preset, own)| {
            format!(
                "<code>{}</code> {} <span class=\"quiet\">({})</span>",
                esc(leaf),
                esc(setting(own)),
                esc(setting(preset))
            )
        })
        .collect();
    format!(
        "{name}; the baseline differs in <span class=\"quiet\">(preset's value)</span>:\n<ul class=\"departures\"><li>{}</li></ul>",
        items.join(",</li>\n<li>")
    )
}

pub(crate) fn plan_size(subject: &Subject<'_>) -> String {
    let (plan, runs) = (&subject.record.plan, subject.record.runs.len());
    let seeds = plan.seeds.len();
    let levels: usize = plan.axes.iter().map(|axis| axis.values.len()).product();
    let cells = if plan.design == "grid" && levels == plan.cells.len() && !plan.axes.is_empty() {
        plan.axes
            .iter()
            .map(|axis| format!("{} {}", axis.values.len(), esc(&axis.label)))
            .collect::<Vec<_>>()
            .join(" × ")
    } else {
        plural(plan.cells.len(), "cell")
    };
    if plan.cells.len() * seeds == runs {
        format!(
            "{cells} × {} = {} ({})",
            plural(seeds, "seed"),
            plural(runs, "run"),
            esc(&plan.design)
        )
    } else {
        format!("{cells}, {} ({})", plural(runs, "run"), esc(&plan.design))
    }
}

pub(crate) fn status(counts: Counts) -> String {
    let parts = [
        ("completed", counts.completed),
        ("running", counts.running),
        ("diverged", counts.diverged),
        ("failed", counts.failed),
        ("stopped", counts.stopped),
        ("interrupted", counts.interrupted),
        ("pending", counts.pending - counts.interrupted),
    ];
    parts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(state, count)| format!("<span class=\"state {state}\">{count} {state}</span>"))
        .collect::<Vec<_>>()
        .join(" ")
}
