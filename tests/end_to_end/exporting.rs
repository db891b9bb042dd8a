//! A sweep's numbers and pictures for other programs: TensorBoard's event files, CSV.
//!
//! Of the store that 0.1.0 left, so that every number is known. Whether TensorBoard reads the files
//! is settled by `tests/readers/tensorboard_files.py` and in `crates/tensorboard`.

use std::path::{Path, PathBuf};

use crate::lab::{Lab, Said, files_below};
use crate::older_stores::store_of_an_older_release;

/// The events of a file as bytes.
fn events(path: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).expect("an event file");
    let mut rest = &bytes[..];
    let mut events = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = u64::from_le_bytes(*length) as usize;
        // Each length and each event has four bytes of checksum behind it.
        events.push(after[4..4 + length].to_vec());
        rest = &after[4 + length + 4..];
    }
    events
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Events that speak of a tag, whole: `a/b` is not in `a/bc`, as a length stands before it.
fn of_tag<'a>(events: &'a [Vec<u8>], tag: &str) -> Vec<&'a [u8]> {
    let named = [&[0x0a, tag.len() as u8], tag.as_bytes()].concat();
    events.iter().map(Vec::as_slice).filter(|event| find(event, &named).is_some()).collect()
}

/// Where the event files of a sweep lie by default.
fn event_files(lab: &Lab, sweep: &str) -> Vec<PathBuf> {
    files_below(&lab.path(&format!("reports/{sweep}/tensorboard")), "tfevents.cyclelab")
}

#[test]
fn every_run_has_its_event_file() {
    let lab = Lab::new();
    store_of_an_older_release(&lab);
    let said = lab.succeed(&["export", "tensorboard", "tiny"]);
    assert_eq!(said.stdout, "reports/tiny/tensorboard: 2 runs\n");
    assert!(
        said.stderr.contains("tensorboard --logdir reports/tiny/tensorboard"),
        "{}",
        said.stderr
    );
    let files = event_files(&lab, "tiny");
    let folders: Vec<_> = files
        .iter()
        .map(|path| path.parent().and_then(Path::file_name).expect("a folder").to_str())
        .collect();
    assert_eq!(folders, [Some("lambda_cycle0-s1-b549c442"), Some("lambda_cycle10-s1-9e5ffa34")]);

    let found = events(&files[1]);
    // The value as the field's number and type and the 32 bits behind them, after the tag.
    let last = |tag: &str, value: f64| {
        let bits = (value as f32).to_le_bytes();
        of_tag(&found, tag).last().is_some_and(|it| it.ends_with(&[&[0x15], &bits[..]].concat()))
    };
    assert!(last("eval/eval/l1_ab", 0.27977489974959596));
    assert!(last("train/loss/d_a", 0.4466798961162567));
    assert_eq!(of_tag(&found, "train/loss/d_a").len(), 4, "a value every 5 of 20 steps");

    // The row of HPARAMS: the setting that varies, the seed, and that it ended.
    let start = of_tag(&found, "_hparams_/session_start_info");
    let [start] = start[..] else { panic!("{} rows", start.len()) };
    let number = |name: &str, value: f64| {
        let entry = [name.as_bytes(), &[0x12, 9, 0x11], &value.to_le_bytes()].concat();
        find(start, &entry).is_some()
    };
    assert!(number("loss.lambda_cycle", 10.0) && number("seed", 1.0));
    let [columns] = of_tag(&found, "_hparams_/experiment")[..] else { panic!("no columns") };
    assert!(find(columns, b"eval/eval/l1_ab").is_some());
    assert_eq!(of_tag(&found, "_hparams_/session_end_info").len(), 1);
}

#[test]
fn the_last_samples_are_among_the_events() {
    let lab = Lab::new();
    store_of_an_older_release(&lab);
    let samples = lab.path("runs/tiny/lambda_cycle10-s1-9e5ffa34/samples/step-0000020");
    std::fs::write(samples.join("b_00007.fake.png"), "no picture").expect("writable");
    std::fs::remove_file(samples.join("b_00007.real.png")).expect("the fixture has it");
    let said = lab.succeed(&["export", "tensorboard", "tiny", "--out", "events"]);
    for name in ["b_00007.fake.png", "b_00007.real.png"] {
        assert!(said.stderr.contains(name), "{name} in {}", said.stderr);
    }
    let run = lab.path("events/lambda_cycle10-s1-9e5ffa34/events.out.tfevents.cyclelab");
    let found = events(&run);
    for kind in ["real", "fake"] {
        let event = of_tag(&found, &format!("samples/a/00007/{kind}"));
        let png = std::fs::read(samples.join(format!("a_00007.{kind}.png"))).expect("a sample");
        assert!(event.len() == 1 && event[0].ends_with(&png), "{kind}");
        assert_eq!(of_tag(&found, &format!("samples/b/00007/{kind}")).len(), 0);
    }
}

#[test]
fn exporting_again_replaces_what_was_exported() {
    let lab = Lab::new();
    store_of_an_older_release(&lab);
    let export = || -> Vec<Vec<u8>> {
        lab.succeed(&["export", "tensorboard", "tiny"]);
        lab.succeed(&["export", "csv", "tiny"]);
        let files = files_below(&lab.path("reports/tiny"), "");
        files.iter().map(|path| std::fs::read(path).expect("readable")).collect()
    };
    let first = export();
    assert_eq!(first.len(), 3);
    assert!(export() == first, "the same bytes, and no file more");
}

