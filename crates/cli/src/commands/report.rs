use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Context;
use report::Written;
use report::summary::{Counts, summarise};
use runner::Stop;
use stats::SeedPower;
use track::{SweepDir, SweepRecord};

use crate::args::ReportArgs;
use crate::exit::Exit;
use crate::live_report::LiveReport;
use crate::places::Places;
use crate::signals::{self, Asked};
use crate::terminal::{number, plural, table};

/// Writes the report and `runs.parquet` from what has been recorded so far, and prints the path. A
/// store that may only be read is reported all the same.
pub(crate) fn report(args: &ReportArgs, places: &Places) -> anyhow::Result<Exit> {
    let sweep = SweepDir::new(&places.runs, &args.sweep)?;
    let out = args.out.clone().unwrap_or_else(|| places.reports.join(&args.sweep));
    if args.live {
        follow(args, places, &out)?;
    }
    let mut record = track::read_sweep(&places.runs, &args.sweep)?;
    if let Err(error) = track::write_runs_parquet(&sweep, &record) {
        say!("warning: {error}; the report does without, programs that read that table cannot");
    }
    let mut written = write_report(&record, &out)?;
    if written.is_live && !report::is_refreshed(&out) {
        // It ended meanwhile, and this page may have replaced the last one.
        record = track::read_sweep(&places.runs, &args.sweep)?;
        written = write_report(&record, &out)?;
    }
    tell!("{}", written.page.display());
    Ok(Exit::Done)
}

/// Refreshes the page until every run has ended, or a signal ends it. A store on a network may be away
/// for a while.
fn follow(args: &ReportArgs, places: &Places, out: &Path) -> anyhow::Result<()> {
    let is_final = |record: SweepRecord| Counts::of(&record.runs).is_final();
    let mut ended = is_final(track::read_sweep_status(&places.runs, &args.sweep)?);
    let stop = Arc::new(Stop::default());
    signals::listen(&stop, Asked::Run, |_| {})?;
    let say = |line: &str| say!("{line}");
    let live = LiveReport::start(&places.runs, &args.sweep, out.to_path_buf(), say);
    let mut looked = Instant::now();
    while !ended && !stop.requested() {
        sleep(Duration::from_millis(200));
        if looked.elapsed() > Duration::from_secs(10) {
            ended = track::read_sweep_status(&places.runs, &args.sweep).is_ok_and(is_final);
            looked = Instant::now();
        }
    }
    live.end();
    Ok(())
}

/// What is missing in it is said.
pub(crate) fn write_report(record: &SweepRecord, out: &Path) -> anyhow::Result<Written> {
    for run in &record.runs {
        for (path, reason) in &run.damaged {
            say!("warning: `{}` is left out: {reason}", path.display());
        }
    }
    let name = &record.plan.name;
    let written = report::write(record, out)
        .with_context(|| format!("cannot write the report of `{name}`"))?;
    for (path, reason) in &written.problems {
        say!("warning: `{}` is not shown as it is: {reason}", path.display());
    }
    Ok(written)
}

/// The primary metric by cell, as the report's table has it.
pub(crate) fn print_results(record: &SweepRecord) {
    let metric = &record.plan.metric;
    let summary = summarise(record, &metric.name);
    let interval = |it: &report::summary::Sample| match it.interval {
        Some(it) => format!("[{}, {}]", number(it.lower), number(it.upper)),
        None => String::new(),
    };
    let row = |(index, cell): (usize, &report::summary::CellSummary)| {
        let mark = match (summary.baseline == Some(index), summary.best == Some(index)) {
            (true, true) => "baseline, best",
            (true, false) => "baseline",
            (false, true) => "best",
            (false, false) => "",
        };
        let missing = || "—".to_string();
        vec![
            record.plan.cells[index].label.clone(),
            match cell.without_value {
                0 => format!("{}/{}", cell.runs.completed, cell.runs.planned),
                without => format!(
                    "{}/{} ({without} without a value)",
                    cell.runs.completed, cell.runs.planned
                ),
            },
            cell.estimate.as_ref().map_or_else(missing, |it| number(it.mean)),
            cell.estimate.as_ref().map(interval).unwrap_or_default(),
            cell.difference().map(|it| format!("{:+.4}", it.mean)).unwrap_or_default(),
            cell.verdict().map(|it| it.words().to_string()).unwrap_or_default(),
            mark.to_string(),
        ]
    };
    let rows: Vec<_> = summary.cells.iter().enumerate().map(row).collect();
    let caveat = caveat(record).map(|it| format!("; {it}")).unwrap_or_default();
    let better = if metric.minimize { "lower is better" } else { "higher is better" };
    let header = ["cell", "runs", metric.name.as_str(), "95% interval", "− baseline", "", ""];
    say!("\n{}\n({better}; mean over seeds{caveat})\n", table(&header, &rows));
}

/// Said where the seeds are too few for any of the comparisons with the baseline to be a claim.
fn caveat(record: &SweepRecord) -> Option<String> {
    let contrasts = record.plan.cells.iter().filter(|cell| !cell.baseline).count();
    let power = SeedPower::of(record.plan.seeds.len(), contrasts, stats::Level::default());
    let (seeds, comparisons) = (plural(power.n, "seed"), plural(power.planned, "comparison"));
    let words = match power.needed {
        Some(needed) => format!("{seeds} for illustration, a test of {comparisons} takes {needed}"),
        None => format!("no number of seeds carries {comparisons}"),
    };
    (!power.is_enough()).then_some(words)
}
