//! The power fails: nothing is left but what had been fsynced by then. A checkpoint that the run
//! has noted is used, every row up to it is there, and the run ends as if it had been left alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::chance::Chance;
use crate::lab::Lab;
use crate::remains::Remains;
use crate::synced_disk::{self, Line, Names, SyncedDisk};
use crate::system_calls::{strace_is_there, under_strace};
use crate::victim::{Trial, Victim, start, sweep_over};

#[test]
fn what_was_acknowledged_outlives_a_power_cut() {
    if !strace_is_there() {
        return;
    }
    let victim = Victim::plan();
    let straight = victim.trial("straight", 1);
    let before = SyncedDisk::of(&straight.root());
    let trace = recorded(&straight);
    let lines: Vec<Line<'_>> = trace.lines().filter_map(Line::parse).collect();
    let moments = match std::env::var_os("CYCLELAB_TORTURE") {
        Some(_) => every_moment(&lines),
        None => some_moments(&lines),
    };
    let acknowledged = acknowledged(&lines);
    let reference = Remains::of(&straight);
    let after = |n: usize| acknowledged.iter().rev().find(|(at, _)| *at <= n).map_or(0, |it| it.1);
    let mut cuts = 0;
    let mut disk = before.clone();
    for (n, line) in lines.iter().enumerate() {
        disk.apply(line, &victim.lab.path(""));
        if !moments.contains(&n) {
            continue;
        }
        for names in [Names::Synced, Names::All] {
            cuts += 1;
            if let Err(error) = cut_the_power(&victim, &disk, names, after(n), &reference) {
                panic!("power cut after call {n} ({}), names {names:?}: {error}", line.name);
            }
        }
    }
    eprintln!("{cuts} power cuts, {} acknowledged checkpoints", acknowledged.len());

    // Had the checkpoints' folder not been fsynced, it would have shown.
    let (last, step) = acknowledged[acknowledged.len() - 1];
    let mut disk = before;
    let is_needed = |line: &&Line<'_>| !(line.name == "fsync" && line.is_on_any("checkpoints"));
    for line in lines[..=last].iter().filter(is_needed) {
        disk.apply(line, &victim.lab.path(""));
    }
    let lost = cut_the_power(&victim, &disk, Names::Synced, step, &reference);
    assert!(lost.is_err_and(|error| error.contains("went on from")));
}

/// A sweep makes its runs' folders and logs before the runs themselves are there.
#[test]
fn every_folder_that_a_sweep_makes_is_on_the_disk() {
    if !strace_is_there() {
        return;
    }
    let lab = Lab::new();
    lab.write("victim.toml", &sweep_over("pool.size", ["0", "50"], ""));
    let sweep = lab.command(&["sweep", "victim.toml", "--no-report"]);
    let options = ["-f", "-ff", "-y", "-xx", "-s", "4096", "--trace=mkdir,mkdirat,fsync"];
    let said = start(under_strace(sweep, &lab.path("trace"), &options)).wait();
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let runs = lab.path("runs");
    let mut made = 0;
    // One file a thread.
    for file in std::fs::read_dir(lab.path("")).expect("the lab").flatten() {
        if !file.file_name().to_string_lossy().starts_with("trace.") {
            continue;
        }
        let trace = std::fs::read_to_string(file.path()).expect("strace's file");
        let lines: Vec<Line<'_>> = trace.lines().filter_map(Line::parse).collect();
        for (n, line) in lines.iter().enumerate().filter(|(_, it)| it.name.starts_with("mkdir")) {
            let folder = lab.path("").join(text(&line.texts[0]));
            if folder.parent().is_none_or(|parent| !parent.starts_with(&runs)) {
                continue;
            }
            made += 1;
            let synced =
                lines[n..].iter().any(|it| it.name == "fsync" && it.is_on(folder.parent()));
            assert!(synced, "{} was made, and its parent not fsynced", folder.display());
        }
    }
    assert!(made >= 10, "only {made} folders were made");
}

/// Every call of an undisturbed run, with all that it wrote.
fn recorded(trial: &Trial<'_>) -> String {
    let trace = trial.root().with_extension("calls");
    let calls = format!("--trace={}", synced_disk::CALLS);
    let options = ["-y", "-xx", "-s", "100000000", &calls];
    let said = start(under_strace(trial.command(), &trace, &options)).wait();
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    std::fs::read_to_string(trace).expect("strace's file")
}

/// The calls after which a checkpoint is noted on the disk, and its step.
fn acknowledged(lines: &[Line<'_>]) -> Vec<(usize, u64)> {
    let mut noted = None;
    let mut found = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let written = line.texts.first().map(|it| text(it)).unwrap_or_default();
        if line.name == "write" && written.contains("\"event\":\"checkpoint\"") {
            let event: serde_json::Value = serde_json::from_str(&written).expect("an event");
            noted = event["step"].as_u64();
        } else if line.name == "fdatasync"
            && let Some(step) = noted.take()
        {
            found.push((n, step));
        }
    }
    found
}

fn some_moments(lines: &[Line<'_>]) -> BTreeSet<usize> {
    let mut chance = Chance::new(4);
    let mut moments: BTreeSet<usize> = acknowledged(lines).into_iter().map(|(n, _)| n).collect();
    assert!(moments.len() >= 3, "{moments:?}");
    moments.extend((0..4).map(|_| chance.below(lines.len())));
    moments
}

/// Between two fsyncs nothing that is kept changes, but names may.
fn every_moment(lines: &[Line<'_>]) -> BTreeSet<usize> {
    let changes = |line: &Line<'_>| line.name.contains("sync") || line.name.starts_with("rename");
    lines.iter().enumerate().filter(|(_, line)| changes(line)).map(|(n, _)| n).collect()
}

/// Leaves what the disk keeps, and starts the run there.
fn cut_the_power(
    victim: &Victim,
    disk: &SyncedDisk,
    names: Names,
    acknowledged: u64,
    reference: &Remains,
) -> Result<(), String> {
    disk.leave(names, &victim.lab.path("cut"));
    let trial = victim.trial_in("cut", 1);
    let went_on = goes_on_from(&trial, acknowledged, reference);
    trial.remove();
    went_on
}

fn goes_on_from(trial: &Trial<'_>, step: u64, reference: &Remains) -> Result<(), String> {
    reference.expect_beginning(&trial.record(), step)?;
    let finished = trial.state()["state"] == "completed";
    trial.complete()?;
    let events = trial.events();
    let resumed = events.iter().rfind(|it| it["event"] == "resumed");
    let from = resumed.and_then(|it| it["from_step"].as_u64()).unwrap_or(0);
    if !finished && from < step {
        return Err(format!("the checkpoint of step {step} was noted, and it went on from {from}"));
    }
    // Nobody claims a finished run any more to clear away what was being removed: `gc` does.
    let excused = |place: &str| finished && place.contains("/.tmp-old-");
    let difference = reference.difference_but(&Remains::of(trial), &excused);
    if difference.is_none() { Ok(()) } else { Err(format!("{difference:?}")) }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Line<'_> {
    fn is_on(&self, folder: Option<&Path>) -> bool {
        let on: PathBuf = self.descriptor().1;
        Some(on.as_path()) == folder
    }

    fn is_on_any(&self, name: &str) -> bool {
        self.descriptor().1.ends_with(name)
    }
}
