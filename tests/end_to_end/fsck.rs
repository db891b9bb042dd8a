//! Damage by hand and by SIGKILL: found by path, repaired, and then gone.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::{Lab, files_below, run_folder, tiny};

fn swept() -> Lab {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(10));
    lab.succeed(&["sweep", "tiny.toml", "--no-report"]);
    lab
}

fn append(path: &Path, bytes: &[u8]) {
    let mut file = File::options().append(true).open(path).expect("a file");
    file.write_all(bytes).expect("writable");
}

/// Level, file name and finding of everything found.
fn findings(lab: &Lab, args: &[&str]) -> Vec<(String, String, String)> {
    let said = lab.say(&[&["fsck", "--json"], args].concat());
    let found: Value = serde_json::from_str(&said.stdout).expect("JSON on standard output");
    assert_eq!(said.code, Some(i32::from(found["good"] != true)), "{}", said.stdout);
    let checked = found["checked"].as_array().expect("a list").iter();
    let found = checked.flat_map(|it| it["findings"].as_array().expect("a list"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let name = |path: &Value| {
        PathBuf::from(text(path)).file_name().expect("a name").to_string_lossy().into_owned()
    };
    found.map(|it| (text(&it["level"]), name(&it["path"]), text(&it["what"]))).collect()
}

#[test]
fn what_is_sound_is_said_to_be() {
    let lab = swept();
    let said = lab.succeed(&["fsck"]).stdout;
    assert!(said.starts_with("4 runs, ") && said.ends_with(": nothing wrong\n"), "{said}");
    let folder = run_folder(&lab, "tiny", 0);
    for address in ["tiny", "runs/tiny/", "tiny/0", folder.to_str().expect("plain")] {
        let said = lab.succeed(&["fsck", address, "--repair"]).stdout;
        let runs =
            if address.contains("tiny/0") || address.contains("-s") { "1 run" } else { "4 runs" };
        assert!(said.starts_with(runs), "{address}: {said}");
        assert!(said.ends_with(": nothing wrong\n"), "{address}: {said}");
    }
    assert_eq!(lab.say(&["fsck", "elsewhere"]).code, Some(1));
}

#[test]
fn damage_is_named_repaired_and_gone() {
    let lab = swept();
    let runs: Vec<PathBuf> = (0..4).map(|index| run_folder(&lab, "tiny", index)).collect();
    append(&runs[0].join("events.jsonl"), b"{\"ts\":\"2026-");
    append(&runs[0].join("config.toml"), b"# edited\n");
    let sample = files_below(&runs[1].join("samples"), ".png").remove(0);
    fs::write(&sample, b"").expect("writable");
    fs::write(runs[2].join("metrics/.tmp-half"), b"half").expect("writable");
    fs::write(lab.path("runs/tiny/runs.parquet"), b"PAR1").expect("writable");
    let before = lab.states("tiny");

    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    let found = findings(&lab, &[]);
    for (level, file) in [
        ("repairable", "events.jsonl".to_string()),
        ("repairable", "config.toml".to_string()),
        ("repairable", name(&sample)),
        ("note", ".tmp-half".to_string()),
        ("repairable", "runs.parquet".to_string()),
    ] {
        let there = found.iter().any(|it| it.0 == level && it.1 == file);
        assert!(there, "{level} {file}: {found:#?}");
    }
    assert_eq!(findings(&lab, &["tiny/3"]), []);
    assert_eq!(findings(&lab, &["tiny/2"]).len(), 1);
    let said = lab.say(&["fsck"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.stdout.contains("  repairable  events.jsonl: a torn last line"),
        "{}",
        said.stdout
    );
    assert!(
        said.stdout.trim_end().ends_with("--repair mends what can be mended"),
        "{}",
        said.stdout
    );

    let said = lab.succeed(&["fsck", "--repair"]).stdout;
    assert!(said.contains("  repaired    events.jsonl: "), "{said}");
    assert!(said.contains(" — cut off"), "{said}");
    assert_eq!(findings(&lab, &[]), []);
    assert_eq!(lab.states("tiny"), before);
    assert!(runs[0].join("config.toml.damaged").exists(), "nothing is deleted");
    lab.succeed(&["report", "tiny"]);
}

#[test]
fn what_cannot_be_repaired_stays_a_failure() {
    let lab = swept();
    let metrics = files_below(&run_folder(&lab, "tiny", 0).join("metrics"), ".parquet").remove(0);
    let mut bytes = fs::read(&metrics).expect("metrics");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&metrics, bytes).expect("writable");
    for args in [&[][..], &["--repair"], &[]] {
        let found = findings(&lab, args);
        let lost = found.iter().any(|it| it.0 == "damaged" && it.2.contains("no row is left"));
        assert!(lost, "{args:?}: {found:#?}");
    }
    assert_eq!(findings(&lab, &["tiny/1"]), []);
    // As it says: train it again.
    lab.succeed(&["rm", "tiny/0"]);
    lab.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_eq!(findings(&lab, &["tiny"]), []);
}

#[test]
fn a_run_in_use_is_left_alone() {
    let lab = swept();
    let run = run_folder(&lab, "tiny", 0);
    append(&run.join("events.jsonl"), b"{\"half");
    let lock = File::options().write(true).open(run.join(".lock")).expect("its lock");
    lock.lock().expect("free");
    let before = fs::read(run.join("events.jsonl")).expect("events");
    for args in [&[][..], &["--repair"]] {
        let found = findings(&lab, args);
        let (level, _, what) = &found[0];
        assert!(found.len() == 1 && level == "note" && what.contains("in use by"), "{found:#?}");
    }
    assert_eq!(fs::read(run.join("events.jsonl")).expect("events"), before);
    drop(lock);
    assert_eq!(findings(&lab, &["tiny/0"])[0].0, "repairable");
}

#[test]
fn a_killed_run_is_repaired_without_losing_a_row_and_goes_on() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(100));
    // Only for its plan.
    let mut sweep =
        lab.command(&["sweep", "tiny.toml"]).stderr(Stdio::null()).spawn().expect("starts");
    let began = Instant::now();
    while !lab.path("runs/tiny/plan.jsonl").exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "no plan");
        std::thread::sleep(Duration::from_millis(20));
    }
    signal(sweep.id(), "TERM");
    sweep.wait().expect("it ends");

    let args = ["run", "--sweep-dir", "runs/tiny", "--index", "3", "--progress", "json"];
    let mut run = lab.command(&args).stdout(Stdio::piped()).spawn().expect("starts");
    let mut output = BufReader::new(run.stdout.take().expect("a pipe"));
    let (mut line, mut losses) = (String::new(), 0);
    while losses < 3 {
        line.clear();
        assert!(output.read_line(&mut line).expect("readable") > 0, "it ended");
        losses += usize::from(line.contains("\"losses\""));
    }
    run.kill().expect("running");
    run.wait().expect("it ends");

    let rows = |args: &[&str]| {
        let said = lab.say(&[&["fsck", "tiny/3", "--json"], args].concat());
        let found: Value = serde_json::from_str(&said.stdout).expect("JSON");
        found["checked"][0]["rows"].as_u64().expect("a number")
    };
    let before = rows(&[]);
    assert!(before > 0);
    assert_eq!(rows(&["--repair"]), before);
    assert_eq!(findings(&lab, &["tiny/3"]), []);
    assert_eq!(rows(&[]), before);
    lab.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_eq!(lab.states("tiny"), ["completed"; 4]);
    assert_eq!(findings(&lab, &[]), []);
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
    assert!(status.expect("kill is part of every system").success());
}

