//! What the last evaluation found wrong with the translations, counted over a cell's runs.

use std::collections::BTreeSet;

use track::{FlagRecord, RunRecord, RunState, SweepRecord};

use crate::escape::esc;

/// One flag of one direction, over the completed runs of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlagCount {
    pub(crate) flag: String,
    pub(crate) direction: String,
    /// It says that the numbers mislead. The same flag as a warning is counted by itself.
    pub(crate) fails: bool,
    pub(crate) runs: usize,
}

/// The gravest first, then the most frequent. Runs that did not complete are counted as that.
pub(crate) fn of_cell(record: &SweepRecord, cell: usize) -> Vec<FlagCount> {
    let mut found: Vec<FlagCount> = Vec::new();
    for run in record.runs.iter().filter(|run| run.cell == cell && run.state == RunState::Completed)
    {
        let mut seen = BTreeSet::new();
        for FlagRecord { direction, flag, fails, .. } in &run.flags {
            let first = seen.insert((direction, flag, fails));
            let same = |it: &&mut FlagCount| {
                it.flag == *flag && it.direction == *direction && it.fails == *fails
            };
            match found.iter_mut().find(same) {
                Some(count) => count.runs += usize::from(first),
                None => found.push(FlagCount {
                    flag: flag.clone(),
                    direction: direction.clone(),
                    fails: *fails,
                    runs: 1,
                }),
            }
        }
    }
    found.sort_by(|a, b| {
        let rank = |it: &FlagCount| (!it.fails, usize::MAX - it.runs);
        rank(a).cmp(&rank(b)).then_with(|| (&a.flag, &a.direction).cmp(&(&b.flag, &b.direction)))
    });
    found
}

/// `collapse A→B 2/6, blur B→A 1/6`, for HTML; those that fail are marked. `n`: completed runs.
pub(crate) fn words(counts: &[FlagCount], n: usize) -> String {
    let word = |it: &FlagCount| {
        let named = format!("{} {}", esc(&it.flag), arrow(&it.direction));
        let class = if it.fails { "state failed" } else { "state warned" };
        format!("<span class=\"{class}\">{named} {}/{n}</span>", it.runs)
    };
    counts.iter().map(word).collect::<Vec<_>>().join("<br>")
}

/// The same for copies, as text: × for what misleads, ! for a warning.
pub(crate) fn copied(counts: &[FlagCount], n: usize) -> String {
    let word = |it: &FlagCount| {
        let mark = if it.fails { '×' } else { '!' };
        format!("{mark} {} {} {}/{n}", it.flag, arrow_text(&it.direction), it.runs)
    };
    counts.iter().map(word).collect::<Vec<_>>().join("; ")
}

/// Of one run, for copies: the gravest first.
pub(crate) fn copied_of_run(run: &RunRecord) -> String {
    let said = |fails: bool, mark: char| {
        let own = run.flags.iter().filter(move |it| it.fails == fails);
        own.map(move |it| format!("{mark} {} {}", it.flag, arrow_text(&it.direction)))
    };
    said(true, '×').chain(said(false, '!')).collect::<Vec<_>>().join("; ")
}

/// The flags of one run with their reasons, for HTML.
pub(crate) fn of_run(run: &RunRecord) -> String {
    let word = |it: &FlagRecord| {
        let class = if it.fails { "state failed" } else { "state warned" };
        format!(
            "<span class=\"{class}\">{} {}</span><br><span class=\"quiet\">{}</span>",
            esc(&it.flag),
            arrow(&it.direction),
            esc(&it.reason)
        )
    };
    run.flags.iter().map(word).collect::<Vec<_>>().join("<br>")
}

/// For HTML.
pub(crate) fn arrow(direction: &str) -> String {
    esc(arrow_text(direction)).to_string()
}

fn arrow_text(direction: &str) -> &str {
    match direction {
        "ab" => "A→B",
        "ba" => "B→A",
        other => other,
    }
}
