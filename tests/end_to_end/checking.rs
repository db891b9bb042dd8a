//! `check` and `plan`: nothing is made before the file is right.

use crate::lab::{Lab, tiny, written_by_pytorch};

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

/// Once, not in every run.
#[test]
fn weight_files_that_do_not_fit_make_nothing() {
    let lab = Lab::new();
    let gen_ab = written_by_pytorch("zipped.pth");
    let init = format!("[set]\ninit.gen_ab = {gen_ab:?}\ninit.disc_b = \"nowhere.pth\"");
    lab.write("wrong.toml", &tiny(20).replace("[set]", &init));
    for command in ["plan", "sweep"] {
        let said = lab.say(&[command, "wrong.toml"]);
        assert_eq!(said.code, Some(1), "{command}: {}", said.stderr);
        for part in [
            "init.gen_ab of every cell: `",
            "zipped.pth` looks like a residual generator of 1 block, ngf 2",
            "`model.1.weight` has shape [2, 3, 7, 7], expected [4, 3, 7, 7]",
            "init.disc_b of every cell: `",
            "nowhere.pth` cannot be read: ",
        ] {
            let times = said.stderr.matches(part).count();
            assert_eq!(times, 1, "{command}: {part}\n{}", said.stderr);
        }
        let (_, block) = said.stderr.split_once("error: ").expect("an error");
        assert!(block.lines().count() < 10, "{command}: {block}");
    }
    for made in ["runs", "reports", "cache"] {
        assert!(!lab.path(made).exists(), "`{made}` was made");
    }

    let unused = "[set]\nloss.gan = false\ninit.disc_b = \"nowhere.pth\"";
    lab.write("unused.toml", &tiny(20).replace("[set]", unused));
    let said = lab.succeed(&["plan", "unused.toml", "--no-estimate"]);
    assert!(said.stderr.contains("note: not used, since loss.gan = false"), "{}", said.stderr);
    assert!(said.stderr.contains("init.disc_b of every cell\n"), "{}", said.stderr);
}

/// And they are no part of the usage in an error, where they would look required.
#[test]
fn folders_come_from_the_environment_too() {
    let lab = Lab::new();
    let said = |args: &[&str]| {
        let output = lab.command(args).env("CYCLELAB_RUNS", "elsewhere").output();
        output.map(|it| [it.stdout, it.stderr].map(|it| String::from_utf8_lossy(&it).into_owned()))
    };
    let [stdout, _] = said(&["ls"]).expect("the program starts");
    assert!(stdout.contains("no sweep in `elsewhere`"), "{stdout}");
    let [stdout, _] = said(&["ls", "--runs", "here"]).expect("the program starts");
    assert!(stdout.contains("no sweep in `here`"), "{stdout}");
    let [_, stderr] = said(&["translate"]).expect("the program starts");
    assert!(stderr.contains("Usage: cyclelab translate"), "{stderr}");
    assert!(!stderr.contains("--runs") && !stderr.contains("--cache"), "{stderr}");
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

/// The line to type trains what was listed: these runs, with these settings.
#[test]
fn a_part_of_a_plan_is_listed_as_a_part() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(20));
    let only = ["plan", "tiny.toml", "--only", "seed == 1", "--set", "train.steps=7"];
    let said = lab.succeed(&[&only[..], &["--no-estimate"]].concat()).stdout;
    assert!(said.contains("2 of 4 runs: 0 done, 2 to train"), "{said}");
    let start = "Start with: cyclelab sweep tiny.toml --set train.steps=7 --only 'seed == 1'";
    assert!(said.lines().any(|line| line == start), "{said}");
    let plan = lab.json(&[&only[..], &["--no-estimate", "--json"]].concat());
    assert_eq!((&plan["planned"], &plan["to_train"]), (&4.into(), &2.into()));
    assert_eq!(plan["runs"].as_array().map(Vec::len), Some(2));
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
fn a_data_set_that_is_not_there_is_found_in_its_place() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(5).replace("\"synthetic\"", "\"synthetik\""));
    for command in ["check", "plan", "sweep"] {
        let said = lab.say(&[command, "tiny.toml"]);
        assert_eq!(said.code, Some(2), "{command}: {}", said.stderr);
        for part in ["--> tiny.toml:11:", "synthetik", "synthetic"] {
            assert!(said.stderr.contains(part), "{command}: {part}: {}", said.stderr);
        }
    }
    assert!(!lab.path("runs").exists(), "nothing was made");
}

#[test]
fn the_readme_s_own_file_is_right() {
    let readme = include_str!("../../README.md");
    let example = readme.split("```toml").nth(1).and_then(|rest| rest.split("```").next());
    let lab = Lab::new();
    lab.write("mine.toml", example.expect("a TOML block"));
    let refused = lab.say(&["check", "mine.toml"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("`my-images` is not a folder"), "{}", refused.stderr);
    for folder in ["trainA", "trainB"] {
        std::fs::create_dir_all(lab.path("my-images").join(folder)).expect("a folder");
    }
    let said = lab.succeed(&["check", "mine.toml"]);
    assert!(said.stdout.contains("6 cells × 3 seeds = 18 runs"), "{}", said.stdout);
}
