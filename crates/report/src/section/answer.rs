//! One sentence an axis, worded by rule from the paired interval.

use track::{AxisRecord, CellRecord};

use super::{interval, level};
use crate::escape::esc;
use crate::metric::is_mechanical;
use crate::number::{decimals, fixed, plural, signed};
use crate::page::Subject;
use crate::summary::{Verdict, best_of, same_settings, settings_at, smallest_sign_flip_p};

pub(crate) fn section(subject: &Subject<'_>) -> String {
    let (plan, summary) = (&subject.record.plan, &subject.summary);
    let heading = esc(subject.primary.heading()).to_string();
    let mut out = String::from("<section id=\"answer\" class=\"answer\">\n<h2>Answer</h2>\n");
    match summary
        .best
        .and_then(|best| summary.cells[best].estimate.map(|estimate| (best, estimate)))
    {
        None => out.push_str(&format!("<p>{}</p>\n", no_answer(subject))),
        Some((best, estimate)) => {
            let places = places(subject);
            let so_far = if summary.is_final() { "" } else { " so far" };
            let role = if summary.baseline == Some(best) { ", the baseline" } else { "" };
            out.push_str(&format!(
                "<p class=\"lead\">{}{so_far} on {heading}: <strong>{}</strong>{role}, {} {} over {}.</p>\n<ul>\n",
                Words::of(subject).leader,
                esc(&plan.cells[best].label),
                fixed(estimate.mean, places),
                interval(&estimate, |v| fixed(v, places)),
                plural(estimate.n, "seed"),
            ));
            for axis in &plan.axes {
                out.push_str(&format!("<li>{}</li>\n", axis_sentence(subject, axis)));
            }
            out.push_str("</ul>\n");
            if is_mechanical(&plan.metric.name) {
                out.push_str(&format!("<p>{MECHANICAL}</p>\n"));
            }
        }
    }
    if let Some(pairs) = summary.fewest_pairs() {
        out.push_str(&format!(
            "<p class=\"quiet\">{}</p>\n",
            sign_flip_sentence(pairs, summary.is_final())
        ));
    }
    out.push_str("</section>\n");
    out
}

const MECHANICAL: &str = "This metric follows the training objective (a larger λ lowers the cycle error mechanically); \
                          it does not rank the quality of translations.";

/// Why there is no cell to name.
fn no_answer(subject: &Subject<'_>) -> String {
    let (record, summary) = (subject.record, &subject.summary);
    let title = esc(&subject.primary.title);
    let recorded =
        || record.runs.iter().flat_map(|run| &run.rows).any(|row| row.name == subject.primary.name);
    if summary.cells.iter().any(|cell| cell.estimate.is_some()) {
        format!("Every cell with a value of {title} also has a run that diverged or failed.")
    } else if !summary.is_final() {
        format!("No run with a value of {} has completed yet.", esc(subject.primary.heading()))
    } else if recorded() || summary.cells.iter().all(|cell| cell.runs.completed == 0) {
        format!("All runs have come to an end, and none completed with a finite value of {title}.")
    } else {
        format!(
            "All runs have come to an end, and {title} was never produced. Possible reasons: no paired held-out images \
             (L1, PSNR and SSIM need true translations), or an empty evaluation fold."
        )
    }
}

/// Where a cell stands: a metric that follows the objective is lower or higher, not better.
struct Words {
    leader: &'static str,
    level: &'static str,
    better: &'static str,
    worse: &'static str,
}

impl Words {
    fn of(subject: &Subject<'_>) -> Words {
        let (leader, level, better, worse) =
            match (is_mechanical(&subject.primary.name), subject.summary.minimize) {
                (false, _) => ("Best", "the best level", "better", "worse"),
                (true, Some(false)) => {
                    ("Highest", "the level with the highest mean", "higher", "lower")
                }
                (true, _) => ("Lowest", "the level with the lowest mean", "lower", "higher"),
            };
        Words { leader, level, better, worse }
    }

    fn verdict(&self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Better => self.better,
            Verdict::Worse => self.worse,
            other => other.words(),
        }
    }
}

