use std::fs;

use serde_json::Value;

use super::*;
use crate::event::RunEvents;
use crate::fixture::{self, Store};
use crate::metric_part::MetricMeta;
use crate::metric_writer::{MetricWriter, Resumption};
use crate::record::{FailureClass, SampleKind, Split};
use crate::samples::SampleWriter;

/// A planned sweep of two runs, the first with its identity written.
fn planned() -> Store {
    let store = Store::new();
    let entries = [fixture::entry(0), fixture::entry(1)];
    store.sweep.write_plan(&fixture::plan(), &entries).unwrap();
    store.run.write_identity(&fixture::identity(0), "", &Value::Null).unwrap();
    store
}

fn started(attempt: u32, code: &str) -> Event {
    Event::Started {
        attempt,
        device: "cpu".into(),
        pid: 1,
        host: "h".into(),
        code: code.into(),
        argv: vec![],
    }
}

fn say(store: &Store, events: &[Event]) {
    let mut log = RunEvents::open(&store.run.events()).unwrap();
    for (index, event) in events.iter().enumerate() {
        log.append_at(event, index as i64 * 1_000_000).unwrap();
    }
}

fn writer(store: &Store, attempt: u32, rewind_to: Option<u64>) -> MetricWriter {
    MetricWriter::open(&store.run, MetricMeta::default(), attempt, rewind_to.map(Resumption::after))
        .unwrap()
}

fn write(writer: &mut MetricWriter, steps: &[u64]) {
    for &step in steps {
        writer.push(fixture::measurement(step, "loss/d_a", step as f64));
        writer.push(fixture::measurement(step, "eval/l1_ab", 1.0 / step as f64));
    }
    writer.seal().unwrap();
}

fn first(store: &Store) -> RunRecord {
    read_sweep(&store.root, "lambda").unwrap().runs.swap_remove(0)
}

#[test]
fn a_sweep_as_it_was_recorded() {
    let store = planned();
    say(
        &store,
        &[
            started(1, "abc"),
            Event::Interrupted { step: 2 },
            started(2, "def-dirty"),
            Event::Resumed { attempt: 2, from_step: 2, checkpoint: "c".into() },
            Event::Completed { step: 4, active_s: 2.5 },
        ],
    );
    write(&mut writer(&store, 1, None), &[1, 2, 3]);
    let mut second = writer(&store, 2, Some(2));
    write(&mut second, &[3, 4]);
    let mut samples = SampleWriter::open(&store.run, None).unwrap();
    let claim = store.run.claim().unwrap();
    samples.put(&claim, 4, "a", "testA/1", SampleKind::Fake, b"png").unwrap();
    drop(claim);
    let path = crate::layout::sample_path(4, "a", "testA/1", SampleKind::Fake);
    let (domain, id) = ("a".to_owned(), "testA/1".to_owned());
    let sample = crate::SampleRecord { step: 4, domain, id, kind: SampleKind::Fake, path };

    let sweep = read_sweep(&store.root, "lambda").unwrap();
    assert_eq!(sweep.plan, fixture::plan());
    assert_eq!(sweep.dir, store.sweep.path());
    let [run, other] = &sweep.runs[..] else { panic!("two runs") };
    assert_eq!((other.index, &other.state, other.attempts), (1, &RunState::Planned, 0));
    assert_eq!(
        (run.state.clone(), run.attempts, run.active_s),
        (RunState::Completed, 2, Some(2.5))
    );
    assert_eq!(run.started_at.as_deref(), Some("1970-01-01T00:00:00.000000Z"));
    assert_eq!((run.device.as_deref(), run.code.as_deref()), (Some("cpu"), Some("def-dirty")));
    assert_eq!(run.samples, [sample]);
    assert_eq!(run.damaged, []);
    let order: Vec<_> = run.rows.iter().map(|row| (row.step, row.split, row.attempt)).collect();
    let expected = |step, attempt| [(step, Split::Train, attempt), (step, Split::Eval, attempt)];
    assert_eq!(order, [expected(1, 1), expected(2, 1), expected(3, 2), expected(4, 2)].concat());
    assert_eq!(run.last("eval/l1_ab"), Some(0.25));

    let (identity, alone) = read_run_at(&store.run).unwrap().unwrap();
    assert_eq!(identity, fixture::identity(0));
    assert_eq!((&alone.state, &alone.rows, &alone.samples), (&run.state, &run.rows, &run.samples));
    assert_eq!(
        (alone.attempts, alone.device, alone.code),
        (2, run.device.clone(), run.code.clone())
    );
    let nowhere = RunDir::new(other.folder.clone());
    assert!(read_run_at(&nowhere).unwrap().is_none());

    let rows = run.rows.clone();
    second.compact().unwrap();
    assert_eq!(first(&store).rows, rows, "compacting changes nothing for a reader");

    let status = read_sweep_status(&store.root, "lambda").unwrap();
    assert_eq!(status.runs[0].state, RunState::Completed);
    assert!(status.runs[0].rows.is_empty() && status.runs[0].samples.is_empty());
}

