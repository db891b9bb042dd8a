//! What is derived, written anew from the runs.

use track::{read_sweep, rebuild_index, sweeps, write_runs_parquet};

use crate::exit::Exit;
use crate::places::Places;
use crate::terminal::{plural, print_error};

pub(crate) fn reindex(places: &Places) -> anyhow::Result<Exit> {
    let mut exit = Exit::Done;
    for sweep in sweeps(&places.runs)? {
        let written = read_sweep(&places.runs, &sweep.name())
            .and_then(|record| write_runs_parquet(&sweep, &record).map(|()| record.runs.len()));
        match written {
            Ok(runs) => tell!("{}: {}", sweep.runs_parquet().display(), plural(runs, "run")),
            // One sweep that cannot be read does not keep the others from their table.
            Err(error) => {
                print_error(&error.into());
                exit = Exit::Failed;
            }
        }
    }
    let index = rebuild_index(&places.runs)?;
    tell!(
        "{}: {} of {}",
        index.path.display(),
        plural(index.runs, "run"),
        plural(index.sweeps, "sweep")
    );
    Ok(exit)
}
