//! What the sweep answers, how certain that is, and where it is silent.
//!
//! Worded by rule from the judgement of each cell. Before every run has ended there are figures and
//! no verdict.

mod findings;
mod reservations;

use stats::{Goal, SeedPower, Verdict};

use super::interval;
use crate::absence::Absence;
use crate::escape::esc;
use crate::metric::{is_gain, is_mechanical};
use crate::number::{decimals, fixed, plural};
use crate::page::Subject;
use crate::summary::{Counts, LEVEL, best_of};

pub(crate) fn section(subject: &Subject<'_>) -> String {
    format!(
        "<section id=\"answer\" class=\"answer\">\n<h2>Answer</h2>\n{}{}</section>\n",
        said(subject),
        reserved(subject)
    )
}

/// The conclusion and a sentence a cell.
pub(crate) fn said(subject: &Subject<'_>) -> String {
    let summary = &subject.summary;
    if summary.cells.iter().all(|cell| cell.estimate.is_none()) {
        return format!("<p class=\"lead\">{}</p>\n", no_answer(subject));
    }
    let lead = if summary.is_final() { conclusion(subject) } else { so_far(subject) };
    let mechanical = match is_mechanical(&summary.metric) {
        true => format!("<p>{MECHANICAL}</p>\n"),
        false => String::new(),
    };
    let doubt = if summary.is_final() { doubt(subject) } else { String::new() };
    format!("<p class=\"lead\">{lead}{doubt}</p>\n{}{mechanical}", findings::list(subject))
}

/// What no difference between cells makes up for, where it holds of the whole sweep.
fn doubt(subject: &Subject<'_>) -> String {
    let summary = &subject.summary;
    let completed = Counts::of(&subject.record.runs).completed;
    let flagged = all_flagged(subject)
        .then(|| format!("all {completed} completed runs are flagged as misleading"));
    let mut means = summary.cells.iter().filter_map(|cell| Some(cell.estimate?.mean)).peekable();
    let is_below = is_gain(&summary.metric) && means.peek().is_some() && means.all(|it| it < 0.0);
    let idle = is_below.then(|| "no cell does better than handing the inputs back".to_string());
    let said: Vec<String> = flagged.into_iter().chain(idle).collect();
    match said.is_empty() {
        true => String::new(),
        false => format!(" <strong>But {}.</strong>", said.join(", and ")),
    }
}

fn all_flagged(subject: &Subject<'_>) -> bool {
    let runs = Counts::of(&subject.record.runs);
    runs.completed > 1 && runs.flagged == runs.completed
}

/// What stands beside it, and what so many seeds can show.
pub(crate) fn reserved(subject: &Subject<'_>) -> String {
    format!("{}{}", reservations::list(subject), certainty(subject))
}

const MECHANICAL: &str = "This metric follows the training objective (a larger λ lowers the cycle error mechanically); \
                          it does not rank the quality of translations.";

/// Why there is nothing to say.
fn no_answer(subject: &Subject<'_>) -> String {
    let (record, summary) = (subject.record, &subject.summary);
    let title = esc(&subject.primary.title);
    let recorded =
        || record.runs.iter().flat_map(|run| &run.rows).any(|row| row.name == subject.primary.name);
    if !summary.has_ended() {
        format!("No run with a value of {} has completed yet.", esc(subject.primary.heading()))
    } else if recorded() || summary.cells.iter().all(|cell| cell.runs.completed == 0) {
        format!("All runs have come to an end, and none completed with a finite value of {title}.")
    } else {
        let absence = Absence::of(record, &subject.primary.name);
        let reasons = if absence.is_known { "The reason" } else { "Possible reasons" };
        format!(
            "All runs have come to an end, and {title} was never produced. {reasons}: {}.{}",
            esc(&absence.why),
            absence.remedy()
        )
    }
}

/// Where the sweep is under way: the leader, and that nothing is decided.
fn so_far(subject: &Subject<'_>) -> String {
    let summary = &subject.summary;
    let runs = Counts::of(&subject.record.runs);
    let reason = if summary.has_ended() {
        let unmeasured: usize = summary.cells.iter().map(|cell| cell.unmeasured).sum();
        format!(
            "No verdict before every completed run has a value; {unmeasured} of {} have none.",
            runs.completed
        )
    } else {
        format!(
            "No verdict before every run has come to an end; {} of {} have.",
            runs.ended(),
            runs.planned
        )
    };
    format!("{} {reason}", leader(subject, " so far"))
}

