//! `submit` as far as it goes without a cluster: a site's file, scripts, and programs of Slurm's names
//! that say what they are told to. (`slurm` has a real one.)

mod doubt;
mod report;

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

/// Jobs are counted from 1. The queue is what the file `queue` says, by their numbers; `sbatch` waits as
/// long as there is a file `hold`, and then says what the file `answer` says, where it is there.
fn cluster(lab: &Lab) {
    let folder = lab.path(".");
    let folder = folder.display();
    let sbatch = "case \"$*\" in *--test-only*) exec grep -q '^exec ' ;; esac\n\
                  for script; do :; done\n\
                  sed -n 's/^#SBATCH --job-name=//p' \"$script\" >> names\n\
                  echo \"$*\" >> calls; n=$(grep -c . calls)\n\
                  while [ -e hold ]; do sleep 0.02; done\n\
                  if [ -e answer ]; then . ./answer; fi\n\
                  echo \"$n\"";
    stand_in(lab, "sbatch", &format!("cd '{folder}'\n{sbatch}"));
    let named =
        "awk -F'|' 'NR == FNR { name[NR] = $0; next } { print name[$2] \"|\" $0 }' names queue";
    stand_in(lab, "squeue", &format!("cd '{folder}'\n{named}"));
    stand_in(lab, "scontrol", "echo 'MaxArraySize            = 1001'");
    stand_in(lab, "sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1");
    stand_in(lab, "scancel", &format!("cd '{folder}'\necho \"$*\" >> cancelled"));
    lab.write("queue", "");
    lab.write("calls", "");
    lab.write("names", "");
}

/// What `sbatch` was called with, a line a job.
fn calls(lab: &Lab) -> Vec<String> {
    let text = std::fs::read_to_string(lab.path("calls")).expect("calls");
    text.lines().map(str::to_string).collect()
}

fn submit(lab: &Lab, more: &[&str]) -> Said {
    say(alone(lab, &[&SUBMIT[..], more].concat()))
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
    let end = " --device cpu --requeue slurm --index $((SLURM_ARRAY_TASK_ID + 0))";
    assert!(exec.contains(" --plan ") && exec.contains(end), "{exec}");
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
    let said = submit(&lab, &[]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.contains("job 1: runs 0-3"), "{}", said.stdout);
    assert!(said.stdout.contains("job 2: the report"), "{}", said.stdout);
    assert!(calls(&lab)[1].contains("--dependency=afterany:1 "), "{:?}", calls(&lab));

    lab.write("queue", "1|1|0,2%1|PENDING|Priority|N/A|\n");
    let refused = submit(&lab, &[]);
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

    let rest = submit(&lab, &["--resume", "--no-report"]);
    assert_eq!(rest.code, Some(0), "{}", rest.stderr);
    assert!(rest.stdout.contains("job 3: runs 1,3"), "{}", rest.stdout);
}

/// Jobs know runs by their numbers, and a plan that has changed gives these to others.
#[test]
fn a_plan_is_not_changed_under_jobs_and_they_mind_it() {
    let lab = Lab::new();
    cluster(&lab);
    lab.write("tiny.toml", &tiny(10));
    assert_eq!(submit(&lab, &["--no-report"]).code, Some(0));
    lab.write("queue", "1|1|0-3|PENDING|Priority|N/A|\n");
    let plan = || std::fs::read(lab.path("runs/tiny/plan.jsonl")).expect("a plan");
    let before = plan();
    lab.write("tiny.toml", &tiny(10).replace("[0, 10]", "[0, 5, 10]"));
    let hq = ["--executor", "hq", "--dry-run"];
    for more in [&["--resume"][..], &["--dry-run"], &hq] {
        let other = submit(&lab, more);
        assert_eq!(other.code, Some(1), "{more:?}: {}", other.stdout);
        assert!(other.stderr.contains("plans other runs"), "{more:?}: {}", other.stderr);
        assert!(other.stderr.contains("scancel 1"), "{more:?}: {}", other.stderr);
    }
    let sweep = say(alone(&lab, &["sweep", "tiny.toml"]));
    assert!(sweep.code == Some(1) && sweep.stderr.contains("plans other runs"), "{}", sweep.stderr);
    assert_eq!((calls(&lab).len(), plan()), (1, before));

    // Slurm forgets them all; of a script that is sent by hand no run is another than was meant.
    lab.write("queue", "");
    assert_eq!(submit(&lab, &["--dry-run"]).code, Some(0));
    let script = lab.path("runs/tiny/.exec/1/array.sbatch");
    let mut task = Command::new("bash");
    task.arg(&script).env("SLURM_ARRAY_TASK_ID", "2").current_dir(lab.path("."));
    let said = say(task);
    assert_eq!(said.code, Some(78), "{}", said.stderr);
    assert!(said.stderr.contains("runs/tiny/plan.jsonl` is another plan"), "{}", said.stderr);
    assert_eq!(lab.states("tiny"), ["planned"; 6]);
    assert!(lab.run_folders("tiny").is_empty(), "nothing was touched");
    // By hand the plan need not be named.
    lab.succeed(&["run", "--sweep-dir", "runs/tiny", "--index", "2"]);
}

