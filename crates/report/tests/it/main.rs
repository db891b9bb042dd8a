//! The page of a made-up sweep: four weights of the cycle loss, of which one run
//! diverges and one is still to come.

mod accessibility;
mod address;
mod beside;
mod browser;
mod compare;
mod conditions;
mod copies;
mod curves;
mod devtools;
mod effects;
mod figures;
mod fixture;
mod grouping;
mod importance;
mod live;
mod protocol;
mod runs;
mod samples;
mod scale;
mod scatter;
mod scores;
mod standing;

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fixture::Fixture;
use report::summary::{Comparison, Verdict, summarise};
use report::{Options, ReportError, render};
use serde_json::json;
use sha2::{Digest, Sha256};
use track::{FailureClass, FlagRecord, RunState, SweepRecord};

fn html(record: &SweepRecord) -> String {
    render(record, &Options::default()).expect("the fixture renders").html
}

/// The rows of the results table, tags removed.
fn result_rows(html: &str) -> Vec<String> {
    let section = html.split("<section id=\"results\">").nth(1).expect("results are there");
    let body = section
        .split("<tbody>")
        .nth(1)
        .and_then(|s| s.split("</tbody>").next())
        .expect("a table body");
    body.lines().filter(|line| line.starts_with("<tr")).map(text_of).collect()
}

