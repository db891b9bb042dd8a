//! Requests to stop, one or several, also in the middle of a save.

use super::ENDLESS;
use crate::lab::Said;
use crate::system_calls::{strace_is_there, with_faults};
use crate::victim::{Trial, Victim, signal, start, until};

#[test]
fn a_stop_saves_once_whatever_else_arrives() {
    let victim = Victim::plan_with(&ENDLESS);
    let trial = victim.trial("stopped", 1);
    for signals in [
        &["TERM"][..],
        &["INT"],
        &["USR1"],
        &["USR2"],
        &["TERM", "TERM", "TERM"],
        &["INT", "INT"],
        // As Slurm sends them, in either order, also to one that is suspended.
        &["STOP", "TERM", "CONT"],
        &["CONT", "TERM"],
        &["TERM", "CONT"],
        &["USR1", "CONT", "TERM", "CONT"],
    ] {
        let before = trial.checkpoints();
        let run = start(trial.command());
        until("it trains", || trial.checkpoints().last() > before.last());
        signals.iter().for_each(|name| signal(run.id(), name));
        expect_saved_once(&trial, &run.wait(), signals);
    }
    let record = trial.record();
    assert!(record.damaged.is_empty(), "{:?}", record.damaged);
    let newest = trial.checkpoints().last().copied().expect("a checkpoint");
    let steps: Vec<u64> = record.series("loss/cycle_a").map(|(step, _)| step).collect();
    assert_eq!(steps, (1..=newest / 5).map(|window| 5 * window).collect::<Vec<_>>());
}

/// Every fsync takes so long that the signals meet a checkpoint half written.
#[test]
fn a_stop_in_the_middle_of_a_save_waits_for_it() {
    if !strace_is_there() {
        return;
    }
    let victim = Victim::plan_with(&ENDLESS);
    let trial = victim.trial("stopped", 1);
    for signals in [&["TERM"][..], &["USR1", "USR1"], &["TERM", "CONT", "TERM"]] {
        let slow = with_faults(trial.command(), "fsync,fdatasync", "delay_enter=20000");
        let attempts = trial.record().attempts;
        let run = start(slow);
        until("it saves", || {
            trial.record().attempts > attempts && !half_written(&trial).is_empty()
        });
        signals.iter().for_each(|name| signal(trial.pid(), name));
        expect_saved_once(&trial, &run.wait(), signals);
    }
}

fn expect_saved_once(trial: &Trial<'_>, said: &Said, signals: &[&str]) {
    assert_eq!(said.code, Some(85), "{signals:?}: {}", said.stderr);
    assert_eq!(trial.state()["state"], "interrupted", "{signals:?}");
    let events = trial.events();
    let last = events.last().expect("a last word");
    assert_eq!(last["event"], "interrupted", "{signals:?}: {last}");
    let saved: Vec<u64> = events
        .iter()
        .filter(|it| it["event"] == "checkpoint")
        .map(|it| it["step"].as_u64().expect("a step"))
        .collect();
    assert!(saved.is_sorted_by(|a, b| a < b), "{signals:?}: a step is saved twice: {saved:?}");
    assert_eq!(saved.last().copied(), last["step"].as_u64(), "{signals:?}");
    assert_eq!(trial.checkpoints().last(), saved.last(), "{signals:?}");
    assert_eq!(half_written(trial), [""; 0], "{signals:?}");
}

fn half_written(trial: &Trial<'_>) -> Vec<String> {
    let entries = std::fs::read_dir(trial.folder().join("checkpoints")).into_iter().flatten();
    let names = entries.flatten().map(|it| it.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with('.')).collect()
}
