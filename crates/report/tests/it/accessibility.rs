//! The page for whoever reads it otherwise than most: by ear, by keyboard, in the dark, on a small
//! screen or a very large one.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::devtools::Browser;
use crate::fixture::Fixture;
use crate::fixture::scores::{BETTER, EVEN};
use crate::html;

/// CSS pixels: a telephone, a laptop, a large screen.
const WIDTHS: [u32; 3] = [400, 1280, 2560];

/// Two seeds: what is checked does not depend on how many there are.
const SEEDS: [u64; 2] = [0, 1];

type Make = fn() -> Fixture;

const COMPLETE: (&str, Make) = ("complete", || Fixture::scored(&SEEDS));
const PARTIAL: (&str, Make) = ("partial", || Fixture::new(&SEEDS));
const THREE_AXES: (&str, Make) = ("three-axes", || Fixture::three_axes(&SEEDS));
const FAILURES: (&str, Make) =
    ("failures", || Fixture::scored(&SEEDS).failing(BETTER, 1).stopped(EVEN).logged());

impl Fixture {
    /// Runs that ended badly have events and a log to tell.
    fn logged(mut self) -> Fixture {
        for run in &mut self.record.runs {
            run.timeline = vec![
                ("2026-03-01T10:00:00.000000Z".into(), "attempt 1 began on host-a, cpu".into()),
                ("2026-03-01T10:05:00.000000Z".into(), "attempt 1 ended".into()),
            ];
            run.log_tail = vec!["step 640 of 1200".into(), "loss/gan_g_ab is NaN ".repeat(20)];
        }
        self
    }
}

fn opened((name, make): (&str, Make)) -> Option<(Browser, Fixture)> {
    let mut browser = Browser::start()?;
    let fixture = make();
    let page = fixture.dir.path().join(format!("{name}.html"));
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    browser.resize(1280);
    browser.open(&page);
    Some((browser, fixture))
}

/// Everything that can be folded away counts as well.
const UNFOLD: &str = "document.querySelectorAll('details').forEach((it) => { it.open = true; })";

fn list(found: &Value) -> Vec<&str> {
    found.as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

/// What axe-core finds, by rule, with its first places.
const AXE: &str = r#"axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations
  .filter(({ impact }) => impact !== "minor")
  .map(({ id, impact, nodes }) => `${impact} ${id}: ` + nodes.slice(0, 3)
    .map((it) => `${it.target} ${it.html.slice(0, 120)} ${it.failureSummary}`).join("; ")))"#;

