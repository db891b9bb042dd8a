//! What a cluster does not take, and a cluster that is not there.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::cluster::Cluster;
use super::executor;
use super::sent::Sent;
use crate::lab::{Lab, Said, tiny};

fn submit(lab: &Lab, cluster: &Cluster, keys: &str, more: &[&str]) -> Said {
    lab.write("tiny.toml", &(tiny(10) + &executor(keys)));
    let args = ["submit", "tiny.toml", "--executor", "slurm", "--no-report"];
    cluster.run(lab.command(&[&args[..], more].concat()))
}

#[test]
fn what_is_refused_is_said_and_what_went_is_recorded() {
    let lab = Lab::new();
    let Some(cluster) = Cluster::start(&lab, Duration::from_secs(240), &[]) else { return };
    let sweep_dir = lab.path("runs/tiny");
    for (keys, why) in [
        ("partition = \"nowhere\"", "partition"),
        ("partition = \"low\"\nmem = \"900G\"", "configuration is not available"),
        ("extra = [\"--no-such-option\"]", "no-such-option"),
    ] {
        let said = submit(&lab, &cluster, keys, &[]);
        assert!(said.code.is_some_and(|code| code != 0), "{keys}: {}", said.stdout);
        assert!(said.stderr.contains(why), "{keys}: {}", said.stderr);
        assert!(!said.stderr.contains("panicked"), "{keys}: {}", said.stderr);
        assert_eq!(cluster.queue(), [""; 0], "{keys}");
        assert!(Sent::all(&sweep_dir).iter().all(|it| it.arrays().is_empty()), "{keys}");
    }

    // Two arrays, of which a limit of the site lets in one.
    let two_classes = "partition = \"low\"\n[[executor.slurm.classes]]\n\
                       when = \"loss.lambda_cycle == 0\"\ncpus = 2\n";
    lab.write("tiny.toml", &(tiny(10) + &executor(two_classes)));
    let args = ["submit", "tiny.toml", "--executor", "slurm", "--no-report"];
    let mut command = lab.command(&args);
    let path = std::env::var("PATH").expect("a PATH");
    let limited = format!("{}:{path}", gate(&lab, &path, NARROW));
    let said = cluster.run({
        command.env("PATH", limited);
        command
    });
    assert!(said.code.is_some_and(|code| code != 0), "{}", said.stdout);
    assert!(said.stderr.contains("MaxSubmitJobs"), "{}", said.stderr);
    let sent = Sent::newest(&sweep_dir);
    let (jobs, went) = (sent.jobs(), sent.indices());
    assert_eq!((jobs.len(), went.len()), (1, 2), "{sent:?}");
    assert!(said.stderr.contains(&jobs[0]) || said.stdout.contains(&jobs[0]), "{}", said.stderr);
    cluster.until_over(&jobs);

    let rest = submit(&lab, &cluster, two_classes, &["--resume"]);
    assert_eq!(rest.code, Some(0), "{}", rest.stderr);
    let sent = Sent::newest(&sweep_dir);
    let missing: Vec<usize> = (0..4).filter(|index| !went.contains(index)).collect();
    assert_eq!(sent.indices(), missing, "only what is unfinished");
    cluster.until_over(&sent.jobs());
    assert_eq!(lab.states("tiny"), ["completed"; 4]);
}

/// The controller takes a job, and its answer is lost on the way: the job is found by its name.
#[test]
fn a_job_whose_answer_was_lost_is_found() {
    let lab = Lab::new();
    let Some(cluster) = Cluster::start(&lab, Duration::from_secs(240), &[]) else { return };
    lab.write("tiny.toml", &(tiny(10) + &executor("partition = \"low\"")));
    let path = std::env::var("PATH").expect("a PATH");
    let lossy = format!("{}:{path}", gate(&lab, &path, LOSSY));
    let mut command = lab.command(&["submit", "tiny.toml"]);
    command.env("PATH", lossy);
    let said = cluster.run(command);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("the queue has the job all the same"), "{}", said.stderr);
    let sent = Sent::newest(&lab.path("runs/tiny"));
    assert_eq!((sent.jobs().len(), sent.open.len()), (1, 0), "{sent:?}");
    let jobs: Vec<String> = sent.jobs().into_iter().chain(sent.report()).collect();
    let tasks = cluster.until_over(&jobs);
    assert_eq!(tasks.len(), 5, "{tasks:?}");
    assert_eq!(lab.states("tiny"), ["completed"; 4]);
    assert!(lab.path("reports/tiny/index.html").is_file());
}