#[test]
fn what_is_derived_can_be_written_anew() {
    let lab = swept();
    fs::remove_file(lab.path("runs/tiny/runs.parquet")).expect("there");
    let said = lab.succeed(&["reindex"]).stdout;
    assert!(said.contains("runs/tiny/runs.parquet: 4 runs\n"), "{said}");
    assert!(said.contains("runs/index.jsonl: 4 runs of 1 sweep\n"), "{said}");
    let index = || fs::read_to_string(lab.path("runs/index.jsonl")).expect("the index");
    let lines: Vec<Value> =
        index().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 4);
    for (line, run) in lines.iter().zip(0..) {
        assert_eq!((line["sweep"].as_str(), line["index"].as_u64()), (Some("tiny"), Some(run)));
        assert_eq!((line["state"].as_str(), line["steps"].as_u64()), (Some("completed"), Some(10)));
        let shown = lab.json(&["show", &format!("tiny/{run}"), "--json"]);
        assert_eq!(line["value"], shown["scores"]["eval/l1_ab"]);
    }
    assert_eq!(findings(&lab, &[]), []);

    lab.succeed(&["rm", "tiny/0"]);
    let stale = findings(&lab, &[]);
    assert!(stale.iter().all(|it| it.0 == "note" && it.2.contains("reindex")), "{stale:#?}");
    let names: Vec<_> = stale.iter().map(|it| it.1.as_str()).collect();
    assert_eq!(names, ["runs.parquet", "index.jsonl"]);
    lab.succeed(&["reindex"]);
    assert!(index().lines().next().expect("a line").contains("\"planned\""));
    assert_eq!(findings(&lab, &[]), []);
}