/// The text of axe-core, which a complete run of the tests has.
pub(crate) fn axe() -> Option<String> {
    let Some(path) = std::env::var_os("CYCLELAB_AXE").map(PathBuf::from) else {
        assert!(std::env::var_os("CYCLELAB_NO_SKIPS").is_none(), "CYCLELAB_AXE is not set");
        eprintln!("skipped: CYCLELAB_AXE names no axe.min.js of the npm package axe-core");
        return None;
    };
    Some(fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// Panels are made alike: two of a kind stand for all, and axe-core takes its time over each.
const THIN: &str =
    "document.querySelectorAll('.plots > figure:nth-child(n+3)').forEach((it) => it.remove())";

fn check_by_axe(page: (&str, Make), width: u32) {
    let Some(axe) = axe() else { return };
    let Some((mut browser, _fixture)) = opened(page) else { return };
    browser.evaluate(THIN);
    browser.evaluate(UNFOLD);
    browser.evaluate(&axe);
    browser.resize(width);
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        let found = browser.evaluate(AXE);
        assert!(list(&found).is_empty(), "{} at {width} px, {scheme}: {found:#}", page.0);
    }
}

#[test]
fn axe_finds_nothing_on_a_small_screen() {
    check_by_axe(COMPLETE, WIDTHS[0]);
}

#[test]
fn axe_finds_nothing_on_a_usual_screen() {
    check_by_axe(COMPLETE, WIDTHS[1]);
}

#[test]
fn axe_finds_nothing_on_a_large_screen() {
    check_by_axe(COMPLETE, WIDTHS[2]);
}

#[test]
fn axe_finds_nothing_on_a_partial_page() {
    check_by_axe(PARTIAL, WIDTHS[1]);
}

#[test]
fn axe_finds_nothing_on_a_page_of_three_axes() {
    check_by_axe(THREE_AXES, WIDTHS[2]);
}

#[test]
fn axe_finds_nothing_on_a_page_of_failures() {
    check_by_axe(FAILURES, WIDTHS[0]);
}

/// Else the tests above would be silent whatever was wrong.
#[test]
fn axe_finds_what_is_wrong() {
    let Some(axe) = axe() else { return };
    let Some((mut browser, _fixture)) = opened(PARTIAL) else { return };
    browser.evaluate(THIN);
    browser.evaluate(&axe);
    browser.evaluate("document.querySelector('#results .tools input').labels[0].replaceWith(document.createElement('input'))");
    let found = browser.evaluate(AXE);
    assert!(list(&found).iter().any(|it| it.starts_with("critical label:")), "{found:#}");
}

/// Places where the page does not fit its window, its words or a finger.
const LAYOUT: &str = r#"(() => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.body.querySelectorAll("*")].filter((it) => it.getBoundingClientRect().right > root.clientWidth + 1
      && !it.parentElement.closest(".scroll"));
    found.push(`the page is ${root.scrollWidth} wide: ${wide.slice(0, 3).map((it) => it.outerHTML.slice(0, 90))}`);
  }
  const box = (it) => it.getBoundingClientRect();
  const shown = (it) => it.checkVisibility({ visibilityProperty: true }) && box(it).width > 0;
  const words = (it) => it.textContent.trim().slice(0, 40);

  for (const plot of [...document.querySelectorAll("svg.plot")].filter(shown)) {
    const frame = box(plot);
    const texts = [...plot.querySelectorAll("text")].filter((it) => words(it)).map((it) => [it, box(it)]);
    texts.forEach(([it, own], at) => {
      const outside = own.left < frame.left - 1 || own.right > frame.right + 1 || own.top < frame.top - 1 || own.bottom > frame.bottom + 1;
      if (outside) found.push(`${plot.querySelector("title").textContent}: “${words(it)}” leaves the drawing`);
      for (const [other, its] of texts.slice(at + 1)) {
        const over = Math.min(own.right, its.right) - Math.max(own.left, its.left);
        const across = Math.min(own.bottom, its.bottom) - Math.max(own.top, its.top);
        if (over > 1 && across > 3) found.push(`${plot.querySelector("title").textContent}: “${words(it)}” on “${words(other)}”`);
      }
    });
  }

  // WCAG 2.2, 2.5.8: 24 pixels each way, or that much apart from the next; not for links within a sentence.
  const controls = [...document.querySelectorAll("a[href], button, input, select, summary, textarea")]
    .filter((it) => shown(it) && !it.matches("p a, dd a, li a, .skip") );
  const targets = controls.map((it) => [it, it.type === "radio" || it.type === "checkbox" ? box(it.closest("label") ?? it) : box(it)]);
  const centre = (it) => [it.left + it.width / 2, it.top + it.height / 2];
  for (const [it, own] of targets.filter(([, own]) => own.width < 23.9 || own.height < 23.9)) {
    const [x, y] = centre(own);
    const near = targets.find(([other, its]) => other !== it
      && Math.hypot(Math.max(its.left - x, 0, x - its.right), Math.max(its.top - y, 0, y - its.bottom)) < 12);
    if (near) found.push(`${it.outerHTML.slice(0, 90)} is ${own.width.toFixed()} × ${own.height.toFixed()}, near ${words(near[0])}`);
  }

  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    const own = Number(heading.nodeName[1]);
    if (own > level + 1) found.push(`“${words(heading)}” is an h${own} after an h${level}`);
    level = own;
  }
  if (document.querySelectorAll("h1").length !== 1) found.push("there is not one h1");

  // Lines longer than this are lost on the way back.
  for (const text of [...document.querySelectorAll("p, li, dd")].filter(shown)) {
    // One a column that it runs through.
    const parts = [...text.getClientRects()];
    const style = getComputedStyle(text);
    const lines = parts.reduce((sum, it) => sum + it.height, 0) / Number.parseFloat(style.lineHeight);
    const characters = Math.max(...parts.map((it) => it.width)) / Number.parseFloat(style.fontSize) / 0.5;
    if (lines > 1.5 && characters > 150) found.push(`a line of ${characters.toFixed()} characters: ${words(text)}`);
  }
  return found;
})()"#;

#[test]
fn the_page_fits_every_window() {
    for page in [COMPLETE, FAILURES] {
        check_layout(page);
    }
}

