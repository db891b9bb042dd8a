//! Everything measured beside the primary metric: a column a metric, a row a cell, anchors beneath.

use std::collections::BTreeMap;

use super::exact::{self, ESTIMATE, names, parts};
use crate::absence::Absence;
use crate::escape::esc;
use crate::measured::{ANCHORS, Anchors, Measured, Role};
use crate::metric::steganography_gap_of;
use crate::number::{MISSING, decimals, fixed, plural};
use crate::page::Subject;
use crate::section::interval;

pub(super) fn tables(subject: &Subject<'_>) -> String {
    let of = |role| -> Vec<&Measured> {
        subject.measured.iter().filter(|it| it.role == role && it.is_recorded()).collect()
    };
    let (secondary, others) = (of(Role::Secondary), of(Role::Other));
    let mut out = String::new();
    if !secondary.is_empty() {
        out.push_str("<h3>Also measured</h3>\n");
        out.push_str(&table(subject, &secondary, "Secondary metrics"));
        out.push_str(&format!("<p class=\"note\">{}</p>\n", note(&secondary, &subject.anchors)));
    }
    out.push_str(&absent(subject));
    out.push_str(&pixels(subject));
    if !others.is_empty() {
        out.push_str(&format!(
            "<details class=\"more\"><summary>{} recorded, not named in the sweep file</summary>\n{}\
             <p class=\"note\">{}</p>\n</details>\n",
            plural(others.len(), "more metric"),
            table(subject, &others, "Other metrics"),
            note(&others, &subject.anchors)
        ));
    }
    if !subject.anchors.unequal.is_empty() {
        out.push_str(&format!(
            "<p class=\"banner\" role=\"note\"><strong>Anchors differ between runs of the same images.</strong> They depend on \
             the images alone, so the runs were not evaluated alike: {}.</p>\n",
            esc(subject.anchors.unequal.join(", "))
        ));
    }
    out
}

