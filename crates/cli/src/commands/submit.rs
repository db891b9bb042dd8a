mod hq;
mod report;
mod sender;
mod slurm;

use std::path::Path;

use anyhow::{Context, bail};
use cluster::commands::RunCommand;
use spec::{Devices, Plan, Retries};
use track::{Fate, SubmittedJob, SweepClaim, Work};

use crate::args::{EngineArg, SubmitArgs};
use crate::begun_sweep::{BegunSweep, announce, mind_the_mirror};
use crate::engine::{Engine, Finding, View};
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
    let slurm = executor.slurm();
    if args.executor == EngineArg::Slurm {
        slurm::mind_the_settings(&slurm)?;
    }
    // Before anything is looked at, and to the end: of two that submit at once one is told so.
    let mut claim = begun.claim()?;
    let mut engine = Engine::of_this_process();
    let view = engine.view_of(&begun.prepared.sweep, &begun.prepared.runs);
    mind_the_queue(args, &begun, &view)?;
    let keeps_other_code = begun.mind_the_code(&claim)?;
    announce(&begun.prepared);
    mind_the_mirror(&begun.prepared.plan, places);
    note_what_does_not_count(&begun.prepared.plan, args.executor);
    let to_send = to_send(&begun, &view);
    let further = further_arguments(&begun.prepared.plan, keeps_other_code);
    let sending = Sending {
        args,
        places,
        view: &view,
        command: run_command(
            begun.prepared.sweep.path(),
            places,
            begun.prepared.fingerprint(),
            further,
        )?,
        begun: &begun,
        to_send,
    };
    match args.executor {
        _ if sending.to_send.is_empty() => report::alone(&sending, &mut claim, &slurm, &engine),
        EngineArg::Slurm => slurm::send(&sending, &mut claim, &slurm, engine.client()),
        EngineArg::Hq => hq::send(&sending, &mut claim, executor.hq()),
    }
}

/// What is to be sent, and how a run is started there.
struct Sending<'a> {
    args: &'a SubmitArgs,
    places: &'a Places,
    begun: &'a BegunSweep,
    /// What is in the queue already.
    view: &'a View,
    /// In the order of the plan.
    to_send: Vec<usize>,
    command: RunCommand,
}

impl Sending<'_> {
    fn name(&self) -> &str {
        &self.begun.prepared.plan.name
    }

    /// From here on there is a sweep to come back to.
    fn enlist(&self, claim: &mut SweepClaim) -> anyhow::Result<()> {
        let BegunSweep { prepared, toml, invocation } = self.begun;
        runner::sweep::enlist(prepared, claim, toml, invocation)?;
        Ok(())
    }
}

/// Runs with a job must not get another one, and jobs must find the runs that they were sent for.
fn mind_the_queue(args: &SubmitArgs, begun: &BegunSweep, view: &View) -> anyhow::Result<()> {
    let name = &begun.prepared.plan.name;
    let has_work = begun.prepared.to_do().next().is_some();
    match &view.trouble {
        Some(trouble) if has_work && !args.dry_run => {
            bail!("cannot tell which runs of `{name}` have jobs: {trouble}")
        }
        // Nothing is sent, so nothing can be sent twice.
        trouble => trouble.iter().for_each(|trouble| say!("note: {trouble}")),
    }
    settle(args, begun, view)?;
    begun.expect_the_numbers_of(view)?;
    if !view.live.is_empty() && has_work && !args.resume && !args.dry_run {
        bail!(
            "{} of `{name}` in the queue: {}; `--resume` sends what these do not do",
            plural(view.live.len(), "job"),
            view.live.join(", ")
        );
    }
    Ok(())
}

/// Notes what the queue knows by now of jobs whose answer was lost. As long as it is not clear whether
/// it has one, nothing is sent.
fn settle(args: &SubmitArgs, begun: &BegunSweep, view: &View) -> anyhow::Result<()> {
    for job in &view.doubtful {
        let fate = match job.found {
            Finding::Taken(job_id) => Fate::Sent { job_id },
            Finding::Absent => Fate::Refused { why: "Slurm knows nothing of it".to_string() },
            Finding::Nothing if !args.dry_run => bail!(
                "{}; the same command asks again, and ten minutes after it was sent it counts as not sent",
                job.words()
            ),
            Finding::Nothing => Fate::Unsettled { why: job.why.clone() },
        };
        say!("note: {}", job.words());
        if !args.dry_run {
            begun.prepared.sweep.record_fate(job.submission, &job.name, &fate)?;
        }
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

/// What the file says and jobs of a cluster do not hear.
fn note_what_does_not_count(plan: &Plan, engine: EngineArg) {
    let limits = &plan.limits;
    let written = [
        ("limits.run_timeout", limits.run_timeout.is_some()),
        ("limits.stall_timeout", limits.stall_timeout.is_some()),
        ("limits.total_time", limits.total_time.is_some()),
        ("limits.max_failures", limits.max_failures.is_some() && engine == EngineArg::Slurm),
        ("limits.disk_free_min", limits.disk_free_min.is_some()),
        ("exec.retries", plan.exec.retries != Retries::default()),
    ];
    let names: Vec<&str> = written.iter().filter(|it| it.1).map(|it| it.0).collect();
    if !names.is_empty() {
        say!(
            "note: {} for `cyclelab sweep` alone; jobs have their time limit, and `--resume` tries again what failed",
            match names.as_slice() {
                [one] => format!("{one} is"),
                _ => format!("{} are", names.join(", ")),
            }
        );
    }
    // Inside a job they are that job's own.
    let wishes = std::env::vars_os().map(|(key, _)| key.to_string_lossy().into_owned());
    let wishes: Vec<String> = wishes.filter(|key| key.starts_with("SBATCH_")).collect();
    if engine == EngineArg::Slurm
        && !wishes.is_empty()
        && std::env::var_os("SLURM_JOB_ID").is_none()
    {
        say!("note: {} not passed on; [executor.slurm] says what jobs take", wishes.join(", "));
    }
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
    plan: String,
    further: Vec<String>,
) -> anyhow::Result<RunCommand> {
    let arguments = places.as_strict_arguments()?.into_iter().chain(further).collect();
    let (program, sweep_dir) = (this_program()?, absolute(sweep_dir)?);
    Ok(RunCommand { program, sweep_dir, plan, arguments })
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

/// One line a job that was taken.
fn print_jobs(jobs: &[SubmittedJob]) {
    for job in jobs {
        match (&job.fate, &job.work) {
            (Fate::Sent { job_id }, Work::Runs(array)) => {
                let most =
                    array.throttle.map_or(String::new(), |most| format!(", {most} at a time"));
                tell!("job {job_id}: runs {}{most} ({})", array.indices, job.script);
            }
            (Fate::Sent { job_id }, Work::Report) => {
                tell!("job {job_id}: the report, once all others have ended");
            }
            (Fate::Refused { .. } | Fate::Unsettled { .. }, _) => {}
        }
    }
}