/// The best cell that differs from the baseline along this axis alone.
fn axis_sentence(subject: &Subject<'_>, axis: &AxisRecord) -> String {
    let (plan, summary, label) = (&subject.record.plan, &subject.summary, esc(&axis.label));
    let Some(base) = summary.baseline else {
        return format!(
            "<strong>{label}</strong>: the sweep declares no baseline to compare with."
        );
    };
    let base_level = esc(level(axis, &plan.cells[base])).to_string();
    let rivals = || {
        (0..plan.cells.len())
            .filter(|&cell| differs_only_in(axis, &plan.cells[cell], &plan.cells[base]))
    };
    let minimize = summary.minimize.unwrap_or(true);
    let measured = || rivals().filter(|&cell| summary.cells[cell].difference.is_some());
    let Some(best) = best_of(&summary.cells, Some(base), measured(), minimize) else {
        let why = if measured().next().is_some() {
            "every other level has a run that diverged or failed, against the baseline"
        } else {
            "nothing yet to compare with the baseline"
        };
        return format!("<strong>{label}</strong>: {why} {base_level}.");
    };
    let rival = &summary.cells[best];
    let (Some(difference), Some(verdict)) = (rival.difference, rival.verdict) else {
        return format!(
            "<strong>{label}</strong>: nothing yet to compare with the baseline {base_level}."
        );
    };
    let places = places(subject);
    let interval = match (difference.lower, difference.upper) {
        (Some(_), Some(_)) => format!(" {}", interval(&difference, |v| signed(v, places))),
        _ => String::new(),
    };
    let also = match rivals().filter(|&cell| summary.cells[cell].runs.diverged > 0).count() {
        0 => String::new(),
        count => format!(" {} on this axis diverged in at least one run.", plural(count, "level")),
    };
    // The nearest rival is the strongest thing to say about a baseline that nothing beats.
    let beaten = if minimize { difference.mean >= 0.0 } else { difference.mean <= 0.0 };
    let words = Words::of(subject);
    let opening = if beaten {
        format!("no level has a {} mean than the baseline; the nearest,", words.better)
    } else {
        format!("{},", words.level)
    };
    format!(
        "<strong>{label}</strong>: {opening} {} against {base_level} (baseline): Δ {} = {}{interval}, paired over {}: \
         <strong>{}</strong>.{also}",
        esc(level(axis, &plan.cells[best])),
        esc(&subject.primary.title),
        signed(difference.mean, places),
        plural(difference.n, "seed"),
        words.verdict(verdict),
    )
}

fn differs_only_in(axis: &AxisRecord, cell: &CellRecord, base: &CellRecord) -> bool {
    let others: Vec<String> = cell
        .settings
        .iter()
        .chain(&base.settings)
        .map(|(key, _)| key.clone())
        .filter(|key| !axis.keys.contains(key))
        .collect();
    !same_settings(&settings_at(cell, &axis.keys), &settings_at(base, &axis.keys))
        && same_settings(&settings_at(cell, &others), &settings_at(base, &others))
}

/// Decimals of the primary metric, the same wherever it is written.
pub(crate) fn places(subject: &Subject<'_>) -> usize {
    decimals(
        subject.summary.cells.iter().filter_map(|cell| cell.estimate).map(|estimate| estimate.mean),
    )
}

fn sign_flip_sentence(pairs: usize, is_final: bool) -> String {
    let smallest = smallest_sign_flip_p(pairs);
    let written = if smallest < 0.001 {
        format!("{smallest:.1e}")
    } else {
        format!("{smallest:.4}").trim_end_matches('0').trim_end_matches('.').to_string()
    };
    let so_far = if is_final { "" } else { " so far (the sweep is partial)" };
    let meaning = if smallest > 0.05 {
        "; this sweep illustrates, it does not test."
    } else {
        ". Intervals are not corrected for the number of comparisons."
    };
    format!(
        "Fewest seeds paired with the baseline{so_far}: {pairs}. The smallest possible two-sided sign-flip p is then {written}{meaning}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_seeds_illustrate() {
        let check = |pairs, is_final, expected: &str| {
            let sentence = sign_flip_sentence(pairs, is_final);
            assert!(sentence.contains(expected), "{sentence}");
        };
        check(1, true, "baseline: 1. The smallest possible two-sided sign-flip p is then 1;");
        check(2, true, "then 0.5; this sweep illustrates, it does not test.");
        check(5, true, "then 0.0625; this sweep illustrates");
        check(3, false, "so far (the sweep is partial): 3. The");
        check(6, true, "then 0.0312. Intervals");
        check(12, true, "then 4.9e-4.");
    }
}
