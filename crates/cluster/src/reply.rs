//! What came of sending a job.

use crate::error::ClusterError;
use crate::process::Answer;

#[derive(Debug)]
pub enum Reply {
    /// The number of the job.
    Taken(u64),
    Refused(ClusterError),
    /// No answer, or none that says so: the job may be in the queue, and it may not.
    Unknown(ClusterError),
}

impl Reply {
    /// Of a call that was to answer a job's `number`. `is_doubtful` knows words by which a program says that it
    /// did not hear what became of its request.
    pub(crate) fn of(
        call: Result<Answer, ClusterError>,
        command: &str,
        number: impl FnOnce(&str) -> Option<u64>,
        is_doubtful: impl FnOnce(&str) -> bool,
    ) -> Reply {
        match call {
            Err(error @ ClusterError::Silent { .. }) => Reply::Unknown(error),
            Err(error) => Reply::Refused(error),
            Ok(answer) if answer.status.success() => match number(&answer.out) {
                Some(job) => Reply::Taken(job),
                None => {
                    Reply::Unknown(ClusterError::unreadable(command, "job's number", &answer.out))
                }
            },
            Ok(answer) => {
                let was_killed = answer.status.code().is_none();
                let error = answer.refused(command);
                match was_killed || is_doubtful(&answer.said) {
                    true => Reply::Unknown(error),
                    false => Reply::Refused(error),
                }
            }
        }
    }
}
