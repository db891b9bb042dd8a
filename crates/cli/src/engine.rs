//! What a cluster says of a sweep's runs, folded with what their folders say.

mod sent;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cluster::slurm::{Accounted, Accounting, Client, Queued};
use cluster::{Folder, Job, JobState, Seen, Standing, stand};
use serde_json::json;
use track::{RunDir, RunRecord, RunState, SweepDir, plan_fingerprint};

use self::sent::{Sent, in_words};

/// A queue is shared by everybody: no process asks more often.
pub(crate) const PACE: Duration = Duration::from_secs(30);

/// Slurm, as far as this process has asked it.
pub(crate) struct Engine {
    client: Client,
    heard: Option<Heard>,
}

/// What it said last, and of which jobs.
struct Heard {
    at: Instant,
    jobs: Vec<u64>,
    queue: Result<Vec<Queued>, String>,
    accounting: Option<Vec<Accounted>>,
}

/// One sweep, as its folders and the engine have it.
#[derive(Default)]
pub(crate) struct View {
    /// By index; empty where nothing was sent to Slurm, or it cannot be asked.
    pub(crate) runs: BTreeMap<usize, EngineRun>,
    /// Jobs of the sweep in the queue, as in `12_[0-5]`.
    pub(crate) live: Vec<String>,
    /// The plan has changed since live jobs were sent, and with it which run has which number.
    pub(crate) other_plan: bool,
    /// Why the engine's word is missing, or not the whole of it.
    pub(crate) trouble: Option<String>,
}

/// One run.
pub(crate) struct EngineRun {
    pub(crate) standing: Standing,
    /// `12_3`, of the newest job that was to train it.
    job: Option<String>,
    queued: Option<Queued>,
    /// How that job ended, where the cluster keeps account.
    over: Option<String>,
}

