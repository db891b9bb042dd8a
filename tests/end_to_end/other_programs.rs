//! What other programs make of our files: pandas and DuckDB of the Parquet, a browser of the report.

use std::process::Command;

use crate::lab::{Lab, available, tiny};

fn python() -> Command {
    Command::new(std::env::var("CYCLELAB_PYTHON").unwrap_or_else(|_| "python3".into()))
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
    let output = python().arg(script).arg(&metrics).output().expect("Python starts");
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("loss/gan_g_ab"), "{stdout}");

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
