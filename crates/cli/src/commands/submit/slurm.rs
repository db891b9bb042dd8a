//! Job arrays for Slurm, and the report as a job that waits for them.

use std::path::PathBuf;

use anyhow::{Context, bail};
use cluster::slurm::{ArrayPlan, ArrayScript, Client, ReportScript, lay_out};
use runner::sweep::enlist;
use spec::{Requeue, Slurm, StopSignal};
use track::SubmittedArray;

use super::{Sending, absolute, print_jobs, this_program};
use crate::exit::Exit;
use crate::terminal::shell_word;

/// What Slurm takes where it was not changed; for a dry run without a cluster.
const USUAL_ARRAY_SIZE: usize = 1001;

pub(super) fn send(sending: &Sending<'_>, slurm: &Slurm, client: &Client) -> anyhow::Result<Exit> {
    mind_the_signal(slurm)?;
    let plans = plans(sending, slurm, client)?;
    let prepared = &sending.begun.prepared;
    // Held to the end: of two that submit at once one is told so.
    let (_claim, _events) = enlist(prepared, &sending.begun.toml, &sending.begun.invocation)?;
    let number = prepared.sweep.new_exec()?;
    let folder = absolute(&prepared.sweep.exec(number))?;
    let scripts = write_scripts(sending, slurm, &plans, number, &folder)?;
    if sending.args.dry_run {
        for script in scripts.arrays.iter().chain(&scripts.report) {
            let text = std::fs::read_to_string(script)
                .with_context(|| format!("cannot read `{}`", script.display()))?;
            tell!("# {}\n{text}", script.display());
        }
        say!("nothing was sent");
        return Ok(Exit::Done);
    }
    // Each may ask for something else; and one that is refused later leaves half a sweep behind.
    for script in &scripts.arrays {
        client.check(script).context("the cluster would not take it; nothing was sent")?;
    }
    submit(sending, client, &plans, number, &scripts)
}

/// What only two keys together say, which may stand in two files.
fn mind_the_signal(slurm: &Slurm) -> anyhow::Result<()> {
    // TERM is how a job is cancelled: one that then puts itself back could not be ended.
    if slurm.requeue == Requeue::Itself && slurm.signal == StopSignal::Term {
        bail!(
            "`requeue = \"self\"` takes `signal = \"USR1\"` or \"USR2\" in [executor.slurm]: TERM also \
             comes when a job is cancelled"
        );
    }
    for class in 0..=slurm.classes.len() {
        let time = slurm.resources_of(class).time;
        if let Some(time) = time.filter(|time| time.seconds() <= slurm.grace.as_secs()) {
            bail!(
                "`grace` in [executor.slurm] is {} s, and a job's whole time is {time}: it would be told to \
                 stop before it has begun",
                slurm.grace.as_secs()
            );
        }
    }
    Ok(())
}

fn plans(sending: &Sending<'_>, slurm: &Slurm, client: &Client) -> anyhow::Result<Vec<ArrayPlan>> {
    let room = match client.max_array_size() {
        Ok(room) => room,
        Err(error) if sending.args.dry_run => {
            say!("note: {error}; arrays are made for MaxArraySize = {USUAL_ARRAY_SIZE}");
            USUAL_ARRAY_SIZE
        }
        Err(error) => return Err(error).context("cannot ask Slurm how large an array may be"),
    };
    let prepared = &sending.begun.prepared;
    let class = |&index: &usize| {
        let entry = &prepared.entries[index];
        let cell = &prepared.plan.cells[entry.cell];
        (index, slurm.class_of(&cell.config, entry.seed, &cell.label))
    };
    let runs: Vec<(usize, usize)> = sending.to_send.iter().map(class).collect();
    Ok(lay_out(&runs, slurm.runs_per_task, room, slurm.max_parallel))
}

struct Scripts {
    arrays: Vec<PathBuf>,
    report: Option<PathBuf>,
}

