//! `cyclelab score` and what evaluations record.

use std::path::Path;

use serde_json::Value;

use crate::lab::Lab;
use crate::victim::sweep_over;

/// Blueprint's test images as folders: emoji in testA, their drawings in testB; refB holds others.
fn exported(lab: &Lab) {
    let args = ["data", "export", "blueprint", "--size", "32", "--fold", "test,ref", "--out", "x"];
    lab.succeed(&args);
}

fn scored(lab: &Lab, fake: &str, more: &[&str]) -> Value {
    lab.json(&[&["score", "--real", "x/testB", "--fake", fake, "--json"], more].concat())
}

const ALL: [&str; 6] = ["--reference", "x/refB", "--source", "x/testA", "--pairs", "by-name"];

#[test]
fn without_the_weights_pixels_are_scored_and_the_rest_is_absent() {
    let lab = Lab::new();
    exported(&lab);
    let oracle = scored(&lab, "x/testB", &ALL);
    assert_eq!(oracle["scores"]["l1"]["value"], 0.0);
    assert_eq!(oracle["scores"]["psnr"]["value"], 100.0);
    let identity = &scored(&lab, "x/testA", &ALL);
    let l1 = |it: &Value| it["scores"]["l1"]["value"].as_f64().expect("a score");
    assert!(l1(identity) > 0.3, "{identity}");
    assert_eq!(identity["scores"]["l1"], oracle["anchors"]["identity"]["l1"]);
    assert_eq!(oracle["scores"]["swd_ref"], identity["anchors"]["oracle"]["swd_ref"]);
    for absent in ["kid_lite0", "gain", "coverage", "retrieval1"] {
        assert!(identity["scores"][absent].is_null());
        assert!(identity["absent"][absent].as_str().is_some_and(|it| it.contains("weights")));
    }
    let said = lab.succeed(&["score", "--real", "x/testB", "--fake", "x/testA"]);
    assert!(said.stderr.contains("cyclelab data fetch efficientnet-lite0"), "{}", said.stderr);
    assert!(said.stdout.contains("absent: "), "{}", said.stdout);
}

/// Whether there are real pictures apart decides what the numbers are worth, so it is said.
#[test]
fn a_reference_is_other_pictures_and_its_absence_is_said() {
    let lab = Lab::new();
    exported(&lab);
    let said = |more: &[&str]| {
        let args = ["score", "--real", "x/testB", "--fake", "x/testA"];
        lab.say(&[&args[..], more].concat())
    };
    let itself = said(&["--reference", "x/refB/../testB"]);
    assert_eq!(itself.code, Some(1), "{}", itself.stdout);
    assert!(itself.stderr.contains("the same folder as `--real`"), "{}", itself.stderr);
    for (more, expected) in [
        (&[][..], "apart from those of --real: no gain"),
        (&["--pairs", "by-name"][..], "apart from the partners: no gain"),
    ] {
        let alone = said(more).stdout;
        assert!(alone.contains(expected), "{more:?}: {alone}");
        assert_eq!(scored(&lab, "x/testA", more)["reference_is_apart"], false);
    }
    let apart = said(&ALL).stdout;
    assert!(!apart.contains("No real pictures apart"), "{apart}");
    let apart = scored(&lab, "x/testA", &ALL);
    assert_eq!(apart["reference_is_apart"], true);
    assert_eq!(apart["network"], Value::Null, "the weights are not here");
    assert!(apart["input_side"].as_u64().is_some_and(|it| it >= 32), "{apart}");
}

#[test]
fn loose_partners_are_not_compared_pixel_by_pixel() {
    let lab = Lab::new();
    exported(&lab);
    let loose = scored(&lab, "x/testA", &["--pairs", "by-name-loose"]);
    assert!(loose["n_pairs"].as_u64().is_some_and(|it| it > 0), "{loose}");
    for absent in ["l1", "psnr", "ssim"] {
        assert!(loose["scores"][absent].is_null(), "{absent}: {loose}");
    }
    let exact = scored(&lab, "x/testA", &["--pairs", "by-name"]);
    assert_eq!(exact["n_pairs"], loose["n_pairs"]);
    assert!(exact["scores"]["l1"]["value"].is_number(), "{exact}");
}

