//! One row a cell: the primary metric and its difference to the baseline, then everything else that
//! was measured, each above its anchors.

pub(crate) mod across;
mod cells;
mod cost;
mod exact;
mod groups;
mod others;

use track::CellRecord;

use cells::{difference, estimate, role, runs};
use cost::Cost;
use exact::{ESTIMATE, names, parts};

use super::answer::{places, top};
use super::{failed_as, flags, leaves, level, loose_settings, loose_value};
use crate::escape::esc;
use crate::measured::{ANCHORS, Measured, Role};
use crate::number::{MISSING, fixed};
use crate::page::Subject;

pub(crate) fn section(subject: &Subject<'_>) -> String {
    let (record, summary) = (subject.record, &subject.summary);
    let columns = Columns::of(subject);
    let mut out = String::from(
        "<section id=\"results\">\n<h2>Results</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"Results table\">\n<table class=\"sortable stacked\">\n",
    );
    out.push_str(&head(subject, &columns));
    out.push_str("<tbody>\n");
    for (at, cell) in record.plan.cells.iter().enumerate() {
        let (baseline, best) = (summary.baseline == Some(at), summary.best == Some(at));
        let own = &summary.cells[at];
        let class = if baseline { " class=\"baseline\"" } else { "" };
        out.push_str(&format!("<tr{class} data-cell=\"{at}\">"));
        if columns.named {
            out.push_str(&setting(&cell.label));
        }
        for axis in &record.plan.axes {
            out.push_str(&setting(&level(axis, cell)));
        }
        for key in &columns.loose {
            out.push_str(&setting(&loose_value(cell, key)));
        }
        out.push_str(&format!("<td class=\"role\">{}</td>", role(subject, baseline, best)));
        out.push_str(&runs(own, &columns));
        out.push_str(&estimate(subject, at, &columns));
        out.push_str(&difference(subject, own, baseline));
        if columns.flags {
            let counts = flags::of_cell(record, at);
            out.push_str(&format!(
                "<td class=\"flagged\" data-sort=\"{}\" data-csv=\"{}\">{}</td>",
                own.runs.flagged,
                esc(flags::copied(&counts, own.runs.completed)),
                flags::words(&counts, own.runs.completed)
            ));
        }
        let (cost, exact) = (columns.cost.seconds[at], columns.cost.exact(at));
        out.push_str(&numeric(cost, &columns.cost.write(at), &[exact]));
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n");
    out.push_str(&anchor_rows(subject, &columns));
    out.push_str("</table>\n</div>\n");
    out.push_str(&leaves::block(record));
    out.push_str(&groups::block(record));
    out.push_str(&notes(subject, &columns));
    out.push_str(&across::table(subject));
    out.push_str(&others::tables(subject));
    out.push_str("</section>\n");
    out
}

/// Which columns this sweep has something for.
struct Columns {
    /// Without an axis the cells are points, best known by their names.
    named: bool,
    loose: Vec<String>,
    /// A run diverged or failed.
    losses: bool,
    /// The machine stopped a run.
    stops: bool,
    /// A completed run has no value.
    valueless: bool,
    /// The metric has a standard error over images.
    image_error: bool,
    flags: bool,
    cost: Cost,
}

/// Of the difference to the baseline.
const DIFFERENCE: usize = 6;

impl Columns {
    fn of(subject: &Subject<'_>) -> Columns {
        let (record, summary) = (subject.record, &subject.summary);
        Columns {
            named: record.plan.axes.is_empty(),
            loose: loose_settings(record),
            losses: summary.cells.iter().any(|cell| cell.runs.diverged + cell.runs.failed > 0),
            stops: summary.cells.iter().any(|cell| cell.runs.stopped > 0),
            valueless: summary.cells.iter().any(|cell| cell.without_value > 0),
            image_error: primary(subject).image_errors.iter().any(Option::is_some),
            flags: (0..summary.cells.len()).any(|cell| !flags::of_cell(record, cell).is_empty()),
            cost: Cost::of(record),
        }
    }

    /// Settings and role.
    fn settings(&self, axes: usize) -> usize {
        usize::from(self.named) + axes + self.loose.len() + 1
    }

    fn runs(&self) -> usize {
        1 + usize::from(self.losses) + usize::from(self.stops)
    }

    fn estimate(&self) -> usize {
        2 + usize::from(self.image_error)
    }
}

fn primary<'a>(subject: &'a Subject<'_>) -> &'a Measured {
    let found = subject.measured.iter().find(|it| it.role == Role::Primary);
    found.expect("the primary metric is always listed, recorded or not")
}

fn head(subject: &Subject<'_>, columns: &Columns) -> String {
    let plan = &subject.record.plan;
    let mut out = format!(
        "<thead>\n<tr class=\"groups\"><td colspan=\"{}\"></td><th scope=\"colgroup\" colspan=\"{}\">Runs</th>\
         <th scope=\"colgroup\" colspan=\"{}\">{}</th>\
         <th scope=\"colgroup\" colspan=\"{DIFFERENCE}\">Difference to the baseline</th>",
        columns.settings(plan.axes.len()),
        columns.runs(),
        columns.estimate(),
        esc(subject.primary.heading()),
    );
    if columns.flags {
        out.push_str("<td></td>");
    }
    out.push_str("<th scope=\"colgroup\">Cost</th></tr>\n<tr>");
    let setting_heads = columns.named.then_some("cell").into_iter();
    let setting_heads = setting_heads
        .chain(plan.axes.iter().map(|axis| axis.label.as_str()))
        .chain(columns.loose.iter().map(String::as_str));
    for name in setting_heads {
        out.push_str(&format!(
            "<th scope=\"col\" class=\"setting\" data-sortable>{}</th>",
            esc(name)
        ));
    }
    out.push_str("<th scope=\"col\"><span class=\"unseen\">role</span></th>");
    let mut column = |name: &str, class: &str, sortable: bool, copied: &[&str]| {
        let sortable = if sortable { " data-sortable" } else { "" };
        let copied = if copied.is_empty() { String::new() } else { names(copied) };
        out.push_str(&format!("<th scope=\"col\" class=\"{class}\"{sortable}{copied}>{name}</th>"));
    };
    let done = ["completed", "planned", "without a value"];
    column("done", "num", true, &done[..if columns.valueless { 3 } else { 2 }]);
    if columns.losses {
        column("diverged, failed", "num", true, &["diverged", "failed"]);
    }
    if columns.stops {
        column("stopped", "num", true, &["stopped"]);
    }
    column("mean, 95\u{a0}% interval over seeds", "num", true, &ESTIMATE);
    column("lowest, highest", "num", false, &["lowest", "highest"]);
    if columns.image_error {
        let name = "standard error over images";
        column(name, "num", true, &[name]);
    }
    let resampled = [&ESTIMATE[..], &["bootstrap low", "bootstrap high"]].concat();
    column("mean, 95\u{a0}% interval over seeds", "num", true, &resampled);
    column("verdict", "", false, &[]);
    column("p", "num", true, &["p"]);
    column("p after Holm", "num", true, &["p after Holm"]);
    column("d<sub>z</sub>", "num", true, &["d_z"]);
    column("P(better)", "num", true, &["P(better)"]);
    if columns.flags {
        column("flagged runs", "", true, &["flags"]);
    }
    let cost = format!("training, {}", columns.cost.unit);
    column(&cost, "num", true, &[&cost]);
    out.push_str("</tr>\n</thead>\n");
    out
}

fn setting(text: &str) -> String {
    format!("<th scope=\"row\" class=\"setting\" data-sort=\"{0}\">{0}</th>", esc(text))
}

/// A cell that sorts by its value, nothing last, and is copied in its parts.
fn numeric(value: Option<f64>, html: &str, copied: &[Option<f64>]) -> String {
    let key = value.map_or_else(String::new, |v| v.to_string());
    format!("<td class=\"num\" data-sort=\"{key}\"{}>{html}</td>", parts(copied))
}

/// What understands nothing and what understands all, by the primary metric.
fn anchor_rows(subject: &Subject<'_>, columns: &Columns) -> String {
    let anchors = primary(subject).anchors;
    if anchors.iter().all(Option::is_none) {
        return String::new();
    }
    let axes = subject.record.plan.axes.len();
    let mut out = String::from("<tfoot>\n");
    for ((_, name, _), value) in ANCHORS.iter().zip(anchors) {
        let copied = parts(&[value]);
        let value = value.map_or_else(|| MISSING.into(), |v| fixed(v, places(subject)));
        out.push_str(&format!(
            "<tr class=\"anchor\"><th scope=\"row\" class=\"setting\" colspan=\"{}\">{name} <span class=\"tag\">anchor</span></th>\
             <td colspan=\"{}\"></td><td class=\"num\"{copied}>{value}</td><td colspan=\"{}\"></td></tr>\n",
            columns.settings(axes),
            columns.runs(),
            columns.estimate() + DIFFERENCE + usize::from(columns.flags),
        ));
    }
    out.push_str("</tfoot>\n");
    out
}

fn notes(subject: &Subject<'_>, columns: &Columns) -> String {
    let summary = &subject.summary;
    let mut said = vec![
        format!("{}: {}.", subject.primary.title, subject.primary.direction()),
        "Intervals over seeds: 95\u{a0}% t; they hold what another seed would give on the same images.".into(),
    ];
    if columns.image_error {
        said.push(
            "Standard error over images: how far one run's value would move with other test images, the mean over runs; it \
             is no part of the interval, and cells that see the same images share it."
                .into(),
        );
    }
    said.push(
        "Difference: this cell minus the baseline, seed by seed; below it the paired t interval and, marked b, the \
         studentised bootstrap's, which assumes no normal values. p: exact two-sided sign-flip test; after Holm: over all \
         cells but the baseline. d_z: mean over SD of the differences. P(better): share of all pairs of a run of the \
         cell and one of the baseline in which the cell's is better."
            .into(),
    );
    if let Some(words) = failed_as(subject).filter(|_| columns.losses) {
        said.push(format!("A run that diverged or failed counts as {words}."));
    } else if columns.losses {
        said.push(
            "A run that diverged or failed has no value, and its cell gets no verdict.".into(),
        );
    }
    if !summary.is_final() {
        said.push(
            "Runs that are pending or under way, that the machine stopped, or that have no value enter no mean; p and \
             verdict come when every run has an end and a value."
                .into(),
        );
    }
    said.push(format!(
        "Training: {} of all runs of the cell together, evaluation excluded. ★ {} against the baseline, seed by seed, \
         among the cells without a run that diverged, failed or is flagged as misleading: the order of means, not a \
         verdict.",
        columns.cost.unit_in_words(),
        top(subject).to_lowercase(),
    ));
    let mut out = format!("<p class=\"note\">{}</p>\n", esc(said.join(" ")));
    let confounded = |cell: &CellRecord| {
        let more = format!("differs from the baseline also in {}", cell.also.join(", "));
        (!cell.also.is_empty()).then_some((cell.label.clone(), more))
    };
    let noted = |cell: &CellRecord| Some((cell.label.clone(), cell.note.clone()?));
    let cells = &subject.record.plan.cells;
    let words = cells.iter().filter_map(confounded).chain(cells.iter().filter_map(noted));
    for (label, note) in words {
        out.push_str(&format!(
            "<p class=\"note\"><strong>{}</strong>: {}</p>\n",
            esc(label),
            esc(note)
        ));
    }
    out
}
