//! How a run is named on the command line, and what its newest checkpoint is.

use std::path::Path;

use anyhow::{Context, bail};
use runner::SavedRun;
use track::{RunDir, RunState, read_sweep_status};

use crate::commands::find;
use crate::places::Places;

/// A run's folder, as it is or below the runs folder; else `SWEEP/RUN`, with `RUN` an index of
/// `cyclelab ls SWEEP` or the beginning of a key.
pub(crate) fn run_at(address: &str, places: &Places) -> anyhow::Result<RunDir> {
    let folders = [Path::new(address).to_path_buf(), places.runs.join(address)];
    let mut folders = folders.into_iter().map(RunDir::new);
    if let Some(run) = folders.find(|it| it.run_json().is_file()) {
        return Ok(run);
    }
    let Some((sweep, run)) = address.trim_end_matches('/').rsplit_once('/') else {
        bail!("`{address}` is no run; name a run's folder or SWEEP/RUN, as in lambda/0");
    };
    // As the shell completes it: `runs/lambda/0`.
    let name = Path::new(sweep).strip_prefix(&places.runs).unwrap_or(Path::new(sweep));
    let sweep = read_sweep_status(&places.runs, &name.to_string_lossy())
        .with_context(|| format!("`{address}` is neither a run's folder nor SWEEP/RUN"))?;
    Ok(RunDir::new(find(&sweep, run)?.folder.clone()))
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
