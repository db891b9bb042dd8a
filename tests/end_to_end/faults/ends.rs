//! Ends that are no success: each filed as what it is, and the other runs go on.

use std::path::Path;
use std::process::Command;

use crate::lab::{Lab, files_below};
use crate::victim::{Victim, signal, start, sweep_over, until};

/// A result, not an error: kept, not repeated.
#[test]
fn a_run_that_diverges_says_where_and_keeps_what_was_good() {
    let leaves = ["optim.lr_d=1e30", "train.checkpoint_every=1", "train.log_every=1"];
    let victim = Victim::plan_with(&leaves);
    let trial = victim.trial("diverging", 1);
    let said = trial.run();
    assert_eq!(said.code, Some(86), "{}", said.stderr);
    let state = trial.state();
    assert_eq!(state["state"], "diverged");
    let reason = state["reason"].as_str().expect("a reason");
    assert!(said.stderr.contains(reason), "{reason}: {}", said.stderr);
    let metric = reason.split_whitespace().next().expect("a metric");
    let record = trial.record();
    let last = record.last(metric).unwrap_or_else(|| panic!("no rows of {metric}"));
    assert!(!last.is_finite(), "{metric} is {last}");
    let newest = trial.checkpoints().last().copied().expect("a checkpoint from before");
    let folder = trial.folder().join(format!("checkpoints/step-{newest:08}"));
    for file in files_below(&folder, ".safetensors") {
        assert!(is_finite(&file), "{} is worth nothing", file.display());
    }

    assert_eq!(trial.run().code, Some(0), "it has its result");
    assert_eq!(trial.record().attempts, 1);
    let shown = trial.say(&["show", "victim", "1"]);
    assert!(shown.stdout.contains(reason), "{}", shown.stdout);
}

/// And the next sweep does not try it again.
#[test]
fn a_run_that_diverges_is_a_result_of_its_sweep() {
    let lab = Lab::new();
    let toml = sweep_over("optim.lr_d", ["1e30", "2e-4"], "");
    lab.write("victim.toml", &toml.replace("train.log_every = 2", "train.log_every = 1"));
    for nth in ["the first", "the second"] {
        let sweep = lab.succeed(&["sweep", "victim.toml", "--no-report"]);
        assert_eq!(lab.states("victim"), ["diverged", "completed"], "{nth} time: {}", sweep.stderr);
        let runs = lab.json(&["ls", "victim", "--json"]);
        assert_eq!(runs[0]["attempts"], 1, "{nth} time: {}", sweep.stderr);
    }
}

fn is_finite(safetensors: &Path) -> bool {
    let bytes = std::fs::read(safetensors).expect("a file");
    let (length, rest) = bytes.split_first_chunk().expect("a header");
    let values = &rest[usize::try_from(u64::from_le_bytes(*length)).expect("it is short")..];
    let float = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().expect("four bytes"));
    values.chunks_exact(4).map(float).all(f32::is_finite)
}

/// One run whose networks do not fit beside one whose networks do.
#[test]
fn a_run_without_memory_fails_alone() {
    let lab = Lab::new();
    lab.write("victim.toml", &sweep_over("model.ngf", ["128", "4"], ""));
    let sweep = lab.command(&["sweep", "victim.toml", "--no-report"]);
    // In KiB, of addresses: the machine's own memory is not touched.
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -v 300000; exec \"$@\"", "sh"]).arg(sweep.get_program());
    limited.args(sweep.get_args()).current_dir(lab.path(""));
    limited.envs(sweep.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // Threads reserve addresses that they never use.
    limited.env("MALLOC_ARENA_MAX", "1").stdin(std::process::Stdio::null());
    let said = start(limited).wait();
    assert_eq!(said.code, Some(3), "{}", said.stderr);
    assert_eq!(lab.states("victim"), ["failed", "completed"], "{}", said.stderr);
    let runs = lab.json(&["ls", "victim", "--json"]);
    assert_eq!(runs[0]["state"]["class"], "oom", "{}", runs[0]);
    let reason = runs[0]["state"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("memory"), "{reason}");
}

/// Stopped, it says nothing more and hears nothing: it is ended by force, and the next has its turn.
#[test]
fn a_run_that_hangs_is_ended_and_the_next_has_its_turn() {
    let lab = Lab::new();
    let limits = "stall_timeout = \"2s\"";
    lab.write("victim.toml", &sweep_over("train.steps", ["20000", "10"], limits));
    let sweep = start(lab.command(&["sweep", "victim.toml", "--no-report"]));
    let pid = || {
        let folders = lab.path("runs/victim").is_dir().then(|| lab.run_folders("victim"))?;
        let log = std::fs::read_to_string(folders.first()?.join("events.jsonl")).ok()?;
        let started: serde_json::Value = serde_json::from_str(log.lines().next()?).ok()?;
        log.contains("\"checkpoint\"").then(|| started["pid"].as_u64())?
    };
    until("the long run trains", || pid().is_some());
    signal(u32::try_from(pid().expect("a pid")).expect("a pid"), "STOP");
    let said = sweep.wait();
    assert_eq!(said.code, Some(3), "{}", said.stderr);
    assert_eq!(lab.states("victim"), ["timed_out", "completed"], "{}", said.stderr);
    let runs = lab.json(&["ls", "victim", "--json"]);
    let reason = runs[0]["state"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("stall_timeout"), "{reason}");
}
