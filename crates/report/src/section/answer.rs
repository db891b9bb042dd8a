//! One sentence an axis, worded by rule from the paired interval.

use track::{AxisRecord, CellRecord};

use super::{interval, level};
use crate::escape::esc;
use crate::number::{decimals, fixed, plural, signed};
use crate::page::Subject;
use crate::summary::{best_of, same_settings, settings_at, smallest_sign_flip_p};

pub(crate) fn section(subject: &Subject<'_>) -> String {
    let (plan, summary) = (&subject.record.plan, &subject.summary);
    let heading = esc(subject.primary.heading()).to_string();
    let mut out = String::from("<section id=\"answer\" class=\"answer\">\n<h2>Answer</h2>\n");
    match summary
        .best
        .and_then(|best| summary.cells[best].estimate.map(|estimate| (best, estimate)))
    {
        None => {
            out.push_str(&format!("<p>No run with a value of {heading} has completed yet.</p>\n"))
        }
        Some((best, estimate)) => {
            let places = places(subject);
            let so_far =
                if summary.cells.iter().all(|cell| cell.runs.is_final()) { "" } else { " so far" };
            let role = if summary.baseline == Some(best) { ", the baseline" } else { "" };
            out.push_str(&format!(
                "<p class=\"lead\">Best{so_far} on {heading}: <strong>{}</strong>{role}, {} {} over {}.</p>\n<ul>\n",
                esc(&plan.cells[best].label),
                fixed(estimate.mean, places),
                interval(&estimate, |v| fixed(v, places)),
                plural(estimate.n, "seed"),
            ));
            for axis in &plan.axes {
                out.push_str(&format!("<li>{}</li>\n", axis_sentence(subject, axis)));
            }
            out.push_str("</ul>\n");
        }
    }
    out.push_str(&format!(
        "<p class=\"quiet\">{}</p>\n</section>\n",
        sign_flip_sentence(plan.seeds.len())
    ));
    out
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
    let opening = if beaten {
        "no level has a better mean than the baseline; the nearest,"
    } else {
        "the best level,"
    };
    format!(
        "<strong>{label}</strong>: {opening} {} against {base_level} (baseline): Δ {} = {}{interval}, paired over {}: \
         <strong>{}</strong>.{also}",
        esc(level(axis, &plan.cells[best])),
        esc(&subject.primary.title),
        signed(difference.mean, places),
        plural(difference.n, "seed"),
        verdict.words(),
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

fn sign_flip_sentence(seeds: usize) -> String {
    let smallest = smallest_sign_flip_p(seeds);
    let written = if smallest < 0.001 {
        format!("{smallest:.1e}")
    } else {
        format!("{:.4}", smallest).trim_end_matches('0').trim_end_matches('.').to_string()
    };
    let seeds_word = plural(seeds, "seed");
    if smallest > 0.05 {
        format!(
            "{seeds_word}: the smallest possible two-sided sign-flip p is {written}; this sweep illustrates, it does not test."
        )
    } else {
        format!(
            "{seeds_word}: the smallest possible two-sided sign-flip p is {written}. Intervals are not corrected for the number of comparisons."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_seeds_illustrate() {
        let check = |seeds, expected: &str| {
            let sentence = sign_flip_sentence(seeds);
            assert!(sentence.contains(expected), "{sentence}");
        };
        check(1, "1 seed: the smallest possible two-sided sign-flip p is 1;");
        check(2, "p is 0.5; this sweep illustrates, it does not test.");
        check(5, "p is 0.0625; this sweep illustrates");
        check(3, "p is 0.25; this sweep illustrates");
        check(6, "p is 0.0312. Intervals");
        check(12, "p is 4.9e-4.");
    }
}
