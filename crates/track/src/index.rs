//! `runs/index.jsonl`: one line a run, over all sweeps, for a look with any tool. Derived: it can be
//! deleted and written again.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::durable;
use crate::error::TrackError;
use crate::layout::{RunDir, SweepDir};
use crate::plan::PlanEntry;
use crate::reader::{read_run, read_run_status};
use crate::record::{MetricRow, RunRecord, RunState};

/// What was written, and what could not be listed.
#[derive(Debug, PartialEq)]
pub struct Index {
    pub path: PathBuf,
    pub sweeps: usize,
    pub runs: usize,
    /// Plans that cannot be read, and why.
    pub unread: Vec<(PathBuf, String)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Line {
    sweep: String,
    index: usize,
    label: String,
    seed: u64,
    key: String,
    /// Relative to the runs root; another sweep's where it asked the same.
    folder: String,
    state: String,
    reason: Option<String>,
    attempts: u32,
    /// The last that was recorded.
    steps: Option<u64>,
    started_at: Option<String>,
    code: Option<String>,
    device: Option<String>,
    /// The sweep's primary metric and its last value: text where JSON has no such number.
    metric: String,
    value: Option<Value>,
}

/// Every sweep of a store, by name. A folder without a plan is none; nor is what is not named like
/// one, as the trash.
pub fn sweeps(runs_root: &Path) -> Result<Vec<SweepDir>, TrackError> {
    let entries = match fs::read_dir(runs_root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(TrackError::read(runs_root)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(TrackError::read(runs_root))?.file_name();
        let sweep = name.to_str().and_then(|name| SweepDir::new(runs_root, name).ok());
        found.extend(sweep.filter(|sweep| sweep.plan().is_file()));
    }
    found.sort_by(|a, b| a.path().cmp(b.path()));
    Ok(found)
}

/// Brings the index up to date. Lines of runs that have their result already are taken over: their
/// rows, the costly part, do not change any more.
pub fn write_index(runs_root: &Path) -> Result<Index, TrackError> {
    let text = fs::read_to_string(path_of(runs_root)).unwrap_or_default();
    // What cannot be read is written anew.
    write(runs_root, &Known::parse(&text).unwrap_or_default())
}

/// Writes the index from the runs alone.
pub fn rebuild_index(runs_root: &Path) -> Result<Index, TrackError> {
    write(runs_root, &Known::default())
}

/// What is wrong with an index.
#[derive(Debug, PartialEq)]
pub(crate) enum IndexFault {
    Unreadable(String),
    /// It says other things than the runs.
    Stale,
}

/// `None` where there is nothing wrong with it, or no index at all.
pub(crate) fn index_fault(runs_root: &Path) -> Result<Option<IndexFault>, TrackError> {
    let path = path_of(runs_root);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Ok(Some(IndexFault::Unreadable(error.to_string()))),
    };
    Ok(match Known::parse(&text) {
        Err(reason) => Some(IndexFault::Unreadable(reason)),
        Ok(known) => {
            let current = lines(runs_root, &known)?.text;
            (current != text).then_some(IndexFault::Stale)
        }
    })
}

/// Beside the sweeps.
pub(crate) fn path_of(runs_root: &Path) -> PathBuf {
    runs_root.join("index.jsonl")
}

fn write(runs_root: &Path, known: &Known) -> Result<Index, TrackError> {
    let Lines { text, sweeps, runs, unread } = lines(runs_root, known)?;
    let path = path_of(runs_root);
    durable::create_dir(runs_root)?;
    durable::replace(&path, text.as_bytes())?;
    Ok(Index { path, sweeps, runs, unread })
}

/// An index as it was, by sweep and number. Each line with its text: a number that is read and
/// written again need not be the same.
#[derive(Default)]
struct Known(BTreeMap<(String, usize), (Line, String)>);

impl Known {
    fn parse(text: &str) -> Result<Self, String> {
        let mut known = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let parsed: Line = serde_json::from_str(line)
                .map_err(|error| format!("line {}: {error}", number + 1))?;
            let key = (parsed.sweep.clone(), parsed.index);
            known.insert(key, (parsed, line.to_owned()));
        }
        Ok(Known(known))
    }

    /// The line with its rows, where it is of a result that has not changed since.
    fn of_result(&self, blank: &Line, state: &RunState) -> Option<&str> {
        let (before, text) = self.0.get(&(blank.sweep.clone(), blank.index))?;
        let same = Line { steps: None, value: None, ..before.clone() } == *blank;
        (same && state.is_result()).then_some(text)
    }
}

#[derive(Default)]
struct Lines {
    text: String,
    sweeps: usize,
    runs: usize,
    unread: Vec<(PathBuf, String)>,
}

fn lines(runs_root: &Path, known: &Known) -> Result<Lines, TrackError> {
    let mut lines = Lines::default();
    for sweep in sweeps(runs_root)? {
        let (plan, entries) = match sweep.read_plan() {
            Ok(read) => read,
            Err(error) => {
                lines.unread.push((sweep.plan(), error.to_string()));
                continue;
            }
        };
        let name = sweep.name();
        lines.sweeps += 1;
        lines.runs += entries.len();
        for entry in entries {
            let status = read_run_status(runs_root, &entry);
            let blank = Line::of(&name, &plan.metric.name, &entry, &status);
            match known.of_result(&blank, &status.state) {
                Some(text) => lines.text.push_str(text),
                None => {
                    let line = blank.with_rows(&read_run(runs_root, &entry).rows);
                    let text = serde_json::to_string(&line);
                    lines.text.push_str(&text.expect("strings and numbers are JSON"));
                }
            }
            lines.text.push('\n');
        }
    }
    Ok(lines)
}

impl Line {
    fn of(sweep: &str, metric: &str, entry: &PlanEntry, run: &RunRecord) -> Self {
        Line {
            sweep: sweep.to_owned(),
            index: entry.index,
            label: entry.label.clone(),
            seed: entry.seed,
            key: entry.key.clone(),
            folder: entry.folder.clone(),
            state: run.state.name().to_owned(),
            reason: run.state.reason().map(str::to_owned),
            attempts: run.attempts,
            steps: None,
            started_at: run.started_at.clone(),
            code: run.code.clone(),
            device: run.device.clone(),
            metric: metric.to_owned(),
            value: None,
        }
    }

    fn with_rows(self, rows: &[MetricRow]) -> Self {
        let steps = rows.iter().map(|row| row.step).max();
        let last = rows.iter().rev().find(|row| row.name == self.metric);
        Line { steps, value: last.map(|row| number(row.value)), ..self }
    }
}

/// As text where JSON has no such number.
fn number(value: f64) -> Value {
    if value.is_finite() { value.into() } else { value.to_string().into() }
}

impl SweepDir {
    /// The sweep's name, which is its folder's.
    pub fn name(&self) -> String {
        let name = self.path().file_name().expect("a sweep's folder has a name");
        name.to_string_lossy().into_owned()
    }

    /// Folders in this one that runs have begun in, by name, planned or not.
    pub(crate) fn run_folders(&self) -> Result<Vec<RunDir>, TrackError> {
        let folder = self.path();
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).map_err(TrackError::read(folder))? {
            let run = RunDir::new(entry.map_err(TrackError::read(folder))?.path());
            let begun = [run.run_json(), run.events(), run.metrics(), run.checkpoints()];
            if begun.iter().any(|it| it.exists()) {
                found.push(run);
            }
        }
        found.sort_by(|a, b| a.path().cmp(b.path()));
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
