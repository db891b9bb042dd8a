//! One slot: starts a run's process, follows it, files its end, takes the next.

use std::process::ExitStatus;
use std::sync::mpsc::Sender;
use std::thread::sleep;
use std::time::{Duration, Instant};

use track::{
    Event, FailureClass, RunDir, RunEvents, RunRecord, RunState, TrackError, read_run_status,
};

use super::child::{Child, Ended};
use super::schedule::{Next, Schedule};
use super::{Launch, SweepUpdate};
use crate::device::ComputeDevice;
use crate::error::RunnerError;
use crate::prepare::{PreparedSweep, lacks_features};
use crate::run::says_out_of_memory;
use crate::stop::Stop;

/// How long a process of an earlier scheduler is given to save and end.
const HANDOVER: Duration = Duration::from_secs(60);

pub(super) struct Worker<'a> {
    pub(super) slot: usize,
    pub(super) device: ComputeDevice,
    pub(super) prepared: &'a PreparedSweep,
    pub(super) launch: &'a Launch<'a>,
    pub(super) stop: &'a Stop,
    pub(super) schedule: &'a Schedule,
}

impl Worker<'_> {
    pub(super) fn work(&self, updates: &Sender<SweepUpdate>) {
        // A closed channel means nobody listens any more; then there is nothing to report to.
        let slot = self.slot;
        while !self.stop.requested() {
            let index = match self.schedule.next(&self.prepared.runs_root) {
                Next::Start(index) => index,
                Next::Later => {
                    sleep(Duration::from_millis(100));
                    continue;
                }
                Next::Nothing => return,
                Next::Close(reason) => return drop(updates.send(SweepUpdate::Closing { reason })),
            };
            drop(updates.send(SweepUpdate::RunStarted { slot, index }));
            let state = self.carry_out(index, updates);
            let retry = match self.stop.requested() {
                true => None,
                false => self.schedule.ended(index, &state),
            };
            drop(updates.send(match retry {
                Some(retry) => SweepUpdate::Retrying {
                    index,
                    state,
                    retry: retry.number,
                    of: retry.of,
                    after: retry.after,
                },
                None => SweepUpdate::RunEnded { slot, index, state },
            }));
        }
    }

    fn carry_out(&self, index: usize, updates: &Sender<SweepUpdate>) -> RunState {
        let mut before = self.wait_for_others(index, updates);
        if before.state == RunState::Completed && self.prepared.is_unscored(index) {
            if let Err(error) = self.reopen(index) {
                let message = format!("{}: {}", before.folder.display(), error.chain());
                drop(updates.send(SweepUpdate::Warning { message }));
                return before.state;
            }
            before = self.status(index);
        }
        if before.state == RunState::Running || before.state.is_result() {
            return before.state;
        }
        let run = RunDir::new(before.folder.clone());
        let attempt = run.next_attempt().unwrap_or(before.attempts + 1);
        let ended = run
            .open_log(attempt)
            .map_err(RunnerError::from)
            .and_then(|log| Child::start(self, index, log))
            .and_then(|child| child.follow(self, updates));
        let after = self.status(index);
        let Ended { status, out_of_time } = match ended {
            Ok(ended) => ended,
            Err(error) => return RunState::Failed { class: error.class(), reason: error.chain() },
        };
        if let Some(reason) = out_of_time
            && !after.state.is_result()
        {
            return self.file(&run, Event::TimedOut { reason });
        }
        if status.code() == Some(HELD) {
            return match after.state {
                // Its owner has not said yet that it began.
                RunState::Planned => RunState::Running,
                state => state,
            };
        }
        let began = after.attempts > before.attempts;
        let log_tail = run.log_tail(attempt);
        match after.state {
            // The child could not say a last word, so it is said for it.
            RunState::Lost { .. } | RunState::Planned => {
                self.file(&run, last_word(&log_tail, status))
            }
            RunState::Running => after.state,
            // What the folder says is another attempt's word.
            _ if !began && !status.success() => self.file(&run, last_word(&log_tail, status)),
            state => state,
        }
    }

    /// Its checkpoint of the last step is evaluated again, and nothing else.
    fn reopen(&self, index: usize) -> Result<(), RunnerError> {
        let run = RunDir::new(self.status(index).folder);
        let _lock = run.lock()?;
        let metric = &self.prepared.plan.metric.name;
        // Another scheduler may have done so in between.
        if !lacks_features(&self.status(index), metric) {
            return Ok(());
        }
        let reason = format!("{metric} could not be had when it was evaluated, and now can");
        Ok(RunEvents::open(&run.events())?.append(&Event::Reopened { reason })?)
    }

    /// A run that another process trains, such as one that its scheduler's death told to save, is
    /// given time to end.
    fn wait_for_others(&self, index: usize, updates: &Sender<SweepUpdate>) -> RunRecord {
        let began = Instant::now();
        let mut told = false;
        loop {
            let status = self.status(index);
            let over = self.stop.requested() || began.elapsed() >= HANDOVER;
            if status.state != RunState::Running || over {
                return status;
            }
            if !std::mem::replace(&mut told, true) {
                let owner = match RunDir::new(status.folder.clone()).expect_free() {
                    Err(TrackError::Held { owner, .. }) => owner,
                    _ => "another process".to_string(),
                };
                drop(updates.send(SweepUpdate::Elsewhere { index, owner }));
            }
            sleep(Duration::from_millis(200));
        }
    }

    fn status(&self, index: usize) -> RunRecord {
        read_run_status(&self.prepared.runs_root, &self.prepared.entries[index])
    }

    /// Writes down how a run ended that could not do so itself.
    fn file(&self, run: &RunDir, event: Event) -> RunState {
        let written = run.lock().and_then(|_lock| {
            // Another process may have finished it in between.
            let now = run.state()?;
            if now.is_result() {
                return Ok(now);
            }
            RunEvents::open(&run.events())?.append(&event)?;
            run.state()
        });
        written.unwrap_or_else(|error| {
            let reason = match &event {
                Event::Failed { reason, .. }
                | Event::TimedOut { reason }
                | Event::Lost { reason } => format!("{reason}; "),
                _ => String::new(),
            };
            let reason = format!("{reason}{}", RunnerError::from(error).chain());
            RunState::Failed { class: FailureClass::Io, reason }
        })
    }
}

