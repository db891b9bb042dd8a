use std::fs::File;

use serde_json::json;

use super::*;
use crate::checkpoint::CheckpointDir;
use crate::event::{Event, RunEvents};
use crate::fixture::{self, Store};
use crate::reproduction::Reproduction;
use crate::trash::Removal;

/// A planned run with a checkpoint at each of these steps.
fn store(steps: &[u64]) -> Store {
    let store = Store::new();
    store.sweep.write_plan(&fixture::plan(), &[fixture::entry(0)]).unwrap();
    let (run, identity) = (&store.run, fixture::identity(0));
    run.write_identity(&identity, "", &serde_json::Value::Null).unwrap();
    let claim = run.claim().unwrap();
    for &step in steps {
        let checkpoint = CheckpointDir::begin(run, &claim, &identity.key, step, 1).unwrap();
        fs::write(checkpoint.file("gen_ab.safetensors"), format!("weights {step}")).unwrap();
        checkpoint.commit(&claim, &json!({ "step": step }), 9).unwrap();
    }
    drop(claim);
    store
}

fn complete(run: &RunDir) {
    let end = Event::Completed { step: 9, active_s: 1.0 };
    RunEvents::open(&run.events()).unwrap().append(&end).unwrap();
}

fn found(store: &Store, trash: Option<Duration>) -> Vec<(GarbageKind, PathBuf)> {
    let pile = Pile::find(&store.root, trash).unwrap();
    assert!(pile.unread.is_empty(), "{:?}", pile.unread);
    pile.garbage.into_iter().map(|it| (it.kind, it.path)).collect()
}

fn remove_all(store: &Store, trash: Option<Duration>) {
    for garbage in Pile::find(&store.root, trash).unwrap().garbage {
        garbage.remove().unwrap();
        assert!(!garbage.path.exists());
    }
}

/// As if it had been there for a day.
fn age(path: &Path) {
    let day = Duration::from_secs(24 * 3600);
    File::open(path).unwrap().set_modified(SystemTime::now() - day).unwrap();
}

#[test]
fn checkpoints_of_a_run_with_a_result_but_the_newest_that_verifies() {
    let store = store(&[3, 6, 9]);
    let at = |step| store.run.checkpoint(step);
    assert_eq!(found(&store, None), [], "it may go on");
    complete(&store.run);
    let checkpoint = |path| (GarbageKind::Checkpoint, path);
    assert_eq!(found(&store, None), [checkpoint(at(6)), checkpoint(at(3))]);

    fs::write(at(9).join("gen_ab.safetensors"), b"damaged").unwrap();
    assert_eq!(found(&store, None), [checkpoint(at(3))]);
    checkpoint::set_aside(&at(9)).unwrap();
    let aside = at(9).with_extension("rejected");
    assert_eq!(found(&store, None), [checkpoint(at(3)), checkpoint(aside.clone())]);
    remove_all(&store, None);
    assert!(at(6).is_dir() && !at(3).exists() && !aside.exists());
    assert_eq!(found(&store, None), []);

    fs::write(at(6).join("gen_ab.safetensors"), b"damaged").unwrap();
    assert_eq!(found(&store, None), [], "none verifies: what is left is all there is");
}

