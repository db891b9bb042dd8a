//! The ways to a run's part, and from there to its pictures and its folder.

use std::fs;

use report::{Options, render};
use serde_json::{Value, json};

use super::{part, recorded};
use crate::devtools::Browser;
use crate::fixture::Fixture;
use crate::html;
use crate::scores::check_in;

#[test]
fn links_within_the_page_lead_somewhere() {
    for fixture in [recorded(&[0, 1]), Fixture::wide(33, &[0, 1])] {
        let page = html(&fixture.record);
        let links: Vec<&str> =
            page.split("href=\"#").skip(1).filter_map(|it| it.split('"').next()).collect();
        assert!(
            links.iter().filter(|it| it.starts_with("run-")).count() >= fixture.record.runs.len()
        );
        for link in links {
            assert_eq!(page.matches(&format!(" id=\"{link}\"")).count(), 1, "{link}");
        }
    }
}

/// From the page's own folder, where the store is near; a page that is handed over has none.
#[test]
fn a_run_s_folder_is_linked_from_where_the_page_lies() {
    let fixture = recorded(&[0]);
    let beside = fixture.dir.path().join("reports/lambda");
    fs::create_dir_all(&beside).expect("a temporary folder can be written");
    let page = |beside| {
        let options = Options { beside, ..Options::default() };
        render(&fixture.record, &options).expect("it renders").html
    };
    let links = |page: &str| -> Vec<String> {
        let links = part(page, 1).split("<a href=\"./").skip(1);
        links.filter_map(|it| it.split('"').next()).map(String::from).collect()
    };
    let linked = links(&page(Some(beside.clone())));
    assert_eq!(linked.len(), 2, "the last step's pictures, and the run: {linked:?}");
    for link in linked {
        assert!(beside.join(link.replace("%3D", "=")).is_dir(), "{link}");
    }
    assert_eq!(links(&page(None)), [""; 0]);
    check_in(part(&page(None), 1), &["/samples/step-0001200/</code>"]);
}

/// What is open of the runs, where the focus is, and whether it is in sight.
const OPEN: &str = r##"(() => {
  const at = document.activeElement;
  const { top } = at.getBoundingClientRect();
  return [[...document.querySelectorAll("#runs details[open]")].map((it) => it.id).join(" "),
    at.matches("summary") ? at.parentElement.id : at.nodeName, top >= 0 && top < innerHeight];
})()"##;

/// What a link does, it does a moment later.
const SOON: &str = "new Promise((done) => setTimeout(done, 60))";

#[test]
fn a_link_to_a_run_opens_its_part() {
    let Some(mut browser) = Browser::start() else { return };
    let fixture = recorded(&[0, 1]);
    let page = fixture.dir.path().join("page.html");
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    browser.resize(1280);
    browser.open(&page.with_file_name("page.html#run-5"));
    browser.evaluate(SOON);
    assert_eq!(browser.evaluate(OPEN)[0], "run-by-run run-5");
    let place = "document.getElementById('run-5').getBoundingClientRect().top";
    let top = browser.evaluate(place).as_f64().expect("a number");
    assert!((0.0..900.0).contains(&top), "it is in sight: {top}");
    assert_eq!(browser.evaluate("location.hash"), "#run-5", "as it was handed on");

    // From the table by keys, and on from there.
    browser.open(&page);
    assert_eq!(browser.evaluate(OPEN)[0], "");
    browser.evaluate("document.querySelector('#runs tbody a[href$=run-6]').focus()");
    browser.press("Enter", 13);
    browser.evaluate(SOON);
    assert_eq!(browser.evaluate(OPEN), json!(["run-by-run run-6", "run-6", true]));
    browser.press("Tab", 9);
    assert_eq!(browser.evaluate("document.activeElement.parentElement.id"), "run-6-leaves");
    browser.press("Enter", 13);
    browser.evaluate(SOON);
    assert_eq!(browser.evaluate("location.hash"), "#open=run-by-run+run-6+run-6-leaves");
    browser.reload_by("setTimeout(() => location.reload())");
    assert_eq!(browser.evaluate(OPEN)[0], "run-by-run run-6 run-6-leaves", "kept");
    // Closed by hand and asked for again.
    browser.evaluate("{ document.getElementById('run-6').open = false; }");
    browser.evaluate("document.querySelector('#runs tbody a[href$=run-6]').click()");
    browser.evaluate(SOON);
    assert_eq!(browser.evaluate("document.getElementById('run-6').open"), true);
    // One that went wrong lies outside the fold.
    browser.evaluate("document.querySelector('.failures a').click()");
    browser.evaluate(SOON);
    assert_eq!(browser.evaluate(OPEN)[1], "run-4");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn a_run_s_pictures_are_shown_in_the_grid() {
    let Some(mut browser) = Browser::start() else { return };
    let mut fixture = recorded(&[0, 1]);
    // One that the grid has no pictures of: of a third seed.
    let mut late = fixture.record.runs[5].clone();
    (late.index, late.seed) = (8, 9);
    late.samples.iter_mut().for_each(|it| it.path = "gone.png".into());
    fixture.record.plan.cells[1].seeds.push(9);
    fixture.record.runs.push(late);
    fixture.record.runs[8].samples.clear();
    let page = fixture.dir.path().join("page.html");
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    browser.open(&page);
    let status = "document.querySelector('#samples [role=status]').textContent";
    assert_eq!(
        browser.evaluate(status),
        "Shown: seed 0, step 1200, translation and reconstruction."
    );
    let go = |index: usize| {
        format!(
            "{{ const it = document.getElementById('run-{index}'); it.open = true; it.querySelector('.to-samples').click(); }}"
        )
    };
    browser.evaluate(&go(4));
    browser.evaluate(SOON);
    assert_eq!(
        browser.evaluate(status),
        "Shown: seed 1, step 600, translation and reconstruction."
    );
    browser.evaluate("chosen.keep()");
    let address = browser.evaluate("location.hash").to_string();
    assert!(address.contains("seed=1") && address.contains("step=600"), "{address}");
    browser.evaluate(&go(1));
    browser.evaluate(SOON);
    assert_eq!(
        browser.evaluate(status),
        "Shown: seed 0, step 1200, translation and reconstruction."
    );
    assert_eq!(
        browser.evaluate("document.getElementById('run-8').querySelector('.to-samples')"),
        Value::Null
    );
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}
