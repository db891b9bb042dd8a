//! One run: its folder's word and the engine's.

use cluster::slurm::{Accounted, Queued};
use cluster::{Folder, Job, JobState, Seen, Standing, stand};
use serde_json::json;
use track::{RunDir, RunRecord, RunState};

use super::Finding;
use super::sent::SentJob;

pub(crate) struct EngineRun {
    pub(crate) standing: Standing,
    /// `12_3`, of the newest job that was to train it.
    pub(super) job: Option<String>,
    pub(super) queued: Option<Queued>,
    /// How that job ended, where Slurm still knows.
    over: Option<String>,
}

impl EngineRun {
    pub(super) fn of(
        run: &RunRecord,
        tasks: &[(&SentJob, usize)],
        queue: &[Queued],
        accounting: &[Accounted],
    ) -> EngineRun {
        let in_queue = |&(sent, task): &(&SentJob, usize), is_over: bool| {
            let is = |it: &&Queued| {
                it.is(&sent.job.name, task) && (it.state == JobState::Over) == is_over
            };
            queue.iter().find(is).cloned()
        };
        let live = tasks.iter().find_map(|it| Some((*it, in_queue(it, false)?)));
        let newest = live.as_ref().map(|(it, _)| *it).or(tasks.first().copied());
        let queued = live.map(|(_, queued)| queued);
        let job = queued.as_ref().map(|it| Job { state: it.state, reason: it.reason.clone() });
        let gone = newest.filter(|_| queued.is_none() && !run.state.is_result());
        let over = gone.and_then(|(sent, task)| {
            let accounted = accounting.iter().find(|it| it.is(&sent.job.name, task));
            let in_queue = || Some(in_queue(&(sent, task), true)?.word);
            accounted.map(Accounted::words).or_else(in_queue)
        });
        let words = |(sent, task): (&SentJob, usize)| match sent.number(queue) {
            Some(number) => format!("{number}_{task}"),
            None => format!("{}, task {task}", sent.job.name),
        };
        let in_doubt = newest.and_then(|(sent, _)| sent.finding(queue, accounting));
        let standing = match stand(seen(run), job.as_ref()) {
            open if open.is_open() && in_doubt == Some(Finding::Nothing) => Standing::InDoubt,
            standing => standing,
        };
        EngineRun { standing, job: newest.map(words), queued, over }
    }

    /// For the tests of what shows it.
    #[cfg(test)]
    pub(crate) fn told(standing: Standing, job: &str) -> EngineRun {
        EngineRun { standing, job: Some(job.to_string()), queued: None, over: None }
    }

    /// A job in the queue trains it, or will.
    pub(crate) fn has_job(&self) -> bool {
        self.queued.is_some()
    }

    /// Its job is gone, and never came to it: the job's log says why.
    pub(super) fn was_never_begun(&self) -> bool {
        self.standing == Standing::Unsent && self.over.is_some()
    }

    /// Its folder may say that it works, and more is to be said.
    pub(crate) fn is_in_doubt(&self) -> bool {
        matches!(self.standing, Standing::Stalled | Standing::Suspended | Standing::Lost)
    }

    /// For a table: `queued: Priority (12_3)`.
    pub(crate) fn words(&self) -> String {
        let mut words = match self.was_never_begun() {
            true => "ended before it began".to_string(),
            false => self.standing.word().to_string(),
        };
        if let Some(reason) = self.standing.reason() {
            words.push_str(&format!(": {reason}"));
        }
        if let Some(queued) = self.queued.as_ref().filter(|it| it.state != JobState::Pending) {
            words.push_str(&format!(" on {}", queued.nodes));
        }
        let end = self.over.as_ref().filter(|_| self.standing != Standing::Ended);
        if let Some(over) = end {
            words.push_str(&format!("; Slurm: {over}"));
        }
        match &self.job {
            Some(job) => format!("{words} ({job})"),
            None => words,
        }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        let queued = self.queued.as_ref();
        json!({
            "engine": "slurm",
            "standing": self.standing.word(),
            "resumable": self.standing.is_open(),
            "job": self.job,
            "state": queued.map(|it| &it.word),
            "reason": queued.map(|it| &it.reason),
            "start": queued.map(|it| &it.start),
            "node": queued.map(|it| &it.nodes),
            "over": self.over,
        })
    }
}

fn seen(run: &RunRecord) -> Seen {
    let folder = match &run.state {
        RunState::Planned => Folder::Planned,
        RunState::Running => Folder::Running,
        RunState::Completed | RunState::Diverged { .. } => Folder::Result,
        RunState::Interrupted | RunState::TimedOut { .. } => Folder::Stopped,
        RunState::Failed { .. } => Folder::Failed,
        RunState::Lost { .. } => Folder::Lost,
    };
    // Where it cannot be read the folder's word has to do.
    let silent = RunDir::new(run.folder.clone()).silent_for().ok().flatten();
    Seen { folder, attempts: run.attempts, silent }
}
