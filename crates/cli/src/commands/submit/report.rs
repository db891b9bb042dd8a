//! The report of a sweep that was sent: by the last job, or here where nothing is left to wait for.

use cluster::slurm::Client;
use spec::Slurm;
use track::SweepClaim;

use super::{Sending, absolute, slurm, this_program};
use crate::args::EngineArg;
use crate::commands::report::write_report;
use crate::engine::{Engine, View};
use crate::exit::Exit;

/// Of a sweep of which there is nothing to send: its plan is written all the same, and its report.
pub(super) fn alone(
    sending: &Sending<'_>,
    claim: &mut SweepClaim,
    slurm: &Slurm,
    engine: &Engine,
) -> anyhow::Result<Exit> {
    let prepared = &sending.begun.prepared;
    let name = sending.name();
    let is_done = prepared.asked().all(|index| prepared.runs[index].state.is_result());
    match is_done {
        true => say!("nothing to send: every run has its result"),
        false => say!("nothing to send: what has no result is being trained or queued"),
    }
    let waits_for = sending.view.arrays.values().max();
    let report = sending.view.reports.iter().find(|it| Some(&it.submission) >= waits_for);
    let by_job = sending.args.executor == EngineArg::Slurm && waits_for.is_some();
    if by_job && report.is_none() && !sending.args.no_report && !sending.args.dry_run {
        return slurm::send(sending, claim, slurm, engine.client());
    }
    sending.enlist(claim)?;
    say!("the plan is written");
    if sending.args.no_report || sending.args.dry_run {
        return Ok(Exit::Done);
    }
    match report {
        Some(report) => say!("job {} writes the report", report.job),
        None if is_done => {
            let record = track::read_sweep(&sending.places.runs, name)?;
            let page = write_report(&record, &sending.places.reports.join(name))?.page;
            say!("the report is written");
            tell!("{}", page.display());
        }
        None => say!("`cyclelab report {name}` writes the report once all have ended"),
    }
    Ok(Exit::Done)
}

/// What the job runs: the program and its arguments.
pub(super) fn command(sending: &Sending<'_>) -> anyhow::Result<Vec<String>> {
    let name = sending.name().to_string();
    let (runs, reports) = (absolute(&sending.places.runs)?, absolute(&sending.places.reports)?);
    let words = ["report".into(), name, "--runs".into(), runs, "--reports".into(), reports];
    Ok(std::iter::once(this_program()?).chain(words).collect())
}

/// An older one that still waits would be about less, and perhaps be written at the same moment.
pub(super) fn replace_older(view: &View, client: &Client, job: u64) {
    for older in view.reports.iter().filter(|it| it.waits) {
        match client.cancel(older.job) {
            Ok(()) => {
                say!("job {}, the older report, is cancelled: job {job} writes it", older.job)
            }
            Err(error) => say!("warning: job {}, the older report, stays: {error}", older.job),
        }
    }
}
