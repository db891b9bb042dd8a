use std::collections::BTreeMap;

use super::*;
use crate::fixture::{self, Store};

/// A run whose attempts have sealed parts with rows at these steps.
fn written(attempts: &[&[&[u64]]]) -> Store {
    let store = Store::new();
    for (index, parts) in attempts.iter().enumerate() {
        let mut writer = open(&store, index as u32 + 1, None);
        for steps in *parts {
            for &step in *steps {
                writer.push(fixture::measurement(step, "loss/d_a", step as f64));
            }
            writer.seal().unwrap();
        }
    }
    store
}

fn open(store: &Store, attempt: u32, rewind_to: Option<u64>) -> MetricWriter {
    MetricWriter::open(&store.run, MetricMeta::default(), attempt, rewind_to.map(Resumption::after))
        .unwrap()
}

fn names(dir: &Path) -> Vec<String> {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.is_file());
    let mut names: Vec<_> =
        files.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// (attempt, seq, step) of all that `*.parquet` holds, sorted.
fn glob(dir: &Path) -> Vec<(u32, u64, u64)> {
    let parts = Listing::read(dir).unwrap().parts;
    let rows = parts.iter().flat_map(|path| metric_part::read(path).unwrap());
    let mut rows: Vec<_> = rows.map(|row| (row.attempt, row.seq, row.step)).collect();
    rows.sort();
    rows
}

#[test]
fn parts_are_named_by_what_they_hold() {
    let store = written(&[&[&[1, 2, 3], &[4]], &[&[5]]]);
    assert_eq!(
        names(&store.run.metrics()),
        [
            "part-a01-00000001-00000003.parquet",
            "part-a01-00000004-00000004.parquet",
            "part-a02-00000001-00000001.parquet"
        ]
    );
    assert_eq!(open(&store, 3, None).seal().unwrap(), None);
    // The same attempt again does not use a number twice.
    let mut again = open(&store, 1, None);
    again.push(fixture::measurement(9, "loss/d_a", 9.0));
    assert!(again.seal().unwrap().unwrap().ends_with("part-a01-00000005-00000005.parquet"));
}

#[test]
fn rewinding() {
    let check = |rewind_to: u64, view: &[u64], parts: &[&str], superseded: &[&str]| {
        let store = written(&[&[&[1, 2, 3], &[4, 5, 6]], &[&[7, 8]]]);
        drop(open(&store, 3, Some(rewind_to)));
        let steps: Vec<u64> = glob(&store.run.metrics()).iter().map(|row| row.2).collect();
        assert_eq!(steps, view, "rewind to {rewind_to}");
        let dropped = glob(&store.run.superseded()).len();
        assert_eq!(dropped + view.len(), 8, "rewind to {rewind_to}");
        assert_eq!(names(&store.run.metrics()), parts, "rewind to {rewind_to}");
        assert_eq!(names(&store.run.superseded()), superseded, "rewind to {rewind_to}");
        // A second time changes nothing.
        drop(open(&store, 3, Some(rewind_to)));
        assert_eq!(names(&store.run.metrics()), parts, "again, rewind to {rewind_to}");
    };
    let (first, second, third) = (
        "part-a01-00000001-00000003.parquet",
        "part-a01-00000004-00000006.parquet",
        "part-a02-00000001-00000002.parquet",
    );
    check(8, &[1, 2, 3, 4, 5, 6, 7, 8], &[first, second, third], &[]);
    check(6, &[1, 2, 3, 4, 5, 6], &[first, second], &[third]);
    check(
        4,
        &[1, 2, 3, 4],
        &[first, "part-a01-00000004-00000004.parquet"],
        &["part-a01-00000004-00000006-after-00000004.parquet", third],
    );
    check(3, &[1, 2, 3], &[first], &[second, third]);
    check(0, &[], &[], &[first, second, third]);
}

