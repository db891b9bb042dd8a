//! Where a run stands: its events folded, and its lock asked.

use crate::error::TrackError;
use crate::event::{Event, RunEvents, Stamped};
use crate::layout::RunDir;
use crate::record::RunState;

impl RunState {
    /// `held`: some process holds the run's lock. Only that tells a running
    /// process from one that died without a last word.
    pub fn fold(events: &[Stamped<Event>], held: bool) -> RunState {
        let mut state = RunState::Planned;
        for Stamped { event, .. } in events {
            state = match event.clone() {
                Event::Started { .. } | Event::Resumed { .. } => match held {
                    true => RunState::Running,
                    false => RunState::Lost { reason: SILENT.to_owned() },
                },
                Event::Interrupted { .. } | Event::Reopened { .. } => RunState::Interrupted,
                Event::Completed { .. } => RunState::Completed,
                Event::Diverged { reason, .. } => RunState::Diverged { reason },
                Event::Failed { class, reason } => RunState::Failed { class, reason },
                Event::TimedOut { reason } => RunState::TimedOut { reason },
                Event::Lost { reason } => RunState::Lost { reason },
                Event::Checkpoint { .. }
                | Event::Built { .. }
                | Event::CheckpointRejected { .. }
                | Event::Evaluated { .. }
                | Event::RecordingDegraded { .. }
                | Event::RecordingRestored { .. }
                | Event::Unknown => state,
            };
        }
        state
    }

    /// As serialised: `planned`, `running`, …
    pub fn name(&self) -> &'static str {
        match self {
            RunState::Planned => "planned",
            RunState::Running => "running",
            RunState::Completed => "completed",
            RunState::Diverged { .. } => "diverged",
            RunState::Failed { .. } => "failed",
            RunState::TimedOut { .. } => "timed_out",
            RunState::Interrupted => "interrupted",
            RunState::Lost { .. } => "lost",
        }
    }

    /// Why it ended so, where there is something to say.
    pub fn reason(&self) -> Option<&str> {
        match self {
            RunState::Diverged { reason }
            | RunState::Failed { reason, .. }
            | RunState::TimedOut { reason }
            | RunState::Lost { reason } => Some(reason),
            RunState::Planned | RunState::Running | RunState::Completed | RunState::Interrupted => {
                None
            }
        }
    }

    /// Nothing is left to train: finished, or diverged, which is an answer too.
    pub fn is_result(&self) -> bool {
        matches!(self, RunState::Completed | RunState::Diverged { .. })
    }

    /// Ended by something that is not the run's own doing, be it the machine, its files or a limit of
    /// time: it says nothing of what was asked, and the same command goes on with it.
    pub fn is_of_the_machine(&self) -> bool {
        match self {
            RunState::TimedOut { .. } | RunState::Lost { .. } => true,
            RunState::Failed { class, .. } => !class.is_of_the_run(),
            RunState::Planned
            | RunState::Running
            | RunState::Completed
            | RunState::Diverged { .. }
            | RunState::Interrupted => false,
        }
    }

    /// Ended without an answer, and not because somebody asked it to.
    pub fn is_failure(&self) -> bool {
        matches!(self, RunState::Failed { .. } | RunState::TimedOut { .. } | RunState::Lost { .. })
    }
}

/// What is known of a run whose lock is free and whose events end in the middle.
const SILENT: &str = "its process is gone without a last word";

/// A run's events and what follows from them.
pub(crate) struct RunHistory {
    pub(crate) state: RunState,
    pub(crate) events: Vec<Stamped<Event>>,
    /// What was wrong with lines that are no events.
    pub(crate) bad: Vec<String>,
}

impl RunDir {
    pub fn state(&self) -> Result<RunState, TrackError> {
        Ok(self.history()?.state)
    }

    /// Attempts so far; the next one is this plus one.
    pub fn attempts(&self) -> Result<u32, TrackError> {
        let attempt = |it: &Stamped<Event>| match it.event {
            Event::Started { attempt, .. } | Event::Resumed { attempt, .. } => attempt,
            _ => 0,
        };
        Ok(self.history()?.events.iter().map(attempt).max().unwrap_or(0))
    }

    /// Code of the last attempt, as `CodeVersion` puts it.
    pub fn last_code(&self) -> Result<Option<String>, TrackError> {
        let code = |it: Stamped<Event>| match it.event {
            Event::Started { code, .. } => Some(code),
            _ => None,
        };
        Ok(self.history()?.events.into_iter().filter_map(code).next_back())
    }

    /// Whether it was finished, and is to be evaluated again.
    pub fn is_reopened(&self) -> Result<bool, TrackError> {
        let of_the_end = |it: Stamped<Event>| match it.event {
            Event::Reopened { .. } => Some(true),
            Event::Completed { .. } | Event::Diverged { .. } => Some(false),
            _ => None,
        };
        let events = self.history()?.events;
        Ok(events.into_iter().filter_map(of_the_end).next_back().unwrap_or(false))
    }

