//! `sweep`, its report, and what the store says afterwards.

use std::process::Stdio;
use std::time::Instant;

use crate::lab::{Lab, files_below, tiny};

#[test]
fn a_sweep_leaves_runs_tables_and_a_report_and_does_nothing_twice() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(20));
    let said = lab.succeed(&["sweep", "tiny.toml"]);
    let report = said.stdout.trim();
    assert_eq!(report, "reports/tiny/index.html");
    assert!(said.stderr.contains("4 runs trained"), "{}", said.stderr);
    assert!(said.stderr.contains(": evaluated on val at step 10: l1_ab "), "{}", said.stderr);
    assert!(said.stderr.lines().all(|it| !it.trim_end().ends_with(';')), "{}", said.stderr);
    assert_eq!(lab.states("tiny"), ["completed"; 4]);
    assert!(lab.path("runs/tiny/runs.parquet").is_file());
    for run in lab.run_folders("tiny") {
        for name in
            ["run.json", "config.toml", "config.origin.json", "events.jsonl", "provenance/hw.json"]
        {
            assert!(run.join(name).is_file(), "{name} in {}", run.display());
        }
        assert_eq!(files_below(&run.join("metrics"), ".parquet").len(), 1, "compacted");
        // Two inputs a domain: real, fake, reconstruction, identity and truth of each.
        assert_eq!(files_below(&run.join("samples"), ".png").len(), 20);
    }
    let page = std::fs::read_to_string(lab.path(report)).expect("the report");
    assert!(page.contains("Does it run from end to end?") && page.contains("<svg"));

    let began = Instant::now();
    let again = lab.succeed(&["sweep", "tiny.toml"]);
    assert!(again.stderr.contains("nothing to train: all 4 runs are done"), "{}", again.stderr);
    assert!(began.elapsed().as_secs() < 30, "a finished sweep ends in seconds");

    lab.write("tiny.toml", &tiny(20).replace("[0, 10]", "[0, 1, 10]"));
    let more = lab.succeed(&["sweep", "tiny.toml"]);
    assert!(more.stderr.contains("2 runs trained"), "{}", more.stderr);
    assert_eq!(lab.states("tiny"), ["completed"; 6]);
    assert_eq!(files_below(&lab.path("runs/tiny/history"), ".toml").len(), 3);

    let leaving = |values: &str| {
        let toml = tiny(20).replace("seeds = [1, 2]", "seeds = [1]");
        lab.write("tiny.toml", &toml.replace("[0, 10]", values));
        lab.succeed(&["sweep", "tiny.toml", "--no-report"]).stderr
    };
    let several = leaving("[0, 1, 10]");
    assert!(several.contains("; 3 runs of the earlier one leave it and are kept"), "{several}");
    let one = leaving("[0, 10]");
    assert!(one.contains("; 1 run of the earlier one leaves it and is kept"), "{one}");
}

#[test]
fn a_part_of_a_sweep_is_trained_and_the_rest_stays_planned() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(5));
    let said = lab.succeed(&["sweep", "tiny.toml", "--only", "seed == 1"]).stderr;
    let announced = "4 runs, of which --only asks for 2; 0 done, 2 to train";
    assert!(said.contains(announced), "{said}");
    assert!(said.contains("2 seeds for illustration, a test of 1 comparison takes 6"), "{said}");
    let again = lab.succeed(&["sweep", "tiny.toml", "--only", "seed == 1", "--no-report"]).stderr;
    assert!(again.contains("only asks for 2; 2 done, 0 to train"), "{again}");
    let mut states = lab.states("tiny");
    states.sort();
    assert_eq!(states, ["completed", "completed", "planned", "planned"]);
    // Three comparisons take more seeds than one.
    let wider = tiny(5).replace("[0, 10]", "[0, 1, 5, 10]").replace("[1, 2]", "[1]");
    lab.write("tiny.toml", &wider);
    let wider = lab.succeed(&["sweep", "tiny.toml", "--only", "label == 'none'"]).stderr;
    assert!(wider.contains("1 seed for illustration, a test of 3 comparisons takes 7"), "{wider}");
}

