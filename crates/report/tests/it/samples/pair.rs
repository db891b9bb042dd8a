//! Two pictures side by side, in turn, and their difference.

use std::fs;

use serde_json::json;

use crate::browser::in_browser;
use crate::fixture::Fixture;

/// Opens and drives the dialog as a reader would.
const PROBE: &str = r##"
const found = {};
const dialog = document.getElementById("pair");
const wait = (time) => new Promise((done) => setTimeout(done, time));
// Frames and decoders keep real time, which the browser lets pass while a file is being loaded only.
const until = async (is) => {
  const { file } = samples.data.pictures[0];
  const load = (at) => new Promise((done) => Object.assign(new Image(), { onload: done, onerror: done, src: `${file}?${at}` }));
  for (let tries = 0; tries < 300 && !is(); tries += 1) await load(tries);
};
const closing = async (act) => {
  let told = false;
  dialog.addEventListener("close", () => { told = true; }, { once: true });
  act();
  await until(() => told);
};
const said = () => ["a", "b"].map((side) => document.querySelector(`#pair-${side} figcaption`).textContent);
const seen = () => ["a", "b"].map((side) => document.querySelector(`#pair-${side} .frame`).checkVisibility());
const press = (key, on = document.activeElement) => on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const view = (value) => dialog.querySelector(`[value="${value}"]`).click();
const auto = document.getElementById("pair-auto");
(async () => {
  await wait(50);
  found.kept = [dialog.open, ...said()];
  await closing(() => document.getElementById("pair-close").click());
  const opener = document.querySelector('#samples button[data-name="fake:1"][data-input="0"]');
  opener.focus();
  opener.click();
  await Promise.all([...dialog.querySelectorAll("img")].map((it) => it.decode()));
  const widths = () => ["a", "b"].map((side) => document.querySelector(`#pair-${side} img`).naturalWidth);
  found.opened = [dialog.open, document.activeElement.id, said(), seen(), widths(), location.hash];
  found.menu = [...document.querySelector("#pair-a select").options].length;
  const walked = (key) => (press(key), said()[0]);
  found.walk = ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", ",", "."].map(walked);
  press("f");
  found.swapped = said();
  press("f");
  const menu = document.querySelector("#pair-b select");
  menu.value = "real";
  menu.dispatchEvent(new Event("change"));
  found.chosen = said();
  press("ArrowLeft", menu);
  found.untouched = said()[0] === found.chosen[0];
  view("difference");
  const canvas = dialog.querySelector("canvas");
  await until(() => canvas.checkVisibility());
  found.difference = [said()[1], canvas.checkVisibility(), canvas.width > 0, document.querySelector("#pair-b img").checkVisibility()];
  view("flicker");
  found.flicker = [auto.getAttribute("aria-pressed"), seen()];
  await wait(600);
  found.flicker.push(seen());
  await wait(500);
  found.flicker.push(seen());
  press(" ", document.getElementById("pair-stage"));
  found.held = [auto.getAttribute("aria-pressed"), seen()];
  await wait(1200);
  found.held.push(seen());
  auto.click();
  found.held.push(auto.getAttribute("aria-pressed"));
  press("ArrowRight", document.getElementById("pair-stage"));
  await closing(() => dialog.requestClose());
  found.closed = [dialog.open, document.activeElement.dataset.name, location.hash];
  document.documentElement.dataset.found = JSON.stringify(found);
})();
"##;

#[test]
fn two_pictures_are_laid_side_by_side() {
    let fixture = Fixture::new(&[0]).pictured(&[600, 1200], 160);
    let out = fixture.dir.path().join("report");
    let page = report::write(&fixture.record, &out).expect("a temporary folder can be written");
    let page = fs::read_to_string(page.page).expect("it was written");
    let kept = "#pair=1+rec:lambda_cycle%3D1+truth+side";
    let Some(found) = in_browser(&page, &out, PROBE, kept) else { return };
    let fake = |id: &str, lambda: u32, step: u32| {
        format!("A→B translation of {id}, lambda_cycle={lambda}, seed 0, step {step}")
    };
    let rec = "A→B→A reconstruction of 1f41f, lambda_cycle=1, seed 0, step 1200";
    assert_eq!(found["kept"], json!([true, rec, "True translation of 1f41f, domain A"]));
    let (a, b) = (fake("1f34e", 0, 1200), fake("1f34e", 10, 1200));
    assert_eq!(
        found["opened"],
        json!([
            true,
            "pair-stage",
            [a, b],
            [true, true],
            [160, 160],
            "#pair=0+fake%3Alambda_cycle%3D0+fake%3Alambda_cycle%3D10+side"
        ]),
        "beside the baseline's, as saved"
    );
    assert_eq!(found["menu"], 2 + 3 * 4);
    let walk = [
        fake("1f34e", 1, 1200),
        fake("1f34e", 0, 1200),
        fake("1f41f", 0, 1200),
        fake("1f34e", 0, 1200),
        fake("1f34e", 0, 600),
        fake("1f34e", 0, 1200),
    ];
    assert_eq!(found["walk"], json!(walk));
    assert_eq!(found["swapped"], json!([b, a]));
    assert_eq!(found["chosen"], json!([a, "Held-out input 1f34e, domain A"]));
    assert_eq!(found["untouched"], true, "a menu keeps its own keys");
    let said = found["difference"][0].as_str().expect("a text");
    let mean: f64 =
        said["|A − B| of the reduced pictures, mean ".len()..][..5].parse().expect("a number");
    assert!((0.2..0.8).contains(&mean), "drawn in white on blue, filled on white: {said}");
    assert_eq!(
        found["difference"].as_array().expect("a list")[1..],
        [json!(true), json!(true), json!(false)]
    );
    assert_eq!(found["flicker"], json!(["true", [true, false], [true, false], [false, true]]));
    let held = &found["held"];
    assert_eq!((&held[0], &held[1]), (&json!("false"), &held[2]), "swapped by hand, it stays");
    assert_eq!((&held[1], &held[3]), (&json!([true, false]), &json!("true")));
    assert_eq!(found["closed"], json!([false, "fake:2", ""]), "where the reader has come to");
}
