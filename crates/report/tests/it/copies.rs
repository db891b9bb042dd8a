//! Tables copied as CSV: a number a column, exactly as it was computed.

use std::collections::BTreeSet;
use std::fs;

use report::summary::summarise;
use track::{FailureClass, FlagRecord, RunState};

use crate::devtools::Browser;
use crate::fixture::Fixture;
use crate::fixture::scores::{BASELINE, BETTER};
use crate::html;
use crate::scores::SEVEN;

/// Every table's copy in a format, by the name of its region.
const COPIES: &str = "(async (format) => {
  const said = {};
  let name = '';
  Object.defineProperty(navigator, 'clipboard', { configurable: true, value: { writeText: async (text) => { said[name] = text; } } });
  for (const tools of document.querySelectorAll('.tools')) {
    name = tools.getAttribute('aria-label').split(':')[0];
    tools.querySelector(`button[aria-label='Copy as ${format}']`).click();
    await null;
  }
  return said;
})";

fn copies(browser: &mut Browser, format: &str) -> serde_json::Value {
    browser.evaluate(&format!("{COPIES}('{format}')"))
}

/// Of text without quotes within quotes.
fn table(csv: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        let (mut cells, mut quoted) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                c => cells.last_mut().expect("one").push(c),
            }
        }
        cells
    };
    csv.lines().map(cells).collect()
}

