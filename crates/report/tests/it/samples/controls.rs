//! Seed, step and kind of picture, by mouse and by keyboard.

use serde_json::json;

use crate::browser::in_browser;
use crate::fixture::Fixture;
use crate::html;

/// Chooses as a reader would and writes what is shown then into the page.
const PROBE: &str = r##"
const found = {};
const section = document.getElementById("samples");
const controls = document.getElementById("sample-controls");
const alt = (row, column) => [...section.querySelector(`tr[data-input="${row}"] td[data-column="${column}"]`).children].map((it) => it.querySelector("img")?.alt ?? it.textContent);
const heads = () => [...section.querySelector("table").querySelectorAll(".when")].map((it) => it.textContent);
const choose = (control, value) => {
  if (control.type === "radio") control.click();
  else {
    control.value = value;
    control.dispatchEvent(new Event("input", { bubbles: true }));
  }
};
const radio = (value) => controls.querySelector(`[value="${value}"]`);
const slider = document.getElementById("sample-step");
const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const at = () => document.activeElement.querySelector("img")?.alt ?? document.activeElement.tagName;
found.begins = [location.hash, alt(0, 0), heads(), radio("both").checked, slider.max, slider.value];
choose(slider, 0);
found.early = [location.hash, alt(0, 0), heads(), document.querySelector("#samples output").value, slider.getAttribute("aria-valuetext")];
choose(radio("idt"));
found.identity = [location.hash, alt(3, 2)];
found.status = section.querySelector("[role=status]").textContent;
choose(document.getElementById("sample-seed"), "1");
found.other = [location.hash, alt(0, 1), alt(0, 3), heads()];
choose(slider, slider.max);
found.later = [alt(0, 1), heads()];
choose(document.getElementById("sample-seed"), "0");
choose(radio("both"));
found.back = [location.hash, alt(0, 0)];
const stops = () => [...section.querySelectorAll("table")].map((it) => it.querySelectorAll('.picture[tabindex="0"]').length);
found.stops = [stops()];
section.querySelector("button.picture").focus();
found.walk = ["", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowRight", "ArrowDown", "ArrowUp", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowUp"].map((key) => (key && press(key), at()));
found.stops.push(stops());
found.pictures = [...document.images].filter((it) => it.dataset.picture || it.closest("table")).every((it) => it.naturalWidth === 32);
found.inert = document.querySelectorAll("[src=x]").length;
found.unnamed = [...section.querySelectorAll("button, select, input")].filter((it) => !it.closest("dialog") && !(it.labels?.length || it.textContent.trim() || it.querySelector("img")?.alt)).length;
document.documentElement.dataset.found = JSON.stringify(found);
"##;

const HOSTILE: &str = "\"'></script><script>alert(1)</script><img src=x onerror=alert(1)>";

#[test]
fn seed_step_and_kind_are_chosen_and_kept() {
    let mut fixture = Fixture::new(&[0, 1]);
    for run in &mut fixture.record.runs {
        run.samples.iter_mut().filter(|it| it.id == "1f34e").for_each(|it| it.id = HOSTILE.into());
    }
    fixture
        .record
        .plan
        .samples
        .iter_mut()
        .filter(|it| it.1 == "1f34e")
        .for_each(|it| it.1 = HOSTILE.into());
    let page = html(&fixture.record);
    let Some(found) = in_browser(&page, fixture.dir.path(), PROBE, "") else { return };
    let made = |what: &str, id: &str, lambda: u32, seed: u32, step: u32| {
        format!("{what} of {id}, lambda_cycle={lambda}, seed {seed}, step {step}")
    };
    let both = |step| {
        let of = |what| made(what, HOSTILE, 10, 0, step);
        json!([of("A→B translation"), of("A→B→A reconstruction")])
    };
    let none = json!(["", "", "", ""]);
    assert_eq!(found["begins"], json!(["", both(1200), none, true, "1", "1"]));
    let (early, identity) = ("#step=600", "#step=600&show=idt");
    assert_eq!(found["early"], json!([early, both(600), none, "600", "600"]));
    assert_eq!(found["identity"], json!([identity, [made("A→B identity", HOSTILE, 1, 0, 600)]]));
    assert_eq!(found["status"], "Shown: seed 0, step 600, identity.");
    // λ = 0 diverged after its picture of step 600; λ = 50 is to come.
    let ended = made("B→A identity", HOSTILE, 0, 1, 600);
    let heads = ["", "diverged, step 600", "", "pending, no sample"];
    let other = json!([format!("{identity}&seed=1"), [ended], ["pending"], heads]);
    assert_eq!(found["other"], other);
    assert_eq!(found["later"], json!([[ended], heads]), "no later picture than its last");
    assert_eq!(found["back"], json!(["", both(1200)]), "the page's own choice needs no words");
    let (input, truth) = (
        format!("Held-out input {HOSTILE}, domain A"),
        format!("True translation of {HOSTILE}, domain A"),
    );
    let [fake, rec] = ["A→B translation", "A→B→A reconstruction"]
        .map(|it| move |lambda| made(it, HOSTILE, lambda, 0, 1200));
    let below = made("A→B translation", "1f41f", 0, 0, 1200);
    assert_eq!(
        found["walk"],
        json!([
            input,
            truth,
            fake(10),
            rec(10),
            rec(0),
            below,
            rec(0),
            rec(10),
            truth,
            input,
            input,
            input
        ])
    );
    assert_eq!(found["stops"], json!([[1, 1], [1, 1]]), "one stop of Tab a table");
    assert_eq!(
        (&found["pictures"], &found["inert"], &found["unnamed"]),
        (&json!(true), &json!(0), &json!(0))
    );
}

const SHOWN: &str = r##"
document.documentElement.dataset.found = JSON.stringify({
  alt: document.querySelector('#samples td[data-column="1"] img').alt,
  seed: document.getElementById("sample-seed").value,
  step: document.querySelector("#samples output").value,
  show: document.querySelector("#sample-controls :checked[type=radio]").value,
  hash: location.hash,
});
"##;

#[test]
fn a_page_that_loads_again_shows_what_was_chosen() {
    let fixture = Fixture::new(&[0, 1]);
    let page = html(&fixture.record);
    // A step that is no longer there gives way to the one before; the address stays as it was given.
    let kept = "#seed=1&step=700&show=rec";
    let Some(found) = in_browser(&page, fixture.dir.path(), SHOWN, kept) else { return };
    let expected = json!({
        "alt": "A→B→A reconstruction of 1f34e, lambda_cycle=0, seed 1, step 600",
        "seed": "1", "step": "600", "show": "rec", "hash": kept,
    });
    assert_eq!(found, expected);
    let nonsense = "#seed=9&step=x&show=%3Cb%3E&pair=0+fake:9+real+side";
    let found = in_browser(&page, fixture.dir.path(), SHOWN, nonsense).expect("as before");
    assert_eq!(
        (&found["alt"], &found["seed"], &found["show"]),
        (
            &json!("A→B translation of 1f34e, lambda_cycle=0, seed 0, step 1200"),
            &json!("0"),
            &json!("both")
        )
    );
}
