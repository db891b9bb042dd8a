//! A page that is open while its sweep goes on.

use std::fs;
use std::path::PathBuf;

use report::Refresher;
use track::RunState;

use crate::devtools::Browser;
use crate::fixture::Fixture;
use crate::html;

/// What a page does every few seconds, at once.
const LOOK: &str = "document.dispatchEvent(new Event('visibilitychange'))";

/// A test's pages look when they are told to, and not between two of its steps.
const BY_HAND: &str = "for (let timer = 0; timer < 1000; timer += 1) clearInterval(timer)";

/// A page that somebody refreshes, open.
struct Live {
    browser: Browser,
    fixture: Fixture,
    refresher: Refresher,
    out: PathBuf,
}

/// `None` where there is no browser.
fn live() -> Option<Live> {
    let mut browser = Browser::start()?;
    let mut fixture = Fixture::new(&[0, 1]);
    fixture.record.runs.iter_mut().for_each(|run| run.samples.clear());
    let out = fixture.dir.path().join("report");
    let refresher = Refresher::begin(&out).expect("a folder").expect("nobody else is at it");
    let page = refresher.write(&fixture.record).expect("it is written").page;
    browser.open(&page);
    Some(Live { browser, fixture, refresher, out })
}

#[test]
fn an_open_page_shows_what_is_new_and_keeps_what_was_chosen() {
    let Some(Live { mut browser, mut fixture, refresher, out }) = live() else { return };
    assert!(out.join("live.js").is_file());
    browser.evaluate(BY_HAND);
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
    // Whoever else writes it does not end that.
    assert!(report::write(&fixture.record, &out).expect("it is written").is_live);
    // Whoever writes in the page is not disturbed.
    browser.evaluate("document.querySelector('#results input[type=search]').focus()");
    browser.evaluate(LOOK);
    browser.evaluate("new Promise((done) => setTimeout(done, 200))");
    assert_eq!(browser.evaluate(stamp), first);
    browser.evaluate("document.activeElement.blur()");
    browser.reload_by(LOOK);
    browser.evaluate(BY_HAND);
    assert_ne!(browser.evaluate(stamp), first);
    assert_eq!(browser.evaluate(chosen), "cycle,1,true");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());

    // The sweep ends: the last page asks no more.
    drop(refresher);
    assert!(!report::write(&fixture.record, &out).expect("it is written").is_live);
    let mut left: Vec<_> =
        fs::read_dir(&out).expect("a folder").map(|it| it.expect("an entry").file_name()).collect();
    left.sort();
    assert_eq!(left, ["data.json", "index.html", "live.js", "summary.md"]);
    browser.reload_by(LOOK);
    assert_eq!(browser.evaluate("document.getElementById('live')"), serde_json::Value::Null);
    assert_eq!(browser.evaluate(chosen), "cycle,1,true");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
    let asked = browser.requests();
    let elsewhere = asked.iter().filter(|it| !it.contains("/report/")).collect::<Vec<_>>();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

/// What has the focus, where it is in the window, and where its section and the page begin and end.
const PLACE: &str = "(() => { const at = document.activeElement;
    const top = (it) => Math.round(it.getBoundingClientRect().top);
    return { at: at.getAttribute('aria-label') ?? at.nodeName, within: at.closest('section')?.id ?? '', top: top(at),
      method: top(document.getElementById('method')), page: document.documentElement.scrollHeight,
      left: document.querySelector('#runs .scroll').scrollLeft, scrolled: scrollY }; })()";

