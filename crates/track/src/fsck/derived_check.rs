//! What is derived from the runs: a table a sweep and one index. Both can be written anew.

use std::fs;
use std::io::{Cursor, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use polars::prelude::{DataFrame, ParquetReader, PolarsResult, SerReader};

use super::{Checkup, Examination, Fsck, Level};
use crate::error::TrackError;
use crate::index::{IndexFault, index_fault, path_of, rebuild_index};
use crate::layout::SweepDir;
use crate::plan::PlanEntry;
use crate::reader::{read_run_status, read_sweep};
use crate::runs_table::write_runs_parquet;

const STALE: &str = "not what the runs say now; `cyclelab reindex` writes it anew";

/// A table that is not there is none that is wrong.
pub(super) fn check_table(
    fsck: &Fsck<'_>,
    sweep: &SweepDir,
    entries: &[PlanEntry],
    found: &mut Examination,
) {
    let path = sweep.runs_parquet();
    let listed = match fs::read(&path) {
        Ok(bytes) => read_table(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        Err(error) => Err(error.to_string()),
    };
    let current: Vec<Fate> = entries
        .iter()
        .map(|entry| {
            let run = read_run_status(fsck.runs_root, entry);
            (run.key, run.state.name().to_owned(), run.attempts)
        })
        .collect();
    let write = || {
        write_runs_parquet(sweep, &read_sweep(fsck.runs_root, &sweep.name())?)?;
        Ok("written anew".to_owned())
    };
    match listed {
        Err(reason) => found.mend(Level::Repairable, &path, reason, write),
        Ok(listed) if listed != current => found.mend(Level::Note, &path, STALE, write),
        Ok(_) => {}
    }
}

/// A run's key, its state and its attempts.
type Fate = (String, String, u32);

fn read_table(bytes: Vec<u8>) -> Result<Vec<Fate>, String> {
    // Parquet decoders trust lengths within a page; polars panics on some that lie.
    let read = catch_unwind(AssertUnwindSafe(|| {
        ParquetReader::new(Cursor::new(bytes)).finish().and_then(|frame| fates(&frame))
    }));
    match read {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_) => Err("the decoder gave up".to_owned()),
    }
}

fn fates(frame: &DataFrame) -> PolarsResult<Vec<Fate>> {
    let keys = frame.column("key")?.str()?;
    let states = frame.column("state")?.str()?;
    let attempts = frame.column("attempts")?.u32()?;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let rows = keys.iter().zip(states.iter()).zip(attempts.iter());
    Ok(rows.map(|((key, state), n)| (text(key), text(state), n.unwrap_or(0))).collect())
}

pub(super) fn check_index(fsck: &Fsck<'_>) -> Checkup {
    let mut found = Examination::new(fsck.runs_root, fsck.repair);
    let path = path_of(fsck.runs_root);
    let write = || rewrite(fsck.runs_root);
    match index_fault(fsck.runs_root) {
        Ok(None) => {}
        Ok(Some(IndexFault::Stale)) => found.mend(Level::Note, &path, STALE, write),
        Ok(Some(IndexFault::Unreadable(reason))) => {
            found.mend(Level::Repairable, &path, reason, write);
        }
        Err(error) => found.damaged(&path, error.to_string()),
    }
    found.checkup
}

fn rewrite(runs_root: &Path) -> Result<String, TrackError> {
    rebuild_index(runs_root)?;
    Ok("written anew".to_owned())
}
