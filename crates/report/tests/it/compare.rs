//! Sweeps beside each other: what is matched, what is said, what is refused.

mod claims;

use std::path::Path;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use report::{Compared, ReportError, compare, write_comparison};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use track::{CellRecord, RunState, Split, SweepRecord};

use crate::fixture::Fixture;
use crate::fixture::scores::{BASELINE, BETTER, EVEN, WORSE};
use crate::scores::SEVEN;
use crate::{result_rows, text_of};

/// Four weights of the cycle loss on images of their own.
fn on(images: &str, seeds: &[u64]) -> SweepRecord {
    // Made once: a fixture draws its images.
    static SCORED: LazyLock<SweepRecord> = LazyLock::new(|| Fixture::scored(&SEVEN).record);
    let mut record = SCORED.clone();
    record.plan.seeds = seeds.to_vec();
    record.plan.cells.iter_mut().for_each(|cell| cell.seeds = seeds.to_vec());
    record.runs.retain(|run| seeds.contains(&run.seed));
    record.plan.name = images.into();
    record.plan.dataset.name = images.into();
    record.plan.dataset.title = format!("The {images} images");
    record.plan.dataset.fingerprint = format!("b3:{images}");
    for run in &mut record.runs {
        run.key = format!("{images}{}", run.index);
        run.samples.clear();
        run.dataset = Some(record.plan.dataset.clone());
        run.config = json!({
            "data": { "dataset": images, "crop_size": 32 },
            "loss": { "lambda_cycle": 10.0 },
            "pool": { "size": 50 },
        });
    }
    record
}

fn compared(records: &[SweepRecord]) -> Compared {
    compare(records, None).expect("the sweeps can be compared")
}

fn data(records: &[SweepRecord]) -> Value {
    serde_json::from_str(&compared(records).data).expect("it is JSON")
}

/// The answer's words.
fn answer(records: &[SweepRecord]) -> String {
    let html = compared(records).html;
    let section = html.split("<section id=\"answer\"").nth(1).expect("there is an answer");
    text_of(section.split_once('>').expect("a tag").1.split("</section>").next().expect("it ends"))
}

fn check_answer(records: &[SweepRecord], expected: &[&str]) {
    let said = answer(records);
    for words in expected {
        assert!(said.contains(words), "`{words}` not in {said}");
    }
}

/// Results of one cell, in the order of its seeds.
fn set_gain(record: &mut SweepRecord, cell: usize, values: &[f64]) {
    for (run, value) in record.runs.iter_mut().filter(|run| run.cell == cell).zip(values) {
        let rows = run.rows.iter_mut().filter(|row| row.split == Split::Eval);
        rows.filter(|row| row.name == "eval/gain").for_each(|row| row.value = *value);
    }
}

#[test]
fn sweeps_that_cannot_be_compared_are_set_apart() {
    let check = |change: fn(&mut SweepRecord), apart: Value, words: &[&str]| {
        let mut relief = on("relief", &SEVEN);
        change(&mut relief);
        let both = [on("blueprint", &SEVEN), relief];
        let found = data(&both);
        assert_eq!(found["sweeps"][1]["apart"], apart);
        let differing = 1 + usize::from(apart == "other baseline");
        assert_eq!(found["differing"].as_array().map(Vec::len), Some(differing), "{found}");
        check_answer(&both, words);
        assert!(!answer(&both).contains("agree on"));
    };
    const NONE: &str = "No verdict of one sweep can be set against one of another";
    check(
        |it| it.plan.cells.iter_mut().for_each(|cell| cell.baseline = false),
        json!("no baseline"),
        &[
            NONE,
            "relief : it declares no baseline",
            "By itself, blueprint : worse (lambda_cycle=0),",
        ],
    );
    check(
        |it| it.plan.metric.minimize = true,
        json!("other goal"),
        &[NONE, "relief : it was declared with the other side of Gain as the better one"],
    );
    check(
        |it| {
            it.plan.cells[BASELINE].baseline = false;
            it.plan.cells[EVEN].baseline = true;
        },
        json!("other baseline"),
        &[NONE, "relief : its baseline is lambda_cycle=50, so its differences answer another"],
    );
    check(
        |it| it.plan.metric.name = "eval/l1_ab".into(),
        json!(null),
        &["No verdict. relief was declared to be judged by another metric than Gain"],
    );
}

