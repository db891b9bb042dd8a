//! Signals, deaths and what is left after them.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::lab::{Lab, Said, tiny};

/// Long enough to be caught in the middle, short enough to finish.
const STEPS: u32 = 400;

fn start(lab: &Lab, args: &[&str]) -> Child {
    lab.command(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
    assert!(status.expect("kill is part of every system").success());
}

fn wait(child: Child) -> Said {
    Said::from(child.wait_with_output().expect("the program ends"))
}

/// Until some run's event log says `word`.
fn wait_for(lab: &Lab, word: &str) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        let logs = match lab.path("runs/tiny").is_dir() {
            true => lab.run_folders("tiny"),
            false => Vec::new(),
        };
        let said = |folder: &std::path::PathBuf| {
            std::fs::read_to_string(folder.join("events.jsonl")).is_ok_and(|log| log.contains(word))
        };
        if logs.iter().any(said) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("no run said `{word}` within a minute");
}

#[test]
fn an_interrupted_sweep_saves_and_goes_on() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(STEPS));
    let sweep = start(&lab, &["sweep", "tiny.toml"]);
    wait_for(&lab, "\"evaluated\"");
    signal(sweep.id(), "INT");
    let said = wait(sweep);
    assert_eq!(said.code, Some(4), "{}", said.stderr);
    assert!(said.stderr.contains("goes on from here"), "{}", said.stderr);
    let states = lab.states("tiny");
    assert!(states.contains(&"interrupted".to_string()), "{states:?}");
    // A report of what there is, partial or not, is there all the same.
    assert!(lab.path("reports/tiny/index.html").is_file());

    let said = lab.succeed(&["sweep", "tiny.toml"]);
    assert!(said.stderr.contains("goes on at step"), "{}", said.stderr);
    assert_eq!(lab.states("tiny"), ["completed"; 4]);
}

/// Starts a sweep, kills one of its runs in the middle, and waits for the sweep's end.
fn kill_a_run_of(lab: &Lab) -> Said {
    let sweep = start(lab, &["sweep", "tiny.toml"]);
    wait_for(lab, "\"evaluated\"");
    let victim = lab.json(&["ls", "tiny", "--json"]);
    let victim =
        victim.as_array().expect("runs").iter().find(|run| run["state"]["state"] == "running");
    let folder = victim.expect("a running run")["folder"].as_str().expect("a folder").to_string();
    let log = std::fs::read_to_string(lab.path(&folder).join("events.jsonl")).expect("its events");
    let started: serde_json::Value =
        serde_json::from_str(log.lines().next().expect("a line")).expect("JSON");
    signal(started["pid"].as_u64().expect("a pid") as u32, "KILL");
    wait(sweep)
}

#[test]
fn a_killed_run_is_tried_again_by_the_same_sweep() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(STEPS));
    let said = kill_a_run_of(&lab);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("SIGKILL") && said.stderr.contains("(1 of 2)"), "{}", said.stderr);
    assert_eq!(lab.states("tiny"), ["completed"; 4]);
}

#[test]
fn a_killed_run_is_lost_alone_and_goes_on_later() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(STEPS).replace("[exec]", "[exec]\nretries = { lost = 0 }"));
    let said = kill_a_run_of(&lab);
    assert_eq!(said.code, Some(3), "{}", said.stderr);
    let states = lab.states("tiny");
    assert_eq!(states.iter().filter(|state| *state == "lost").count(), 1, "{states:?}");
    assert_eq!(states.iter().filter(|state| *state == "completed").count(), 3, "{states:?}");
    let index = states.iter().position(|state| state == "lost").expect("one").to_string();
    let shown = lab.succeed(&["show", "tiny", &index]).stdout;
    assert!(shown.contains("lost: the process was ended by signal: 9 (SIGKILL)"), "{shown}");
    assert!(
        shown.contains("What happened:") && shown.contains("attempt 1 begins on cpu"),
        "{shown}"
    );

    lab.succeed(&["sweep", "tiny.toml"]);
    assert_eq!(lab.states("tiny"), ["completed"; 4]);
}