/// `submit` is killed once the controller has the job and before it says so: the job is found, and its runs
/// are not sent again.
#[test]
fn a_job_of_a_killed_submit_is_found() {
    let lab = Lab::new();
    let Some(cluster) = Cluster::start(&lab, Duration::from_secs(240), &[]) else { return };
    lab.write("tiny.toml", &(tiny(10) + &executor("partition = \"low\"")));
    let path = std::env::var("PATH").expect("a PATH");
    let deadly = format!("{}:{path}", gate(&lab, &path, DEADLY));
    let submit = ["submit", "tiny.toml", "--no-report"];
    let mut command = lab.command(&submit);
    command.env("PATH", deadly);
    assert_eq!(cluster.run(command).code, None, "it is killed");
    let sweep_dir = lab.path("runs/tiny");
    let sent = Sent::newest(&sweep_dir);
    assert_eq!((sent.jobs().len(), sent.open.len()), (0, 1), "{sent:?}");
    let status = cluster.run(lab.command(&["status", "tiny"]));
    assert!(status.stderr.contains("Slurm has it as"), "{}", status.stderr);

    let resumed = cluster.run(lab.command(&[&submit[..], &["--resume"]].concat()));
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    assert!(resumed.stderr.contains("nothing to send"), "{}", resumed.stderr);
    let all = Sent::all(&sweep_dir);
    assert_eq!((all.len(), all[0].jobs().len()), (1, 1), "{all:?}");
    let tasks = cluster.until_over(&all[0].jobs());
    assert!(tasks.values().all(|task| task.state == "COMPLETED"), "{tasks:?}");
    assert_eq!(lab.states("tiny"), ["completed"; 4]);
}

/// Passes on one job and refuses the next ones, in Slurm's words.
const NARROW: &str = r#"
if [ "$(wc -l < "$calls")" -gt 1 ]; then
    echo "sbatch: error: AssocMaxSubmitJobsLimit" >&2
    echo "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy" >&2
    exit 1
fi
exec sbatch "$@"
"#;

/// Passes on all, and of the first one loses the answer.
const LOSSY: &str = r#"
[ "$(wc -l < "$calls")" = 1 ] || exec sbatch "$@"
sbatch "$@" > /dev/null
echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" >&2
exit 1
"#;

/// Passes on the job, and kills who sent it.
const DEADLY: &str = r#"
sbatch "$@" > /dev/null
kill -9 "$PPID"
"#;

/// A folder with an `sbatch` that counts its calls, and goes on as is said.
fn gate(lab: &Lab, path: &str, further: &str) -> String {
    let (folder, calls) = (lab.path("gate"), lab.path("calls"));
    std::fs::create_dir(&folder).expect("a folder");
    let text = format!(
        r#"#!/bin/sh
PATH="{path}"
calls="{calls}"
case " $* " in *" --test-only "*) exec sbatch "$@" ;; esac
echo >> "$calls"
{further}"#,
        calls = calls.display()
    );
    let gate = folder.join("sbatch");
    std::fs::write(&gate, text).expect("a file");
    std::fs::set_permissions(&gate, PermissionsExt::from_mode(0o755)).expect("a mode");
    folder.display().to_string()
}

/// Needs no cluster: that there is none is the point.
#[test]
fn a_cluster_that_is_not_there_is_said() {
    let lab = Lab::new();
    lab.write("tiny.toml", &(tiny(10) + &executor("")));
    let submit = ["submit", "tiny.toml", "--executor", "slurm"];
    let mut command = lab.command(&submit);
    // Of one that is not there at all Slurm's programs ask for a minute.
    command.env("SLURM_CONF", lab.write("empty.conf", ""));
    let said = Said::from(command.output().expect("it starts"));
    assert!(said.code.is_some_and(|code| code != 0), "{}", said.stdout);
    assert!(said.stderr.starts_with("error: ") || said.stderr.contains("\nerror: "));
    assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
    assert!(Sent::all(&lab.path("runs/tiny")).iter().all(|it| it.arrays().is_empty()));

    lab.write("tiny.toml", &(tiny(10) + &executor("partiton = \"low\"")));
    let said = lab.say(&submit);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(said.stderr.contains("partiton") && said.stderr.contains("`partition`"));
}