#[test]
fn intervals_are_columns_of_exact_numbers() {
    let Some(mut browser) = Browser::start() else { return };
    let fixture = Fixture::scored(&SEVEN).failing(BETTER, 1);
    let page = fixture.dir.path().join("page.html");
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    browser.open(&page);
    let copies = copies(&mut browser, "CSV");
    let of =
        |name: &str| table(copies[name].as_str().unwrap_or_else(|| panic!("{name}: {copies}")));

    let results = of("Results table");
    let column = |table: &[Vec<String>], name: &str| {
        let at = table[0].iter().position(|it| it == name);
        at.unwrap_or_else(|| panic!("`{name}` is not in {:?}", table[0]))
    };
    let number = |row: usize, name: &str| {
        let said = &results[row + 1][column(&results, name)];
        said.parse::<f64>().unwrap_or_else(|_| panic!("{name} is `{said}`"))
    };
    let summary = summarise(&fixture.record, "eval/gain");
    for (row, cell) in summary.cells.iter().enumerate() {
        let estimate = cell.estimate.expect("a value");
        let bounds = estimate.interval.expect("seven seeds");
        assert_eq!(number(row, "Gain ↑: mean"), estimate.mean);
        assert_eq!(number(row, "Gain ↑: low"), bounds.lower);
        assert_eq!(number(row, "Gain ↑: high"), bounds.upper);
        assert_eq!(number(row, "Gain ↑: lowest"), estimate.min);
        assert_eq!(number(row, "Runs: planned"), 7.0);
        assert_eq!(number(row, "Runs: failed"), f64::from(u8::from(row == BETTER)));
        let Some(contrast) = cell.difference() else {
            let empty = &results[row + 1][column(&results, "Difference to the baseline: mean")];
            assert_eq!((row, empty.as_str()), (BASELINE, ""), "words are no numbers");
            continue;
        };
        assert_eq!(number(row, "Difference to the baseline: mean"), contrast.mean);
        let resampled = contrast.bootstrap_t.expect("seven seeds").upper;
        assert_eq!(number(row, "Difference to the baseline: bootstrap high"), resampled);
        assert_eq!(number(row, "Difference to the baseline: p"), contrast.sign_flip.p);
    }
    let anchor = results.iter().find(|row| row[0] == "oracle (anchor)").expect("an anchor");
    let anchor = &anchor[column(&results, "Gain ↑: mean")];
    assert!(anchor.parse::<f64>().is_ok(), "{anchor}");

    for (name, csv) in copies.as_object().expect("copies") {
        let copied = table(csv.as_str().expect("a text"));
        let names: BTreeSet<&String> = copied[0].iter().collect();
        assert_eq!(names.len(), copied[0].len(), "{name}: every name once: {:?}", copied[0]);
        assert!(copied.iter().all(|row| row.len() == copied[0].len()), "{name}: {csv}");
        let exact = copied[0].iter().enumerate();
        let exact = exact
            .filter(|(_, it)| [": mean", ": low", ": high"].iter().any(|end| it.ends_with(end)));
        for (at, head) in exact {
            let is_number = |said: &String| said.is_empty() || said.parse::<f64>().is_ok();
            assert!(copied[1..].iter().all(|row| is_number(&row[at])), "{name}, {head}: {csv}");
        }
    }
    let measured = of("Secondary metrics");
    let at = column(&measured, "KID Lite0 A→B ↓: standard error over images");
    assert!(measured[1][at].parse::<f64>().is_ok(), "{measured:?}");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

/// Axes may have one name, or that of another column.
#[test]
fn no_two_columns_have_one_name() {
    let Some(mut browser) = Browser::start() else { return };
    let mut fixture = Fixture::grid(&[0, 1]);
    fixture.record.plan.axes.iter_mut().for_each(|axis| axis.label = "role".into());
    let page = fixture.dir.path().join("page.html");
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    browser.open(&page);
    let copies = copies(&mut browser, "CSV");
    let results = table(copies["Results table"].as_str().expect("a copy"));
    assert_eq!(results[0][..3], ["role", "role (2)", "role (3)"]);
}

/// The page marks them by its style sheet, and folds the reasons away.
#[test]
fn flags_are_copied_with_their_marks_and_without_what_is_folded() {
    let Some(mut browser) = Browser::start() else { return };
    let mut fixture = Fixture::new(&[0, 1]);
    let flag = |flag: &str, direction: &str, fails| FlagRecord {
        direction: direction.into(),
        flag: flag.into(),
        fails,
        reason: "a reason, at length".into(),
    };
    fixture.record.runs[2].flags =
        vec![flag("blur, soft", "ab", false), flag("collapse", "ba", true)];
    fixture.record.runs[3].state =
        RunState::Failed { class: FailureClass::Oom, reason: "64 GiB".into() };
    let page = fixture.dir.path().join("page.html");
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    browser.open(&page);
    for (name, expected) in [
        ("Runs table", "× collapse B→A; ! blur, soft A→B"),
        ("Results table", "× collapse B→A 1/2; ! blur, soft A→B 1/2"),
    ] {
        let csv = copies(&mut browser, "CSV");
        let csv = table(csv[name].as_str().expect("a copy"));
        let at = csv[0].iter().position(|it| it == "flags").expect("a column of its own");
        let flags: Vec<&str> =
            csv[1..].iter().map(|row| row[at].as_str()).filter(|it| !it.is_empty()).collect();
        assert_eq!(flags, [expected], "{name}");
    }
    for (format, times) in [("CSV", ""), ("Markdown", "× "), ("LaTeX", "$\\times$ ")] {
        let copies = copies(&mut browser, format);
        let said = |name: &str| copies[name].as_str().expect("a copy").to_string();
        let (results, runs) = (said("Results table"), said("Runs table"));
        assert!(!runs.contains("a reason") && !results.contains("a reason"), "{runs}");
        let flags = format!("{times}collapse; ! blur, soft");
        let failed = format!("{times}failed oom: 64 GiB");
        assert!(format == "CSV" || runs.contains(&flags), "{flags}: {runs}");
        assert!(format == "CSV" || runs.contains(&failed), "{failed}: {runs}");
        assert!(format == "CSV" || results.contains(&format!("{times}1 failed")), "{results}");
    }
    // Who looks for the words of a reason finds the run all the same.
    browser.evaluate(
        "{ const it = document.querySelector('#runs input[type=search]');
           it.value = 'length'; it.dispatchEvent(new Event('input')); }",
    );
    let left = "[...document.querySelectorAll('#runs table.sortable tbody tr')].filter((row) => !row.hidden).length";
    assert_eq!(browser.evaluate(left), 1);
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}
