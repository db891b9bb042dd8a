//! Where a run stands: its folder's word and the engine's, folded into one.
//!
//! The folder is the truth: what has a result has it, whatever an engine says. The engine knows what
//! no folder can: that a run waits for its turn, and that a process is being looked after.

use std::time::Duration;

/// Silent for so long, an owner counts as dead: the term of a lease.
const TERM: Duration = Duration::from_secs(60);

/// What the run's folder says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    Planned,
    Running,
    /// Completed, or diverged.
    Result,
    /// Stopped on request or by a limit, saved.
    Stopped,
    Failed,
    /// Its process is gone without a last word.
    Lost,
}

/// The same with what goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub folder: Folder,
    pub attempts: u32,
    /// Since its owner's last sign of life, where it ever had one.
    pub silent: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    Pending,
    Running,
    Suspended,
    /// Its process has ended or is being ended.
    Ending,
    /// It left the queue.
    Over,
}

impl JobState {
    /// Slurm's word; `None` where it is no word of such a kind. One that a later release adds is
    /// taken for a job that lives: better not sent than sent twice.
    pub fn named(word: &str) -> Option<JobState> {
        Some(match word {
            "PENDING" | "CONFIGURING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED"
            | "SPECIAL_EXIT" | "RESV_DEL_HOLD" => JobState::Pending,
            "SUSPENDED" | "STOPPED" => JobState::Suspended,
            "COMPLETING" | "STAGE_OUT" => JobState::Ending,
            "COMPLETED" | "CANCELLED" | "FAILED" | "TIMEOUT" | "NODE_FAIL" | "PREEMPTED"
            | "BOOT_FAIL" | "DEADLINE" | "OUT_OF_MEMORY" | "REVOKED" => JobState::Over,
            _ if !word.is_empty() && word.bytes().all(|c| c.is_ascii_uppercase() || c == b'_') => {
                JobState::Running
            }
            _ => return None,
        })
    }
}

/// The engine's job that is to train the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub state: JobState,
    /// Why it waits, in the engine's words.
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Ended,
    Queued {
        reason: String,
    },
    /// It has worked before, and waits to go on.
    Requeued {
        reason: String,
    },
    /// Its job works, and the run has not begun: it starts up, or another run of the job has its turn.
    Starting,
    Running,
    /// Its job works, the run says nothing.
    Stalled,
    Suspended,
    /// Someone trains it, and that is none of the jobs.
    Elsewhere,
    /// Its job may have been sent, and may not: the answer was lost, and the engine does not know it yet.
    InDoubt,
    /// No job will do it.
    Unsent,
    Stopped,
    Failed,
    Lost,
}

/// `job` is the one in the queue that will or does train the run.
pub fn stand(seen: Seen, job: Option<&Job>) -> Standing {
    let is_stale = seen.silent.is_some_and(|silent| silent >= TERM);
    match (seen.folder, job.map(|job| (job.state, &job.reason))) {
        (Folder::Result, _) => Standing::Ended,
        (_, Some((JobState::Pending, reason))) if seen.attempts > 0 => {
            Standing::Requeued { reason: reason.clone() }
        }
        (_, Some((JobState::Pending, reason))) => Standing::Queued { reason: reason.clone() },
        (_, Some((JobState::Suspended, _))) => Standing::Suspended,
        (Folder::Running, Some((JobState::Running, _))) if is_stale => Standing::Stalled,
        (Folder::Running, Some((JobState::Running | JobState::Ending, _))) => Standing::Running,
        (Folder::Lost, Some((JobState::Running, _))) => Standing::Stalled,
        (Folder::Planned | Folder::Stopped, Some((JobState::Running, _))) => Standing::Starting,
        (Folder::Running, None | Some((JobState::Over, _))) if is_stale => Standing::Lost,
        (Folder::Running, None | Some((JobState::Over, _))) => Standing::Elsewhere,
        (Folder::Planned, _) => Standing::Unsent,
        (Folder::Stopped, _) => Standing::Stopped,
        (Folder::Failed, _) => Standing::Failed,
        (Folder::Lost, _) => Standing::Lost,
    }
}

