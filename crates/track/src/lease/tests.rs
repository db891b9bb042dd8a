use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::sync::atomic::AtomicBool;
use std::thread;

use super::*;
use crate::event::{Event, RunEvents};
use crate::fixture::Store;
use crate::layout::RunDir;
use crate::lock;
use crate::record::RunState;

const HOUR: Duration = Duration::from_secs(3600);
/// A file system's clock ticks in milliseconds, and so lags behind the one that is read here.
const EXPIRED: Duration = Duration::from_secs(61);

/// A minute is 300 ms here.
const QUICK: Timing = Timing {
    beat: Duration::from_millis(50),
    ttl: Duration::from_millis(300),
    clock: file_system_clock,
};

impl RunDir {
    /// As `claim`, in a time of its own.
    fn claim_in(&self, timing: &Timing) -> Result<Claim, TrackError> {
        let lock = lock::take(&self.lock_file())?;
        Claim::win(lock, &self.leases(), || self.attempts(), timing)
    }

    /// As on a file system that grants the lock to everybody.
    fn claim_where_locks_lie(&self, timing: &Timing) -> Result<Claim, TrackError> {
        let own = self.path().join(format!(".lock-{:?}", thread::current().id()));
        Claim::win(lock::take(&own)?, &self.leases(), || Ok(0), timing)
    }

    fn lease(&self, attempt: u32) -> Lease {
        serde_json::from_slice(&fs::read(lease_path(&self.leases(), attempt)).unwrap()).unwrap()
    }

    /// Leaves a lease behind that beat for the last time `age` ago.
    fn leave(&self, lease: &Lease, age: Duration) {
        fs::create_dir_all(self.leases()).unwrap();
        fs::write(lease.path(&self.leases()), lease.text()).unwrap();
        self.set_beat(lease.attempt, SystemTime::now() - age);
    }

    fn set_beat(&self, attempt: u32, at: SystemTime) {
        let lease = OpenOptions::new().write(true).open(lease_path(&self.leases(), attempt));
        lease.unwrap().set_modified(at).unwrap();
    }

    fn beat_of(&self, attempt: u32) -> SystemTime {
        fs::metadata(lease_path(&self.leases(), attempt)).unwrap().modified().unwrap()
    }
}

fn elsewhere(attempt: u32) -> Lease {
    Lease {
        host: "elsewhere".to_owned(),
        boot_id: Some("another".to_owned()),
        pid: 7,
        ..Lease::of_this_process(attempt)
    }
}

