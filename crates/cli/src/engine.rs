//! What a cluster says of a sweep's runs, folded with what their folders say.

mod run;
mod sent;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cluster::slurm::{Accounted, Accounting, Client, Queued};
use cluster::{ClusterError, JobState, Standing};
use track::{Fate, RunRecord, SweepDir, plan_fingerprint, time};

pub(crate) use self::run::EngineRun;
use self::sent::{Sent, SentJob, in_words};

/// A queue is shared by everybody: no process asks more often.
pub(crate) const PACE: Duration = Duration::from_secs(30);

/// A job whose answer was lost and of which Slurm still knows nothing after this was not taken: `sbatch`
/// tries a queue that is full again for some minutes, also where the `submit` that started it is gone.
const SETTLED_AFTER: Duration = Duration::from_secs(600);

/// Slurm, as far as this process has asked it.
pub(crate) struct Engine {
    client: Client,
    heard: Option<Heard>,
}

/// What it said last, and of which jobs.
struct Heard {
    at: Instant,
    names: Vec<String>,
    queue: Result<Vec<Queued>, Unheard>,
    accounting: Option<Vec<Accounted>>,
}

/// Why the queue did not say anything.
struct Unheard {
    why: String,
    /// There is no Slurm on this machine at all.
    is_absent: bool,
}

/// One sweep, as its folders and the engine have it.
#[derive(Default)]
pub(crate) struct View {
    /// By index; empty where nothing was sent to Slurm, or it cannot be asked.
    pub(crate) runs: BTreeMap<usize, EngineRun>,
    /// Jobs of the sweep in the queue that train runs, as in `12_[0-5]`.
    pub(crate) live: Vec<String>,
    /// Their numbers, and by which submission they were sent.
    pub(crate) arrays: BTreeMap<u64, u32>,
    /// Those sent for a plan in which runs have other numbers.
    pub(crate) of_other_plan: Vec<u64>,
    /// The same of jobs that may be in the queue, which does not answer. By name.
    pub(crate) perhaps_of_other_plan: Vec<String>,
    /// Jobs in the queue that write the report.
    pub(crate) reports: Vec<LivingReport>,
    /// Jobs of which it was not known whether they were sent, and what is known of them now.
    pub(crate) doubtful: Vec<Doubtful>,
    /// Why the engine's word is missing, or not the whole of it.
    pub(crate) trouble: Option<String>,
    /// When the engine was asked.
    pub(crate) heard: Option<Instant>,
}

pub(crate) struct LivingReport {
    pub(crate) job: u64,
    pub(crate) submission: u32,
    /// It has not begun.
    pub(crate) waits: bool,
}

/// A job whose answer was lost.
pub(crate) struct Doubtful {
    pub(crate) submission: u32,
    pub(crate) name: String,
    /// Why nobody knew.
    pub(crate) why: String,
    pub(crate) found: Finding,
}

/// What Slurm knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// It was taken, under this number.
    Taken(u64),
    /// Nothing, and by now it would.
    Absent,
    /// Nothing yet.
    Nothing,
}

impl Heard {
    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|it| it == name)
    }
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
        let read = |(sweep, runs): &(SweepDir, &[RunRecord])| {
            // Of a sweep that is done nothing is left to ask.
            let is_open = runs.iter().any(|run| !run.state.is_result());
            (Sent::read(sweep), is_open)
        };
        let sent: Vec<(Sent, bool)> = sweeps.iter().map(read).collect();
        let asked: Vec<&Sent> = sent.iter().filter(|it| it.1).map(|it| &it.0).collect();
        self.hear(&asked, |engine| {
            let pairs = sent.iter().zip(sweeps);
            pairs.map(|((sent, _), (_, runs))| engine.view(sent, runs)).collect()
        })
    }

    /// Asked of a sweep that is done, too: its report may wait in the queue.
    pub(crate) fn view_of(&mut self, sweep: &SweepDir, runs: &[RunRecord]) -> View {
        let sent = Sent::read(sweep);
        let mut views = self.hear(&[&sent], |engine| vec![engine.view(&sent, runs)]);
        views.pop().unwrap_or_default()
    }

    fn hear(&mut self, sent: &[&Sent], views: impl Fn(&Engine) -> Vec<View>) -> Vec<View> {
        let names = sent.iter().flat_map(|it| it.names()).map(String::from).collect();
        self.ask(names);
        let found = views(self);
        match found.iter().any(View::has_open_ends) && self.account(sent) {
            true => views(self),
            false => found,
        }
    }

    fn ask(&mut self, names: Vec<String>) {
        let is_new = |heard: &Heard| heard.at.elapsed() < PACE && heard.names == names;
        if names.is_empty() || self.heard.as_ref().is_some_and(is_new) {
            return;
        }
        let list: Vec<&str> = names.iter().map(String::as_str).collect();
        let queue = self.client.queue(&list).map_err(|error| Unheard {
            is_absent: matches!(error, ClusterError::Missing { .. }),
            why: in_words(&error),
        });
        self.heard = Some(Heard { at: Instant::now(), names, queue, accounting: None });
    }

    /// Whether there is anything new in it.
    fn account(&mut self, sent: &[&Sent]) -> bool {
        let Some(heard) = self.heard.as_mut().filter(|it| it.accounting.is_none()) else {
            return false;
        };
        let jobs = || sent.iter().flat_map(|it| &it.jobs);
        let numbers: Vec<u64> = jobs().filter_map(|it| it.job.job_id()).collect();
        let unknown = || jobs().filter(|it| it.job.job_id().is_none());
        let names: Vec<&str> = unknown().map(|it| it.job.name.as_str()).collect();
        let oldest = unknown().map(|it| it.job.at.as_str()).min().unwrap_or_default();
        let mut found = Vec::new();
        for answer in [
            self.client.accounting(&numbers),
            self.client.accounting_by_name(&names, days_since(oldest)),
        ] {
            match answer {
                Accounting::Known(more) => found.extend(more),
                Accounting::None(_) => {}
            }
        }
        let is_new = !found.is_empty();
        heard.accounting = Some(found);
        is_new
    }

    fn view(&self, sent: &Sent, runs: &[RunRecord]) -> View {
        let mut view = View { trouble: sent.trouble.clone(), ..View::default() };
        // Of a sweep that was not asked about nothing is known.
        let was_asked = |it: &&Heard| sent.names().next().is_some_and(|name| it.has(name));
        let Some(heard) = self.heard.as_ref().filter(was_asked) else { return view };
        view.heard = Some(heard.at);
        let plan = plan_fingerprint(runs.iter().map(|run| (run.index, run.key.as_str())));
        let queue = match &heard.queue {
            Ok(queue) => queue,
            Err(Unheard { why, is_absent }) => {
                view.trouble.get_or_insert(why.clone());
                if !is_absent {
                    let of_other = sent.jobs.iter().filter(|it| !it.is_report() && it.plan != plan);
                    view.perhaps_of_other_plan = of_other.map(|it| it.job.name.clone()).collect();
                }
                return view;
            }
        };
        let accounting = heard.accounting.as_deref().unwrap_or_default();
        for sent in &sent.jobs {
            view.look_for(sent, &plan, queue, accounting);
        }
        for run in runs {
            let tasks = sent.tasks_of(run.index, &plan);
            view.runs.insert(run.index, EngineRun::of(run, &tasks, queue, accounting));
        }
        view
    }
}

