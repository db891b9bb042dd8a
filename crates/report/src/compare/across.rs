//! Over all data sets: the interquartile mean of the gain and of its differences to the baselines,
//! a data set a stratum. The one place where sweeps are pooled, and so the one claim over all of them.
//!
//! Source: Agarwal et al. 2021, arXiv:2108.13264, §4.

use std::collections::BTreeSet;

use stats::{Interquartile, Level, MIN_SEEDS, Verdict, Why};

use super::agreement::Agreement;
use super::settings::Setting;
use super::{Beside, Sweep};
use crate::escape::esc;
use crate::evaluation::data_sets;
use crate::metric::is_gain;
use crate::number::{fixed, plural, signed};
use crate::section::forest::paired;
use crate::section::results::across::{PLACES, over_data_sets, written};
use crate::summary::LEVEL;

/// One setting over all data sets.
pub(super) struct Pooled {
    /// Index of the setting.
    pub(super) setting: usize,
    pub(super) is_reference: bool,
    pub(super) value: Option<Interquartile>,
    /// To each sweep's own baseline, seed by seed.
    pub(super) difference: Option<Interquartile>,
    pub(super) claim: Claim,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    Reference,
    Better,
    Worse,
    /// The interval, as wide as so many settings ask for, holds 0.
    Undecided,
    /// Fewer pairs of a data set than a verdict takes.
    TooFewSeeds,
    /// The data sets contradict each other, or in one the side that would win is misleading.
    Contradicted,
    NotYet,
}

impl Claim {
    pub(super) fn words(self) -> &'static str {
        match self {
            Claim::Reference => "reference",
            Claim::Better => "better",
            Claim::Worse => "worse",
            Claim::Undecided => "undecided",
            Claim::TooFewSeeds => "too few seeds to tell",
            Claim::Contradicted => "none: sweeps contradict it",
            Claim::NotYet => "none yet",
        }
    }
}

/// # Errors
/// Why nothing can be said over all data sets, as a sentence.
pub(super) fn pooled(beside: &Beside<'_>) -> Result<Vec<Pooled>, String> {
    let sweeps = beside.comparable();
    if sweeps.is_empty() {
        return Err("There are no two sweeps whose verdicts can be set against each other.".into());
    }
    if !is_gain(&beside.metric.name) {
        return Err(format!(
            "{} has no scale that data sets share; the gain has one, by each data set's own anchors.",
            beside.metric.title
        ));
    }
    if let Some(&at) = sweeps.iter().find(|&&at| fingerprints(&beside.sweeps[at]).len() > 1) {
        let name = &beside.sweeps[at].record().plan.name;
        return Err(format!(
            "{name} has several data sets by itself, and its own report has the means over them."
        ));
    }
    let contents: BTreeSet<&str> =
        sweeps.iter().flat_map(|&at| fingerprints(&beside.sweeps[at])).collect();
    if contents.len() < sweeps.len() {
        return Err(
            "Some sweeps have the same images: more runs on them are not another data set.".into(),
        );
    }
    let settings: Vec<(usize, &Setting)> = beside
        .matched
        .settings
        .iter()
        .enumerate()
        .filter(|(_, setting)| sweeps.iter().all(|&at| setting.cells[at].is_some()))
        .collect();
    if settings.len() < 2 {
        return Err("The data sets have no setting in common besides the baseline.".into());
    }
    let level = simultaneous(settings.len() - 1);
    let pooled = |(at, setting): (usize, &Setting)| {
        let is_reference = beside.reference == Some(at);
        let differences = tasks(beside, setting, &sweeps, |sweep, cell| {
            let baseline = sweep.summary.baseline.filter(|_| !is_reference);
            baseline.map_or_else(Vec::new, |baseline| paired(&sweep.summary, cell, baseline))
        });
        let values = tasks(beside, setting, &sweeps, |sweep, cell| {
            sweep.cell(cell).values.iter().map(|(_, value)| *value).collect()
        });
        // A task without a run would leave another mean than the one over all of them.
        let over = |tasks: &[Vec<f64>], level| match tasks.iter().any(Vec::is_empty) {
            true => None,
            false => over_data_sets(tasks, level),
        };
        Pooled {
            setting: at,
            is_reference,
            claim: match is_reference {
                true => Claim::Reference,
                false => claim(beside, setting, &sweeps, &differences, over(&differences, level)),
            },
            value: over(&values, LEVEL),
            difference: over(&differences, LEVEL),
        }
    };
    Ok(settings.into_iter().map(pooled).collect())
}

