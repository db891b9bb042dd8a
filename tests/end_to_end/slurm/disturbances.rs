//! What a cluster does to its jobs: signals, preemption, time limits, deaths. The run is in the end
//! the one that nothing disturbed, bit for bit.

use std::time::Duration;

use super::cluster::{Cluster, is_gone};
use super::{
    LEAVES, attempts, halt, is_complete, send, silence, standing, submit, task_of, wake_once_asked,
};
use crate::lab::files_below;
use crate::remains::Remains;
use crate::victim::{Trial, Victim, signal, stands_still};

/// All at once, on a GPU each, so that their waits overlap.
#[test]
fn signals_preemption_a_time_limit_and_deaths_leave_no_trace() {
    let victim = Victim::plan_with(&LEAVES);
    let Some(cluster) = Cluster::start(&victim.lab, Duration::from_secs(240), &[]) else {
        return;
    };
    let preempted = send(&cluster, &victim, "preempted", "partition = \"low\"");
    let pid = halt(&cluster, &preempted);
    let urgent = urgent_job(&cluster);
    wake_once_asked(&cluster, pid);
    cluster.until("it gives way", || is_gone(pid));
    cluster.until("it waits to go on", || standing(&cluster, &preempted) == "requeued");
    cluster.until_over(&[urgent]);

    let high = "partition = \"high\"";
    // Asked after ten to forty seconds: Slurm looks at the clock every thirty.
    let limited = "requeue = \"self\"\ntime = \"2\"\ngrace = \"110s\"";
    let limited = send(&cluster, &victim, "limited", &format!("{high}\n{limited}"));
    let out_of_time = halt(&cluster, &limited);
    silence(&limited);
    assert_eq!(standing(&cluster, &limited), "stalled?");

    let asked = send(&cluster, &victim, "asked", &format!("{high}\nrequeue = \"self\""));
    let pid = halt(&cluster, &asked);
    // The signal comes to the job's own process, which is the trainer.
    cluster.tell(&["scancel", "--batch", "--signal=USR2", &task_of(&asked)]);
    wake_once_asked(&cluster, pid);

    let killed = send(&cluster, &victim, "killed", high);
    kill(&cluster, &killed);
    cluster.until("the killed one goes on", || attempts(&killed) == 2);
    let unwatched = lose_its_watcher(&cluster, &victim);
    wake_once_asked(&cluster, out_of_time);

    let reference = victim.trial("reference", 1);
    reference.complete().expect("nothing disturbs it");
    let reference = Remains::of(&reference);
    for (name, trial, restarted) in [
        ("preempted", &preempted, true),
        ("asked", &asked, true),
        ("limited", &limited, true),
        ("killed", &killed, false),
        ("unwatched", &unwatched, false),
    ] {
        let task = task_of(trial);
        cluster.until(&format!("the {name} one is done"), || {
            is_complete(trial) && (name == "unwatched" || cluster.task(&task).is_over())
        });
        if restarted {
            assert!(attempts(trial) >= 2, "{name}");
            assert_ne!(cluster.field(&task, "Restarts"), "0", "{name}");
            assert!(notes(trial).contains("\"SLURM_RESTART_COUNT\""), "{name}: {}", notes(trial));
            assert_eq!(cluster.task(&task).state, "COMPLETED", "{name}");
        }
        expect_no_trace(&reference, name, trial);
    }
}

/// Some sites start again what ends with 85, and then nothing else has to.
#[test]
fn a_site_may_requeue_by_the_exit_code() {
    let victim = Victim::plan_with(&LEAVES);
    let settings = [("REQUEUE_EXIT", "85")];
    let Some(cluster) = Cluster::start(&victim.lab, Duration::from_secs(240), &settings) else {
        return;
    };
    let trial = send(&cluster, &victim, "asked", "partition = \"low\"");
    let pid = halt(&cluster, &trial);
    let task = task_of(&trial);
    cluster.tell(&["scancel", "--batch", "--signal=USR2", &task]);
    wake_once_asked(&cluster, pid);
    let reference = victim.trial("reference", 1);
    reference.complete().expect("nothing disturbs it");
    cluster.until("it is done", || is_complete(&trial) && cluster.task(&task).is_over());
    assert_eq!(attempts(&trial), 2);
    expect_no_trace(&Remains::of(&reference), "asked", &trial);
}

