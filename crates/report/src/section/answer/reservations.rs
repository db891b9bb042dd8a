//! What stands beside the answer: runs that failed, and runs whose numbers mislead.

use stats::Proportion;

use crate::escape::esc;
use crate::metric::failed_as;
use crate::number::{fixed, percent};
use crate::page::Subject;
use crate::section::flags;
use crate::summary::LEVEL;

/// Cells named before the rest is counted.
const MOST: usize = 6;

pub(super) fn list(subject: &Subject<'_>) -> String {
    format!("{}{}", failures(subject), flagged(subject))
}

fn failures(subject: &Subject<'_>) -> String {
    let (plan, summary) = (&subject.record.plan, &subject.summary);
    let items: Vec<String> = plan
        .cells
        .iter()
        .zip(&summary.cells)
        .filter_map(|(cell, own)| {
            let (runs, lost) = (own.runs, own.runs.diverged + own.runs.failed);
            let share = Proportion::of(lost, runs.ended(), LEVEL).filter(|_| lost > 0)?;
            let how = [(runs.diverged, "diverged"), (runs.failed, "failed")];
            let how: Vec<&str> =
                how.iter().filter(|(count, _)| *count > 0).map(|(_, word)| *word).collect();
            Some(format!(
                "<strong>{}</strong>: {lost} of {} {} ({}, Wilson 95\u{a0}% interval {} to {})",
                esc(&cell.label),
                runs.ended(),
                how.join(" or "),
                percent(share.share),
                percent(share.interval.lower),
                percent(share.interval.upper),
            ))
        })
        .collect();
    let counted = match failed_as(&summary.metric) {
        Some(value) => format!(
            "In the figures above each of them counts as {}, no better than doing nothing.",
            fixed(value, 0)
        ),
        None => "This metric has no value for them: what is left was selected by surviving.".into(),
    };
    paragraph("Failed runs", &items, &counted)
}

fn flagged(subject: &Subject<'_>) -> String {
    let (plan, summary) = (&subject.record.plan, &subject.summary);
    let items: Vec<String> = (0..plan.cells.len())
        .filter(|&cell| summary.cells[cell].runs.flagged > 0)
        .map(|cell| {
            let failing: Vec<String> = flags::of_cell(subject.record, cell)
                .iter()
                .filter(|it| it.fails)
                .map(|it| {
                    format!("{} {} in {}", esc(&it.flag), flags::arrow(&it.direction), it.runs)
                })
                .collect();
            let runs = summary.cells[cell].runs;
            format!(
                "<strong>{}</strong>: {} of {} completed runs ({})",
                esc(&plan.cells[cell].label),
                runs.flagged,
                runs.completed,
                failing.join(", ")
            )
        })
        .collect();
    paragraph(
        "Flagged as misleading",
        &items,
        "Their numbers are in the figures; look at their samples first.",
    )
}

fn paragraph(heading: &str, items: &[String], last: &str) -> String {
    if items.is_empty() {
        return String::new();
    }
    let mut said = items[..items.len().min(MOST)].join("; ");
    if items.len() > MOST {
        said.push_str(&format!("; and {} more cells", items.len() - MOST));
    }
    format!(
        "<p class=\"reservation\"><span class=\"state failed\">{heading}:</span> {said}. {last}</p>\n"
    )
}
