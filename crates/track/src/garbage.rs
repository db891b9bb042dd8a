//! What a store holds that nobody needs any more.
//!
//! Never the only copy of a result. Rows, events, samples and the newest checkpoint that verifies
//! stay in every case; what lies in the trash goes when that is asked for.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::checkpoint::{self, checkpoints_set_aside, newest_valid};
use crate::durable::TEMP_PREFIX;
use crate::error::TrackError;
use crate::index::sweeps;
use crate::layout::{RunDir, SweepDir};
use crate::record::RunState;
use crate::reproduction;
use crate::time;
use crate::trash::trash;

/// Some files beside the sweeps have no owner to ask; those this old have none any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Why something can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GarbageKind {
    /// What a killed process had not finished.
    Leftover,
    /// Of a run that has its result: older than the newest that verifies, or set aside.
    Checkpoint,
    /// A run that was trained once more to compare it, and kept.
    Reproduction,
    /// Removed before.
    Trash,
}

/// One file or folder that can go.
#[derive(Debug)]
pub struct Garbage {
    pub kind: GarbageKind,
    pub path: PathBuf,
    pub bytes: u64,
    owner: Owner,
}

/// Whose folder it is in, and must not be in use meanwhile.
#[derive(Debug, Clone)]
enum Owner {
    Run(RunDir),
    Sweep(SweepDir),
    Nobody,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Pile {
    pub garbage: Vec<Garbage>,
    /// Runs that no plan mentions, and their sizes: for a person to decide.
    pub orphans: Vec<(PathBuf, u64)>,
    /// Folders in use: what lies in them was not looked at.
    pub held: Vec<PathBuf>,
    /// What cannot be read, and why.
    pub unread: Vec<(PathBuf, String)>,
}

impl GarbageKind {
    pub const ALL: [GarbageKind; 4] = [
        GarbageKind::Leftover,
        GarbageKind::Checkpoint,
        GarbageKind::Reproduction,
        GarbageKind::Trash,
    ];
}

impl Pile {
    /// Looks and changes nothing. `trash`: also what was put into the trash, and reproductions that
    /// were kept, longer ago than that.
    pub fn find(runs_root: &Path, trash: Option<Duration>) -> Result<Pile, TrackError> {
        let mut pile = Pile::default();
        pile.look_beside_sweeps(runs_root, trash)?;
        let mut planned = BTreeSet::new();
        let sweeps = sweeps(runs_root)?;
        for sweep in &sweeps {
            match sweep.read_plan() {
                Ok((_, entries)) => {
                    planned.extend(entries.iter().map(|entry| runs_root.join(&entry.folder)));
                }
                Err(error) => pile.unread.push((sweep.plan(), error.to_string())),
            }
        }
        // A plan that cannot be read may mention any of them.
        let plans_known = pile.unread.is_empty();
        for sweep in &sweeps {
            pile.look_in_sweep(sweep)?;
            for run in sweep.run_folders()? {
                if plans_known && !planned.contains(run.path()) {
                    pile.orphans.push((run.path().to_owned(), size_of(run.path())));
                }
                pile.look_in_run(run);
            }
        }
        Ok(pile)
    }

    fn look_beside_sweeps(
        &mut self,
        runs_root: &Path,
        older_than: Option<Duration>,
    ) -> Result<(), TrackError> {
        for path in children(runs_root)? {
            let name = name_of(&path);
            if name.starts_with(TEMP_PREFIX) && is_older(&path, ABANDONED) {
                self.add(GarbageKind::Leftover, path, &Owner::Nobody);
            } else if name.starts_with(reproduction::PREFIX) {
                self.look_at_reproduction(path, older_than)?;
            }
        }
        let Some(older_than) = older_than else { return Ok(()) };
        let age = i64::try_from(older_than.as_micros()).unwrap_or(i64::MAX);
        let before = time::now_us().saturating_sub(age).max(0);
        // Names begin with the time, of fixed width: text order is time order.
        let before = time::rfc3339(before).replace(['-', ':'], "");
        for path in children(&trash(runs_root))? {
            let name = name_of(&path);
            if name.starts_with(TEMP_PREFIX) || is_stamped(&name) && name < before {
                self.add(GarbageKind::Trash, path, &Owner::Nobody);
            }
        }
        Ok(())
    }

    /// One without a last word was cut short.
    fn look_at_reproduction(
        &mut self,
        path: PathBuf,
        older_than: Option<Duration>,
    ) -> Result<(), TrackError> {
        let mut runs = Vec::new();
        for folder in children(&path)? {
            runs.extend(children(&folder)?.into_iter().map(RunDir::new));
        }
        if runs.iter().any(RunDir::is_held) {
            self.held.push(path);
            return Ok(());
        }
        let silent = |state| matches!(state, RunState::Planned | RunState::Lost { .. });
        let ended = runs.iter().any(|run| run.state().is_ok_and(|state| !silent(state)));
        let kind = if ended { GarbageKind::Reproduction } else { GarbageKind::Leftover };
        let wanted = if ended { older_than } else { Some(ABANDONED) };
        if wanted.is_some_and(|age| is_older(&path, age)) {
            self.add(kind, path, &Owner::Nobody);
        }
        Ok(())
    }

