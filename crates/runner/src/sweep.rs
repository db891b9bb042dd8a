//! The local scheduler: one child process per run, as many side by side as
//! there are slots. A run that fails, whatever it does, takes no other with it.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use spec::{Exec, OnCodeChange};
use track::{
    Event, FailureClass, RunDir, RunEvents, RunState, SweepEvent, SweepEvents, read_run_status,
};

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
    /// No further run is started, and why.
    Closing {
        reason: String,
    },
}

/// How a sweep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepOutcome {
    pub trained: usize,
    pub failed: usize,
    /// Stopped on request or by a limit before all runs had their turn.
    pub interrupted: bool,
    /// `max_failures` was reached.
    pub breaker: bool,
}

/// One slot per run that may be trained at a time, devices in turn.
pub fn slots(exec: &Exec, devices: &[ComputeDevice], cores: usize) -> Vec<ComputeDevice> {
    let per_device = |device: &ComputeDevice| device.slots(exec.slots_per_device, cores);
    let most = devices.iter().map(per_device).max().unwrap_or(0);
    let in_turn =
        (0..most).flat_map(|round| devices.iter().filter(move |it| round < per_device(it)));
    in_turn.copied().collect()
}

/// Trains every run that has no result yet, until done, stopped or limited.
///
/// # Errors
/// Only what stops the sweep as a whole; a failed run is counted and recorded in its own folder.
pub fn execute(
    prepared: &PreparedSweep,
    launch: &Launch<'_>,
    stop: &Stop,
    observe: &mut dyn FnMut(SweepUpdate),
) -> Result<SweepOutcome, RunnerError> {
    let sweep = track::SweepDir::create_or_open(&prepared.runs_root, &prepared.plan.name)?;
    let _lock = sweep.lock()?;
    let invocation = sweep.record_invocation(launch.toml, &launch.invocation.argv)?;
    sweep.write_plan(&prepared.record, &prepared.entries)?;
    let mut events = SweepEvents::open(&sweep.events())?;
    events.append(&SweepEvent::Invoked {
        invocation,
        argv: launch.invocation.argv.clone(),
        host: track::Hardware::here(String::new()).host,
        pid: std::process::id(),
    })?;
    let schedule = Schedule::new(prepared);
    let (sender, updates) = mpsc::channel();
    let outcome = std::thread::scope(|scope| {
        for (slot, &device) in launch.slots.iter().enumerate() {
            let worker = Worker { slot, device, prepared, launch, stop, schedule: &schedule };
            let sender = sender.clone();
            scope.spawn(move || worker.work(&sender));
        }
        drop(sender);
        follow(prepared, updates, &schedule, &mut events, observe)
    })?;
    let (completed, failed) = (outcome.trained, outcome.failed);
    let interrupted = stop.requested();
    let last = if interrupted {
        SweepEvent::Interrupted
    } else {
        SweepEvent::Finished { completed, failed }
    };
    events.append(&last)?;
    Ok(SweepOutcome { interrupted: interrupted || outcome.interrupted, ..outcome })
}

/// Listens until every worker is done.
fn follow(
    prepared: &PreparedSweep,
    updates: Receiver<SweepUpdate>,
    schedule: &Schedule,
    events: &mut SweepEvents,
    observe: &mut dyn FnMut(SweepUpdate),
) -> Result<SweepOutcome, RunnerError> {
    let mut outcome = SweepOutcome::default();
    for update in updates {
        let key = |index: usize| prepared.entries[index].key.clone();
        match &update {
            SweepUpdate::RunStarted { index, .. } => {
                events.append(&SweepEvent::RunStarted { index: *index, key: key(*index) })?;
            }
            SweepUpdate::RunEnded { index, state, .. } => {
                events.append(&SweepEvent::RunEnded {
                    index: *index,
                    key: key(*index),
                    exit: None,
                })?;
                match state {
                    RunState::Completed | RunState::Diverged { .. } => outcome.trained += 1,
                    RunState::Failed { .. } | RunState::Lost => outcome.failed += 1,
                    RunState::Interrupted | RunState::Running | RunState::Planned => {
                        outcome.interrupted = true;
                    }
                }
            }
            SweepUpdate::Closing { .. } => outcome.interrupted = true,
            SweepUpdate::Train { .. } => {}
        }
        observe(update);
    }
    outcome.breaker = schedule.closed_by_failures();
    Ok(outcome)
}