#[test]
fn cells_match_by_what_any_sweep_varies() {
    let (mut lambda, mut pool) = (on("lambda", &SEVEN), on("pool", &SEVEN));
    pool.plan.axes[0].label = "pool".into();
    pool.plan.axes[0].keys = vec!["pool.size".into()];
    for (at, size) in [0, 10, 50, 200].into_iter().enumerate() {
        pool.plan.cells[at].label = format!("size={size}");
        pool.plan.cells[at].settings = vec![("pool.size".into(), json!(size))];
    }
    // The baselines are the same runs.
    for (own, other) in lambda.runs.iter_mut().zip(&mut pool.runs) {
        if own.cell == BASELINE {
            other.key.clone_from(&own.key);
        }
    }
    let both = [lambda, pool];
    let rows = result_rows(&compared(&both).html);
    let begins: Vec<&str> = rows.iter().filter_map(|row| row.split('/').next()).collect();
    let expected =
        ["0 50 7", "1 50 7", "10 0 — 7", "10 10 — 7", "10 50 7", "10 200 — 7", "50 50 7"];
    assert_eq!(begins, expected, "{rows:?}");
    assert!(rows[4].contains("baseline reference 7/7"), "{}", rows[4]);
    check_answer(
        &both,
        &[
            "The sweeps share no setting besides the baseline.",
            "what lambda and pool have in common",
            "By itself, lambda : worse (λ cycle 0, pool 50), better (λ cycle 1, pool 50), undecided (",
            "By itself, pool : worse (λ cycle 10, pool 0), better (λ cycle 10, pool 10), undecided (",
        ],
    );
    let page = text_of(&compared(&both).html);
    assert!(page.contains("7 runs are part of more than one sweep"), "{page}");
}

/// A value says as much of its images as of its run.
#[test]
fn values_are_compared_on_the_same_images_only() {
    let [blueprint, relief] = ["blueprint", "relief"].map(|it| on(it, &SEVEN));
    let mut again = on("blueprint", &SEVEN);
    again.plan.name = "again".into();
    let same = data(&[blueprint.clone(), again.clone()]);
    assert_eq!(same["values_comparable"], true, "{}", same["not_comparable_because"]);
    let page = compared(&[blueprint.clone(), relief]).html;
    assert!(page.contains("must not be compared: the images are not the same."), "{page}");

    let check = |change: &dyn Fn(&mut SweepRecord), why: &str| {
        let mut again = again.clone();
        change(&mut again);
        let found = data(&[blueprint.clone(), again]);
        assert_eq!(found["values_comparable"], false, "{why}");
        let said = found["not_comparable_because"][0].as_str().unwrap_or_default();
        assert!(said.contains(why), "`{why}` not in `{said}`");
    };
    check(
        &|it| it.runs.iter_mut().for_each(|run| run.config["data"]["crop_size"] = json!(64)),
        "another size",
    );
    check(&|it| it.plan.metric.select = "best".into(), "the best on the validation fold");
    check(
        &|it| {
            let rows = it.runs.iter_mut().flat_map(|run| &mut run.rows);
            rows.filter(|row| row.name.starts_with("anchor/colour"))
                .for_each(|row| row.value *= 2.0);
        },
        "not computed alike",
    );
}

#[test]
fn what_cannot_be_compared_is_refused_with_what_to_do() {
    let check = |records: &[SweepRecord], metric: Option<&str>, expected: &str| {
        let error = compare(records, metric).expect_err(expected).to_string();
        assert!(error.contains(expected), "`{expected}` not in `{error}`");
    };
    let [blueprint, relief] = ["blueprint", "relief"].map(|it| on(it, &[0, 1]));
    check(std::slice::from_ref(&blueprint), None, "1 sweep cannot be compared: name 2 to 8");
    check(&[blueprint.clone(), blueprint.clone()], None, "`blueprint` is named twice");
    let mut empty = relief.clone();
    empty.runs.iter_mut().for_each(|run| run.state = RunState::Planned);
    check(&[blueprint.clone(), empty], None, "`relief` has no completed run yet");
    check(
        &[blueprint.clone(), relief.clone()],
        Some("eval/nothing"),
        "`blueprint` has no value of `eval/nothing`; all sweeps have eval/coverage_ab, ",
    );
    let mut other = relief.clone();
    other.plan.metric.name = "eval/own".into();
    let mut bare = blueprint.clone();
    bare.runs.iter_mut().flat_map(|run| &mut run.rows).for_each(|row| {
        row.name = row.name.replace("eval/gain", "eval/old_gain");
    });
    check(&[bare, other], None, "(eval/gain, eval/own), and not all of them have any of those");
    let mut broken = relief;
    broken.runs[0].cell = 99;
    let refused = compare(&[blueprint, broken], None);
    assert!(matches!(refused, Err(ReportError::UnknownCell { cell: 99, .. })), "{refused:?}");
}