#[test]
fn of_rows_written_twice_the_later_counts() {
    let store = planned();
    say(&store, &[started(1, "abc")]);
    let mut writer = writer(&store, 1, None);
    for value in [1.0, 2.0] {
        writer.push(fixture::measurement(5, "loss/d_a", value));
        writer.seal().unwrap();
    }
    let run = first(&store);
    assert_eq!(run.series("loss/d_a").collect::<Vec<_>>(), [(5, 2.0)]);
    assert_eq!(run.active_s, Some(2.5), "from the rows, while there is no last word");
}

#[test]
fn damage_is_named_and_skipped() {
    let store = planned();
    say(
        &store,
        &[started(1, "abc"), Event::Failed { class: FailureClass::Io, reason: "r".into() }],
    );
    let mut writer = writer(&store, 1, None);
    write(&mut writer, &[1]);
    write(&mut writer, &[2]);
    let part = store.run.metrics().join("part-a01-00000001-00000002.parquet");
    let whole = fs::read(&part).unwrap();
    for cut in [0, 1, 10, whole.len() / 2, whole.len() - 1] {
        fs::write(&part, &whole[..cut]).unwrap();
        let run = first(&store);
        assert_eq!(run.series("loss/d_a").collect::<Vec<_>>(), [(2, 2.0)], "cut at {cut}");
        assert_eq!(run.damaged.len(), 1, "cut at {cut}");
        assert_eq!(run.damaged[0].0, part, "cut at {cut}");
    }
    // Bytes changed within: named, and the other part stays.
    for index in (0..whole.len()).step_by(97) {
        let mut bad = whole.clone();
        bad[index] ^= 0xff;
        fs::write(&part, bad).unwrap();
        let run = first(&store);
        assert_eq!(run.series("loss/d_a").collect::<Vec<_>>(), [(2, 2.0)], "byte {index}");
        assert_eq!(run.damaged.len(), 1, "byte {index}");
        assert_eq!(run.damaged[0].0, part, "byte {index}");
    }
    fs::remove_file(&part).unwrap();
    let log = [fs::read(store.run.events()).unwrap(), b"{\"ts\":\nrubbish".to_vec()].concat();
    fs::write(store.run.events(), log).unwrap();
    fs::write(store.run.samples_jsonl(), "rubbish\n").unwrap_err();
    fs::create_dir(store.run.samples()).unwrap();
    fs::write(store.run.samples_jsonl(), "rubbish\n").unwrap();
    let run = first(&store);
    assert_eq!(run.state, RunState::Failed { class: FailureClass::Io, reason: "r".into() });
    let paths: Vec<_> = run.damaged.iter().map(|(path, _)| path.clone()).collect();
    assert_eq!(paths, [store.run.events(), store.run.samples_jsonl()]);
}

#[test]
fn a_compaction_cut_short_reads_the_same() {
    let store = planned();
    say(&store, &[started(1, "abc")]);
    let mut writer = writer(&store, 1, None);
    write(&mut writer, &[1]);
    write(&mut writer, &[2]);
    let expected = first(&store).rows;
    let parts = Listing::read(&store.run.metrics()).unwrap().parts;
    let spare: Vec<_> = parts.iter().map(|path| fs::read(path).unwrap()).collect();
    let compact = writer.compact().unwrap().unwrap();
    fs::rename(&compact, compact.with_extension("ready")).unwrap();
    for (part, bytes) in parts.iter().zip(spare) {
        assert_eq!(first(&store).rows, expected);
        fs::write(part, bytes).unwrap();
    }
    assert_eq!(first(&store).rows, expected);

    let ready = compact.with_extension("ready");
    fs::write(&ready, "rubbish").unwrap();
    let run = first(&store);
    assert_eq!(run.rows, expected, "the parts are still there");
    assert_eq!(run.damaged.len(), 1);
    assert_eq!(run.damaged[0].0, ready);
}

