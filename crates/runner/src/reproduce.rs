//! A run trained once more, to see whether its numbers come out again.

use track::RunIdentity;

use crate::error::RunnerError;
use crate::event::{Outcome, TrainEvent};
use crate::run::{Invocation, Request, run};

/// The environment's name for the number of threads, as a sweep gives it to its runs.
const THREADS: &str = "RAYON_NUM_THREADS";

/// Whether this program means the same by the run's configuration as the one that trained it.
pub fn trains_alike(original: &RunIdentity) -> bool {
    original.training_rev == model::TRAINING_REV
}

/// Has this process compute with as many threads as the original did, and says so in what the run
/// records: sums over more threads may be other sums. Before anything else is computed.
pub fn use_threads(threads: usize, invocation: &mut Invocation) {
    let built = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    let used = if built.is_ok() { threads } else { rayon::current_num_threads() };
    invocation.env.retain(|(name, _)| name != THREADS);
    invocation.env.push((THREADS.into(), used.to_string().into()));
}

/// Trains from where the run stands to the end or, where `until` is given, to the first log window
/// that ends later: what belongs to that step, a score too, is recorded by then.
///
/// # Errors
/// As [`run`]; `InputsChanged` where images or weight files are not those of the original.
pub fn train_beyond(
    until: Option<u64>,
    request: &Request<'_>,
    observe: &mut dyn FnMut(TrainEvent),
) -> Result<Outcome, RunnerError> {
    let mut watch = |event: TrainEvent| {
        let beyond = until.zip(step_of(&event)).is_some_and(|(until, step)| step > until);
        if beyond && !request.stop.requested() {
            request.stop.raise();
        }
        observe(event);
    };
    run(request, &mut watch)
}

fn step_of(event: &TrainEvent) -> Option<u64> {
    match event {
        TrainEvent::Step { step }
        | TrainEvent::Losses { step, .. }
        | TrainEvent::Evaluated { step, .. }
        | TrainEvent::Checkpoint { step } => Some(*step),
        _ => None,
    }
}
