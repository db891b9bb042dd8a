//! Conditions in a table's filter: the language of sweep files and of `--only`.

use std::fs;

use serde_json::json;

use crate::devtools::Browser;
use crate::fixture::Fixture;
use crate::html;

/// Which rows of a table a filter leaves, and what is said of it.
const LOOK: &str = "((section, text) => {
  const table = document.querySelector(`#${section} table.sortable`);
  const all = [...document.querySelectorAll(`#${section} .tools`)][0];
  const input = all.querySelector('input');
  input.value = text;
  input.dispatchEvent(new Event('input'));
  const rows = [...table.tBodies[0].rows];
  return [rows.filter((row) => !row.hidden).map((row) => rows.indexOf(row)), all.querySelector('[role=status]').textContent];
})";

#[test]
fn tables_are_filtered_by_conditions() {
    let Some(mut browser) = Browser::start() else { return };
    let mut fixture = Fixture::scored(&[1, 2]);
    let lambdas = [0.0, 1.0, 10.0, 50.0];
    for run in &mut fixture.record.runs {
        run.config = json!({
            "loss": { "lambda_cycle": lambdas[run.cell], "gan_mode": "lsgan" },
            "pool": { "size": 50 },
            "init": { "gen_ab": null },
        });
    }
    let labels: Vec<f64> = fixture
        .record
        .plan
        .cells
        .iter()
        .map(|it| it.settings[0].1.as_f64().expect("a number"))
        .collect();
    assert_eq!(labels, lambdas);
    let page = fixture.dir.path().join("page.html");
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    browser.open(&page);
    let mut check = |section: &str, text: &str, rows: &[usize], said: &str| {
        let quoted = json!(text);
        let found = browser.evaluate(&format!("{LOOK}('{section}', {quoted})"));
        assert_eq!(found, json!([rows, said]), "{text}");
    };
    let all = [0, 1, 2, 3];
    check("results", "loss.lambda_cycle >= 10", &[2, 3], "2 of 4 rows");
    check(
        "results",
        "loss.lambda_cycle in [0, 50] or label == 'lambda_cycle=1'",
        &[0, 1, 3],
        "3 of 4 rows",
    );
    check("results", "not (loss.lambda_cycle > 1) and pool.size == 50", &[0, 1], "2 of 4 rows");
    check("results", "loss.lambda_cycle * 2 + 1 <= 3", &[0, 1], "2 of 4 rows");
    check(
        "results",
        "-loss.lambda_cycle < -5 and loss.gan_mode != \"vanilla\"",
        &[2, 3],
        "2 of 4 rows",
    );
    check("results", "loss.lambda_cycle not in [0, 1]", &[2, 3], "2 of 4 rows");
    // What is absent equals nothing, and is not less than anything.
    check("results", "init.gen_ab == 'x' or init.gen_ab < 1", &[], "0 of 4 rows");
    check("results", "init.gen_ab != 'x'", &all, "4 of 4 rows");
    check("runs", "seed == 2 and cell == 'lambda_cycle=10'", &[6], "1 of 8 rows");
    check(
        "results",
        "lambda_cycle == 1",
        &all,
        "All rows are shown: `lambda_cycle` is not a setting of a run; text stands in quotes.",
    );
    check(
        "results",
        "pool.size == ",
        &all,
        "All rows are shown: expected a key, a number, text in quotes, or `(`, found the end.",
    );
    check(
        "results",
        "1 < pool.size < 3",
        &all,
        "All rows are shown: comparisons do not chain: write `a < b and b < c`.",
    );
    check(
        "results",
        "seed == 1",
        &all,
        "All rows are shown: a row of this table is a cell, the same for each of its seeds.",
    );
    check(
        "results",
        &format!("{}1 == 1", "(".repeat(40)),
        &all,
        "All rows are shown: brackets and signs nest at most 32 deep.",
    );
    // Words stay words.
    check("results", "baseline", &[2], "1 of 4 rows");
    check("results", "", &all, "");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}