fn text_of(html: &str) -> String {
    let (mut out, mut inside) = (String::new(), false);
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(' ');
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn equal_records_make_equal_bytes() {
    let fixture = Fixture::new(&[0, 1, 2]);
    assert_eq!(html(&fixture.record), html(&fixture.record.clone()));
}

#[test]
fn the_page_loads_nothing() {
    let page = html(&Fixture::new(&[0, 1]).record);
    for word in
        ["http:", "https:", "//", "url(", "@import", "<link", "<iframe", "<object", "srcset"]
    {
        let found = page.match_indices(word).find(|(at, _)| {
            // Comments of the script, and Base64 within data URIs and the policy, are no addresses.
            let line = page[..*at].rsplit('\n').next().unwrap_or("");
            word != "//"
                || !(line.trim().is_empty()
                    || line.rsplit('"').next().is_some_and(|s| {
                        s.starts_with("data:image/") || s.starts_with("default-src")
                    }))
        });
        assert!(found.is_none(), "`{word}` at {found:?}");
    }
    assert!(page.contains("default-src 'none'"));
}

/// The page's own script and style are allowed by their hashes, and nothing else by any word.
#[test]
fn the_policy_names_what_is_ours() {
    let page = html(&Fixture::new(&[0]).record);
    let policy = page.split("Content-Security-Policy\" content=\"").nth(1).expect("a policy");
    let policy = policy.split('"').next().expect("it ends");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    for (directive, tag) in [("script-src", "script"), ("style-src", "style")] {
        let ours = page.split(&format!("<{tag}>")).nth(1).expect("there is one");
        let ours = ours.split(&format!("</{tag}>")).next().expect("it ends");
        let hash = STANDARD.encode(Sha256::digest(ours));
        assert!(policy.contains(&format!("{directive} 'sha256-{hash}'")), "{directive}: {policy}");
    }
    for attribute in [" style=\"", " onclick", " onload", "javascript:"] {
        assert!(!page.contains(attribute), "{attribute} would be blocked");
    }
}

#[test]
fn every_text_of_the_record_is_inert() {
    const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{main}}&\
        \u{1b}[31m\u{202e}\u{2028}\u{0}</svg></title></style>";
    let mut fixture = Fixture::new(&[0, 1]);
    let record = &mut fixture.record;
    let plan = &mut record.plan;
    for text in [
        &mut plan.name,
        &mut plan.question,
        &mut plan.design,
        &mut plan.command,
        &mut plan.preset,
        &mut plan.metric.secondary[0],
        &mut plan.axes[0].label,
        &mut plan.dataset.name,
        &mut plan.dataset.title,
        &mut plan.dataset.credit,
        &mut plan.dataset.licence,
        &mut plan.dataset.fingerprint,
        &mut plan.dataset.counts[0].0,
    ] {
        *text = HOSTILE.into();
    }
    plan.axes[0].keys[0] = HOSTILE.into();
    plan.departures[0] = (HOSTILE.into(), json!(HOSTILE), json!([HOSTILE]));
    for (at, cell) in plan.cells.iter_mut().enumerate() {
        cell.label = format!("{HOSTILE}{at}");
        cell.settings = vec![
            (HOSTILE.into(), json!(format!("{HOSTILE}{at}"))),
            ("loose".into(), json!(HOSTILE)),
        ];
        cell.note = Some(HOSTILE.into());
    }
    plan.samples.iter_mut().for_each(|sample| sample.1 = HOSTILE.into());
    for run in &mut record.runs {
        run.key = HOSTILE.into();
        run.device = Some(HOSTILE.into());
        run.code = Some(HOSTILE.into());
        run.damaged = vec![(HOSTILE.into(), HOSTILE.into())];
        run.trouble = vec![HOSTILE.into()];
        run.flags = vec![FlagRecord {
            direction: HOSTILE.into(),
            flag: HOSTILE.into(),
            fails: run.index % 2 == 0,
            reason: HOSTILE.into(),
        }];
        run.timeline = vec![(HOSTILE.into(), HOSTILE.into())];
        run.log_tail = vec![HOSTILE.into(), HOSTILE.into()];
        run.samples.iter_mut().for_each(|sample| sample.id = HOSTILE.into());
        run.rows
            .iter_mut()
            .filter(|row| row.name == "eval/ssim_ba")
            .for_each(|row| row.name = format!("eval/{HOSTILE}"));
        if run.index == 1 {
            run.state = RunState::Failed { class: FailureClass::Oom, reason: HOSTILE.into() };
        }
    }
    let page = html(record);
    assert!(page.contains("&lt;script&gt;alert(1)"), "the text is there, as text");
    for live in ["<script>alert", "<img src=x", "\"'>"] {
        assert!(
            !page.contains(live),
            "`{live}` is live: {:?}",
            page.split(live).next().map(|s| &s[s.len() - 200..])
        );
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
}

#[test]
fn missing_stays_missing() {
    let mut fixture = Fixture::new(&[0, 1]);
    let last = fixture.record.plan.cells.len() - 1;
    for run in fixture.record.runs.iter_mut().filter(|run| run.cell == last) {
        run.rows.retain(|row| row.name != "eval/l1_ab");
        run.active_s = None;
    }
    let summary = summarise(&fixture.record, "eval/l1_ab");
    assert_eq!(summary.cells[last].estimate, None);
    assert!(summary.cells[last].difference().is_none());
    let page = html(&fixture.record);
    let row = &result_rows(&page)[last];
    assert!(row.contains("pending, not begun —") || row.contains("not recorded —"), "{row}");
    assert!(row.ends_with('—') && !row.contains(" 0.0000"), "{row}");
}

#[test]
fn lost_runs_enter_no_mean() {
    let fixture = Fixture::new(&[0, 1]);
    let summary = summarise(&fixture.record, "eval/l1_ab");
    let diverged = &summary.cells[0];
    assert_eq!((diverged.runs.diverged, diverged.runs.completed), (1, 1));
    assert_eq!(
        diverged.values.len(),
        1,
        "the diverged run has rows, and none of them is a final value"
    );
    assert_ne!(summary.best, Some(0), "a cell that diverges is not the best");
    assert!(matches!(diverged.comparison, Some(Comparison::SoFar(Some(_)))), "one is to come");
    let page = html(&fixture.record);
    assert!(result_rows(&page)[0].contains("1 diverged"), "{}", result_rows(&page)[0]);
    assert!(page.contains("<strong>Partial.</strong>"));
}

#[test]
fn differences_are_paired_by_seed() {
    let mut fixture = Fixture::scored(&[0, 1, 2]);
    for run in &mut fixture.record.runs {
        let value = run.seed as f64 + if run.cell == 1 { 0.25 } else { 0.0 };
        run.rows
            .iter_mut()
            .filter(|row| row.name == "eval/l1_ab")
            .for_each(|row| row.value = value);
    }
    let baseline =
        fixture.record.plan.cells.iter().position(|cell| cell.baseline).expect("a baseline");
    let summary = summarise(&fixture.record, "eval/l1_ab");
    let difference = summary.cells[1].difference().expect("three pairs");
    assert_ne!(baseline, 1);
    assert_eq!(
        (difference.n, difference.mean, difference.interval.map(|it| it.lower)),
        (3, 0.25, Some(0.25)),
        "no spread but the seeds'"
    );
    let verdict = summary.cells[1].verdict();
    assert!(matches!(verdict, Some(Verdict::TooFewSeeds { n: 3, .. })), "{verdict:?}");
    assert_eq!(summary.cells[baseline].comparison, None);
    assert_eq!(summary.best, Some(baseline), "others equal it, none is better");
}

#[test]
fn the_header_says_what_the_baseline_makes_of_the_preset() {
    let mut fixture = Fixture::new(&[0]);
    let said = text_of(&html(&fixture.record));
    let expected = "reference ; the baseline differs in (preset's value) : data.load_size 36 (286) , data.crop_size 32 (256)";
    assert!(said.contains(expected), "{said}");
    assert!(said.contains("train.steps 1200 (none)"));
    fixture.record.plan.departures.clear();
    assert!(!html(&fixture.record).contains("differs in"));
}

#[test]
fn a_metric_of_the_objective_crowns_nobody() {
    let mut fixture = Fixture::new(&[0, 1, 2]);
    let answer = |record: &SweepRecord| {
        let page = html(record);
        let section = page.split("id=\"answer\"").nth(1).and_then(|s| s.split("</section>").next());
        text_of(section.expect("an answer"))
    };
    let said = answer(&fixture.record);
    assert!(said.contains("Best so far on") && !said.contains("training objective"), "{said}");
    fixture.record.plan.metric.name = "eval/cycle_a".into();
    let said = answer(&fixture.record);
    assert!(said.contains("Lowest so far on Cycle L1 A"), "{said}");
    assert!(said.contains("This metric follows the training objective"), "{said}");
    assert!(!said.to_lowercase().contains("best") && !said.contains("better"), "{said}");
}

#[test]
fn pairs_are_counted_as_completed_not_as_planned() {
    let fixture = Fixture::new(&[0, 1, 2]);
    let fewest = summarise(&fixture.record, "eval/l1_ab").fewest_pairs();
    assert_eq!(fewest, Some(2), "one run diverged, one is to come");
    let page = html(&fixture.record);
    assert!(
        page.contains("baseline so far (the sweep is partial): 2. What the plan can show: 3 seeds")
    );
    assert!(page.contains("With as few as 2 seeds paired so far (the sweep is partial)"));
}

#[test]
fn a_metric_never_produced_is_not_awaited() {
    let mut fixture = Fixture::grid(&[0, 1]);
    let check = |record: &SweepRecord, expected: &str| {
        let page = html(record);
        assert!(page.contains(expected), "{expected}");
        assert!(!page.contains("has completed yet.</p>\n</section>\n<section id=\"results\">"));
    };
    for run in &mut fixture.record.runs {
        run.rows
            .iter_mut()
            .filter(|row| row.name == "eval/l1_ab")
            .for_each(|row| row.value = f64::NAN);
    }
    check(&fixture.record, "none completed with a finite value of L1 A→B.");
    for run in &mut fixture.record.runs {
        run.rows.retain(|row| row.name != "eval/l1_ab");
    }
    check(
        &fixture.record,
        "L1 A→B was never produced. Possible reasons: no paired held-out images",
    );
}

#[test]
fn seeds_of_single_cells_are_offered() {
    let mut fixture = Fixture::new(&[5, 0]);
    fixture.record.plan.seeds = vec![0];
    let page = html(&fixture.record);
    assert!(page.contains("<option>0</option><option>5</option>"), "the plan's seeds come first");
    assert!(page.contains("2 seeds: 0, 5."));
}

#[test]
fn a_sweep_not_yet_begun_renders() {
    let mut fixture = Fixture::new(&[0, 1]);
    for run in &mut fixture.record.runs {
        run.state = RunState::Planned;
        run.rows.clear();
        run.samples.clear();
        (run.active_s, run.device, run.code) = (None, None, None);
    }
    let page = html(&fixture.record);
    assert!(!page.contains("class=\"plot\""), "no empty plot");
    assert!(page.contains("No run with a value of L1 A→B\u{a0}↓ has completed yet."));
    assert!(
        result_rows(&page).iter().all(|row| row.contains("pending")),
        "{:?}",
        result_rows(&page)
    );
}

#[test]
fn a_single_seed_has_no_interval() {
    let page = html(&Fixture::new(&[7]).record);
    assert!(result_rows(&page)[1].contains("n = 1"), "{}", result_rows(&page)[1]);
    assert!(page.contains("too few seeds to tell"));
    assert!(page.contains("baseline: 1. What they can show: 1 seed: no spread between seeds"));
}

#[test]
fn names_with_commas_stand_apart() {
    let mut fixture = Fixture::wide(12, &[0]);
    for run in &mut fixture.record.runs {
        let own = 0.001 * run.cell as f64;
        run.rows.iter_mut().filter(|row| row.name == "eval/l1_ab").for_each(|row| row.value += own);
    }
    let listed = |fixture: &Fixture| text_of(&scores::section(&fixture.record, "answer"));
    assert!(listed(&fixture).contains("lr=0.0001, lr=0.0003"), "{}", listed(&fixture));
    for cell in &mut fixture.record.plan.cells {
        cell.label.push_str(", batch 1");
    }
    let said = listed(&fixture);
    assert!(said.contains("lr=0.0001, batch 1; lr=0.0003, batch 1;"), "{said}");
}

#[test]
fn many_runs_stay_readable() {
    let fixture = Fixture::wide(60, &[0, 1]);
    let page = html(&fixture.record);
    assert_eq!(result_rows(&page).len(), 60);
    assert!(page.contains("8 of 60 cells are drawn"));
}

#[test]
fn a_page_is_written_whole() {
    let fixture = Fixture::new(&[0]);
    let out = fixture.dir.path().join("reports/lambda");
    let written = report::write(&fixture.record, &out);
    let path = written.expect("a temporary folder can be written").page;
    assert_eq!(path, out.join("index.html"));
    let options = Options { beside: Some(out.clone()), ..Options::default() };
    let rendered = render(&fixture.record, &options).expect("the fixture renders").html;
    assert_eq!(fs::read_to_string(&path).expect("the page is there"), rendered);
    let mut names: Vec<_> = fs::read_dir(&out)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["data.json", "index.html", "summary.md"], "nothing is left beside them");
}

/// A reader has the old file, and no half of a new one.
#[test]
fn a_file_that_cannot_be_replaced_is_named() {
    let fixture = Fixture::new(&[0]);
    let out = fixture.dir.path().join("report");
    fs::create_dir_all(out.join("summary.md/taken")).expect("a temporary folder can be written");
    let refused = report::write(&fixture.record, &out);
    assert!(
        matches!(&refused, Err(ReportError::Write { path, .. }) if path.ends_with("summary.md"))
    );
    let hidden = fs::read_dir(&out).expect("the folder").filter_map(|entry| {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        name.starts_with('.').then_some(name)
    });
    assert_eq!(hidden.collect::<Vec<_>>(), [""; 0], "half a file is left");
}

#[test]
fn a_record_that_contradicts_itself_is_refused() {
    let mut fixture = Fixture::new(&[0]);
    fixture.record.runs[0].cell = 99;
    let refused = render(&fixture.record, &Options::default());
    assert!(matches!(refused, Err(ReportError::UnknownCell { cell: 99, .. })), "{refused:?}");
    let mut fixture = Fixture::new(&[0]);
    fixture.record.runs[1].cell = fixture.record.runs[0].cell;
    let refused = render(&fixture.record, &Options::default());
    assert!(matches!(refused, Err(ReportError::SeedTwice { index: 1, .. })), "{refused:?}");
}

/// To look at: `REPORT_DEMO=folder cargo nextest run -p report --run-ignored only`.
#[test]
#[ignore = "writes pages for the eye"]
fn demo() {
    let folder = std::env::var("REPORT_DEMO").expect("REPORT_DEMO names a folder");
    for (name, fixture) in [
        ("two", Fixture::new(&[0, 1])),
        ("three", Fixture::new(&[0, 1, 2])),
        ("grid", Fixture::grid(&[0, 1, 2, 3])),
        ("three-axes", Fixture::three_axes(&[0, 1, 2])),
        ("drawn", Fixture::drawn(30, &[0, 1, 2])),
        ("wide", Fixture::wide(100, &[0, 1, 2, 3, 4])),
        ("scored", Fixture::scored(&[0, 1, 2, 3, 4, 5, 6])),
        ("illustrative", Fixture::scored(&[0, 1, 2])),
        ("failing", Fixture::scored(&[0, 1, 2, 3, 4, 5, 6]).failing(1, 2).flagged(3, 3)),
        ("blind", Fixture::scored(&[0, 1, 2, 3, 4, 5, 6]).without_features()),
        ("two-by-two", Fixture::two_by_two(&[0, 1, 2, 3, 4, 5, 6, 7])),
        ("across", Fixture::across(&[0, 1, 2, 3, 4, 5])),
        ("large", Fixture::new(&[0, 1]).pictured(&[200, 600, 1200], 256)),
        ("stopped", Fixture::scored(&[0, 1, 2, 3, 4, 5, 6]).stopped(3).unmeasured(1, 2)),
    ] {
        report::write(&fixture.record, &Path::new(&folder).join(name))
            .expect("the demo can be written");
    }
}
