//! The process that trains one run, as its scheduler sees it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{self, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use sysinfo::{Pid, ProcessesToUpdate, Signal, System};

use super::SweepUpdate;
use super::worker::Worker;
use crate::error::RunnerError;
use crate::event::TrainEvent;

/// How long a run may take to save once its time is up.
const GRACE: Duration = Duration::from_secs(60);
/// The same for one that has said nothing for too long.
const GRACE_OF_THE_SILENT: Duration = Duration::from_secs(5);
/// Between a request that cannot be overheard and the end.
const LAST_GRACE: Duration = Duration::from_secs(5);
/// Between two looks at a child; more than this, and the scheduler did not run in between.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const STOPPED: Duration = Duration::from_secs(1);

pub(super) struct Child {
    index: usize,
    process: process::Child,
    /// Closing it asks the child to save and end; so does the end of this process.
    input: Option<ChildStdin>,
    terminated: Option<Instant>,
}

/// How the process ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    /// The limit it ran into, in words.
    pub(super) out_of_time: Option<String>,
}

impl Child {
    pub(super) fn start(worker: &Worker<'_>, index: usize, log: File) -> Result<Self, RunnerError> {
        let launch = worker.launch;
        let mut process = Command::new(&launch.program)
            .arg0("cyclelab")
            .arg("run")
            .arg("--sweep-dir")
            .arg(worker.prepared.sweep.path())
            .args(["--index", &index.to_string(), "--device", &worker.device.to_string()])
            .args(["--progress", "json", "--stop-with-stdin"])
            .args(&launch.arguments)
            .env("RAYON_NUM_THREADS", launch.threads_per_run.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            // Its own group: the terminal's Ctrl-C reaches the scheduler alone.
            .process_group(0)
            .spawn()
            .map_err(|source| RunnerError::Spawn { program: launch.program.clone(), source })?;
        let input = process.stdin.take();
        Ok(Child { index, process, input, terminated: None })
    }

    /// Passes on what the child says until it ends, and sees to it that it does.
    pub(super) fn follow(
        mut self,
        worker: &Worker<'_>,
        updates: &Sender<SweepUpdate>,
    ) -> Result<Ended, RunnerError> {
        let stdout = self.process.stdout.take().expect("the child's output is a pipe");
        let heard = Mutex::new(Instant::now());
        let (slot, index) = (worker.slot, self.index);
        std::thread::scope(|scope| {
            let heard = &heard;
            scope.spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    *heard.lock().expect("nobody panics with a time in hand") = Instant::now();
                    if let Ok(event) = serde_json::from_str::<TrainEvent>(&line) {
                        drop(updates.send(SweepUpdate::Train { slot, index, event }));
                    }
                }
            });
            let last_heard = || *heard.lock().expect("nobody panics with a time in hand");
            self.wait(worker, &last_heard)
        })
    }

    fn wait(
        &mut self,
        worker: &Worker<'_>,
        last_heard: &dyn Fn() -> Instant,
    ) -> Result<Ended, RunnerError> {
        let limits = &worker.prepared.plan.limits;
        let began = Instant::now();
        let mut out_of_time: Option<(String, Instant)> = None;
        let mut asked: Option<Instant> = None;
        let (mut looked, mut awake_since) = (began, began);
        loop {
            // A scheduler that was stopped itself has heard nothing: that is no silence of the run.
            if looked.elapsed() >= STOPPED {
                awake_since = Instant::now();
            }
            looked = Instant::now();
            let wait =
                |source| RunnerError::Spawn { program: worker.launch.program.clone(), source };
            if let Some(status) = self.process.try_wait().map_err(wait)? {
                let out_of_time = out_of_time.map(|(reason, _)| reason);
                return Ok(Ended { status, out_of_time });
            }
            if out_of_time.is_none() && asked.is_none() {
                let silence = last_heard().max(awake_since).elapsed();
                let overrun = limits.run_timeout.filter(|limit| began.elapsed() >= *limit);
                let stalled = limits.stall_timeout.filter(|limit| silence >= *limit);
                out_of_time = match (overrun, stalled) {
                    (_, Some(limit)) => Some((
                        format!("no progress for {} s (limits.stall_timeout)", limit.as_secs()),
                        Instant::now() + GRACE_OF_THE_SILENT,
                    )),
                    (Some(limit), None) => Some((
                        format!("not done after {} s (limits.run_timeout)", limit.as_secs()),
                        Instant::now() + GRACE,
                    )),
                    (None, None) => None,
                };
            }
            if worker.stop.requested() {
                asked.get_or_insert_with(Instant::now);
            }
            let overdue = out_of_time.as_ref().is_some_and(|(_, until)| Instant::now() >= *until)
                || asked.is_some_and(|at| at.elapsed() >= worker.stop.grace());
            if asked.is_some() || out_of_time.is_some() {
                drop(self.input.take());
            }
            if overdue || worker.stop.level() == 2 {
                self.terminate();
            }
            let ignored = self.terminated.is_some_and(|at| at.elapsed() >= LAST_GRACE);
            if worker.stop.level() > 2 || (overdue && ignored) {
                // It may have ended just now; then there is nothing to kill.
                drop(self.process.kill());
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// SIGTERM, once: the same request as closing its input, by a way that needs no reader.
    fn terminate(&mut self) {
        if self.terminated.is_some() {
            return;
        }
        self.terminated = Some(Instant::now());
        let pid = Pid::from_u32(self.process.id());
        let mut system = System::new();
        system.refresh_processes(ProcessesToUpdate::Some(&[pid]), false);
        if let Some(process) = system.process(pid) {
            process.kill_with(Signal::Term);
        }
    }
}
