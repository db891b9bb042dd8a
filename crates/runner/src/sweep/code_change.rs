//! Runs that other code than the present has worked on.

use std::fs;
use std::path::Path;

use spec::OnCodeChange;
use track::{RunDir, RunState, SweepClaim, TrackError, read_run_status};

use crate::error::RunnerError;
use crate::prepare::PreparedSweep;

/// Runs finished or begun by other code than the present, under the sweep's rule for them.
///
/// `rerun` moves those of this sweep, which is this process's, aside, so that they are trained again.
///
/// # Errors
/// `Write` where a folder cannot be moved.
pub fn apply_code_change(
    prepared: &mut PreparedSweep,
    _claim: &SweepClaim,
    code: &str,
) -> Result<Vec<usize>, RunnerError> {
    let other: Vec<usize> = (0..prepared.runs.len())
        .filter(|&i| prepared.runs[i].state != RunState::Running)
        .filter(|&i| prepared.runs[i].code.as_deref().is_some_and(|it| it != code))
        .collect();
    if prepared.plan.exec.on_code_change == OnCodeChange::Rerun && !other.is_empty() {
        // Runs that other sweeps made are theirs to repeat.
        let own = |i: &&usize| prepared.runs[**i].folder.parent() == Some(prepared.sweep.path());
        for &i in other.iter().filter(own).collect::<Vec<_>>() {
            // One that has begun meanwhile is left alone.
            match RunDir::new(prepared.runs[i].folder.clone()).lock() {
                Ok(_lock) => set_aside(&prepared.runs[i].folder)?,
                Err(TrackError::Held { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            prepared.runs[i] = read_run_status(&prepared.runs_root, &prepared.entries[i]);
        }
    }
    Ok(other)
}

fn set_aside(folder: &Path) -> Result<(), RunnerError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let aside = (1..)
        .map(|n| folder.with_file_name(format!("{name}.old-{n}")))
        .find(|path| !path.exists())
        .expect("some number is free");
    fs::rename(folder, &aside).map_err(|source| RunnerError::Write { path: aside, source })
}