#[test]
fn another_sweep_uses_a_finished_run() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(10));
    lab.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let other =
        tiny(10).replace("name = \"tiny\"", "name = \"other\"").replace("[0, 10]", "[5, 10]");
    lab.write("other.toml", &other);
    let said = lab.succeed(&["sweep", "other.toml"]);
    assert!(said.stderr.contains("2 done, 2 to train"), "{}", said.stderr);
    assert_eq!(lab.states("other"), ["completed"; 4]);
    assert_eq!(lab.run_folders("other").len(), 2);
}

#[test]
fn status_ls_and_show_read_the_store() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(10));
    assert!(lab.succeed(&["ls"]).stdout.contains("no sweep"));
    lab.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert!(lab.succeed(&["status"]).stdout.contains("tiny: 4 completed"));
    assert_eq!(lab.json(&["status", "--json"])[0]["states"]["completed"], 4);
    let ls = lab.succeed(&["ls", "tiny"]).stdout;
    assert!(ls.contains("lambda_cycle=10") && ls.contains("eval/l1_ab"), "{ls}");
    let show = lab.succeed(&["show", "tiny", "1"]).stdout;
    assert!(show.contains("loss/cycle_a") && show.contains("model.ngf"), "{show}");
    let key =
        lab.json(&["show", "tiny", "1", "--json"])["key"].as_str().expect("a key").to_string();
    assert_eq!(lab.json(&["show", "tiny", &key[..6], "--json"])["key"], key.as_str());
    let folder = lab.run_folders("tiny").swap_remove(0);
    let folder = folder.to_string_lossy();
    let of_folder = lab.json(&["show", &folder, "--json"])["key"].clone();
    assert!(of_folder.as_str().is_some_and(|it| folder.ends_with(&it[..8])), "{of_folder}");
    for address in ["tiny/1", "runs/tiny/1", &format!("tiny/{}", &key[..6])] {
        assert_eq!(lab.json(&["show", address, "--json"])["key"], key.as_str(), "{address}");
    }
    let sweep_alone = lab.say(&["show", "tiny"]);
    assert_eq!(sweep_alone.code, Some(1));
    assert!(sweep_alone.stderr.contains("SWEEP/RUN"), "{}", sweep_alone.stderr);
    assert_eq!(lab.say(&["show", "tiny", "99"]).code, Some(1));
    assert_eq!(lab.say(&["report", "nothing"]).code, Some(1));
    assert!(
        lab.succeed(&["report", "tiny", "--out", "elsewhere"])
            .stdout
            .contains("elsewhere/index.html")
    );
}

#[test]
fn a_run_that_diverges_is_a_result_and_stops_no_other() {
    let lab = Lab::new();
    let toml = tiny(10)
        .replace("[axes]\nloss.lambda_cycle = [0, 10]", "[axes]\nmodel.init_gain = [0.02, 1e30]")
        .replace("loss.lambda_cycle = 10", "model.init_gain = 0.02")
        .replace("model.ngf = 4", "model.ngf = 4\nmodel.norm = \"none\"");
    lab.write("tiny.toml", &toml);
    let said = lab.succeed(&["sweep", "tiny.toml"]);
    assert_eq!(lab.states("tiny"), ["completed", "diverged", "completed", "diverged"]);
    assert!(said.stderr.contains("diverged: loss/"), "{}", said.stderr);
    let page = std::fs::read_to_string(lab.path("reports/tiny/index.html")).expect("the report");
    assert!(page.contains("diverged"));
}

#[test]
fn samples_can_be_named() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(10).replace("count = 2", "ids = [\"A/nobody\"]"));
    let said = lab.say(&["sweep", "tiny.toml"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("A/nobody"), "{}", said.stderr);
    assert!(!lab.path("runs").exists(), "nothing is made before the file is right");
}

/// `cyclelab sweep … 2>&1 | head -1`: the reader goes, the sweep does not.
#[test]
fn a_closed_pipe_ends_no_sweep() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(10));
    let mut sweep = lab
        .command(&["sweep", "tiny.toml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop((sweep.stdout.take(), sweep.stderr.take()));
    assert_eq!(sweep.wait().expect("it ends").code(), Some(0));
    assert_eq!(lab.states("tiny"), ["completed"; 4]);
    assert!(lab.path("reports/tiny/index.html").is_file());
}