#[test]
fn what_cannot_be_scored_is_named() {
    let lab = Lab::new();
    exported(&lab);
    let fake = std::fs::read_dir(lab.path("x/testA")).expect("exported").flatten();
    let mut names: Vec<_> = fake.map(|it| it.file_name().into_string().expect("plain")).collect();
    names.sort();
    std::fs::create_dir(lab.path("fake")).expect("a folder");
    let copy = |name: &str, to: &str| {
        std::fs::copy(lab.path("x/testA").join(name), lab.path("fake").join(to)).expect("a copy");
    };
    let refused = |part: &str, args: &[&str]| {
        let args = [&["score", "--real", "x/testB", "--fake", "fake"], args].concat();
        let said = lab.say(&args);
        assert_eq!(said.code, Some(65), "{}", said.stderr);
        assert!(said.stderr.contains(part), "{part}: {}", said.stderr);
    };
    refused("fake", &[]);
    copy(&names[0], "stranger.png");
    refused("stranger", &["--pairs", "by-name"]);
    refused("stranger", &["--source", "x/testA"]);
    std::fs::remove_file(lab.path("fake/stranger.png")).expect("a file");
    let twin = names[1].replace(".png", ".jpg");
    copy(&names[1], &names[1]);
    copy(&names[1], &twin);
    refused(&twin, &["--pairs", "by-name"]);
    std::fs::write(lab.path("fake/broken.png"), "no picture").expect("writable");
    refused("broken.png", &["--size", "32"]);
}

/// What flatters or condemns translations is said, and not left to the reader of twenty numbers.
#[test]
fn copies_and_constant_outputs_are_said() {
    let lab = Lab::new();
    exported(&lab);
    let copies = scored(&lab, "x/testB", &[]);
    assert_eq!((&copies["n_copies"], &copies["n_fake"]), (&copies["n_fake"], &copies["n_fake"]));
    let said = lab.succeed(&["score", "--real", "x/testB", "--fake", "x/testB"]).stdout;
    assert!(said.contains("among the real pictures they are compared with"), "{said}");
    let picture = lab.path("x/refB");
    let picture = std::fs::read_dir(picture).expect("exported").flatten().next().expect("one");
    std::fs::create_dir(lab.path("one")).expect("a folder");
    for i in 0..12 {
        std::fs::copy(picture.path(), lab.path(&format!("one/{i}.png"))).expect("a copy");
    }
    let constant = scored(&lab, "one", &[]);
    assert_eq!(constant["n_copies"], 0);
    let flags = constant["flags"].as_array().expect("a list");
    assert!(flags.iter().any(|it| it["flag"] == "constant" && it["misleads"] == true), "{flags:?}");
    let said = lab.succeed(&["score", "--real", "x/testB", "--fake", "one"]).stdout;
    assert!(said.contains("constant (misleading): "), "{said}");
}

/// The weights are fetched where tests may use the network.
#[test]
fn identity_gains_nothing_and_the_oracle_everything() {
    let lab = Lab::new();
    if !has_weights(&lab) {
        return;
    }
    exported(&lab);
    let gain = |fake: &str| {
        let scored = scored(&lab, fake, &ALL);
        assert_eq!(scored["absent"], serde_json::json!({}));
        let value = |name: &str| scored["scores"]["gain"][name].as_f64().expect("a gain");
        (value("value"), value("standard_error"))
    };
    let (identity, error) = gain("x/testA");
    assert!(identity.abs() < 1e-9 && error > 0.0 && error < 0.5, "{identity} ± {error}");
    let (oracle, error) = gain("x/testB");
    assert!((oracle - 1.0).abs() < 1e-9 && error > 0.0 && error < 0.5, "{oracle} ± {error}");
}