impl Engine {
    pub(crate) fn of_this_process() -> Engine {
        Engine { client: Client::new(std::env::vars_os()), heard: None }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// With one question for all of them.
    pub(crate) fn views(&mut self, sweeps: &[(SweepDir, &[RunRecord])]) -> Vec<View> {
        let sent: Vec<Sent> = sweeps.iter().map(|(sweep, _)| Sent::read(sweep)).collect();
        let mut jobs = Vec::new();
        for (sent, (_, runs)) in sent.iter().zip(sweeps) {
            // Of a sweep that is done nothing is left to ask.
            if runs.iter().any(|run| !run.state.is_result()) {
                jobs.extend(sent.jobs());
            }
        }
        self.ask(jobs);
        let view = |(sent, (_, runs)): (&Sent, &(SweepDir, &[RunRecord]))| self.view(sent, runs);
        let mut views: Vec<View> = sent.iter().zip(sweeps).map(view).collect();
        if views.iter().any(View::has_silent_ends) && self.account() {
            views =
                sent.iter().zip(sweeps).map(|(sent, (_, runs))| self.view(sent, runs)).collect();
        }
        views
    }

    pub(crate) fn view_of(&mut self, sweep: &SweepDir, runs: &[RunRecord]) -> View {
        let mut views = self.views(&[(sweep.clone(), runs)]);
        views.pop().unwrap_or_default()
    }

    fn ask(&mut self, jobs: Vec<u64>) {
        let is_new = |heard: &Heard| heard.at.elapsed() < PACE && heard.jobs == jobs;
        if jobs.is_empty() || self.heard.as_ref().is_some_and(is_new) {
            return;
        }
        let queue = self.client.queue(&jobs).map_err(|error| in_words(&error));
        self.heard = Some(Heard { at: Instant::now(), jobs, queue, accounting: None });
    }

    /// Whether there is anything new in it.
    fn account(&mut self) -> bool {
        let Some(heard) = self.heard.as_mut().filter(|it| it.accounting.is_none()) else {
            return false;
        };
        let found = match self.client.accounting(&heard.jobs) {
            Accounting::Known(found) => found,
            Accounting::None(_) => Vec::new(),
        };
        let is_new = !found.is_empty();
        heard.accounting = Some(found);
        is_new
    }

    fn view(&self, sent: &Sent, runs: &[RunRecord]) -> View {
        let mut view = View { trouble: sent.trouble.clone(), ..View::default() };
        let Some(heard) = self.heard.as_ref().filter(|_| sent.jobs().next().is_some()) else {
            return view;
        };
        let queue = match &heard.queue {
            Ok(queue) => queue,
            Err(why) => {
                let why = format!("{why}; this is what the runs' folders say");
                view.trouble.get_or_insert(why);
                return view;
            }
        };
        let plan = plan_fingerprint(runs.iter().map(|run| (run.index, run.key.as_str())));
        for submission in sent.to_slurm() {
            let is_of = |it: &&Queued| submission.arrays.iter().any(|of| of.job_id == it.array);
            for queued in queue.iter().filter(is_of).filter(|it| it.state != JobState::Over) {
                let tasks = queued.tasks.as_ref().map_or(String::new(), |it| format!("_[{it}]"));
                view.live.push(format!("{}{tasks}", queued.array));
                view.other_plan |= submission.plan != plan;
            }
        }
        let accounting = heard.accounting.as_deref().unwrap_or_default();
        for run in runs {
            let tasks = sent.tasks_of(run.index, &plan);
            view.runs.insert(run.index, EngineRun::of(run, &tasks, queue, accounting));
        }
        view
    }
}

impl EngineRun {
    fn of(
        run: &RunRecord,
        tasks: &[(u64, usize)],
        queue: &[Queued],
        accounting: &[Accounted],
    ) -> EngineRun {
        let find = |&(array, task): &(u64, usize)| {
            let found = queue.iter().find(|it| it.is(array, task) && it.state != JobState::Over);
            found.map(|it| (array, task, it.clone()))
        };
        let live = tasks.iter().find_map(find);
        let newest =
            live.as_ref().map(|(array, task, _)| (*array, *task)).or(tasks.first().copied());
        let queued = live.map(|(_, _, queued)| queued);
        let job = queued.as_ref().map(|it| Job { state: it.state, reason: it.reason.clone() });
        let over = newest.filter(|_| queued.is_none() && !run.state.is_result());
        let over = over.and_then(|(array, task)| {
            accounting.iter().find(|it| it.is(array, task)).map(Accounted::words)
        });
        EngineRun {
            standing: stand(seen(run), job.as_ref()),
            job: newest.map(|(array, task)| format!("{array}_{task}")),
            queued,
            over,
        }
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

    /// Its folder may say that it works, and more is to be said.
    pub(crate) fn is_in_doubt(&self) -> bool {
        matches!(self.standing, Standing::Stalled | Standing::Suspended | Standing::Lost)
    }

    /// For a table: `queued: Priority (12_3)`.
    pub(crate) fn words(&self) -> String {
        let mut words = self.standing.word().to_string();
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

impl View {
    /// Runs whose job is gone and that have no result: the accounting may know more.
    fn has_silent_ends(&self) -> bool {
        let is_silent = |it: &EngineRun| it.job.is_some() && it.queued.is_none();
        self.runs.values().any(|it| is_silent(it) && it.standing != Standing::Ended)
    }

    /// What there is to know before the words are believed.
    pub(crate) fn notes(&self) -> impl Iterator<Item = &str> {
        let other_plan = "the plan has changed since jobs were sent that are still in the queue: they \
                          train the runs that have their numbers now";
        self.trouble.as_deref().into_iter().chain(self.other_plan.then_some(other_plan))
    }

    /// `4 queued, 2 running`; empty where Slurm has nothing to say.
    pub(crate) fn summary(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for run in self.runs.values() {
            *counts.entry(run.standing.word()).or_default() += 1;
        }
        let words = counts.into_iter().map(|(word, n)| format!("{n} {word}"));
        words.collect::<Vec<_>>().join(", ")
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

#[cfg(test)]
mod tests;
