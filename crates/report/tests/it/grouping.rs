//! Rows under the value of a setting, a seed or a state: sorted, filtered, copied and kept.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use track::{FailureClass, RunState};

use crate::accessibility::axe;
use crate::devtools::Browser;
use crate::fixture::Fixture;
use crate::html;

/// Of a section's first table: what it offers, and each group with what its rows begin with.
const LOOK: &str = "((section) => {
  const tools = document.querySelector(`#${section} .tools`);
  const options = [...(tools.querySelector('select')?.options ?? [])].map((it) => it.textContent);
  const table = document.querySelector(`#${section} table.sortable`);
  const shown = (row) => row.checkVisibility();
  const groups = [...table.tBodies].filter(shown).map((body) => [...body.rows].filter(shown)
    .map((row) => [...row.cells].slice(0, 2).map((cell) => cell.textContent.trim()).join(' ')));
  return { options, groups };
})";

/// What a reader does.
const GROUP: &str = "((section, by) => {
  const select = document.querySelector(`#${section} .tools select`);
  select.value = by;
  select.dispatchEvent(new Event('change'));
})";
const FILTER: &str = "((section, said) => {
  const input = document.querySelector(`#${section} .tools input`);
  input.value = said;
  input.dispatchEvent(new Event('input'));
})";
const SORT: &str = "((section, head) => [...document.querySelectorAll(`#${section} table.sortable th[data-sortable]`)]
  .find((it) => it.textContent.startsWith(head)).querySelector('button').click())";
const COPY: &str = "((section, format) => new Promise((done) => {
  Object.defineProperty(navigator, 'clipboard', { configurable: true, value: { writeText: async (said) => done(said) } });
  document.querySelector(`#${section} .tools button[aria-label='Copy as ${format}']`).click();
}))";

fn opened(fixture: &Fixture) -> Option<(Browser, PathBuf)> {
    let mut browser = Browser::start()?;
    let page = fixture.dir.path().join("page.html");
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    browser.resize(1280);
    browser.open(&page);
    Some((browser, page))
}

fn call(browser: &mut Browser, function: &str, arguments: &[&str]) -> Value {
    let arguments: Vec<String> = arguments.iter().map(|it| json!(it).to_string()).collect();
    browser.evaluate(&format!("{function}({})", arguments.join(",")))
}

