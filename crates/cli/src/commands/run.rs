use std::io::Write;
use std::sync::Arc;

use runner::run::Request;
use runner::{ComputeDevice, Outcome, RunnerError, Stop, TrainEvent};

use crate::args::{ProgressKind, RunArgs};
use crate::commands::sweep::invocation;
use crate::dashboard::Dashboard;
use crate::exit::Exit;
use crate::places::Places;
use crate::signals::{self, Asked};
use crate::sweep_progress::RunProgress;
use crate::terminal::print_by_class;

/// Trains one run of a planned sweep; the exit code says how it ended.
pub(crate) fn run(args: &RunArgs, places: &Places) -> anyhow::Result<Exit> {
    let stop = Arc::new(Stop::default());
    signals::listen(&stop, Asked::Run, |level| {
        say!("{}", if level == 1 { "stopping after this step; saving" } else { "still saving" });
    })?;
    if args.stop_with_stdin {
        signals::stop_with_stdin(&stop);
    }
    let mut observe = observer(args.progress, &stop);
    let outcome = device(&args.device).and_then(|device| {
        let request = Request {
            sweep_dir: &args.sweep_dir,
            index: args.index,
            store: &places.store(),
            device,
            invocation: &invocation(),
            stop: &stop,
            fresh: args.fresh,
            allow_changed: args.allow_changed,
        };
        runner::run::run(&request, &mut *observe)
    });
    drop(observe);
    match outcome {
        Ok(Outcome::Completed { .. }) => Ok(Exit::Done),
        Ok(Outcome::AlreadyDone) => {
            say!("run {} has its result already; nothing was done", args.index);
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
