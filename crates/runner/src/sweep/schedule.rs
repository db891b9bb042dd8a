//! What is left to start, in which order, and whether anything still may be.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use spec::Retries;
use track::{FailureClass, RunState};

use crate::prepare::PreparedSweep;

/// Before a run is tried again whose disk was full: the next moment is no better.
const IO_PAUSE: Duration = Duration::from_secs(10);

pub(super) struct Schedule {
    began: Instant,
    total_time: Option<Duration>,
    max_failures: Option<u64>,
    disk_free_min: Option<u64>,
    retries: Retries,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    /// Tries after the first, by run and by what went wrong.
    retried: BTreeMap<(usize, &'static str), u32>,
    failures: u64,
    closed: Option<Closed>,
}

struct Waiting {
    index: usize,
    not_before: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    Failures,
    Other,
}

/// What a free slot does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Start(usize),
    /// A run waits for its time.
    Later,
    /// Nothing is left.
    Nothing,
    /// Some wait and none may start any more. Said once.
    Close(String),
}

/// A further try of a run that ended without a result.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Retry {
    /// Counted from 1.
    pub(super) number: u32,
    pub(super) of: u32,
    pub(super) after: Duration,
}

impl Schedule {
    pub(super) fn new(prepared: &PreparedSweep) -> Self {
        let limits = &prepared.plan.limits;
        let now = Instant::now();
        let waiting = prepared.to_do().map(|index| Waiting { index, not_before: now }).collect();
        Schedule {
            began: now,
            total_time: limits.total_time,
            max_failures: limits.max_failures,
            disk_free_min: limits.disk_free_min,
            retries: prepared.plan.exec.retries,
            state: Mutex::new(State { waiting, ..State::default() }),
        }
    }

    pub(super) fn next(&self, runs_root: &Path) -> Next {
        let mut state = self.lock();
        if state.closed.is_some() || state.waiting.is_empty() {
            return Next::Nothing;
        }
        if let Some((closed, reason)) = self.reason_to_close(&state, runs_root) {
            state.closed = Some(closed);
            return Next::Close(format!("{reason}; runs left: {}", state.waiting.len()));
        }
        let now = Instant::now();
        match state.waiting.iter().position(|it| it.not_before <= now) {
            Some(first) => Next::Start(state.waiting.remove(first).index),
            None => Next::Later,
        }
    }

    fn reason_to_close(&self, state: &State, runs_root: &Path) -> Option<(Closed, String)> {
        if self.max_failures.is_some_and(|most| state.failures >= most) {
            let reason = format!("failed runs: {} (limits.max_failures)", state.failures);
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

    /// Takes note of a run's end; one that may be tried again waits once more.
    pub(super) fn ended(&self, index: usize, ended: &RunState) -> Option<Retry> {
        if !ended.is_failure() {
            return None;
        }
        let mut state = self.lock();
        let (class, of, after) = self.rule(ended);
        let tried = state.retried.entry((index, class)).or_default();
        if *tried < of && self.may_go_on() {
            *tried += 1;
            let number = *tried;
            state.waiting.push(Waiting { index, not_before: Instant::now() + after });
            return Some(Retry { number, of, after });
        }
        state.failures += 1;
        None
    }

    /// What went wrong, how often that is tried again, and after how long.
    fn rule(&self, ended: &RunState) -> (&'static str, u32, Duration) {
        let Retries { lost, timeout, oom, io, panic, exit } = self.retries;
        match ended {
            RunState::Lost { .. } => ("lost", lost, Duration::ZERO),
            RunState::TimedOut { .. } => ("timeout", timeout, Duration::ZERO),
            RunState::Failed { class, .. } => match class {
                FailureClass::Oom => ("oom", oom, Duration::ZERO),
                FailureClass::Io => ("io", io, IO_PAUSE),
                FailureClass::Panic => ("panic", panic, Duration::ZERO),
                FailureClass::Exit => ("exit", exit, Duration::ZERO),
                // Nothing about these changes by itself.
                FailureClass::Config | FailureClass::Data => (class.name(), 0, Duration::ZERO),
            },
            RunState::Planned
            | RunState::Running
            | RunState::Completed
            | RunState::Diverged { .. }
            | RunState::Interrupted => ("", 0, Duration::ZERO),
        }
    }

    fn may_go_on(&self) -> bool {
        self.total_time.is_none_or(|most| self.began.elapsed() < most)
    }

    pub(super) fn closed_by_failures(&self) -> bool {
        self.lock().closed == Some(Closed::Failures)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no worker panics while it holds the schedule")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(runs: usize, retries: Retries, max_failures: Option<u64>) -> Schedule {
        let now = Instant::now();
        let waiting = (0..runs).map(|index| Waiting { index, not_before: now }).collect();
        Schedule {
            began: now,
            total_time: None,
            max_failures,
            disk_free_min: None,
            retries,
            state: Mutex::new(State { waiting, ..State::default() }),
        }
    }

    fn none() -> Retries {
        Retries { lost: 0, timeout: 0, oom: 0, io: 0, panic: 0, exit: 0 }
    }

    fn lost() -> RunState {
        RunState::Lost { reason: "killed".into() }
    }

    fn failed(class: FailureClass) -> RunState {
        RunState::Failed { class, reason: "r".into() }
    }

    #[test]
    fn each_class_has_its_own_number_of_tries() {
        let schedule = schedule(1, Retries { lost: 2, panic: 1, ..none() }, None);
        let root = Path::new(".");
        let number = |ended: &RunState| schedule.ended(0, ended).map(|it| it.number);
        assert_eq!(schedule.next(root), Next::Start(0));
        assert_eq!(number(&lost()), Some(1));
        assert_eq!(schedule.next(root), Next::Start(0));
        assert_eq!(number(&failed(FailureClass::Panic)), Some(1));
        assert_eq!(number(&lost()), Some(2));
        assert_eq!(number(&lost()), None);
        assert_eq!(number(&failed(FailureClass::Panic)), None);
        for never in [FailureClass::Config, FailureClass::Data, FailureClass::Oom] {
            assert_eq!(number(&failed(never)), None, "{never:?}");
        }
        assert_eq!(number(&RunState::TimedOut { reason: "r".into() }), None);
        for no_failure in [RunState::Completed, RunState::Diverged { reason: "r".into() }] {
            assert_eq!(number(&no_failure), None);
        }
        assert_eq!(schedule.lock().failures, 6);
    }

    #[test]
    fn a_full_disk_is_given_time() {
        let schedule = schedule(1, Retries { io: 1, ..none() }, None);
        assert_eq!(schedule.next(Path::new(".")), Next::Start(0));
        let retry = schedule.ended(0, &failed(FailureClass::Io)).expect("one more try");
        assert_eq!(retry, Retry { number: 1, of: 1, after: IO_PAUSE });
        assert_eq!(schedule.next(Path::new(".")), Next::Later);
    }

    #[test]
    fn the_breaker_counts_runs_not_tries() {
        let schedule = schedule(3, Retries { lost: 1, ..none() }, Some(1));
        let root = Path::new(".");
        assert_eq!(schedule.next(root), Next::Start(0));
        assert!(schedule.ended(0, &lost()).is_some());
        assert_eq!(schedule.next(root), Next::Start(1));
        assert!(!schedule.closed_by_failures());
        assert!(schedule.ended(0, &lost()).is_none());
        assert!(
            matches!(schedule.next(root), Next::Close(reason) if reason.contains("runs left: 2"))
        );
        assert_eq!(schedule.next(root), Next::Nothing, "said once");
        assert!(schedule.closed_by_failures());
    }
}