fn fingerprints<'a>(sweep: &Sweep<'a>) -> Vec<&'a str> {
    data_sets(sweep.record()).into_iter().map(|it| it.fingerprint.as_str()).collect()
}

/// Bonferroni: all intervals together hold with the usual level.
fn simultaneous(settings: usize) -> Level {
    let alpha = LEVEL.alpha() / settings.max(1) as f64;
    Level::new(1.0 - alpha).expect("a share of alpha is between 0 and alpha")
}

fn tasks(
    beside: &Beside<'_>,
    setting: &Setting,
    sweeps: &[usize],
    scores: impl Fn(&Sweep<'_>, usize) -> Vec<f64>,
) -> Vec<Vec<f64>> {
    let scores = |&at: &usize| setting.cells[at].map(|cell| scores(&beside.sweeps[at], cell));
    sweeps.iter().filter_map(scores).collect()
}

/// Seeds of one data set could carry the mean of all: each of them has to have enough.
fn claim(
    beside: &Beside<'_>,
    setting: &Setting,
    sweeps: &[usize],
    differences: &[Vec<f64>],
    found: Option<Interquartile>,
) -> Claim {
    let verdict = |at: &usize| beside.sweeps[*at].verdict(setting.cells[*at]?);
    let verdicts: Vec<Verdict> = sweeps.iter().filter_map(verdict).collect();
    if verdicts.len() < sweeps.len() {
        return Claim::NotYet;
    }
    if differences.iter().any(|task| task.len() < MIN_SEEDS) {
        return Claim::TooFewSeeds;
    }
    let claim = match found.and_then(|it| it.interval) {
        Some(bounds) if bounds.lower > 0.0 => Claim::Better,
        Some(bounds) if bounds.upper < 0.0 => Claim::Worse,
        _ => Claim::Undecided,
    };
    let is_claimed = matches!(claim, Claim::Better | Claim::Worse);
    let denied = |verdict: &Verdict| match verdict {
        Verdict::Better => claim == Claim::Worse,
        Verdict::Worse => claim == Claim::Better,
        Verdict::Undecided { why: Why::Misleading { .. } } => is_claimed,
        _ => false,
    };
    let contradict = Agreement::of(beside, setting, sweeps) == Agreement::Contradict;
    if contradict || verdicts.iter().any(denied) { Claim::Contradicted } else { claim }
}

/// The claims in one sentence, for the answer.
pub(super) fn said(beside: &Beside<'_>) -> String {
    let found = match &beside.pooled {
        Ok(found) => found,
        Err(why) => {
            return format!("<p>Nothing is claimed over all data sets. {}</p>\n", esc(why));
        }
    };
    let others = || found.iter().filter(|it| !it.is_reference);
    let claims: Vec<String> = others()
        .filter(|it| matches!(it.claim, Claim::Better | Claim::Worse))
        .filter_map(|it| {
            let (mean, bounds) = difference(it.difference);
            it.difference.map(|_| {
                let name = &beside.matched.settings[it.setting].name;
                format!("{} is {}: {mean} {bounds}", esc(name), it.claim.words())
            })
        })
        .collect();
    let sweeps = beside.comparable().len();
    let over = format!("Over the {} together", plural(sweeps, "data set"));
    let said = match claims.as_slice() {
        [] if others().any(|it| it.claim == Claim::NotYet) => {
            format!("{over} nothing is claimed before every run has an end and a value.")
        }
        [] => format!("{over} no setting is shown to differ from the baseline."),
        claims => format!(
            "<strong>{over}</strong> (interquartile mean of the paired differences): {}.",
            claims.join("; ")
        ),
    };
    format!("<p>{said} <a href=\"#across\">Details</a>.</p>\n")
}

pub(super) fn difference(found: Option<Interquartile>) -> (String, String) {
    written(found, |value| signed(value, PLACES))
}

/// The table, or why there is none.
pub(super) fn section(beside: &Beside<'_>) -> String {
    let mut out = String::from("<h3 id=\"across\">Over all data sets</h3>\n");
    let found = match &beside.pooled {
        Ok(found) => found,
        Err(why) => {
            out.push_str(&format!("<p>Nothing is averaged over sweeps. {}</p>\n", esc(why)));
            return out;
        }
    };
    out.push_str(&format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Over all data sets\">\n\
         <table class=\"sortable\">\n<thead>\n<tr class=\"groups\"><td></td>\
         <th scope=\"colgroup\" colspan=\"3\">{}, interquartile mean</th>\
         <th scope=\"colgroup\" colspan=\"3\">Difference to the baseline, interquartile mean</th></tr>\n\
         <tr><th scope=\"col\" class=\"setting\">setting</th><th scope=\"col\" class=\"num\">runs</th>\
         <th scope=\"col\" class=\"num\" data-sortable>mean</th><th scope=\"col\" class=\"num\">95\u{a0}% interval</th>\
         <th scope=\"col\" class=\"num\" data-sortable>mean</th><th scope=\"col\" class=\"num\">95\u{a0}% interval</th>\
         <th scope=\"col\">over all data sets</th></tr>\n</thead>\n<tbody>\n",
        esc(beside.metric.heading())
    ));
    found.iter().for_each(|it| out.push_str(&row(beside, it)));
    let (data_sets, level) = (beside.comparable().len(), simultaneous(found.len() - 1));
    out.push_str(&format!(
        "</tbody>\n</table>\n</div>\n<p class=\"note\">The mean of the middle half of all runs of the {}, of settings that \
         all of them have; its interval is a percentile bootstrap that resamples seeds within each data set. It speaks of \
         these data sets, not of others. Better or worse: an interval of {} % ({} compared with the baseline, Bonferroni) \
         does not hold 0, every data set has at least {MIN_SEEDS} pairs, and no sweep's own verdict says otherwise.</p>\n",
        plural(data_sets, "data set"),
        fixed(level.coverage() * 100.0, 2),
        plural(found.len() - 1, "setting"),
    ));
    out
}

