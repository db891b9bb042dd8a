//! How a run is named on the command line, and what it is: its newest checkpoint, its records.

use std::path::Path;

use anyhow::{Context, bail};
use runner::SavedRun;
use track::{RunDir, RunState, SweepRecord, read_sweep, read_sweep_status};

use crate::commands::find;
use crate::places::Places;

/// A run's folder, as it is or below the runs folder; else `SWEEP/RUN`, with `RUN` an index of
/// `cyclelab ls SWEEP` or the beginning of a key.
pub(crate) fn run_at(address: &str, places: &Places) -> anyhow::Result<RunDir> {
    if let Some(run) = folder_at(address, places) {
        return Ok(run);
    }
    let (sweep, run) = split(address, places)?;
    let sweep = read_sweep_status(&places.runs, &sweep).with_context(|| neither(address))?;
    Ok(RunDir::new(find(&sweep, &run)?.folder.clone()))
}

/// The same run's sweep, with all rows, and the run's key.
pub(crate) fn recorded_at(address: &str, places: &Places) -> anyhow::Result<(SweepRecord, String)> {
    let Some(run) = folder_at(address, places) else {
        let (sweep, run) = split(address, places)?;
        let sweep = read_sweep(&places.runs, &sweep).with_context(|| neither(address))?;
        let key = find(&sweep, &run)?.key.clone();
        return Ok((sweep, key));
    };
    let identity = run.read_identity()?.with_context(|| neither(address))?;
    // Its sweep lies around it, wherever the runs folder is.
    let folder = std::path::absolute(run.path())?;
    let runs = folder.ancestors().nth(2).with_context(|| neither(address))?;
    Ok((read_sweep(runs, &identity.sweep)?, identity.key))
}

fn folder_at(address: &str, places: &Places) -> Option<RunDir> {
    let folders = [Path::new(address).to_path_buf(), places.runs.join(address)];
    folders.into_iter().map(RunDir::new).find(|it| it.run_json().is_file())
}

/// `SWEEP/RUN`, also as the shell completes it: `runs/lambda/0`.
fn split(address: &str, places: &Places) -> anyhow::Result<(String, String)> {
    let Some((sweep, run)) = address.trim_end_matches('/').rsplit_once('/') else {
        bail!("`{address}` is no run; name a run's folder or SWEEP/RUN, as in lambda/0");
    };
    let name = Path::new(sweep).strip_prefix(&places.runs).unwrap_or(Path::new(sweep));
    Ok((name.to_string_lossy().into_owned(), run.to_string()))
}

fn neither(address: &str) -> String {
    format!("`{address}` is neither a run's folder nor SWEEP/RUN")
}

/// Opens the run's newest checkpoint and says which it is.
pub(crate) fn open_and_say(run: &RunDir) -> anyhow::Result<SavedRun> {
    let run = SavedRun::open(run)?;
    for (path, reason) in &run.rejected {
        say!("warning: checkpoint `{}` is not used: {reason}", path.display());
    }
    let (id, step) = (&run.identity, run.step);
    let state = match &run.state {
        RunState::Completed => "finished".to_string(),
        other => format!("not finished ({})", other.name()),
    };
    say!("{}, seed {} of {}: step {step}, {state}", id.label, id.seed, id.sweep);
    Ok(run)
}