#[test]
fn results_are_grouped_sorted_within_and_kept() {
    let fixture = Fixture::grid(&[0, 1]);
    let Some((mut browser, _)) = opened(&fixture) else { return };
    let found = call(&mut browser, LOOK, &["results"]);
    assert_eq!(found["options"], json!(["nothing", "λ cycle", "up-sampling"]));
    assert_eq!(found["groups"].as_array().map(Vec::len), Some(1), "as the page has them");

    call(&mut browser, GROUP, &["results", "up-sampling"]);
    let by_word = json!([
        ["up-sampling: transpose 3 rows", "1 transpose", "10 transpose", "30 transpose"],
        ["up-sampling: nearest 3 rows", "1 nearest", "10 nearest", "30 nearest"],
        ["up-sampling: bilinear 3 rows", "1 bilinear", "10 bilinear", "30 bilinear"],
    ]);
    assert_eq!(call(&mut browser, LOOK, &["results"])["groups"], by_word);
    let heading = "(() => { const it = document.querySelector('#results tr.heading > th');
        const columns = [...document.querySelector('#results tbody:last-of-type tr:not(.heading)').cells]
          .reduce((sum, cell) => sum + cell.colSpan, 0);
        return [it.scope, it.colSpan === columns, it.closest('tbody').rows[0] === it.parentElement]; })()";
    assert_eq!(browser.evaluate(heading), json!(["rowgroup", true, true]));
    assert_eq!(
        browser.evaluate(
            "document.querySelectorAll('#results table')[0].querySelectorAll('tr.baseline').length"
        ),
        1
    );

    call(&mut browser, SORT, &["results", "λ cycle"]);
    call(&mut browser, SORT, &["results", "λ cycle"]);
    let down = json!([
        ["up-sampling: transpose 3 rows", "30 transpose", "10 transpose", "1 transpose"],
        ["up-sampling: nearest 3 rows", "30 nearest", "10 nearest", "1 nearest"],
        ["up-sampling: bilinear 3 rows", "30 bilinear", "10 bilinear", "1 bilinear"],
    ]);
    assert_eq!(call(&mut browser, LOOK, &["results"])["groups"], down);
    browser.reload_by("setTimeout(() => location.reload())");
    assert_eq!(call(&mut browser, LOOK, &["results"])["groups"], down, "both choices are kept");

    // Another setting: its numbers in their order, rows as they were sorted.
    call(&mut browser, GROUP, &["results", "λ cycle"]);
    call(
        &mut browser,
        FILTER,
        &["results", "loss.lambda_cycle >= 10 and model.upsample != 'bilinear'"],
    );
    let filtered = json!([
        ["λ cycle: 10 2 of 3 rows", "10 transpose", "10 nearest"],
        ["λ cycle: 30 2 of 3 rows", "30 transpose", "30 nearest"],
    ]);
    assert_eq!(call(&mut browser, LOOK, &["results"])["groups"], filtered, "no group is empty");
    call(&mut browser, FILTER, &["results", ""]);
    call(&mut browser, GROUP, &["results", ""]);
    let all = call(&mut browser, LOOK, &["results"])["groups"].clone();
    assert_eq!((all.as_array().map(Vec::len), all[0].as_array().map(Vec::len)), (Some(1), Some(9)));
    assert_eq!(all[0][0], "30 transpose", "sorted as before");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn runs_are_grouped_by_state_seed_cell_and_setting() {
    let mut fixture = Fixture::grid(&[3, 7]);
    let runs = &mut fixture.record.runs;
    runs[4].state = RunState::Failed { class: FailureClass::Oom, reason: "64 GiB".into() };
    runs[5].state = RunState::Planned;
    let Some((mut browser, _)) = opened(&fixture) else { return };
    let options = call(&mut browser, LOOK, &["runs"])["options"].clone();
    assert_eq!(options, json!(["nothing", "cell", "seed", "state", "λ cycle", "up-sampling"]));
    let mut heads = |by: &str| {
        call(&mut browser, GROUP, &["runs", by]);
        let groups = call(&mut browser, LOOK, &["runs"])["groups"].clone();
        let first = |it: &Value| it[0].as_str().map(String::from);
        groups.as_array().expect("groups").iter().filter_map(first).collect::<Vec<_>>()
    };
    assert_eq!(
        heads("state"),
        ["state: completed 16 rows", "state: failed 1 row", "state: pending 1 row"]
    );
    assert_eq!(heads("seed"), ["seed: 3 9 rows", "seed: 7 9 rows"]);
    assert_eq!(heads("λ cycle").len(), 3);
    let cells = heads("cell");
    assert_eq!(
        (cells.len(), cells[0].as_str()),
        (9, "cell: lambda_cycle=1 upsample=transpose 2 rows")
    );
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

/// What puts every row by itself, or all of them together, is no grouping.
#[test]
fn only_what_puts_rows_together_is_offered() {
    let fixture = Fixture::new(&[0, 1]);
    let Some((mut browser, _)) = opened(&fixture) else { return };
    assert_eq!(call(&mut browser, LOOK, &["results"])["options"], json!([]), "each λ is one row");
    let of_runs = call(&mut browser, LOOK, &["runs"])["options"].clone();
    assert_eq!(of_runs, json!(["nothing", "cell", "seed", "state", "λ cycle"]));
}

#[test]
fn names_are_text_and_told_apart() {
    let mut fixture = Fixture::grid(&[0, 1]);
    fixture.record.plan.axes[0].label = "<img src=x onerror=alert(1)>".into();
    fixture.record.plan.axes[1].label = "seed".into();
    let Some((mut browser, _)) = opened(&fixture) else { return };
    let options = call(&mut browser, LOOK, &["runs"])["options"].clone();
    assert_eq!(
        options,
        json!(["nothing", "cell", "seed", "<img src=x onerror=alert(1)>", "seed (2)"])
    );
    call(&mut browser, GROUP, &["runs", "<img src=x onerror=alert(1)>"]);
    assert_eq!(browser.evaluate("document.querySelectorAll('tr.heading').length"), 3);
    assert_eq!(browser.evaluate("document.querySelectorAll('tr.heading img').length"), 0);
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn copies_keep_the_groups() {
    let fixture = Fixture::grid(&[0, 1]);
    let Some((mut browser, _)) = opened(&fixture) else { return };
    call(&mut browser, GROUP, &["results", "up-sampling"]);
    call(&mut browser, FILTER, &["results", "loss.lambda_cycle == 10"]);
    let mut copy = |format: &str| {
        let said = call(&mut browser, COPY, &["results", format]);
        said.as_str().expect("a text").to_string()
    };
    let csv = copy("CSV");
    let firsts: Vec<&str> = csv.lines().filter_map(|line| line.split(',').next()).collect();
    assert_eq!(firsts, ["group: up-sampling", "transpose", "nearest", "bilinear"]);
    let markdown = copy("Markdown");
    assert_eq!(markdown.matches("| **up-sampling: ").count(), 3, "{markdown}");
    let bars: Vec<usize> = markdown.lines().map(|line| line.matches(" |").count()).collect();
    assert!(bars.iter().all(|count| *count == bars[0]), "{markdown}");
    let latex = copy("LaTeX");
    assert_eq!(latex.matches("}{l}{\\textit{up-sampling: ").count(), 3, "{latex}");
    assert_eq!(latex.matches("\\addlinespace").count(), 2, "between groups: {latex}");
}

/// Tables alone: the rest of the page is looked at elsewhere.
#[test]
fn axe_finds_nothing_in_grouped_tables() {
    let fixture = Fixture::grid(&[0, 1]);
    let (Some(axe), Some((mut browser, _))) = (axe(), opened(&fixture)) else { return };
    call(&mut browser, GROUP, &["results", "up-sampling"]);
    call(&mut browser, GROUP, &["runs", "seed"]);
    browser.evaluate(&axe);
    let run = "axe.run({ include: [['#results'], ['#runs']] }, { resultTypes: ['violations'] })
        .then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`))";
    for (width, scheme) in [(400, "light"), (1280, "dark")] {
        browser.resize(width);
        browser.prefer(scheme);
        assert_eq!(browser.evaluate(run), json!([]), "{width} px, {scheme}");
    }
    // What is checked would have been seen.
    browser.evaluate("document.querySelector('#results .tools select').labels[0].replaceWith(document.createElement('select'))");
    assert_ne!(browser.evaluate(run), json!([]));
}

/// With the keys alone.
#[test]
fn a_grouping_is_chosen_by_keys() {
    let fixture = Fixture::grid(&[0, 1]);
    let Some((mut browser, _)) = opened(&fixture) else { return };
    browser.evaluate("document.querySelector('#results .tools select').focus()");
    browser.press("ArrowDown", 40);
    assert_eq!(
        browser.evaluate("document.querySelector('#results .tools select').value"),
        "λ cycle"
    );
    assert_eq!(browser.evaluate("document.querySelectorAll('#results tr.heading').length"), 3);
    assert_eq!(browser.evaluate("document.activeElement.matches('#results .tools select')"), true);
}