#[test]
fn leftovers_where_nobody_works() {
    let store = store(&[]);
    let run = store.run.path();
    let sizes = [("metrics/.tmp-a", 3), ("provenance/.tmp-b", 4), ("checkpoints/.tmp-c/x/y", 5)];
    for (name, bytes) in sizes {
        fs::create_dir_all(run.join(name).parent().unwrap()).unwrap();
        fs::write(run.join(name), vec![0; bytes]).unwrap();
    }
    fs::write(store.sweep.path().join(".tmp-d"), b"").unwrap();
    for beside in [".tmp-new", ".tmp-old"] {
        fs::write(store.root.join(beside), b"").unwrap();
    }
    age(&store.root.join(".tmp-old"));

    let pile = Pile::find(&store.root, None).unwrap();
    let names: Vec<_> = pile.garbage.iter().map(|it| (name_of(&it.path), it.bytes)).collect();
    let expected = [(".tmp-old", 0), (".tmp-d", 0), (".tmp-c", 5), (".tmp-a", 3), (".tmp-b", 4)];
    assert_eq!(names, expected.map(|(name, bytes)| (name.to_owned(), bytes)));

    let lock = store.run.lock().unwrap();
    let removed: Vec<_> = pile.garbage.iter().map(|it| it.remove().is_ok()).collect();
    assert_eq!(removed, [true, true, false, false, false], "held by now");
    fs::write(run.join("metrics/.tmp-a"), b"being written").unwrap();
    let pile = Pile::find(&store.root, None).unwrap();
    assert!(pile.garbage.is_empty() && pile.held == [run], "{pile:?}");
    drop(lock);
    remove_all(&store, None);
    assert!(temps_below(&store.root) == [store.root.join(".tmp-new")]);
    assert!(store.run.run_json().exists());
}

#[test]
fn the_trash_only_when_asked_and_old_enough() {
    let store = store(&[]);
    let removal = Removal::of(&store.run).unwrap();
    Removal::carry_out(std::slice::from_ref(&removal)).unwrap();
    fs::create_dir(store.root.join(".trash/put here by hand")).unwrap();
    let old = store.root.join(".trash/20200101T000000.000000Z-lambda-x");
    fs::create_dir(&old).unwrap();

    let trash = |path: &Path| (GarbageKind::Trash, path.to_owned());
    assert_eq!(found(&store, None), []);
    let day = Duration::from_secs(24 * 3600);
    assert_eq!(found(&store, Some(day)), [trash(&old)]);
    assert_eq!(found(&store, Some(Duration::MAX)), []);
    let all = found(&store, Some(Duration::ZERO));
    assert_eq!(all.len(), 2);
    assert!(fs::canonicalize(&all[1].1).unwrap() == removal.to);
    remove_all(&store, Some(Duration::ZERO));
    assert_eq!(fs::read_dir(store.root.join(".trash")).unwrap().count(), 1);
}

#[test]
fn reproductions() {
    let store = store(&[]);
    let begin = || Reproduction::begin(&store.root, &fixture::identity(0), "x").unwrap();
    let of = |kind, again: &Reproduction| (kind, again.root().to_owned());
    let cut_short = begin();
    assert_eq!(found(&store, None), [], "about to begin, for all that is known");
    age(cut_short.root());
    assert_eq!(found(&store, None), [of(GarbageKind::Leftover, &cut_short)]);
    let claim = cut_short.run().claim().unwrap();
    age(cut_short.root());
    assert_eq!(found(&store, None), [], "at work");
    drop(claim);
    let events = RunEvents::open(&cut_short.run().events());
    events.unwrap().append(&Event::Interrupted { step: 3 }).unwrap();
    assert_eq!(found(&store, None), [], "compared up to a step, and kept on purpose");
    let kept = [of(GarbageKind::Reproduction, &cut_short)];
    assert_eq!(found(&store, Some(Duration::from_secs(3600))), kept);
}

#[test]
fn orphans_are_named_and_stay() {
    let store = store(&[]);
    let orphans = || Pile::find(&store.root, None).unwrap().orphans;
    assert_eq!(orphans(), []);
    store.sweep.write_plan(&fixture::plan(), &[fixture::entry(1)]).unwrap();
    let [(path, bytes)] = &orphans()[..] else { panic!("one: {:?}", orphans()) };
    assert!(path == store.run.path() && *bytes > 0);
    assert_eq!(found(&store, Some(Duration::ZERO)), []);
    // Another sweep refers to it.
    let other = SweepDir::create_or_open(&store.root, "other").unwrap();
    other.write_plan(&fixture::plan(), &[fixture::entry(0)]).unwrap();
    assert_eq!(orphans(), []);
    fs::write(other.plan(), b"{").unwrap();
    let pile = Pile::find(&store.root, None).unwrap();
    assert!(pile.orphans.is_empty() && pile.unread[0].0 == other.plan(), "{pile:?}");
}
