//! The page's address: a section's, or what a reader has chosen.

use std::fs;

use track::{FailureClass, RunState};

use crate::devtools::Browser;
use crate::fixture::Fixture;
use crate::html;

/// As a reader would press it.
const RELOAD: &str = "setTimeout(() => location.reload())";

#[test]
fn a_link_to_a_section_survives_until_something_is_chosen() {
    let Some(mut browser) = Browser::start() else { return };
    let fixture = Fixture::new(&[0, 1]);
    let page = fixture.dir.path().join("page.html");
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    let hash = "location.hash";
    browser.open(&page.with_file_name("page.html#curves"));
    assert_eq!(browser.evaluate("document.getElementById('sample-step').max"), "1");
    assert_eq!(browser.evaluate(hash), "#curves");
    browser.evaluate("chosen.keep()");
    assert_eq!(browser.evaluate(hash), "#curves", "what a live page does before it loads again");

    browser.evaluate(
        "{ const it = document.getElementById('sample-step');
           it.value = 0; it.dispatchEvent(new Event('input', { bubbles: true })); }",
    );
    assert_eq!(browser.evaluate(hash), "#step=600");
    browser.reload_by(RELOAD);
    assert_eq!(browser.evaluate(hash), "#step=600");
    assert_eq!(browser.evaluate("document.querySelector('#samples output').value"), "600");
    // A section's link takes the address for itself, and what was chosen comes back into it.
    browser.evaluate("location.hash = 'curves'");
    assert_eq!(browser.evaluate(hash), "#curves");
    browser.evaluate("chosen.keep()");
    assert_eq!(browser.evaluate(hash), "#step=600");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

/// A live page gains columns, tables and what is folded, before those that were there.
#[test]
fn what_was_chosen_stays_with_what_it_was_chosen_for() {
    let Some(mut browser) = Browser::start() else { return };
    let mut fixture = Fixture::new(&[0, 1]);
    fixture.record.runs.iter_mut().for_each(|run| run.samples.clear());
    let mut early = fixture.record.clone();
    early.plan.metric.secondary.clear();
    for run in &mut early.runs {
        run.rows.retain(|row| row.name == "eval/l1_ab" || !row.name.starts_with("eval/"));
    }
    let page = fixture.dir.path().join("page.html");
    fs::write(&page, html(&early)).expect("a temporary folder can be written");
    browser.open(&page);
    browser.evaluate(
        "{ const it = document.querySelector('#runs input[type=search]');
           it.value = 'cycle'; it.dispatchEvent(new Event('input'));
           [...document.querySelectorAll('#results th[data-sortable] button')].at(-1).click();
           document.querySelector('#runs details').open = true; }",
    );
    // The browser tells of the opening a moment later.
    browser.evaluate("new Promise((done) => setTimeout(done, 50))");
    let tables = "document.querySelectorAll('table.sortable').length";
    let chosen = "[[...document.querySelectorAll('input[type=search]')].filter((it) => it.value)
            .map((it) => it.closest('section').id),
        [...document.querySelectorAll('th[aria-sort]')].map((it) => it.textContent),
        [...document.querySelectorAll('#runs details[open] > summary')]
            .map((it) => it.textContent.split(':')[0])].join('; ')";
    assert_eq!(browser.evaluate(tables), 2);
    assert_eq!(browser.evaluate(chosen), "runs; training, min; Run 4");

    // Two tables of metrics more, a column of what was stopped, and a run that failed.
    fixture.record.runs[0].state =
        RunState::Failed { class: FailureClass::Oom, reason: "64 GiB".into() };
    fixture.record.runs[7].state = RunState::TimedOut { reason: "2 h are over".into() };
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    browser.reload_by(RELOAD);
    assert_eq!(browser.evaluate(tables), 4);
    assert_eq!(browser.evaluate("document.querySelectorAll('#runs details').length > 1"), true);
    assert_eq!(browser.evaluate(chosen), "runs; training, min; Run 4");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}