/// What happens above shifts nothing, and the keyboard goes on from where it was.
#[test]
fn focus_and_place_are_kept_while_the_page_grows() {
    let Some(Live { mut browser, mut fixture, refresher, .. }) = live() else { return };
    browser.resize(500);
    browser.evaluate(BY_HAND);
    let mut grow = |browser: &mut Browser| {
        let cell = &mut fixture.record.plan.cells[1];
        let note = cell.note.get_or_insert_default();
        note.push_str(&"A note that takes many lines above whoever reads. ".repeat(60));
        refresher.write(&fixture.record).expect("it is written");
        browser.reload_by(LOOK);
        browser.evaluate(BY_HAND);
        browser.evaluate("new Promise((done) => setTimeout(done, 50))");
    };
    let near = |a: &serde_json::Value, b: &serde_json::Value| {
        (a.as_f64().expect("a number") - b.as_f64().expect("a number")).abs() <= 2.0
    };

    // On a control of the table of runs, which is scrolled sideways.
    browser.evaluate(
        "{ const it = document.querySelector(\"#runs button[aria-label='Copy as Markdown']\");
           it.scrollIntoView({ block: 'center' }); it.focus({ preventScroll: true });
           document.querySelector('#runs .scroll').scrollLeft = 120; }",
    );
    let before = browser.evaluate(PLACE);
    assert_eq!((&before["at"], &before["left"]), (&"Copy as Markdown".into(), &120.into()));
    grow(&mut browser);
    let after = browser.evaluate(PLACE);
    let grown = |a: &serde_json::Value, b: &serde_json::Value| {
        b["page"].as_f64().unwrap_or(0.0) > a["page"].as_f64().unwrap_or(0.0) + 300.0
    };
    assert!(grown(&before, &after), "{before} {after}");
    for name in ["at", "within", "left"] {
        assert_eq!(before[name], after[name], "{name}");
    }
    assert!(near(&before["top"], &after["top"]), "{before} {after}");

    // Nothing has the focus: what is read stays where it is.
    browser.evaluate(
        "{ document.activeElement.blur(); scrollTo(0, document.getElementById('method').offsetTop + 90); }",
    );
    let before = browser.evaluate(PLACE);
    grow(&mut browser);
    let after = browser.evaluate(PLACE);
    assert!(
        grown(&before, &after) && near(&before["method"], &after["method"]),
        "{before} {after}"
    );
    assert_eq!(before["at"], after["at"]);

    // A heading's button, of which there are two of one name; and who is at the top stays there.
    let sort = "[...document.querySelectorAll('#results th button')].filter((it) => it.textContent.startsWith('mean'))";
    browser.evaluate(&format!("{{ scrollTo(0, 0); {sort}[1].focus({{ preventScroll: true }}); }}"));
    grow(&mut browser);
    assert_eq!(browser.evaluate(&format!("{sort}.indexOf(document.activeElement)")), 1);
    assert_eq!(browser.evaluate(PLACE)["scrolled"], 0);
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn a_reader_can_have_it_stay_as_it_is() {
    let Some(Live { mut browser, fixture, refresher, out }) = live() else { return };
    browser.evaluate("document.querySelector('#live input').click()");
    drop(refresher);
    report::write(&fixture.record, &out).expect("it is written");
    browser.evaluate(LOOK);
    browser.evaluate("new Promise((done) => setTimeout(done, 200))");
    let said = browser.evaluate("document.querySelector('#live [role=status]').textContent");
    assert_eq!(said, "Stopped: this page stays as it is.");
    assert_eq!(browser.evaluate("location.hash"), "#live=off");
}

/// After a kill between the two the page is older than its news.
#[test]
fn a_page_that_does_not_fit_its_news_is_not_loaded_for_ever() {
    let Some(Live { mut browser, fixture: _fixture, refresher: _refresher, out }) = live() else {
        return;
    };
    browser.evaluate(BY_HAND);
    fs::write(out.join("live.js"), "cyclelabNews(\"another\", 0);\n").expect("it can be written");
    browser.reload_by(LOOK);
    browser.evaluate(BY_HAND);
    browser.evaluate(LOOK);
    browser.evaluate("new Promise((done) => setTimeout(done, 300))");
    let said = browser.evaluate("document.querySelector('#live [role=status]').textContent");
    assert!(said.as_str().is_some_and(|it| it.contains("not there yet")), "{said}");
}

/// Of a sweep that was killed nothing is written any more, and the page says so.
#[test]
fn a_page_says_when_nobody_refreshes_it() {
    let Some(Live { mut browser, fixture: _fixture, refresher: _refresher, out }) = live() else {
        return;
    };
    browser.evaluate(BY_HAND);
    browser.evaluate("new Promise((done) => setTimeout(done, 200))");
    let status = "document.querySelector('#live').innerText";
    let said = browser.evaluate(status);
    assert!(
        said.as_str().is_some_and(|it| it.contains("refreshes itself") && it.contains("As of"))
    );
    let news = fs::read_to_string(out.join("live.js")).expect("the news");
    let (stamp, _) = news.split_once(", ").expect("when it was written");
    fs::write(out.join("live.js"), format!("{stamp}, 1000);\n")).expect("it can be written");
    browser.evaluate(LOOK);
    browser.evaluate("new Promise((done) => setTimeout(done, 200))");
    let said = browser.evaluate(status);
    assert!(said.as_str().is_some_and(|it| it.contains("has been stopped")), "{said}");
}

#[test]
fn one_at_a_time_refreshes_a_page() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let first = Refresher::begin(dir.path()).expect("a folder");
    assert!(first.is_some() && report::is_refreshed(dir.path()));
    assert!(Refresher::begin(dir.path()).expect("a folder").is_none());
    drop(first);
    assert!(!report::is_refreshed(dir.path()));
}

#[test]
fn a_finished_page_has_nothing_of_it() {
    let page = html(&Fixture::new(&[0]).record);
    for words in ["id=\"live\"", "http-equiv=\"refresh\"", "'self'", "file:"] {
        let body = page.split("<script>").next().expect("before the script");
        assert!(!body.contains(words), "{words}");
    }
}
