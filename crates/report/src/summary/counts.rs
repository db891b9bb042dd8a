//! How many runs of a cell have come to which end.

use track::{RunRecord, RunState};

/// Where the runs of a cell stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub planned: usize,
    pub completed: usize,
    pub running: usize,
    pub diverged: usize,
    /// By the run's own doing: for want of memory, or by a panic.
    pub failed: usize,
    /// By the machine, its files or a limit of time: says nothing of the cell, and is still to be done.
    pub stopped: usize,
    /// Planned or interrupted: still to be done.
    pub pending: usize,
    /// Of the pending ones, those that have begun and will go on.
    pub interrupted: usize,
    /// Completed runs whose last evaluation says that their numbers would mislead.
    pub flagged: usize,
}

impl Counts {
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a RunRecord>) -> Counts {
        let mut counts = Counts::default();
        for run in runs {
            counts.add(&run.state);
            let misleads = run.state == RunState::Completed && run.flags.iter().any(|it| it.fails);
            counts.flagged += usize::from(misleads);
        }
        counts
    }

    fn add(&mut self, state: &RunState) {
        self.planned += 1;
        *match state {
            RunState::Completed => &mut self.completed,
            RunState::Running => &mut self.running,
            RunState::Diverged { .. } => &mut self.diverged,
            state if state.is_of_the_machine() => &mut self.stopped,
            RunState::Failed { .. } => &mut self.failed,
            _ => &mut self.pending,
        } += 1;
        self.interrupted += usize::from(*state == RunState::Interrupted);
    }

    /// Every run has come to an end that says something of its cell, good or bad.
    pub fn is_final(&self) -> bool {
        self.running + self.stopped + self.pending == 0
    }

    /// Runs that have.
    pub fn ended(&self) -> usize {
        self.completed + self.diverged + self.failed
    }
}

#[cfg(test)]
mod tests {
    use track::FailureClass;

    use super::*;

    #[test]
    fn what_the_machine_did_is_still_to_be_done() {
        let failed = |class| RunState::Failed { class, reason: String::new() };
        let reason = String::new;
        let check = |state: RunState, expected: Counts| {
            let mut counts = Counts::default();
            counts.add(&state);
            assert_eq!(counts, Counts { planned: 1, ..expected }, "{state:?}");
            let answers = expected.completed + expected.diverged + expected.failed;
            assert_eq!((counts.is_final(), counts.ended()), (answers == 1, answers), "{state:?}");
        };
        let none = Counts::default();
        check(RunState::Completed, Counts { completed: 1, ..none });
        check(RunState::Diverged { reason: reason() }, Counts { diverged: 1, ..none });
        for class in [FailureClass::Oom, FailureClass::Panic] {
            check(failed(class), Counts { failed: 1, ..none });
        }
        for class in
            [FailureClass::Io, FailureClass::Exit, FailureClass::Data, FailureClass::Config]
        {
            check(failed(class), Counts { stopped: 1, ..none });
        }
        check(RunState::TimedOut { reason: reason() }, Counts { stopped: 1, ..none });
        check(RunState::Lost { reason: reason() }, Counts { stopped: 1, ..none });
        check(RunState::Interrupted, Counts { pending: 1, interrupted: 1, ..none });
        check(RunState::Planned, Counts { pending: 1, ..none });
        check(RunState::Running, Counts { running: 1, ..none });
    }
}
