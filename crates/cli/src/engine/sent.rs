//! Which jobs were sent for a sweep, and which task of them trains which run.

use cluster::Indices;
use cluster::slurm::{Accounted, Queued};
use track::{Fate, Submission, SubmittedArray, SubmittedJob, SweepDir};

use super::{Finding, SETTLED_AFTER, is_past};

/// What was sent to Slurm and not refused, with its numbers read; the oldest first.
pub(super) struct Sent {
    pub(super) jobs: Vec<SentJob>,
    /// What of it could not be read.
    pub(super) trouble: Option<String>,
}

pub(super) struct SentJob {
    pub(super) submission: u32,
    /// Of the plan that its runs' numbers are of.
    pub(super) plan: String,
    pub(super) job: SubmittedJob,
    /// `None`: it writes the report.
    tasks: Option<Tasks>,
}

/// Which runs an array has, and by which tasks.
struct Tasks {
    offset: usize,
    all: Indices,
    packed: Vec<Indices>,
}

impl Sent {
    pub(super) fn read(sweep: &SweepDir) -> Sent {
        let (submissions, bad) = match sweep.read_submissions() {
            Ok(read) => read,
            Err(error) => return Sent { jobs: Vec::new(), trouble: Some(in_words(&error)) },
        };
        let path = sweep.submissions();
        let in_part = |why: &str| format!("`{}` is read in part: {why}", path.display());
        let mut sent = Sent { jobs: Vec::new(), trouble: bad.first().map(|why| in_part(why)) };
        for submission in submissions.iter().filter(|it| it.engine == "slurm") {
            for job in &submission.jobs {
                match SentJob::read(submission, job) {
                    Ok(job) => sent.jobs.extend(job),
                    Err(why) => drop(sent.trouble.get_or_insert(in_part(&why))),
                }
            }
        }
        sent
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.jobs.iter().map(|it| it.job.name.as_str())
    }

    /// Jobs and their tasks that train a run of this plan, the newest first.
    pub(super) fn tasks_of(&self, index: usize, plan: &str) -> Vec<(&SentJob, usize)> {
        let of_plan = self.jobs.iter().rev().filter(|it| it.plan == plan);
        of_plan.filter_map(|it| Some((it, it.tasks.as_ref()?.task_of(index)?))).collect()
    }
}

impl SentJob {
    fn read(submission: &Submission, job: &SubmittedJob) -> Result<Option<SentJob>, String> {
        if matches!(job.fate, Fate::Refused { .. }) {
            return Ok(None);
        }
        Ok(Some(SentJob {
            submission: submission.number,
            plan: submission.plan.clone(),
            job: job.clone(),
            tasks: job.runs().map(Tasks::read).transpose()?,
        }))
    }

    /// Where its answer was lost: what Slurm knows of it by now.
    pub(super) fn finding(&self, queue: &[Queued], accounting: &[Accounted]) -> Option<Finding> {
        let Fate::Unsettled { .. } = self.job.fate else { return None };
        let in_account =
            || accounting.iter().find(|it| it.name == self.job.name).map(|it| it.array);
        Some(match self.number(queue).or_else(in_account) {
            Some(job) => Finding::Taken(job),
            None if is_past(&self.job.at, SETTLED_AFTER) => Finding::Absent,
            None => Finding::Nothing,
        })
    }

    pub(super) fn is_report(&self) -> bool {
        self.tasks.is_none()
    }

    /// Its number: noted, or by the queue's word.
    pub(super) fn number(&self, queue: &[Queued]) -> Option<u64> {
        let in_queue = || queue.iter().find(|it| it.name == self.job.name).map(|it| it.array);
        self.job.job_id().or_else(in_queue)
    }
}

impl Tasks {
    fn read(array: &SubmittedArray) -> Result<Tasks, String> {
        Ok(Tasks {
            offset: array.offset,
            all: array.indices.parse()?,
            packed: array.packed.iter().map(|it| it.parse()).collect::<Result<_, _>>()?,
        })
    }

    fn task_of(&self, index: usize) -> Option<usize> {
        match self.packed.is_empty() {
            false => self.packed.iter().position(|it| it.contains(index)),
            true => self.all.contains(index).then(|| index.checked_sub(self.offset)).flatten(),
        }
    }
}

/// With its causes, on one line.
pub(super) fn in_words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
