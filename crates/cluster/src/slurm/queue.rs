//! What `squeue` prints, line by line.

use crate::error::ClusterError;
use crate::indices::Indices;
use crate::standing::JobState;

/// The fixed form that is asked for: name, job, array, task, state, reason, start, nodes. JSON changes
/// with every release, and so do the names of columns.
pub(super) const FORMAT: &str = "%j|%A|%F|%K|%T|%r|%S|%N";

/// A job, or those tasks of an array that still wait as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The job's, which is asked for and so never another's.
    pub name: String,
    pub job: u64,
    /// The array's number, which is what `sbatch` answered; a lone job's own.
    pub array: u64,
    /// `None`: no array.
    pub tasks: Option<Indices>,
    pub state: JobState,
    /// Slurm's own word for it.
    pub word: String,
    pub reason: String,
    /// Expected or real; `N/A` where Slurm knows none.
    pub start: String,
    pub nodes: String,
}

impl Queued {
    pub fn is(&self, name: &str, task: usize) -> bool {
        self.name == name && self.tasks.as_ref().is_some_and(|tasks| tasks.contains(task))
    }
}

/// # Errors
/// `Unreadable` names the line: a queue that is half understood would have runs sent twice.
pub fn parse_squeue(text: &str) -> Result<Vec<Queued>, ClusterError> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let read = |line: &str| {
        parse(line).ok_or_else(|| ClusterError::unreadable("squeue", "line of its queue", line))
    };
    lines.map(read).collect()
}

fn parse(line: &str) -> Option<Queued> {
    let mut left = line.splitn(6, '|').map(str::trim);
    let name = left.next()?.to_string();
    let (job, array, tasks, word) = (left.next()?, left.next()?, left.next()?, left.next()?);
    // A reason is free text; what stands behind it is not.
    let mut right = left.next()?.rsplitn(3, '|').map(str::trim);
    let (nodes, start, reason) = (right.next()?, right.next()?, right.next()?);
    Some(Queued {
        name,
        job: job.parse().ok()?,
        array: array.parse().ok()?,
        tasks: match tasks {
            "N/A" | "" | "4294967294" => None,
            tasks => Some(self::tasks(tasks)?),
        },
        state: JobState::named(word)?,
        word: word.to_string(),
        reason: reason.to_string(),
        start: start.to_string(),
        nodes: nodes.to_string(),
    })
}

/// `3`, or of tasks that wait `0-5,7%3`; `sacct` and older releases put brackets around it.
pub(super) fn tasks(text: &str) -> Option<Indices> {
    let text = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(text);
    text.split('%').next().unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As 20.11, 22.05 and 23.11 print it.
    const SHAPES: [&str; 3] = [
        "a|7|7|0-5%3|PENDING|JobArrayTaskLimit|N/A|\na|8|7|1|RUNNING|None|2023-05-02T10:11:12|n1\n",
        "b|30|30|5,7-9|PENDING|Nodes required for job are DOWN, DRAINED or reserved|N/A|\n\
         b|31|30|2|COMPLETING|None|2024-01-01T00:00:00|gpu[01-02]\n\
         b.report|32|32|N/A|PENDING|Dependency|N/A|\n",
        "c|1001|1001|[0-10:5%1]|PENDING|BeginTime|2025-02-03T04:05:06|\n\
         c|1002|1001|15|REQUEUE_HOLD|job requeued in held state|N/A|(null)\n",
    ];

    #[test]
    fn every_shape_is_read() {
        let [old, middle, new] = SHAPES.map(|text| parse_squeue(text).unwrap());
        assert_eq!((old[0].job, old[0].array, old[0].reason.as_str()), (7, 7, "JobArrayTaskLimit"));
        assert!(old[0].is("a", 5) && !old[0].is("a", 6) && !old[0].is("b", 5));
        assert_eq!((old[1].state, old[1].nodes.as_str()), (JobState::Running, "n1"));
        assert!(old[1].is("a", 1));

        assert!(middle[0].is("b", 8) && !middle[0].is("b", 6));
        assert!(middle[0].reason.ends_with("DRAINED or reserved"));
        assert_eq!((middle[1].state, middle[1].nodes.as_str()), (JobState::Ending, "gpu[01-02]"));
        assert_eq!((middle[2].tasks.clone(), middle[2].array), (None, 32));

        assert!(new[0].is("c", 10) && !new[0].is("c", 7));
        assert_eq!(new[0].start, "2025-02-03T04:05:06");
        assert_eq!((new[1].state, new[1].word.as_str()), (JobState::Pending, "REQUEUE_HOLD"));
        assert!(parse_squeue("\n").unwrap().is_empty());
    }

    #[test]
    fn a_reason_may_hold_a_bar() {
        let found = parse_squeue("x|1|1|0|PENDING|a|b|N/A|\n").unwrap();
        assert_eq!((found[0].reason.as_str(), found[0].start.as_str()), ("a|b", "N/A"));
    }

    /// Above all a list that was cut short.
    #[test]
    fn what_is_no_queue_is_named() {
        let check = |line: &str| {
            let error = parse_squeue(line).unwrap_err().to_string();
            assert!(error.contains("squeue"), "{error}");
        };
        check("n|1|1|0-5,7...|PENDING|None|N/A|");
        check("slurm_load_jobs error: Unable to contact slurm controller");
        check("n|x|1|0|PENDING|None|N/A|");
        check("n|1|1|0|PENDING|None");
        check("n|1|1|0-99999999999|PENDING|None|N/A|");
        check(&format!("{}|", "λ".repeat(10_000)));
        check("n|1|1|0|lower case|None|N/A|");
    }
}
