//! What came of sending a job.

use crate::error::ClusterError;

#[derive(Debug)]
pub enum Reply {
    /// The number of the job.
    Taken(u64),
    Refused(ClusterError),
    /// No answer, or none that says so: the job may be in the queue, and it may not.
    Unknown(ClusterError),
}

impl Reply {
    /// Of a call that was to answer a number.
    pub(crate) fn of(answer: Result<u64, ClusterError>) -> Reply {
        match answer {
            Ok(job) => Reply::Taken(job),
            Err(error @ (ClusterError::Silent { .. } | ClusterError::Unreadable { .. })) => {
                Reply::Unknown(error)
            }
            Err(error) => Reply::Refused(error),
        }
    }
}
