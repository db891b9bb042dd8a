//! The ways to a run's part, and from there to its pictures and its folder.

use std::fs;

use report::{Options, render};
use serde_json::json;

use super::{anchor, part, recorded};
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

const RELOAD: &str = "setTimeout(() => location.reload())";

/// What a link does, it does a moment later.
const SOON: &str = "new Promise((done) => setTimeout(done, 400))";

#[test]
fn a_link_to_a_run_opens_its_part() {
    let Some(mut browser) = Browser::start() else { return };
    let fixture = recorded(&[0, 1]);
    let page = fixture.dir.path().join("page.html");
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    browser.resize(1280);
    browser.open(&page.with_file_name("page.html#run-3af1c005"));
    browser.evaluate(SOON);
    assert_eq!(browser.evaluate(OPEN)[0], "run-by-run run-3af1c005");
    let place = "document.getElementById('run-3af1c005').getBoundingClientRect().top";
    let top = browser.evaluate(place).as_f64().expect("a number");
    assert!((0.0..900.0).contains(&top), "it is in sight: {top}");
    // What it has opened is kept like what a reader opens, beside a second one.
    let hash = "location.hash";
    assert_eq!(browser.evaluate(hash), "#open=run-by-run+run-3af1c005");
    browser.evaluate("document.querySelector('#runs tbody a[href$=run-3af1c006]').click()");
    browser.evaluate(SOON);
    let both = "run-by-run run-3af1c005 run-3af1c006";
    assert_eq!(browser.evaluate(hash), format!("#open={}", both.replace(' ', "+")));
    // One that is open already has the address for a moment only.
    browser.evaluate("document.querySelector('#runs tbody a[href$=run-3af1c005]').click()");
    browser.evaluate(SOON);
    assert_eq!(browser.evaluate(hash), format!("#open={}", both.replace(' ', "+")));
    browser.reload_by(RELOAD);
    browser.evaluate(SOON);
    assert_eq!(browser.evaluate(OPEN)[0], both);
    assert_eq!(browser.evaluate(OPEN)[1], "BODY", "who reads elsewhere stays there");
    // Shut by hand it stays shut.
    browser.evaluate("{ document.getElementById('run-3af1c005').open = false; }");
    browser.evaluate(SOON);
    browser.reload_by(RELOAD);
    browser.evaluate(SOON);
    assert_eq!(browser.evaluate(OPEN)[0], "run-by-run run-3af1c006");

    // From the table by keys, and on from there.
    browser.open(&page);
    assert_eq!(browser.evaluate(OPEN)[0], "");
    browser.evaluate("document.querySelector('#runs tbody a[href$=run-3af1c006]').focus()");
    browser.press("Enter", 13);
    browser.evaluate(SOON);
    let open = json!(["run-by-run run-3af1c006", "run-3af1c006", true]);
    assert_eq!(browser.evaluate(OPEN), open);
    browser.press("Tab", 9);
    let at = "document.activeElement.parentElement.id";
    assert_eq!(browser.evaluate(at), "run-3af1c006-leaves");
    browser.press("Enter", 13);
    browser.evaluate(SOON);
    let open = "run-by-run run-3af1c006 run-3af1c006-leaves";
    assert_eq!(browser.evaluate(hash), format!("#open={}", open.replace(' ', "+")));
    browser.reload_by(RELOAD);
    assert_eq!(browser.evaluate(OPEN)[0], open, "kept");
    // Closed by hand and asked for again.
    browser.evaluate("{ document.getElementById('run-3af1c006').open = false; }");
    browser.evaluate("document.querySelector('#runs tbody a[href$=run-3af1c006]').click()");
    browser.evaluate(SOON);
    assert_eq!(browser.evaluate("document.getElementById('run-3af1c006').open"), true);
    // One that went wrong lies outside the fold.
    browser.evaluate("document.querySelector('.failures a').click()");
    browser.evaluate(SOON);
    assert_eq!(browser.evaluate(OPEN)[1], "run-3af1c004");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn a_run_s_pictures_are_shown_in_the_grid() {
    let Some(mut browser) = Browser::start() else { return };
    let fixture = recorded(&[0, 1]);
    let page = fixture.dir.path().join("page.html");
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    browser.open(&page);
    let status = "document.querySelector('#samples [role=status]').textContent";
    assert_eq!(
        browser.evaluate(status),
        "Shown: seed 0, step 1200, translation and reconstruction."
    );
    // A part that lies in a closed one tells nobody that it is opened.
    browser.evaluate("{ document.getElementById('run-by-run').open = true; }");
    let go = |index: usize| {
        format!(
            "{{ const it = document.getElementById('{}'); it.open = true; it.querySelector('.to-samples').click(); }}",
            anchor(index)
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
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

/// Each costs time when the page is opened, and of many runs most are never looked at.
#[test]
fn a_folded_table_is_measured_when_it_is_unfolded() {
    let Some(mut browser) = Browser::start() else { return };
    let fixture = recorded(&[0, 1]);
    let page = fixture.dir.path().join("page.html");
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    browser.resize(400);
    browser.open(&page);
    browser.evaluate(SOON);
    let hints = "document.querySelectorAll('.run-parts .hint').length";
    assert_eq!(browser.evaluate(hints), 0);
    let shown = "document.querySelector('#runs > .tools ~ .hint').hidden";
    assert_eq!(browser.evaluate(shown), false, "what is seen at once is told at once");
    // Runs within an open fold are folded still.
    browser.evaluate("{ document.getElementById('run-by-run').open = true; }");
    browser.evaluate(SOON);
    assert_eq!(browser.evaluate(hints), 0);
    browser.evaluate("{ document.getElementById('run-3af1c005').open = true; }");
    browser.evaluate(SOON);
    assert_eq!(browser.evaluate(hints), 2, "what differs, and the checkpoints");
    browser.evaluate("{ document.getElementById('run-3af1c005-leaves').open = true; }");
    browser.evaluate(SOON);
    let own = "[...document.querySelectorAll('#run-3af1c005-leaves .hint')].map((it) => it.hidden)";
    let fits = "(() => { const it = document.querySelector('#run-3af1c005-leaves .scroll');
        return [it.scrollWidth <= it.clientWidth + 1]; })()";
    let fits = browser.evaluate(fits);
    assert_eq!(browser.evaluate(own), fits);
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

/// What a reader presses, fold by fold, and what is open of it.
const PRESS: &str = "((fold) => new Promise((done) => {
  document.querySelector(`${fold} > summary`).click();
  setTimeout(done, 50);
}))";

