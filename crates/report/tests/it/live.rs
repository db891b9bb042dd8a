//! A page that is open while its sweep goes on.

use track::RunState;

use crate::devtools::Browser;
use crate::fixture::Fixture;
use crate::html;

/// What a page does every few seconds, at once.
const LOOK: &str = "document.dispatchEvent(new Event('visibilitychange'))";

#[test]
fn an_open_page_shows_what_is_new_and_keeps_what_was_chosen() {
    let Some(mut browser) = Browser::start() else { return };
    let mut fixture = Fixture::new(&[0, 1]);
    fixture.record.runs.iter_mut().for_each(|run| run.samples.clear());
    let out = fixture.dir.path().join("report");
    let page = report::write_live(&fixture.record, &out).expect("it is written");
    assert!(out.join("live.js").is_file());
    browser.open(&page);
    let stamp = "document.getElementById('live').dataset.stamp";
    let first = browser.evaluate(stamp);
    assert_eq!(browser.evaluate("document.getElementById('live').hidden"), false);

    // Chosen by a reader: a filter, an order, something opened.
    browser.evaluate(
        "{ const it = document.querySelector('#results input[type=search]');
           it.value = 'cycle'; it.dispatchEvent(new Event('input'));
           document.querySelector('#results th[data-sortable] button').click();
           document.querySelector('#runs details').open = true; }",
    );
    // The browser tells of the opening a moment later.
    browser.evaluate("new Promise((done) => setTimeout(done, 50))");
    let chosen = "[document.querySelector('#results input[type=search]').value,
        document.querySelectorAll('#results th[aria-sort=ascending]').length,
        document.querySelector('#runs details').open].join()";
    assert_eq!(browser.evaluate(chosen), "cycle,1,true");

    let ended = fixture.record.runs.iter_mut().find(|run| run.state == RunState::Planned);
    ended.expect("one is to come").state = RunState::Interrupted;
    report::write_live(&fixture.record, &out).expect("it is written");
    // Whoever writes in the page is not disturbed.
    browser.evaluate("document.querySelector('#results input[type=search]').focus()");
    browser.evaluate(LOOK);
    browser.evaluate("new Promise((done) => setTimeout(done, 200))");
    assert_eq!(browser.evaluate(stamp), first);
    browser.evaluate("document.activeElement.blur()");
    browser.reload_by(LOOK);
    assert_ne!(browser.evaluate(stamp), first);
    assert_eq!(browser.evaluate(chosen), "cycle,1,true");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());

    // The sweep ends: the last page asks no more.
    report::write(&fixture.record, &out).expect("it is written");
    assert!(!out.join("live.js").exists());
    browser.reload_by(LOOK);
    assert_eq!(browser.evaluate("document.getElementById('live')"), serde_json::Value::Null);
    assert_eq!(browser.evaluate(chosen), "cycle,1,true");
    let asked = browser.requests();
    let elsewhere = asked.iter().filter(|it| !it.contains("/report/")).collect::<Vec<_>>();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

#[test]
fn a_reader_can_have_it_stay_as_it_is() {
    let Some(mut browser) = Browser::start() else { return };
    let mut fixture = Fixture::new(&[0, 1]);
    fixture.record.runs.iter_mut().for_each(|run| run.samples.clear());
    let out = fixture.dir.path().join("report");
    let page = report::write_live(&fixture.record, &out).expect("it is written");
    browser.open(&page);
    browser.evaluate("document.querySelector('#live input').click()");
    report::write(&fixture.record, &out).expect("it is written");
    browser.evaluate(LOOK);
    browser.evaluate("new Promise((done) => setTimeout(done, 200))");
    let said = browser.evaluate("document.querySelector('#live [role=status]').textContent");
    assert_eq!(said, "Stopped: this page stays as it is.");
    assert_eq!(browser.evaluate("location.hash"), "#live=off");
}

#[test]
fn a_finished_page_has_nothing_of_it() {
    let page = html(&Fixture::new(&[0]).record);
    for words in ["id=\"live\"", "http-equiv=\"refresh\"", "'self'", "file:"] {
        let body = page.split("<script>").next().expect("before the script");
        assert!(!body.contains(words), "{words}");
    }
}
