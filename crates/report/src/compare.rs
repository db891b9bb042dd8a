//! Several sweeps beside each other: the same question asked of other images, with other code, at
//! another size; or other questions altogether.
//!
//! Each sweep judges its own cells against its own baseline, as in its own report. What is compared
//! here are those verdicts: a difference between two sweeps as wholes has many causes at once.

mod across;
mod agreement;
mod apart;
mod brief;
mod choice;
mod cost;
mod data;
mod evaluation;
mod forest;
mod method;
mod order;
mod page;
mod results;
mod settings;
mod sweeps;

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use track::SweepRecord;

use crate::figure::SERIES;
use crate::metric::{self, Metric};
use crate::number::decimals;
use crate::page::Subject;
use crate::summary::{self, CellSummary, Comparison, Summary, Verdict};
use crate::{ReportError, replace};
use across::Pooled;
use choice::chosen;
use evaluation::Evaluation;
use settings::{Matched, Setting};

/// As many as colours and shapes tell apart.
pub const SWEEPS: RangeInclusive<usize> = 2..=SERIES;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    pub html: String,
    /// The answer and its table as Markdown.
    pub summary: String,
    /// What the page's numbers are made of, as JSON: `docs/report.md` describes it.
    pub data: String,
    /// The results in short, as plain text.
    pub table: TextTable,
}

