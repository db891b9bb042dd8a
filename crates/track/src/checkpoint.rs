//! Checkpoints: folders that are whole or absent, proven by a manifest.
//!
//! Written under a temporary name, fsynced, renamed. Older ones go only after
//! the new one has been read back and verifies. No file says which is the
//! latest: names do, and a hint would have to be verified like any other.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::durable::{self, TEMP_PREFIX};
use crate::error::TrackError;
use crate::layout::RunDir;
use crate::lease::Claim;
use crate::manifest::{MANIFEST, Manifest, STATE, look, verify};
use crate::record::CheckpointRecord;

/// A checkpoint being written. Dropped without `commit`, it leaves nothing behind: half of one on a
/// full disk would keep the next from being written.
pub struct CheckpointDir {
    run: RunDir,
    key: String,
    step: u64,
    temp: PathBuf,
}

/// A checkpoint that verifies.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    pub step: u64,
    pub path: PathBuf,
    /// As given to `commit`.
    pub state: Value,
}

/// What there is to go on from.
#[derive(Debug, PartialEq)]
pub struct Restore<T> {
    pub found: Option<T>,
    /// Newer ones that cannot be used, and why; worth a warning each.
    pub rejected: Vec<(PathBuf, String)>,
}

impl CheckpointDir {
    /// Makes an empty folder for the caller's files, of about `bytes` together.
    ///
    /// # Errors
    /// `NoSpace` where less than twice that is free: what fills the disk meanwhile is not only this.
    /// `Fenced` where the run has another owner by now.
    pub fn begin(
        run: &RunDir,
        claim: &Claim,
        key: &str,
        step: u64,
        bytes: u64,
    ) -> Result<Self, TrackError> {
        claim.confirm()?;
        let name = format!("{TEMP_PREFIX}a{:02}-{step:08}", claim.attempt());
        let temp = run.checkpoints().join(name);
        remove_if_there(&temp)?;
        expect_space(&run.checkpoints(), bytes)?;
        durable::create_dir(&temp)?;
        Ok(CheckpointDir { run: run.clone(), key: key.to_owned(), step, temp })
    }

    /// Where to write the file of that name: no dot in front, and no folders inside a checkpoint.
    pub fn file(&self, name: &str) -> PathBuf {
        self.temp.join(name)
    }

    /// Seals the folder with `state.json` and the manifest and gives it its
    /// name; then removes all older ones but the newest, `keep` in all. Returns its path.
    ///
    /// Rows up to this step are sealed before, or a resume would lose them.
    ///
    /// # Errors
    /// `Fenced` where the run has another owner by now; then nothing is committed.
    pub fn commit(self, claim: &Claim, state: &Value, keep: usize) -> Result<PathBuf, TrackError> {
        let CheckpointDir { run, key, step, temp } = &self;
        let state_path = temp.join(STATE);
        fs::write(&state_path, durable::pretty_json(&state_path, state)?)
            .map_err(TrackError::write(&state_path))?;
        let manifest = Manifest::of(temp, key, *step)?;
        let manifest_path = temp.join(MANIFEST);
        fs::write(&manifest_path, manifest.text()).map_err(TrackError::write(&manifest_path))?;
        for name in manifest.names().chain([MANIFEST]) {
            let path = temp.join(name);
            File::open(&path).and_then(|file| file.sync_all()).map_err(TrackError::write(&path))?;
        }
        durable::sync_dir(temp)?;

        claim.confirm()?;
        let path = run.checkpoint(*step);
        if path.exists() {
            // The same step again: an equal one is as good as this one; one that is damaged, or
            // still owes what has been done since, makes room.
            if verify(&path, Some(key), *step).is_ok_and(|there| there == *state) {
                // The try that left it may have failed at this.
                durable::sync_dir(&run.checkpoints())?;
                return Ok(path);
            }
            discard(&path)?;
        }
        durable::rename(temp, &path)?;
        // What the disk did not keep may be kept at the next try.
        verify(&path, Some(key), *step)
            .map_err(|reason| TrackError::write(&path)(io::Error::other(reason)))?;
        prune(run, *step, keep)?;
        Ok(path)
    }
}

impl Drop for CheckpointDir {
    fn drop(&mut self) {
        // The owner's next claim clears away what cannot be removed now.
        let _ = remove_if_there(&self.temp);
    }
}

/// The newest checkpoint that verifies and that `load` takes: verified bytes may still not fit.
///
/// For the run's owner: where an older one is taken, those in front of it are set aside. Rows beyond
/// the one taken are taken back, so a later resume must not jump ahead to one that turns out to be
/// readable after all.
pub fn restore<T>(
    run: &RunDir,
    key: &str,
    mut load: impl FnMut(&Checkpoint) -> Result<T, String>,
) -> Result<Restore<(Checkpoint, T)>, TrackError> {
    let restore = newest(run, Some(key), |checkpoint| {
        let loaded = load(&checkpoint)?;
        Ok((checkpoint, loaded))
    })?;
    if restore.found.is_some() {
        restore.rejected.iter().try_for_each(|(path, _)| set_aside(path))?;
    }
    Ok(restore)
}

/// The newest checkpoint that verifies, for those who only look.
pub fn newest_valid(run: &RunDir) -> Result<Restore<Checkpoint>, TrackError> {
    newest(run, key_of(run)?.as_deref(), Ok)
}

/// Every checkpoint, newest first: its step, or what is wrong with it. A folder that cannot be
/// listed stands for what is in it.
pub fn check_checkpoints(run: &RunDir, key: &str) -> Vec<(PathBuf, Result<u64, String>)> {
    let found = match newest_first(run) {
        Ok(found) => found,
        Err(error) => return vec![(run.checkpoints(), Err(error.to_string()))],
    };
    let check = |(step, path): (u64, PathBuf)| {
        let checked = verify(&path, Some(key), step).map(|_| step);
        (path, checked)
    };
    found.into_iter().map(check).collect()
}

