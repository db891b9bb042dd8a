//! A sweep's folder that is this process's, and that goes again where it was made for nothing.

use std::fs;
use std::path::PathBuf;

use crate::durable;
use crate::error::TrackError;
use crate::layout::SweepDir;
use crate::lease::Claim;

/// From `claim_or_make()` to drop. A folder that it had to make is taken away again unless something
/// is kept in it.
#[derive(Debug)]
pub struct SweepClaim {
    sweep: SweepDir,
    /// What was made for it, the innermost first; to be taken away.
    made: Vec<PathBuf>,
    /// Last: whoever waits for the folder finds it as it is to be.
    claim: Claim,
}

impl SweepDir {
    /// As `claim`, also of a sweep that is new.
    ///
    /// # Errors
    /// `Held` names the owner; then nothing has changed.
    pub fn claim_or_make(&self) -> Result<SweepClaim, TrackError> {
        let root = self.path().parent().map(PathBuf::from);
        let folders = std::iter::once(self.path().to_owned()).chain(root);
        let made = folders.filter(|folder| !folder.exists()).collect();
        durable::create_dir(self.path())?;
        Ok(SweepClaim { sweep: self.clone(), made, claim: self.claim()? })
    }
}

impl SweepClaim {
    /// From here on the folder holds something.
    pub fn keep(&mut self) {
        self.made.clear();
    }

    /// # Errors
    /// As [`Claim::confirm`].
    pub fn confirm(&self) -> Result<(), TrackError> {
        self.claim.confirm()
    }
}

impl Drop for SweepClaim {
    fn drop(&mut self) {
        if self.made.is_empty() {
            return;
        }
        // What cannot be removed is an empty sweep, which does no harm. Another's folder is not touched.
        if self.claim.confirm().is_ok() {
            drop(fs::remove_dir_all(self.sweep.leases()));
            drop(fs::remove_file(self.sweep.lock_file()));
            self.made.iter().for_each(|folder| drop(fs::remove_dir(folder)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_was_made_for_nothing_goes_again() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("runs");
        let sweep = SweepDir::new(&root, "lambda").unwrap();
        let claim = sweep.claim_or_make().unwrap();
        let second = sweep.claim_or_make().unwrap_err();
        assert!(matches!(second, TrackError::Held { .. }), "{second}");
        assert!(sweep.path().is_dir(), "one that is refused takes nothing away");
        drop(claim);
        assert!(!root.exists());

        fs::create_dir(&root).unwrap();
        drop(sweep.claim_or_make().unwrap());
        assert!(root.is_dir() && !sweep.path().exists(), "what was there stays");

        sweep.claim_or_make().unwrap().keep();
        assert!(sweep.path().is_dir(), "kept");
        drop(sweep.claim_or_make().unwrap());
        assert!(sweep.path().is_dir(), "it was there before");
        assert!(sweep.expect_free().is_ok());
    }
}
