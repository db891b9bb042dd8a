//! A planned run to be killed, starved and compared. Its networks are the smallest and its
//! checkpoints frequent: a start costs half a second, and any moment is near a save.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::lab::{Lab, Said};

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(120);
/// The run of the plan with every loss term on.
const INDEX: usize = 1;

/// A guard that never fires; windows, scores, samples and checkpoints at steps that do not coincide: a checkpoint lies in
/// the middle of a window, and rows lie behind the newest checkpoint. No disk has that much free,
/// so the sweep writes its plan and starts nothing.
const SWEEP: &str = r#"
[sweep]
name = "victim"
question = "Is anything lost?"
seeds = [1]
[sweep.metric]
name = "eval/l1_ab"
[sweep.baseline]
loss.lambda_cycle = 10
[set]
data.dataset = "synthetic"
data.load_size = 16
data.crop_size = 16
model.ngf = 4
model.ndf = 4
model.n_blocks = 1
model.n_layers = 1
train.steps = 10
train.log_every = 2
train.checkpoint_every = 3
train.sample_every = 5
eval.every = 4
guards.output_std_below = 1e-9
[axes]
loss.lambda_cycle = [0, 10]
[samples]
count = 1
[limits]
disk_free_min = "8000 TB"
[exec]
devices = "cpu"
"#;

/// A sweep that does train: over two values of one leaf, the second the baseline's.
pub(crate) fn sweep_over(leaf: &str, values: [&str; 2], limits: &str) -> String {
    let line = |line: &str| match line {
        "loss.lambda_cycle = 10" => format!("{leaf} = {}", values[1]),
        "loss.lambda_cycle = [0, 10]" => format!("{leaf} = [{}]", values.join(", ")),
        line if line.starts_with("disk_free_min") => limits.to_string(),
        // In `[set]`.
        line if line.starts_with(leaf) => String::new(),
        line => line.to_string(),
    };
    SWEEP.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The plan, and images that are decoded already.
pub(crate) struct Victim {
    pub(crate) lab: Lab,
}

/// One copy of the plan, with nothing trained yet.
pub(crate) struct Trial<'a> {
    pub(crate) lab: &'a Lab,
    /// The folder of its runs, in the lab.
    name: String,
    threads: usize,
}

impl Victim {
    pub(crate) fn plan() -> Self {
        Victim::plan_with(&[])
    }

    /// With some leaves changed, as by `--set`.
    pub(crate) fn plan_with(leaves: &[&str]) -> Self {
        Victim::plan_of(SWEEP, leaves)
    }

    /// On a folder of images, which are no pairs.
    pub(crate) fn plan_on(folder: &Path) -> Self {
        let data = format!("data.path = {folder:?}");
        let toml = SWEEP.replace("data.dataset = \"synthetic\"", &data);
        Victim::plan_of(&toml.replace("eval/l1_ab", "eval/cycle_a"), &[])
    }

    fn plan_of(toml: &str, leaves: &[&str]) -> Self {
        let lab = Lab::new();
        lab.write("victim.toml", toml);
        let mut args = vec!["sweep", "victim.toml", "--no-report"];
        leaves.iter().for_each(|leaf| args.extend(["--set", leaf]));
        let said = lab.say(&args);
        assert_eq!(said.code, Some(4), "planned, nothing started: {}", said.stderr);
        Victim { lab }
    }

    /// `threads`: the CPU backend's, pinned.
    pub(crate) fn trial(&self, name: &str, threads: usize) -> Trial<'_> {
        copy_tree(&self.lab.path("runs"), &self.lab.path(name));
        self.trial_in(name, threads)
    }

    /// In a folder that is there already.
    pub(crate) fn trial_in(&self, name: &str, threads: usize) -> Trial<'_> {
        Trial { lab: &self.lab, name: name.to_string(), threads }
    }
}

impl Victim {
    /// Killed once it had saved, and before it was done.
    pub(crate) fn killed_midway(&self, name: &str) -> Trial<'_> {
        let (trial, mut run) = self.stopped_midway(name);
        run.kill();
        run.wait();
        trial
    }

    /// Stopped once it had saved, and before it was done: nobody else can tell its moment, so this
    /// tries a few times.
    pub(crate) fn stopped_midway(&self, name: &str) -> (Trial<'_>, Process) {
        for _ in 0..20 {
            let trial = self.trial(name, 1);
            let mut run = start(trial.command());
            until("it saves", || !trial.checkpoints().is_empty());
            signal(run.id(), "STOP");
            let over = || trial.events().iter().any(|it| it["event"] == "completed");
            until("it stands still", || over() || stands_still(run.id()));
            if !over() {
                return (trial, run);
            }
            run.kill();
            run.wait();
            trial.remove();
        }
        panic!("it is always done before it can be stopped");
    }
}

