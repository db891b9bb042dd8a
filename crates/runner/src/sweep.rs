//! The local scheduler: one child process per run, as many side by side as
//! there are slots. A run that fails, whatever it does, takes no other with it.

mod child;
mod code_change;
mod schedule;
mod worker;

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use spec::Exec;
use track::{RunState, SweepClaim, SweepEvent, SweepEvents, TrackError};

pub use self::code_change::apply_code_change;
use self::schedule::Schedule;
use self::worker::Worker;
use crate::device::ComputeDevice;
use crate::error::RunnerError;
use crate::event::TrainEvent;
use crate::prepare::PreparedSweep;
use crate::run::Invocation;
use crate::stop::Stop;

/// How the children are started.
pub struct Launch<'a> {
    /// This program.
    pub program: PathBuf,
    /// Arguments of `run` besides the sweep's folder, the index and the device.
    pub arguments: Vec<String>,
    /// One entry a slot.
    pub slots: Vec<ComputeDevice>,
    /// Of each run, on the CPU.
    pub threads_per_run: usize,
    pub invocation: &'a Invocation,
    /// The sweep file, verbatim.
    pub toml: &'a str,
}

/// What a sweep says while it works.
#[derive(Debug, Clone)]
pub enum SweepUpdate {
    RunStarted {
        slot: usize,
        index: usize,
    },
    Train {
        slot: usize,
        index: usize,
        event: TrainEvent,
    },
    RunEnded {
        slot: usize,
        index: usize,
        state: RunState,
    },
    /// A run that ended without a result is tried again, the `retry`th time of `of`.
    Retrying {
        index: usize,
        state: RunState,
        retry: u32,
        of: u32,
        after: Duration,
    },
    /// Another process trains the run; this one waits for it.
    Elsewhere {
        index: usize,
        owner: String,
    },
    /// No further run is started, and why.
    Closing {
        reason: String,
    },
    /// Something could not be recorded; training goes on.
    Warning {
        message: String,
    },
}

/// How a sweep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepOutcome {
    pub trained: usize,
    pub failed: usize,
    /// Stopped on request or by a limit before all runs had their turn, or left to another process.
    pub interrupted: bool,
    /// `max_failures` was reached.
    pub breaker: bool,
}

/// One slot per run that may be trained at a time, devices in turn; no more than there are runs.
pub fn slots(
    exec: &Exec,
    devices: &[ComputeDevice],
    cores: usize,
    runs: usize,
) -> Vec<ComputeDevice> {
    let per_device = |device: &ComputeDevice| device.slots(exec.slots_per_device, cores);
    let most = devices.iter().map(per_device).max().unwrap_or(0);
    let in_turn =
        (0..most).flat_map(|round| devices.iter().filter(move |it| round < per_device(it)));
    in_turn.copied().take(runs.max(1)).collect()
}

/// Notes in a sweep that is this process's that it was invoked, and writes its plan, by which every
/// run can be started.
///
/// # Errors
/// What cannot be written.
pub fn enlist(
    prepared: &PreparedSweep,
    claim: &mut SweepClaim,
    toml: &str,
    invocation: &Invocation,
) -> Result<SweepEvents, RunnerError> {
    claim.confirm()?;
    claim.keep();
    let sweep = &prepared.sweep;
    let number = sweep.record_invocation(toml, &invocation.argv)?;
    sweep.write_plan(&prepared.record, &prepared.entries)?;
    let mut events = SweepEvents::open(&sweep.events())?;
    events.append(&SweepEvent::Invoked {
        invocation: number,
        argv: invocation.argv.clone(),
        host: track::Hardware::here(String::new()).host,
        pid: std::process::id(),
    })?;
    Ok(events)
}