impl View {
    /// A job, in the queue and in the account.
    fn look_for(&mut self, sent: &SentJob, plan: &str, queue: &[Queued], accounting: &[Accounted]) {
        let (name, submission) = (&sent.job.name, sent.submission);
        let living = queue.iter().filter(|it| it.name == *name && it.state != JobState::Over);
        for queued in living {
            if sent.is_report() {
                let (job, waits) = (queued.array, queued.state == JobState::Pending);
                self.reports.push(LivingReport { job, submission, waits });
                continue;
            }
            let tasks = queued.tasks.as_ref().map_or(String::new(), |it| format!("_[{it}]"));
            self.live.push(format!("{}{tasks}", queued.array));
            self.arrays.insert(queued.array, submission);
            if sent.plan != plan && !self.of_other_plan.contains(&queued.array) {
                self.of_other_plan.push(queued.array);
            }
        }
        let found = sent.finding(queue, accounting);
        if let (Fate::Unsettled { why }, Some(found)) = (&sent.job.fate, found) {
            let (name, why) = (name.clone(), why.clone());
            self.doubtful.push(Doubtful { submission, name, why, found });
        }
    }
}

/// Whether so much time has gone by since a date of the store's.
fn is_past(at: &str, time: Duration) -> bool {
    let ago = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    *at < *time::rfc3339(time::now_us().saturating_sub(ago))
}

/// With a day to spare: clusters have time zones.
fn days_since(at: &str) -> u32 {
    let day = Duration::from_secs(86_400);
    (1..60).find(|days| !is_past(at, day * *days)).unwrap_or(60) + 1
}

impl Doubtful {
    /// For a person.
    pub(crate) fn words(&self) -> String {
        let known = match self.found {
            Finding::Taken(job) => format!("Slurm has it as {job}"),
            Finding::Absent => "Slurm knows nothing of it: it was not sent".to_string(),
            Finding::Nothing => "Slurm knows nothing of it yet".to_string(),
        };
        format!("it is not noted whether job `{}` was sent ({}); {known}", self.name, self.why)
    }
}

impl View {
    /// Runs whose job is gone and that have no result, and jobs of which nothing is known: the
    /// accounting may know more.
    fn has_open_ends(&self) -> bool {
        let is_silent = |it: &EngineRun| it.job.is_some() && it.queued.is_none();
        let silent_end = |it: &EngineRun| is_silent(it) && it.standing != Standing::Ended;
        let in_doubt = |it: &Doubtful| !matches!(it.found, Finding::Taken(_));
        self.runs.values().any(silent_end) || self.doubtful.iter().any(in_doubt)
    }

    /// What there is to know before the words are believed.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        let other_plan = "the plan has changed since jobs were sent that are still in the queue: runs that \
                          these have not begun they will not train";
        let other_plan = (!self.of_other_plan.is_empty()).then(|| other_plan.to_string());
        let doubtful = self.doubtful.iter().map(Doubtful::words);
        let unbegun = "jobs ended before their runs began: cancelled, or their logs in the sweep's `.exec` say why";
        let unbegun =
            self.runs.values().any(EngineRun::was_never_begun).then(|| unbegun.to_string());
        let reports = self.reports.iter().map(|it| match it.waits {
            true => format!("job {} writes the report once the others have ended", it.job),
            false => format!("job {} writes the report now", it.job),
        });
        self.trouble
            .clone()
            .into_iter()
            .chain(other_plan)
            .chain(doubtful)
            .chain(unbegun)
            .chain(reports)
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

#[cfg(test)]
mod tests;
