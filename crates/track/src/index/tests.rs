use super::*;
use crate::event::{Event, RunEvents};
use crate::fixture::{self, Store};
use crate::metric_part::MetricMeta;
use crate::metric_writer::MetricWriter;

/// Two runs, the first of them with a last value.
fn store(value: f64) -> Store {
    let store = Store::new();
    let entries = [fixture::entry(0), fixture::entry(1)];
    store.sweep.write_plan(&fixture::plan(), &entries).unwrap();
    let mut metrics = MetricWriter::open(&store.run, MetricMeta::default(), 1, None).unwrap();
    metrics.push(fixture::measurement(7, "eval/l1_ab", value));
    metrics.seal().unwrap();
    end(&store.run, Event::Completed { step: 7, active_s: 1.0 });
    store
}

fn end(run: &RunDir, event: Event) {
    RunEvents::open(&run.events()).unwrap().append(&event).unwrap();
}

fn read(store: &Store) -> Vec<Value> {
    let text = fs::read_to_string(path_of(&store.root)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_line_a_run() {
    let store = store(0.25);
    let index = write_index(&store.root).unwrap();
    assert_eq!((index.sweeps, index.runs, index.unread.len()), (1, 2, 0));
    let lines = read(&store);
    let check = |line: usize, field: &str, expected: Value| {
        assert_eq!(lines[line][field], expected, "{field} of line {line}");
    };
    check(0, "sweep", "lambda".into());
    check(0, "folder", fixture::entry(0).folder.into());
    check(0, "state", "completed".into());
    check(0, "steps", 7.into());
    check(0, "metric", "eval/l1_ab".into());
    check(0, "value", 0.25.into());
    check(1, "state", "planned".into());
    check(1, "value", Value::Null);
}

#[test]
fn a_value_that_is_no_number_is_not_a_missing_one() {
    let store = store(f64::NAN);
    write_index(&store.root).unwrap();
    assert_eq!(read(&store)[0]["value"], "NaN");
}

#[test]
fn rows_of_results_are_not_read_again_unless_asked() {
    let store = store(0.25);
    write_index(&store.root).unwrap();
    let at = path_of(&store.root);
    let edited = fs::read_to_string(&at).unwrap().replace("0.25", "0.75");
    fs::write(&at, edited).unwrap();
    write_index(&store.root).unwrap();
    assert_eq!(read(&store)[0]["value"], 0.75, "taken over");
    // Another fate is another line.
    end(&store.run, Event::Diverged { step: 7, reason: "NaN".into() });
    write_index(&store.root).unwrap();
    assert_eq!(
        (&read(&store)[0]["state"], &read(&store)[0]["value"]),
        (&"diverged".into(), &0.25.into())
    );
    fs::write(&at, fs::read_to_string(&at).unwrap().replace("0.25", "0.75")).unwrap();
    rebuild_index(&store.root).unwrap();
    assert_eq!(read(&store)[0]["value"], 0.25);
}

#[test]
fn faults() {
    let store = store(0.25);
    let fault = || index_fault(&store.root).unwrap();
    assert_eq!(fault(), None, "not there");
    write_index(&store.root).unwrap();
    assert_eq!(fault(), None);
    end(&store.run, Event::Failed { class: crate::FailureClass::Io, reason: "r".into() });
    assert_eq!(fault(), Some(IndexFault::Stale));
    write_index(&store.root).unwrap();
    let text = fs::read_to_string(path_of(&store.root)).unwrap();
    fs::write(path_of(&store.root), &text[..text.len() - 5]).unwrap();
    assert!(matches!(fault(), Some(IndexFault::Unreadable(it)) if it.starts_with("line 2: ")));
}

#[test]
fn a_plan_that_cannot_be_read_is_named_and_the_rest_is_listed() {
    let store = store(0.25);
    let other = SweepDir::create_or_open(&store.root, "broken").unwrap();
    fs::write(other.plan(), "{").unwrap();
    fs::create_dir_all(store.root.join(".trash")).unwrap();
    let index = write_index(&store.root).unwrap();
    assert_eq!((index.sweeps, index.runs), (1, 2));
    assert_eq!(index.unread[0].0, other.plan());
}