    /// The lock is asked before and after: a process that ends in between has
    /// said so in its events, one that begins in between holds it afterwards.
    pub(crate) fn history(&self) -> Result<RunHistory, TrackError> {
        let before = self.is_held();
        let (events, bad) = RunEvents::read(&self.events())?;
        let state = RunState::fold(&events, before || self.is_held());
        Ok(RunHistory { state, events, bad })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::FailureClass;

    fn started() -> Event {
        Event::Started {
            attempt: 1,
            device: "cpu".into(),
            pid: 1,
            host: "h".into(),
            code: "c".into(),
            argv: vec![],
        }
    }

    fn stamped(events: Vec<Event>) -> Vec<Stamped<Event>> {
        events.into_iter().map(|event| Stamped { ts: String::new(), event }).collect()
    }

    #[test]
    fn folding() {
        let check = |events: Vec<Event>, held: bool, expected: RunState| {
            let events = stamped(events);
            assert_eq!(RunState::fold(&events, held), expected, "{events:?}, held: {held}");
        };
        let resumed = || Event::Resumed { attempt: 2, from_step: 4, checkpoint: "c".into() };
        let checkpoint = || Event::Checkpoint { step: 4, path: "c".into() };
        let interrupted = || Event::Interrupted { step: 4 };
        let completed = || Event::Completed { step: 9, active_s: 1.5 };
        let degraded =
            || Event::RecordingDegraded { what: "sample".into(), reason: "disk full".into() };
        let diverged = || Event::Diverged { step: 4, reason: "loss/d_a is NaN".into() };
        let failed = || Event::Failed { class: FailureClass::Oom, reason: "r".into() };

        check(vec![], false, RunState::Planned);
        check(vec![], true, RunState::Planned);
        check(vec![started()], true, RunState::Running);
        let lost = || RunState::Lost { reason: SILENT.into() };
        check(vec![started()], false, lost());
        check(vec![started(), checkpoint(), degraded()], true, RunState::Running);
        check(vec![started(), checkpoint(), degraded()], false, lost());
        check(vec![started(), interrupted()], false, RunState::Interrupted);
        check(vec![started(), interrupted()], true, RunState::Interrupted);
        check(vec![started(), interrupted(), started(), resumed()], true, RunState::Running);
        check(vec![started(), interrupted(), started(), resumed()], false, lost());
        check(vec![started(), completed()], false, RunState::Completed);
        check(vec![started(), completed(), Event::Unknown], false, RunState::Completed);
        check(
            vec![started(), diverged()],
            false,
            RunState::Diverged { reason: "loss/d_a is NaN".into() },
        );
        check(
            vec![started(), failed()],
            false,
            RunState::Failed { class: FailureClass::Oom, reason: "r".into() },
        );
        check(vec![started(), failed(), started(), completed()], false, RunState::Completed);
        let over = || String::from("2 h are over");
        check(
            vec![started(), interrupted(), Event::TimedOut { reason: over() }],
            false,
            RunState::TimedOut { reason: over() },
        );
        let killed = || String::from("killed by signal 9");
        check(
            vec![started(), Event::Lost { reason: killed() }],
            false,
            RunState::Lost { reason: killed() },
        );
        let noted = Event::RecordingRestored { what: "samples".into() };
        check(vec![started(), completed(), noted], false, RunState::Completed);
    }

    #[test]
    fn what_the_machine_did_is_no_answer() {
        let failed = |class| RunState::Failed { class, reason: String::new() };
        for class in
            [FailureClass::Io, FailureClass::Exit, FailureClass::Data, FailureClass::Config]
        {
            assert!(failed(class).is_of_the_machine(), "{class:?}");
        }
        for class in [FailureClass::Oom, FailureClass::Panic] {
            assert!(!failed(class).is_of_the_machine(), "{class:?}");
        }
        let reason = String::new;
        assert!(RunState::TimedOut { reason: reason() }.is_of_the_machine());
        assert!(RunState::Lost { reason: reason() }.is_of_the_machine());
        let results = [RunState::Completed, RunState::Diverged { reason: reason() }];
        assert!(results.iter().all(|it| it.is_result() && !it.is_of_the_machine()));
    }

    #[test]
    fn the_lock_decides_between_running_and_lost() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::new(dir.path().to_owned());
        assert_eq!((run.state().unwrap(), run.attempts().unwrap()), (RunState::Planned, 0));
        let lock = run.lock().unwrap();
        RunEvents::open(&run.events()).unwrap().append(&started()).unwrap();
        assert_eq!((run.state().unwrap(), run.attempts().unwrap()), (RunState::Running, 1));
        drop(lock);
        assert_eq!(run.state().unwrap().name(), "lost");
    }

    #[test]
    fn names_are_those_on_disk() {
        let states = [
            RunState::Planned,
            RunState::Running,
            RunState::Completed,
            RunState::Diverged { reason: String::new() },
            RunState::Failed { class: FailureClass::Io, reason: String::new() },
            RunState::TimedOut { reason: String::new() },
            RunState::Interrupted,
            RunState::Lost { reason: String::new() },
        ];
        for state in states {
            assert_eq!(serde_json::to_value(&state).unwrap()["state"], state.name());
        }
    }
}
