//! Folders that older releases wrote, as they left them; weights and most pictures are taken out.
//!
//! One folder of `tests/fixtures` a release. They are never written anew: a change that cannot read
//! them is the mistake.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::lab::Lab;

/// Two finished runs in `tiny`, and one in `halted` that was stopped at step 205 of 20 000.
pub(crate) fn store_of_an_older_release(lab: &Lab) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let mut copy = Command::new("cp");
    copy.arg("-r").arg(fixtures.join("store-0.1.0")).arg(lab.path("runs"));
    assert!(copy.status().expect("cp").success(), "the fixtures are committed");
}

#[test]
fn a_store_of_0_1_0_is_listed() {
    let lab = Lab::new();
    store_of_an_older_release(&lab);
    let sweeps = lab.json(&["ls", "--json"]);
    let found: Vec<_> = sweeps.as_array().expect("a list").iter().collect();
    let names: Vec<_> = found.iter().map(|it| (&it["sweep"], &it["states"])).collect();
    let expected = [
        (&json!("halted"), &json!({ "interrupted": 1 })),
        (&json!("tiny"), &json!({ "completed": 2 })),
    ];
    assert_eq!(names, expected);
    assert_eq!(lab.states("tiny"), ["completed"; 2]);
    assert_eq!(lab.states("halted"), ["interrupted"]);
    let status = lab.succeed(&["status"]).stdout;
    assert!(status.contains("halted: 1 interrupted"), "{status}");
}

#[test]
fn the_numbers_of_0_1_0_are_shown() {
    let lab = Lab::new();
    store_of_an_older_release(&lab);
    let check = |run: &str, expected: &[(&str, Value)]| {
        let shown = lab.json(&["show", run, "--json"]);
        for (name, value) in expected {
            let found = shown.pointer(name).unwrap_or(&Value::Null);
            assert_eq!(found, value, "{run} {name}");
        }
    };
    check(
        "tiny/1",
        &[
            ("/key", json!("9e5ffa34947a0669")),
            ("/attempts", json!(1)),
            ("/active_s", json!(0.21822219)),
            ("/started_at", json!("2026-11-22T02:52:21.515682Z")),
            ("/device", json!("cpu")),
            ("/code", json!("8039eeb97692")),
            ("/scores/eval~1l1_ab", json!(0.27977489974959596)),
            ("/scores/loss~1d_a", json!(0.4466798961162567)),
            ("/scores/weighted~1cycle_a", json!(5.908352494239807)),
            ("/identity/config/loss/lambda_cycle", json!(10.0)),
            ("/identity/dataset/fingerprint", json!("d4a29a781f4a4ee712be42df147a0822")),
        ],
    );
    check(
        "halted/0",
        &[("/state/state", json!("interrupted")), ("/active_s", json!(HALTED_AFTER_S))],
    );
    let shown = lab.succeed(&["show", "tiny", "1"]).stdout;
    for part in ["run 1 of tiny: lambda_cycle=10, seed 1", "eval/l1_ab", "0.2798", "model.ngf"] {
        assert!(shown.contains(part), "{part} in\n{shown}");
    }
    assert!(lab.succeed(&["show", "halted/0"]).stdout.contains("interrupted"));
}

/// Of the run that was halted, in the fixture's `events.jsonl` and rows.
const HALTED_AFTER_S: f64 = 3.335708126;

#[test]
fn runs_of_0_1_0_are_compared_and_reported() {
    let lab = Lab::new();
    store_of_an_older_release(&lab);
    let found = lab.json(&["diff", "tiny/0", "tiny/1", "--json"]);
    assert_eq!(found["settings"], json!([{ "name": "loss.lambda_cycle", "a": 0.0, "b": 10.0 }]));
    assert_eq!(found["circumstances"], json!([]));
    let metrics = found["metrics"].as_array().expect("a list");
    let l1 = metrics.iter().find(|it| it["name"] == "eval/l1_ab").expect("the score");
    assert_eq!(l1["b"], json!(0.27977489974959596));

    for (sweep, parts) in [
        (
            "tiny",
            &["2 completed", "<strong>0.2798</strong>", "<strong>0.2846</strong>", "of 00007"][..],
        ),
        ("halted", &["<strong>Partial.</strong>", "interrupted", "L1 A→B"]),
    ] {
        let said = lab.succeed(&["report", sweep]);
        let page = std::fs::read_to_string(lab.path(said.stdout.trim())).expect("the report");
        for part in parts {
            assert!(page.contains(part), "{part} in the report of {sweep}");
        }
        assert!(!said.stderr.contains("damaged"), "{}", said.stderr);
    }
    assert!(lab.path("runs/tiny/runs.parquet").is_file());
}

/// This version trains to other numbers: half a run of each would be neither's.
#[test]
fn a_run_of_0_1_0_does_not_go_on_by_another_training() {
    let lab = Lab::new();
    store_of_an_older_release(&lab);
    let run = ["run", "--sweep-dir", "runs/halted", "--index", "0", "--device", "cpu"];
    let said = lab.say(&[&run[..], &["--allow-changed"]].concat());
    assert!(!matches!(said.code, Some(0 | 85)), "{}", said.stderr);
    assert!(said.stderr.contains("training revision 1"), "{}", said.stderr);
    assert_eq!(lab.say(&["run", "--sweep-dir", "runs/tiny", "--index", "1"]).code, Some(0));
}
