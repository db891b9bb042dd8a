//! One sentence a cell: estimate, interval, p, and what they rest on; beside it the interval as a bar.

use stats::{Contrast, Goal, Verdict};

use crate::escape::esc;
use crate::number::{plural, signed};
use crate::page::Subject;
use crate::section::interval;
use crate::summary::{Comparison, Interval};

/// Sentences a reader still takes in; the results table has every cell.
const MOST: usize = 8;
/// Names within one sentence.
const MOST_NAMES: usize = 12;

pub(super) fn list(subject: &Subject<'_>) -> String {
    let summary = &subject.summary;
    let compared: Vec<(usize, Comparison)> = (0..summary.cells.len())
        .filter_map(|cell| Some((cell, summary.cells[cell].comparison?)))
        .collect();
    if compared.is_empty() {
        return String::new();
    }
    let scale = Scale::of(subject);
    let (silent, mut said): (Vec<_>, Vec<_>) =
        compared.iter().copied().partition(|(_, comparison)| is_silent(comparison));
    said.sort_by_key(|(_, comparison)| rank(comparison));
    let item = |(cell, comparison): &(usize, Comparison)| item(subject, &scale, *cell, comparison);
    let mut items: Vec<String> = said.iter().take(MOST).map(item).collect();
    if said.len() > MOST {
        items.push(format!(
            "<li>{} more in the <a href=\"#results\">results</a>.</li>",
            said.len() - MOST
        ));
    }
    if said.len().min(MOST) + silent.len() <= MOST {
        items.extend(silent.iter().map(item));
    } else if !silent.is_empty() {
        let labels = silent.iter().map(|(cell, _)| *cell).collect::<Vec<_>>();
        let too_few = |(_, it): &(usize, Comparison)| matches!(it, Comparison::Judged(it) if matches!(it.verdict, Verdict::TooFewSeeds { .. }));
        let words = if silent.iter().all(too_few) {
            "too few seeds to tell"
        } else {
            "the data say nothing either way"
        };
        items.push(format!(
            "<li class=\"silent\"><span><strong>{}</strong>: {words}. {}.</span></li>",
            plural(labels.len(), "cell"),
            named(subject, &labels)
        ));
    }
    let better = match subject.summary.goal() {
        Some(Goal::Maximise) => "; better is to its right",
        Some(Goal::Minimise) => "; better is to its left",
        None => "",
    };
    let key = match items.iter().any(|item| item.contains("<svg")) {
        true => format!(
            "<p class=\"key\">Bars: difference to the baseline with its 95\u{a0}% interval over seeds. Upright line: no \
             difference{better}.</p>\n"
        ),
        false => String::new(),
    };
    format!("<ul class=\"findings\">\n{}\n</ul>\n{key}", items.join("\n"))
}

/// Good news first.
fn rank(comparison: &Comparison) -> u8 {
    match comparison {
        Comparison::Judged(judgement) => match judgement.verdict {
            Verdict::Better => 0,
            Verdict::Different => 1,
            Verdict::Worse => 2,
            _ => 3,
        },
        Comparison::SoFar(_) => 0,
    }
}

/// One scale for all bars of the answer.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// An interval of two seeds is 18 times as wide as they are apart: bars are cut at four times the
    /// largest difference.
    fn of(subject: &Subject<'_>) -> Scale {
        let contrasts = || subject.summary.cells.iter().filter_map(|cell| cell.difference());
        let largest = contrasts().map(|it| it.mean.abs()).fold(0.0, f64::max);
        let ends = || {
            let bounds =
                |it: &Contrast| it.interval.map_or([it.mean; 2], |it| [it.lower, it.upper]);
            contrasts().flat_map(bounds)
        };
        let low = ends().fold(0.0, f64::min).max(-4.0 * largest);
        let high = ends().fold(0.0, f64::max).min(4.0 * largest);
        Scale { low, high }
    }

    /// A dot and its interval; a single seed has the dot alone, and nothing to compare leaves the
    /// place empty. No bar at all where there is nothing to scale by.
    fn bar(&self, contrast: Option<&Contrast>) -> String {
        const WIDTH: f64 = 200.0;
        if self.high <= self.low {
            return String::new();
        }
        let x = |value: f64| {
            let share = (value.clamp(self.low, self.high) - self.low) / (self.high - self.low);
            format!("{:.1}", 6.0 + share * (WIDTH - 12.0))
        };
        let span = |it: Interval| {
            format!("<path class=\"span\" d=\"M{} 10H{}\"/>", x(it.lower), x(it.upper))
        };
        let drawn = contrast.map_or_else(String::new, |it| {
            format!(
                "<path class=\"zero\" d=\"M{0} 1V19\"/>{1}<circle cx=\"{2}\" cy=\"10\" r=\"4.5\"/>",
                x(0.0),
                it.interval.map_or_else(String::new, span),
                x(it.mean)
            )
        });
        format!("<svg class=\"bar\" viewBox=\"0 0 {WIDTH} 20\" aria-hidden=\"true\">{drawn}</svg>")
    }
}

/// Neither an effect nor its absence is shown.
fn is_silent(comparison: &Comparison) -> bool {
    match comparison {
        Comparison::SoFar(contrast) => contrast.is_none(),
        Comparison::Judged(judgement) => matches!(
            judgement.verdict,
            Verdict::Undecided { .. } | Verdict::TooFewSeeds { .. } | Verdict::NoPairs
        ),
    }
}

fn item(subject: &Subject<'_>, scale: &Scale, cell: usize, comparison: &Comparison) -> String {
    let label = esc(&subject.record.plan.cells[cell].label).to_string();
    let (class, words) = match comparison {
        Comparison::Judged(judgement) => {
            let class = match judgement.verdict {
                Verdict::Better => "better",
                Verdict::Worse | Verdict::AllFailed { .. } => "worse",
                Verdict::Different => "said",
                _ => "silent",
            };
            // A line never ends within `p = .03`.
            let sentence = judgement.sentence().replace("p = ", "p\u{a0}=\u{a0}");
            (class, esc(sentence).to_string())
        }
        Comparison::SoFar(Some(contrast)) => {
            let places = super::places(subject);
            let bounds = match contrast.interval {
                Some(bounds) => format!(" {}", interval(Some(bounds), |v| signed(v, places))),
                None => String::new(),
            };
            let words = format!(
                "{}{bounds} against the baseline so far, over {}.",
                signed(contrast.mean, places),
                plural(contrast.n, "seed")
            );
            ("silent", words)
        }
        Comparison::SoFar(None) => ("silent", "nothing to compare with the baseline yet.".into()),
    };
    let bar = scale.bar(subject.summary.cells[cell].difference());
    format!("<li class=\"{class}\">{bar}<span><strong>{label}</strong>: {words}</span></li>")
}

/// `a, b and 3 more`; `a; b; and 3 more` where names have commas of their own.
fn named(subject: &Subject<'_>, cells: &[usize]) -> String {
    let names: Vec<String> = cells
        .iter()
        .take(MOST_NAMES)
        .map(|&cell| esc(&subject.record.plan.cells[cell].label).to_string())
        .collect();
    let (between, last) = match names.iter().any(|name| name.contains(',')) {
        true => ("; ", ";"),
        false => (", ", ""),
    };
    match cells.len().saturating_sub(MOST_NAMES) {
        0 => names.join(between),
        more => format!("{}{last} and {more} more", names.join(between)),
    }
}