#[test]
fn compacting_keeps_every_row_once() {
    let store = written(&[&[&[3, 4], &[5]], &[&[1, 2]]]);
    let before = glob(&store.run.metrics());
    let mut writer = open(&store, 2, None);
    writer.push(fixture::measurement(6, "eval/l1_ab", 0.5));
    writer.compact().unwrap();
    assert_eq!(names(&store.run.metrics()), ["compact-a02.parquet"]);
    assert_eq!(glob(&store.run.metrics()).len(), before.len() + 1);

    // Once more, with more: still one file, still no duplicate.
    writer.push(fixture::measurement(7, "eval/l1_ab", 0.5));
    writer.compact().unwrap();
    assert_eq!(names(&store.run.metrics()), ["compact-a02.parquet"]);
    let rows = glob(&store.run.metrics());
    assert_eq!(rows.len(), before.len() + 2);
    let mut unique = rows.clone();
    unique.dedup();
    assert_eq!(unique, rows);

    let path = store.run.metrics().join("compact-a02.parquet");
    let rows = metric_part::read(&path).unwrap();
    let keys: Vec<_> = rows.iter().map(|row| (row.split, &row.name, row.step)).collect();
    assert!(keys.is_sorted(), "{keys:?}");
}

#[test]
fn a_compaction_cut_short_is_finished() {
    // Killed after `.ready`, with all, some or none of the parts removed.
    for removed in 0..=2 {
        let store = written(&[&[&[1, 2], &[3]]]);
        let parts = Listing::read(&store.run.metrics()).unwrap().parts;
        let expected = glob(&store.run.metrics());
        let whole = written(&[&[&[1, 2], &[3]]]);
        let compacted = open(&whole, 1, None).compact().unwrap().unwrap();
        fs::copy(compacted, store.run.metrics().join("compact-a01.ready")).unwrap();
        parts[..removed].iter().for_each(|part| fs::remove_file(part).unwrap());

        let writer = open(&store, 2, None);
        assert_eq!(names(&store.run.metrics()), ["compact-a01.parquet"]);
        assert_eq!(glob(&store.run.metrics()), expected);
        drop(writer);
    }
}

#[test]
fn a_compaction_that_failed_half_way_takes_no_later_row() {
    for (removed, again) in [(0, true), (1, true), (2, true), (0, false), (1, false), (2, false)] {
        let store = written(&[&[&[1, 2], &[3]]]);
        let parts = Listing::read(&store.run.metrics()).unwrap().parts;
        let mut writer = open(&store, 1, None);
        let ready = store.run.metrics().join("compact-a01.ready");
        let whole = written(&[&[&[1, 2], &[3]]]);
        fs::copy(open(&whole, 1, None).compact().unwrap().unwrap(), ready).unwrap();
        parts[..removed].iter().for_each(|part| fs::remove_file(part).unwrap());
        if !again {
            writer.push(fixture::measurement(4, "loss/d_a", 4.0));
            writer.seal().unwrap();
        }
        writer.compact().unwrap();
        let rows = [(1, 1, 1), (1, 2, 2), (1, 3, 3), (1, 4, 4)];
        assert_eq!(glob(&store.run.metrics()), rows[..if again { 3 } else { 4 }], "{removed}");
    }
}

#[test]
fn a_damaged_compaction_replaces_nothing() {
    let store = written(&[&[&[1, 2], &[3]]]);
    let rows = glob(&store.run.metrics());
    fs::write(store.run.metrics().join("compact-a01.ready"), "rubbish").unwrap();
    drop(open(&store, 2, None));
    assert_eq!(glob(&store.run.metrics()), rows);
    assert_eq!(names(&store.run.metrics())[0], "compact-a01.ready.damaged");
}

#[test]
fn a_compacted_run_can_still_be_rewound() {
    let store = written(&[&[&[1, 2, 3]]]);
    open(&store, 1, None).compact().unwrap();
    let mut writer = open(&store, 1, Some(2));
    assert_eq!(glob(&store.run.metrics()), [(1, 1, 1), (1, 2, 2)]);
    writer.push(fixture::measurement(3, "loss/d_a", 3.0));
    writer.seal().unwrap();
    assert_eq!(glob(&store.run.metrics()), [(1, 1, 1), (1, 2, 2), (1, 4, 3)]);
}

#[test]
fn a_damaged_part_is_set_aside_not_lost() {
    let store = written(&[&[&[1], &[2]]]);
    let part = store.run.metrics().join("part-a01-00000001-00000001.parquet");
    let bytes = fs::read(&part).unwrap();
    fs::write(&part, &bytes[..bytes.len() / 2]).unwrap();
    open(&store, 2, Some(9)).compact().unwrap();
    assert_eq!(
        names(&store.run.metrics()),
        ["compact-a02.parquet", "part-a01-00000001-00000001.parquet.damaged"]
    );
    assert_eq!(glob(&store.run.metrics()), [(1, 2, 2)]);
}

