//! Over all data sets: the interquartile mean of the gain and of its differences to the baselines,
//! a data set a stratum. The one place where sweeps are pooled, and so the one claim over all of them.
//!
//! The claim is that of a sign-flip test. An interval that resamples a few seeds is too narrow: with two
//! data sets of six pairs it misses 0 in 9 % of cases without an effect, and so only has to agree.
//!
//! Source: Agarwal et al. 2021, arXiv:2108.13264, §4.

use std::collections::BTreeSet;

use stats::{Interquartile, MIN_SEEDS, Resampling, SignFlip, Verdict, Why};

use super::agreement::Agreement;
use super::settings::Setting;
use super::{Beside, Sweep, evaluation};
use crate::escape::esc;
use crate::evaluation::data_sets;
use crate::metric::is_gain;
use crate::number::{MISSING, fixed, p_value, plural, signed};
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
    /// Of the sign-flip test, once every sweep judges the setting; and after Holm over all settings but
    /// the reference.
    pub(super) p: Option<f64>,
    pub(super) adjusted_p: Option<f64>,
    pub(super) claim: Claim,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    Reference,
    Better,
    Worse,
    /// The test is not significant among so many settings, or the interval does not agree.
    Undecided,
    /// Fewer pairs of a data set than a verdict takes.
    TooFewSeeds,
    /// The data sets contradict each other, or in one the side that would win is misleading.
    Contradicted,
    /// A sweep was declared to be judged by another metric.
    NotDeclared,
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
            Claim::NotDeclared => "not judged",
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
    let compared: Vec<&Sweep<'_>> = sweeps.iter().map(|&at| &beside.sweeps[at]).collect();
    if let Some(why) = evaluation::differs_in_kind(&compared) {
        return Err(format!("The sweeps' results are not of one kind: {why}."));
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
    let is_reference = |at: usize| beside.reference == Some(at);
    let differences: Vec<Vec<Vec<f64>>> = settings
        .iter()
        .map(|&(at, setting)| {
            tasks(beside, setting, &sweeps, |sweep, cell| {
                let baseline = sweep.summary.baseline.filter(|_| !is_reference(at));
                baseline.map_or_else(Vec::new, |baseline| paired(&sweep.summary, cell, baseline))
            })
        })
        .collect();
    let p: Vec<Option<f64>> = settings
        .iter()
        .zip(&differences)
        .map(|((_, setting), tasks)| verdicts(beside, setting, &sweeps).and_then(|_| tested(tasks)))
        .collect();
    // The reference itself is no comparison.
    let family: Vec<usize> =
        (0..settings.len()).filter(|&at| !is_reference(settings[at].0)).collect();
    let mut adjusted = vec![None; p.len()];
    let of_family: Vec<Option<f64>> = family.iter().map(|&at| p[at]).collect();
    for (&at, value) in family.iter().zip(stats::holm(&of_family)) {
        adjusted[at] = value;
    }
    // A task without a run would leave another mean than the one over all of them.
    let over = |tasks: &[Vec<f64>]| match tasks.iter().any(Vec::is_empty) {
        true => None,
        false => over_data_sets(tasks, LEVEL),
    };
    let pooled = |(place, &(at, setting)): (usize, &(usize, &Setting))| {
        let values = tasks(beside, setting, &sweeps, |sweep, cell| {
            sweep.cell(cell).values.iter().map(|(_, value)| *value).collect()
        });
        let mut pooled = Pooled {
            setting: at,
            is_reference: is_reference(at),
            value: over(&values),
            difference: over(&differences[place]),
            p: p[place],
            adjusted_p: adjusted[place],
            claim: Claim::Reference,
        };
        if !pooled.is_reference {
            pooled.claim = claim(beside, setting, &sweeps, &differences[place], &pooled);
        }
        pooled
    };
    Ok(settings.iter().enumerate().map(pooled).collect())
}

fn fingerprints<'a>(sweep: &Sweep<'a>) -> Vec<&'a str> {
    data_sets(sweep.record()).into_iter().map(|it| it.fingerprint.as_str()).collect()
}

