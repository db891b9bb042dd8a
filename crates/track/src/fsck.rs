//! Reading all that a store holds, to say by path what is wrong, and mending what can be mended.
//!
//! Without `repair` nothing is changed. With it nothing is deleted but unfinished files: what cannot
//! be read is renamed, and what is derived is written anew. A run that somebody works on is left
//! alone: what is on its way looks damaged to others.

mod checkpoint_check;
mod derived_check;
mod metric_check;
mod run_check;
mod sample_check;
mod text_check;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::durable;
use crate::error::TrackError;
use crate::index::sweeps;
use crate::layout::{RunDir, SweepDir};
use crate::plan::PlanEntry;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth knowing.
    Note,
    /// A repair leaves the store as good as it can be.
    Repairable,
    /// Something is lost, or must be decided by a person.
    Damaged,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub level: Level,
    pub path: PathBuf,
    pub what: String,
    /// What was done about it.
    pub repaired: Option<String>,
}

impl Finding {
    /// Neither a note nor mended.
    pub fn is_open(&self) -> bool {
        self.level != Level::Note && self.repaired.is_none()
    }
}

/// What was looked at in one place, and what was found.
#[derive(Debug, Default, PartialEq)]
pub struct Checkup {
    /// A run's folder, a sweep's, or the store's.
    pub folder: PathBuf,
    pub runs: usize,
    pub rows: usize,
    pub checkpoints: usize,
    pub samples: usize,
    /// Somebody works on it: nothing was looked at.
    pub in_use: bool,
    pub findings: Vec<Finding>,
}

/// How to look.
pub struct Fsck<'a> {
    pub runs_root: &'a Path,
    pub repair: bool,
    /// The text of a configuration's `config.toml`; `None` where it is not one of this version.
    pub config_toml: &'a dyn Fn(&Value) -> Option<String>,
}

impl Fsck<'_> {
    /// All sweeps with all their runs, and what is derived from all of them.
    pub fn check_store(&self) -> Result<Vec<Checkup>, TrackError> {
        let planned = self.planned()?;
        let mut checkups = Vec::new();
        let mut checked = BTreeSet::new();
        for sweep in sweeps(self.runs_root)? {
            self.check_sweep_once(&sweep, planned.as_ref(), &mut checked, &mut checkups)?;
        }
        checkups.push(derived_check::check_index(self));
        Ok(checkups)
    }

    /// One sweep: its own files, the runs it plans wherever they lie, and those in its folder that
    /// it does not plan.
    pub fn check_sweep(&self, sweep: &SweepDir) -> Result<Vec<Checkup>, TrackError> {
        let planned = self.planned()?;
        let mut checkups = Vec::new();
        let mut checked = BTreeSet::new();
        self.check_sweep_once(sweep, planned.as_ref(), &mut checked, &mut checkups)?;
        Ok(checkups)
    }

    /// One run by its folder.
    pub fn check_run(&self, run: &RunDir) -> Checkup {
        run_check::check(self, run, None)
    }

    fn check_sweep_once(
        &self,
        sweep: &SweepDir,
        planned: Option<&BTreeSet<PathBuf>>,
        checked: &mut BTreeSet<PathBuf>,
        checkups: &mut Vec<Checkup>,
    ) -> Result<(), TrackError> {
        let mut own = Examination::new(sweep.path(), self.repair);
        let entries = run_check::check_sweep_files(sweep, &mut own);
        let at = checkups.len();
        let folder = |entry: &PlanEntry| self.runs_root.join(&entry.folder);
        let by_folder: BTreeMap<PathBuf, &PlanEntry> =
            entries.iter().flatten().map(|entry| (folder(entry), entry)).collect();
        let lying_here = sweep.run_folders()?.into_iter().map(|run| run.path().to_owned());
        let folders: BTreeSet<PathBuf> = by_folder.keys().cloned().chain(lying_here).collect();
        for folder in folders {
            if !folder.is_dir() || !checked.insert(folder.clone()) {
                continue;
            }
            if planned.is_some_and(|planned| !planned.contains(&folder)) {
                own.note(&folder, "no plan mentions this run");
            }
            let entry = by_folder.get(&folder).copied();
            checkups.push(run_check::check(self, &RunDir::new(folder), entry));
        }
        let in_use = checkups[at..].iter().any(|checkup| checkup.in_use);
        if let Some(entries) = entries.filter(|_| !in_use) {
            derived_check::check_table(self, sweep, &entries, &mut own);
        }
        checkups.insert(at, own.checkup);
        Ok(())
    }

    /// Folders that some plan mentions; `None` where a plan cannot be read that may mention others.
    fn planned(&self) -> Result<Option<BTreeSet<PathBuf>>, TrackError> {
        let mut planned = BTreeSet::new();
        for sweep in sweeps(self.runs_root)? {
            let Ok((_, entries)) = sweep.read_plan() else { return Ok(None) };
            planned.extend(entries.iter().map(|entry| self.runs_root.join(&entry.folder)));
        }
        Ok(Some(planned))
    }
}