#[test]
fn rows_that_could_not_be_written_stay_pending() {
    let store = written(&[]);
    let mut writer = open(&store, 1, None);
    writer.push(fixture::measurement(1, "loss/d_a", 1.0));
    fs::remove_dir_all(store.run.metrics()).unwrap();
    assert!(matches!(writer.log(), Err(TrackError::Write { .. })));
    assert!(matches!(writer.seal(), Err(TrackError::Write { .. })));
    assert_eq!(writer.pending(), 1);
    fs::create_dir(store.run.metrics()).unwrap();
    writer.seal().unwrap().unwrap();
    assert_eq!(glob(&store.run.metrics()), [(1, 1, 1)]);
    writer.push(fixture::measurement(2, "loss/d_a", 1.0));
    writer.log().unwrap();
    writer.seal().unwrap().unwrap();
    assert_eq!(glob(&store.run.metrics()), [(1, 1, 1), (1, 2, 2)]);
}

/// Rows at these steps, in the log.
fn log(writer: &mut MetricWriter, steps: &[u64]) {
    for &step in steps {
        writer.push(fixture::measurement(step, "loss/d_a", step as f64));
    }
    writer.log().unwrap();
}

fn lines(segment: &Path) -> usize {
    let Parsed { rows, bad, torn_tail } = metric_log::inspect(segment).unwrap();
    assert_eq!((bad, torn_tail), (vec![], false));
    rows.len()
}

#[test]
fn the_log_holds_what_no_part_does() {
    let store = Store::new();
    let metrics = store.run.metrics();
    let mut writer = open(&store, 1, None);
    writer.log().unwrap();
    writer.sync().unwrap();
    assert_eq!(names(&metrics), [""; 0], "no rows, no log");

    log(&mut writer, &[1, 2]);
    log(&mut writer, &[3]);
    writer.log().unwrap();
    writer.sync().unwrap();
    assert_eq!(names(&metrics), ["wal-a01-00000001.jsonl"]);
    assert_eq!(lines(&metrics.join("wal-a01-00000001.jsonl")), 3);

    writer.push(fixture::measurement(4, "loss/d_a", 4.0));
    writer.seal().unwrap();
    assert_eq!(names(&metrics), ["part-a01-00000001-00000004.parquet"]);

    log(&mut writer, &[5]);
    assert_eq!(writer.pending(), 1);
    assert_eq!(lines(&metrics.join("wal-a01-00000005.jsonl")), 1);
    writer.compact().unwrap();
    assert_eq!(names(&metrics), ["compact-a01.parquet"]);
    assert_eq!(glob(&metrics).len(), 5);
}

#[test]
fn after_a_failed_sync_the_rows_go_to_a_part() {
    let store = Store::new();
    let mut writer = open(&store, 1, None);
    log(&mut writer, &[1]);
    writer.segment.as_mut().unwrap().distrust();
    writer.sync().unwrap();
    assert_eq!(names(&store.run.metrics()), ["part-a01-00000001-00000001.parquet"]);
}

#[test]
fn the_way_through_the_log_changes_no_row() {
    let through = |log: bool| {
        let store = Store::new();
        let mut writer = open(&store, 1, None);
        for value in [0.1, -f64::NAN, f64::from_bits(0x7ff8_0000_dead_beef), f64::INFINITY] {
            writer.push(fixture::measurement(1, "loss/d_a", value));
        }
        if log {
            writer.log().unwrap();
            drop(writer);
            drop(open(&store, 2, None));
        } else {
            writer.seal().unwrap();
        }
        let part = store.run.metrics().join("part-a01-00000001-00000004.parquet");
        let rows = metric_part::read(&part).unwrap();
        let bits = |row: &MetricRow| [row.value, row.min.unwrap()].map(f64::to_bits);
        rows.iter().map(|row| format!("{row:?} {:x?}", bits(row))).collect::<Vec<_>>()
    };
    assert_eq!(through(true), through(false));
}

/// The files of `metrics/` and `superseded/`, by name.
type Files = BTreeMap<PathBuf, Vec<u8>>;

fn files(store: &Store) -> Files {
    let listed = [store.run.metrics(), store.run.superseded()].into_iter().flat_map(|dir| {
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    });
    let relative = |path: &Path| path.strip_prefix(store.run.metrics()).unwrap().to_owned();
    let files = listed.filter(|path| path.is_file());
    files.map(|path| (relative(&path), fs::read(&path).unwrap())).collect()
}

