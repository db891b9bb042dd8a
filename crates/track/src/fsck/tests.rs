use std::fs;

use serde_json::json;

use super::*;
use crate::checkpoint::CheckpointDir;
use crate::event::{Event, RunEvents, SweepEvent, SweepEvents};
use crate::fixture::{self, Store};
use crate::index::write_index;
use crate::metric_part::{self, MetricMeta};
use crate::metric_writer::{MetricWriter, Resumption};
use crate::reader::read_sweep;
use crate::record::SampleKind;
use crate::runs_table::write_runs_parquet;
use crate::samples::SampleWriter;

const CONFIG: &str = "[loss]\nlambda_cycle = 10.0\n";

/// A picture as far as this crate can tell.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n....\0\0\0\0IEND\xaeB`\x82";

/// An interrupted run with all that a run has: two attempts, rows that the second took back, two
/// checkpoints, samples; and what is derived from it.
fn sound() -> Store {
    let store = Store::new();
    store.sweep.write_plan(&fixture::plan(), &[fixture::entry(0)]).unwrap();
    let mut events = SweepEvents::open(&store.sweep.events()).unwrap();
    events.append(&SweepEvent::Interrupted).unwrap();
    let run = &store.run;
    run.write_identity(&fixture::identity(0), CONFIG, &Value::Null).unwrap();
    attempt(run, None, &[&[1, 2], &[3, 4, 5]], 4);
    attempt(run, Some(4), &[&[5, 6], &[7, 8]], 8);
    let mut samples = SampleWriter::open(run, None).unwrap();
    let claim = run.claim().unwrap();
    for id in ["one", "two"] {
        samples.put(&claim, 8, "a", id, SampleKind::Fake, PNG).unwrap();
    }
    drop(claim);
    write_runs_parquet(&store.sweep, &read_sweep(&store.root, "lambda").unwrap()).unwrap();
    write_index(&store.root).unwrap();
    store
}

/// Parts with rows at these steps, then a checkpoint and a stop.
fn attempt(run: &RunDir, from: Option<u64>, parts: &[&[u64]], step: u64) {
    let claim = run.claim().unwrap();
    let number = claim.attempt();
    let mut events = RunEvents::open(&run.events()).unwrap();
    let started = Event::Started {
        attempt: number,
        device: "cpu".into(),
        pid: 1,
        host: "h".into(),
        code: "c".into(),
        argv: vec![],
    };
    events.append(&started).unwrap();
    let mut metrics = MetricWriter::open(
        run,
        MetricMeta::default(),
        number,
        Some(Resumption::after(from.unwrap_or(0))),
    )
    .unwrap();
    for steps in parts {
        for &step in *steps {
            metrics.push(fixture::measurement(step, "loss/d_a", step as f64));
        }
        metrics.seal().unwrap();
    }
    let key = fixture::identity(0).key;
    let checkpoint = CheckpointDir::begin(run, &claim, &key, step, 1).unwrap();
    fs::write(checkpoint.file("gen_ab.safetensors"), format!("weights {step}")).unwrap();
    let path = checkpoint.commit(&claim, &json!({ "step": step }), 2).unwrap();
    events.append(&Event::Checkpoint { step, path }).unwrap();
    events.append(&Event::Interrupted { step }).unwrap();
}

fn examined(store: &Store, repair: bool) -> Vec<Checkup> {
    let config_toml = |_: &Value| Some(CONFIG.to_owned());
    let fsck = Fsck { runs_root: &store.root, repair, config_toml: &config_toml };
    fsck.check_store().unwrap()
}

fn findings(store: &Store, repair: bool) -> Vec<Finding> {
    examined(store, repair).into_iter().flat_map(|checkup| checkup.findings).collect()
}

