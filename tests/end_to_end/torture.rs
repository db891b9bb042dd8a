//! A run that is killed anywhere, or denied anything, and started again until it is done, is the
//! run that was never disturbed: its last checkpoint byte for byte, its metrics bit for bit, no row
//! lost, none twice, nothing left over.
//!
//! `just test` takes a sample. `just torture N` kills at N random moments, at every system call
//! that changes the run's folder, and at every such call of three resumes; and has every such call
//! fail.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::remains::{Difference, Remains};
use crate::system_calls::{Call, recorded, strace_is_there, with_fault, with_faults};
use crate::victim::{Trial, Victim, start};

/// In `just test`: random moments, kills at system calls, failures of calls.
const SAMPLE: (usize, usize, usize) = (4, 12, 8);

#[test]
fn a_disturbed_run_ends_as_if_left_alone() {
    let number = |name: &str| std::env::var(name).ok().map(|it| it.parse().expect("a number"));
    let moments = number("CYCLELAB_TORTURE").map(|it| it as usize);
    let seed = number("CYCLELAB_TORTURE_SEED").unwrap_or(1);
    let victim = Victim::plan();
    let mut torture = Torture::new(&victim, seed);
    for n in 0..moments.unwrap_or(SAMPLE.0) {
        torture.kill_at_random_moments(n);
    }
    if strace_is_there() {
        let calls = recorded(&victim.trial("recorded", 1));
        match moments {
            None => torture.strike_at_some_calls(&calls),
            Some(_) => torture.strike_at_every_call(&calls),
        }
    }
    eprintln!("{}", torture.table());
    assert!(torture.failures.is_empty(), "{}", torture.failures.join("\n"));
}

/// What is done to an attempt.
#[derive(Debug, Clone)]
enum Blow {
    KillAfter(Duration),
    KillAt(Call),
    /// The call fails; `for_good`: so do all later ones of its name.
    Fail {
        call: Call,
        error: &'static str,
        for_good: bool,
    },
}

struct Torture<'a> {
    victim: &'a Victim,
    chance: Chance,
    seed: u64,
    began: Instant,
    /// Of a run that is left alone, with 1 thread and with 2, and how long it takes.
    references: [(Remains, Duration); 2],
    trials: usize,
    rows: BTreeMap<String, Row>,
    failures: Vec<String>,
}

/// A line of the table.
#[derive(Default)]
struct Row {
    trials: usize,
    /// Attempts that the blows ended; the others went on and finished.
    ended: usize,
    sum: Difference,
}

impl<'a> Torture<'a> {
    fn new(victim: &'a Victim, seed: u64) -> Self {
        let reference = |threads: usize| {
            let trial = victim.trial(&format!("reference-{threads}"), threads);
            let began = Instant::now();
            trial.complete().expect("nothing disturbs it");
            let took = began.elapsed();
            let remains = Remains::of(&trial);
            let itself = remains.difference(&remains);
            assert!(itself.is_none(), "{itself:?}");
            (remains, took)
        };
        Torture {
            victim,
            chance: Chance::new(seed),
            seed,
            began: Instant::now(),
            references: [1, 2].map(reference),
            trials: 0,
            rows: BTreeMap::new(),
            failures: vec![],
        }
    }

    fn kill_at_random_moments(&mut self, n: usize) {
        let threads = 1 + n % 2;
        let (_, took) = self.references[threads - 1];
        let kills = 1 + self.chance.below(3);
        let blows: Vec<_> =
            (0..kills).map(|_| Blow::KillAfter(took.mul_f64(self.chance.unit()))).collect();
        let trial = self.victim.trial(&self.next_name(), threads);
        self.torment("killed at a random moment", trial, threads, &blows);
    }

    /// Of every kind of call some, so that the rare ones have their turn.
    fn strike_at_some_calls(&mut self, calls: &[Call]) {
        let mut kinds: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
        for call in calls {
            kinds.entry(&call.name).or_default().push(call);
        }
        let kinds: Vec<Vec<&Call>> = kinds.into_values().collect();
        let mut pick =
            |n: usize| kinds[n % kinds.len()][self.chance.below(kinds[n % kinds.len()].len())];
        let killed: Vec<&Call> = (0..SAMPLE.1).map(&mut pick).collect();
        let failed: Vec<&Call> = (0..SAMPLE.2).map(&mut pick).collect();
        killed.into_iter().for_each(|call| self.kill_at(call, calls));
        for (n, call) in failed.into_iter().enumerate() {
            self.fail_at(call, n % 4 == 3);
        }
    }