impl Compared {
    /// What to call the folder of a comparison: `A+B`. File systems take 255 bytes, and eight sweeps may
    /// have more: the first name then, how many follow, and a hash that tells one choice from another.
    pub fn folder_name(sweeps: &[String]) -> String {
        const MOST_BYTES: usize = 120;
        let all = sweeps.join("+");
        match sweeps {
            [first, more @ ..] if all.len() > MOST_BYTES && !more.is_empty() => {
                let hash = Sha256::digest(&all);
                let hash: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
                format!("{first}+{}-{hash}", more.len())
            }
            _ => all,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTable {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// The comparison as text. Reads no file. `metric`: by which to compare; without it the one that the
/// sweeps declare.
///
/// # Errors
/// `HowMany`, `ComparedTwice`, `NothingCompleted`, `NoCommonMetric` and `Unmeasured` for sweeps that
/// cannot be compared, those of [`crate::render`] otherwise.
pub fn compare(records: &[SweepRecord], metric: Option<&str>) -> Result<Compared, ReportError> {
    check(records)?;
    let beside = Beside::of(records, &chosen(records, metric)?);
    Ok(Compared {
        html: page::html(&beside)?,
        summary: brief::markdown(&beside),
        data: data::json(&beside),
        table: brief::table(&beside),
    })
}

/// Writes `index.html`, and beside it `summary.md` and `data.json`, each whole or not at all, and
/// returns the page's path.
///
/// # Errors
/// `CreateDir` and `Write`.
pub fn write_comparison(compared: &Compared, out_dir: &Path) -> Result<PathBuf, ReportError> {
    fs::create_dir_all(out_dir)
        .map_err(|source| ReportError::CreateDir { path: out_dir.to_path_buf(), source })?;
    replace(&out_dir.join("data.json"), compared.data.as_bytes())?;
    replace(&out_dir.join("summary.md"), compared.summary.as_bytes())?;
    let page = out_dir.join("index.html");
    replace(&page, compared.html.as_bytes())?;
    Ok(page)
}

fn check(records: &[SweepRecord]) -> Result<(), ReportError> {
    if !SWEEPS.contains(&records.len()) {
        return Err(ReportError::HowMany { found: records.len() });
    }
    let mut names = BTreeSet::new();
    for record in records {
        let name = &record.plan.name;
        if !names.insert(name) {
            return Err(ReportError::ComparedTwice { sweep: name.clone() });
        }
        crate::check(record)?;
        if record.runs.iter().all(|run| run.state != track::RunState::Completed) {
            return Err(ReportError::NothingCompleted { sweep: name.clone() });
        }
    }
    Ok(())
}

/// What every section looks at.
struct Beside<'a> {
    metric: Metric,
    /// In the order in which they were named.
    sweeps: Vec<Sweep<'a>>,
    matched: Matched,
    /// Index of the setting that sweeps are compared with: the baseline of the first that can be.
    reference: Option<usize>,
    evaluation: Evaluation,
    /// Over all data sets, or why not.
    pooled: Result<Vec<Pooled>, String>,
}

struct Sweep<'a> {
    subject: Subject<'a>,
    /// Of the metric that is compared.
    summary: Summary,
    /// It was declared to be judged by that metric.
    is_declared: bool,
    /// Why its verdicts are not set against those of others.
    apart: Option<Apart>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Apart {
    NoBaseline,
    /// Its better side is the other's worse.
    OtherGoal,
    OtherBaseline,
}

impl<'a> Beside<'a> {
    fn of(records: &'a [SweepRecord], metric: &str) -> Beside<'a> {
        let matched = Matched::of(&records.iter().collect::<Vec<_>>());
        let mut sweeps: Vec<Sweep<'a>> = records.iter().map(|it| Sweep::of(it, metric)).collect();
        let leading = sweeps
            .iter()
            .position(|it| it.is_declared && it.summary.baseline.is_some())
            .or_else(|| sweeps.iter().position(|it| it.summary.baseline.is_some()));
        let reference = leading.and_then(|leading| {
            let baseline = sweeps[leading].summary.baseline;
            matched.settings.iter().position(|it| it.cells[leading] == baseline)
        });
        let minimize = sweeps[leading.unwrap_or(0)].summary.minimize;
        for (at, sweep) in sweeps.iter_mut().enumerate() {
            let own = sweep.summary.baseline;
            sweep.apart = match reference.map(|it| matched.settings[it].cells[at]) {
                _ if own.is_none() => Some(Apart::NoBaseline),
                _ if sweep.summary.minimize != minimize => Some(Apart::OtherGoal),
                Some(cell) if cell != own => Some(Apart::OtherBaseline),
                _ => None,
            };
        }
        let mut beside = Beside {
            metric: Metric { minimize, ..metric::describe(metric) },
            evaluation: Evaluation::of(&sweeps, metric),
            sweeps,
            matched,
            reference,
            pooled: Ok(Vec::new()),
        };
        beside.pooled = across::pooled(&beside);
        beside
    }

    /// Sweeps whose verdicts can be set against each other; fewer than two of them are none.
    fn comparable(&self) -> Vec<usize> {
        let found: Vec<usize> =
            (0..self.sweeps.len()).filter(|&at| self.sweeps[at].apart.is_none()).collect();
        if found.len() < 2 { Vec::new() } else { found }
    }

    /// Settings but the reference that at least two comparable sweeps have, each with those sweeps.
    fn shared(&self) -> Vec<(&Setting, Vec<usize>)> {
        let comparable = self.comparable();
        let settings = self.matched.settings.iter().enumerate();
        settings
            .filter(|(at, _)| Some(*at) != self.reference)
            .map(|(_, setting)| {
                let has = |at: &usize| setting.cells[*at].is_some();
                (setting, comparable.iter().copied().filter(has).collect::<Vec<_>>())
            })
            .filter(|(_, sweeps)| sweeps.len() > 1)
            .collect()
    }

    /// Decimals of the metric, the same wherever it is written.
    fn places(&self) -> usize {
        let cells = self.sweeps.iter().flat_map(|sweep| &sweep.summary.cells);
        decimals(cells.filter_map(|cell| cell.estimate).map(|estimate| estimate.mean))
    }

    /// `A, B and C`, for HTML.
    fn names(&self, sweeps: &[usize]) -> String {
        let names: Vec<String> = sweeps.iter().map(|&at| self.sweeps[at].html_name()).collect();
        match names.as_slice() {
            [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
            few => few.concat(),
        }
    }
}

impl<'a> Sweep<'a> {
    fn of(record: &'a SweepRecord, metric: &str) -> Sweep<'a> {
        let subject = Subject::of(record);
        let is_declared = record.plan.metric.name == metric;
        let summary = match is_declared {
            true => subject.summary.clone(),
            false => unjudged(summary::summarise(record, metric)),
        };
        Sweep { subject, summary, is_declared, apart: None }
    }

    fn record(&self) -> &'a SweepRecord {
        self.subject.record
    }

    fn html_name(&self) -> String {
        format!("<em>{}</em>", crate::escape::esc(&self.record().plan.name))
    }

    fn verdict(&self, cell: usize) -> Option<Verdict> {
        self.summary.cells[cell].verdict()
    }

    /// The verdict in words, or why there is none.
    fn verdict_in_words(&self, cell: usize) -> &'static str {
        match self.verdict(cell) {
            _ if self.summary.baseline == Some(cell) => "reference",
            _ if self.summary.baseline.is_none() => "no baseline",
            Some(verdict) => verdict.words(),
            None if !self.is_declared => "not judged",
            None => "none yet",
        }
    }

    fn cell(&self, cell: usize) -> &CellSummary {
        &self.summary.cells[cell]
    }
}

/// A verdict is of the metric that was declared before looking; by any other there are figures alone.
fn unjudged(mut summary: Summary) -> Summary {
    for cell in &mut summary.cells {
        if let Some(Comparison::Judged(judgement)) = cell.comparison {
            cell.comparison = Some(Comparison::SoFar(judgement.contrast));
        }
    }
    summary
}

/// Colour and shape of a sweep, wherever it is drawn: the ink comes last, as no cell is the baseline
/// of all.
fn ink(sweep: usize) -> usize {
    (sweep + 1) % SERIES
}
