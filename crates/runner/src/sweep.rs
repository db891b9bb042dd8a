//! The local scheduler: one child process per run, as many side by side as
//! there are slots. A run that fails, whatever it does, takes no other with it.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
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
    /// Stopped on request or by a limit before all runs had their turn.
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
    });
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
            SweepUpdate::Closing { .. } => {
                outcome.interrupted = true;
                None
            }
            SweepUpdate::Train { .. } | SweepUpdate::Warning { .. } => None,
        };
        observe(update);
        // The runs' own folders are the truth; a full disk here must not leave them unwatched.
        if let Some(Err(error)) = event.map(|event| events.append(&event)) {
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
            RunState::Failed { .. } | RunState::Lost => self.failed += 1,
            RunState::Interrupted | RunState::Running | RunState::Planned => {
                self.interrupted = true;
            }
        }
    }
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
        let before = run.attempts().unwrap_or(0);
        let log = run.log(before + 1);
        let ended = self.spawn(index, &log).and_then(|child| self.listen(index, child, updates));
        let after = read_run_status(&self.prepared.runs_root, entry);
        let status = match ended {
            Ok(status) => status,
            Err(error) => return RunState::Failed { class: error.class(), reason: error.chain() },
        };
        let began = after.attempts > before;
        match after.state {
            // The child could not say a last word, so it is said for it.
            RunState::Lost | RunState::Planned => self.file(&run, &log, status),
            // What the folder says is another attempt's word.
            state if !began && !status.success() => match status.code() {
                Some(HELD) => state,
                _ => self.file(&run, &log, status),
            },
            state => state,
        }
    }

    fn spawn(&self, index: usize, log: &Path) -> Result<Child, RunnerError> {
        let log = open_log(log)?;
        let program = &self.launch.program;
        Command::new(program)
            .arg0("cyclelab")
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
                let overdue = deadline.is_some_and(|at| Instant::now() >= at + GRACE);
                if self.stop.level() > 1 || overdue {
                    drop(child.kill());
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        })
    }

    /// Records the end of a child that died without a word, from its exit code and its log.
    fn file(&self, run: &RunDir, log: &Path, status: ExitStatus) -> RunState {
        if self.stop.level() > 1 {
            return RunState::Lost;
        }
        let reason = match log_tail(log) {
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
            Err(error) => {
                RunState::Failed { class: FailureClass::Io, reason: format!("{reason}; {error}") }
            }
        }
    }
}

/// How long a run may take to save after its time is up.
const GRACE: Duration = Duration::from_secs(60);

/// The exit code of `run` where another process has the run.
const HELD: i32 = 75;

/// By the exit codes of `cyclelab run`. A signal may come from a person or from a kernel short of
/// memory: the reason names it, the class does not guess.
fn class_of(status: ExitStatus) -> FailureClass {
    match status.code() {
        Some(65) => FailureClass::Data,
        Some(70 | 101) => FailureClass::Panic,
        Some(74) => FailureClass::Io,
        Some(78) => FailureClass::Config,
        Some(87) => FailureClass::Oom,
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
/// `rerun` moves those of this sweep aside, so that they are trained again.
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
    if prepared.plan.exec.on_code_change == OnCodeChange::Rerun && !other.is_empty() {
        let _lock = prepared.sweep.lock()?;
        // Runs that other sweeps made are theirs to repeat.
        let own = |i: &&usize| prepared.runs[**i].folder.parent() == Some(prepared.sweep.path());
        for &i in other.iter().filter(own).collect::<Vec<_>>() {
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
