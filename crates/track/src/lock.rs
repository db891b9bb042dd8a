//! One owner per folder, known to the kernel.
//!
//! The lock lives as long as its process: a pid in a file suffers reuse, a
//! heartbeat gives false alarms. Locks of some network file systems are not
//! to be trusted: `lease` is for those.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::durable::{self, TEMP_PREFIX};
use crate::error::TrackError;
use crate::layout::{RunDir, SweepDir};
use crate::lease;
use crate::provenance::host_name;
use crate::time;

/// Held from `lock()` to drop, or to the end of the process, however it ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

/// What the lock file says about its owner, for the message only.
#[derive(Serialize, Deserialize)]
struct Owner {
    host: String,
    pid: u32,
    since: String,
}

impl RunDir {
    /// Makes this process the only writer of the run's folder for a moment, without an attempt of
    /// its own, and clears away what a killed predecessor had not finished.
    ///
    /// # Errors
    /// `Held` names the owner.
    pub fn lock(&self) -> Result<FolderLock, TrackError> {
        durable::create_dir(self.path())?;
        let lock = take(&self.lock_file())?;
        lease::expect_free(&self.leases())?;
        self.clear_temps();
        Ok(lock)
    }

    /// Only for the folder's owner: to others these are files being written.
    pub(crate) fn clear_temps(&self) {
        let folders = [
            self.path().to_owned(),
            self.leases(),
            self.metrics(),
            self.superseded(),
            self.checkpoints(),
            self.samples(),
            self.provenance(1),
        ];
        for folder in folders {
            clear_temps(&folder);
        }
        // Later attempts' provenance lies in folders of its own, and so do the samples of a step.
        for folder in [self.provenance(1), self.samples()] {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                clear_temps(&entry.path());
            }
        }
    }

    /// Whether some process holds the folder now, as far as a reader can tell.
    pub(crate) fn is_held(&self) -> bool {
        matches!(self.expect_free(), Err(TrackError::Held { .. }))
    }

    /// How long ago the newest owner last gave a sign of life, by this machine's clock; `None` where
    /// there never was one. Only to be shown: nothing that is written hangs on it.
    pub fn silent_for(&self) -> Result<Option<Duration>, TrackError> {
        lease::silence(&self.leases())
    }

    /// # Errors
    /// `Held` names the owner: of the lock, or of a lease that beats on a machine whose lock cannot
    /// be seen from here.
    pub fn expect_free(&self) -> Result<(), TrackError> {
        expect_free(&self.lock_file())?;
        lease::expect_free_to_reader(&self.leases())
    }
}

impl SweepDir {
    /// For short work on the sweep's own files.
    ///
    /// # Errors
    /// `Held` names the owner.
    pub fn lock(&self) -> Result<FolderLock, TrackError> {
        let lock = take(&self.lock_file())?;
        lease::expect_free(&self.leases())?;
        Ok(lock)
    }

    /// # Errors
    /// `Held` names the owner.
    pub fn expect_free(&self) -> Result<(), TrackError> {
        expect_free(&self.lock_file())?;
        lease::expect_free_to_reader(&self.leases())
    }
}

pub(crate) fn take(path: &Path) -> Result<FolderLock, TrackError> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(TrackError::write(path))?;
    // A reader asking who runs holds the lock for an instant; that is no owner.
    const TRIES: u32 = 10;
    for attempt in 1.. {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if attempt < TRIES => sleep(Duration::from_millis(20)),
            Err(TryLockError::WouldBlock) => {
                return Err(TrackError::Held { path: path.to_owned(), owner: owner(&mut file) });
            }
            // As on Lustre mounted without `flock`: there the lease alone decides.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => break,
            // ENOLCK: a network file system without a lock daemon.
            Err(TryLockError::Error(error)) if error.raw_os_error() == Some(37) => break,
            Err(TryLockError::Error(error)) => return Err(TrackError::write(path)(error)),
        }
    }
    let owner =
        Owner { host: host_name(), pid: std::process::id(), since: time::rfc3339(time::now_us()) };
    let text = serde_json::to_vec(&owner).expect("plain strings and a number are JSON");
    // For a message only: a full disk must not keep `rm` from making room.
    let _ = file.set_len(0).and_then(|()| file.write_all(&text));
    Ok(FolderLock { _file: file })
}

fn owner(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    match read.ok().and_then(|_| serde_json::from_str::<Owner>(&text).ok()) {
        Some(owner) => format!("process {} on {} since {}", owner.pid, owner.host, owner.since),
        None => "another process".to_owned(),
    }
}

/// Asks with a shared lock, so that several askers do not take each other for owners.
fn expect_free(path: &Path) -> Result<(), TrackError> {
    let Ok(mut file) = File::open(path) else { return Ok(()) };
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {
            Err(TrackError::Held { path: path.to_owned(), owner: owner(&mut file) })
        }
        _ => Ok(()),
    }
}

/// A leftover that cannot be removed does no harm: no reader looks at it.
pub(crate) fn clear_temps(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMP_PREFIX) {
            let path = entry.path();
            let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_names_the_owner_and_ends_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::new(dir.path().join("run"));
        assert!(!run.is_held());
        let lock = run.lock().unwrap();
        assert!(run.is_held());
        let Err(TrackError::Held { owner, .. }) = run.lock() else { panic!("locked twice") };
        assert!(owner.contains(&format!("process {} on ", std::process::id())), "{owner}");
        drop(lock);
        assert!(!run.is_held());
        run.lock().unwrap();
    }

    #[test]
    fn a_reader_that_looks_is_not_an_owner() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::new(dir.path().to_owned());
        drop(run.lock().unwrap());
        let reader = File::open(run.lock_file()).unwrap();
        reader.try_lock_shared().unwrap();
        assert!(!run.is_held());
        let waiting = std::thread::spawn(move || run.lock().map(drop));
        sleep(Duration::from_millis(50));
        drop(reader);
        waiting.join().unwrap().unwrap();
    }

    #[test]
    fn leftovers_of_a_killed_owner_are_cleared() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::new(dir.path().to_owned());
        fs::create_dir_all(run.checkpoints().join(".tmp-a01-00000010")).unwrap();
        fs::create_dir_all(run.checkpoint(5)).unwrap();
        fs::create_dir_all(run.metrics()).unwrap();
        fs::write(run.metrics().join(".tmp-x1"), b"half").unwrap();
        run.lock().unwrap();
        assert_eq!(fs::read_dir(run.metrics()).unwrap().count(), 0);
        assert_eq!(fs::read_dir(run.checkpoints()).unwrap().count(), 1);
    }
}
