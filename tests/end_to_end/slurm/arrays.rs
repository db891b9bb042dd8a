//! A sweep as arrays, from a folder that a shell would do something with.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::cluster::{Cluster, Task};
use super::sent::Sent;
use super::{executor, job_logs};
use crate::hostile_names::{FILE, REPORTS, RUNS, Trap};
use crate::lab::{Lab, Said, tiny};

/// Two arrays of at most eight tasks; three runs at a time.
const TWELVE: &str = "loss.lambda_cycle = [0, 0.5, 1, 2, 5, 10]";

fn submit(trap: &Trap, cluster: &Cluster, more: &[&str]) -> Said {
    cluster.run(trap.command(&[&["submit", FILE, "--executor", "slurm"], more].concat()))
}

fn status(trap: &Trap, cluster: &Cluster) -> Vec<Value> {
    let said = cluster.run(trap.command(&["status", "tiny", "--json"]));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let status: Value = serde_json::from_str(&said.stdout).expect("JSON");
    status[0]["runs"].as_array().expect("runs").clone()
}

#[test]
fn twelve_runs_are_two_arrays_with_a_throttle_and_a_report_after_them() {
    let trap = Trap::new();
    let settings = [("MAX_ARRAY_SIZE", "8")];
    let Some(cluster) = Cluster::start(&trap.lab, Duration::from_secs(240), &settings) else {
        return;
    };
    let toml = tiny(20).replace("loss.lambda_cycle = [0, 10]", TWELVE);
    let toml = toml + &executor("partition = \"low\"\nmax_parallel = 3");
    std::fs::write(trap.folder.join(FILE), toml).expect("a file");
    let sweep_dir = trap.folder.join(RUNS).join("tiny");

    let shown = submit(&trap, &cluster, &["--dry-run"]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    assert!(shown.stdout.contains("#SBATCH --open-mode=append"), "{}", shown.stdout);
    assert_eq!(cluster.queue(), [""; 0], "--dry-run sends nothing");

    let began = Instant::now();
    let said = submit(&trap, &cluster, &[]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(began.elapsed() < Duration::from_secs(20), "it returns at once");
    let sent = Sent::newest(&sweep_dir);
    expect_two_arrays(&sent, &sweep_dir);
    for job in sent.jobs().into_iter().chain(sent.report()) {
        assert!(said.stdout.contains(&job) || said.stderr.contains(&job), "{job}: {}", said.stdout);
    }

    expect_nothing_is_sent_twice(&trap, &cluster, &sent);
    let engines = status(&trap, &cluster);
    assert!(engines.iter().any(|run| !run["engine"].is_null()), "{engines:?}");

    let tasks = expect_at_most_three_at_a_time(&cluster, &sent.jobs());
    assert_eq!(tasks.len(), 12, "{tasks:?}");
    assert!(tasks.values().all(|task| task.state == "COMPLETED"), "{tasks:?}");
    let runs = status(&trap, &cluster);
    assert!(runs.iter().all(|run| run["state"]["state"] == "completed"), "{runs:?}");
    let logs = job_logs(&sweep_dir);
    assert!(logs.len() >= 12, "one log a task: {logs:?}");

    expect_a_report(&trap, &cluster, &sent, &sweep_dir);
    trap.expect_nothing_was_run();

    let again = submit(&trap, &cluster, &["--resume"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!(cluster.queue(), [""; 0], "all is done: {}", again.stderr);
}

/// Every other run is left, in more pieces than a list of tasks holds: the script lists them. They are
/// sent in two halves, and the report waits for both.
#[test]
fn the_rest_of_a_sweep_in_many_pieces() {
    let lab = Lab::new();
    let settings = [("MAX_ARRAY_SIZE", "200")];
    let Some(cluster) = Cluster::start(&lab, Duration::from_secs(240), &settings) else { return };
    let seeds = "seeds = { count = 40, base = 60 }";
    let toml =
        tiny(1).replace("seeds = [1, 2]", seeds).replace("eval.every = 10", "eval.every = 0");
    // Longer waits than the test takes: what is asked is who waits for whom.
    lab.write("tiny.toml", &(toml + &executor("partition = \"low\"\nextra = [\"--hold\"]")));
    let submit = |more: &[&str]| {
        let said = cluster.run(lab.command(&[&["submit", "tiny.toml"], more].concat()));
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        Sent::newest(&lab.path("runs/tiny"))
    };
    let odd = submit(&["--only", "loss.lambda_cycle == 10"]);
    assert_eq!(odd.indices(), (0..40).map(|n| 2 * n + 1).collect::<Vec<_>>());
    let listed = odd.arrays()[0]["packed"].as_array().expect("they are listed");
    assert_eq!((odd.arrays().len(), listed.len()), (1, 40));
    let even = submit(&["--resume"]);
    assert_eq!(even.indices(), (0..40).map(|n| 2 * n).collect::<Vec<_>>());
    let (first, last) = (odd.report().expect("a report"), even.report().expect("a report"));
    assert_eq!(cluster.field(&first, "JobState"), "CANCELLED");
    let waits_for = cluster.field(&last, "Dependency");
    for job in [&odd.jobs()[0], &even.jobs()[0]] {
        assert!(waits_for.contains(&format!("afterany:{job}")), "{waits_for}");
    }
    cluster.tell(&["scancel", &last, &even.jobs()[0]]);

    // Some tasks of the list, by their numbers in it.
    let job = &odd.jobs()[0];
    cluster.tell(&["scancel", &format!("{job}_[2-38]")]);
    cluster.tell(&["scontrol", "release", job]);
    let tasks = cluster.until_over(std::slice::from_ref(job));
    let done = tasks.values().filter(|task| task.state == "COMPLETED").count();
    assert_eq!(done, 3, "{tasks:?}");
    let states = lab.states("tiny");
    let completed = (0..states.len()).filter(|&index| states[index] == "completed");
    assert_eq!(completed.collect::<Vec<_>>(), [1, 3, 79]);
}

/// Of which no index reaches `MaxArraySize`, and each run is in one.
fn expect_two_arrays(sent: &Sent, sweep_dir: &Path) {
    assert_eq!(sent.engine, "slurm", "{sent:?}");
    assert_eq!(sent.arrays().len(), 2, "{sent:?}");
    let mut indices = sent.indices();
    indices.sort();
    assert_eq!(indices, (0..12).collect::<Vec<_>>(), "{sent:?}");
    let throttles = sent.arrays().iter().map(|it| it["throttle"].as_u64().expect("a number"));
    assert!(throttles.sum::<u64>() <= 3, "{sent:?}");
    let folder = sweep_dir.join(".exec").join(sent.number.to_string());
    for array in sent.arrays() {
        let script = folder.join(array["script"].as_str().expect("a name"));
        let text = std::fs::read_to_string(&script).expect("it is kept");
        assert!(text.lines().any(|line| line.starts_with("exec ")), "{text}");
        let parsed = Command::new("bash").arg("-n").arg(&script).status();
        assert!(parsed.expect("bash").success(), "{text}");
    }
}

fn expect_nothing_is_sent_twice(trap: &Trap, cluster: &Cluster, sent: &Sent) {
    let refused = submit(trap, cluster, &[]);
    assert!(refused.code.is_some_and(|code| code != 0), "{}", refused.stdout);
    let job = &sent.jobs()[0];
    assert!(refused.stderr.contains(job), "it names job {job}: {}", refused.stderr);
    let resumed = submit(trap, cluster, &["--resume"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    let jobs: Vec<String> = sent.jobs().into_iter().chain(sent.report()).collect();
    let of_these =
        |task: &String| jobs.iter().any(|job| task.split('_').next() == Some(job.as_str()));
    let queue = cluster.queue();
    assert!(queue.iter().all(of_these), "{jobs:?} have them all: {queue:?}");
}

fn expect_at_most_three_at_a_time(cluster: &Cluster, jobs: &[String]) -> BTreeMap<String, Task> {
    let mut most = 0;
    let mut tasks = BTreeMap::new();
    cluster.until("all runs end", || {
        tasks = cluster.tasks(jobs);
        most = most.max(tasks.values().filter(|task| task.state == "RUNNING").count());
        !tasks.is_empty() && tasks.values().all(Task::is_over)
    });
    assert!((2..=3).contains(&most), "{most} at a time");
    tasks
}

/// Begun after the last run, and so about all of them.
fn expect_a_report(trap: &Trap, cluster: &Cluster, sent: &Sent, sweep_dir: &Path) {
    let report = sent.report().expect("a report job");
    let tasks = cluster.until_over(std::slice::from_ref(&report));
    assert!(tasks.values().all(|task| task.state == "COMPLETED"), "{tasks:?}");
    let page = trap.folder.join(REPORTS).join("tiny/index.html");
    let modified = |path: &Path| path.metadata().and_then(|it| it.modified()).expect("a file");
    let folders = std::fs::read_dir(sweep_dir).expect("the sweep's folder").flatten();
    let logs: Vec<_> = folders.map(|it| it.path().join("events.jsonl")).collect();
    let logs: Vec<_> = logs.iter().filter(|log| log.is_file()).collect();
    assert_eq!(logs.len(), 12);
    assert!(logs.iter().all(|log| modified(log) <= modified(&page)), "the report comes last");
}
