//! `summary.md`: the answer, its table and its reservations, for a README or a pull request.

use crate::markdown::{code, from_html, md};
use crate::number::{MISSING, fixed, p_value, plural, signed};
use crate::page::Subject;
use crate::section::answer::{self, places, top};
use crate::section::{header, interval};
use crate::summary::{CellSummary, Comparison, Counts, Sample};

pub(crate) fn markdown(subject: &Subject<'_>) -> String {
    let plan = &subject.record.plan;
    let mut blocks = vec![
        format!("# {}", md(header::question(subject))),
        format!("Sweep {}: {}", code(&plan.name), from_html(&header::standing(subject))),
        from_html(&header::banners(subject)),
        "## Answer".into(),
        from_html(&answer::said(subject)),
        "## Results".into(),
        table(subject),
        note(subject),
    ];
    let reserved = from_html(&answer::reserved(subject));
    if !reserved.is_empty() {
        blocks.extend(["## Reservations".into(), reserved]);
    }
    blocks.extend([
        "## Reproduce".into(),
        // Four spaces make it code whatever is in it.
        format!("    {}", plan.command.replace(char::is_control, " ")),
    ]);
    blocks.retain(|block| !block.is_empty());
    blocks.join("\n\n") + "\n"
}

const HEAD: [&str; 7] = [
    "cell",
    "runs",
    "mean",
    "95 % interval",
    "difference to the baseline, 95 % interval",
    "p after Holm",
    "verdict",
];

fn table(subject: &Subject<'_>) -> String {
    let mut head = HEAD.map(String::from);
    head[2] = md(&subject.primary.heading());
    let mut lines = vec![row(&head), row(&["---", "--:", "--:", "--:", "--:", "--:", "---"])];
    for (at, cell) in subject.record.plan.cells.iter().enumerate() {
        let own = &subject.summary.cells[at];
        let (mean, bounds) = estimate(subject, own.estimate);
        let label = match roles(subject, at) {
            roles if roles.is_empty() => md(&cell.label),
            roles => format!("{} ({roles})", md(&cell.label)),
        };
        let [difference, p, verdict] = comparison(subject, at, own);
        lines.push(row(&[label, runs(own.runs), mean, bounds, difference, p, verdict]));
    }
    lines.join("\n")
}

fn row<T: AsRef<str>>(cells: &[T]) -> String {
    let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
    format!("| {} |", cells.join(" | "))
}

fn roles(subject: &Subject<'_>, cell: usize) -> String {
    let best = format!("★ {}", top(subject).to_lowercase());
    let roles = [
        (subject.summary.baseline == Some(cell), "baseline"),
        (subject.summary.best == Some(cell), &best),
    ];
    let held: Vec<&str> = roles.iter().filter(|(held, _)| *held).map(|(_, role)| *role).collect();
    held.join(", ")
}

/// `4/7, 2 diverged, 1 failed`.
fn runs(runs: Counts) -> String {
    let mut said = format!("{}/{}", runs.completed, runs.planned);
    let others = [(runs.diverged, "diverged"), (runs.failed, "failed"), (runs.stopped, "stopped")];
    for (count, word) in others.iter().filter(|(count, _)| *count > 0) {
        said.push_str(&format!(", {count} {word}"));
    }
    said
}

fn estimate(subject: &Subject<'_>, estimate: Option<Sample>) -> (String, String) {
    let digits = places(subject);
    match estimate {
        None => (MISSING.into(), MISSING.into()),
        Some(it) => {
            (fixed(it.mean, digits), md(&interval(it.interval, |value| fixed(value, digits))))
        }
    }
}

/// The difference, its p, and the verdict.
fn comparison(subject: &Subject<'_>, cell: usize, own: &CellSummary) -> [String; 3] {
    let missing = || MISSING.to_string();
    let digits = places(subject);
    let difference = own.difference().map_or_else(missing, |it| {
        let bounds = interval(it.interval, |value| signed(value, digits));
        format!("{} {}", signed(it.mean, digits), md(&bounds))
    });
    let p = own.judgement().and_then(|it| it.adjusted_p).map_or_else(missing, |p| md(&p_value(p)));
    let verdict = match own.comparison {
        _ if subject.summary.baseline == Some(cell) => "reference".into(),
        None => missing(),
        Some(Comparison::SoFar(_)) => "none yet".into(),
        Some(Comparison::Judged(judgement)) => match judgement.verdict.words() {
            said @ ("better" | "worse" | "different") => format!("**{said}**"),
            said => said.into(),
        },
    };
    [difference, p, verdict]
}

fn note(subject: &Subject<'_>) -> String {
    let failed: usize = subject.summary.cells.iter().map(|cell| cell.failed_in_values).sum();
    let counted = match failed {
        0 => String::new(),
        failed => format!(
            " {} in with what the metric counts them as.",
            plural(failed, "failed run") + if failed == 1 { " is" } else { " are" }
        ),
    };
    format!(
        "{}: {}. Means over seeds with 95 % t intervals; differences are paired by seed; p is of the exact two-sided \
         sign-flip test.{counted} The page beside this file has the figures and the samples, `data.json` every number.",
        md(&subject.primary.title),
        subject.primary.direction()
    )
}