/// What is left to start, and whether anything still may be.
struct Schedule {
    began: Instant,
    total_time: Option<Duration>,
    max_failures: Option<u64>,
    disk_free_min: Option<u64>,
    state: Mutex<ScheduleState>,
}

#[derive(Default)]
struct ScheduleState {
    waiting: VecDeque<usize>,
    failures: u64,
    closed: Option<Closed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    Failures,
    Other,
}

impl Schedule {
    fn new(prepared: &PreparedSweep) -> Self {
        let limits = &prepared.plan.limits;
        Schedule {
            began: Instant::now(),
            total_time: limits.total_time,
            max_failures: limits.max_failures,
            disk_free_min: limits.disk_free_min,
            state: Mutex::new(ScheduleState {
                waiting: prepared.to_do().collect(),
                ..ScheduleState::default()
            }),
        }
    }

    /// The next run, or why there is none although some wait. The reason is given once.
    fn next(&self, runs_root: &Path) -> Result<Option<usize>, String> {
        let mut state = self.state.lock().expect("no worker panics while it holds the schedule");
        if state.closed.is_some() || state.waiting.is_empty() {
            return Ok(None);
        }
        let reason = self.reason_to_close(&state, runs_root);
        match reason {
            None => Ok(state.waiting.pop_front()),
            Some((closed, reason)) => {
                state.closed = Some(closed);
                Err(format!("{reason}; {} runs are left", state.waiting.len()))
            }
        }
    }

    fn reason_to_close(&self, state: &ScheduleState, runs_root: &Path) -> Option<(Closed, String)> {
        if self.max_failures.is_some_and(|most| state.failures >= most) {
            let reason = format!("{} runs have failed (limits.max_failures)", state.failures);
            return Some((Closed::Failures, reason));
        }
        if self.total_time.is_some_and(|most| self.began.elapsed() >= most) {
            return Some((Closed::Other, "the time is up (limits.total_time)".into()));
        }
        let least = self.disk_free_min?;
        let free = fs4::available_space(runs_root).ok()?;
        (free < least).then(|| {
            let reason =
                format!("{free} bytes are free on the disk (limits.disk_free_min = {least})");
            (Closed::Other, reason)
        })
    }

    fn ended(&self, state: &RunState) {
        if matches!(state, RunState::Failed { .. } | RunState::Lost) {
            self.state.lock().expect("no worker panics while it holds the schedule").failures += 1;
        }
    }

    fn closed_by_failures(&self) -> bool {
        let state = self.state.lock().expect("no worker panics while it holds the schedule");
        state.closed == Some(Closed::Failures)
    }
}

/// One slot: starts a child, listens to it, starts the next.
struct Worker<'a> {
    slot: usize,
    device: ComputeDevice,
    prepared: &'a PreparedSweep,
    launch: &'a Launch<'a>,
    stop: &'a Stop,
    schedule: &'a Schedule,
}

