//! What stands beside the answer: runs that failed, runs that the machine stopped or that have no
//! value, and runs whose numbers mislead.

use std::collections::BTreeMap;

use stats::Proportion;

use crate::absence::{Absence, Remedy};
use crate::escape::esc;
use crate::measured::Role;
use crate::number::{fixed, percent, plural};
use crate::page::Subject;
use crate::section::answer::places;
use crate::section::{failed_as, flags, runs};
use crate::summary::{CellSummary, LEVEL, is_unmeasured};

/// Cells named before the rest is counted.
const MOST: usize = 6;

pub(super) fn list(subject: &Subject<'_>) -> String {
    let of_runs = [failures(subject), stopped(subject), unmeasured(subject), flagged(subject)];
    format!("{}{}", below_doing_nothing(subject), of_runs.concat())
}

/// A cell may beat the baseline and be worse than no translation at all.
fn below_doing_nothing(subject: &Subject<'_>) -> String {
    let primary = subject.measured.iter().find(|it| it.role == Role::Primary);
    let (Some(identity), Some(goal)) =
        (primary.and_then(|it| it.anchor("identity")), subject.summary.goal())
    else {
        return String::new();
    };
    let (plan, cells) = (&subject.record.plan, &subject.summary.cells);
    let places = places(subject);
    let items: Vec<String> = plan
        .cells
        .iter()
        .zip(cells)
        .filter_map(|(cell, own)| Some((cell, own.estimate?.mean)))
        .filter(|(_, mean)| goal.is_better(identity - mean))
        .map(|(cell, mean)| {
            format!("<strong>{}</strong>: {}", esc(&cell.label), fixed(mean, places))
        })
        .collect();
    let last = format!("Inputs handed back untouched have {}.", fixed(identity, places));
    paragraph("Worse than doing nothing", &items, &last)
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
    let counted = match failed_as(subject) {
        Some(words) => format!("In the figures above each of them counts as {words}."),
        None => "This metric has no value for them: what is left was selected by surviving.".into(),
    };
    paragraph("Failed runs", &items, &counted)
}

/// What the machine did says nothing of a cell, so there is no share of it.
fn stopped(subject: &Subject<'_>) -> String {
    let plan = &subject.record.plan;
    let of_cell = |(cell, own): (usize, &CellSummary)| {
        let mut how: BTreeMap<&str, usize> = BTreeMap::new();
        for run in subject.record.runs.iter().filter(|run| run.cell == cell) {
            if run.state.is_of_the_machine() {
                *how.entry(runs::ending(&run.state)).or_default() += 1;
            }
        }
        let how: Vec<String> = how.iter().map(|(way, count)| format!("{count} {way}")).collect();
        (!how.is_empty()).then(|| {
            format!(
                "<strong>{}</strong>: {} of {} ({})",
                esc(&plan.cells[cell].label),
                own.runs.stopped,
                own.runs.planned,
                how.join(", ")
            )
        })
    };
    let items: Vec<String> = subject.summary.cells.iter().enumerate().filter_map(of_cell).collect();
    let last = format!(
        "That says nothing of their cells, so it counts as not done: <code>{}</code> goes on with them.",
        esc(&plan.command)
    );
    paragraph("Stopped by the machine", &items, &last)
}

/// Completed runs that cannot be compared: why, and how they get a value.
fn unmeasured(subject: &Subject<'_>) -> String {
    let (record, summary) = (subject.record, &subject.summary);
    // Where nobody has a value, the answer says so already.
    if summary.cells.iter().all(|cell| cell.estimate.is_none()) {
        return String::new();
    }
    let items: Vec<String> = record
        .plan
        .cells
        .iter()
        .zip(&summary.cells)
        .filter(|(_, own)| own.unmeasured > 0)
        .map(|(cell, own)| {
            let (label, runs) = (esc(&cell.label), plural(own.runs.completed, "completed run"));
            format!("<strong>{label}</strong>: {} of {runs}", own.unmeasured)
        })
        .collect();
    let absence = Absence::of(record, &summary.metric);
    let missing: Vec<String> = record
        .runs
        .iter()
        .filter(|run| is_unmeasured(run, &summary.metric))
        .map(|run| format!("{}/{}", record.plan.name, run.index))
        .collect();
    let named = match missing.len() > MOST {
        true => format!("{}/INDEX", record.plan.name),
        false => missing.join(" "),
    };
    let command = esc(&record.plan.command);
    let then = match absence.is_recorded && absence.remedy == Some(Remedy::Fetch) {
        true => format!("After that <code>{command}</code> scores these runs again"),
        false => format!(
            "<code>cyclelab rm {}</code> moves such runs to the trash, and <code>{command}</code> trains them anew",
            esc(named)
        ),
    };
    let last = format!(
        "{}: {}.{} {}.",
        if absence.is_known { "The reason" } else { "Possible reasons" },
        esc(&absence.why),
        absence.remedy(),
        then
    );
    paragraph(&format!("Without a value of {}", esc(&subject.primary.title)), &items, &last)
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