/// Trains every run that has no result yet, until done, stopped or limited. The sweep is this
/// process's as long.
///
/// # Errors
/// Only what stops the sweep as a whole; a failed run is counted and recorded in its own folder.
pub fn execute(
    prepared: &PreparedSweep,
    mut claim: SweepClaim,
    launch: &Launch<'_>,
    stop: &Stop,
    observe: &mut dyn FnMut(SweepUpdate),
) -> Result<SweepOutcome, RunnerError> {
    let mut events = enlist(prepared, &mut claim, launch.toml, launch.invocation)?;
    let schedule = Schedule::new(prepared);
    let (sender, updates) = mpsc::channel();
    let outcome = std::thread::scope(|scope| {
        for (slot, &device) in launch.slots.iter().enumerate() {
            let worker = Worker { slot, device, prepared, launch, stop, schedule: &schedule };
            let sender = sender.clone();
            scope.spawn(move || worker.work(&sender));
        }
        drop(sender);
        let mut log = SweepLog { events: &mut events, claim: &claim, fenced: None };
        let outcome = follow(prepared, updates, &schedule, stop, &mut log, observe);
        match log.fenced {
            Some(error) => Err(error),
            None => Ok(outcome),
        }
    })?;
    let (completed, failed) = (outcome.trained, outcome.failed);
    let interrupted = stop.requested();
    let last = match (interrupted, outcome.breaker) {
        (true, _) => SweepEvent::Interrupted,
        (false, true) => SweepEvent::BreakerTripped { failed },
        (false, false) => SweepEvent::Finished { completed, failed },
    };
    claim.confirm()?;
    events.append(&last)?;
    Ok(SweepOutcome { interrupted: interrupted || outcome.interrupted, ..outcome })
}

/// The sweep's events, as long as the sweep is this process's.
struct SweepLog<'a> {
    events: &'a mut SweepEvents,
    claim: &'a SweepClaim,
    /// Another scheduler has taken the sweep over.
    fenced: Option<TrackError>,
}

impl SweepLog<'_> {
    fn append(&mut self, event: &SweepEvent, stop: &Stop) -> Result<(), TrackError> {
        match self.claim.confirm() {
            Ok(()) => self.events.append(event),
            Err(error @ TrackError::Fenced { .. }) => {
                // The runs save and end; whoever owns the sweep now goes on with them.
                if self.fenced.replace(error).is_none() {
                    stop.raise();
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// Listens until every worker is done.
fn follow(
    prepared: &PreparedSweep,
    updates: Receiver<SweepUpdate>,
    schedule: &Schedule,
    stop: &Stop,
    log: &mut SweepLog<'_>,
    observe: &mut dyn FnMut(SweepUpdate),
) -> SweepOutcome {
    let mut outcome = SweepOutcome::default();
    for update in updates {
        let key = |index: usize| prepared.entries[index].key.clone();
        let event = match &update {
            SweepUpdate::RunStarted { index, .. } => {
                Some(SweepEvent::RunStarted { index: *index, key: key(*index) })
            }
            SweepUpdate::RunEnded { index, state, .. } => {
                outcome.count(state);
                let state = state.name().to_string();
                Some(SweepEvent::RunEnded { index: *index, key: key(*index), state })
            }
            SweepUpdate::Retrying { index, retry, .. } => {
                Some(SweepEvent::Retrying { index: *index, key: key(*index), retry: *retry })
            }
            SweepUpdate::Closing { .. } => {
                outcome.interrupted = true;
                None
            }
            SweepUpdate::Train { .. }
            | SweepUpdate::Warning { .. }
            | SweepUpdate::Elsewhere { .. } => None,
        };
        observe(update);
        // The runs' own folders are the truth; a full disk here must not leave them unwatched.
        if let Some(Err(error)) = event.map(|event| log.append(&event, stop)) {
            let message = format!("the sweep's events are not recorded: {error}");
            observe(SweepUpdate::Warning { message });
        }
    }
    outcome.breaker = schedule.closed_by_failures();
    outcome
}

impl SweepOutcome {
    fn count(&mut self, ended: &RunState) {
        match ended {
            RunState::Completed | RunState::Diverged { .. } => self.trained += 1,
            RunState::Failed { .. } | RunState::TimedOut { .. } | RunState::Lost { .. } => {
                self.failed += 1;
            }
            RunState::Interrupted | RunState::Running | RunState::Planned => {
                self.interrupted = true;
            }
        }
    }
}