impl Worker<'_> {
    fn work(&self, updates: &Sender<SweepUpdate>) {
        // A closed channel means nobody listens any more; then there is nothing to report to.
        let slot = self.slot;
        while !self.stop.requested() {
            let index = match self.schedule.next(&self.prepared.runs_root) {
                Ok(Some(index)) => index,
                Ok(None) => return,
                Err(reason) => return drop(updates.send(SweepUpdate::Closing { reason })),
            };
            drop(updates.send(SweepUpdate::RunStarted { slot, index }));
            let state = self.carry_out(index, updates);
            self.schedule.ended(&state);
            drop(updates.send(SweepUpdate::RunEnded { slot, index, state }));
        }
    }

    fn carry_out(&self, index: usize, updates: &Sender<SweepUpdate>) -> RunState {
        let entry = &self.prepared.entries[index];
        let run = RunDir::new(self.prepared.runs_root.join(&entry.folder));
        let ended = self.spawn(index, &run).and_then(|child| self.listen(index, child, updates));
        let state = read_run_status(&self.prepared.runs_root, entry).state;
        match (ended, state) {
            // The child could not say a last word, so it is said for it.
            (Ok(status), RunState::Lost | RunState::Planned) => self.file(&run, status),
            (Err(error), RunState::Planned | RunState::Lost) => {
                RunState::Failed { class: error.class(), reason: error.chain() }
            }
            (_, state) => state,
        }
    }

    fn spawn(&self, index: usize, run: &RunDir) -> Result<Child, RunnerError> {
        let attempt = self.prepared.runs[index].attempts + 1;
        let log = open_log(&run.log(attempt))?;
        let program = &self.launch.program;
        Command::new(program)
            .arg("run")
            .arg("--sweep-dir")
            .arg(self.prepared.sweep.path())
            .args(["--index", &index.to_string(), "--device", &self.device.to_string()])
            .args(["--progress", "json", "--stop-with-stdin"])
            .args(&self.launch.arguments)
            .env("RAYON_NUM_THREADS", self.launch.threads_per_run.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            // Its own group: the terminal's Ctrl-C reaches the scheduler alone.
            .process_group(0)
            .spawn()
            .map_err(|source| RunnerError::Spawn { program: program.clone(), source })
    }

    fn listen(
        &self,
        index: usize,
        mut child: Child,
        updates: &Sender<SweepUpdate>,
    ) -> Result<ExitStatus, RunnerError> {
        let stdout = child.stdout.take().expect("the child's output is a pipe");
        // Closing its input asks the child to save and end; so does the end of this process.
        let mut input = child.stdin.take();
        let deadline = self.prepared.plan.limits.run_timeout.map(|limit| Instant::now() + limit);
        std::thread::scope(|scope| {
            let slot = self.slot;
            scope.spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if let Ok(event) = serde_json::from_str(&line) {
                        drop(updates.send(SweepUpdate::Train { slot, index, event }));
                    }
                }
            });
            loop {
                let wait =
                    |source| RunnerError::Spawn { program: self.launch.program.clone(), source };
                if let Some(status) = child.try_wait().map_err(wait)? {
                    return Ok(status);
                }
                if self.stop.requested() || deadline.is_some_and(|at| Instant::now() >= at) {
                    drop(input.take());
                }
                if self.stop.level() > 1 {
                    drop(child.kill());
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        })
    }

    /// Records the end of a child that died without a word.
    fn file(&self, run: &RunDir, status: ExitStatus) -> RunState {
        if self.stop.level() > 1 {
            return RunState::Lost;
        }
        let attempt = run.attempts().unwrap_or(0);
        let tail = log_tail(&run.log(attempt.max(1)));
        let reason = match tail {
            Some(tail) => format!("the process ended with {status}: {tail}"),
            None => format!("the process ended with {status}"),
        };
        let class = class_of(status);
        let written = run.lock().and_then(|_lock| {
            let event = Event::Failed { class, reason: reason.clone() };
            RunEvents::open(&run.events())?.append(&event)
        });
        match written {
            Ok(()) => RunState::Failed { class, reason },
            Err(error) => RunState::Failed { class: FailureClass::Io, reason: error.to_string() },
        }
    }
}

fn class_of(status: ExitStatus) -> FailureClass {
    const SIGKILL: i32 = 9;
    match status.signal() {
        // The kernel's out-of-memory killer sends this; so may a person.
        Some(SIGKILL) => FailureClass::Oom,
        _ => FailureClass::Exit,
    }
}

fn open_log(path: &Path) -> Result<File, RunnerError> {
    let failed = |source| RunnerError::Write { path: path.into(), source };
    fs::create_dir_all(path.parent().expect("a log lies in its run's folder")).map_err(failed)?;
    OpenOptions::new().create(true).append(true).open(path).map_err(failed)
}

/// The last lines of a log, in one.
fn log_tail(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.len().saturating_sub(3);
    (!lines.is_empty()).then(|| lines[last..].join(" | "))
}

/// Runs finished by other code than the present, under the sweep's rule for them.
///
/// `rerun` moves their folders aside, so that they are trained again.
///
/// # Errors
/// `Write` where a folder cannot be moved.
pub fn apply_code_change(
    prepared: &mut PreparedSweep,
    code: &str,
) -> Result<Vec<usize>, RunnerError> {
    let other: Vec<usize> = (0..prepared.runs.len())
        .filter(|&i| prepared.runs[i].state == RunState::Completed)
        .filter(|&i| prepared.runs[i].code.as_deref().is_some_and(|it| it != code))
        .collect();
    if prepared.plan.exec.on_code_change == OnCodeChange::Rerun {
        for &i in &other {
            set_aside(&prepared.runs[i].folder)?;
            prepared.runs[i] = read_run_status(&prepared.runs_root, &prepared.entries[i]);
        }
    }
    Ok(other)
}

fn set_aside(folder: &Path) -> Result<(), RunnerError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let aside = (1..)
        .map(|n| folder.with_file_name(format!("{name}.old-{n}")))
        .find(|path| !path.exists())
        .expect("some number is free");
    fs::rename(folder, &aside).map_err(|source| RunnerError::Write { path: aside, source })
}