fn assert_held(claimed: Result<Claim, TrackError>, by: &str) {
    match claimed {
        Err(TrackError::Held { owner, .. }) => assert!(owner.contains(by), "{owner}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_owner_at_a_time_each_with_a_number_of_its_own() {
    let store = Store::new();
    let run = &store.run;
    for attempt in 1..=3 {
        assert_eq!(run.next_attempt().unwrap(), attempt);
        let claim = run.claim().unwrap();
        assert_eq!(claim.attempt(), attempt);
        claim.confirm().unwrap();
        let lease = run.lease(attempt);
        assert_eq!((lease.pid, lease.released), (std::process::id(), false));
        assert_held(run.claim(), &format!("process {} on {}", lease.pid, lease.host));
        drop(claim);
        assert_eq!(run.lease(attempt), Lease { released: true, ..lease });
    }
    assert_eq!(fs::read_dir(run.leases()).unwrap().count(), 3);
}

#[test]
fn a_sweep_has_one_scheduler() {
    let store = Store::new();
    let sweep = &store.sweep;
    fs::write(sweep.path().join(".tmp-of-a-killed-one"), b"").unwrap();
    let claim = sweep.claim().unwrap();
    assert_held(sweep.claim(), &format!("process {} on ", std::process::id()));
    assert!(matches!(sweep.lock(), Err(TrackError::Held { .. })));
    let names = fs::read_dir(sweep.path()).unwrap().map(|it| it.unwrap().file_name());
    let run = store.run.path().file_name().unwrap().to_owned();
    assert_eq!(names.collect::<BTreeSet<_>>(), [".lock".into(), "leases".into(), run].into());
    drop(claim);
    assert_eq!(sweep.claim().unwrap().attempt(), 2);
}

#[test]
fn attempts_of_before_there_were_leases_count() {
    let store = Store::new();
    let run = &store.run;
    let started = Event::Started {
        attempt: 4,
        device: "cpu".into(),
        pid: 1,
        host: "h".into(),
        code: "c".into(),
        argv: vec![],
    };
    RunEvents::open(&run.events()).unwrap().append(&started).unwrap();
    assert_eq!(run.next_attempt().unwrap(), 5);
    assert_eq!(run.claim().unwrap().attempt(), 5);
    assert_eq!(run.next_attempt().unwrap(), 6);
}

#[test]
fn who_may_take_over() {
    let ttl = Duration::from_secs(60);
    let here = Lease::of_this_process(0);
    let gone = |lease: &mut Lease| lease.started = lease.started.map(|ticks| ticks + 1);
    let rebooted = |lease: &mut Lease| lease.boot_id = Some("another".to_owned());
    let check = |alter: &dyn Fn(&mut Lease), age: u64, expected: Standing| {
        let mut lease = here.clone();
        alter(&mut lease);
        let context = format!("{lease:?}, silent for {age} s");
        let (path, beat) = (PathBuf::new(), SystemTime::now());
        let found = Found { path, attempt: 1, beat, lease: Some(lease) };
        let age = || Ok(Duration::from_secs(age));
        // Booted 50 s ago, so that a beat of before the boot need not have expired.
        let standing = found.standing(&here, Some(Duration::from_secs(50)), ttl, age);
        assert_eq!(standing.unwrap(), expected, "{context}");
    };
    check(&|lease| lease.released = true, 0, Standing::Free);
    check(&|lease| *lease = Lease { released: true, ..elsewhere(1) }, 0, Standing::Free);
    // This machine's, alive, stopped, gone.
    check(&|_| (), 0, Standing::Held);
    check(&|_| (), 59, Standing::Held);
    check(&|_| (), 60, Standing::Free);
    check(&gone, 0, Standing::Free);
    check(&|lease| lease.pid = u32::MAX, 0, Standing::Free);
    // Another machine's, or another container's on this one.
    check(&|lease| *lease = elsewhere(1), 0, Standing::Unsure);
    check(&|lease| *lease = elsewhere(1), 59, Standing::Unsure);
    check(&|lease| *lease = elsewhere(1), 60, Standing::Free);
    check(&|lease| (lease.host = "container".into(), gone(lease)).1, 59, Standing::Unsure);
    check(&|lease| (lease.pid_ns = Some("pid:[1]".into()), gone(lease)).1, 59, Standing::Unsure);
    // This machine's before its boot; a namesake's that beat after it.
    check(&rebooted, 51, Standing::Free);
    check(&rebooted, 49, Standing::Unsure);
    // Not Linux: nothing but the silence tells.
    check(&|lease| (lease.boot_id = None, gone(lease)).1, 59, Standing::Unsure);
    check(&|lease| lease.boot_id = None, 60, Standing::Free);
}

#[test]
fn the_start_of_a_process_by_its_line() {
    let check = |name: &str, state: &str, expected: Option<u64>| {
        let between: String = (4..22).map(|field| format!("{field} ")).collect();
        let line = format!("7 ({name}) {state} {between}9007199254740993 23 24");
        assert_eq!(start_in(&line), expected, "{line}");
    };
    check("cyclelab", "S", Some(9_007_199_254_740_993));
    check("a ) Z 1 (b", "R", Some(9_007_199_254_740_993));
    check("cyclelab", "T", Some(9_007_199_254_740_993));
    check("cyclelab", "Z", None);
    check("cyclelab", "X", None);
    assert_eq!(start_in("7 (cut"), None);
    assert_eq!(start_in("7 (cut) S 1 2"), None);
}

#[test]
fn a_lease_that_cannot_be_read_is_as_old_as_its_file() {
    let store = Store::new();
    let run = &store.run;
    run.leave(&elsewhere(1), Duration::ZERO);
    fs::write(lease_path(&run.leases(), 1), b"{\"attempt\":1,\"ho").unwrap();
    assert!(matches!(run.lock(), Err(TrackError::Held { .. })));
    run.set_beat(1, SystemTime::now() - EXPIRED);
    run.lock().unwrap();
    assert_eq!(run.claim().unwrap().attempt(), 2);
}

#[test]
fn of_many_at_once_exactly_one_wins_even_where_locks_lie() {
    const RACERS: usize = 4;
    let store = Store::new();
    let run = &store.run;
    let mut numbers = BTreeSet::new();
    for race in 0..50 {
        let (start, end) = (Barrier::new(RACERS), Barrier::new(RACERS));
        let compete = || {
            start.wait();
            let claimed = run.claim_where_locks_lie(&QUICK);
            end.wait(); // a winner that let go at once would not be in the way
            match claimed {
                Ok(claim) => Some(claim.attempt()),
                Err(TrackError::Held { .. }) => None,
                Err(error) => panic!("race {race}: {error}"),
            }
        };
        let won: Vec<u32> = thread::scope(|scope| {
            let racers = [(); RACERS].map(|()| scope.spawn(compete));
            racers.into_iter().filter_map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(won.len(), 1, "race {race}");
        assert!(numbers.insert(won[0]), "race {race}: attempt {} again", won[0]);
    }
}

#[test]
fn of_two_at_once_one_is_told_who_holds_the_lock() {
    let store = Store::new();
    let run = &store.run;
    let (start, end) = (Barrier::new(2), Barrier::new(2));
    let compete = || {
        start.wait();
        let claimed = run.claim();
        end.wait();
        claimed
    };
    let mut outcomes = thread::scope(|scope| {
        [scope.spawn(compete), scope.spawn(compete)].map(|racer| racer.join().unwrap())
    });
    outcomes.sort_by_key(|outcome| outcome.is_err());
    let [won, lost] = outcomes;
    assert_eq!(won.unwrap().attempt(), 1);
    assert_held(lost, &format!("process {} on ", std::process::id()));
}

#[test]
fn a_process_that_was_killed_is_followed_at_once() {
    let store = Store::new();
    let run = &store.run;
    let mut owner = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
    let (pid, started) = (owner.id(), start_of(owner.id()));
    assert!(started.is_some());
    run.leave(&Lease { pid, started, ..Lease::of_this_process(1) }, Duration::ZERO);
    // It lives, although nobody has the lock.
    assert_held(run.claim(), &format!("process {pid} on "));
    owner.kill().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while start_of(pid).is_some() {
        assert!(Instant::now() < deadline, "dead, and counted as alive");
        thread::sleep(Duration::from_millis(5));
    }
    // Dead, and not yet collected by its parent.
    assert_eq!(run.claim().unwrap().attempt(), 2);
    owner.wait().unwrap();
    run.leave(&Lease { pid, started, ..Lease::of_this_process(9) }, Duration::ZERO);
    assert_eq!(run.claim().unwrap().attempt(), 10);
}

#[test]
fn one_beat_of_another_machine_is_enough() {
    let store = Store::new();
    let run = &store.run;
    run.leave(&elsewhere(1), Duration::ZERO);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                thread::sleep(QUICK.beat);
                let lease = lease_path(&run.leases(), 1);
                write_in_place(&lease, &elsewhere(1).text()).unwrap();
            }
        });
        // Asks ten times a second for six seconds: time enough on a busy machine.
        let claimed = run.claim_in(&Timing { ttl: Duration::from_secs(6), ..QUICK });
        done.store(true, Ordering::Relaxed);
        assert_held(claimed, "process 7 on elsewhere");
    });
    assert_eq!(run.next_attempt().unwrap(), 2);
}