/// All files below the store but locks, with their content.
fn files(store: &Store) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut open) = (vec![], vec![store.root.clone()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if !path.ends_with(".lock") {
                found.push((path.clone(), fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn part(store: &Store, name: &str) -> PathBuf {
    store.run.metrics().join(name)
}

const FIRST: &str = "part-a01-00000001-00000002.parquet";
const SECOND: &str = "part-a01-00000003-00000004.parquet";

#[test]
fn nothing_wrong() {
    let store = sound();
    let before = files(&store);
    for repair in [false, true] {
        let checkups = examined(&store, repair);
        let found: Vec<_> = checkups.iter().flat_map(|it| &it.findings).collect();
        assert!(found.is_empty(), "{found:?}");
        let sum = |of: fn(&Checkup) -> usize| checkups.iter().map(of).sum::<usize>();
        let counts = [sum(|it| it.runs), sum(|it| it.rows), sum(|it| it.checkpoints)];
        assert_eq!((counts, sum(|it| it.samples)), ([1, 8, 2], 2));
    }
    assert!(files(&store) == before, "nothing was changed");
}

/// Found, changed only with `repair`, and then not found again. `what` as `level: path: reason`,
/// and what was done.
fn check(spoil: impl Fn(&Store), what: [&str; 3], done: &str) {
    let store = sound();
    spoil(&store);
    let spoilt = files(&store);
    let is_it = |finding: &Finding| {
        let level = format!("{:?}", finding.level);
        level == what[0] && finding.path.ends_with(what[1]) && finding.what.contains(what[2])
    };
    let found = findings(&store, false);
    assert!(found.iter().any(is_it), "{what:?} is not in {found:#?}");
    assert!(files(&store) == spoilt, "{what:?}: a look changed something");

    let mended = findings(&store, true);
    let finding = mended.iter().find(|it| is_it(it)).unwrap_or_else(|| panic!("{mended:#?}"));
    let repaired = finding.repaired.as_deref().unwrap_or_default();
    assert!(repaired.contains(done), "{what:?}: {finding:?}");
    let after = findings(&store, false);
    let open: Vec<_> = after.iter().filter(|it| it.is_open()).collect();
    assert!(open.is_empty(), "{what:?}: {open:#?}");
    assert!(!after.iter().any(is_it), "{what:?} is still in {after:#?}");
    assert_eq!(findings(&store, true), after, "a second repair finds nothing to do");
}

fn append(path: &Path, bytes: &[u8]) {
    let before = fs::read(path).unwrap();
    fs::write(path, [&before, bytes].concat()).unwrap();
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x20;
    fs::write(path, bytes).unwrap();
}

#[test]
fn logs_and_texts() {
    check(
        |store| append(&store.run.events(), b"{\"ts\":\"20"),
        ["Repairable", "events.jsonl", "a torn last line of 9 bytes"],
        "cut off",
    );
    check(
        |store| append(&store.run.events(), b"{\"ts\":\"20\n"),
        ["Repairable", "events.jsonl", "line 7: "],
        "events.jsonl.damaged",
    );
    check(
        |store| append(&store.sweep.events(), b"\xff\n{\""),
        ["Repairable", "lambda/events.jsonl", "line 2: "],
        "events.jsonl.damaged",
    );
    check(
        |store| append(&store.run.config_toml(), b"gan = false\n"),
        ["Repairable", "config.toml", "not the configuration in run.json"],
        "config.toml.damaged",
    );
    check(
        |store| fs::remove_file(store.run.config_toml()).unwrap(),
        ["Repairable", "config.toml", "No such file"],
        "written anew",
    );
    check(
        |store| fs::write(store.run.checkpoints().join(".tmp-x"), b"half").unwrap(),
        ["Note", "checkpoints/.tmp-x", "left by a killed process"],
        "removed",
    );
    check(
        |store| fs::create_dir_all(store.run.path().join("provenance/.tmp-x/y")).unwrap(),
        ["Note", "provenance/.tmp-x", "left by a killed process"],
        "removed",
    );
}

#[test]
fn metrics() {
    check(
        |store| flip(&part(store, FIRST)),
        ["Repairable", FIRST, "checksum"],
        "part-a01-00000001-00000002.parquet.damaged",
    );
    let old = "metrics/superseded/part-a01-00000003-00000005-after-00000004.parquet";
    check(
        |store| fs::write(store.run.path().join(old), b"").unwrap(),
        ["Repairable", old, ""],
        ".parquet.damaged",
    );
    check(
        |store| {
            fs::rename(part(store, SECOND), part(store, "part-a01-00000003-00000005.parquet"))
                .unwrap()
        },
        [
            "Repairable",
            "part-a01-00000003-00000005.parquet",
            "holds what part-a01-00000003-00000004",
        ],
        SECOND,
    );
    // As after a kill between a part and the end of its log, were the log a part.
    check(
        |store| {
            fs::write(part(store, "compact-a01.parquet"), fs::read(part(store, FIRST)).unwrap())
                .unwrap()
        },
        ["Repairable", FIRST, "2 rows that another part has too"],
        "superseded",
    );
    check(
        |store| {
            let rows: Vec<_> = [1, 2, 3].map(|seq| fixture::row(9, seq, seq)).to_vec();
            for (name, rows) in [
                ("part-a09-00000001-00000002.parquet", &rows[..2]),
                ("part-a09-00000002-00000003.parquet", &rows[1..]),
            ] {
                let bytes = metric_part::encode(&MetricMeta::default(), rows).unwrap();
                fs::write(part(store, name), bytes).unwrap();
            }
        },
        ["Repairable", "part-a09-00000002-00000003.parquet", "1 rows that another part has too"],
        "the other rows stay",
    );
    check(
        |store| {
            let rows = [FIRST, SECOND].map(|name| metric_part::read(&part(store, name)).unwrap());
            let bytes = metric_part::encode(&MetricMeta::default(), &rows.concat()).unwrap();
            fs::write(part(store, "compact-a02.ready"), bytes).unwrap();
            for name in ["part-a02-00000001-00000002.parquet", "part-a02-00000003-00000004.parquet"]
            {
                fs::remove_file(part(store, name)).unwrap();
            }
        },
        ["Repairable", "compact-a02.ready", "a compaction was cut short"],
        "finished",
    );
}

/// Rows of a third attempt in the log only, and what else its file has.
fn logged(store: &Store, tail: &[u8]) {
    let mut metrics = MetricWriter::open(&store.run, MetricMeta::default(), 3, None).unwrap();
    metrics.push(fixture::measurement(9, "loss/d_a", 9.0));
    metrics.log().unwrap();
    drop(metrics);
    append(&part(store, LOG), tail);
}

const LOG: &str = "wal-a03-00000001.jsonl";

#[test]
fn the_log() {
    check(|store| logged(store, b""), ["Note", LOG, "rows that are in no part yet"], "in a part");
    check(
        |store| logged(store, b"0123"),
        ["Repairable", LOG, "a torn last line"],
        "its rows are in a part",
    );
    check(
        |store| logged(store, b"0123\n"),
        ["Repairable", LOG, "line 2: "],
        "its rows are in a part",
    );
    let store = sound();
    logged(&store, b"0123\n");
    findings(&store, true);
    let rows: usize = examined(&store, false).iter().map(|it| it.rows).sum();
    assert_eq!(rows, 9);
}

#[test]
fn checkpoints_and_samples() {
    check(
        |store| flip(&store.run.checkpoint(8).join("gen_ab.safetensors")),
        ["Repairable", "step-00000008", "gen_ab.safetensors"],
        "set aside",
    );
    check(
        |store| fs::remove_file(store.run.checkpoint(4).join("MANIFEST.json")).unwrap(),
        ["Repairable", "step-00000004", "MANIFEST.json"],
        "set aside",
    );
    let sample = "samples/step-0000008/a_one.fake.png";
    check(
        |store| fs::remove_file(store.run.path().join(sample)).unwrap(),
        ["Repairable", sample, "No such file"],
        "no longer listed",
    );
    check(
        |store| fs::write(store.run.path().join(sample), &PNG[..PNG.len() - 1]).unwrap(),
        ["Repairable", sample, "cut short"],
        "renamed to a_one.fake.png.damaged; no longer listed",
    );
    check(
        |store| fs::write(store.run.path().join(sample), b"").unwrap(),
        ["Repairable", sample, "not a PNG"],
        "no longer listed",
    );
    check(
        |store| append(&store.run.samples_jsonl(), b"{\"step\":"),
        ["Repairable", "samples.jsonl", "a torn last line"],
        "cut off",
    );
}

#[test]
fn what_is_derived() {
    let another_attempt = |store: &Store| attempt(&store.run, Some(8), &[&[9]], 9);
    check(another_attempt, ["Note", "runs.parquet", "reindex"], "written anew");
    check(another_attempt, ["Note", "index.jsonl", "reindex"], "written anew");
    check(
        |store| fs::write(store.sweep.runs_parquet(), b"PAR1").unwrap(),
        ["Repairable", "runs.parquet", ""],
        "written anew",
    );
    check(
        |store| append(&store.root.join("index.jsonl"), b"{}\n"),
        ["Repairable", "index.jsonl", "line 2: "],
        "written anew",
    );
}

/// Found, and still found after a repair.
fn check_lost(spoil: impl Fn(&Store), path: &str, what: &str) {
    let store = sound();
    spoil(&store);
    for repair in [false, true, false] {
        let found = findings(&store, repair);
        let is_it = |it: &Finding| {
            it.level == Level::Damaged && it.path.ends_with(path) && it.what.contains(what)
        };
        assert!(found.iter().any(|it| is_it(it) && it.is_open()), "{path}: {found:#?}");
    }
}

#[test]
fn what_no_repair_brings_back() {
    check_lost(
        |store| fs::remove_file(part(store, SECOND)).unwrap(),
        "metrics",
        "rows 3 to 4 of attempt 1: in no file",
    );
    let remove_all = |store: &Store| {
        for step in [4, 8] {
            fs::remove_dir_all(store.run.checkpoint(step)).unwrap();
        }
    };
    check_lost(remove_all, "checkpoints", "none is left");
    check_lost(
        |store| fs::remove_dir_all(store.run.checkpoint(8)).unwrap(),
        "step-00000008",
        "its event is there",
    );
    check_lost(|store| fs::write(store.run.run_json(), b"{").unwrap(), "run.json", "EOF");
    check_lost(|store| fs::remove_file(store.run.run_json()).unwrap(), "run.json", "has metrics");
    check_lost(|store| fs::remove_file(store.run.events()).unwrap(), "events.jsonl", "has metrics");
    check_lost(|store| fs::write(store.sweep.plan(), b"{").unwrap(), "plan.jsonl", "line 1: ");
    let other_run = |store: &Store| {
        let mut identity = fixture::identity(0);
        identity.key = "ffffffff00112233".into();
        fs::write(store.run.run_json(), serde_json::to_vec(&identity).unwrap()).unwrap();
    };
    check_lost(other_run, "run.json", "of run ffffffff00112233; the plan has 0000000000112233");
    check_lost(other_run, "run.json", "no sweep finds it");
    check_lost(
        |store| {
            let rows = [fixture::row(1, 1, 1)];
            let bytes = metric_part::encode(&MetricMeta::default(), &rows).unwrap();
            fs::write(part(store, "part-a01-00000001-00000001.parquet"), bytes).unwrap();
        },
        FIRST,
        "there were two writers",
    );
    check_lost(
        |store| {
            let end = Event::Completed { step: 8, active_s: 1.0 };
            RunEvents::open(&store.run.events()).unwrap().append(&end).unwrap();
            fs::remove_dir_all(store.run.metrics()).unwrap();
        },
        "metrics",
        "no row is left",
    );
}

#[test]
fn what_was_lost_with_a_file_is_said_once_and_for_all() {
    let store = sound();
    flip(&part(&store, SECOND));
    findings(&store, true);
    let found = findings(&store, false);
    let notes: Vec<_> = found.iter().map(|it| (it.level, it.what.as_str())).collect();
    assert_eq!(
        notes,
        [
            (Level::Note, "set aside: not all of it can be read"),
            (Level::Note, "rows 3 to 4 of attempt 1: lost with this file")
        ]
    );
}

#[test]
fn a_run_in_use_is_left_alone() {
    let store = sound();
    append(&store.run.events(), b"{\"half");
    fs::write(part(&store, ".tmp-x"), b"half").unwrap();
    let _claim = store.run.claim().unwrap();
    fs::write(part(&store, ".tmp-x"), b"half").unwrap();
    let before = files(&store);
    for repair in [false, true] {
        let found = findings(&store, repair);
        let [finding] = &found[..] else { panic!("one finding: {found:#?}") };
        assert_eq!((finding.level, finding.path.as_path()), (Level::Note, store.run.path()));
        assert!(finding.what.starts_with("in use by process "), "{finding:?}");
    }
    assert!(files(&store) == before);
}

#[test]
fn a_run_that_no_plan_mentions_is_checked_all_the_same() {
    let store = sound();
    store.sweep.write_plan(&fixture::plan(), &[fixture::entry(1)]).unwrap();
    flip(&part(&store, FIRST));
    let found = findings(&store, false);
    let has =
        |path: &Path, what: &str| found.iter().any(|it| it.path == path && it.what.contains(what));
    assert!(has(store.run.path(), "no plan mentions this run"), "{found:#?}");
    assert!(has(&part(&store, FIRST), "checksum"), "{found:#?}");
}

#[test]
fn nothing_is_renamed_over_anything() {
    let store = sound();
    for _ in 0..2 {
        append(&store.run.config_toml(), b"more\n");
        findings(&store, true);
    }
    let aside = |n: &str| store.run.path().join(format!("config.toml.{n}damaged"));
    assert!(aside("").exists() && aside("2.").exists());
}
