//! The page's tools in a browser, under the page's own policy.

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::fixture::Fixture;
use crate::fixture::scores::WORSE;
use crate::html;
use crate::scores::SEVEN;

/// Presses what a reader would press and writes what comes of it into the page.
const PROBE: &str = r##"
const found = {};
const note = (name, said) => { found[name] = said; };
Object.defineProperty(navigator, "clipboard", { value: { writeText: async (said) => note("copied", said) } });
const saved = [];
URL.createObjectURL = (blob) => { saved.push(blob.text()); return "#"; };
URL.revokeObjectURL = () => {};
(async () => {
  const tools = document.querySelector("#results .tools");
  const [csv, markdown, latex] = tools.querySelectorAll("button");
  const input = tools.querySelector("input");
  const type = (said) => { input.value = said; input.dispatchEvent(new Event("input")); };
  const press = async (name, button) => { button.click(); await null; await null; note(name, found.copied); };
  await press("csv", csv);
  await press("latex", latex);
  type("WORSE");
  note("status", tools.querySelector("[role=status]").textContent);
  await press("markdown", markdown);
  type("");
  const shown = document.querySelectorAll("#results table")[0].tBodies[0].rows;
  note("all", [...shown].filter((row) => !row.hidden).length);
  for (const button of document.querySelector("#curves figure").querySelectorAll(".take button")) button.click();
  document.querySelector("#effects figure .take button").click();
  [found.points, found.svg, found.data] = await Promise.all(saved);
  note("bare", [...document.querySelectorAll("figure.panel")].filter((it) => !it.querySelector(".take")).length);
  document.documentElement.dataset.found = JSON.stringify(found);
})();
"##;

/// `None` where there is no browser, which a complete run of the tests does not accept.
/// `choices` is what the page's address ends with.
pub(crate) fn in_browser(
    page: &str,
    dir: &Path,
    probe: &str,
    choices: &str,
) -> Option<serde_json::Value> {
    let is_there = Command::new("chromium").arg("--version").output().is_ok();
    if !is_there {
        assert!(std::env::var_os("CYCLELAB_NO_SKIPS").is_none(), "chromium is missing");
        return None;
    }
    // The policy stays; it allows one script more.
    let hash = STANDARD.encode(Sha256::digest(probe));
    let page = page.replacen("script-src ", &format!("script-src 'sha256-{hash}' "), 1);
    let page = page.replacen("</body>", &format!("<script>{probe}</script></body>"), 1);
    let path = dir.join("page.html");
    fs::write(&path, page).expect("a temporary folder can be written");
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-quic"])
        .args(["--enable-logging=stderr", "--v=0", "--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", dir.join("browser").display()))
        .arg(format!("file://{}{choices}", path.display()))
        .output()
        .expect("the browser starts");
    let console = String::from_utf8_lossy(&output.stderr);
    assert!(!console.contains("CONSOLE"), "{console}");
    let dom = String::from_utf8_lossy(&output.stdout);
    let found = dom.split("data-found=\"").nth(1).and_then(|it| it.split('"').next());
    let found = found.expect("the probe ran to its end").replace("&quot;", "\"");
    let found = found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    Some(serde_json::from_str(&found).expect("the probe writes JSON"))
}

#[test]
fn tables_and_figures_can_be_taken_along() {
    let mut fixture = Fixture::scored(&SEVEN);
    fixture.record.runs.iter_mut().for_each(|run| run.samples.clear());
    fixture.record.plan.axes[0].label = "=λ_c, 1".into();
    let page = html(&fixture.record);
    let Some(found) = in_browser(&page, fixture.dir.path(), PROBE, "") else { return };
    let said = |name: &str| found[name].as_str().unwrap_or_else(|| panic!("{name}: {found}"));
    let check = |name: &str, expected: &[&str]| {
        for words in expected {
            assert!(said(name).contains(words), "{name}: `{words}` not in {}", said(name));
        }
    };
    check(
        "csv",
        &[
            "\"'=λ_c, 1\",role,Runs: completed,Runs: planned,Gain ↑: mean,Gain ↑: low,",
            "\n0,,7,7,0.3",
            ",-0.18",
            "\nidentity (anchor),",
        ],
    );
    let columns = |line: &str| {
        let quoted = line.split('"').enumerate().filter(|(at, _)| at % 2 == 0);
        quoted.map(|(_, outside)| outside.matches(',').count()).sum::<usize>()
    };
    let all: Vec<usize> = said("csv").lines().map(columns).collect();
    assert!(all.len() == 9 && all.iter().all(|count| *count == all[0]), "{all:?}");
    check(
        "latex",
        &[
            "\\toprule\n",
            "\\cmidrule(lr){3-3}",
            "=$\\lambda$\\_c, 1 & role",
            "Gain $\\uparrow$",
            "$-$0.1",
            "\\bottomrule\n",
        ],
    );
    assert_eq!(said("status"), "1 of 4 rows");
    check("markdown", &["| =λ\\_c, 1 | role | Runs: done |", "\n| --- | --- | --: |", "| worse |"]);
    assert!(!said("markdown").contains("| better |"), "filtered rows are not copied");
    assert_eq!(found["all"], fixture.record.plan.cells.len());
    check("points", &["cell,step,mean,lowest,highest\n\"lambda_cycle=0\","]);
    check(
        "svg",
        &["xmlns=\"http://www.w3.org/2000/svg\"", "stroke=\"rgb(0, 114, 178)\"", "<title"],
    );
    assert!(!said("svg").contains("class="));
    check(
        "data",
        &[
            "\"cell\",\"role\",\"'=λ_c, 1\",\"seeds\",\"mean\",\"low\",\"high\",\"seed 0\",",
            &format!("\"{}\"", fixture.record.plan.cells[WORSE].label),
        ],
    );
    assert_eq!(found["bare"], 0, "every figure can be saved");
}
