//! A process that is stopped for a while: what a laptop's lid, a debugger or a cluster does.

use std::time::Duration;

use crate::remains::Remains;
use crate::victim::{Victim, signal};

/// Durations come from the monotonic clock: the pause counts, and none is ever negative. Nothing
/// else in the result knows of it.
#[test]
fn a_pause_changes_no_result_and_time_does_not_run_back() {
    let victim = Victim::plan();
    let reference = victim.trial("reference", 1);
    reference.complete().expect("nothing disturbs it");
    let (trial, run) = victim.stopped_midway("paused");
    std::thread::sleep(Duration::from_millis(1200));
    signal(run.id(), "CONT");
    let said = run.wait();
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let difference = Remains::of(&reference).difference(&Remains::of(&trial));
    assert!(difference.is_none(), "{difference:?}");
    let took: Vec<f64> = trial.record().series("perf/step_s").map(|(_, s)| s).collect();
    assert!(!took.is_empty() && took.iter().all(|s| *s >= 0.0), "{took:?}");
}
