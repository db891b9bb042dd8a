//! What other programs make of our files: pandas and DuckDB of the Parquet, PyTorch of the weights
//! and of a training, a browser of the report.

use std::process::{Command, Output};

use crate::lab::{Lab, available, files_below, run_folder, tiny};

fn python() -> Command {
    Command::new(std::env::var("CYCLELAB_PYTHON").unwrap_or_else(|_| "python3".into()))
}

/// What a script printed; where it failed, everything it said.
fn succeeded(output: Output, what: &str) -> String {
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}: {stdout}\n{stderr}");
    stdout.into_owned()
}

#[test]
fn pandas_and_duckdb_read_the_metrics() {
    let mut probe = python();
    probe.args(["-c", "import duckdb, pandas, pyarrow"]);
    if !available("Python with duckdb, pandas and pyarrow", probe) {
        return;
    }
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(10));
    lab.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/readers/read_parquet.py");
    let metrics = lab.path("runs/tiny/*/metrics/*.parquet");
    let output = python().arg(script).arg(&metrics).output();
    let said = succeeded(output.expect("Python starts"), "read_parquet.py");
    assert!(said.contains("loss/gan_g_ab"), "{said}");

    let wide = "import duckdb, pandas, sys; \
        a = pandas.read_parquet(sys.argv[1]); \
        b = duckdb.sql(f\"select * from '{sys.argv[1]}'\").df(); \
        assert len(a) == len(b) == 4, (len(a), len(b)); \
        assert sorted(a['param.loss.lambda_cycle']) == [0, 0, 10, 10], a; \
        assert (a['state'] == 'completed').all(); \
        assert a['metric.eval/l1_ab.last'].between(0, 1).all()";
    let output = python()
        .args(["-c", wide])
        .arg(lab.path("runs/tiny/runs.parquet"))
        .output()
        .expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn pytorch(script: &str) -> Command {
    let mut command = python();
    command.arg(format!("{}/../../tests/reference/{script}", env!("CARGO_MANIFEST_DIR")));
    command
}

fn pytorch_is_there() -> bool {
    let mut probe = python();
    probe.args(["-c", "import torch, numpy, safetensors, PIL, pyarrow"]);
    available("Python with torch, safetensors, pillow and pyarrow", probe)
}

/// PyTorch loads every exported tensor by name, and translates to the same pictures.
#[test]
fn pytorch_loads_what_is_exported() {
    if !pytorch_is_there() {
        return;
    }
    let lab = Lab::new();
    let variants =
        ["model.norm = \"batch\"", "model.upsample = \"bilinear\"", "loss.lambda_identity = 0.1"];
    for (i, leaf) in variants.into_iter().enumerate() {
        let name = format!("tiny-{i}");
        let toml = tiny(3).replace("name = \"tiny\"", &format!("name = \"{name}\""));
        lab.write("tiny.toml", &toml.replace("[axes]", &format!("{leaf}\n[axes]")));
        lab.succeed(&["sweep", "tiny.toml", "--no-report"]);
        let run = format!("{name}/1");
        let (weights, translated) = (format!("{name}-weights"), format!("{name}-made"));
        lab.succeed(&["export", "weights", &run, "--out", &weights]);
        let input = format!("{name}-in");
        std::fs::create_dir_all(lab.path(&input)).expect("a folder");
        let folder = run_folder(&lab, &name, 1);
        let samples = files_below(&folder.join("samples"), ".real.png");
        assert_eq!(samples.len(), 4);
        for sample in samples {
            let to = lab.path(&input).join(sample.file_name().expect("a name"));
            std::fs::copy(sample, to).expect("copied");
        }
        let asked = ["--weights", &run, "--direction", "ba", "--input", &input];
        lab.succeed(&[&["translate"], &asked[..], &["--output", &translated]].concat());
        let output = pytorch("round_trip.py")
            .arg(lab.path(&weights))
            .arg(folder.join("config.toml"))
            .args(["--direction", "ba", "--input"])
            .arg(lab.path(&input))
            .arg("--translated")
            .arg(lab.path(&translated))
            .output();
        let said = succeeded(output.expect("Python starts"), leaf);
        assert!(said.contains("4 networks loaded, 4 translations"), "{said}");
    }
}

/// The same initial weights and the same images: the losses and weights of upstream's steps.
#[test]
fn a_training_has_pytorch_s_losses() {
    if !pytorch_is_there() {
        return;
    }
    let lab = Lab::new();
    for (gan_mode, steps) in [("vanilla", "3"), ("lsgan", "2")] {
        let output = pytorch("parity.py")
            .args(["--cyclelab", env!("CARGO_BIN_EXE_cyclelab"), "--gan-mode", gan_mode])
            .args(["--steps", steps, "--work"])
            .arg(lab.path(gan_mode))
            .output();
        let said = succeeded(output.expect("Python starts"), gan_mode);
        assert!(said.contains("weighted/cycle_b"), "{said}");
    }
}

#[test]
fn a_browser_opens_the_report() {
    let mut probe = Command::new("chromium");
    probe.arg("--version");
    if !available("chromium", probe) {
        return;
    }
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(20));
    lab.succeed(&["sweep", "tiny.toml"]);
    let page = lab.path("reports/tiny/index.html");
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-quic"])
        .args(["--enable-logging=stderr", "--v=0", "--window-size=1280,3000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", lab.path("browser").display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("the browser starts");
    let dom = String::from_utf8_lossy(&output.stdout);
    assert!(dom.contains("Does it run from end to end?"), "{dom}");
    let console = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<&str> = console.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    let drawn = dom.matches("<svg").count();
    assert!(drawn >= 10, "only {drawn} figures");
    // Every picture of the grid is in the file itself.
    assert!(dom.matches("<img").count() >= 8 && !dom.contains("src=\"http"));
}