/// A look at one folder.
struct Examination {
    repair: bool,
    checkup: Checkup,
}

impl Examination {
    fn new(folder: &Path, repair: bool) -> Self {
        Examination { repair, checkup: Checkup { folder: folder.to_owned(), ..Checkup::default() } }
    }

    /// Somebody works in the folder: whatever was found there may be halves of two states.
    fn in_use(mut self, error: &TrackError) -> Checkup {
        self.checkup = Checkup { folder: self.checkup.folder, ..Checkup::default() };
        self.checkup.in_use = true;
        let folder = self.checkup.folder.clone();
        self.note(&folder, not_checked(error));
        self.checkup
    }

    fn note(&mut self, path: &Path, what: impl Into<String>) {
        self.add(Level::Note, path, what.into(), None);
    }

    fn damaged(&mut self, path: &Path, what: impl Into<String>) {
        self.add(Level::Damaged, path, what.into(), None);
    }

    /// `action` mends it, and says what it did.
    fn mend(
        &mut self,
        level: Level,
        path: &Path,
        what: impl Into<String>,
        action: impl FnOnce() -> Result<String, TrackError>,
    ) {
        let what = what.into();
        match self.repair.then(action) {
            None => self.add(level, path, what, None),
            Some(Ok(done)) => self.add(level, path, what, Some(done)),
            Some(Err(error)) => {
                self.add(Level::Damaged, path, format!("{what}; the repair failed: {error}"), None);
            }
        }
    }

    fn add(&mut self, level: Level, path: &Path, what: String, repaired: Option<String>) {
        self.checkup.findings.push(Finding { level, path: path.to_owned(), what, repaired });
    }
}

fn not_checked(error: &TrackError) -> String {
    match error {
        TrackError::Held { owner, .. } => format!("in use by {owner}; not checked"),
        other => format!("{}; not checked", in_words(other)),
    }
}

/// Renames what cannot be used, and never over anything else.
fn set_aside(path: &Path) -> Result<String, TrackError> {
    let aside = aside_of(path);
    durable::rename(path, &aside)?;
    Ok(renamed(&aside))
}

fn aside_of(path: &Path) -> PathBuf {
    let first = path.with_added_extension("damaged");
    let others = (2..).map(|n| path.with_added_extension(format!("{n}.damaged")));
    std::iter::once(first).chain(others).find(|it| !it.exists()).expect("some number is free")
}

fn renamed(to: &Path) -> String {
    format!("renamed to {}", to.file_name().unwrap_or_default().to_string_lossy())
}

/// The reason alone: the path stands beside it.
fn in_words(error: &TrackError) -> String {
    match error {
        TrackError::Damaged { reason, .. } => reason.clone(),
        TrackError::Read { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
