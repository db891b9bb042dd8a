//! Exit codes: the contract with schedulers and scripts.

use std::process::ExitCode;

use runner::RunnerError;
use track::{FailureClass, TrackError};

/// Every way this program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    /// `sweep`, `plan`, `check`: the sweep file is wrong; nothing was made.
    Invalid = 2,
    /// `sweep`: finished, but some runs failed.
    SomeFailed = 3,
    /// `sweep`: stopped on request or by a limit; the same command goes on.
    SweepInterrupted = 4,
    /// `sweep`: too many failures (`limits.max_failures`).
    Breaker = 5,
    /// Anything else that went wrong.
    Failed = 1,
    /// `run`: bad data. `translate`: some pictures cannot be used, and the rest is done; or the
    /// folders as a whole cannot.
    Data = 65,
    /// `run`: a bug.
    Bug = 70,
    /// `run`, `sweep`, `translate`, `export`: the disk is full, permission denied.
    Io = 74,
    /// `run`, `sweep`, `submit`: another process has this run or this sweep. `rm`: a run is being
    /// trained; nothing has moved.
    Held = 75,
    /// `run`: bad configuration, or another plan than was named. `translate`, `export`: weights that
    /// cannot be used. `bench`: no such device.
    Config = 78,
    /// `run`: stopped on request; the same command goes on.
    Interrupted = 85,
    /// `run`: a loss stopped being finite. A result.
    Diverged = 86,
    /// `run`, `bench`: out of device memory.
    OutOfMemory = 87,
}

impl Exit {
    /// The one that says more of several runs: that there is more to do comes before all else, then
    /// what went wrong, then results.
    pub(crate) fn worse(self, other: Exit) -> Exit {
        let rank = |exit: Exit| match exit {
            Exit::Done => 0,
            Exit::Diverged => 1,
            Exit::Held => 2,
            Exit::Interrupted => 4,
            _ => 3,
        };
        // Of two that say as much the first one.
        if rank(other) > rank(self) { other } else { self }
    }

    /// The code for an error of the runner's or the store's; `None` for any other.
    pub(crate) fn of(error: &anyhow::Error) -> Option<Exit> {
        let of_the_store = match error.downcast_ref::<RunnerError>() {
            Some(RunnerError::Track(
                error @ (TrackError::Held { .. } | TrackError::Fenced { .. }),
            )) => Some(error),
            Some(error) => return Some(error.class().into()),
            None => error.downcast_ref::<TrackError>(),
        };
        of_the_store.map(|error| match error {
            TrackError::Held { .. } | TrackError::Fenced { .. } => Exit::Held,
            _ => Exit::Io,
        })
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

impl From<FailureClass> for Exit {
    fn from(class: FailureClass) -> Exit {
        match class {
            FailureClass::Config => Exit::Config,
            FailureClass::Data => Exit::Data,
            FailureClass::Io => Exit::Io,
            FailureClass::Oom => Exit::OutOfMemory,
            FailureClass::Panic => Exit::Bug,
            FailureClass::Exit => Exit::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_runs_the_worst_is_told() {
        let of = |exits: &[Exit]| exits.iter().fold(Exit::Done, |worst, it| worst.worse(*it));
        assert_eq!(of(&[Exit::Done, Exit::Diverged, Exit::Done]), Exit::Diverged);
        assert_eq!(of(&[Exit::Diverged, Exit::Held, Exit::Done]), Exit::Held);
        assert_eq!(of(&[Exit::Io, Exit::Held, Exit::Bug]), Exit::Io);
        assert_eq!(of(&[Exit::Bug, Exit::Interrupted]), Exit::Interrupted);
    }
}
