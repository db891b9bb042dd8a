//! What sweeps say by themselves: settings that no other sweep has, and sweeps that are set apart.

use stats::Verdict;

use super::{Apart, Beside};
use crate::escape::esc;

/// Settings named within one sentence.
const MOST: usize = 12;

/// A sentence a sweep, of its settings that are not shared.
pub(super) fn said(beside: &Beside<'_>) -> String {
    let shared = beside.shared();
    let mut out = String::new();
    for (at, sweep) in beside.sweeps.iter().enumerate() {
        let is_shared = |cell: usize| {
            shared.iter().any(|(it, sweeps)| it.cells[at] == Some(cell) && sweeps.contains(&at))
        };
        let mut own: Vec<(&str, Vec<&str>)> = Vec::new();
        for setting in &beside.matched.settings {
            let Some(cell) = setting.cells[at].filter(|&cell| !is_shared(cell)) else { continue };
            // Neither the baseline nor what has none is compared with anything.
            let Some(verdict) = sweep.verdict(cell).map(Verdict::words) else { continue };
            match own.iter_mut().find(|(words, _)| *words == verdict) {
                Some((_, names)) => names.push(&setting.name),
                None => own.push((verdict, vec![&setting.name])),
            }
        }
        if !own.is_empty() {
            let said: Vec<String> =
                own.iter().map(|(words, names)| format!("{words} ({})", listed(names))).collect();
            let name = sweep.html_name();
            out.push_str(&format!("<p>By itself, {name}: {}.</p>\n", said.join(", ")));
        }
    }
    out
}

/// `a; b; and 3 more`.
fn listed(names: &[&str]) -> String {
    let named: Vec<String> = names.iter().take(MOST).map(|it| esc(it).to_string()).collect();
    match names.len().saturating_sub(MOST) {
        0 => named.join("; "),
        more => format!("{}; and {more} more", named.join("; ")),
    }
}

/// Sweeps that the answer leaves out, and why.
pub(super) fn left_out(beside: &Beside<'_>) -> String {
    let items: String = beside
        .sweeps
        .iter()
        .filter_map(|sweep| {
            let why = match sweep.apart? {
                Apart::NoBaseline => {
                    "it declares no baseline, so nothing in it is compared".to_string()
                }
                Apart::OtherGoal => format!(
                    "it was declared with the other side of {} as the better one",
                    esc(&beside.metric.title)
                ),
                Apart::OtherBaseline => {
                    let baseline = sweep.summary.baseline?;
                    format!(
                        "its baseline is {}, so its differences answer another question",
                        esc(&sweep.record().plan.cells[baseline].label)
                    )
                }
            };
            Some(format!("<li>{}: {why}.</li>\n", sweep.html_name()))
        })
        .collect();
    if items.is_empty() {
        return String::new();
    }
    format!("<p>Set apart, and shown without being compared:</p>\n<ul>\n{items}</ul>\n")
}