fn store_of(files: &Files) -> Store {
    let store = Store::new();
    fs::create_dir_all(store.run.superseded()).unwrap();
    for (name, bytes) in files {
        fs::write(store.run.metrics().join(name), bytes).unwrap();
    }
    store
}

/// Those whose name begins so.
fn named<'a>(files: &'a Files, prefix: &'a str) -> impl Iterator<Item = (PathBuf, Vec<u8>)> + 'a {
    let files = files.iter().filter(move |(name, _)| name.to_string_lossy().starts_with(prefix));
    files.map(|(name, bytes)| (name.clone(), bytes.clone()))
}

/// `files` are what a kill leaves; whatever the next attempt does, no row is lost and none
/// is there twice.
fn check_killed(files: &Files, rows: &[(u32, u64, u64)], point: &str) {
    let store = store_of(files);
    drop(open(&store, 9, None));
    assert_eq!(glob(&store.run.metrics()), rows, "{point}");
    for name in [store.run.metrics(), store.run.superseded()].iter().flat_map(|dir| names(dir)) {
        assert!(name.ends_with(".parquet") || name.ends_with(".damaged"), "{point}: {name}");
    }
    let repaired = self::files(&store);
    drop(open(&store, 9, None));
    assert_eq!(self::files(&store), repaired, "{point}, again");

    for rewind_to in [0, 3, 5] {
        let store = store_of(files);
        drop(open(&store, 9, Some(rewind_to)));
        let kept = rows.iter().filter(|row| row.2 <= rewind_to);
        assert!(kept.eq(&glob(&store.run.metrics())), "{point}, rewound to {rewind_to}");
        let taken_back = rows.iter().filter(|row| row.2 > rewind_to);
        assert!(taken_back.eq(&glob(&store.run.superseded())), "{point}, to {rewind_to}");
    }

    let store = store_of(files);
    open(&store, 9, None).compact().unwrap();
    assert_eq!(glob(&store.run.metrics()), rows, "{point}, compacted");
    assert_eq!(Listing::read(&store.run.metrics()).unwrap().parts.len(), 1, "{point}");
}

#[test]
fn killed_at_any_point_of_a_seal() {
    let store = written(&[&[&[1, 2]]]);
    let mut writer = open(&store, 2, None);
    log(&mut writer, &[3, 4]);
    let early = files(&store);
    log(&mut writer, &[5, 6]);
    let before = files(&store);
    writer.seal().unwrap();
    let after = files(&store);

    let rows = [(1, 1, 1), (1, 2, 2), (2, 1, 3), (2, 2, 4), (2, 3, 5), (2, 4, 6)];
    check_killed(&before, &rows, "before");
    let mut point = before.clone();
    point.insert(".tmp-x".into(), after.values().last().unwrap()[..99].to_vec());
    check_killed(&point, &rows, "while the part is written");
    let mut point = before.clone();
    point.extend(after.clone());
    check_killed(&point, &rows, "before the segment is removed");
    check_killed(&after, &rows, "after");
    // A part that was made, taken for absent as its directory could not be synced, and left.
    let mut point = before;
    let early = store_of(&early);
    drop(open(&early, 3, None));
    point.extend(named(&files(&early), "part-a02"));
    assert_eq!(named(&point, "part-a02-00000001-00000002").count(), 1);
    check_killed(&point, &rows, "with a part of some of the rows");
}

