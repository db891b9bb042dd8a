//! The files beside the page: `summary.md` and `data.json`.

use report::{Options, render};
use serde_json::Value;
use track::SweepRecord;

use crate::fixture::Fixture;
use crate::fixture::scores::{BASELINE, BETTER, WORSE};
use crate::scores::SEVEN;

fn summary(record: &SweepRecord) -> String {
    render(record, &Options::default()).expect("the fixture renders").summary
}

fn data(record: &SweepRecord) -> Value {
    let text = render(record, &Options::default()).expect("the fixture renders").data;
    serde_json::from_str(&text).expect("it is JSON")
}

#[test]
fn the_summary_says_what_the_page_says() {
    let said = summary(&Fixture::scored(&SEVEN).failing(WORSE, 1).record);
    let in_order = [
        "# What does the weight of the cycle loss change?\n",
        "Sweep `lambda`: 4 λ cycle × 7 seeds = 28 runs (grid) on Blueprint",
        "26 completed 1 diverged 1 failed\n",
        "## Answer\n\n**lambda_cycle=1 is better** than the baseline lambda_cycle=10 on Gain ↑: 0.",
        "\n- **lambda_cycle=1**: Better: +0.",
        "## Results\n\n| cell | runs | Gain ↑ | 95 % interval |",
        "\n| lambda_cycle=0 | 5/7, 1 diverged, 1 failed | 0.",
        "\n| lambda_cycle=1 (★ best) | 7/7 | 0.",
        "| **better** |\n| lambda_cycle=10 (baseline) | 7/7 |",
        "| — | — | reference |",
        "## Reservations\n\nFailed runs: **lambda_cycle=0**: 2 of 7 diverged or failed",
        "## Reproduce\n\n    cyclelab sweep experiments/lambda.toml\n",
    ];
    let mut rest = said.as_str();
    for expected in in_order {
        let at = rest.find(expected).unwrap_or_else(|| panic!("`{expected}` not in {rest}"));
        rest = &rest[at + expected.len()..];
    }
    let pipes = |line: &str| line.matches('|').count();
    assert!(said.lines().filter(|line| line.starts_with('|')).all(|line| pipes(line) == 8));
    assert!(!said.contains("</") && !said.contains("Bars:"), "{said}");
}

#[test]
fn the_summary_of_a_sweep_under_way_says_so() {
    let said = summary(&Fixture::new(&[0, 1]).record);
    assert!(said.contains("**Partial.** 7 of 8 runs have come to an end"), "{said}");
    assert!(said.contains("| none yet |") && !said.contains("**better**"), "{said}");
}

#[test]
fn names_are_no_markup_in_the_summary() {
    let mut fixture = Fixture::scored(&[0]);
    fixture.record.plan.question = "<script> | [a](b)\n# c".into();
    fixture.record.plan.cells[BETTER].label = "x|y\n<b>`*".into();
    fixture.record.plan.name = "a`b".into();
    fixture.record.plan.command = "cyclelab sweep\n# new heading".into();
    let said = summary(&fixture.record);
    assert!(said.starts_with("# &lt;script&gt; \\| \\[a\\](b) \\# c\n"), "{said}");
    assert!(said.contains("| x\\|y &lt;b&gt;\\`\\*"), "{said}");
    assert!(said.contains("`` a`b ``") && !said.contains("\n# new heading"), "{said}");
}

#[test]
fn the_data_are_those_of_the_page() {
    let mut fixture = Fixture::scored(&SEVEN).failing(WORSE, 1);
    let odd = fixture.record.runs.iter_mut().rfind(|run| run.cell == BETTER).expect("a run");
    let (index, last) = (odd.index, odd.rows.iter().map(|row| row.step).max());
    let psnr = odd.rows.iter_mut().filter(|row| row.name == "eval/psnr_ab");
    psnr.filter(|row| Some(row.step) == last).for_each(|row| row.value = f64::INFINITY);
    let found = data(&fixture.record);
    assert_eq!((&found["format"], &found["status"]["diverged"]), (&1.into(), &1.into()));
    assert_eq!(found["cells"][WORSE]["settings"]["loss.lambda_cycle"], 0.0);

    let run = &found["runs"][index];
    assert!(run["values"]["eval/gain"].is_f64() && run["not_finite"]["eval/gain"].is_null());
    assert!(run["values"].as_object().is_some_and(|it| it["eval/psnr_ab"].is_null()), "{run}");
    assert_eq!(run["not_finite"]["eval/psnr_ab"], "inf");
    let of_diverged = &found["runs"][WORSE];
    assert_eq!(
        (&of_diverged["state"], of_diverged["values"].as_object().map(|it| it.len())),
        (&"diverged".into(), Some(0))
    );

    let gain = &found["metrics"][0];
    assert_eq!((&gain["name"], &gain["role"]), (&"eval/gain".into(), &"primary".into()));
    assert_eq!(gain["anchors"]["oracle"], 1.0);
    let better = &gain["cells"][BETTER];
    let summary = report::summary::summarise(&fixture.record, "eval/gain");
    let judgement = summary.cells[BETTER].judgement().expect("it is judged");
    assert_eq!(better["verdict"], "better");
    assert_eq!(better["difference"]["adjusted_p"].as_f64(), judgement.adjusted_p);
    assert_eq!(better["estimate"]["n"], 7);
    assert!(gain["cells"][BASELINE]["difference"].is_null());
    assert_eq!(gain["cells"][WORSE]["failed_in_estimate"], 2);
}

#[test]
fn no_p_before_the_last_run() {
    let found = data(&Fixture::new(&[0, 1, 2]).record);
    let cell = &found["metrics"][0]["cells"][1];
    assert!(cell["difference"]["mean"].is_f64() && cell["difference"]["p"].is_null(), "{cell}");
    assert!(cell["verdict"].is_null() && found["is_final"] == false);
}

/// What has no line in the document is not promised, and so must not be there.
#[test]
fn every_field_is_documented() {
    const DOCUMENT: &str = include_str!("../../../../docs/report.md");
    // Maps from names that are the sweep's own.
    const FREE: [&str; 5] = ["settings", "values", "not_finite", "absent", "anchors"];
    fn walk(value: &Value, seen: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(item, seen)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    seen.push(name.clone());
                    if !FREE.contains(&name.as_str()) {
                        walk(value, seen);
                    }
                }
            }
            _ => {}
        }
    }
    let mut fields = Vec::new();
    let mut drawn = Fixture::drawn(24, &[0]);
    walk(&data(&drawn.record), &mut fields);
    drawn.record.plan.axes[2].when = Some("a > 1".into());
    drawn.record.plan.cells[1].origin = None;
    walk(&data(&drawn.record), &mut fields);
    walk(&data(&Fixture::drawn(8, &[0]).record), &mut fields);
    walk(&data(&Fixture::scored(&SEVEN).flagged(BETTER, 2).record), &mut fields);
    assert!(fields.len() > 50);
    for field in fields {
        assert!(DOCUMENT.contains(&format!("`{field}`")), "`{field}` is not in docs/report.md");
    }
}

#[test]
fn equal_records_make_equal_files() {
    let fixture = Fixture::scored(&[0, 1]);
    assert_eq!(
        render(&fixture.record, &Options::default()).expect("it renders"),
        render(&fixture.record.clone(), &Options::default()).expect("it renders")
    );
}