    fn strike_at_every_call(&mut self, calls: &[Call]) {
        calls.iter().for_each(|call| self.kill_at(call, calls));
        // Resumes that have much to put in order: rows behind the newest checkpoint, a checkpoint
        // half written, a compaction half done.
        for share in [0.5, 0.75, 0.97] {
            let call = &calls[(calls.len() as f64 * share) as usize];
            let dead = self.victim.trial(&format!("dead-{share}"), 1);
            let said = start(with_fault(dead.command(), call, "signal=KILL")).wait();
            assert_eq!(said.code, None, "it dies at {call:?}");
            for later in recorded(&dead.copy(&format!("dead-{share}-recorded"))) {
                let trial = dead.copy(&self.next_name());
                let kind = format!("resume killed at {}", later.name);
                self.torment(&kind, trial, 1, &[Blow::KillAt(later)]);
            }
        }
        for (n, call) in calls.iter().enumerate() {
            self.fail_at(call, false);
            if n % 10 == 0 {
                self.fail_at(call, true);
            }
        }
    }

    /// Every other time the resume is killed too, every fourth time also the one after.
    fn kill_at(&mut self, call: &Call, calls: &[Call]) {
        let mut blows = vec![Blow::KillAt(call.clone())];
        while blows.len() < 3 && self.chance.below(2) == 0 {
            blows.push(Blow::KillAt(calls[self.chance.below(calls.len())].clone()));
        }
        let trial = self.victim.trial(&self.next_name(), 1);
        self.torment(&format!("killed at {}", call.name), trial, 1, &blows);
    }

    fn fail_at(&mut self, call: &Call, for_good: bool) {
        let error = match call.name.as_str() {
            "fsync" | "fdatasync" => "EIO",
            "unlink" | "unlinkat" | "rmdir" => "EACCES",
            "flock" => "ENOLCK",
            _ => "ENOSPC",
        };
        let trial = self.victim.trial(&self.next_name(), 1);
        let kind = format!("{error} {} {}", if for_good { "from on" } else { "at" }, call.name);
        self.torment(&kind, trial, 1, &[Blow::Fail { call: call.clone(), error, for_good }]);
    }

    fn next_name(&mut self) -> String {
        self.trials += 1;
        format!("trial-{}", self.trials)
    }

    /// Strikes the trial's run time and again, lets it finish, and judges what it leaves.
    fn torment(&mut self, kind: &str, trial: Trial<'_>, threads: usize, blows: &[Blow]) {
        let (reference, _) = &self.references[threads - 1];
        let row = self.rows.entry(kind.to_string()).or_default();
        row.trials += 1;
        let mut done = Ok(());
        for blow in blows {
            match strike(&trial, blow) {
                // It had finished before.
                Ok(false) => break,
                Ok(true) => row.ended += 1,
                Err(error) => done = done.and(Err(error)),
            }
            done = done.and_then(|()| look_at_the_dead(&trial, reference));
        }
        let done = done.and_then(|()| trial.complete()).and_then(|()| {
            let excused = |place: &str| blows.iter().any(|it| excuses(it, place, &trial));
            let difference = reference.difference_but(&Remains::of(&trial), &excused);
            row.sum.add(&difference);
            if difference.is_none() { Ok(()) } else { Err(format!("{difference:?}")) }
        });
        match done {
            Ok(()) => trial.remove(),
            Err(error) => {
                let kept = std::env::temp_dir().join(format!("cyclelab-torture-{}", self.seed));
                if self.failures.is_empty() {
                    drop(std::fs::remove_dir_all(&kept));
                    crate::victim::copy_tree(&trial.root(), &kept);
                    self.failures.push(format!("the first of these is kept: {}", kept.display()));
                }
                let seed = self.seed;
                let failure = format!("seed {seed}, {threads} threads, {blows:?}: {error}");
                eprintln!("{failure}");
                self.failures.push(failure);
            }
        }
    }

