use tensorboard::{EventWriter, Experiment, HParam, Outcome, Session};

use crate::reader::{Fields, events};

const TEXT: u64 = 1;
const BOOL: u64 = 2;
const FLOAT64: u64 = 3;

fn session(hparams: &[(&str, HParam)], ended: Option<(f64, Outcome)>) -> Session {
    let hparams = hparams.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    Session { hparams, started: 100.0, ended }
}

/// The plugin's messages of one file, by tag, with their wall time.
fn messages(experiment: &Experiment, session: &Session) -> Vec<(String, f64, Fields)> {
    let logdir = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(logdir.path(), "run", 0.0).unwrap();
    writer.hparams(experiment, session).unwrap();
    let events = events(&writer.finish().unwrap());
    let message = |event: &Fields| {
        let value = event.message(5).message(1);
        let plugin = value.message(9).message(1);
        assert_eq!(plugin.text(1), "hparams");
        let tensor = value.message(8);
        assert_eq!(tensor.int(1), 1, "a tensor of floats");
        let dims = tensor.message(2).messages(2);
        assert_eq!(dims.iter().map(|dim| dim.int(1)).collect::<Vec<_>>(), [0], "of none of them");
        (value.text(1), event.double(1), Fields::parse(&plugin.bytes(2)))
    };
    events[1..].iter().map(message).collect()
}

/// `google.protobuf.Value` in words.
fn shown(value: &Fields) -> String {
    match () {
        () if value.has(2) => format!("{:?}", value.double(2)),
        () if value.has(3) => format!("'{}'", value.text(3)),
        () if value.has(4) => (value.int(4) == 1).to_string(),
        () => panic!("a value of another kind: {value:?}"),
    }
}

#[test]
fn a_session_says_what_it_was_and_how_it_ended() {
    let check = |ended: Option<(f64, Outcome)>, expected: Option<(f64, u64)>| {
        let session = session(&[("pool.size", HParam::Number(0.0))], ended);
        let experiment = Experiment::of(std::slice::from_ref(&session), &["eval/a".into()]);
        let found = messages(&experiment, &session);
        let tags: Vec<&str> = found.iter().map(|(tag, ..)| tag.as_str()).collect();
        let all =
            ["_hparams_/experiment", "_hparams_/session_start_info", "_hparams_/session_end_info"];
        assert_eq!(tags, all[..if expected.is_some() { 3 } else { 2 }]);

        let metrics = found[0].2.message(2).messages(5);
        let tag = |it: &Fields| it.message(1).text(2);
        assert_eq!(metrics.iter().map(tag).collect::<Vec<_>>(), ["eval/a"]);
        let start = found[1].2.message(3);
        assert_eq!((found[1].1, start.double(5)), (100.0, 100.0));
        if let Some((time, status)) = expected {
            let end = found[2].2.message(4);
            assert_eq!((found[2].1, end.double(2), end.int(1)), (time, time, status));
        }
    };
    check(None, None);
    check(Some((160.0, Outcome::Success)), Some((160.0, 1)));
    check(Some((101.0, Outcome::Failure)), Some((101.0, 2)));
}

/// One column over three sessions: its type, domain and whether it differs, and what the sessions'
/// rows say.
#[test]
fn columns_have_the_type_that_all_values_fit() {
    use HParam::{Bool, Number, Text};
    let text = |it: &str| Text(it.into());
    let check = |values: [HParam; 3], expected: (u64, &[&str], bool), rows: [&str; 3]| {
        let sessions = values.map(|value| session(&[("x", value)], None));
        let experiment = Experiment::of(&sessions, &[]);
        for (session, row) in sessions.iter().zip(rows) {
            let found = messages(&experiment, session);
            let [column] = &found[0].2.message(2).messages(4)[..] else { panic!("one column") };
            assert_eq!(column.text(1), "x");
            let domain: Vec<String> = match column.has(6) {
                true => [1, 2].map(|end| format!("{:?}", column.message(6).double(end))).to_vec(),
                false => column.message(5).messages(1).iter().map(shown).collect(),
            };
            let (data_type, values, differs) = expected;
            assert_eq!(domain, values);
            assert_eq!((column.int(4), column.int(7) == 1), (data_type, differs), "{values:?}");
            let [entry] = &found[1].2.message(3).messages(1)[..] else { panic!("one value") };
            assert_eq!((entry.text(1).as_str(), shown(&entry.message(2)).as_str()), ("x", row));
        }
    };
    let numbers = [Number(3.0), Number(-1.5), Number(0.0)];
    check(numbers, (FLOAT64, &["-1.5", "3.0"], true), ["3.0", "-1.5", "0.0"]);
    check([(); 3].map(|()| Number(2.0)), (FLOAT64, &["2.0", "2.0"], false), ["2.0"; 3]);
    let switches = [Bool(true), Bool(false), Bool(true)];
    check(switches, (BOOL, &["false", "true"], true), ["true", "false", "true"]);
    let words = [text("b"), text("a"), text("b")];
    check(words, (TEXT, &["'a'", "'b'"], true), ["'b'", "'a'", "'b'"]);
    let mixed = [text("none"), Number(0.5), Bool(true)];
    check(mixed, (TEXT, &["'0.5'", "'none'", "'true'"], true), ["'none'", "'0.5'", "'true'"]);
    let not_finite = [Number(1.0), Number(f64::NAN), Number(f64::INFINITY)];
    check(not_finite, (TEXT, &["'1'", "'NaN'", "'inf'"], true), ["'1'", "'NaN'", "'inf'"]);
}

#[test]
fn columns_are_those_of_all_sessions() {
    let a = session(&[("b", HParam::Number(1.0)), ("a", HParam::Bool(true))], None);
    let b = session(&[("c", HParam::Text("x".into())), ("b", HParam::Number(2.0))], None);
    let experiment = Experiment::of(&[a.clone(), b.clone()], &["m/2".into(), "m/1".into()]);
    for (session, own) in [(&a, ["a", "b"]), (&b, ["b", "c"])] {
        let found = messages(&experiment, session);
        let columns = found[0].2.message(2);
        let names: Vec<_> = columns.messages(4).iter().map(|it| it.text(1)).collect();
        assert_eq!(names, ["b", "a", "c"], "in order of appearance");
        let metrics: Vec<_> = columns.messages(5).iter().map(|it| it.message(1).text(2)).collect();
        assert_eq!(metrics, ["m/2", "m/1"], "as given");
        let row: Vec<_> = found[1].2.message(3).messages(1).iter().map(|it| it.text(1)).collect();
        assert_eq!(row, own);
    }
}
