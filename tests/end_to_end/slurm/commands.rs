//! The exported commands, in the hands of another scheduler.

use std::process::Command;

use crate::hostile_names::{FILE, RUNS, Trap};
use crate::lab::{Said, available, tiny};

#[test]
fn gnu_parallel_runs_the_exported_commands() {
    let mut probe = Command::new("sh");
    probe.args(["-c", "parallel --version | grep -q '^GNU parallel'"]);
    if !available("GNU parallel", probe) {
        return;
    }
    let trap = Trap::new();
    // No disk has that much free, so the sweep writes its plan and starts nothing.
    let toml = tiny(20) + "[limits]\ndisk_free_min = \"8000 TB\"\n";
    std::fs::write(trap.folder.join(FILE), toml).expect("a file");
    assert_eq!(trap.say(&["sweep", FILE, "--no-report"]).code, Some(4), "planned, not started");

    let exported = trap.say(&["export", "commands", "tiny"]);
    assert_eq!(exported.code, Some(0), "{}", exported.stderr);
    let lines: Vec<&str> = exported.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "a line a run, and nothing else: {}", exported.stdout);
    for (index, line) in lines.iter().enumerate() {
        assert!(line.contains(&format!("--index {index}")), "in the plan's order: {line}");
    }
    let list = trap.lab.write("commands", &exported.stdout);

    // From another folder, as a scheduler would.
    let mut parallel = Command::new("parallel");
    parallel.args(["--jobs", "2", "--halt", "now,fail=1", "::::"]).arg(list);
    parallel.current_dir(trap.lab.path(".")).env("SHELL", "/bin/sh");
    parallel.env("PARALLEL_HOME", trap.lab.path("parallel"));
    parallel.env("CYCLELAB_CACHE", trap.lab.path("cache"));
    let said = Said::from(parallel.output().expect("GNU parallel"));
    assert_eq!(said.code, Some(0), "{}\n{}", said.stdout, said.stderr);
    let ls = trap.say(&["ls", "tiny", "--json"]);
    let runs: serde_json::Value = serde_json::from_str(&ls.stdout).expect("JSON");
    let states: Vec<_> =
        runs.as_array().expect("runs").iter().map(|it| &it["state"]["state"]).collect();
    assert_eq!(states, ["completed"; 4], "{RUNS}");
    trap.expect_nothing_was_run();
}
