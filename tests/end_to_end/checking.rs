//! `check` and `plan`: nothing is made before the file is right.

use crate::lab::{Lab, tiny};

/// Every mistake of the file, at its place.
#[test]
fn ten_mistakes_give_ten_located_errors() {
    let lab = Lab::new();
    lab.write("ten.toml", include_str!("ten_mistakes.toml"));
    let said = lab.say(&["check", "ten.toml"]);
    assert_eq!(said.code, Some(2));
    let expected = [
        ("2:8", "ten mistakes"),   // not a file name
        ("1:2", "question"),       // missing
        ("3:16", "2"),             // seed given twice
        ("4:10", "gird"),          // no such design
        ("7:8", "eval/l1_abc"),    // no such metric
        ("11:18", "30"),           // no multiple of 4
        ("12:7", "model.n_bloks"), // no such leaf
        ("15:25", "ten"),          // a string for a number
        ("16:27", "vanila"),       // no such value
        ("17:21", "50"),           // min above max
    ];
    for (place, words) in expected {
        let place = format!("ten.toml:{place}");
        assert!(said.stderr.contains(&place), "nothing at {place} ({words}):\n{}", said.stderr);
    }
    let errors = said.stderr.lines().filter(|line| line.starts_with("error")).count();
    assert_eq!(errors, 10, "{}", said.stderr);
    for word in ["`n_blocks`", "`vanilla`", "`grid`", "`eval/l1_ab`"] {
        let hinted =
            said.stderr.contains(word) || said.stderr.contains(&word.replace("`n_", "`model.n_"));
        assert!(hinted, "no hint at {word}:\n{}", said.stderr);
    }
    assert!(said.stderr.contains("^"), "a caret under each");
}

#[test]
fn findings_as_json() {
    let lab = Lab::new();
    lab.write("ten.toml", include_str!("ten_mistakes.toml"));
    let said = lab.say(&["check", "ten.toml", "--json"]);
    let findings: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
    let errors = findings.as_array().expect("a list").iter().filter(|it| it["severity"] == "error");
    assert_eq!(errors.count(), 10);
}

#[test]
fn a_wrong_file_makes_nothing() {
    let lab = Lab::new();
    lab.write("wrong.toml", &tiny(20).replace("model.ngf = 4", "model.ngf = -4"));
    for command in ["check", "plan", "sweep"] {
        let said = lab.say(&[command, "wrong.toml"]);
        assert_eq!(said.code, Some(2), "{command}: {}", said.stderr);
        assert!(said.stderr.contains("wrong.toml:14:"), "{command}: {}", said.stderr);
    }
    for made in ["runs", "reports", "cache"] {
        assert!(!lab.path(made).exists(), "`{made}` was made");
    }
}

#[test]
fn a_missing_file_is_named() {
    let said = Lab::new().say(&["sweep", "nowhere.toml"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("nowhere.toml"), "{}", said.stderr);
}

#[test]
fn a_plan_lists_runs_and_estimates() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(20));
    let said = lab.succeed(&["plan", "tiny.toml"]);
    assert!(said.stdout.contains("4 runs: 0 done, 4 to train"), "{}", said.stdout);
    assert!(said.stdout.contains("a step, measured just now"), "{}", said.stdout);
    let plan = lab.json(&["plan", "tiny.toml", "--json", "--set", "train.steps=7"]);
    assert_eq!(plan["runs"][3]["steps"], 7);
    assert!(plan["estimate_s"].as_f64().is_some_and(|s| s > 0.0));
    assert!(!lab.path("runs").exists());
}

#[test]
fn every_shipped_experiment_is_right() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments");
    let files = crate::lab::files_below(&root, ".toml");
    assert!(files.len() >= 6, "{files:?}");
    for file in files {
        let said = Lab::new().say(&["check", &file.to_string_lossy()]);
        assert_eq!(said.code, Some(0), "{}: {}", file.display(), said.stderr);
    }
}

/// The README's example, as it stands there.
#[test]
fn the_readme_s_own_file_is_right() {
    let readme = include_str!("../../README.md");
    let example = readme.split("```toml").nth(1).and_then(|rest| rest.split("```").next());
    let lab = Lab::new();
    lab.write("mine.toml", example.expect("a TOML block"));
    let said = lab.succeed(&["check", "mine.toml"]);
    assert!(said.stdout.contains("6 cells × 3 seeds = 18 runs"), "{}", said.stdout);
}