#[test]
fn a_run_records_scores_on_val_and_test_anchors_and_flags() {
    let lab = Lab::new();
    let has_weights = has_weights(&lab);
    lab.write("victim.toml", &sweep_over("pool.size", ["0", "50"], ""));
    lab.succeed(&["sweep", "victim.toml", "--no-report"]);
    let sweep = track::read_sweep(&lab.path("runs"), "victim").expect("a sweep");
    for run in &sweep.runs {
        let has = |split: track::Split, name: &str| {
            run.rows.iter().filter(|row| row.split == split && row.name == name).count()
        };
        // At steps 4 and 8; and at the end.
        assert_eq!(has(track::Split::Val, "eval/l1_ab"), 2);
        assert_eq!(has(track::Split::Eval, "eval/l1_ab"), 1);
        for name in ["eval/cycle_q_a", "eval/cycle_r_b", "eval/steg_gap_a", "eval/swd_ref_ab"] {
            assert_eq!(has(track::Split::Eval, name), 1, "{name}");
        }
        assert_eq!(has(track::Split::Eval, "eval/d_accuracy_b"), 1);
        assert_eq!(has(track::Split::Eval, "anchor/oracle/l1_ab"), 1);
        assert_eq!(run.last("anchor/oracle/l1_ab"), Some(0.0));
        assert_eq!(has(track::Split::Eval, "eval/kid_lite0_ab"), usize::from(has_weights));
        assert_eq!(has(track::Split::Eval, "eval/gain"), usize::from(has_weights));
        // Ten steps teach nobody to draw.
        assert!(!run.flags.is_empty());
    }
}

/// A sweep that was trained before the weights came is not lost for the metric that needs them.
#[test]
fn finished_runs_are_scored_again_once_the_weights_are_here() {
    let lab = Lab::new();
    let file = sweep_over("pool.size", ["0", "50"], "");
    lab.write("victim.toml", &file);
    lab.succeed(&["sweep", "victim.toml", "--no-report"]);
    let rows = |lab: &Lab| {
        let sweep = track::read_sweep(&lab.path("runs"), "victim").expect("a sweep");
        let plain = |row: &track::MetricRow| (row.step, row.name.clone(), row.value.to_bits());
        let of =
            |run: track::RunRecord| (run.rows.iter().map(plain).collect::<Vec<_>>(), run.flags);
        sweep.runs.into_iter().map(of).collect::<Vec<_>>()
    };
    let before = rows(&lab);
    if !has_weights(&lab) {
        return;
    }
    lab.write("victim.toml", &file.replace("eval/l1_ab", "eval/kid_lite0_ab"));
    let said = lab.succeed(&["sweep", "victim.toml", "--no-report"]).stderr;
    assert!(said.contains("scored again"), "{said}");
    let after = rows(&lab);
    for ((before, _), (after, _)) in before.iter().zip(&after) {
        let is_new = |row: &&(u64, String, u64)| !before.iter().any(|it| it.1 == row.1);
        assert!(after.iter().filter(is_new).any(|row| row.1 == "eval/kid_lite0_ab"));
        // What was measured before is there once, and as it was; training was not repeated.
        let old = after.iter().filter(|row| !is_new(row));
        let timed =
            |row: &&(u64, String, u64)| !row.1.starts_with("perf/") && !row.1.starts_with("sys/");
        let mut old: Vec<_> = old.filter(timed).collect();
        let mut expected: Vec<_> = before.iter().filter(timed).collect();
        old.sort();
        expected.sort();
        assert_eq!(old, expected);
    }
    let said = lab.succeed(&["sweep", "victim.toml", "--no-report"]).stderr;
    assert!(!said.contains("scored again"), "{said}");
}

/// Whether the lab's cache has the feature network's weights by now.
fn has_weights(lab: &Lab) -> bool {
    if std::env::var_os("CYCLELAB_NETWORK_TESTS").is_none() {
        eprintln!("skipped in part: downloads 17 MB; set CYCLELAB_NETWORK_TESTS=1 for all of it");
        return false;
    }
    let fetched = std::env::var_os("CYCLELAB_CACHE").map(|it| Path::new(&it).join("weights"));
    if let Some(weights) = fetched.filter(|it| it.is_dir()) {
        crate::victim::copy_tree(&weights, &lab.path("cache/weights"));
    }
    lab.succeed(&["data", "fetch", "efficientnet-lite0"]);
    true
}