fn table(subject: &Subject<'_>, columns: &[&Measured], name: &str) -> String {
    let (plan, summary) = (&subject.record.plan, &subject.summary);
    let mut out = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{name}\">\n<table class=\"sortable stacked\">\n\
         <thead><tr><th scope=\"col\" class=\"setting\" data-sortable>cell</th>"
    );
    for column in columns {
        let copied = match column.image_errors.iter().any(Option::is_some) {
            true => names(&[&ESTIMATE[..], &["standard error over images"]].concat()),
            false => names(&ESTIMATE),
        };
        out.push_str(&format!(
            "<th scope=\"col\" class=\"num\" data-sortable{copied}>{}</th>",
            esc(column.metric.heading())
        ));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for (at, cell) in plan.cells.iter().enumerate() {
        let (class, tag) = match summary.baseline == Some(at) {
            true => (" class=\"baseline\"", " <span class=\"tag\">baseline</span>"),
            false => ("", ""),
        };
        out.push_str(&format!(
            "<tr{class} data-cell=\"{at}\"><th scope=\"row\" class=\"setting\" data-sort=\"{0}\">{0}{tag}</th>",
            esc(&cell.label)
        ));
        for column in columns {
            out.push_str(&value(column, at));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n<tfoot>\n");
    for (at, (_, name, _)) in ANCHORS.iter().enumerate() {
        if columns.iter().all(|column| column.anchors[at].is_none()) {
            continue;
        }
        out.push_str(&format!(
            "<tr class=\"anchor\"><th scope=\"row\" class=\"setting\">{name} <span class=\"tag\">anchor</span></th>"
        ));
        for column in columns {
            let places = places(column);
            let value = column.anchors[at].map_or_else(|| MISSING.into(), |v| fixed(v, places));
            let copied = parts(&[column.anchors[at]]);
            out.push_str(&format!("<td class=\"num\"{copied}>{value}</td>"));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tfoot>\n</table>\n</div>\n");
    out
}

/// Mean, interval over seeds, standard error over images: one above the other.
fn value(column: &Measured, cell: usize) -> String {
    let own = &column.summary.cells[cell];
    let Some(estimate) = own.estimate else {
        return format!("<td class=\"num\" data-sort=\"\">{MISSING}</td>");
    };
    let places = places(column);
    let mut lines = vec![fixed(estimate.mean, places)];
    if estimate.interval.is_some() {
        lines.push(interval(estimate.interval, |v| fixed(v, places)));
    }
    lines
        .extend(column.image_errors[cell].map(|error| format!("images ±{}", fixed(error, places))));
    let (first, rest) = lines.split_first().expect("a mean is there");
    let rest: Vec<String> =
        rest.iter().map(|line| format!("<br><span class=\"quiet\">{line}</span>")).collect();
    let mut copied = exact::estimate(estimate.mean, estimate.interval).to_vec();
    copied.push(column.image_errors[cell]);
    format!(
        "<td class=\"num\" data-sort=\"{}\"{}>{first}{}</td>",
        estimate.mean,
        parts(&copied),
        rest.concat()
    )
}

/// One fewer than the primary metric has: three lines a cell are enough to read.
fn places(column: &Measured) -> usize {
    let means = column.summary.cells.iter().filter_map(|cell| cell.estimate).map(|e| e.mean);
    decimals(means).saturating_sub(1)
}

fn note(columns: &[&Measured], anchors: &Anchors) -> String {
    let mut said = String::from(
        "Mean over seeds; in brackets the 95\u{a0}% t interval over seeds. These metrics are described, not tested: they \
         are outside the family of comparisons.",
    );
    if columns.iter().any(|column| column.image_errors.iter().any(Option::is_some)) {
        said.push_str(
            " “images ±”: the standard error of one run's value over test images, which the interval over seeds does \
             not hold.",
        );
    }
    let shown: Vec<String> = ANCHORS
        .iter()
        .enumerate()
        .filter(|(at, _)| columns.iter().any(|column| column.anchors[*at].is_some()))
        .map(|(_, (_, name, what))| format!("{name}, {what}"))
        .collect();
    if !shown.is_empty() {
        said.push_str(&format!(
            " Anchors, on the same images, the same for all runs: {}.",
            shown.join("; ")
        ));
    }
    if anchors.differ_by_images {
        said.push_str(
            " Cells are scored on different images; of anchors only those are shown that all of them share.",
        );
    }
    if columns.iter().any(|column| steganography_gap_of(&column.metric.name).is_some()) {
        said.push_str(
            " A small cycle error is no merit where the steganography gap is large: the input is then hidden in the \
             translation.",
        );
    }
    esc(said).to_string()
}

/// Declared metrics that no completed run has, by reason.
fn absent(subject: &Subject<'_>) -> String {
    if subject.summary.cells.iter().all(|cell| cell.runs.completed == 0) {
        return String::new();
    }
    let mut by_reason: BTreeMap<Absence, Vec<&str>> = BTreeMap::new();
    for missing in subject.measured.iter().filter(|it| it.role != Role::Other && !it.is_recorded())
    {
        let absence = Absence::of(subject.record, &missing.metric.name);
        by_reason.entry(absence).or_default().push(&missing.metric.title);
    }
    let mut out = String::new();
    for (absence, titles) in by_reason {
        let reason = if absence.is_known { "Reason" } else { "Possible reasons" };
        out.push_str(&format!(
            "<p class=\"missing\"><strong>Not measured</strong>: {}. {reason}: {}.{}</p>\n",
            esc(titles.join(", ")),
            esc(&absence.why),
            absence.remedy(),
        ));
    }
    out
}

/// Raw pixel metrics beside what the mean image has without looking at its input.
fn pixels(subject: &Subject<'_>) -> String {
    const PIXELS: [&str; 4] = ["eval/l1_ab", "eval/l1_ba", "eval/psnr_ab", "eval/psnr_ba"];
    const MEAN_IMAGE: usize = 2;
    let mut said = Vec::new();
    for measured in subject.measured.iter().filter(|it| PIXELS.contains(&it.metric.name.as_str())) {
        let (Some(anchor), Some(minimize)) =
            (measured.anchors[MEAN_IMAGE], measured.metric.minimize)
        else {
            continue;
        };
        let means: Vec<f64> =
            measured.summary.cells.iter().filter_map(|cell| Some(cell.estimate?.mean)).collect();
        if means.is_empty() {
            continue;
        }
        let behind = means.iter().filter(|mean| (**mean < anchor) != minimize).count();
        let range =
            |pick: fn(f64, f64) -> f64| means.iter().copied().reduce(pick).unwrap_or(f64::NAN);
        let places = places(measured);
        said.push(format!(
            "{} {} to {}, mean image {} ({behind} of {} do not beat it)",
            measured.metric.heading(),
            fixed(range(f64::min), places),
            fixed(range(f64::max), places),
            fixed(anchor, places),
            plural(means.len(), "cell"),
        ));
    }
    if said.is_empty() {
        return String::new();
    }
    format!(
        "<p class=\"note\"><strong>Against an image that ignores its input:</strong> {}.</p>\n",
        esc(said.join("; "))
    )
}
