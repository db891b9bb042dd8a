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
    let limited = format!("{}:{path}", narrow_gate(&lab, &path));
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

/// An `sbatch` that passes on one job and refuses the next ones, in Slurm's words.
fn narrow_gate(lab: &Lab, path: &str) -> String {
    let (folder, calls) = (lab.path("gate"), lab.path("calls"));
    std::fs::create_dir(&folder).expect("a folder");
    let text = format!(
        r#"#!/bin/sh
PATH="{path}"
case " $* " in *" --test-only "*) exec sbatch "$@" ;; esac
echo >> "{calls}"
if [ "$(wc -l < "{calls}")" -gt 1 ]; then
    echo "sbatch: error: AssocMaxSubmitJobsLimit" >&2
    echo "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy" >&2
    exit 1
fi
exec sbatch "$@"
"#,
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
