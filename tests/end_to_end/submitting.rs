//! `submit` as far as it goes without a cluster: a site's file, scripts, and programs of Slurm's names
//! that say what they are told to. (`slurm` has a real one.)

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::lab::{Lab, Said, tiny};

const SUBMIT: [&str; 2] = ["submit", "tiny.toml"];

fn say(mut command: Command) -> Said {
    Said::from(command.output().expect("the program starts"))
}

/// A command that finds no other programs than the lab's own.
fn alone(lab: &Lab, args: &[&str]) -> Command {
    let mut command = lab.command(args);
    command.env("PATH", format!("{}:/usr/bin:/bin", lab.path("bin").display()));
    command.env("XDG_CONFIG_HOME", lab.path("config")).env_remove("CYCLELAB_SITE");
    command
}

fn stand_in(lab: &Lab, name: &str, script: &str) {
    std::fs::create_dir_all(lab.path("bin")).expect("a folder");
    let path = lab.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("a mode");
}

/// Jobs are counted from 1, and the queue is what the file `queue` says.
fn cluster(lab: &Lab) {
    let folder = lab.path(".");
    let folder = folder.display();
    let sbatch = "case \"$*\" in *--test-only*) exit 0 ;; esac\n\
                  echo \"$*\" >> calls; n=$(grep -c . calls); echo \"$n\"";
    stand_in(lab, "sbatch", &format!("cd '{folder}'\n{sbatch}"));
    stand_in(lab, "squeue", &format!("cat '{folder}/queue'"));
    stand_in(lab, "scontrol", "echo 'MaxArraySize            = 1001'");
    stand_in(lab, "sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1");
    lab.write("queue", "");
}

#[test]
fn a_dry_run_plans_and_writes_what_would_be_sent() {
    let lab = Lab::new();
    stand_in(&lab, "scontrol", "echo 'no controller here' >&2; exit 1");
    let executor = "[executor.slurm]\ntime = \"30\"\nmax_parallel = 2\n";
    lab.write("tiny.toml", &(tiny(10) + executor));
    lab.write("site.toml", "[executor.slurm]\npartition = \"night\"\ntime = \"90\"\n");
    let dry = [&SUBMIT[..], &["--dry-run"]].concat();
    let mut command = alone(&lab, &dry);
    command.env("CYCLELAB_SITE", lab.path("site.toml"));
    let said = say(command);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let script = std::fs::read_to_string(lab.path("runs/tiny/.exec/1/array.sbatch"));
    let script = script.expect("a script");
    assert!(said.stdout.contains(&script), "{}", said.stdout);
    for line in ["--array=0-3%2", "--partition=night", "--time=30", "--requeue"] {
        assert!(script.contains(&format!("#SBATCH {line}\n")), "{line}: {script}");
    }
    let exec = script.lines().last().expect("a last line");
    assert!(exec.contains(" --device cpu --index $((SLURM_ARRAY_TASK_ID + 0))"), "{exec}");
    assert!(lab.path("runs/tiny/.exec/1/report.sbatch").is_file());
    assert!(!lab.path("runs/tiny/submissions.jsonl").exists(), "nothing was sent");
    assert_eq!(lab.states("tiny"), ["planned"; 4]);

    // The same from the place where it needs no name.
    std::fs::create_dir_all(lab.path("config/cyclelab")).expect("a folder");
    lab.write("config/cyclelab/site.toml", "[executor.slurm]\nqos = \"low\"\n");
    let said = say(alone(&lab, &[&dry[..], &["--no-report"]].concat()));
    assert!(said.stdout.contains("#SBATCH --qos=low\n"), "{}\n{}", said.stdout, said.stderr);
    assert!(lab.path("runs/tiny/.exec/2/array.sbatch").is_file());
    assert!(!lab.path("runs/tiny/.exec/2/report.sbatch").exists());

    // The scripts' own command, as an engine would start it.
    let exec = exec.replace("$((SLURM_ARRAY_TASK_ID + 0))", "0-1 --index 3");
    let ran = Command::new("bash").args(["-c", &exec]).output().expect("bash");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(lab.states("tiny"), ["completed", "completed", "planned", "completed"]);
    let mut command = lab.command(&["run", "--sweep-dir", "runs/tiny", "--index-env", "TASK"]);
    assert_eq!(
        say({
            command.env("TASK", "2");
            command
        })
        .code,
        Some(0)
    );
    assert_eq!(lab.states("tiny"), ["completed"; 4]);
}

#[test]
fn what_is_wrong_in_a_site_s_file_is_shown_there() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(10));
    lab.write("site.toml", "[executor.slurm]\npartiton = \"night\"\n");
    let said = say(alone(&lab, &[&SUBMIT[..], &["--site", "site.toml"]].concat()));
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(said.stderr.contains("site.toml:2:1"), "{}", said.stderr);
    assert!(said.stderr.contains("did you mean `partition`?"), "{}", said.stderr);
    let said = say(alone(&lab, &[&SUBMIT[..], &["--site", "nowhere.toml"]].concat()));
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("nowhere.toml"), "{}", said.stderr);

    let both = "[executor.slurm]\nrequeue = \"self\"\nsignal = \"TERM\"\n";
    lab.write("site.toml", both);
    let said = say(alone(&lab, &[&SUBMIT[..], &["--site", "site.toml"]].concat()));
    assert!(said.stderr.contains("TERM also comes when a job is cancelled"), "{}", said.stderr);
    assert!(!lab.path("runs").exists(), "nothing is made before the files are right");
}

#[test]
fn no_run_has_two_jobs() {
    let lab = Lab::new();
    cluster(&lab);
    lab.write("tiny.toml", &tiny(10));
    let said = say(alone(&lab, &SUBMIT));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.contains("job 1: runs 0-3"), "{}", said.stdout);
    assert!(said.stdout.contains("job 2: the report"), "{}", said.stdout);
    let calls = || std::fs::read_to_string(lab.path("calls")).expect("calls");
    assert!(calls().lines().nth(1).is_some_and(|it| it.contains("--dependency=afterany:1")));

    lab.write("queue", "1|1|0,2%1|PENDING|Priority|N/A|\n");
    let refused = say(alone(&lab, &SUBMIT));
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert!(refused.stderr.contains("1_[0,2]"), "{}", refused.stderr);
    let status = say(alone(&lab, &["status", "tiny", "--json"]));
    let status: serde_json::Value = serde_json::from_str(&status.stdout).expect("JSON");
    let runs = &status[0]["runs"];
    let standing = |index: usize| runs[index]["engine"]["standing"].as_str();
    assert_eq!([0, 1].map(standing), [Some("queued"), Some("unsent")], "{runs}");
    assert_eq!(runs[0]["engine"]["reason"], "Priority");
    let words = say(alone(&lab, &["status", "tiny"])).stdout;
    assert!(words.contains("queued: Priority (1_0)"), "{words}");

    let rest = say(alone(&lab, &[&SUBMIT[..], &["--resume", "--no-report"]].concat()));
    assert_eq!(rest.code, Some(0), "{}", rest.stderr);
    assert!(rest.stdout.contains("job 3: runs 1,3"), "{}", rest.stdout);

    // A file that plans other runs would give these jobs other work.
    lab.write("tiny.toml", &tiny(10).replace("[0, 10]", "[0, 5, 10]"));
    let other = say(alone(&lab, &[&SUBMIT[..], &["--resume"]].concat()));
    assert_eq!(other.code, Some(1), "{}", other.stdout);
    assert!(other.stderr.contains("plans other runs"), "{}", other.stderr);
    assert_eq!(calls().lines().count(), 3, "{}", calls());
}