/// Where a job that is to give way has time to save, it ends by itself, and Slurm takes that for a
/// failure: the run puts itself back.
#[test]
fn a_run_that_gives_way_in_time_is_no_failure() {
    let victim = Victim::plan_with(&LEAVES);
    // Longer than the test may take: nothing is killed.
    let settings = [("GRACE_TIME", "600")];
    let Some(cluster) = Cluster::start(&victim.lab, Duration::from_secs(240), &settings) else {
        return;
    };
    let trial = send(&cluster, &victim, "gentle", "partition = \"low\"");
    let pid = halt(&cluster, &trial);
    let urgent = urgent_job(&cluster);
    wake_once_asked(&cluster, pid);
    cluster.until("it gives way", || is_gone(pid));
    cluster.until("it waits to go on", || standing(&cluster, &trial) == "requeued");
    cluster.until_over(&[urgent]);
    let reference = victim.trial("reference", 1);
    reference.complete().expect("nothing disturbs it");
    let task = task_of(&trial);
    cluster.until("it is done", || is_complete(&trial) && cluster.task(&task).is_over());
    assert_eq!(cluster.task(&task).state, "COMPLETED");
    assert_eq!((attempts(&trial), cluster.field(&task, "Restarts")), (2, "1".to_string()));
    expect_no_trace(&Remains::of(&reference), "gentle", &trial);

    // One that is cancelled is not put back, though it saves as well.
    let cancelled = send(&cluster, &victim, "cancelled", "partition = \"low\"");
    let pid = halt(&cluster, &cancelled);
    let task = task_of(&cancelled);
    cluster.tell(&["scancel", &task]);
    cluster.until("it is told", || !stands_still(pid) || is_gone(pid));
    cluster.until("it ends", || is_gone(pid) && cluster.task(&task).is_over());
    assert_eq!(cluster.task(&task).state, "CANCELLED");
    cluster.until("it is said", || standing(&cluster, &cancelled) == "stopped");
}

/// It takes all GPUs for a moment, in the partition whose jobs push others aside.
fn urgent_job(cluster: &Cluster) -> String {
    let words = ["sbatch", "--parsable", "--partition=high", "--nodes=2", "--exclusive"];
    let job = ["--output=/dev/null", "--wrap=sleep 1"];
    cluster.tell(&[&words[..], &job].concat())
}

/// Slurm does not start again what was killed: only `submit --resume` does, and only that.
fn kill(cluster: &Cluster, trial: &Trial<'_>) {
    let pid = halt(cluster, trial);
    let before = task_of(trial);
    signal(pid, "KILL");
    cluster.until("Slurm sees it", || cluster.task(&before).is_over());
    assert_eq!(cluster.task(&before).state, "FAILED");
    assert_eq!(standing(cluster, trial), "lost");
    submit(cluster, trial, "killed", &["--resume"]);
    assert_ne!(task_of(trial), before, "it is sent anew");
}

/// The watching process is killed alone: the trainer goes on and finishes, and Slurm believes it
/// at work until somebody cancels it. Its folder knows better.
fn lose_its_watcher<'a>(cluster: &Cluster, victim: &'a Victim) -> Trial<'a> {
    let trial = send(cluster, victim, "unwatched", "partition = \"high\"");
    let pid = halt(cluster, &trial);
    cluster.unwatch(pid);
    cluster.until("it ends by itself", || is_complete(&trial) && is_gone(pid));
    let task = task_of(&trial);
    assert_eq!(cluster.task(&task).state, "RUNNING", "Slurm's view");
    assert_eq!(standing(cluster, &trial), "ended");
    cluster.tell(&["scancel", &task]);
    trial
}

/// What each attempt noted of where it ran.
fn notes(trial: &Trial<'_>) -> String {
    let notes = files_below(&trial.folder().join("provenance"), "env.json");
    let read = |path: &std::path::PathBuf| std::fs::read_to_string(path).expect("a file");
    notes.iter().map(read).collect()
}

/// What is noted of each attempt's circumstances is different, as it should be.
pub(super) fn expect_no_trace(reference: &Remains, name: &str, trial: &Trial<'_>) {
    let noted = |place: &str| place.starts_with("provenance/");
    let difference = reference.difference_but(&Remains::of(trial), &noted);
    assert!(difference.is_none(), "{name}: {difference:?}");
}
