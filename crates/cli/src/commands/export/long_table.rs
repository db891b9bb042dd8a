//! All values of a sweep in one CSV table, a row a value.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use track::{CellRecord, RunRecord, SweepRecord};

use crate::exit::Exit;
use crate::terminal::plural;

pub(super) fn write(record: &SweepRecord, path: &Path) -> anyhow::Result<Exit> {
    // `/dev/stdout` and its like are written to: a rename would take their place.
    let is_stream = fs::symlink_metadata(path).is_ok_and(|found| !found.is_file());
    let rows = match is_stream {
        true => File::create(path).and_then(|out| table(record, out)),
        false => whole_or_not(record, path),
    };
    let rows = rows.with_context(|| format!("cannot write `{}`", path.display()))?;
    if !is_stream {
        tell!("{}: {}", path.display(), plural(rows, "row"));
    }
    Ok(Exit::Done)
}

fn whole_or_not(record: &SweepRecord, path: &Path) -> io::Result<usize> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tmp-");
    // The crate's own default of 0600 would lock colleagues out.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let beside = builder.tempfile_in(folder)?;
    let rows = table(record, beside.as_file())?;
    beside.persist(path).map_err(|error| error.error)?;
    Ok(rows)
}

/// Returns the number of rows, the header aside.
fn table(record: &SweepRecord, out: impl Write) -> io::Result<usize> {
    let mut table = csv::Writer::from_writer(out);
    let leaves = varying(&record.plan.cells);
    let header = ["run", "cell", "seed"].into_iter().chain(leaves.iter().copied());
    table.write_record(header.chain(["split", "step", "epoch", "name", "value"]))?;
    for run in &record.runs {
        let of_run = of_run(run, &record.plan.cells[run.cell], &leaves);
        for row in &run.rows {
            let (step, epoch) = (row.step.to_string(), row.epoch.to_string());
            // As few digits as give the same number back; `NaN` and `inf` where it is that.
            let value = format!("{:?}", row.value);
            let of_row = [row.split.as_str(), &step, &epoch, &row.name, &value];
            table.write_record(of_run.iter().map(String::as_str).chain(of_row))?;
        }
    }
    table.flush()?;
    Ok(record.runs.iter().map(|run| run.rows.len()).sum())
}

/// Leaves in order of appearance: an axis with a condition varies in some cells only.
fn varying(cells: &[CellRecord]) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    let leaves = cells.iter().flat_map(|cell| &cell.settings).map(|(leaf, _)| leaf.as_str());
    leaves.filter(|leaf| seen.insert(*leaf)).collect()
}

/// The fields that a run's rows share.
fn of_run(run: &RunRecord, cell: &CellRecord, leaves: &[&str]) -> Vec<String> {
    let value = |leaf: &&str| {
        let setting = cell.settings.iter().find(|(name, _)| name == leaf);
        setting.map(|(_, value)| spec::show(value)).unwrap_or_default()
    };
    let mut fields = vec![run.key.clone(), cell.label.clone(), run.seed.to_string()];
    fields.extend(leaves.iter().map(value));
    fields
}