fn write_scripts(
    sending: &Sending<'_>,
    slurm: &Slurm,
    plans: &[ArrayPlan],
    number: u32,
    folder: &str,
) -> anyhow::Result<Scripts> {
    let sweep = &sending.begun.prepared.sweep;
    let job_name = sending.begun.prepared.plan.name.as_str();
    let mut arrays = Vec::new();
    for (at, plan) in plans.iter().enumerate() {
        let command = &sending.command;
        let text = ArrayScript { job_name, folder, slurm, plan, command }.text()?;
        arrays.push(sweep.keep_script(number, &array_name(plans.len(), at), &text)?);
    }
    let report = match sending.args.no_report {
        true => None,
        false => {
            let command = report_command(sending)?;
            let job_name = format!("{job_name}-report");
            let script =
                ReportScript { job_name: &job_name, folder, slurm, command: &command }.text()?;
            Some(sweep.keep_script(number, "report.sbatch", &script)?)
        }
    };
    Ok(Scripts { arrays, report })
}

fn array_name(arrays: usize, at: usize) -> String {
    match arrays {
        1 => "array.sbatch".to_string(),
        _ => format!("array-{}.sbatch", at + 1),
    }
}

fn report_command(sending: &Sending<'_>) -> anyhow::Result<Vec<String>> {
    let name = sending.begun.prepared.plan.name.clone();
    let (runs, reports) = (absolute(&sending.places.runs)?, absolute(&sending.places.reports)?);
    let words = ["report".into(), name, "--runs".into(), runs, "--reports".into(), reports];
    Ok(std::iter::once(this_program()?).chain(words).collect())
}

fn submit(
    sending: &Sending<'_>,
    client: &Client,
    plans: &[ArrayPlan],
    number: u32,
    scripts: &Scripts,
) -> anyhow::Result<Exit> {
    let mut submission = sending.submission("slurm", number);
    let mut refused = None;
    for (at, (plan, script)) in plans.iter().zip(&scripts.arrays).enumerate() {
        let after = plan.after.map(|at| format!("afterany:{}", submission.arrays[at].job_id));
        match client.submit(script, after.as_deref()) {
            Ok(job_id) => submission.arrays.push(SubmittedArray {
                job_id,
                offset: plan.array.offset(),
                indices: plan.array.indices().to_string(),
                class: plan.array.class,
                script: array_name(plans.len(), at),
                throttle: plan.throttle,
                packed: plan.array.packed().iter().map(ToString::to_string).collect(),
            }),
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    if refused.is_none()
        && let Some(script) = &scripts.report
    {
        let jobs: Vec<String> = submission.arrays.iter().map(|it| it.job_id.to_string()).collect();
        match client.submit(script, Some(&format!("afterany:{}", jobs.join(":")))) {
            Ok(job) => submission.report_job = Some(job),
            Err(error) => refused = Some(error),
        }
    }
    submission.trouble = refused.as_ref().map(ToString::to_string);
    if submission.arrays.is_empty() {
        let error = refused.expect("there is something to send, and nothing was");
        return Err(anyhow::Error::new(error).context("nothing was sent"));
    }
    sending.record(&submission)?;
    print_jobs(&submission);
    say_how_to_follow(sending, &submission);
    match refused {
        None => Ok(Exit::Done),
        Some(error) => {
            let name = &sending.begun.prepared.plan.name;
            Err(anyhow::Error::new(error).context(format!(
                "not all of `{name}` was sent; the jobs above are in the queue, and `--resume` sends the rest"
            )))
        }
    }
}

fn say_how_to_follow(sending: &Sending<'_>, submission: &track::Submission) {
    let prepared = &sending.begun.prepared;
    let jobs: Vec<String> = submission.arrays.iter().map(|it| it.job_id.to_string()).collect();
    let logs = prepared.sweep.exec(submission.number).display().to_string();
    say!("follow them: cyclelab status {}", prepared.plan.name);
    say!("scripts and logs: {}", shell_word(&logs));
    say!("other numbers at a time: scontrol update JobId={} ArrayTaskThrottle=N", jobs[0]);
    say!("end them: scancel {}", jobs.join(" "));
}