    fn look_in_sweep(&mut self, sweep: &SweepDir) -> Result<(), TrackError> {
        let folders = [sweep.path().to_owned(), sweep.history(), sweep.leases()];
        let mut temps = Vec::new();
        for folder in folders {
            temps.extend(children(&folder)?.into_iter().filter(|path| is_temp(path)));
        }
        if temps.is_empty() {
            return Ok(());
        }
        match sweep.expect_free() {
            Err(TrackError::Held { .. }) => self.held.push(sweep.path().to_owned()),
            Err(error) => self.unread.push((sweep.path().to_owned(), error.to_string())),
            Ok(()) => {
                let owner = Owner::Sweep(sweep.clone());
                temps.into_iter().for_each(|path| self.add(GarbageKind::Leftover, path, &owner));
            }
        }
        Ok(())
    }

    fn look_in_run(&mut self, run: RunDir) {
        if run.is_held() {
            self.held.push(run.path().to_owned());
            return;
        }
        let owner = Owner::Run(run.clone());
        for path in temps_below(run.path()) {
            self.add(GarbageKind::Leftover, path, &owner);
        }
        match superfluous_checkpoints(&run) {
            Ok(found) => {
                found.into_iter().for_each(|path| self.add(GarbageKind::Checkpoint, path, &owner));
            }
            Err(error) => self.unread.push((run.path().to_owned(), error.to_string())),
        }
    }

    fn add(&mut self, kind: GarbageKind, path: PathBuf, owner: &Owner) {
        let bytes = size_of(&path);
        self.garbage.push(Garbage { kind, path, bytes, owner: owner.clone() });
    }
}

impl Garbage {
    /// Deletes it.
    ///
    /// # Errors
    /// `Held` where somebody has begun to work there since; `Write`.
    pub fn remove(&self) -> Result<(), TrackError> {
        let _lock = match &self.owner {
            Owner::Run(run) => Some(run.lock()?),
            Owner::Sweep(sweep) => Some(sweep.lock()?),
            Owner::Nobody => None,
        };
        match fs::symlink_metadata(&self.path) {
            // Taking the lock may have cleared it away.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(TrackError::read(&self.path)(error)),
            Ok(it) if it.is_dir() => checkpoint::discard(&self.path),
            Ok(_) => fs::remove_file(&self.path).map_err(TrackError::write(&self.path)),
        }
    }
}

/// None while the run has no result, or none that verifies.
fn superfluous_checkpoints(run: &RunDir) -> Result<Vec<PathBuf>, TrackError> {
    if !run.state()?.is_result() {
        return Ok(vec![]);
    }
    let Some(newest) = newest_valid(run)?.found else { return Ok(vec![]) };
    let all = checkpoint::newest_first(run)?.into_iter();
    let mut found: Vec<_> =
        all.filter(|(step, _)| *step < newest.step).map(|(_, path)| path).collect();
    found.extend(checkpoints_set_aside(run)?);
    Ok(found)
}

/// Unfinished files and folders, wherever they lie below; what is in one is not listed again.
pub(crate) fn temps_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in children(folder).unwrap_or_default() {
        if is_temp(&path) {
            found.push(path);
        } else if path.is_dir() && !path.is_symlink() {
            found.extend(temps_below(&path));
        }
    }
    found
}

pub(crate) fn is_temp(path: &Path) -> bool {
    name_of(path).starts_with(TEMP_PREFIX)
}

/// As `Removal` names what it moves.
fn is_stamped(name: &str) -> bool {
    let time: Vec<u8> = name.bytes().take(9).collect();
    time.len() == 9 && time[8] == b'T' && time[..8].iter().all(u8::is_ascii_digit)
}

fn is_older(path: &Path, age: Duration) -> bool {
    let changed = fs::symlink_metadata(path).and_then(|it| it.modified());
    let passed = changed.map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
    passed.is_ok_and(|passed| passed >= age)
}

/// Bytes of all files below; a link counts as itself.
fn size_of(path: &Path) -> u64 {
    match fs::symlink_metadata(path) {
        Ok(it) if it.is_dir() => {
            children(path).unwrap_or_default().iter().map(|path| size_of(path)).sum()
        }
        Ok(it) => it.len(),
        Err(_) => 0,
    }
}

/// In name order. A folder that is not there has none.
fn children(folder: &Path) -> Result<Vec<PathBuf>, TrackError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
            return Ok(vec![]);
        }
        Err(error) => return Err(TrackError::read(folder)(error)),
    };
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>, std::io::Error>>()
        .map_err(TrackError::read(folder))?;
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
