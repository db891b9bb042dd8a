//! Which jobs were sent for a sweep, and which task of them trains which run.

use cluster::Indices;
use track::{Submission, SubmittedArray, SweepDir};

/// What was sent, with its numbers read.
pub(super) struct Sent {
    submissions: Vec<(Submission, Vec<Tasks>)>,
    /// What of it could not be read.
    pub(super) trouble: Option<String>,
}

/// Which runs an array has, and by which tasks.
struct Tasks {
    job_id: u64,
    offset: usize,
    all: Indices,
    packed: Vec<Indices>,
}

impl Sent {
    pub(super) fn read(sweep: &SweepDir) -> Sent {
        let (submissions, bad) = match sweep.read_submissions() {
            Ok(read) => read,
            Err(error) => {
                return Sent { submissions: Vec::new(), trouble: Some(in_words(&error)) };
            }
        };
        let path = sweep.submissions();
        let bad = bad.first().map(|it| format!("`{}` is read in part: {it}", path.display()));
        let mut sent = Sent { submissions: Vec::new(), trouble: bad };
        for submission in submissions {
            let tasks = submission.arrays.iter().map(Tasks::read).collect::<Result<Vec<_>, _>>();
            match tasks {
                Ok(tasks) => sent.submissions.push((submission, tasks)),
                Err(why) => {
                    let why = format!("`{}` is read in part: {why}", path.display());
                    sent.trouble.get_or_insert(why);
                }
            }
        }
        sent
    }

    pub(super) fn to_slurm(&self) -> impl Iterator<Item = &Submission> {
        self.submissions.iter().map(|(it, _)| it).filter(|it| it.engine == "slurm")
    }

    pub(super) fn jobs(&self) -> impl Iterator<Item = u64> + '_ {
        self.to_slurm().flat_map(|it| it.arrays.iter().map(|array| array.job_id))
    }

    /// Array and task that train a run of this plan, the newest first.
    pub(super) fn tasks_of(&self, index: usize, plan: &str) -> Vec<(u64, usize)> {
        let of_plan = |it: &&(Submission, Vec<Tasks>)| it.0.engine == "slurm" && it.0.plan == plan;
        let arrays = self.submissions.iter().rev().filter(of_plan).flat_map(|(_, tasks)| tasks);
        arrays.filter_map(|it| Some((it.job_id, it.task_of(index)?))).collect()
    }
}

impl Tasks {
    fn read(array: &SubmittedArray) -> Result<Tasks, String> {
        Ok(Tasks {
            job_id: array.job_id,
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
