//! Whether sweeps agree on a setting, in words, by rule, from the verdicts of each.
//!
//! A verdict of one sweep and silence of another are no disagreement: that one test is significant
//! and another is not does not mean that they differ.

use std::collections::BTreeSet;

use stats::Verdict;

use super::settings::Setting;
use super::{Beside, order};
use crate::escape::esc;
use crate::number::{plural, signed};
use crate::section::interval;

/// What several sweeps say of one setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreement {
    /// All of them the same thing.
    Agree,
    /// Some the opposite of others that have no run of theirs.
    Contradict,
    /// Some say something, and the others do not deny it.
    Partly,
    /// None says anything.
    Silent,
    /// Some are not judged, or not yet.
    Open,
    /// They have runs in common: what those say twice is said once.
    SharedRuns,
}

/// The side that a verdict is on; `None` for one that takes no side.
fn side(verdict: Verdict, mean: Option<f64>) -> Option<bool> {
    match verdict {
        Verdict::Better => Some(true),
        Verdict::Worse => Some(false),
        Verdict::Different => mean.map(|mean| mean > 0.0),
        _ => None,
    }
}

impl Agreement {
    pub(super) fn of(beside: &Beside<'_>, setting: &Setting, sweeps: &[usize]) -> Agreement {
        let mut sides = Vec::new();
        for &at in sweeps {
            let sweep = &beside.sweeps[at];
            let cell = setting.cells[at].expect("the sweep is said to have the setting");
            let mean = sweep.cell(cell).difference().map(|it| it.mean);
            match sweep.verdict(cell) {
                None => return Agreement::Open,
                Some(verdict) => sides.push(side(verdict, mean)),
            }
        }
        let opposite = |[one, other]: [usize; 2]| {
            matches!((sides[one], sides[other]), (Some(own), Some(others)) if own != others)
                && !share_runs(beside, setting, [sweeps[one], sweeps[other]])
        };
        let places: Vec<usize> = (0..sweeps.len()).collect();
        if pairs(&places).any(opposite) {
            return Agreement::Contradict;
        }
        if pairs(sweeps).any(|pair| share_runs(beside, setting, pair)) {
            return Agreement::SharedRuns;
        }
        match sides.iter().flatten().count() {
            0 => Agreement::Silent,
            some if some == sides.len() => Agreement::Agree,
            _ => Agreement::Partly,
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Agreement::Agree => "agree",
            Agreement::Contradict => "contradict each other",
            Agreement::Partly => "partly",
            Agreement::Silent => "silent",
            Agreement::Open => "open",
            Agreement::SharedRuns => "shared runs",
        }
    }
}

/// The conclusion, a sentence a shared setting, the order, and what cannot be said.
pub(super) fn said(beside: &Beside<'_>) -> String {
    let shared = beside.shared();
    let found: Vec<Agreement> =
        shared.iter().map(|(setting, sweeps)| Agreement::of(beside, setting, sweeps)).collect();
    let items: String = shared
        .iter()
        .zip(&found)
        .map(|((setting, sweeps), agreement)| item(beside, setting, sweeps, *agreement))
        .collect();
    let list = match items.is_empty() {
        true => String::new(),
        false => format!("<ul class=\"findings\">\n{items}</ul>\n"),
    };
    format!(
        "<p class=\"lead\">{}</p>\n{list}{}",
        conclusion(beside, &found),
        order::paragraph(beside)
    )
}

fn conclusion(beside: &Beside<'_>, found: &[Agreement]) -> String {
    let comparable = beside.comparable();
    if comparable.is_empty() {
        return "<strong>No verdict of one sweep can be set against one of another</strong>, for the reasons below: \
                they stand beside each other, and no more."
            .into();
    }
    if found.is_empty() {
        return format!(
            "<strong>The sweeps share no setting besides the baseline.</strong> Each answers a question of its own; \
             what {} have in common is what they compare with.",
            beside.names(&comparable)
        );
    }
    let count = |wanted: Agreement| found.iter().filter(|it| **it == wanted).count();
    let of_all = |count: usize| match found.len() {
        1 => "the one setting".to_string(),
        all => format!("{count} of the {all} settings"),
    };
    let undeclared: Vec<usize> =
        comparable.iter().copied().filter(|&at| !beside.sweeps[at].is_declared).collect();
    if !undeclared.is_empty() {
        return format!(
            "<strong>No verdict.</strong> {} {} declared to be judged by another metric than {}: the differences below \
             were looked at after the fact, and illustrate.",
            beside.names(&undeclared),
            if undeclared.len() == 1 { "was" } else { "were" },
            esc(&beside.metric.title)
        );
    }
    let unfinished: Vec<usize> =
        comparable.into_iter().filter(|&at| !beside.sweeps[at].summary.is_final()).collect();
    if !unfinished.is_empty() {
        return format!(
            "<strong>No agreement is told before every run has an end and a value.</strong> {} {} under way.",
            beside.names(&unfinished),
            if unfinished.len() == 1 { "is still" } else { "are still" }
        );
    }
    let mut more = Vec::new();
    let (agree, partly) = (count(Agreement::Agree), count(Agreement::Partly));
    let opening = match (count(Agreement::Contradict), agree) {
        (0, 0) => {
            "<strong>Nothing is shown in more than one sweep</strong>, and nothing contradicts"
                .to_string()
        }
        (0, agree) => {
            format!("<strong>The sweeps agree</strong> on {} they share", of_all(agree))
        }
        (contradict, agree) => {
            if agree > 0 {
                more.push(format!("they agree on {}", of_all(agree)));
            }
            format!(
                "<strong>The sweeps contradict each other</strong> on {} they share",
                of_all(contradict)
            )
        }
    };
    if partly > 0 {
        more.push(format!(
            "for {} some show a difference and the others neither confirm nor deny it",
            plural(partly, "setting")
        ));
    }
    match count(Agreement::Silent) {
        0 => {}
        silent => more.push(format!("for {} none says anything", plural(silent, "setting"))),
    }
    match count(Agreement::SharedRuns) {
        0 => {}
        shared => more.push(format!(
            "for {} the sweeps share runs, which confirm nothing",
            plural(shared, "setting")
        )),
    }
    let more: String = more.iter().map(|it| format!("; {it}")).collect();
    format!("{opening}{more}.")
}

