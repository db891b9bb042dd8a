//! `bench`: how long steps take here, and what the README says about it.

use std::process::Command;

use crate::lab::{Lab, available, tiny};

#[test]
fn steps_of_a_sweep_s_baseline_are_timed() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(20));
    let few = ["bench", "tiny.toml", "--device", "cpu", "--warm-up", "1", "--steps", "3"];
    let said = lab.succeed(&few).stdout;
    for part in [
        "16 px, batch 1, 1 block, ngf 4, ndf 4, n_layers 1, on cpu with ",
        " a step (median of 3; half of them ",
        " images/s\n",
        "first step ",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!lab.path("runs").exists() && !lab.path("cache").exists(), "noise needs no images");

    let threads = ["--threads", "1", "--side-by-side", "2", "--set", "data.batch_size=2", "--json"];
    let bench = lab.json(&[&few[..], &threads].concat());
    assert_eq!((&bench["device"], &bench["images"]), (&"cpu".into(), &"noise".into()));
    assert_eq!((&bench["threads"], &bench["side_by_side"]), (&1.into(), &2.into()));
    assert_eq!((&bench["batch_size"], &bench["reading"]), (&2.into(), &serde_json::Value::Null));
    let steps = |name: &str| {
        let copies = bench[name].as_array().expect("a list for each copy").iter();
        copies.map(|copy| copy.as_array().expect("its steps").len()).collect::<Vec<_>>()
    };
    assert_eq!((steps("warm_up_s"), steps("steps_s")), (vec![1, 1], vec![3, 3]));
    let number = |at: &str| bench.pointer(at).and_then(|it| it.as_f64()).expect("a number");
    let step = ["lower_quartile_s", "median_s", "upper_quartile_s"];
    let [lower, median, upper] = step.map(|name| number(&format!("/step/{name}")));
    assert!(0.0 < lower && lower <= median && median <= upper, "{bench}");
    assert!((number("/images_per_s") * median - 8.0).abs() < 1e-6, "{bench}");
    if cfg!(target_os = "linux") {
        assert!(number("/memory_before_bytes") < number("/peak_memory_bytes"), "{bench}");
    }
}

#[test]
fn without_a_file_it_is_the_reference() {
    let small = ["data.crop_size=32", "model.ngf=4", "model.ndf=4", "model.n_blocks=1"];
    let small = small.iter().flat_map(|leaf| ["--set", leaf]);
    let asked = ["bench", "--device", "cpu", "--steps", "1", "--warm-up", "0", "--json"];
    let bench = Lab::new().json(&asked.into_iter().chain(small).collect::<Vec<_>>());
    assert_eq!((&bench["crop_size"], &bench["model"]["n_layers"]), (&32.into(), &3.into()));
}

#[test]
fn reading_images_is_timed_apart() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(20));
    let few = ["bench", "tiny.toml", "--warm-up", "0", "--steps", "2"];
    let said = lab.succeed(&[&few[..], &["--device", "cpu", "--images"]].concat()).stdout;
    assert!(said.contains("of which reading images: "), "{said}");
    let loader = lab.json(&[&few[..], &["--loader", "--json"]].concat());
    assert_eq!(loader["images"], "synthetic");
    let rate = loader["images_per_s"].as_f64();
    assert!(loader["count"].as_u64() > Some(0) && rate > Some(0.0), "{loader}");
    assert!(!lab.path("runs").exists());
}

#[test]
fn mistakes_are_those_of_other_commands() {
    let lab = Lab::new();
    lab.write("wrong.toml", &tiny(20).replace("model.ngf = 4", "model.ngf = -4"));
    let said = lab.say(&["bench", "wrong.toml"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(said.stderr.contains("wrong.toml:14:"), "{}", said.stderr);
    let said = lab.say(&["bench", "--set", "model.ngv=4"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(said.stderr.contains("`model.ngf`"), "{}", said.stderr);
    let said = lab.say(&["bench", "--device", "abacus"]);
    assert_eq!(said.code, Some(78), "{}", said.stderr);
    assert!(said.stderr.contains("no device is called `abacus`"), "{}", said.stderr);
    let said = lab.say(&["bench", "nowhere.toml"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
}

#[test]
fn the_readme_quotes_the_results() {
    let mut probe = Command::new("python3");
    probe.arg("--version");
    if !available("Python", probe) {
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../benches/table.py");
    let output = Command::new("python3").args(["-B", script, "--check"]).output();
    let output = output.expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
