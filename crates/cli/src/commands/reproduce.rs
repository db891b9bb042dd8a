//! A run trained once more, and the verdict.

mod verdict;

use std::sync::Arc;

use anyhow::{anyhow, bail};
use runner::reproduce::{train_beyond, trains_alike, use_threads};
use runner::run::Request;
use runner::{Outcome, RunnerError, Stop};
use track::{Reproduction, RunDir, RunRecord, RunState, read_run_at};

use self::verdict::{Held, Verdict};
use super::run::device;
use super::sweep::{as_typed, invocation};
use crate::args::ReproduceArgs;
use crate::exit::Exit;
use crate::places::Places;
use crate::run_address::run_at;
use crate::signals::{self, Asked};
use crate::sweep_progress::RunProgress;
use crate::terminal::{print_by_class, print_error};

pub(crate) fn reproduce(args: &ReproduceArgs, places: &Places) -> anyhow::Result<Exit> {
    let original = run_at(&args.address, places)?;
    let Some((identity, record)) = read_run_at(&original)? else {
        bail!("`{}` has not begun: there is nothing to reproduce", args.address);
    };
    for (path, reason) in &record.damaged {
        say!("warning: `{}` is damaged: {reason}", path.display());
    }
    if !trains_alike(&identity) {
        print_error(&anyhow!(
            "`{}` was trained under training revision {}, whose settings mean something else than \
             this program's; use the code it names: {}",
            args.address,
            identity.training_rev,
            identity.code,
        ));
        return Ok(Exit::Config);
    }
    let until = last_step(args, &record)?;
    let command = as_typed(&invocation().argv);
    let again = Reproduction::begin(&places.runs, &identity, &command)?;
    match train(args, places, &original, &record, &again, until) {
        Ok(Trained::AsFarAsAsked) => {}
        Ok(Trained::StoppedAt(step)) => {
            dispose(again, args.keep);
            say!("stopped at step {step}; nothing was compared");
            return Ok(Exit::Interrupted);
        }
        Err(error) => {
            dispose(again, args.keep);
            return no_verdict(error);
        }
    }
    let until = until.unwrap_or(u64::MAX);
    let held = Held::between(&original, &record, again.run(), until, args.tolerance)?;
    let verdict = held.verdict();
    // What is different is worth a look.
    let keep = args.keep || verdict == Verdict::Not;
    let kept = keep.then(|| again.run().path().to_owned());
    dispose(again, keep);
    match args.json {
        true => held.print_json(kept.as_deref())?,
        false => held.print(kept.as_deref()),
    }
    Ok(if verdict == Verdict::Not { Exit::Failed } else { Exit::Done })
}

/// Where to stop: as asked, or where the original did; `None` for the end of the training.
fn last_step(args: &ReproduceArgs, original: &RunRecord) -> anyhow::Result<Option<u64>> {
    let first = original.rows.first().map(|row| row.step);
    let last = original.rows.last().map(|row| row.step);
    let (Some(first), Some(last)) = (first, last) else {
        bail!("`{}` has recorded nothing yet: there is nothing to compare", args.address);
    };
    match args.until {
        Some(until) if until < first || until > last => {
            bail!("`{}` has recorded steps {first} to {last}, not step {until}", args.address)
        }
        Some(until) => Ok(Some(until)),
        None if original.state == RunState::Completed => Ok(None),
        None => Ok(Some(last)),
    }
}

enum Trained {
    AsFarAsAsked,
    /// By the user.
    StoppedAt(u64),
}

fn train(
    args: &ReproduceArgs,
    places: &Places,
    original: &RunDir,
    record: &RunRecord,
    again: &Reproduction,
    until: Option<u64>,
) -> anyhow::Result<Trained> {
    let stop = Arc::new(Stop::default());
    signals::listen(&stop, Asked::Run, |_| say!("stopping after this step"))?;
    let device = device(args.device.as_deref().or(record.device.as_deref()).unwrap_or("auto"))?;
    let mut invocation = invocation();
    let circumstances = original.circumstances()?;
    let threads = circumstances.iter().find(|(name, _)| name == "threads");
    if let Some(threads) = threads.and_then(|(_, threads)| threads.parse().ok()) {
        use_threads(threads, &mut invocation);
    }
    let mut progress = RunProgress::new(true);
    let mut observe = |event| progress.update(&event);
    let request = Request {
        sweep_dir: again.sweep().path(),
        plan: None,
        index: 0,
        store: &places.store(),
        device,
        invocation: &invocation,
        stop: &stop,
        fresh: false,
        allow_changed: false,
    };
    let outcome = train_beyond(until, &request, &mut observe)?;
    Ok(match outcome {
        Outcome::Interrupted { step } if until.is_none_or(|until| step <= until) => {
            Trained::StoppedAt(step)
        }
        _ => Trained::AsFarAsAsked,
    })
}

fn no_verdict(error: anyhow::Error) -> anyhow::Result<Exit> {
    if let Some(RunnerError::InputsChanged { name }) = error.downcast_ref() {
        say!(
            "NOT reproduced: the images of `{name}` or the weight files in [init] are no longer \
             those that the run was trained with"
        );
        return Ok(Exit::Data);
    }
    print_by_class(error)
}

fn dispose(again: Reproduction, keep: bool) {
    if keep {
        return;
    }
    let root = again.root().display().to_string();
    if let Err(error) = again.remove() {
        say!("warning: `{root}` could not be removed: {error}; `cyclelab gc` tries again");
    }
}
