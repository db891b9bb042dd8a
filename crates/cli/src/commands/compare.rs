use std::path::PathBuf;

use anyhow::Context;
use track::SweepRecord;

use crate::args::CompareArgs;
use crate::exit::Exit;
use crate::places::Places;
use crate::terminal::table;

/// Writes the comparison of what has been recorded so far; prints its table, then the page's path.
pub(crate) fn compare(args: &CompareArgs, places: &Places) -> anyhow::Result<Exit> {
    let records = args.sweeps.iter().map(|name| recorded(name, places));
    let records = records.collect::<anyhow::Result<Vec<SweepRecord>>>()?;
    let compared = report::compare(&records, args.metric.as_deref())
        .with_context(|| format!("cannot compare {}", args.sweeps.join(" and ")))?;
    let head: Vec<&str> = compared.table.head.iter().map(String::as_str).collect();
    say!("\n{}\n(− baseline: each sweep's own)\n", table(&head, &compared.table.rows));
    let out = args.out.clone().unwrap_or_else(|| default_folder(&args.sweeps, places));
    let page = report::write_comparison(&compared, &out).context("cannot write the comparison")?;
    tell!("{}", page.display());
    Ok(Exit::Done)
}

/// All that there is of a sweep so far; what of it cannot be read is named.
fn recorded(sweep: &str, places: &Places) -> anyhow::Result<SweepRecord> {
    let record = track::read_sweep(&places.runs, sweep).with_context(|| {
        format!("cannot compare `{sweep}`; `cyclelab ls` lists the sweeps that are there")
    })?;
    for run in &record.runs {
        for (path, reason) in &run.damaged {
            say!("warning: `{}` is left out: {reason}", path.display());
        }
    }
    Ok(record)
}

/// A sweep of the name `compare` has files in the same folder, and no folder of such a name.
fn default_folder(sweeps: &[String], places: &Places) -> PathBuf {
    places.reports.join("compare").join(report::Compared::folder_name(sweeps))
}