impl Standing {
    /// One word, for tables and scripts.
    pub fn word(&self) -> &'static str {
        match self {
            Standing::Ended => "ended",
            Standing::Queued { .. } => "queued",
            Standing::Requeued { .. } => "requeued",
            Standing::Starting => "starting",
            Standing::Running => "running",
            Standing::Stalled => "stalled?",
            Standing::Suspended => "suspended",
            Standing::Elsewhere => "elsewhere",
            Standing::InDoubt => "in doubt",
            Standing::Unsent => "unsent",
            Standing::Stopped => "stopped",
            Standing::Failed => "failed",
            Standing::Lost => "lost",
        }
    }

    /// Why it waits. Of a job that nobody has looked at yet Slurm says `None`.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Standing::Queued { reason } | Standing::Requeued { reason } => {
                Some(reason.as_str()).filter(|it| *it != "None")
            }
            _ => None,
        }
    }

    /// Nobody works on it or will: `submit --resume` sends it.
    pub fn is_open(&self) -> bool {
        matches!(self, Standing::Unsent | Standing::Stopped | Standing::Failed | Standing::Lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_and_the_engine_folded() {
        use Folder::{Failed, Lost, Planned, Result, Running, Stopped};
        use JobState::{Ending, Over, Pending, Suspended};
        let check = |folder, attempts, silent: u64, job: Option<JobState>, expected: &str| {
            let seen = Seen { folder, attempts, silent: Some(Duration::from_secs(silent)) };
            let job = job.map(|state| Job { state, reason: "Priority".into() });
            let found = stand(seen, job.as_ref());
            assert_eq!(found.word(), expected, "{folder:?} {attempts} {silent} {job:?}");
            let waits = matches!(job, Some(Job { state: Pending, .. })) && folder != Result;
            assert_eq!(found.reason(), waits.then_some("Priority"));
            let nobody = matches!(expected, "unsent" | "stopped" | "failed" | "lost");
            assert_eq!(found.is_open(), nobody);
        };
        for job in [None, Some(Pending), Some(JobState::Running), Some(Suspended), Some(Over)] {
            check(Result, 1, 999, job, "ended");
        }
        check(Planned, 0, 0, None, "unsent");
        check(Planned, 0, 0, Some(Pending), "queued");
        check(Planned, 0, 0, Some(JobState::Running), "starting");
        check(Planned, 0, 0, Some(Over), "unsent");
        check(Stopped, 1, 5, Some(Pending), "requeued");
        check(Stopped, 1, 5, Some(JobState::Running), "starting");
        check(Stopped, 1, 5, Some(Ending), "stopped");
        check(Stopped, 1, 5, None, "stopped");
        check(Running, 1, 5, Some(JobState::Running), "running");
        check(Running, 1, 61, Some(JobState::Running), "stalled?");
        check(Running, 1, 61, Some(Ending), "running");
        check(Running, 1, 5, Some(Suspended), "suspended");
        check(Running, 1, 5, Some(Pending), "requeued");
        check(Running, 1, 5, None, "elsewhere");
        check(Running, 1, 61, None, "lost");
        check(Running, 1, 61, Some(Over), "lost");
        check(Lost, 1, 61, Some(JobState::Running), "stalled?");
        check(Lost, 1, 61, Some(Pending), "requeued");
        check(Lost, 1, 61, None, "lost");
        check(Failed, 1, 5, None, "failed");
        check(Failed, 1, 5, Some(JobState::Running), "failed");
        check(Failed, 1, 5, Some(Pending), "requeued");
    }

    #[test]
    fn states_are_slurm_s_words() {
        let check = |word: &str, expected| assert_eq!(JobState::named(word), expected, "{word}");
        check("PENDING", Some(JobState::Pending));
        check("SIGNALING", Some(JobState::Running));
        check("A_WORD_OF_LATER", Some(JobState::Running));
        check("TIMEOUT", Some(JobState::Over));
        check("PD", Some(JobState::Running));
        check("", None);
        check("not a state", None);
    }
}
