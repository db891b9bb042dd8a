mod hq;
mod slurm;

use std::path::Path;

use anyhow::{Context, bail};
use cluster::commands::RunCommand;
use spec::{Devices, Plan};
use track::{Submission, SubmittedArray, plan_fingerprint};

use crate::args::{EngineArg, SubmitArgs};
use crate::begun_sweep::{BegunSweep, announce, mind_the_mirror};
use crate::engine::{Engine, View};
use crate::exit::Exit;
use crate::places::Places;
use crate::site;
use crate::terminal::plural;

/// Sends what has no result yet to a cluster, and returns at once.
pub(crate) fn submit(args: &SubmitArgs, places: &Places) -> anyhow::Result<Exit> {
    let begun = BegunSweep::begin(&args.file, &args.only, places, |_| Ok(()))?;
    let Some(mut begun) = begun else { return Ok(Exit::Invalid) };
    let Some(executor) = site::executor(&begun.prepared.plan, args.site.as_deref())? else {
        return Ok(Exit::Invalid);
    };
    let mut engine = Engine::of_this_process();
    let view = match args.executor {
        EngineArg::Slurm => engine.view_of(&begun.prepared.sweep, &begun.prepared.runs),
        EngineArg::Hq => View::default(),
    };
    mind_the_queue(args, &begun, &view)?;
    let keeps_other_code = begun.mind_the_code()?;
    announce(&begun.prepared);
    mind_the_mirror(&begun.prepared.plan, places);
    let to_send = to_send(&begun, &view);
    if to_send.is_empty() {
        say!("nothing to send: every run has its result, or is being trained or queued");
        return Ok(Exit::Done);
    }
    let further = further_arguments(&begun.prepared.plan, keeps_other_code);
    let sweep_dir = begun.prepared.sweep.path();
    let sending = Sending {
        args,
        places,
        to_send,
        command: run_command(sweep_dir, places, further)?,
        begun: &begun,
    };
    match args.executor {
        EngineArg::Slurm => slurm::send(&sending, &executor.slurm(), engine.client()),
        EngineArg::Hq => hq::send(&sending, executor.hq()),
    }
}

/// What is to be sent, and how a run is started there.
struct Sending<'a> {
    args: &'a SubmitArgs,
    places: &'a Places,
    begun: &'a BegunSweep,
    /// In the order of the plan.
    to_send: Vec<usize>,
    command: RunCommand,
}

impl Sending<'_> {
    fn submission(&self, engine: &str, number: u32) -> Submission {
        let entries = &self.begun.prepared.entries;
        let plan = plan_fingerprint(entries.iter().map(|it| (it.index, it.key.as_str())));
        Submission::new(engine, number, plan, self.begun.invocation.argv.clone())
    }

    /// Before anything is printed: of a job that nobody knows of its runs would be sent twice.
    fn record(&self, submission: &Submission) -> anyhow::Result<()> {
        let sweep = &self.begun.prepared.sweep;
        sweep.record_submission(submission).with_context(|| {
            let jobs = submission.arrays.iter().map(|it| it.job_id.to_string());
            let jobs = jobs.chain(submission.report_job.map(|it| it.to_string()));
            let jobs: Vec<String> = jobs.collect();
            format!("sent and not recorded; cancel by hand: job {}", jobs.join(" "))
        })
    }
}

/// Runs with a job must not get another one.
fn mind_the_queue(args: &SubmitArgs, begun: &BegunSweep, view: &View) -> anyhow::Result<()> {
    let name = &begun.prepared.plan.name;
    match &view.trouble {
        // Nothing is sent, so nothing can be sent twice.
        Some(trouble) if args.dry_run => say!("note: {trouble}"),
        Some(trouble) => bail!("cannot tell which runs of `{name}` have jobs: {trouble}"),
        None => {}
    }
    if view.other_plan && !args.dry_run {
        bail!(
            "the file plans other runs than when jobs of `{name}` were sent that are still in the queue, and \
             those name runs by their number; end them first: scancel {}",
            view.live.join(" ")
        );
    }
    if !view.live.is_empty() && !args.resume && !args.dry_run {
        bail!(
            "{} of `{name}` in the queue: {}; `--resume` sends what these do not do",
            plural(view.live.len(), "job"),
            view.live.join(", ")
        );
    }
    Ok(())
}

fn to_send(begun: &BegunSweep, view: &View) -> Vec<usize> {
    let prepared = &begun.prepared;
    let has_job = |index: &usize| view.runs.get(index).is_some_and(|it| it.has_job());
    let open = prepared.to_do().filter(|&index| !prepared.is_unscored(index));
    // One that is being trained will say itself how it ended.
    let is_held = |index: &usize| prepared.runs[*index].state == track::RunState::Running;
    let (held, free): (Vec<usize>, Vec<usize>) =
        open.filter(|index| !has_job(index)).partition(is_held);
    if !held.is_empty() {
        say!("note: {} trained elsewhere just now, and not sent", plural(held.len(), "run"));
    }
    let unscored = prepared.to_do().filter(|&index| prepared.is_unscored(index)).count();
    if unscored > 0 {
        say!("note: `cyclelab sweep` scores finished runs again; they are not sent");
    }
    free
}

fn further_arguments(plan: &Plan, keeps_other_code: bool) -> Vec<String> {
    let mut further = Vec::new();
    match &plan.exec.devices {
        Devices::Auto => {}
        Devices::Cpu => further.extend(["--device", "cpu"]),
        // Which GPU a job has is the cluster's choice.
        Devices::Named(_) => {
            say!("note: exec.devices is for one machine; jobs take what they are given")
        }
    }
    if keeps_other_code {
        further.push("--allow-changed");
    }
    further.into_iter().map(String::from).collect()
}

/// How a run of this sweep is started from anywhere.
pub(crate) fn run_command(
    sweep_dir: &Path,
    places: &Places,
    further: Vec<String>,
) -> anyhow::Result<RunCommand> {
    let arguments = places.as_strict_arguments()?.into_iter().chain(further).collect();
    Ok(RunCommand { program: this_program()?, sweep_dir: absolute(sweep_dir)?, arguments })
}

/// By its path: a job starts long after this process is gone.
fn this_program() -> anyhow::Result<String> {
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    if !own.is_file() {
        bail!("this program's own file `{}` is not there any more", own.display());
    }
    absolute(&own)
}

/// As text that a script can hold.
fn absolute(path: &Path) -> anyhow::Result<String> {
    let path = std::path::absolute(path)
        .with_context(|| format!("cannot tell where `{}` is", path.display()))?;
    match path.to_str() {
        Some(text) => Ok(text.to_string()),
        None => bail!("`{}` is no text, and a script is", path.display()),
    }
}

/// One line a job.
fn print_jobs(submission: &Submission) {
    let line = |it: &SubmittedArray| {
        let most = it.throttle.map_or(String::new(), |most| format!(", {most} at a time"));
        tell!("job {}: runs {}{most} ({})", it.job_id, it.indices, it.script);
    };
    submission.arrays.iter().for_each(line);
    if let Some(job) = submission.report_job {
        tell!("job {job}: the report, once all others have ended");
    }
}