#[test]
fn killed_at_any_point_of_a_recovery() {
    let store = written(&[&[&[1]]]);
    let mut first = open(&store, 2, None);
    let mut second = open(&store, 3, None);
    log(&mut first, &[2, 3, 4]);
    log(&mut second, &[5, 6]);
    let mut before = files(&store);
    let bad = before.get_mut(Path::new("wal-a02-00000001.jsonl")).unwrap();
    let line = bad.iter().position(|&byte| byte == b'\n').unwrap();
    bad[line + 20] ^= 1;
    let torn = before.get_mut(Path::new("wal-a03-00000001.jsonl")).unwrap();
    torn.extend(b"5f0d2c1e {\"attem");
    before.insert("wal-a04-00000001.jsonl".into(), vec![]);

    let after = store_of(&before);
    drop(open(&after, 5, None));
    let after = files(&after);
    let rows = [(1, 1, 1), (2, 1, 2), (2, 3, 4), (3, 1, 5), (3, 2, 6)];
    let mut point = before.clone();
    check_killed(&point, &rows, "before");
    point.extend(named(&after, "part-a02"));
    check_killed(&point, &rows, "the first part is made");
    let bad = point.remove(Path::new("wal-a02-00000001.jsonl")).unwrap();
    point.insert("wal-a02-00000001.jsonl.damaged".into(), bad);
    check_killed(&point, &rows, "the first segment is set aside");
    point.extend(named(&after, "part-a03"));
    check_killed(&point, &rows, "the second part is made");
    point.remove(Path::new("wal-a03-00000001.jsonl")).unwrap();
    check_killed(&point, &rows, "the second segment is removed");
    point.remove(Path::new("wal-a04-00000001.jsonl")).unwrap();
    assert_eq!(point, after, "these are all the points there are");
    check_killed(&after, &rows, "after");
}

#[test]
fn a_removed_log_that_a_power_cut_brings_back_adds_nothing() {
    let store = Store::new();
    let mut writer = open(&store, 1, None);
    log(&mut writer, &[1, 2, 3, 4]);
    let segment: Files = files(&store);
    writer.compact().unwrap();
    let mut compacted = files(&store);
    let rows = [(1, 1, 1), (1, 2, 2), (1, 3, 3), (1, 4, 4)];
    compacted.extend(segment.clone());
    check_killed(&compacted, &rows, "compacted");
    let (name, bytes) = named(&compacted, "compact").next().unwrap();
    compacted.remove(&name);
    compacted.insert(name.with_extension(READY), bytes);
    check_killed(&compacted, &rows, "while compacting");

    drop(open(&store, 2, Some(2)));
    for (name, bytes) in segment {
        fs::write(store.run.metrics().join(name), bytes).unwrap();
    }
    drop(open(&store, 3, None));
    assert_eq!(glob(&store.run.metrics()), rows[..2], "what was taken back stays so");
}

#[test]
fn rows_of_a_damaged_part_come_back_from_the_log() {
    let store = Store::new();
    let mut writer = open(&store, 1, None);
    log(&mut writer, &[1, 2]);
    let mut both = files(&store);
    writer.seal().unwrap();
    both.extend(files(&store));
    let part = Path::new("part-a01-00000001-00000002.parquet");
    both.get_mut(part).unwrap()[50] ^= 1;
    let store = store_of(&both);
    drop(open(&store, 2, None));
    assert_eq!(glob(&store.run.metrics()), [(1, 1, 1), (1, 2, 2)]);
    assert_eq!(
        names(&store.run.metrics()),
        [part.to_owned(), part.with_added_extension("damaged")]
            .map(|name| name.display().to_string())
    );
}

#[test]
fn no_number_is_used_twice() {
    let store = Store::new();
    log(&mut open(&store, 1, None), &[1, 2]);
    let segment = store.run.metrics().join("wal-a01-00000001.jsonl");
    log(&mut open(&store, 1, None), &[3]);
    assert_eq!(glob(&store.run.metrics()), [(1, 1, 1), (1, 2, 2)]);
    assert!(!segment.exists());
    let segment = store.run.metrics().join("wal-a01-00000003.jsonl");
    fs::write(&segment, "rubbish\n").unwrap();
    log(&mut open(&store, 1, None), &[4]);
    assert_eq!(
        names(&store.run.metrics()),
        [
            "part-a01-00000001-00000002.parquet",
            "wal-a01-00000003.jsonl.damaged",
            "wal-a01-00000004.jsonl"
        ]
    );
}

#[test]
fn an_evaluation_that_is_done_again_is_taken_back() {
    let store = Store::new();
    let mut first = open(&store, 1, None);
    for name in ["loss/d_a", "eval/l1_ab"] {
        first.push(fixture::measurement(5, name, 1.0));
    }
    first.push(fixture::measurement(6, "loss/d_a", 1.0));
    first.seal().unwrap();
    let resumption = Resumption { step: 5, owes_evaluation: true };
    let again = MetricWriter::open(&store.run, MetricMeta::default(), 2, Some(resumption));
    drop(again.unwrap());
    assert_eq!(glob(&store.run.metrics()), [(1, 1, 5)]);
    assert_eq!(glob(&store.run.superseded()), [(1, 2, 5), (1, 3, 6)]);
}
