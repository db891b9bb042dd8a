//! Learning curves by other axes than those they are printed with.

use std::fs;

use serde_json::Value;
use track::{MetricRow, RunState, Split};

use crate::devtools::Browser;
use crate::fixture::Fixture;
use crate::html;

/// What the figure of a metric shows: its axes' words, its means by pixel, and whether the printed
/// drawing is hidden.
const LOOK: &str = r##"((title) => {
  const figure = [...document.querySelectorAll("#curves figure")].find((it) => it.querySelector("figcaption").textContent === title);
  const plot = figure.querySelector("svg.plot");
  const drawn = plot.querySelector(".redrawn");
  const root = drawn ?? plot;
  return {
    words: [...root.querySelectorAll("text")].map((it) => it.textContent.trim()),
    means: [...root.querySelectorAll("polyline.series")].map((it) => it.getAttribute("points").trim().split(" ").length),
    hidden: getComputedStyle(plot.querySelector(":scope > polyline")).display === "none",
    crosses: root.querySelectorAll("path.trace").length,
    note: figure.querySelector(".note.axis")?.textContent ?? "",
  };
})"##;

fn choose(browser: &mut Browser, menu: usize, value: &str) {
    browser.evaluate(&format!(
        "{{ const it = document.querySelectorAll('#curves .controls select')[{menu}];
            it.value = '{value}'; it.dispatchEvent(new Event('change')); }}"
    ));
}

fn words(found: &Value) -> Vec<&str> {
    found["words"].as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

#[test]
fn curves_are_drawn_by_epochs_images_and_time_and_on_a_logarithmic_scale() {
    let Some(mut browser) = Browser::start() else { return };
    let mut fixture = Fixture::new(&[0, 1]);
    for run in &mut fixture.record.runs {
        run.samples.clear();
        for row in &mut run.rows {
            (row.epoch, row.images) = (row.step as f32 / 100.0, 4 * row.step);
            if row.name == "loss/d_a" {
                row.value -= 0.25;
            }
        }
    }
    let page = fixture.dir.path().join("page.html");
    fs::write(&page, html(&fixture.record)).expect("a temporary folder can be written");
    browser.open(&page);
    let cycle = format!("{LOOK}('Cycle A')");
    let printed = browser.evaluate(&cycle);
    assert_eq!(printed["hidden"], false);

    choose(&mut browser, 0, "epoch");
    let by_epoch = browser.evaluate(&cycle);
    assert_eq!(by_epoch["hidden"], true);
    assert_eq!(by_epoch["means"].as_array().map(Vec::len), Some(4), "a mean a cell: {by_epoch}");
    assert!(words(&by_epoch).contains(&"epoch") && words(&by_epoch).contains(&"10"), "{by_epoch}");
    assert_eq!(by_epoch["crosses"], 1, "the run that diverged");
    choose(&mut browser, 0, "images");
    assert!(words(&browser.evaluate(&cycle)).contains(&"4000"));
    choose(&mut browser, 0, "minutes");
    let by_time = browser.evaluate(&cycle);
    assert!(words(&by_time).iter().any(|it| it.starts_with("minutes of training")), "{by_time}");

    choose(&mut browser, 1, "log");
    let logarithmic = browser.evaluate(&cycle);
    for tick in ["0.1", "0.2", "0.5"] {
        assert!(words(&logarithmic).contains(&tick), "{tick}: {logarithmic}");
    }
    let crossing = browser.evaluate(&format!("{LOOK}('Discriminator A')"));
    let note = crossing["note"].as_str().expect("words");
    assert!(note.contains("no positive values") || note.contains("have no place"), "{crossing}");

    choose(&mut browser, 2, "15");
    assert_eq!(browser.evaluate("location.hash"), "#x=minutes&y=log&smooth=15");
    let smooth = browser.evaluate(&cycle);
    assert_ne!(smooth, browser.evaluate(&format!("{LOOK}('Cycle B')")));
    assert_eq!(smooth["means"], logarithmic["means"], "as many points");

    for (menu, value) in [(0, "step"), (1, "linear"), (2, "1")] {
        choose(&mut browser, menu, value);
    }
    assert_eq!(browser.evaluate(&cycle), printed, "as it was");
    assert_eq!(browser.evaluate("location.hash"), "");
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
}

#[test]
fn where_a_run_went_on_is_marked() {
    let mut fixture = Fixture::new(&[0, 1]);
    let marks = |page: &str| {
        let figure = page.split("Cycle A over training steps</title>").nth(1).expect("a figure");
        let svg = figure.split("</svg>").next().expect("it ends");
        svg.matches("class=\"trace s0\" stroke-width=\"6\"").count()
    };
    let before = html(&fixture.record);
    assert_eq!(marks(&before), 0);
    assert!(!before.contains("went on in a later attempt."));
    let completed = |run: &&mut track::RunRecord| run.state == RunState::Completed && run.cell == 2;
    let run = fixture.record.runs.iter_mut().find(completed).expect("the baseline's");
    let later = run.rows.iter_mut().filter(|row| row.step > 500 && row.split == Split::Train);
    later.for_each(|row| row.attempt = 2);
    let after = html(&fixture.record);
    assert_eq!(marks(&after), 1);
    assert!(after.contains("Short upright line: where a run went on in a later attempt."));
}

/// A list that is longer than what is drawn is folded.
#[test]
fn many_metrics_without_a_curve_are_folded() {
    let with = |count: usize| {
        let mut fixture = Fixture::new(&[0]);
        for run in &mut fixture.record.runs {
            run.rows.retain(|row| !row.name.starts_with("eval/ssim"));
            let last = run.rows.last().expect("a row").clone();
            run.rows.extend(
                (0..count).map(|at| MetricRow { name: format!("eval/own_{at}"), ..last.clone() }),
            );
        }
        html(&fixture.record)
    };
    let few = with(8);
    assert!(
        few.contains("Recorded once a run, hence no curve: ") && !few.contains("recorded-once")
    );
    let many = with(9);
    assert!(many.contains("<details id=\"recorded-once\"><summary>Recorded once a run, hence no curve: 9 metrics</summary>"));
}