/// One that was stopped can go on: it has a row, and no end.
#[test]
fn a_run_that_was_stopped_is_exported_as_far_as_it_came() {
    let lab = Lab::new();
    store_of_an_older_release(&lab);
    lab.succeed(&["export", "tensorboard", "halted"]);
    let [file] = &event_files(&lab, "halted")[..] else { panic!("one run") };
    let found = events(file);
    assert_eq!(of_tag(&found, "_hparams_/session_start_info").len(), 1);
    assert_eq!(of_tag(&found, "_hparams_/session_end_info").len(), 0);
    assert!(of_tag(&found, "train/loss/cycle_a").len() > 1);
}

fn csv_of(lab: &Lab, path: &str) -> Vec<Vec<String>> {
    let mut table = csv::Reader::from_path(lab.path(path)).expect("a table");
    let header = table.headers().expect("a header").clone();
    let rows = table.records().map(|row| row.expect("as many fields as the header"));
    let text = |row: csv::StringRecord| row.iter().map(str::to_string).collect();
    std::iter::once(header).chain(rows).map(text).collect()
}

#[test]
fn the_table_has_a_row_a_value() {
    let lab = Lab::new();
    store_of_an_older_release(&lab);
    let said = lab.succeed(&["export", "csv", "tiny"]);
    let table = csv_of(&lab, "reports/tiny/metrics.csv");
    let count = table.len() - 1;
    assert_eq!(said.stdout, format!("reports/tiny/metrics.csv: {count} rows\n"));
    let header = ["run", "cell", "seed", "loss.lambda_cycle", "split", "step", "epoch", "name"];
    assert_eq!(table[0], [&header[..], &["value"]].concat());
    let key = "9e5ffa34947a0669";
    let result = |row: &&Vec<String>| row[0] == key && row[4] == "eval" && row[7] == "eval/l1_ab";
    let result = table.iter().rfind(result).expect("the score");
    assert_eq!(result[1..4], ["lambda_cycle=10", "1", "10"]);
    assert_eq!((result[5].as_str(), result[8].as_str()), ("20", "0.27977489974959596"));
    let losses =
        |key: &str| table.iter().filter(|row| row[0] == key && row[7] == "loss/cycle_a").count();
    assert_eq!((losses(key), losses("b549c44291151060")), (4, 0), "λ = 0 has no such loss");
}

#[test]
fn what_would_break_a_table_is_quoted() {
    let lab = Lab::new();
    store_of_an_older_release(&lab);
    let plan = lab.path("runs/tiny/plan.jsonl");
    let text = std::fs::read_to_string(&plan).expect("a plan");
    let label = "a, \"b\"\nc";
    let quoted = serde_json::to_string(label).expect("JSON");
    let renamed = text.replacen("\"lambda_cycle=10\"", &quoted, 1);
    assert_ne!(renamed, text);
    std::fs::write(&plan, renamed).expect("writable");
    lab.succeed(&["export", "csv", "tiny", "--out", "values.csv"]);
    let table = csv_of(&lab, "values.csv");
    let labels: std::collections::BTreeSet<_> = table[1..].iter().map(|row| &row[1]).collect();
    assert_eq!(labels.into_iter().collect::<Vec<_>>(), [label, "lambda_cycle=0"]);
}

#[cfg(unix)]
#[test]
fn a_table_can_go_down_a_pipe() {
    let lab = Lab::new();
    store_of_an_older_release(&lab);
    let said = lab.succeed(&["export", "csv", "tiny", "--out", "/dev/stdout"]);
    lab.succeed(&["export", "csv", "tiny"]);
    let file = std::fs::read_to_string(lab.path("reports/tiny/metrics.csv")).expect("a table");
    assert!(said.stdout == file, "the table and nothing else: {}", said.stdout);
    let link = std::fs::symlink_metadata("/dev/stdout").expect("it is still there");
    assert!(!link.is_file());
}

#[test]
fn what_cannot_be_exported_is_said() {
    let lab = Lab::new();
    store_of_an_older_release(&lab);
    let check = |args: &[&str], code: i32, words: &str| {
        let Said { code: found, stderr, .. } = lab.say(&[&["export"], args].concat());
        assert_eq!(found, Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(words), "{args:?}: {stderr}");
    };
    check(&["csv", "nothing"], 1, "no sweep at `runs/nothing`");
    check(&["tensorboard", "../tiny"], 1, "cannot name a sweep");
    lab.write("blocked", "a file");
    check(&["tensorboard", "tiny", "--out", "blocked"], 74, "`blocked/lambda_cycle0-s1-b549c442`");
    check(&["csv", "tiny", "--out", "blocked/values.csv"], 74, "`blocked/values.csv`");

    // A run that has not begun has no number, and is no empty curve.
    let folder = lab.path("runs/tiny/lambda_cycle0-s1-b549c442");
    std::fs::remove_dir_all(folder).expect("the fixture has it");
    check(&["tensorboard", "tiny"], 0, "1 run without a metric so far left out");
    assert_eq!(event_files(&lab, "tiny").len(), 1);
    let folder = lab.path("runs/tiny/lambda_cycle10-s1-9e5ffa34");
    std::fs::remove_dir_all(folder).expect("the fixture has it");
    check(&["tensorboard", "tiny", "--out", "none"], 1, "no run of `tiny` has recorded a metric");
    assert!(!lab.path("none").exists());
    lab.succeed(&["export", "csv", "tiny"]);
    assert_eq!(csv_of(&lab, "reports/tiny/metrics.csv").len(), 1, "a header");
}
