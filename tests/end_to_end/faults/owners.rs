//! Two that want the same run or sweep: one works, the other says who and changes nothing.

use std::time::{Duration, Instant, SystemTime};

use super::ENDLESS;
use crate::lab::{Lab, Said, files_below};
use crate::remains::{Remains, changed, snapshot};
use crate::system_calls::{Call, and_children, recorded, strace_is_there, with_fault, with_faults};
use crate::victim::{Trial, Victim, signal, stands_still, start, sweep_over, until};

#[test]
fn of_two_schedulers_one_works() {
    let lab = Lab::new();
    lab.write("victim.toml", &endless_sweep());
    let first = start(lab.command(&["sweep", "victim.toml"]));
    let plan = lab.path("runs/victim/plan.jsonl");
    until("the sweep begins", || plan.exists() && lab.states("victim").contains(&"running".into()));
    let before = files_below(&lab.path("runs/victim/history"), "");
    let second = lab.say(&["sweep", "victim.toml"]);
    assert_eq!(second.code, Some(75), "{}", second.stderr);
    let owner = format!("process {}", first.id());
    assert!(second.stderr.contains(&owner), "{owner}: {}", second.stderr);
    assert_eq!(files_below(&lab.path("runs/victim/history"), ""), before);
    signal(first.id(), "TERM");
    let said = first.wait();
    assert_eq!(said.code, Some(4), "{}", said.stderr);
}

/// Its scheduler is gone, and it saves for a while yet: the next sweep says whom it waits for, and
/// goes on from there.
#[test]
fn a_sweep_waits_for_a_run_that_the_one_before_left() {
    if !strace_is_there() {
        return;
    }
    let lab = Lab::new();
    lab.write("victim.toml", &endless_sweep());
    let slow = with_faults(
        lab.command(&["sweep", "victim.toml"]),
        "fsync,fdatasync",
        "delay_enter=150000",
    );
    let first = start(and_children(slow));
    until("a run trains", || log(&lab).is_some_and(|log| log.contains("\"checkpoint\"")));
    let pid = pid_of("\"started\"", &log(&lab).expect("events"));
    let events = std::fs::read_to_string(lab.path("runs/victim/events.jsonl")).expect("events");
    signal(pid_of("\"invoked\"", &events), "KILL");
    let said = next_sweep(&lab);
    assert!(said.stderr.contains(&format!("process {pid} on ")), "{}", said.stderr);
    assert!(log(&lab).expect("events").contains("\"interrupted\""), "it saved before it went");
    first.wait();
}

/// The kernel hangs up on what is stopped and left behind, which ends it; where it does not, the
/// next sweep waits until somebody wakes it.
#[test]
fn a_stopped_run_is_no_obstacle_to_the_next_sweep() {
    let lab = Lab::new();
    lab.write("victim.toml", &endless_sweep());
    let first = start(lab.command(&["sweep", "victim.toml"]));
    until("a run trains", || log(&lab).is_some_and(|log| log.contains("\"checkpoint\"")));
    let pid = pid_of("\"started\"", &log(&lab).expect("events"));
    signal(pid, "STOP");
    until("it stands still", || stands_still(pid));
    signal(first.id(), "KILL");
    first.wait();
    let deadline = Instant::now() + Duration::from_secs(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            until("it is gone", || Instant::now() > deadline || !stands_still(pid));
            if stands_still(pid) {
                signal(pid, "CONT");
            }
        });
        next_sweep(&lab);
    });
}

/// Its first run takes minutes.
fn endless_sweep() -> String {
    sweep_over("train.steps", ["20000", "10"], "")
}

/// The next sweep; it is ended once the first run goes on in it.
fn next_sweep(lab: &Lab) -> Said {
    let next = start(lab.command(&["sweep", "victim.toml"]));
    let resumed = |log: String| log.matches("\"resumed\"").count() == 1;
    until("the run goes on", || log(lab).is_some_and(resumed));
    signal(next.id(), "TERM");
    let said = next.wait();
    assert_eq!(said.code, Some(4), "{}", said.stderr);
    said
}

/// Events of the run that takes minutes.
fn log(lab: &Lab) -> Option<String> {
    let folders = lab.path("runs/victim").is_dir().then(|| lab.run_folders("victim"))?;
    let folder = folders.into_iter().find(|it| it.to_string_lossy().contains("steps20000"))?;
    std::fs::read_to_string(folder.join("events.jsonl")).ok()
}