/// `λ=0: worse in A and B (…)`, or who says what.
fn item(beside: &Beside<'_>, setting: &Setting, sweeps: &[usize], agreement: Agreement) -> String {
    let cell = |at: usize| setting.cells[at].expect("a shared setting is one of its sweeps");
    let words = |at: usize| beside.sweeps[at].verdict_in_words(cell(at));
    // Sweeps that say the same are named together.
    let mut said: Vec<(&str, Vec<usize>)> = Vec::new();
    for &at in sweeps {
        match said.iter_mut().find(|(word, _)| *word == words(at)) {
            Some((_, same)) => same.push(at),
            None => said.push((words(at), vec![at])),
        }
    }
    let said: Vec<String> =
        said.iter().map(|(word, same)| format!("{word} in {}", beside.names(same))).collect();
    let digits = beside.places();
    let figures: Vec<String> = sweeps
        .iter()
        .filter_map(|&at| {
            let contrast = beside.sweeps[at].cell(cell(at)).difference()?;
            let bounds = interval(contrast.interval, |value| signed(value, digits));
            let name = beside.sweeps[at].html_name();
            Some(format!("{name} {} {}", signed(contrast.mean, digits), esc(bounds)))
        })
        .collect();
    let (class, opening) = match agreement {
        Agreement::Contradict => ("contradict", "the sweeps contradict each other: "),
        Agreement::Agree => (direction(beside, setting, sweeps), ""),
        Agreement::Partly => ("said", ""),
        _ => ("silent", ""),
    };
    let same = match sharing(sweeps, |pair| share_runs(beside, setting, pair)) {
        shared if shared.is_empty() => String::new(),
        shared if shared.len() == sweeps.len() => {
            " They share runs, which are one observation.".into()
        }
        shared => {
            format!(" {} share runs, which are one observation.", beside.names(&shared))
        }
    };
    let figures = match figures.is_empty() {
        true => String::new(),
        false => format!(" <span class=\"quiet\">({})</span>", figures.join("; ")),
    };
    format!(
        "<li class=\"{class}\"><span><strong>{}</strong>: {opening}{}{figures}.{same}</span></li>\n",
        esc(&setting.name),
        said.join(", ")
    )
}

fn direction(beside: &Beside<'_>, setting: &Setting, sweeps: &[usize]) -> &'static str {
    let first = sweeps.first().and_then(|&at| beside.sweeps[at].verdict(setting.cells[at]?));
    match first {
        Some(Verdict::Better) => "better",
        Some(Verdict::Worse) => "worse",
        _ => "said",
    }
}

/// A run that two sweeps asked for was trained once.
pub(super) fn share_runs(beside: &Beside<'_>, setting: &Setting, sweeps: [usize; 2]) -> bool {
    let [own, others] = sweeps.map(|at| {
        let runs = beside.sweeps[at].record().runs.iter();
        let own = runs.filter(|run| Some(run.cell) == setting.cells[at]);
        own.map(|run| run.key.as_str()).collect::<BTreeSet<&str>>()
    });
    !own.is_disjoint(&others)
}

/// Those that share something with another one, in their order.
pub(super) fn sharing(sweeps: &[usize], share: impl Fn([usize; 2]) -> bool) -> Vec<usize> {
    let found: BTreeSet<usize> = pairs(sweeps).filter(|pair| share(*pair)).flatten().collect();
    sweeps.iter().copied().filter(|at| found.contains(at)).collect()
}

fn pairs(of: &[usize]) -> impl Iterator<Item = [usize; 2]> + '_ {
    let later = move |at: usize| of[at + 1..].iter();
    of.iter().enumerate().flat_map(move |(at, &one)| later(at).map(move |&other| [one, other]))
}
