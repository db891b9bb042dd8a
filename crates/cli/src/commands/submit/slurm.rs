//! Job arrays for Slurm, and the report as a job that waits for them.

use std::time::Duration;

use anyhow::{Context, bail};
use cluster::slurm::{ArrayPlan, ArrayScript, Client, ReportScript, lay_out};
use spec::{Requeue, Slurm, StopSignal};
use track::{SubmittedArray, SubmittedJob, SweepClaim, Work};

use super::sender::{Outgoing, Sender};
use super::{Sending, absolute, print_jobs, report};
use crate::exit::Exit;
use crate::terminal::shell_word;

/// What Slurm takes where it was not changed; for a dry run without a cluster.
const USUAL_ARRAY_SIZE: usize = 1001;

/// A controller that did not answer is asked so often whether it has the job.
const LOOKS: u32 = 3;

/// A script and what it is sent for.
struct Script {
    /// The job's; no other job has it.
    job_name: String,
    /// The file's.
    name: String,
    text: String,
    work: Work,
    /// Of an array: the earlier one, by position, after which it begins.
    after: Option<usize>,
}

pub(super) fn send(
    sending: &Sending<'_>,
    claim: &mut SweepClaim,
    slurm: &Slurm,
    client: &Client,
) -> anyhow::Result<Exit> {
    let sweep = &sending.begun.prepared.sweep;
    let number = sweep.next_exec()?;
    let scripts = scripts(sending, slurm, client, number)?;
    if !sending.args.dry_run {
        // Each may ask for something else; and one that is refused later leaves half a sweep behind.
        for script in &scripts {
            let refused = "the cluster would not take it; nothing was sent";
            client.check(&script.text).context(refused)?;
        }
    }
    sending.enlist(claim)?;
    sweep.make_exec(number)?;
    for script in &scripts {
        let path = sweep.keep_script(number, &script.name, &script.text)?;
        if sending.args.dry_run {
            tell!("# {}\n{}", path.display(), script.text);
        }
    }
    if sending.args.dry_run {
        say!("nothing was sent");
        return Ok(Exit::Done);
    }
    submit(sending, claim, client, number, &scripts)
}

/// What only two keys together say, which may stand in two files.
pub(super) fn mind_the_settings(slurm: &Slurm) -> anyhow::Result<()> {
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

/// Of all arrays, and of the report's job.
fn scripts(
    sending: &Sending<'_>,
    slurm: &Slurm,
    client: &Client,
    number: u32,
) -> anyhow::Result<Vec<Script>> {
    let sweep = &sending.begun.prepared.sweep;
    let folder = absolute(&sweep.exec(number))?;
    let token = sweep.submission_token();
    let job_name = |what: &str| format!("{}.{number}.{what}.{token}", sending.name());
    let mut scripts = Vec::new();
    // Without any, the report is sent alone.
    let plans = match sending.to_send.is_empty() {
        true => Vec::new(),
        false => plans(sending, slurm, client)?,
    };
    for (at, plan) in plans.iter().enumerate() {
        let (job_name, command) = (job_name(&(at + 1).to_string()), &sending.command);
        let script = ArrayScript { job_name: &job_name, folder: &folder, slurm, plan, command };
        scripts.push(Script {
            text: script.text()?,
            name: array_name(plans.len(), at),
            work: Work::Runs(noted(plan)),
            after: plan.after,
            job_name,
        });
    }
    if !sending.args.no_report {
        let (job_name, command) = (job_name("report"), report::command(sending)?);
        let script =
            ReportScript { job_name: &job_name, folder: &folder, slurm, command: &command };
        scripts.push(Script {
            text: script.text()?,
            name: "report.sbatch".to_string(),
            work: Work::Report,
            after: None,
            job_name,
        });
    }
    Ok(scripts)
}

fn array_name(arrays: usize, at: usize) -> String {
    match arrays {
        1 => "array.sbatch".to_string(),
        _ => format!("array-{}.sbatch", at + 1),
    }
}

fn noted(plan: &ArrayPlan) -> SubmittedArray {
    SubmittedArray {
        offset: plan.array.offset(),
        indices: plan.array.indices().to_string(),
        class: plan.array.class,
        throttle: plan.throttle,
        packed: plan.array.packed().iter().map(ToString::to_string).collect(),
    }
}

fn submit(
    sending: &Sending<'_>,
    claim: &SweepClaim,
    client: &Client,
    number: u32,
    scripts: &[Script],
) -> anyhow::Result<Exit> {
    let folder = sending.begun.prepared.sweep.exec(number);
    let mut sender = Sender::begin(sending, claim, "slurm", number)?;
    let mut jobs: Vec<u64> = Vec::new();
    for Script { job_name: name, name: script, work, after, .. } in scripts {
        let dependency = match work {
            Work::Runs(_) => after.map(|at| format!("afterany:{}", jobs[at])),
            Work::Report => after_all(sending.view.arrays.keys().chain(&jobs)),
        };
        let outgoing = Outgoing { name, script, work: work.clone() };
        let submit = || client.submit(&folder.join(script), dependency.as_deref());
        let job = sender.send(outgoing, submit, |name| look(client, name))?;
        match work {
            Work::Runs(_) => jobs.push(job),
            Work::Report => report::replace_older(sending.view, client, job),
        }
    }
    print_jobs(sender.jobs());
    say_how_to_follow(sending, number, &jobs, sender.jobs());
    Ok(Exit::Done)
}

fn after_all<'a>(jobs: impl Iterator<Item = &'a u64>) -> Option<String> {
    let jobs: Vec<String> = jobs.map(u64::to_string).collect();
    (!jobs.is_empty()).then(|| format!("afterany:{}", jobs.join(":")))
}

/// Whether the queue has a job whose answer was lost; its number. One that cannot be asked either is not
/// waited for.
fn look(client: &Client, name: &str) -> Option<u64> {
    for again in (0..LOOKS).rev() {
        match client.queue(&[name]).ok()?.first() {
            Some(queued) => return Some(queued.array),
            None if again > 0 => std::thread::sleep(Duration::from_secs(1)),
            None => {}
        }
    }
    None
}

fn say_how_to_follow(sending: &Sending<'_>, number: u32, arrays: &[u64], all: &[SubmittedJob]) {
    let logs = sending.begun.prepared.sweep.exec(number).display().to_string();
    say!("follow them: cyclelab status {}", sending.name());
    say!("scripts and logs: {}", shell_word(&logs));
    for job in arrays.iter().take(1) {
        say!("other numbers at a time: scontrol update JobId={job} ArrayTaskThrottle=N");
    }
    let all = all.iter().filter_map(SubmittedJob::job_id).map(|it| it.to_string());
    say!("end them: scancel {}", all.collect::<Vec<_>>().join(" "));
}