#[test]
fn the_page_of_three_axes_fits_every_window() {
    check_layout(THREE_AXES);
}

fn check_layout(page: (&str, Make)) {
    let Some((mut browser, _fixture)) = opened(page) else { return };
    browser.evaluate(UNFOLD);
    for width in WIDTHS {
        browser.resize(width);
        let found = browser.evaluate(LAYOUT);
        assert!(list(&found).is_empty(), "{} at {width} px: {found:#}", page.0);
    }
}

/// Where the focus is, and what is wrong with it; nothing once it has left the page.
const FOCUS: &str = r#"(() => {
  const it = document.activeElement;
  if (!it || it === document.body) return null;
  it.dataset.reached = "";
  // A group of radio buttons is one stop; arrow keys lead on within it.
  if (it.type === "radio") document.getElementsByName(it.name).forEach((other) => { other.dataset.reached = ""; });
  // So are the pictures of a table.
  if (it.matches(".picture")) it.closest("table").querySelectorAll(".picture").forEach((other) => { other.dataset.reached = ""; });
  const own = it.getBoundingClientRect();
  const label = it.getAttribute("aria-label") ?? it.labels?.[0]?.textContent ?? it.querySelector("img")?.alt ?? it.textContent;
  const style = getComputedStyle(it);
  const wrong = [];
  if (!label.trim()) wrong.push("has no name");
  if (style.outlineStyle === "none" || Number.parseFloat(style.outlineWidth) < 2) wrong.push("shows no focus");
  if (own.width < 1 || own.bottom < 0 || own.top > innerHeight) wrong.push("is out of sight");
  return wrong.map((words) => `${it.outerHTML.slice(0, 100)} ${words}`);
})()"#;

const UNREACHED: &str = r#"[...document.querySelectorAll("a[href], button, input, select, summary, textarea, [tabindex]")]
  .filter((it) => it.checkVisibility({ visibilityProperty: true }) && !("reached" in it.dataset))
  .map((it) => it.outerHTML.slice(0, 100))"#;

/// Tabs through everything, then works what is folded, sorted, filtered and copied by keys alone.
#[test]
fn every_control_is_reached_and_worked_by_keys() {
    let Some((mut browser, _fixture)) = opened(PARTIAL) else { return };
    for stop in 0.. {
        assert!(stop < 600, "the focus goes round and never leaves the page");
        browser.press("Tab", 9);
        let wrong = browser.evaluate(FOCUS);
        if wrong.is_null() {
            break;
        }
        assert!(list(&wrong).is_empty(), "{wrong:#}");
    }
    let unreached = browser.evaluate(UNREACHED);
    assert!(list(&unreached).is_empty(), "{unreached:#}");

    let mut work = |selector: &str, keys: &[(&str, u32)], outcome: &str| {
        let focus = format!("document.querySelector({selector:?}).focus()");
        browser.evaluate(&focus);
        keys.iter().for_each(|(key, code)| browser.press(key, *code));
        let done = browser.evaluate(outcome);
        assert_eq!(done, true, "{selector}: {outcome}");
    };
    let enter: &[(&str, u32)] = &[("Enter", 13)];
    work(
        "#results th button",
        enter,
        "document.querySelector('#results th:has(button)').ariaSort === 'ascending'",
    );
    work(
        "#results th button",
        &[(" ", 32)],
        "document.querySelector('#results th:has(button)').ariaSort === 'descending'",
    );
    work("#forest summary", enter, "document.querySelector('#forest details').open");
    work(
        "#results .tools button",
        enter,
        "new Promise((ready) => setTimeout(() => ready(document.querySelector('#results [role=status]').textContent !== ''), 50))",
    );
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn nothing_is_asked_of_any_server_and_nothing_complained_of() {
    let Some((mut browser, fixture)) = opened(FAILURES) else { return };
    let own = format!("file://{}", fixture.dir.path().join("failures.html").display());
    browser.evaluate(UNFOLD);
    browser.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
    let asked: Vec<&str> =
        browser.requests().into_iter().filter(|it| !it.starts_with("data:")).collect();
    assert_eq!(asked, [own]);
    assert_eq!(browser.complaints(), [""; 0]);
    // What is checked above would have been seen.
    browser.evaluate("fetch('https://example.org/').catch(() => console.log('refused'))");
    assert!(!browser.complaints().is_empty(), "a refused request is complained of");
}