fn row(beside: &Beside<'_>, pooled: &Pooled) -> String {
    let (mean, bounds) = written(pooled.value, |value| fixed(value, PLACES));
    let (difference, of_difference) = match pooled.is_reference {
        true => (String::new(), String::new()),
        false => difference(pooled.difference),
    };
    let key =
        |found: Option<Interquartile>| found.map_or_else(String::new, |it| it.mean.to_string());
    let class = match pooled.claim {
        Claim::Better => "better",
        Claim::Worse => "worse",
        _ => "open",
    };
    format!(
        "<tr{}><th scope=\"row\" class=\"setting\">{}</th><td class=\"num\">{}</td>\
         <td class=\"num\" data-sort=\"{}\"><strong>{mean}</strong></td><td class=\"num quiet\">{bounds}</td>\
         <td class=\"num\" data-sort=\"{}\">{difference}</td><td class=\"num quiet\">{of_difference}</td>\
         <td class=\"verdict\"><span class=\"{class}\">{}</span></td></tr>\n",
        if pooled.is_reference { " class=\"baseline\"" } else { "" },
        esc(&beside.matched.settings[pooled.setting].name),
        pooled.value.map_or(0, |it| it.runs),
        key(pooled.value),
        key(pooled.difference),
        pooled.claim.words(),
    )
}