#[test]
fn a_silent_machine_is_taken_over_when_its_time_is_up() {
    let check = |timing: &Timing, age: Duration, at_least: Duration| {
        let store = Store::new();
        let run = &store.run;
        run.leave(&elsewhere(1), age);
        let began = Instant::now();
        assert_eq!(run.claim_in(timing).unwrap().attempt(), 2);
        let took = began.elapsed();
        assert!(at_least <= took && took < OWNERS.ttl / 2, "{age:?}: {took:?}");
    };
    check(&OWNERS, EXPIRED, Duration::ZERO);
    check(&QUICK, Duration::ZERO, QUICK.ttl * 3 / 4);
}

/// The same clock as everybody's here, an hour ahead of the machine's.
fn ahead(leases: &Path) -> Result<SystemTime, TrackError> {
    Ok(file_system_clock(leases)? + HOUR)
}

fn behind(leases: &Path) -> Result<SystemTime, TrackError> {
    Ok(file_system_clock(leases)? - HOUR)
}

#[test]
fn only_the_file_systems_clock_counts() {
    let stamp = SystemTime::now();
    let check = |clock, now: SystemTime| {
        let timing = Timing { clock, ..OWNERS };
        let store = Store::new();
        let run = &store.run;
        run.leave(&elsewhere(1), Duration::ZERO);
        run.set_beat(1, now - OWNERS.ttl / 2);
        assert!(matches!(free_by(&run.leases(), &timing), Err(TrackError::Held { .. })));
        run.set_beat(1, now - EXPIRED);
        free_by(&run.leases(), &timing).unwrap();
        let claim = run.claim_where_locks_lie(&timing).unwrap();
        assert_eq!(claim.attempt(), 2);
    };
    check(ahead, stamp + HOUR);
    check(behind, stamp - HOUR);
    check(file_system_clock, stamp);
}