#[test]
fn the_log_is_read_with_the_parts() {
    let store = planned();
    say(&store, &[started(1, "abc")]);
    let mut writer = writer(&store, 1, None);
    write(&mut writer, &[1]);
    for step in 2..=4 {
        writer.push(fixture::measurement(step, "loss/d_a", step as f64));
    }
    writer.log().unwrap();
    let segment = store.run.metrics().join("wal-a01-00000003.jsonl");
    let whole = fs::read(&segment).unwrap();
    let logged = first(&store);
    assert_eq!((logged.rows.len(), logged.damaged), (5, vec![]));

    let last = |run: &RunRecord| run.rows.last().map_or(0, |row| row.step);
    for cut in 0..=whole.len() {
        fs::write(&segment, &whole[..cut]).unwrap();
        let run = first(&store);
        let lines = whole[..cut].iter().filter(|&&byte| byte == b'\n').count();
        let before_a_newline = whole.get(cut) == Some(&b'\n');
        assert_eq!(last(&run), 1 + lines as u64 + u64::from(before_a_newline), "cut at {cut}");
        assert_eq!(run.damaged, [], "cut at {cut}");
    }
    let mut bad = whole.clone();
    bad[30] ^= 1;
    fs::write(&segment, &bad).unwrap();
    let run = first(&store);
    assert_eq!((run.rows.len(), last(&run)), (4, 4));
    let reason = "line 1: its checksum does not match".to_owned();
    assert_eq!(run.damaged, [(segment.clone(), reason)]);

    // Sealed, and then with the segment beside that a kill would leave.
    fs::write(&segment, &whole).unwrap();
    writer.seal().unwrap();
    assert_eq!(first(&store).rows, logged.rows);
    fs::write(&segment, &whole).unwrap();
    assert_eq!(first(&store).rows, logged.rows);
    // The same while a compaction is cut short, and for what recovery could not mend.
    let compact = writer.compact().unwrap().unwrap();
    let ready = compact.with_extension("ready");
    fs::rename(&compact, &ready).unwrap();
    assert_eq!(first(&store).rows, logged.rows);
    fs::write(&segment, &bad).unwrap();
    drop(self::writer(&store, 2, None));
    let run = first(&store);
    assert_eq!(run.rows, logged.rows);
    assert_eq!(run.damaged[0].0, segment.with_added_extension("damaged"));
}

#[test]
fn no_row_is_missed_while_a_live_run_seals_and_compacts() {
    let store = planned();
    say(&store, &[started(1, "abc")]);
    let mut writer = writer(&store, 1, None);
    let rows_a_round = 12;
    for round in 1..=8 {
        for step in (round - 1) * rows_a_round + 1..=round * rows_a_round {
            writer.seal().unwrap();
            writer.push(fixture::measurement(step, "loss/d_a", step as f64));
            writer.log().unwrap();
        }
        std::thread::scope(|scope| {
            // Changes the folder three times at most: fewer than the reader tries.
            let compaction = scope.spawn(|| writer.compact().unwrap());
            loop {
                let last = compaction.is_finished();
                let run = first(&store);
                let steps = run.rows.iter().map(|row| row.step);
                assert!(steps.eq(1..=round * rows_a_round), "round {round}: {:?}", run.damaged);
                assert_eq!(run.damaged, [], "round {round}");
                if last {
                    break;
                }
            }
        });
    }
}

#[test]
fn a_folder_of_another_run_is_not_read() {
    let store = planned();
    say(&store, &[started(1, "abc"), Event::Completed { step: 1, active_s: 1.0 }]);
    let mut entry = fixture::entry(0);
    entry.key = "other".into();
    let run = read_run(&store.root, &entry);
    assert_eq!((run.state, run.damaged.len()), (RunState::Planned, 1));

    fs::write(store.run.run_json(), "{").unwrap();
    let run = first(&store);
    assert_eq!((run.state, run.damaged.len()), (RunState::Completed, 1), "events tell the state");
}

