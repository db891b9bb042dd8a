//! The owner of a run or of a sweep: the kernel's lock, and a lease that beats.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Found, Lease, OWNERS, Timing, newest_number, wait_until_free, write_in_place};
use crate::durable;
use crate::error::TrackError;
use crate::layout::{RunDir, SweepDir};
use crate::lock::{self, FolderLock};

/// Makes this process the only writer of a folder, from `claim()` to drop.
#[derive(Debug)]
pub struct Claim {
    leases: PathBuf,
    lease: Lease,
    heart: Option<Heart>,
    /// Last: whoever waits for it finds the lease released.
    _lock: FolderLock,
}

impl RunDir {
    /// Makes this process the run's only writer, under a new attempt's number, and clears away what
    /// a killed predecessor had not finished. Whether the run is finished is asked before: a number
    /// is used up by every claim.
    ///
    /// Takes up to a minute where the last owner ran on another machine and left without a word.
    ///
    /// # Errors
    /// `Held` names the owner; then nothing has changed.
    pub fn claim(&self) -> Result<Claim, TrackError> {
        durable::create_dir(self.path())?;
        let lock = lock::take(&self.lock_file())?;
        let claim = Claim::win(lock, &self.leases(), || self.attempts(), &OWNERS)?;
        self.clear_temps();
        Ok(claim)
    }

    /// The number that `claim` would give now, also in a folder made before there were leases.
    pub fn next_attempt(&self) -> Result<u32, TrackError> {
        Ok(newest_number(&self.leases())?.max(self.attempts()?).saturating_add(1))
    }
}

impl SweepDir {
    /// Makes this process the sweep's only scheduler, as `RunDir::claim` does for a run. The number
    /// counts claims, not invocations: what changes a sweep without invoking it claims it too.
    ///
    /// # Errors
    /// `Held` names the owner; then nothing has changed.
    pub fn claim(&self) -> Result<Claim, TrackError> {
        let lock = lock::take(&self.lock_file())?;
        let claim = Claim::win(lock, &self.leases(), || Ok(0), &OWNERS)?;
        for folder in [self.path().to_owned(), self.history(), self.leases()] {
            lock::clear_temps(&folder);
        }
        Ok(claim)
    }
}

impl Claim {
    pub(super) fn win(
        lock: FolderLock,
        leases: &Path,
        minimum: impl FnOnce() -> Result<u32, TrackError>,
        timing: &Timing,
    ) -> Result<Claim, TrackError> {
        let last = wait_until_free(leases, timing)?.max(minimum()?);
        let lease = Lease::of_this_process(last.saturating_add(1));
        let path = lease.path(leases);
        durable::create_dir(leases)?;
        // Whole or absent, and never in place of another's: of two that found the folder free, the
        // file system picks one.
        if let Err(error) = durable::create(&path, &lease.text()) {
            return Err(match Found::newest(leases)? {
                // Made, and its name perhaps not on the disk: nobody may wait for this process.
                Some(found) if found.lease.as_ref() == Some(&lease) => {
                    lease.release(leases);
                    error
                }
                Some(found) if found.attempt >= lease.attempt => found.held(),
                _ => error,
            });
        }
        let mut claim = Claim { leases: leases.to_owned(), lease, heart: None, _lock: lock };
        claim.heart = Some(Heart::start(&path, &claim.lease, timing.beat)?);
        Ok(claim)
    }

    /// Counted from 1, never given twice.
    pub fn attempt(&self) -> u32 {
        self.lease.attempt
    }

    /// Clears away what could not be removed when its time came, as on a disk that was busy.
    /// The owner's next claim would do the same.
    pub fn tidy(&self, run: &RunDir) -> Result<(), TrackError> {
        self.confirm()?;
        run.clear_temps();
        Ok(())
    }

    /// Asked right before anything is committed. A process stopped between this answer and the
    /// commit is beyond any file system's help, so the two lie close together.
    ///
    /// # Errors
    /// `Fenced` once another process has taken over.
    pub fn confirm(&self) -> Result<(), TrackError> {
        if newest_number(&self.leases)? == self.lease.attempt {
            return Ok(());
        }
        // Without its lease the folder is another, or none: it was moved away.
        let by = Found::newest(&self.leases)?
            .map_or("whoever moved the folder".to_owned(), |found| {
                format!("attempt {}, {}", found.attempt, found.owner())
            });
        let (path, attempt) = (self.lease.path(&self.leases), self.lease.attempt);
        Err(TrackError::Fenced { path, attempt, by })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        drop(self.heart.take());
        if self.confirm().is_ok() {
            self.lease.release(&self.leases);
        }
    }
}

/// The thread that writes a lease anew.
#[derive(Debug)]
struct Heart {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Heart {
    fn start(path: &Path, lease: &Lease, every: Duration) -> Result<Heart, TrackError> {
        let (stop, stopped) = mpsc::channel();
        let (at, text) = (path.to_owned(), lease.text());
        let thread = thread::Builder::new()
            .name("lease".to_owned())
            .spawn(move || beat(&at, &text, every, &stopped))
            .map_err(TrackError::write(path))?;
        Ok(Heart { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("a heart only waits and writes");
        }
    }
}

/// A beat that fails is no error: the next may not, and a takeover is what `confirm` looks for.
fn beat(path: &Path, text: &[u8], every: Duration, stopped: &Receiver<()>) {
    while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        let _ = write_in_place(path, text);
    }
}
