//! How an open page comes to show what is new on disk, without a server.
//!
//! A page of a sweep that is at work asks, every few seconds, the script `live.js` beside it for the
//! stamp of the newest page, and loads itself again where that is not its own. A page may not read a
//! file next to it on disk, but it may run one. When the sweep has ended the script names no
//! page: the one that is open loads itself a last time and finds one that asks no more.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use track::SweepRecord;

use crate::{ReportError, Written, create_dir, write_as};

/// Beside the page, as long as it is live.
pub(crate) const NEWS_FILE: &str = "live.js";

/// The script where no page is live any more: the last page is newer than any that asks.
pub const LAST_NEWS: &str = "cyclelabNews(\"\", 0);\n";

/// In the head of a live page, for a reader without scripts.
pub(crate) const WITHOUT_SCRIPTS: &str =
    "\n<noscript><meta http-equiv=\"refresh\" content=\"60\"></noscript>";

/// What is in the page, in few letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp(String);

impl Stamp {
    pub(crate) fn of(parts: &[&str]) -> Stamp {
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        Stamp(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }

    /// What a reader sees of it, and stops it with.
    pub(crate) fn control(&self) -> String {
        format!(
            "\n<p class=\"live\" id=\"live\" data-stamp=\"{}\" hidden><label><input type=\"checkbox\" checked> \
             Live</label> <span role=\"status\"></span> <span class=\"written\"></span></p>",
            self.0
        )
    }

    /// What the script beside the page says.
    pub(crate) fn news(&self) -> News {
        News(self.0.clone())
    }
}

/// What the script beside a live page says: which page is the newest, and that somebody is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News(String);

impl News {
    /// As of `now`: a page that hears nothing newer for a while says so.
    pub fn script(&self, now: SystemTime) -> String {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        format!("cyclelabNews(\"{}\", {});\n", self.0, since.as_millis())
    }
}

/// Held by whoever refreshes a page, as long as it does.
const LOCK_FILE: &str = ".live.lock";

/// Writes one page again and again. While it is there, everybody's pages in that folder are live.
#[derive(Debug)]
pub struct Refresher {
    out_dir: PathBuf,
    /// Closing it lets go.
    _lock: File,
}

impl Refresher {
    /// `None` where another one is at it.
    ///
    /// # Errors
    /// `CreateDir` and `Write`.
    pub fn begin(out_dir: &Path) -> Result<Option<Refresher>, ReportError> {
        create_dir(out_dir)?;
        let path = out_dir.join(LOCK_FILE);
        let failed = |source| ReportError::Write { path: path.clone(), source };
        let lock = File::options().write(true).create(true).truncate(false).open(&path);
        let lock = lock.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Refresher { out_dir: out_dir.to_path_buf(), _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// # Errors
    /// Those of [`crate::write`].
    pub fn write(&self, record: &SweepRecord) -> Result<Written, ReportError> {
        write_as(record, &self.out_dir, true)
    }
}

impl Drop for Refresher {
    /// The news stay: with the last page they say that it is there. A lock file that cannot be removed
    /// is free all the same.
    fn drop(&mut self) {
        drop(fs::remove_file(self.out_dir.join(LOCK_FILE)));
    }
}

/// Whether somebody refreshes the page in that folder.
pub fn is_refreshed(out_dir: &Path) -> bool {
    let Ok(lock) = File::open(out_dir.join(LOCK_FILE)) else { return false };
    matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock))
}