/// The exit code of `run` where another process has the run.
const HELD: i32 = 75;

/// From the exit code and the log of a process that died without a word.
fn last_word(log_tail: &[String], status: ExitStatus) -> Event {
    let tail = log_tail[log_tail.len().saturating_sub(3)..].join(" | ");
    let said = if tail.is_empty() { String::new() } else { format!(": {tail}") };
    let class = match status.code() {
        // A backtrace may lie below the words.
        _ if log_tail.iter().any(|line| says_out_of_memory(line)) => FailureClass::Oom,
        Some(65) => FailureClass::Data,
        Some(70 | 101) => FailureClass::Panic,
        Some(74) => FailureClass::Io,
        Some(78) => FailureClass::Config,
        Some(87) => FailureClass::Oom,
        Some(_) => FailureClass::Exit,
        // A signal may come from a person, a cluster, or a kernel short of memory.
        None => return Event::Lost { reason: format!("the process was ended by {status}{said}") },
    };
    Event::Failed { class, reason: format!("the process ended with {status}{said}") }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn a_death_is_filed_by_what_is_known_of_it() {
        let check = |raw: i32, log: &[&str], expected: &str| {
            let log: Vec<String> = log.iter().map(|line| line.to_string()).collect();
            let found = match last_word(&log, ExitStatus::from_raw(raw)) {
                Event::Failed { class, reason } => format!("{}: {reason}", class.name()),
                Event::Lost { reason } => format!("lost: {reason}"),
                other => panic!("{other:?}"),
            };
            assert_eq!(found, expected);
        };
        let exit = |code: i32| code << 8;
        check(9, &[], "lost: the process was ended by signal: 9 (SIGKILL)");
        check(
            15,
            &["a", "b", "c", "d"],
            "lost: the process was ended by signal: 15 (SIGTERM): b | c | d",
        );
        check(
            6,
            &["memory allocation of 4096 bytes failed"],
            "oom: the process ended with signal: 6 (SIGABRT): memory allocation of 4096 bytes failed",
        );
        check(
            6,
            &[
                "memory allocation of 4096 bytes failed",
                "stack backtrace:",
                "0: rust_oom",
                "1: main",
            ],
            "oom: the process ended with signal: 6 (SIGABRT): stack backtrace: | 0: rust_oom | 1: main",
        );
        check(exit(65), &["bad"], "data: the process ended with exit status: 65: bad");
        check(exit(78), &[], "config: the process ended with exit status: 78");
        check(exit(74), &[], "io: the process ended with exit status: 74");
        check(exit(101), &[], "panic: the process ended with exit status: 101");
        check(exit(3), &[], "exit: the process ended with exit status: 3");
    }
}