#[test]
fn another_metric_shows_figures_and_judges_nothing() {
    let both = [on("blueprint", &SEVEN), on("relief", &SEVEN)];
    let found = compare(&both, Some("eval/kid_lite0_ab")).expect("both have it");
    let data: Value = serde_json::from_str(&found.data).expect("it is JSON");
    assert_eq!(
        (&data["metric"]["name"], &data["metric"]["minimize"]),
        (&json!("eval/kid_lite0_ab"), &json!(true))
    );
    let cell = &data["settings"][BETTER]["cells"][0];
    assert!(cell["verdict"].is_null() && cell["difference"]["adjusted_p"].is_null(), "{cell}");
    assert!(found.summary.contains("**No verdict.** blueprint and relief were declared"));
    assert!(found.table.rows[BETTER].contains(&"not judged".to_string()));
}

#[test]
fn the_summary_and_the_terminal_show_the_same_table() {
    let found = compared(&[on("blueprint", &SEVEN), on("relief", &SEVEN)]);
    assert_eq!(found.table.head.len(), 7);
    assert!(found.table.rows.iter().all(|row| row.len() == 7), "{:?}", found.table);
    assert_eq!(found.table.rows[WORSE][3], "worse");
    for expected in [
        "# What does the weight of the cycle loss change? 2 sweeps compared\n",
        "- **relief**: What does the weight",
        "The baselines also differ in: data.dataset blueprint / relief.",
        "## Answer\n\n**The sweeps agree** on 2 of the 3",
        "\n- **lambda_cycle=0**: worse in blueprint and relief (",
        "| setting | blueprint | blueprint − baseline |  | relief |",
    ] {
        assert!(found.summary.contains(expected), "`{expected}` not in {}", found.summary);
    }
    assert!(!found.summary.contains("</"), "{}", found.summary);
}