#[test]
fn a_refusal_leaves_no_folder() {
    let lab = Lab::new();
    cluster(&lab);
    stand_in(&lab, "sbatch", "echo 'sbatch: error: invalid account' >&2; exit 1");
    lab.write("tiny.toml", &tiny(10));
    let said = submit(&lab, &[]);
    assert!(said.code == Some(1) && said.stderr.contains("invalid account"), "{}", said.stderr);
    assert!(!lab.path("runs").exists(), "of a sweep that is new");

    lab.succeed(&["sweep", "tiny.toml", "--only", "seed == 1", "--no-report"]);
    let history = || std::fs::read_dir(lab.path("runs/tiny/history")).expect("a folder").count();
    assert_eq!(submit(&lab, &[]).code, Some(1));
    assert_eq!(history(), 1);
    assert!(!lab.path("runs/tiny/.exec").exists());
    assert_eq!(lab.states("tiny"), ["completed", "completed", "planned", "planned"]);
}

#[test]
fn what_jobs_do_not_hear_is_said() {
    let lab = Lab::new();
    cluster(&lab);
    let retries = tiny(10).replace("[exec]", "[exec]\nretries = { lost = 5 }");
    let limits = "[limits]\nmax_failures = 2\nrun_timeout = \"2h\"\nmax_runs = 9\n";
    lab.write("tiny.toml", &(retries + limits));
    let mut command = alone(&lab, &[&SUBMIT[..], &["--dry-run"]].concat());
    command.env("SBATCH_PARTITION", "night").env_remove("SLURM_JOB_ID");
    let said = say(command).stderr;
    let names = "note: limits.run_timeout, limits.max_failures, exec.retries are for `cyclelab sweep` alone";
    assert!(said.contains(names), "{said}");
    assert!(said.contains("note: SBATCH_PARTITION not passed on"), "{said}");
    let said = submit(&lab, &["--executor", "hq", "--dry-run"]);
    assert!(said.stderr.contains("limits.run_timeout, exec.retries are"), "{}", said.stderr);
    assert!(said.stdout.contains("max_fails = 2"), "{}", said.stdout);
    lab.write("tiny.toml", &tiny(10));
    assert!(!submit(&lab, &["--dry-run"]).stderr.contains("alone"), "nothing of it is written");
}

/// Exported commands are of the plan: where it came from may be gone.
#[test]
fn commands_need_no_sweep_file() {
    let lab = Lab::new();
    cluster(&lab);
    let own = tiny(10).replace("data.load_size = 16\ndata.crop_size = 16\n", "");
    let preset = "[sweep]\nbase = [\"size.toml\"]\npreset = \"lua\"\n";
    lab.write("tiny.toml", &own.replace("[sweep]\n", preset));
    lab.write("size.toml", "data.load_size = 16\ndata.crop_size = 16\n");
    let dry = submit(&lab, &["--dry-run"]);
    assert_eq!(dry.code, Some(0), "{}", dry.stderr);
    for file in ["size.toml", "tiny.toml", "runs/tiny/sweep.toml"] {
        std::fs::remove_file(lab.path(file)).expect("it was there");
    }
    let exported = lab.succeed(&["export", "commands", "tiny"]).stdout;
    let line = exported.lines().nth(1).expect("a line a run");
    assert!(line.contains(" --plan ") && line.contains(" --device cpu --index 1"), "{line}");
    let said = say({
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(lab.path("bin"));
        command
    });
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(lab.states("tiny"), ["planned", "completed", "planned", "planned"]);
    let pods = lab.succeed(&["export", "k8s", "tiny"]).stdout;
    assert!(pods.contains("\"--plan\", ") && pods.contains("\"--device\", \"cpu\""), "{pods}");
}
