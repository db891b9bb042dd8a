//! A node that nobody can reach any more, on which the trainers live on: Slurm starts them a second
//! time elsewhere.

use std::time::Duration;

use super::cluster::{Cluster, is_gone};
use super::disturbances::expect_no_trace;
use super::{LEAVES, attempts, halt, is_complete, job_logs, send, silence, task_of};
use crate::remains::{Remains, changed, snapshot};
use crate::victim::{Victim, signal};

/// Of one the lock holds, as on one machine or a good file system: the second copy changes nothing.
/// Of the other it does not reach the second node, and the owner's lease has run out: the second
/// copy takes over, and the first commits nothing more.
#[test]
fn of_two_copies_of_a_run_one_commits() {
    let victim = Victim::plan_with(&LEAVES);
    let settings = [("SLURMD_TIMEOUT", "5")];
    let Some(cluster) = Cluster::start(&victim.lab, Duration::from_secs(240), &settings) else {
        return;
    };
    let held = send(&cluster, &victim, "held", "partition = \"low\"");
    let holder = halt(&cluster, &held);
    let fenced = send(&cluster, &victim, "fenced", "partition = \"low\"");
    let outlived = halt(&cluster, &fenced);
    let node = cluster.task(&task_of(&held)).node;
    assert_eq!(cluster.task(&task_of(&fenced)).node, node, "there is room for both on one");
    cluster.lose_node(&node, &[holder, outlived]);
    // As it looks from another machine, after minutes.
    std::fs::remove_file(fenced.folder().join(".lock")).expect("its lock file");
    silence(&fenced);
    let untouched = snapshot(&held.folder());

    let reference = victim.trial("reference", 1);
    reference.complete().expect("nothing disturbs it");
    let reference = Remains::of(&reference);

    let copy = task_of(&held);
    cluster.until("the second copy of the held one gives up", || cluster.task(&copy).is_over());
    assert_eq!(cluster.field(&copy, "ExitCode"), "75:0");
    assert_ne!(cluster.field(&copy, "Restarts"), "0");
    let logs = job_logs(&held.sweep_dir());
    let said: String = logs.iter().filter_map(|log| std::fs::read_to_string(log).ok()).collect();
    assert!(said.contains(&format!("process {holder} on ")), "{said}");
    assert_eq!(changed(&held.folder(), &untouched), [""; 0], "it changes nothing");
    signal(holder, "CONT");
    cluster.until("the first one finishes", || is_complete(&held) && is_gone(holder));
    assert_eq!(attempts(&held), 1);
    expect_no_trace(&reference, "held", &held);

    let copy = task_of(&fenced);
    cluster.until("the second copy takes over", || cluster.task(&copy).is_over());
    assert_eq!(cluster.task(&copy).state, "COMPLETED");
    assert_ne!(cluster.task(&copy).node, node, "on the other node");
    expect_no_trace(&reference, "fenced", &fenced);
    let finished = snapshot(&fenced.folder());
    signal(outlived, "CONT");
    cluster.until("the first one finds out", || is_gone(outlived));
    assert_eq!(changed(&fenced.folder(), &finished), [""; 0], "it commits nothing");
    assert_eq!(fenced.state()["state"], "completed");
}