#[test]
fn data_within_a_run_s_part_stay_open() {
    let Some(mut browser) = Browser::start() else { return };
    let fixture = recorded(&[0, 1]);
    let mut early = fixture.record.clone();
    // Of the cell's other seed nothing is known yet: the caption grows when it is.
    early.runs[5].rows.clear();
    let page = fixture.dir.path().join("page.html");
    fs::write(&page, html(&early)).expect("a temporary folder can be written");
    browser.open(&page);
    let part = format!("#{}", anchor(1));
    let data = format!("{part} figure:first-of-type details");
    for fold in ["#run-by-run", &part, &data] {
        browser.evaluate(&format!("{PRESS}('{fold}')"));
    }
    let open =
        format!("[...document.querySelectorAll('{part} figure details')].map((it) => it.open)");
    let caption = format!("document.querySelector('{part} figcaption').textContent");
    let opened = browser.evaluate(&open);
    assert_eq!((&opened[0], &opened[1]), (&json!(true), &json!(false)));
    let before = browser.evaluate(&caption);
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    browser.reload_by(RELOAD);
    assert_ne!(browser.evaluate(&caption), before, "it has grown");
    assert_eq!(browser.evaluate(&open), opened);
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

/// The grid has no room for all cells.
#[test]
fn a_run_that_the_grid_leaves_out_says_so() {
    let Some(mut browser) = Browser::start() else { return };
    let pictured = Fixture::new(&[0]);
    let mut fixture = Fixture::wide(14, &[0]);
    for run in &mut fixture.record.runs {
        run.folder = pictured.record.runs[0].folder.clone();
        run.samples = pictured.record.runs[0].samples.clone();
    }
    let page = fixture.dir.path().join("page.html");
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    browser.open(&page);
    let columns = browser.evaluate("samples.data.columns");
    let shown = |cell: usize| {
        let label = &fixture.record.plan.cells[cell].label;
        columns.as_array().expect("a list").iter().any(|it| it == label.as_str())
    };
    let mut left_out = 0;
    for cell in 0..14 {
        let link = format!("#runs tbody a[href$={}]", anchor(cell));
        browser.evaluate(&format!("document.querySelector('{link}').click()"));
        browser.evaluate("new Promise((done) => setTimeout(done, 20))");
        let said = browser.evaluate(&format!(
            "document.querySelector('#{} .to-samples').parentElement.innerText",
            anchor(cell)
        ));
        let says_so =
            said.as_str().expect("a text").contains("this page's grid leaves the run out");
        assert_eq!(says_so, !shown(cell), "{said}");
        left_out += usize::from(says_so);
    }
    let shown = columns.as_array().map(Vec::len).expect("a list");
    assert!(left_out > 0 && left_out + shown == 14, "{columns}");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn a_hint_tells_of_what_is_hidden_and_not_of_a_few_pixels() {
    let Some(mut browser) = Browser::start() else { return };
    let fixture = recorded(&[0, 1]);
    let page = fixture.dir.path().join("page.html");
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    browser.resize(1280);
    browser.open(&page);
    let hidden = |over: u32| {
        format!(
            "new Promise((done) => {{
               const region = document.querySelector('#runs .scroll');
               const inner = document.createElement('div');
               inner.textContent = 'wide';
               region.style.width = '{}px';
               inner.style.width = '{}px';
               region.replaceChildren(inner);
               setTimeout(() => done([region.scrollWidth - region.clientWidth, region.previousElementSibling.hidden]), 100);
             }})",
            600 + over,
            600 + 2 * over
        )
    };
    assert_eq!(browser.evaluate(&hidden(3)), json!([3, true]));
    assert_eq!(browser.evaluate(&hidden(20)), json!([20, false]));
}
