//! A sweep on Slurm: a real slurmctld with two slurmd, on the loopback address and without a GPU.
//!
//! `tests/slurm/cluster.sh` starts a cluster for each test and ends it, however the test ends. What
//! is slow on a site is short here: a requeued job is held for five seconds instead of two minutes,
//! and a node counts as lost after some twenty.

mod arrays;
mod cluster;
mod commands;
mod disturbances;
mod node_loss;
mod refusals;
mod sent;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::lab::files_below;
use crate::victim::{Trial, Victim, signal, stands_still, sweep_over, until};
use cluster::Cluster;
use sent::Sent;

/// Of the run that is disturbed: long enough to be met in its middle, and a save every few dozen
/// milliseconds.
const LEAVES: [&str; 5] = [
    "train.steps=1000",
    "train.checkpoint_every=50",
    "train.log_every=20",
    "train.sample_every=0",
    "eval.every=400",
];

/// One core, so that all that is compared is trained by one thread.
fn executor(keys: &str) -> String {
    format!("\n[executor.slurm]\ngres = \"gpu:1\"\ncpus = 1\n{keys}\n")
}

/// The victim's run, in a folder of its own, is sent to the cluster.
fn send<'a>(cluster: &Cluster, victim: &'a Victim, name: &str, keys: &str) -> Trial<'a> {
    let toml = sweep_over("loss.lambda_cycle", ["0", "10"], "") + &executor(keys);
    victim.lab.write("victim.toml", &toml);
    let trial = victim.trial_in(name, 1);
    submit(cluster, &trial, name, &[]);
    trial
}

fn submit(cluster: &Cluster, trial: &Trial<'_>, name: &str, more: &[&str]) {
    let mut args = vec!["--runs", name, "submit", "victim.toml", "--executor", "slurm"];
    args.extend(["--no-report", "--only", "loss.lambda_cycle == 10"]);
    LEAVES.iter().for_each(|leaf| args.extend(["--set", leaf]));
    args.extend(more);
    let said = cluster.run(trial.lab.command(&args));
    assert_eq!(said.code, Some(0), "{name}: {}", said.stderr);
}

/// The task of the newest submission, as Slurm names it.
fn task_of(trial: &Trial<'_>) -> String {
    format!("{}_1", Sent::newest(&trial.sweep_dir()).jobs()[0])
}

/// Its process is stopped once it has saved and before it is done: whatever comes then meets it in
/// its middle, on a fast machine too.
fn halt(cluster: &Cluster, trial: &Trial<'_>) -> u32 {
    cluster.until("the run saves", || !trial.checkpoints().is_empty());
    let pid = trial.pid();
    signal(pid, "STOP");
    until("it stands still", || stands_still(pid));
    assert!(!is_complete(trial), "it was done before it could be stopped: more steps");
    pid
}

/// Wakes a stopped process once Slurm has sent it SIGUSR2; after some signals Slurm does so itself.
fn wake_once_asked(cluster: &Cluster, pid: u32) {
    cluster.until("Slurm signals", || !stands_still(pid) || is_sent_usr2(pid));
    if stands_still(pid) {
        signal(pid, "CONT");
    }
}

fn is_sent_usr2(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
    let pending = pending.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    pending.is_some_and(|mask| mask & 1 << (12 - 1) != 0)
}

/// Where the run stands, by its folder's word and Slurm's.
fn standing(cluster: &Cluster, trial: &Trial<'_>) -> String {
    let runs = trial.root().display().to_string();
    let said = cluster.run(trial.lab.command(&["--runs", &runs, "status", "victim", "--json"]));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let status: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
    status[0]["runs"][1]["engine"]["standing"].as_str().unwrap_or_default().to_string()
}

/// Its owner has given no sign of life for hours.
fn silence(trial: &Trial<'_>) {
    let lease = std::fs::File::options().write(true).open(trial.folder().join("leases/0001.json"));
    let long_ago = SystemTime::now() - Duration::from_secs(7200);
    lease.and_then(|file| file.set_modified(long_ago)).expect("its lease");
}

fn is_complete(trial: &Trial<'_>) -> bool {
    trial.events().iter().any(|it| it["event"] == "completed")
}

/// How often the run was begun or resumed.
fn attempts(trial: &Trial<'_>) -> usize {
    trial.events().iter().filter(|it| it["event"] == "started").count()
}

/// What the jobs of a sweep wrote.
fn job_logs(sweep_dir: &Path) -> Vec<PathBuf> {
    files_below(&sweep_dir.join(".exec"), ".log")
}