#[test]
fn a_woken_owner_learns_that_it_was_taken_over() {
    let store = Store::new();
    let run = &store.run;
    let sleeper = run.claim_where_locks_lie(&Timing { beat: HOUR, ..OWNERS }).unwrap();
    sleeper.confirm().unwrap();
    assert_held(run.claim(), "process ");
    run.set_beat(1, SystemTime::now() - EXPIRED);
    let claim = run.claim().unwrap();
    assert_eq!(claim.attempt(), 2);
    claim.confirm().unwrap();

    let fenced = sleeper.confirm().unwrap_err();
    let text = fenced.to_string();
    let TrackError::Fenced { path, attempt, by } = fenced else { panic!("{fenced:?}") };
    assert_eq!((path, attempt), (lease_path(&run.leases(), 1), 1));
    let process = format!("attempt 2, process {} on ", std::process::id());
    assert!(by.starts_with(&process), "{by}");
    assert!(text.contains("attempt 1 was taken over by attempt 2"), "{text}");
    drop(sleeper);
    assert!(!run.lease(1).released, "not its to release");
    claim.confirm().unwrap();
}

#[test]
fn a_lease_beats_until_it_is_released() {
    let store = Store::new();
    let run = &store.run;
    let claim = run.claim_in(&QUICK).unwrap();
    let lease = run.lease(1);
    let first = run.beat_of(1);
    let deadline = Instant::now() + Duration::from_secs(20);
    while run.beat_of(1) == first {
        assert!(Instant::now() < deadline, "no beat");
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(run.lease(1), lease);
    drop(claim);
    let last = run.beat_of(1);
    thread::sleep(QUICK.beat * 3);
    assert_eq!(run.beat_of(1), last);
}

#[test]
fn a_beat_elsewhere_holds_a_run_whose_lock_seems_free() {
    let store = Store::new();
    let run = &store.run;
    let started = Event::Started {
        attempt: 1,
        device: "cpu".into(),
        pid: 7,
        host: "elsewhere".into(),
        code: "c".into(),
        argv: vec![],
    };
    RunEvents::open(&run.events()).unwrap().append(&started).unwrap();
    let temp = run.path().join(".tmp-being-written");
    fs::write(&temp, b"").unwrap();
    run.leave(&elsewhere(1), OWNERS.ttl / 2);
    assert_eq!(run.state().unwrap(), RunState::Running);
    let Err(TrackError::Held { owner, .. }) = run.lock() else { panic!("locked") };
    assert!(owner.contains("process 7 on elsewhere"), "{owner}");
    assert!(temp.exists(), "not ours to clear away");

    run.set_beat(1, SystemTime::now() - EXPIRED);
    assert!(matches!(run.state().unwrap(), RunState::Lost { .. }));
    run.lock().unwrap();
    assert!(!temp.exists());
}

#[test]
fn what_a_killed_predecessor_left_is_cleared_by_the_winner_alone() {
    let store = Store::new();
    let run = &store.run;
    let unfinished = run.checkpoints().join(".tmp-a01-00000010");
    let claim = run.claim().unwrap();
    fs::create_dir_all(&unfinished).unwrap();
    fs::write(run.leases().join(".tmp-x"), b"").unwrap();
    assert_held(run.claim(), "process ");
    assert!(unfinished.is_dir());
    drop(claim);
    let _claim = run.claim().unwrap();
    assert!(!unfinished.exists());
    assert_eq!(fs::read_dir(run.leases()).unwrap().count(), 2, "two leases and no more");
}

#[test]
fn a_claim_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Claim>();
}