/// The cell with the best mean, and by how much that may be off. `reserve`: what keeps its first
/// place from being a finding.
fn leader(subject: &Subject<'_>, reserve: &str) -> String {
    let (plan, summary) = (&subject.record.plan, &subject.summary);
    let found = summary.best.and_then(|best| Some((best, summary.cells[best].estimate?)));
    let Some((best, estimate)) = found else {
        return format!(
            "Every cell with a value of {} also has a run that diverged, failed or was flagged as misleading.",
            esc(&subject.primary.title)
        );
    };
    let places = places(subject);
    let role = if summary.baseline == Some(best) { ", the baseline" } else { "" };
    format!(
        "{}{reserve} on {}: <strong>{}</strong>{role}, {} {} over {}.",
        top(subject),
        esc(subject.primary.heading()),
        esc(&plan.cells[best].label),
        fixed(estimate.mean, places),
        interval(estimate.interval, |v| fixed(v, places)),
        plural(estimate.n, "seed"),
    )
}

/// How the first place is called: what follows the objective is high or low, not good.
pub(crate) fn top(subject: &Subject<'_>) -> &'static str {
    match (subject.summary.goal(), subject.summary.minimize) {
        (Some(_), _) => "Best",
        (None, Some(false)) => "Highest",
        (None, _) => "Lowest",
    }
}

/// The strongest thing that may be said of a sweep that has ended.
fn conclusion(subject: &Subject<'_>) -> String {
    let (plan, summary) = (&subject.record.plan, &subject.summary);
    let Some(base) = summary.baseline else {
        return format!(
            "{} The sweep declares no baseline, so nothing is compared or tested.",
            leader(subject, " mean")
        );
    };
    let verdicts: Vec<(usize, Verdict)> = (0..summary.cells.len())
        .filter_map(|cell| Some((cell, summary.cells[cell].verdict()?)))
        .collect();
    if verdicts.is_empty() {
        return format!("{} No other cell to compare it with.", leader(subject, " mean"));
    }
    let which = |wanted: fn(&Verdict) -> bool| -> Vec<usize> {
        verdicts.iter().filter(|(_, verdict)| wanted(verdict)).map(|(cell, _)| *cell).collect()
    };
    let better = which(|it| matches!(it, Verdict::Better));
    let different = which(|it| matches!(it, Verdict::Different));
    let worse = which(|it| matches!(it, Verdict::Worse)).len();
    let too_few = which(|it| matches!(it, Verdict::TooFewSeeds { .. })).len();
    let identical = which(|it| matches!(it, Verdict::Identical)).len();
    let silent =
        too_few + which(|it| matches!(it, Verdict::Undecided { .. } | Verdict::NoPairs)).len();
    let all_failed = which(|it| matches!(it, Verdict::AllFailed { .. })).len();

    let baseline = format!("the baseline {}", esc(&plan.cells[base].label));
    let heading = esc(subject.primary.heading()).to_string();
    let of_all = |count: usize| format!("{count} of {} cells", verdicts.len());
    let is = |count: usize| if count == 1 { "is" } else { "are" };
    let opening = match (better.as_slice(), different.as_slice()) {
        ([only], _) => format!(
            "<strong>{} is better</strong> than {baseline} on {heading}{}",
            esc(&plan.cells[*only].label),
            against(subject, *only, base)
        ),
        ([_, ..], _) => {
            let minimize = summary.goal() == Some(Goal::Minimise);
            let most = best_of(&summary.cells, Some(base), better.iter().copied(), minimize);
            let most = most.map_or_else(String::new, |most| {
                format!(
                    ", most of all <strong>{}</strong>{}",
                    esc(&plan.cells[most].label),
                    against(subject, most, base)
                )
            });
            format!(
                "<strong>{} are better</strong> than {baseline} on {heading}{most}",
                of_all(better.len())
            )
        }
        ([], [_, ..]) => format!(
            "<strong>{} {}</strong> from {baseline} on {heading}",
            of_all(different.len()),
            if different.len() == 1 { "differs" } else { "differ" }
        ),
        ([], []) if identical == verdicts.len() => {
            return format!(
                "<strong>No run differs.</strong> Every run of every cell has the very value of {heading} that \
                 the run of {baseline} with its seed has."
            );
        }
        ([], []) if too_few == verdicts.len() => {
            return format!(
                "<strong>Too few seeds for a verdict</strong> on {heading}: what follows illustrates, it does not \
                 test. {}",
                leader(subject, " mean")
            );
        }
        ([], []) if silent == verdicts.len() => {
            return format!(
                "<strong>The data do not say.</strong> No cell is shown to differ from {baseline} on {heading}, and \
                 none to equal it."
            );
        }
        ([], []) => {
            let claim = if summary.goal().is_some() { "be better than" } else { "differ from" };
            format!("<strong>No cell is shown to {claim}</strong> {baseline} on {heading}")
        }
    };
    let mut more: Vec<String> = Vec::new();
    // Where all are flagged, the doubt behind this says so.
    let is_flagged = |cell: usize| summary.cells[cell].runs.flagged > 0 && !all_flagged(subject);
    if different.iter().any(|&cell| is_flagged(cell) || is_flagged(base)) {
        more.push("<strong>with runs flagged as misleading</strong>, see below".into());
    }
    if worse > 0 {
        let cells = if better.is_empty() { plural(worse, "cell") } else { plural(worse, "other") };
        more.push(format!("{cells} {} worse", is(worse)));
    }
    if all_failed > 0 {
        more.push(format!("{all_failed} cannot be judged, as all runs of one side failed"));
    }
    if identical > 0 {
        more.push(format!("{} {} identical to it", plural(identical, "cell"), is(identical)));
    }
    if silent > 0 {
        more.push(format!("{} {} undecided", plural(silent, "cell"), is(silent)));
    }
    if more.is_empty() { format!("{opening}.") } else { format!("{opening}; {}.", more.join("; ")) }
}

/// `: 0.62 against 0.50`.
fn against(subject: &Subject<'_>, cell: usize, base: usize) -> String {
    let places = places(subject);
    let mean = |at: usize| subject.summary.cells[at].estimate.map(|e| fixed(e.mean, places));
    match (mean(cell), mean(base)) {
        (Some(own), Some(reference)) => format!(": {own} against {reference}"),
        _ => String::new(),
    }
}

/// What so many seeds can show, and how many pairs there are. Seeds show nothing of a metric that
/// nobody has.
fn certainty(subject: &Subject<'_>) -> String {
    let (record, summary) = (subject.record, &subject.summary);
    if summary.has_ended() && summary.cells.iter().all(|cell| cell.estimate.is_none()) {
        return String::new();
    }
    let Some(base) = summary.baseline else { return String::new() };
    let seeds_of = |cell: usize| -> Vec<u64> {
        record.runs.iter().filter(|run| run.cell == cell).map(|run| run.seed).collect()
    };
    let reference = seeds_of(base);
    let shared = (0..summary.cells.len())
        .filter(|&cell| cell != base)
        .map(|cell| seeds_of(cell).iter().filter(|seed| reference.contains(seed)).count());
    let Some(planned) = shared.min() else { return String::new() };
    let pairs = summary.fewest_pairs().map_or_else(String::new, |pairs| {
        let so_far = if summary.is_final() { "" } else { " so far (the sweep is partial)" };
        format!("Fewest seeds paired with the baseline{so_far}: {pairs}. ")
    });
    let power = SeedPower::of(planned, summary.cells.len() - 1, LEVEL).sentence();
    let tense = if summary.is_final() { "What they can show" } else { "What the plan can show" };
    format!("<p class=\"quiet\">{pairs}{tense}: {}</p>\n", esc(power))
}

/// Decimals of the primary metric, the same wherever it is written.
pub(crate) fn places(subject: &Subject<'_>) -> usize {
    decimals(
        subject.summary.cells.iter().filter_map(|cell| cell.estimate).map(|estimate| estimate.mean),
    )
}