/// What a run was asked stands in its own folder: another sweep may have asked it first, in other
/// words.
#[test]
fn what_a_run_was_asked_is_its_own_word_where_it_has_one() {
    let store = planned();
    let asked = |index: usize| fixture::entry(index).config;
    let runs = read_sweep_status(&store.root, "lambda").unwrap().runs;
    assert_eq!((&runs[0].config, &runs[1].config), (&asked(0), &asked(1)));
    assert_eq!((&runs[0].dataset, &runs[1].dataset), (&Some(fixture::dataset()), &None));

    let mut entry = fixture::entry(0);
    entry.config["data"]["path"] = "elsewhere".into();
    assert_eq!(read_run_status(&store.root, &entry).config, asked(0));
    let alone = read_run_at(&store.run).unwrap().unwrap().1;
    assert_eq!((alone.config, alone.dataset), (asked(0), Some(fixture::dataset())));
}

/// The sweep's plan says who set a leaf; a run that is read alone says it itself.
#[test]
fn who_set_what_is_the_plan_s_word_or_the_run_s() {
    let store = planned();
    say(&store, &[started(1, "abc")]);
    let path = store.run.config_origin();
    fs::write(&path, r#"{"loss.lambda_cycle": "preset quick"}"#).unwrap();
    let said = |entry: &PlanEntry| read_run(&store.root, entry).origins.into_values().next();
    for index in [0, 1] {
        assert_eq!(said(&fixture::entry(index)).as_deref(), Some("axis"), "begun or to come");
    }
    let alone = || read_run_at(&store.run).unwrap().unwrap().1;
    assert_eq!(alone().origins["loss.lambda_cycle"], "preset quick");

    fs::write(&path, "null").unwrap();
    assert_eq!((alone().origins.len(), alone().damaged), (0, vec![]));
    fs::write(&path, "{").unwrap();
    assert_eq!((alone().origins.len(), &alone().damaged[0].0), (0, &path));
    assert_eq!(first(&store).damaged, vec![], "the plan has said it");
}

#[test]
fn provenance_of_every_attempt_and_none_where_there_is_none() {
    let store = planned();
    say(&store, &[started(1, "abc"), started(2, "def"), started(3, "ghi")]);
    let environment = r#"{"env":{"LANG":"C"},"versions":{"burn":"0.22"}}"#;
    for attempt in [1, 3] {
        fs::create_dir_all(store.run.provenance(attempt)).unwrap();
    }
    fs::write(store.run.provenance(1).join("env.json"), environment).unwrap();
    fs::write(store.run.provenance(1).join("diff.patch"), "+two\n").unwrap();
    let torn = store.run.provenance(3).join("hw.json");
    fs::write(&torn, "{").unwrap();

    let run = first(&store);
    assert_eq!(run.program, Some(fixture::identity(0).code));
    let [noted, lost] = &run.provenance[..] else { panic!("{:?}", run.provenance) };
    assert_eq!((noted.attempt, &noted.hardware, noted.changes), (1, &None, Some(5)));
    let found = noted.environment.as_ref().unwrap();
    assert_eq!((found.versions["burn"].as_str(), found.argv.len()), ("0.22", 0));
    assert_eq!((lost.attempt, &lost.hardware, lost.changes), (3, &None, None), "torn, not unnoted");
    assert_eq!(run.damaged[0].0, torn);
    let status = read_sweep_status(&store.root, "lambda").unwrap().runs.swap_remove(0);
    assert!(status.provenance.is_empty() && status.checkpoints.is_empty());
}

#[test]
fn an_attempt_that_failed_before_it_had_an_identity_is_seen() {
    let store = planned();
    fs::remove_file(store.run.run_json()).unwrap();
    let failed = || Event::Failed { class: FailureClass::Data, reason: "no images".into() };
    say(&store, &[started(1, "abc"), failed()]);
    let run = first(&store);
    let state = RunState::Failed { class: FailureClass::Data, reason: "no images".into() };
    assert_eq!((run.state, run.attempts, run.damaged), (state, 1, vec![]));
}

#[test]
fn a_mistyped_sweep_is_told_which_one_is_near() {
    let store = planned();
    let said = |name: &str| read_sweep(&store.root, name).expect_err("no such sweep").to_string();
    assert!(said("lamda").ends_with("; did you mean `lambda`?"), "{}", said("lamda"));
    assert!(!said("quite-another-name").contains("did you mean"), "{}", said("quite-another-name"));
}

#[test]
fn no_sweep_is_an_error() {
    let store = Store::new();
    assert!(matches!(read_sweep(&store.root, "lambda"), Err(TrackError::NoSweep { .. })));
    assert!(matches!(read_sweep(&store.root, "../x"), Err(TrackError::Name { .. })));
}
