//! Runs trained once more: the same to the last bit, or not, and why not.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::lab::{Lab, Said, run_folder, tiny};

fn swept(steps: u32) -> Lab {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(steps));
    lab.succeed(&["sweep", "tiny.toml", "--no-report"]);
    lab
}

/// Folders of runs that were trained once more.
fn kept(lab: &Lab) -> Vec<PathBuf> {
    let entries = fs::read_dir(lab.path("runs")).expect("the store");
    let paths = entries.map(|entry| entry.expect("readable").path());
    paths.filter(|path| path.to_string_lossy().contains(".reproduce-")).collect()
}

/// Changes one field of what a run says it is.
fn claim(lab: &Lab, field: &str, value: Value) {
    let path = run_folder(lab, "tiny", 1).join("run.json");
    let text = fs::read(&path).expect("run.json");
    let mut identity: Value = serde_json::from_slice(&text).expect("JSON");
    identity[field] = value;
    fs::write(&path, identity.to_string()).expect("writable");
}

fn last_line(said: &Said) -> String {
    said.stdout.lines().last().unwrap_or_default().to_string()
}

#[test]
fn a_run_comes_out_again_bit_for_bit() {
    let lab = swept(30);
    let said = lab.succeed(&["reproduce", "tiny/1"]);
    let line = last_line(&said);
    assert!(line.starts_with("reproduced bit for bit: ") && line.ends_with("step 30"), "{line}");
    assert!(
        said.stdout.contains("weights at step 30: gen_ab same, gen_ba same, "),
        "{}",
        said.stdout
    );
    assert_eq!(kept(&lab).len(), 0);

    let found = lab.json(&["reproduce", "tiny/1", "--until", "10", "--keep", "--json"]);
    assert_eq!(found["verdict"], "bit for bit", "{found}");
    assert_eq!((&found["last_step"], &found["missing"]), (&json!(10), &json!(0)));
    assert_eq!((&found["tolerance"], &found["circumstances"]), (&json!(0.0), &json!([])));
    let reason = found["weights"]["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("the newest checkpoints are at step 30 and at step 1"), "{reason}");
    let names: Vec<_> = found["metrics"].as_array().expect("a list").iter().collect();
    assert!(names.iter().any(|it| it["name"] == "eval/l1_ab"), "{found}");
    assert!(!names.iter().any(|it| it["name"].as_str().expect("a name").starts_with("perf/")));
    let folder = found["kept"].as_str().expect("a folder");
    assert!(lab.path(folder).join("run.json").is_file());
    // No reader takes it for a run of the store.
    assert_eq!(lab.states("tiny"), ["completed"; 4]);
    let sweeps = lab.json(&["ls", "--json"]);
    assert_eq!(sweeps.as_array().map(Vec::len), Some(1), "{sweeps}");
    lab.succeed(&["fsck"]);
    assert!(lab.succeed(&["gc"]).stdout.contains("nothing to delete"));
    lab.succeed(&["gc", "--trash"]);
    assert_eq!(kept(&lab).len(), 0);
}

#[test]
fn another_training_is_told_from_the_same() {
    let lab = swept(10);
    claim(&lab, "seed", json!(77));
    let said = lab.say(&["reproduce", "tiny/1"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(
        last_line(&said).starts_with("NOT reproduced: the largest difference is "),
        "{}",
        said.stdout
    );
    let [folder] = &kept(&lab)[..] else { panic!("kept to be looked at: {:?}", kept(&lab)) };
    assert!(said.stdout.contains(&*folder.file_name().expect("a name").to_string_lossy()));
    let found = lab.json(&["reproduce", "tiny/1", "--tolerance", "1e9", "--json"]);
    assert_eq!(found["verdict"], "within tolerance", "{found}");
    let largest = found["largest"].as_f64().expect("a number");
    assert!(largest > 1e-3, "{largest}");
    let metrics = found["metrics"].as_array().expect("a list").iter();
    let networks = found["weights"]["networks"].as_array().expect("a list").iter();
    let all = metrics.chain(networks).map(|it| it["largest"].as_f64().expect("a number"));
    assert_eq!(all.fold(0.0, f64::max), largest);
}

#[test]
fn what_rules_a_verdict_out_is_said() {
    let lab = swept(10);
    let check = |field: &str, value: Value, code: i32, word: &str| {
        let path = run_folder(&lab, "tiny", 1).join("run.json");
        let before = fs::read(&path).expect("run.json");
        claim(&lab, field, value);
        let said = lab.say(&["reproduce", "tiny/1"]);
        assert_eq!(said.code, Some(code), "{field}: {}", said.stderr);
        assert!(said.stderr.contains(word), "{field}: {}", said.stderr);
        assert_eq!(kept(&lab).len(), 0, "{field}");
        fs::write(&path, before).expect("writable");
    };
    check("point_id", json!("of other images"), 65, "NOT reproduced: the images of `synthetic`");
    check("training_rev", json!(0), 78, "training revision 0");
    check("sweep", json!("../elsewhere"), 1, "cannot name a sweep");

    let said = lab.say(&["reproduce", "tiny/1", "--until", "11"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("has recorded steps 5 to 10, not step 11"), "{}", said.stderr);
    assert_eq!(lab.say(&["reproduce", "tiny/1", "--device", "cuda:77"]).code, Some(78));
    assert_eq!(lab.say(&["reproduce", "tiny/1", "--tolerance", "-1"]).code, Some(2));
    assert_eq!(lab.say(&["reproduce", "tiny/no-such-run"]).code, Some(1));
}
