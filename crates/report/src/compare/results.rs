//! One row a setting, a group of columns a sweep.

use super::settings::Setting;
use super::{Beside, Sweep, across, sweeps};
use crate::escape::esc;
use crate::number::{MISSING, fixed, setting, signed};
use crate::section::interval;
use crate::summary::Verdict;

/// Of a sweep: runs, mean, difference, verdict.
const COLUMNS: usize = 4;

pub(super) fn section(beside: &Beside<'_>) -> String {
    let mut out = String::from(
        "<section id=\"results\">\n<h2>Results</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"Results table\">\n<table class=\"sortable stacked marks\">\n",
    );
    out.push_str(&head(beside));
    out.push_str("<tbody>\n");
    for (at, setting) in beside.matched.settings.iter().enumerate() {
        out.push_str(if beside.reference == Some(at) { "<tr class=\"baseline\">" } else { "<tr>" });
        out.push_str(&settings(beside, setting));
        for (sweep, cell) in beside.sweeps.iter().zip(&setting.cells) {
            out.push_str(&match cell {
                Some(cell) => of_cell(beside, sweep, *cell),
                None => format!(
                    "<td class=\"absent opens\" colspan=\"{COLUMNS}\" data-sort=\"\">{MISSING}</td>"
                ),
            });
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    out.push_str(&note(beside));
    out.push_str(&across::section(beside));
    out.push_str("</section>\n");
    out
}

fn head(beside: &Beside<'_>) -> String {
    let heads = &beside.matched.heads;
    let mut out =
        format!("<thead>\n<tr class=\"groups\"><td colspan=\"{}\"></td>", heads.len().max(1));
    for at in 0..beside.sweeps.len() {
        out.push_str(&format!(
            "<th scope=\"colgroup\" class=\"opens\" colspan=\"{COLUMNS}\">{}</th>",
            sweeps::head(beside, at)
        ));
    }
    out.push_str("</tr>\n<tr>");
    let only = "setting".to_string();
    for name in if heads.is_empty() { std::slice::from_ref(&only) } else { heads } {
        let name = esc(name);
        out.push_str(&format!("<th scope=\"col\" class=\"setting\" data-sortable>{name}</th>"));
    }
    for _ in &beside.sweeps {
        out.push_str(&format!(
            "<th scope=\"col\" class=\"num opens\">done</th>\
             <th scope=\"col\" class=\"num\" data-sortable>{}, 95\u{a0}% interval</th>\
             <th scope=\"col\" class=\"num\" data-sortable>minus its own baseline</th>\
             <th scope=\"col\">verdict</th>",
            esc(beside.metric.heading())
        ));
    }
    out.push_str("</tr>\n</thead>\n");
    out
}

fn settings(beside: &Beside<'_>, row: &Setting) -> String {
    let written = |text: &str| {
        format!("<th scope=\"row\" class=\"setting\" data-sort=\"{0}\">{0}</th>", esc(text))
    };
    if beside.matched.keys.is_empty() {
        return written(&row.name);
    }
    row.values.iter().map(|value| written(&setting(value))).collect()
}

/// As many columns as [`COLUMNS`] says.
fn of_cell(beside: &Beside<'_>, sweep: &Sweep<'_>, cell: usize) -> String {
    let (own, digits) = (sweep.cell(cell), beside.places());
    let runs = own.runs;
    let mut done = format!("{}/{}", runs.completed, runs.planned);
    for (count, word) in [
        (runs.diverged, "diverged"),
        (runs.failed, "failed"),
        (own.without_value, "without a value"),
    ] {
        if count > 0 {
            done.push_str(&format!("<br><span class=\"quiet\">{count} {word}</span>"));
        }
    }
    let stacked = |value: f64, written: String, bounds: String| {
        format!(
            "<td class=\"num\" data-sort=\"{value}\">{written}<br><span class=\"quiet\">{}</span></td>",
            esc(bounds)
        )
    };
    let missing = || format!("<td class=\"num\" data-sort=\"\">{MISSING}</td>");
    let value = own.estimate.map_or_else(missing, |it| {
        let bounds = interval(it.interval, |value| fixed(value, digits));
        stacked(it.mean, format!("<strong>{}</strong>", fixed(it.mean, digits)), bounds)
    });
    let is_baseline = sweep.summary.baseline == Some(cell);
    let difference = match own.difference() {
        _ if is_baseline => "<td class=\"num quiet\" data-sort=\"0\">baseline</td>".to_string(),
        None => missing(),
        Some(it) => {
            let bounds = interval(it.interval, |value| signed(value, digits));
            stacked(it.mean, signed(it.mean, digits), bounds)
        }
    };
    let class = match sweep.verdict(cell) {
        Some(Verdict::Better) => "better",
        Some(Verdict::Worse | Verdict::AllFailed { .. }) => "worse",
        _ => "open",
    };
    format!(
        "<td class=\"num opens\">{done}</td>{value}{difference}\
         <td class=\"verdict\"><span class=\"{class}\">{}</span></td>",
        sweep.verdict_in_words(cell)
    )
}

fn note(beside: &Beside<'_>) -> String {
    let said = [
        format!("{}: {}.", beside.metric.title, beside.metric.direction()),
        beside.evaluation.sentence(),
        format!(
            "{MISSING}: the sweep does not have the setting, or no value yet. Means over seeds with 95\u{a0}% t intervals; \
             differences are paired by seed within a sweep, and judged there, over the cells of that sweep."
        ),
    ];
    format!("<p class=\"note\">{}</p>\n", esc(said.join(" ")))
}