#[test]
fn the_page_is_whole_and_equal_for_equal_sweeps() {
    let both = [on("blueprint", &SEVEN), on("relief", &SEVEN)];
    let (first, second) = (compared(&both), compared(&both.clone()));
    assert_eq!(first, second);
    let (page, out) = (first.html.as_str(), tempfile::tempdir().expect("a folder"));
    for (directive, tag) in [("script-src", "script"), ("style-src", "style")] {
        let ours = page.split(&format!("<{tag}>")).nth(1).expect("there is one");
        let ours = ours.split(&format!("</{tag}>")).next().expect("it ends");
        let hash = STANDARD.encode(Sha256::digest(ours));
        assert!(page.contains(&format!("{directive} 'sha256-{hash}'")), "{directive}");
    }
    for id in ["sweeps", "answer", "results", "across", "forest", "cost", "method"] {
        assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        assert!(page.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    assert!(!page.contains(" style=\"") && !page.contains("{{"));
    let path = write_comparison(&first, &out.path().join("a/b")).expect("it can be written");
    assert_eq!(std::fs::read_to_string(&path).expect("the page"), first.html);
    assert!(
        path.with_file_name("data.json").is_file() && path.with_file_name("summary.md").is_file()
    );
}

#[test]
fn the_name_of_a_folder_fits_a_file_system() {
    let names = |names: &[&str]| names.iter().map(|it| (*it).to_string()).collect::<Vec<_>>();
    assert_eq!(Compared::folder_name(&names(&["lambda", "relief"])), "lambda+relief");
    let long: Vec<String> = ('a'..='h').map(|letter| String::from(letter).repeat(64)).collect();
    let name = Compared::folder_name(&long);
    let hash = name.strip_prefix(&format!("{}+7-", long[0])).expect("the first name, and 7 more");
    assert!(hash.len() == 8 && hash.bytes().all(|it| it.is_ascii_hexdigit()), "{name}");
    let mut turned = long.clone();
    turned[1..].reverse();
    assert_eq!(name, Compared::folder_name(&long));
    assert_ne!(name, Compared::folder_name(&turned));
    assert_ne!(name, Compared::folder_name(&long[..7]));
}

#[test]
fn every_text_of_the_records_is_inert() {
    const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{main}}&\
        \u{1b}[31m\u{202e}\u{2028}\u{0}</svg></title></style>|`*";
    let hostile = |images: &str, baseline: bool| {
        let mut record = on(images, &[0, 1]);
        let plan = &mut record.plan;
        plan.name = format!("{HOSTILE}{images}");
        for text in [&mut plan.question, &mut plan.design, &mut plan.axes[0].label] {
            *text = HOSTILE.into();
        }
        for text in [&mut plan.dataset.title, &mut plan.dataset.fingerprint] {
            *text = format!("{HOSTILE}{images}");
        }
        plan.dataset.counts[0].0 = HOSTILE.into();
        for (at, cell) in plan.cells.iter_mut().enumerate() {
            let settings = vec![(HOSTILE.into(), json!(format!("{HOSTILE}{at}")))];
            let label = format!("{HOSTILE}{at}");
            *cell = CellRecord { label, settings, baseline: baseline && at == 1, ..cell.clone() };
        }
        for run in &mut record.runs {
            (run.code, run.device) = (Some(format!("{HOSTILE}{images}")), Some(HOSTILE.into()));
            run.config[HOSTILE] = json!(format!("{HOSTILE}{images}"));
        }
        record
    };
    let found = compared(&[hostile("a", true), hostile("b", true), hostile("c", false)]);
    let page = &found.html;
    assert!(page.contains("&lt;script&gt;alert(1)"), "the text is there, as text");
    for live in ["<script>alert", "<img src=x", "\"'>"] {
        assert!(!page.contains(live), "`{live}` is live");
    }
    for (tag, ours) in
        [("<script>", 1), ("</style>", 1), ("</title>", page.matches("<title").count())]
    {
        assert_eq!(page.matches(tag).count(), ours, "{tag}");
    }
    let hidden = page
        .chars()
        .find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{202e}' | '\u{2028}'));
    assert_eq!(hidden, None);
    // A code span is text whatever is in it.
    let said = found.summary.lines().filter(|line| !line.contains("code versions."));
    assert!(said.clone().count() > 10);
    said.for_each(|line| assert!(!line.contains("<script>") && !line.contains("<img"), "{line}"));
}

/// What has no line in the document is not promised, and so must not be there.
#[test]
fn every_field_is_documented() {
    const DOCUMENT: &str = include_str!("../../../../docs/report.md");
    fn walk(value: &Value, seen: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(item, seen)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    seen.push(name.clone());
                    // The settings of a setting have names that are the sweeps' own.
                    if name != "settings" || value.is_array() {
                        walk(value, seen);
                    }
                }
            }
            _ => {}
        }
    }
    let comparison = DOCUMENT.split("## A comparison's data.json").nth(1).expect("a section");
    let mut fields = Vec::new();
    walk(&data(&[on("blueprint", &SEVEN), on("relief", &SEVEN)]), &mut fields);
    assert!(fields.len() > 50);
    for field in fields {
        assert!(comparison.contains(&format!("`{field}`")), "`{field}` is not in docs/report.md");
    }
}

/// To look at: `REPORT_DEMO=folder cargo nextest run -p report --run-ignored only`.
#[test]
#[ignore = "writes pages for the eye"]
fn demo() {
    let folder = std::env::var("REPORT_DEMO").expect("REPORT_DEMO names a folder");
    let mut mirrored = on("mirrored", &SEVEN);
    for run in &mut mirrored.runs {
        run.cell = [BETTER, WORSE, BASELINE, EVEN][run.cell];
    }
    let mut apart = on("apart", &SEVEN);
    apart.plan.cells.iter_mut().for_each(|cell| cell.baseline = false);
    let [blueprint, relief] = ["blueprint", "relief"].map(|it| on(it, &SEVEN));
    for (name, records) in [
        ("compare-agree", vec![blueprint.clone(), relief.clone()]),
        ("compare-contradict", vec![blueprint.clone(), mirrored.clone()]),
        ("compare-four", vec![blueprint, relief, mirrored, apart]),
    ] {
        write_comparison(&compared(&records), &Path::new(&folder).join(name))
            .expect("the demo can be written");
    }
}

/// A difference between runs that mislead may be one of how they fail.
#[test]
fn flagged_runs_are_counted_in_the_answer() {
    let mut records = [on("left", &[1, 2, 3, 4, 5, 6, 7]), on("right", &[1, 2, 3, 4, 5, 6, 7])];
    for record in &mut records {
        record.runs.iter_mut().for_each(|run| run.flags.clear());
    }
    assert!(!answer(&records).contains("Flagged"));
    let collapse = track::FlagRecord {
        direction: "ab".into(),
        flag: "collapse".into(),
        fails: true,
        reason: "all alike".into(),
    };
    records[1].runs[0].flags.push(collapse);
    let runs = records[1].runs.len();
    check_answer(
        &records,
        &[&format!("Flagged as misleading: 1 of {runs} completed runs of right")],
    );
}