#[test]
fn no_run_outlives_its_scheduler() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(100_000));
    let sweep = start(&lab, &["sweep", "tiny.toml"]);
    wait_for(&lab, "\"evaluated\"");
    signal(sweep.id(), "KILL");
    wait(sweep);
    let began = Instant::now();
    while lab.states("tiny").contains(&"running".to_string()) {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "still running: {:?}",
            lab.states("tiny")
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    // Both had begun, and both saved before they went.
    let states = lab.states("tiny");
    assert_eq!(states.iter().filter(|it| *it == "interrupted").count(), 2, "{states:?}");
}

#[test]
fn a_run_that_cannot_begin_is_a_failure_of_the_sweep() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(20));
    lab.succeed(&["plan", "tiny.toml", "--no-estimate"]);
    // The folder of the first run is a file: nothing can be written there.
    let plan = lab.json(&["plan", "tiny.toml", "--no-estimate", "--json"]);
    let folder = lab.path(plan["runs"][0]["folder"].as_str().expect("a folder"));
    std::fs::create_dir_all(folder.parent().expect("a parent")).expect("the sweep's folder");
    std::fs::write(&folder, "in the way").expect("a file");
    let said = lab.say(&["sweep", "tiny.toml"]);
    assert_eq!(said.code, Some(3), "{}", said.stderr);
    assert!(said.stderr.contains("1 run failed"), "{}", said.stderr);
    assert_eq!(lab.states("tiny")[1..], ["completed"; 3]);
}

#[test]
fn run_says_how_it_ended_by_its_exit_code() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(STEPS));
    let sweep = start(&lab, &["sweep", "tiny.toml"]);
    wait_for(&lab, "\"evaluated\"");
    let held = lab.say(&["run", "--sweep-dir", "runs/tiny", "--index", "0"]);
    assert_eq!(held.code, Some(75), "{}", held.stderr);
    assert!(held.stderr.contains("held by"), "{}", held.stderr);
    signal(sweep.id(), "TERM");
    wait(sweep);

    assert_eq!(lab.say(&["run", "--sweep-dir", "runs/tiny", "--index", "99"]).code, Some(78));
    assert_eq!(
        lab.say(&["run", "--sweep-dir", "runs/tiny", "--index", "0", "--device", "cuda:77"]).code,
        Some(78)
    );

    // A run long enough that only the signal can end it.
    lab.write("long.toml", &tiny(100_000).replace("name = \"tiny\"", "name = \"long\""));
    let sweep = start(&lab, &["sweep", "long.toml"]);
    let planned = lab.path("runs/long/plan.jsonl");
    while !planned.exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    signal(sweep.id(), "TERM");
    wait(sweep);
    let args = ["run", "--sweep-dir", "runs/long", "--index", "3", "--progress", "json"];
    let mut run = start(&lab, &args);
    let mut output = BufReader::new(run.stdout.take().expect("a pipe"));
    let mut stdout = String::new();
    while !stdout.contains("\"losses\"") {
        assert!(output.read_line(&mut stdout).expect("readable") > 0, "it ended: {stdout}");
    }
    signal(run.id(), "USR1");
    output.read_to_string(&mut stdout).expect("readable");
    let said = Said { stdout, ..wait(run) };
    assert_eq!(said.code, Some(85), "{}", said.stderr);
    let events = said.stdout.lines().map(serde_json::from_str::<serde_json::Value>);
    assert!(
        events.map(|it| it.expect("JSON")).any(|it| it["event"] == "started"),
        "{}",
        said.stdout
    );

    let args = ["run", "--sweep-dir", "runs/tiny", "--index", "1"];
    lab.succeed(&args);
    assert_eq!(lab.succeed(&args).stdout, "", "a finished run ends at once");
}