/// Every checkpoint by its manifest, oldest first; no weights are read.
pub(crate) fn list(run: &RunDir, key: &str) -> Result<Vec<CheckpointRecord>, TrackError> {
    let mut found = Vec::new();
    for (step, path) in newest_first(run)?.into_iter().rev() {
        let record = match look(&path, Some(key), step) {
            Ok(manifest) => CheckpointRecord {
                step,
                bytes: Some(manifest.bytes()),
                files: manifest.names().count(),
                wrong: None,
            },
            // A live run removes older ones while we look.
            Err(_) if !path.exists() => continue,
            Err(reason) => CheckpointRecord { step, bytes: None, files: 0, wrong: Some(reason) },
        };
        found.push(record);
    }
    Ok(found)
}

/// Takes all checkpoints out of sight, for a run that starts from scratch.
pub fn set_aside_checkpoints(run: &RunDir) -> Result<(), TrackError> {
    newest_first(run)?.iter().try_for_each(|(_, path)| set_aside(path))
}

/// What `restore` and `set_aside_checkpoints` took out of sight; nothing reads it any more.
pub fn checkpoints_set_aside(run: &RunDir) -> Result<Vec<PathBuf>, TrackError> {
    let mut found = entries(&run.checkpoints())?;
    found.retain(|path| path.extension().is_some_and(|it| it == ASIDE));
    found.sort();
    Ok(found)
}

/// Removes all but the newest `keep` that verify. Damaged ones newer than those stay: they do no
/// harm, and are evidence.
pub fn keep_newest(run: &RunDir, keep: usize) -> Result<(), TrackError> {
    let key = key_of(run)?;
    let mut kept = 0;
    for (step, path) in newest_first(run)? {
        if kept >= keep {
            discard(&path)?;
        } else if verify(&path, key.as_deref(), step).is_ok() {
            kept += 1;
        }
    }
    Ok(())
}

const ASIDE: &str = "rejected";

/// After a commit. What lies beyond its step is no newer state of this run: it is neither counted
/// nor removed.
fn prune(run: &RunDir, step: u64, keep: usize) -> Result<(), TrackError> {
    let found = newest_first(run)?;
    let older = found.iter().filter(|(older, _)| *older < step);
    older.skip(keep.saturating_sub(1)).try_for_each(|(_, path)| discard(path))
}

fn newest<T>(
    run: &RunDir,
    key: Option<&str>,
    mut take: impl FnMut(Checkpoint) -> Result<T, String>,
) -> Result<Restore<T>, TrackError> {
    let mut rejected = vec![];
    for (step, path) in newest_first(run)? {
        let taken = verify(&path, key, step)
            .and_then(|state| take(Checkpoint { step, path: path.clone(), state }));
        match taken {
            Ok(found) => return Ok(Restore { found: Some(found), rejected }),
            Err(reason) => rejected.push((path, reason)),
        }
    }
    Ok(Restore { found: None, rejected })
}

fn key_of(run: &RunDir) -> Result<Option<String>, TrackError> {
    Ok(run.read_identity()?.map(|identity| identity.key))
}

pub(crate) fn newest_first(run: &RunDir) -> Result<Vec<(u64, PathBuf)>, TrackError> {
    let step = |path: &Path| path.file_name()?.to_str()?.strip_prefix("step-")?.parse().ok();
    let mut found: Vec<(u64, PathBuf)> = entries(&run.checkpoints())?
        .into_iter()
        .filter_map(|path| Some((step(&path)?, path)))
        .filter(|(step, path)| run.checkpoint(*step) == *path)
        .collect();
    found.sort_by_key(|(step, _)| std::cmp::Reverse(*step));
    Ok(found)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, TrackError> {
    match fs::read_dir(dir) {
        Ok(entries) => entries
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<_, std::io::Error>>()
            .map_err(TrackError::read(dir)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(vec![]),
        Err(error) => Err(TrackError::read(dir)(error)),
    }
}

fn expect_space(dir: &Path, bytes: u64) -> Result<(), TrackError> {
    durable::create_dir(dir)?;
    let stats = fs4::statvfs(dir).map_err(TrackError::read(dir))?;
    let (needed, free) = (bytes.saturating_mul(2), stats.available_space());
    // Some file systems over a network do not say how large they are.
    if stats.total_space() > 0 && free < needed {
        return Err(TrackError::NoSpace { path: dir.to_owned(), needed, free });
    }
    Ok(())
}

pub(crate) fn set_aside(path: &Path) -> Result<(), TrackError> {
    let aside = path.with_extension(ASIDE);
    remove_if_there(&aside)?;
    durable::rename(path, &aside)
}

/// Out of sight first: a removal cut short must not look like a damaged checkpoint.
pub(crate) fn discard(path: &Path) -> Result<(), TrackError> {
    let name = path.file_name().expect("listed by name").to_string_lossy();
    let temp = path.with_file_name(format!("{TEMP_PREFIX}old-{name}"));
    remove_if_there(&temp)?;
    durable::rename(path, &temp)?;
    remove_if_there(&temp)
}

/// A folder, or whatever else has its name.
fn remove_if_there(path: &Path) -> Result<(), TrackError> {
    let removed = match fs::remove_dir_all(path) {
        Err(error) if error.kind() == ErrorKind::NotADirectory => fs::remove_file(path),
        removed => removed,
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(TrackError::write(path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
