mod requeue;

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use cluster::Indices;
use runner::run::{Invocation, Request};
use runner::{ComputeDevice, Outcome, RunnerError, Stop, TrainEvent};

use crate::args::{ProgressKind, RunArgs};
use crate::commands::sweep::invocation;
use crate::dashboard::Dashboard;
use crate::exit::Exit;
use crate::places::Places;
use crate::signals::{self, Asked};
use crate::sweep_progress::RunProgress;
use crate::terminal::print_by_class;

/// Trains one run of a planned sweep, or several one after another; the exit code says how it ended.
pub(crate) fn run(args: &RunArgs, places: &Places) -> anyhow::Result<Exit> {
    let indices = indices(args)?;
    let stop = Arc::new(Stop::default());
    signals::listen(&stop, Asked::Run, |level| {
        say!("{}", if level == 1 { "stopping after this step; saving" } else { "still saving" });
    })?;
    if args.stop_with_stdin {
        signals::stop_with_stdin(&stop);
    }
    let invocation = invocation();
    let mut worst = Exit::Done;
    for (at, &index) in indices.iter().enumerate() {
        // Those that had no turn are left to the same command, as one that was stopped half way.
        let ended = match at > 0 && stop.requested() {
            true => Exit::Interrupted,
            false => train(index, args, places, &invocation, &stop)?,
        };
        worst = worst.worse(ended);
        if ended == Exit::Interrupted {
            break;
        }
    }
    if let Some(rule) = args.requeue.filter(|_| worst == Exit::Interrupted) {
        requeue::this_job(rule, args.max_requeues, stop.is_out_of_time());
    }
    Ok(worst)
}

/// Each once, in the order they were given.
fn indices(args: &RunArgs) -> anyhow::Result<Vec<usize>> {
    let of_variable: Option<Indices> = match &args.index_env {
        None => None,
        Some(name) => {
            let text = std::env::var(name).with_context(|| format!("cannot read ${name}"))?;
            let parsed = text.parse::<Indices>().map_err(anyhow::Error::msg);
            Some(parsed.with_context(|| format!("${name} says no run's index"))?)
        }
    };
    let mut indices: Vec<usize> = Vec::new();
    for index in args.index.iter().chain(&of_variable).flat_map(Indices::iter) {
        if !indices.contains(&index) {
            indices.push(index);
        }
    }
    Ok(indices)
}

fn train(
    index: usize,
    args: &RunArgs,
    places: &Places,
    invocation: &Invocation,
    stop: &Arc<Stop>,
) -> anyhow::Result<Exit> {
    let mut observe = observer(args.progress, stop);
    let outcome = device(&args.device).and_then(|device| {
        let request = Request {
            sweep_dir: &args.sweep_dir,
            index,
            plan: args.plan.as_deref(),
            store: &places.store(),
            device,
            invocation,
            stop,
            fresh: args.fresh,
            allow_changed: args.allow_changed,
        };
        runner::run::run(&request, &mut *observe)
    });
    drop(observe);
    match outcome {
        Ok(Outcome::Completed { .. }) => Ok(Exit::Done),
        Ok(Outcome::AlreadyDone) => {
            say!("run {index} has its result already; nothing was done");
            Ok(Exit::Done)
        }
        Ok(Outcome::Interrupted { step }) => {
            say!("stopped at step {step}; the same command goes on from there");
            Ok(Exit::Interrupted)
        }
        Ok(Outcome::Diverged { step, reason }) => {
            say!("diverged at step {step}: {reason}");
            Ok(Exit::Diverged)
        }
        Err(error) => print_by_class(error.into()),
    }
}

/// `auto`, `cpu` or `cuda:N`.
pub(crate) fn device(name: &str) -> Result<ComputeDevice, RunnerError> {
    match name {
        "auto" => Ok(ComputeDevice::resolve(&spec::Devices::Auto)?.0[0]),
        name => ComputeDevice::named(name),
    }
}

fn observer(kind: ProgressKind, stop: &Arc<Stop>) -> Box<dyn FnMut(TrainEvent)> {
    match kind {
        ProgressKind::Json => Box::new(print_json),
        ProgressKind::Dashboard => {
            let mut dashboard = Dashboard::new(Arc::clone(stop));
            Box::new(move |event| dashboard.update(&event))
        }
        ProgressKind::Auto | ProgressKind::Plain => {
            let mut progress = RunProgress::new(kind == ProgressKind::Auto);
            Box::new(move |event| progress.update(&event))
        }
    }
}

fn print_json(event: TrainEvent) {
    let line = serde_json::to_string(&event).expect("events are plain data");
    // A scheduler that is gone also closed our input: that stops the run, not a broken pipe.
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}
