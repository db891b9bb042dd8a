//! One cell's row, part by part: its role, its runs, its estimate, its difference to the baseline.

use stats::MIN_SEEDS;

use super::exact::{self, parts};
use super::{Columns, DIFFERENCE, numeric, primary};
use crate::escape::esc;
use crate::number::{MISSING, fixed, p_value, signed};
use crate::page::Subject;
use crate::section::answer::{places, top};
use crate::section::interval;
use crate::summary::{CellSummary, Comparison, Counts, Verdict};

/// An estimate, and beneath it how far to trust it.
fn stacked(estimate: &str, bounds: &str) -> String {
    format!("{estimate}<br><span class=\"quiet\">{bounds}</span>")
}

pub(super) fn role(subject: &Subject<'_>, baseline: bool, best: bool) -> String {
    let top = format!("★ {}", top(subject).to_lowercase());
    match (baseline, best) {
        (true, true) => format!("baseline<br>{top}"),
        (true, false) => "baseline".into(),
        (false, true) => top,
        (false, false) => String::new(),
    }
}

pub(super) fn runs(own: &CellSummary, columns: &Columns) -> String {
    let done = format!("{}/{}", own.runs.completed, own.runs.planned);
    let done = match own.without_value {
        0 => done,
        without => format!("{done} <span class=\"quiet\">({without} without a value)</span>"),
    };
    let Counts { completed, planned, diverged, failed, stopped, .. } = own.runs;
    let count = |count: usize| Some(count as f64);
    let copied = [count(completed), count(planned), count(own.without_value)];
    let copied = &copied[..if columns.valueless { 3 } else { 2 }];
    let mut out = numeric(count(completed), &done, copied);
    if columns.losses {
        let copied = [count(diverged), count(failed)];
        out.push_str(&numeric(count(diverged + failed), &lost(own.runs), &copied));
    }
    if columns.stops {
        out.push_str(&numeric(count(stopped), &stopped.to_string(), &[count(stopped)]));
    }
    out
}

fn lost(runs: Counts) -> String {
    let parts = [(runs.diverged, "diverged"), (runs.failed, "failed")];
    let named: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if named.is_empty() {
        "0".into()
    } else {
        format!("<span class=\"state diverged\">{}</span>", named.join(",<br>"))
    }
}

pub(super) fn estimate(subject: &Subject<'_>, cell: usize, columns: &Columns) -> String {
    let own = &subject.summary.cells[cell];
    let digits = places(subject);
    let plain = |v: f64| fixed(v, digits);
    let Some(e) = own.estimate else {
        return format!(
            "<td class=\"absent\" colspan=\"{}\" data-sort=\"\">{}</td>",
            columns.estimate(),
            absent(own.runs)
        );
    };
    let counted = match own.failed_in_values {
        0 => String::new(),
        failed => format!(" <span class=\"quiet\">({failed} as {})</span>", counted_as(subject)),
    };
    let mean = format!("<strong>{}</strong>{counted}", plain(e.mean));
    let stack = stacked(&mean, &interval(e.interval, plain));
    let mut out = numeric(Some(e.mean), &stack, &exact::estimate(e.mean, e.interval));
    let range =
        if e.n == 1 { String::new() } else { format!("{}<br>{}", plain(e.min), plain(e.max)) };
    let copied = parts(&[Some(e.min), Some(e.max)]);
    out.push_str(&format!("<td class=\"num quiet\"{copied}>{range}</td>"));
    if columns.image_error {
        let error = primary(subject).image_errors[cell];
        let written = error.map_or_else(|| MISSING.into(), |error| format!("±{}", plain(error)));
        out.push_str(&format!(
            "<td class=\"num quiet\" data-sort=\"{}\"{}>{written}</td>",
            error.map_or_else(String::new, |error| error.to_string()),
            parts(&[error])
        ));
    }
    out
}

/// What a failed run counts as.
fn counted_as(subject: &Subject<'_>) -> String {
    let digits = |value: f64| if value < 0.0 { places(subject) } else { 0 };
    subject.summary.failed_as.map_or_else(String::new, |value| fixed(value, digits(value)))
}

/// Why a cell has no value.
fn absent(runs: Counts) -> &'static str {
    match runs {
        Counts { running, .. } if running > 0 => "running",
        Counts { interrupted, .. } if interrupted > 0 => "interrupted, resumes",
        Counts { pending, .. } if pending > 0 => "pending, not begun",
        Counts { stopped, .. } if stopped > 0 => "stopped",
        Counts { completed, .. } if completed > 0 => "not recorded",
        Counts { diverged, .. } if diverged > 0 => "diverged",
        _ => "failed",
    }
}

/// As many columns as [`DIFFERENCE`] says.
pub(super) fn difference(subject: &Subject<'_>, own: &CellSummary, baseline: bool) -> String {
    let verdict = match own.comparison {
        _ if baseline => return filled("reference"),
        None => return filled(MISSING),
        Some(Comparison::SoFar(None)) => return filled(MISSING),
        Some(Comparison::SoFar(Some(_))) => "<span class=\"quiet\">so far</span>".to_string(),
        Some(Comparison::Judged(judgement)) => {
            let class = match judgement.verdict {
                Verdict::Better => "better",
                Verdict::Worse | Verdict::AllFailed { .. } => "worse",
                _ => "open",
            };
            format!("<span class=\"{class}\">{}</span>", judgement.verdict.words())
        }
    };
    let Some(contrast) = own.difference() else {
        return format!(
            "<td class=\"num\" data-sort=\"\">{MISSING}</td><td class=\"verdict\">{verdict}</td>\
             <td colspan=\"{}\"></td>",
            DIFFERENCE - 2
        );
    };
    let with_sign = |v: f64| signed(v, places(subject));
    let mut bounds = interval(contrast.interval, with_sign);
    // Of few seeds a resampled interval and a standardised effect say what these seeds happened to be.
    let described = own.judgement().filter(|_| contrast.n >= MIN_SEEDS);
    let resampled = contrast.bootstrap_t.filter(|_| described.is_some());
    if resampled.is_some() {
        bounds.push_str(&format!("<br>b {}", interval(resampled, with_sign)));
    }
    let mut copied = exact::estimate(contrast.mean, contrast.interval).to_vec();
    copied.extend([resampled.map(|it| it.lower), resampled.map(|it| it.upper)]);
    let stack = stacked(&with_sign(contrast.mean), &bounds);
    let mut out = numeric(Some(contrast.mean), &stack, &copied);
    out.push_str(&format!("<td class=\"verdict\">{verdict}</td>"));
    // A p of a sweep under way invites to stop at a good moment.
    let judged = own.judgement();
    let p = judged.map(|_| contrast.sign_flip.p);
    let or_missing = |value: Option<f64>, write: &dyn Fn(f64) -> String| {
        numeric(value, &value.map_or_else(|| MISSING.into(), write), &[value])
    };
    let written = |p: f64| esc(p_value(p)).to_string();
    out.push_str(&or_missing(p, &written));
    out.push_str(&or_missing(judged.and_then(|it| it.adjusted_p), &written));
    out.push_str(&or_missing(contrast.d_z.filter(|_| described.is_some()), &|v| signed(v, 2)));
    let chance = contrast.probability_of_improvement.filter(|_| described.is_some());
    out.push_str(&or_missing(chance, &|v| fixed(v, 2)));
    out
}

fn filled(word: &str) -> String {
    let key = if word == MISSING { "" } else { "0" };
    format!(
        "<td class=\"num\" data-sort=\"{key}\">{word}</td><td colspan=\"{}\"></td>",
        DIFFERENCE - 1
    )
}