/// p of the sum of the data sets' mean differences, in which one data set weighs as much as another,
/// however many seeds it has.
fn tested(tasks: &[Vec<f64>]) -> Option<f64> {
    if tasks.is_empty() || tasks.iter().any(Vec::is_empty) {
        return None;
    }
    let shares: Vec<f64> = tasks
        .iter()
        .flat_map(|task| task.iter().map(move |difference| difference / task.len() as f64))
        .collect();
    Some(SignFlip::of(&shares, Resampling::default()).p)
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

/// By sweep; `None` where one is not judged, or not yet.
fn verdicts(beside: &Beside<'_>, setting: &Setting, sweeps: &[usize]) -> Option<Vec<Verdict>> {
    let verdict = |at: &usize| beside.sweeps[*at].verdict(setting.cells[*at]?);
    sweeps.iter().map(verdict).collect()
}

/// Seeds of one data set could carry the mean of all: each of them has to have enough.
fn claim(
    beside: &Beside<'_>,
    setting: &Setting,
    sweeps: &[usize],
    differences: &[Vec<f64>],
    pooled: &Pooled,
) -> Claim {
    if sweeps.iter().any(|&at| !beside.sweeps[at].is_declared) {
        return Claim::NotDeclared;
    }
    let Some(verdicts) = verdicts(beside, setting, sweeps) else {
        return Claim::NotYet;
    };
    if differences.iter().any(|task| task.len() < MIN_SEEDS) {
        return Claim::TooFewSeeds;
    }
    let mean = |task: &Vec<f64>| task.iter().sum::<f64>() / task.len() as f64;
    let sum: f64 = differences.iter().map(mean).sum();
    let is_significant = pooled.adjusted_p.is_some_and(|p| p <= LEVEL.alpha());
    let interval = pooled.difference.and_then(|it| it.interval);
    let claim = match interval.filter(|_| is_significant) {
        Some(bounds) if sum > 0.0 && bounds.lower > 0.0 => Claim::Better,
        Some(bounds) if sum < 0.0 && bounds.upper < 0.0 => Claim::Worse,
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
                let p = esc(adjusted(it)).to_string();
                format!("{} is {}: {mean} {bounds}, adjusted p {p}", esc(name), it.claim.words())
            })
        })
        .collect();
    let comparable = beside.comparable();
    let over = format!("Over the {} together", plural(comparable.len(), "data set"));
    let said = match claims.as_slice() {
        [] if others().any(|it| it.claim == Claim::NotDeclared) => {
            let undeclared: Vec<usize> =
                comparable.into_iter().filter(|&at| !beside.sweeps[at].is_declared).collect();
            format!(
                "{over} nothing is claimed: {} {} declared to be judged by another metric than {}.",
                beside.names(&undeclared),
                if undeclared.len() == 1 { "was" } else { "were" },
                esc(&beside.metric.title)
            )
        }
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

fn adjusted(pooled: &Pooled) -> String {
    pooled.adjusted_p.map_or_else(|| MISSING.into(), p_value)
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
         <th scope=\"colgroup\" colspan=\"4\">Difference to the baseline, interquartile mean</th></tr>\n\
         <tr><th scope=\"col\" class=\"setting\">setting</th><th scope=\"col\" class=\"num\">runs</th>\
         <th scope=\"col\" class=\"num\" data-sortable>mean</th><th scope=\"col\" class=\"num\">95\u{a0}% interval</th>\
         <th scope=\"col\" class=\"num\" data-sortable>mean</th><th scope=\"col\" class=\"num\">95\u{a0}% interval</th>\
         <th scope=\"col\" class=\"num\" data-sortable>adjusted p</th>\
         <th scope=\"col\">over all data sets</th></tr>\n</thead>\n<tbody>\n",
        esc(beside.metric.heading())
    ));
    found.iter().for_each(|it| out.push_str(&row(beside, it)));
    out.push_str(&format!(
        "</tbody>\n</table>\n</div>\n<p class=\"note\">The mean of the middle half of all runs of the {}, of settings that \
         all of them have; its interval is a percentile bootstrap that resamples seeds within each data set. Both describe, \
         and speak of these data sets, not of others. Adjusted p: two-sided sign-flip test of the sum of the data sets' mean \
         paired differences, Holm over {}. Better or worse: it is at most {}, the interval does not hold 0 and is on the same \
         side, every data set has at least {MIN_SEEDS} pairs, and no sweep's own verdict says otherwise.</p>\n",
        plural(beside.comparable().len(), "data set"),
        plural(found.len() - 1, "setting"),
        esc(p_value(LEVEL.alpha())),
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
    let p = if pooled.is_reference { String::new() } else { esc(adjusted(pooled)).to_string() };
    let class = match pooled.claim {
        Claim::Better => "better",
        Claim::Worse => "worse",
        _ => "open",
    };
    format!(
        "<tr{}><th scope=\"row\" class=\"setting\">{}</th><td class=\"num\">{}</td>\
         <td class=\"num\" data-sort=\"{}\"><strong>{mean}</strong></td><td class=\"num quiet\">{bounds}</td>\
         <td class=\"num\" data-sort=\"{}\">{difference}</td><td class=\"num quiet\">{of_difference}</td>\
         <td class=\"num\" data-sort=\"{}\">{p}</td>\
         <td class=\"verdict\"><span class=\"{class}\">{}</span></td></tr>\n",
        if pooled.is_reference { " class=\"baseline\"" } else { "" },
        esc(&beside.matched.settings[pooled.setting].name),
        pooled.value.map_or(0, |it| it.runs),
        key(pooled.value),
        key(pooled.difference),
        pooled.adjusted_p.map_or_else(String::new, |p| p.to_string()),
        pooled.claim.words(),
    )
}