impl<'a> Trial<'a> {
    /// Another, with all that this one has come to.
    pub(crate) fn copy(&self, name: &str) -> Trial<'a> {
        copy_tree(&self.root(), &self.lab.path(name));
        Trial { lab: self.lab, name: name.to_string(), threads: self.threads }
    }

    /// Of all runs.
    pub(crate) fn root(&self) -> PathBuf {
        self.lab.path(&self.name)
    }

    pub(crate) fn sweep_dir(&self) -> PathBuf {
        self.root().join("victim")
    }

    /// Of the run; it need not exist yet.
    pub(crate) fn folder(&self) -> PathBuf {
        let plan = std::fs::read_to_string(self.sweep_dir().join("plan.jsonl")).expect("a plan");
        let entry: serde_json::Value =
            serde_json::from_str(plan.lines().nth(1 + INDEX).expect("a run")).expect("JSON");
        self.root().join(entry["folder"].as_str().expect("a folder"))
    }

    /// `cyclelab run`, as a scheduler would call it.
    pub(crate) fn command(&self) -> Command {
        let sweep_dir = format!("{}/victim", self.name);
        let index = INDEX.to_string();
        let args = ["run", "--sweep-dir", &sweep_dir, "--index", &index, "--device", "cpu"];
        let mut command = self.lab.command(&[&args[..], &["--progress", "plain"]].concat());
        command.env("RAYON_NUM_THREADS", self.threads.to_string());
        command
    }

    pub(crate) fn run(&self) -> Said {
        start(self.command()).wait()
    }

    /// The run goes on, by itself and at once, to its end.
    pub(crate) fn complete(&self) -> Result<(), String> {
        let said = self.run();
        match said.code {
            Some(0) => Ok(()),
            code => Err(format!("the next start ends with {code:?}: {}", said.stderr.trim())),
        }
    }

    /// Another command of the program on this trial's folder.
    pub(crate) fn say(&self, args: &[&str]) -> Said {
        self.lab.say(&[&["--runs", &self.name, "--reports", "reports"], args].concat())
    }

    pub(crate) fn state(&self) -> serde_json::Value {
        let said = self.say(&["ls", "victim", "--json"]);
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        let runs: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
        runs[INDEX]["state"].clone()
    }

    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        let log = std::fs::read_to_string(self.folder().join("events.jsonl")).unwrap_or_default();
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Of the newest attempt's process.
    pub(crate) fn pid(&self) -> u32 {
        let events = self.events();
        let started = events.iter().rfind(|it| it["event"] == "started").expect("it has started");
        u32::try_from(started["pid"].as_u64().expect("a number")).expect("a pid")
    }

    /// Steps of the checkpoints there are, oldest first.
    pub(crate) fn checkpoints(&self) -> Vec<u64> {
        let found = std::fs::read_dir(self.folder().join("checkpoints")).into_iter().flatten();
        let step = |entry: std::fs::DirEntry| {
            entry.file_name().to_str()?.strip_prefix("step-")?.parse().ok()
        };
        let mut steps: Vec<u64> = found.filter_map(|entry| step(entry.ok()?)).collect();
        steps.sort();
        steps
    }

    /// What a reader makes of it now.
    pub(crate) fn record(&self) -> track::RunRecord {
        let sweep = track::read_sweep(&self.root(), "victim").expect("a sweep that can be read");
        sweep.runs.into_iter().nth(INDEX).expect("a run")
    }

    pub(crate) fn remove(self) {
        std::fs::remove_dir_all(self.root()).expect("a folder of our own");
    }
}

/// A process of this test, which does not outlive it.
pub(crate) struct Process(Option<Child>);

pub(crate) fn start(mut command: Command) -> Process {
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Process(Some(piped.spawn().expect("the program starts")))
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.child().id()
    }

    fn child(&self) -> &Child {
        self.0.as_ref().expect("it is ours until it is waited for")
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.as_mut().is_some_and(|it| it.try_wait().expect("our own child").is_some())
    }

    pub(crate) fn kill(&mut self) {
        if let Some(child) = &mut self.0 {
            child.kill().expect("our own child");
        }
    }

    /// What it said. `None` as the code: it was ended by a signal.
    pub(crate) fn wait(mut self) -> Said {
        until("it ends", || self.has_ended());
        let child = self.0.take().expect("it is ours until it is waited for");
        Said::from(child.wait_with_output().expect("it has ended"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            // Of a test that has failed already.
            drop(child.kill().and_then(|()| child.wait()));
        }
    }
}

/// Until it is so, which it will be.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Every thread is stopped, by a signal or by strace.
pub(crate) fn stands_still(pid: u32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let stopped = |thread: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // The field after the name in brackets.
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['T', 't']))
    };
    let stopped: Vec<bool> = threads.map(stopped).collect();
    !stopped.is_empty() && stopped.into_iter().all(|it| it)
}

pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
    assert!(status.expect("kill is part of every system").success());
}

pub(crate) fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a writable folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let from = entry.expect("readable").path();
        let to = to.join(from.file_name().expect("listed by name"));
        match from.is_dir() {
            true => copy_tree(&from, &to),
            false => drop(std::fs::copy(&from, &to).expect("a copy")),
        }
    }
}