fn pid_of(event: &str, log: &str) -> u32 {
    let line = log.lines().find(|line| line.contains(event)).expect("it has begun");
    let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
    u32::try_from(event["pid"].as_u64().expect("a number")).expect("a pid")
}

/// While it is stopped its lock holds. Where locks do not hold, its lease runs out, and it finds
/// out before it commits anything.
#[test]
fn a_stopped_owner_is_left_alone_and_after_a_takeover_commits_nothing() {
    if !strace_is_there() {
        return;
    }
    let victim = Victim::plan();
    let reference = victim.trial("reference", 1);
    let calls = recorded(&reference);
    let reference = Remains::of(&reference);
    let stops = [
        // In the middle of training, of a checkpoint, of a part of metrics, of an event.
        first(&calls, "write", "/metrics/"),
        first(&calls, "openat", "/checkpoints/.tmp-"),
        first(&calls, "fsync", "/checkpoints/.tmp-"),
        first(&calls, "fdatasync", "events.jsonl"),
    ];
    for (i, stop) in stops.into_iter().enumerate() {
        take_over(&victim.trial(&format!("stopped-{i}"), 1), stop, &reference);
    }
}

fn first<'a>(calls: &'a [Call], name: &str, path: &str) -> &'a Call {
    let found = calls.iter().find(|it| it.name == name && it.arguments.contains(path));
    found.unwrap_or_else(|| panic!("no {name} at {path}"))
}

fn take_over(trial: &Trial<'_>, stop: &Call, reference: &Remains) {
    let owner = start(with_fault(trial.command(), stop, "signal=STOP"));
    until("it has started", || !trial.events().is_empty());
    let pid = trial.pid();
    // strace stops it for a moment at every call, and for good at this one.
    let for_good = || {
        (0..20).all(|_| {
            std::thread::sleep(Duration::from_millis(5));
            stands_still(pid)
        })
    };
    until("it is stopped", for_good);

    let before = snapshot(&trial.folder());
    let second = trial.run();
    assert_eq!(second.code, Some(75), "{stop:?}: {}", second.stderr);
    assert!(second.stderr.contains(&format!("process {pid} on ")), "{}", second.stderr);
    assert_eq!(changed(&trial.folder(), &before), [""; 0], "the loser changes nothing");

    std::fs::remove_file(trial.folder().join(".lock")).expect("its lock file");
    let lease = std::fs::File::options().write(true).open(trial.folder().join("leases/0001.json"));
    let long_ago = SystemTime::now() - Duration::from_secs(7200);
    lease.and_then(|file| file.set_modified(long_ago)).expect("its lease");
    trial.complete().expect("it takes over");
    let difference = reference.difference(&Remains::of(trial));
    assert!(difference.is_none(), "{stop:?}: {difference:?}");

    let after = snapshot(&trial.folder());
    signal(pid, "CONT");
    let woken = owner.wait();
    assert_eq!(woken.code, Some(75), "{stop:?}: {}", woken.stderr);
    let committed = changed(&trial.folder(), &after);
    assert_eq!(committed, [""; 0], "{stop:?}: the woken one commits nothing: {}", woken.stderr);
    assert_eq!(trial.state()["state"], "completed");
}

/// Two at once, again and again: of the same plan, each run is trained by one.
#[test]
fn of_two_that_start_together_one_works() {
    let victim = Victim::plan_with(&ENDLESS);
    for round in 0..5 {
        let trial = victim.trial(&format!("together-{round}"), 1);
        let both = [start(trial.command()), start(trial.command())];
        until("one trains", || !trial.checkpoints().is_empty());
        let mut both = both.map(Some);
        let mut lost = 0;
        until("the other gives up", || {
            for child in &mut both {
                if child.as_mut().is_some_and(|it| it.has_ended()) {
                    let said = child.take().expect("it was there").wait();
                    assert_eq!(said.code, Some(75), "{}", said.stderr);
                    lost += 1;
                }
            }
            lost > 0
        });
        let winner = both.into_iter().flatten().next().expect("one works");
        assert_eq!((lost, trial.pid()), (1, winner.id()));
        signal(winner.id(), "TERM");
        assert_eq!(winner.wait().code, Some(85));
        let started = trial.events().iter().filter(|it| it["event"] == "started").count();
        assert_eq!(started, 1, "the loser leaves no trace");
    }
}