    fn table(&self) -> String {
        let header = ["run", "trials", "ended", "lost rows", "duplicate rows", "wrong rows"];
        let mut lines = vec![[&header[..], &["differing bytes", "leftovers"]].concat().join(" | ")];
        let mut all = Row::default();
        for (kind, row) in &self.rows {
            lines.push(row.line(kind));
            all.trials += row.trials;
            all.ended += row.ended;
            all.sum.add(&row.sum);
        }
        lines.push(all.line("all"));
        lines.push(format!("seed {}, {:.0} s", self.seed, self.began.elapsed().as_secs_f64()));
        lines.join("\n")
    }
}

impl Row {
    fn line(&self, kind: &str) -> String {
        let Row { trials, ended, sum } = self;
        let Difference { lost_rows, duplicate_rows, wrong_rows, differing_bytes, .. } = sum;
        let left = sum.leftovers.len() + sum.missing.len();
        let numbers =
            [trials, ended, lost_rows, duplicate_rows, wrong_rows, differing_bytes, &left];
        let numbers = numbers.map(|it| it.to_string());
        format!("{kind} | {}", numbers.join(" | "))
    }
}

/// Starts the run and strikes. `false`: it finished all the same.
fn strike(trial: &Trial<'_>, blow: &Blow) -> Result<bool, String> {
    let said = match blow {
        Blow::KillAfter(time) => {
            let mut child = start(trial.command());
            std::thread::sleep(*time);
            child.kill();
            child.wait()
        }
        Blow::KillAt(call) => start(with_fault(trial.command(), call, "signal=KILL")).wait(),
        Blow::Fail { call, error, for_good } => {
            let on = if *for_good { "+" } else { "" };
            let fault = format!("error={error}:when={}{on}", call.nth);
            start(with_faults(trial.command(), &call.name, &fault)).wait()
        }
    };
    // Whether it could say what was wrong, where something was denied.
    let told = match blow {
        // Standard error is written to like a file.
        Blow::Fail { call, for_good, .. } => {
            Some(*for_good && call.name == "write" || said.stderr.contains("/victim"))
        }
        Blow::KillAfter(_) | Blow::KillAt(_) => None,
    };
    match said.code {
        Some(0) => Ok(false),
        None if told.is_none() => Ok(true),
        Some(74) if told == Some(true) => Ok(true),
        code => Err(format!("it ended with {code:?}: {}", said.stderr.trim())),
    }
}

/// What is denied can be missing or left over where the run has told so.
fn excuses(blow: &Blow, place: &str, trial: &Trial<'_>) -> bool {
    let Blow::Fail { call, for_good, .. } = blow else { return false };
    let told = |what: &str| {
        let trouble = trial.record().trouble;
        trouble
            .iter()
            .rfind(|it| it.starts_with(what))
            .is_some_and(|it| it.contains("not recorded"))
    };
    let removes = ["unlink", "unlinkat", "rmdir"].contains(&call.name.as_str());
    // One checkpoint too many is found by `gc`, and what cannot ever be removed stays.
    place.starts_with("checkpoints/step-") && told("checkpoints")
        || place.starts_with("samples/") && told("samples")
        || *for_good && removes && (place.contains("/.tmp-") || place.contains("/wal-"))
}

/// Nothing is said to run, everything can be read, and what is read is true.
fn look_at_the_dead(trial: &Trial<'_>, reference: &Remains) -> Result<(), String> {
    let state = trial.state();
    let failed = state["state"] == "failed" && state["class"] == "io";
    if !failed && !["planned", "lost", "completed"].iter().any(|it| state["state"] == *it) {
        return Err(format!("while it lay dead, its state was {state}"));
    }
    for args in [&["show", "victim", "1"][..], &["report", "victim"]] {
        let said = trial.say(args);
        if said.code != Some(0) {
            return Err(format!(
                "while it lay dead, {args:?} ended with {:?}: {}",
                said.code, said.stderr
            ));
        }
    }
    let newest = trial.checkpoints().last().copied().unwrap_or(0);
    reference.expect_beginning(&trial.record(), newest)
}
