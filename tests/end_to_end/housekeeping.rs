//! Comparing runs, and taking them away.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::lab::{Lab, run_folder, tiny};

fn swept() -> Lab {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(10));
    lab.succeed(&["sweep", "tiny.toml", "--no-report"]);
    lab
}

fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list");
    list.iter().map(|it| it["name"].as_str().expect("a name")).collect()
}

#[test]
fn diff_shows_what_was_asked_and_what_came_out() {
    let lab = swept();
    let cells = lab.json(&["diff", "tiny/0", "tiny/1", "--json"]);
    let lambda = json!([{ "name": "loss.lambda_cycle", "a": 0.0, "b": 10.0 }]);
    assert_eq!((&cells["equal"], &cells["settings"]), (&json!(false), &lambda));
    assert_eq!(cells["circumstances"], json!([]));
    let shown = lab.json(&["show", "tiny/1", "--json"]);
    let metrics = cells["metrics"].as_array().expect("a list");
    assert_eq!(metrics.len(), shown["scores"].as_object().expect("scores").len());
    let score = metrics.iter().find(|it| it["name"] == "eval/l1_ab").expect("the score");
    assert_eq!(score["b"], shown["scores"]["eval/l1_ab"]);
    let [a, b, relative] = ["a", "b", "relative"].map(|it| score[it].as_f64().expect("a number"));
    assert!(a != b && (relative - (b - a) / a).abs() < 1e-12, "{score}");

    let said = lab.succeed(&["diff", "tiny/0", "tiny/1"]).stdout;
    let row = |name: &str| {
        let line = said.lines().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("no {name}: {said}")).to_string()
    };
    let words: Vec<_> = row("loss.lambda_cycle").split_whitespace().map(str::to_string).collect();
    assert_eq!(words, ["loss.lambda_cycle", "0", "10"]);
    assert!(row("eval/l1_ab").ends_with('%') && row("optim/lr_g").ends_with("same"), "{said}");

    let seeds = lab.json(&["diff", "tiny/0", "tiny/2", "--json"]);
    assert_eq!(seeds["settings"], json!([]));
    assert_eq!(seeds["circumstances"], json!([{ "name": "seed", "a": 1, "b": 2 }]));
}

#[test]
fn the_same_run_trained_twice_is_equal() {
    let lab = swept();
    lab.succeed(&["sweep", "tiny.toml", "--no-report", "--runs", "again"]);
    let one = run_folder(&lab, "tiny", 1);
    let again = lab.path("again/tiny").join(one.file_name().expect("a name"));
    let again = again.to_str().expect("plain");
    let found = lab.json(&["diff", "tiny/1", again, "--json"]);
    assert_eq!(found["equal"], json!(true), "{found}");
    let said = lab.succeed(&["diff", "tiny/1", again]).stdout;
    assert!(said.contains(" are equal: "), "{said}");

    // One leaf that only a later version knows, and another data set of the same name.
    let path = Path::new(again).join("run.json");
    let mut identity: Value =
        serde_json::from_slice(&std::fs::read(&path).expect("run.json")).expect("JSON");
    identity["config"]["loss"]["later"] = json!(null);
    identity["dataset"]["fingerprint"] = json!("other");
    std::fs::write(&path, identity.to_string()).expect("writable");
    let found = lab.json(&["diff", "tiny/1", again, "--json"]);
    assert_eq!(found["settings"], json!([{ "name": "loss.later", "b": null }]));
    assert_eq!(names(&found["circumstances"]), ["data set"]);
    assert_eq!(found["equal"], json!(false));
}

#[test]
fn a_removed_run_can_be_brought_back_or_trained_again() {
    let lab = swept();
    let folder = run_folder(&lab, "tiny", 0);
    let address = folder.to_str().expect("plain");
    let before = std::fs::read(folder.join("run.json")).expect("run.json");

    let said = lab.succeed(&["rm", "tiny/0", "--dry-run"]).stdout;
    assert!(said.starts_with("would move ") && !said.contains(" mv "), "{said}");
    assert!(folder.is_dir() && !lab.path("runs/.trash").exists());

    // By both its names: one run.
    let said = lab.succeed(&["rm", "tiny/0", address]).stdout;
    assert_eq!(said.matches("moved ").count(), 1, "{said}");
    let trashed: Vec<_> = std::fs::read_dir(lab.path("runs/.trash"))
        .expect("the trash")
        .map(|entry| entry.expect("readable").path())
        .collect();
    let [trashed] = &trashed[..] else { panic!("one folder: {trashed:?}") };
    assert_eq!(std::fs::read(trashed.join("run.json")).expect("run.json"), before);
    assert_eq!(lab.states("tiny"), ["planned", "completed", "completed", "completed"]);
    for command in ["ls", "status"] {
        let sweeps = lab.json(&[command, "--json"]);
        assert_eq!(sweeps.as_array().map(Vec::len), Some(1), "{command}: {sweeps}");
        assert_ne!(lab.say(&[command, ".trash"]).code, Some(0), "{command}");
    }
    let again = lab.say(&["rm", trashed.to_str().expect("plain")]);
    assert_eq!(again.code, Some(1), "{}", again.stderr);
    assert!(trashed.is_dir());

    let back = said.lines().find(|line| line.starts_with("  test ! -e ")).expect("the way back");
    assert!(Command::new("sh").args(["-c", back]).status().expect("a shell").success());
    assert_eq!(lab.states("tiny"), ["completed"; 4]);

    lab.succeed(&["rm", "tiny/0"]);
    lab.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_eq!(lab.states("tiny"), ["completed"; 4]);
    let trained = std::fs::read(folder.join("run.json")).expect("run.json");
    assert_ne!(trained, before, "trained anew, not found in the trash");
}

#[test]
fn what_is_refused_keeps_everything_in_place() {
    let lab = swept();
    let held = run_folder(&lab, "tiny", 1);
    let lock = File::options().write(true).open(held.join(".lock")).expect("its lock");
    lock.lock().expect("free");
    let check = |runs: &[&str], code: i32, word: &str| {
        for dry in [&["--dry-run"][..], &[]] {
            let said = lab.say(&[&["rm"], runs, dry].concat());
            assert_eq!(said.code, Some(code), "{runs:?}: {}", said.stderr);
            assert!(said.stderr.contains(word), "{runs:?}: {}", said.stderr);
            assert!(said.stderr.contains("nothing has moved"), "{}", said.stderr);
            assert!(said.stdout.is_empty(), "{}", said.stdout);
        }
        assert_eq!(lab.run_folders("tiny").len(), 4, "{runs:?}");
        assert!(!lab.path("runs/.trash").exists(), "{runs:?}");
    };
    check(&["tiny/0", "tiny/1", "tiny/2"], 75, "is held by process");
    check(&["tiny/0", "tiny/zz", "tiny/1"], 75, "has no run zz");
    check(&["tiny"], 1, "`tiny` is a whole sweep");
    check(&["tiny/0", "runs/tiny/"], 1, "`runs/tiny/` is a whole sweep; name its runs");
    check(&["tiny/0", "elsewhere"], 1, "`elsewhere` is no run");
    drop(lock);
    lab.succeed(&["rm", "tiny/0", "tiny/1"]);
    assert_eq!(lab.run_folders("tiny").len(), 2);
}
