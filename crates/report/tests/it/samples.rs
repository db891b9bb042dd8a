//! The sample grid: what is in the page, what lies beside it, and what is left out.

mod controls;
mod pair;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use report::{Options, Rendered, render};
use serde_json::Value;
use sha2::{Digest, Sha256};
use track::{SampleKind, SweepRecord};

use crate::fixture::Fixture;
use crate::html;

/// What the page keeps for its script.
fn data(page: &str) -> Value {
    let block = page.split("id=\"sample-data\">").nth(1).expect("a block of data");
    let text = block.split("</script>").next().expect("it ends");
    assert!(!text.contains(['<', '>', '&', '\'']), "nothing that HTML reads");
    serde_json::from_str(text).expect("it is JSON")
}

fn with_budget(record: &SweepRecord, image_budget: usize) -> Rendered {
    render(record, &Options { image_budget, ..Options::default() }).expect("the fixture renders")
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|it| it.as_str().expect("a text")).collect()
}

#[test]
fn every_picture_is_in_the_page_once_and_broken_ones_are_named() {
    let fixture = Fixture::new(&[0, 1]);
    let page = html(&fixture.record);
    // The first seed's four runs, two directions of three inputs: translation and reconstruction;
    // input and truth (A only) once.
    assert_eq!(page.matches("<img").count(), 4 * 2 * 3 * 2 + 2 * 3 + 3 + 2, "two more to compare");
    let data = data(&page);
    let pictures = data["pictures"].as_array().expect("pictures");
    let kept: Vec<&str> = pictures.iter().filter_map(|it| it["address"].as_str()).collect();
    assert!(kept.iter().all(|address| page.matches(address).count() == 1));
    let files = fixture.record.runs.iter().flat_map(|run| {
        run.samples.iter().map(|it| fs::read(run.folder.join(&it.path)).expect("it is there"))
    });
    assert_eq!(pictures.len(), files.collect::<BTreeSet<_>>().len());

    let broken = fixture.record.runs.iter().find(|run| !run.samples.is_empty()).expect("one");
    let sample = broken.samples.iter().rfind(|s| s.kind == SampleKind::Fake).expect("one");
    fs::write(broken.folder.join(&sample.path), b"not an image").expect("it can be written");
    let rendered = with_budget(&fixture.record, Options::default().image_budget);
    assert_eq!(rendered.problems.len(), 1, "{:?}", rendered.problems);
    assert!(rendered.html.contains(">unreadable<"));
}

/// A store from elsewhere names samples; what it names is looked for in the run's folder alone.
#[test]
fn samples_lie_in_their_run_s_folder() {
    let mut fixture = Fixture::new(&[0]);
    let outside = fixture.dir.path().join("outside.png");
    let run = fixture.record.runs.iter_mut().find(|run| !run.samples.is_empty()).expect("one");
    fs::copy(run.folder.join(&run.samples[0].path), &outside).expect("a copy");
    let depth = run.folder.strip_prefix(fixture.dir.path()).expect("below").components().count();
    let up = Path::new(&"../".repeat(depth)).join("outside.png");
    assert!(run.folder.join(&up).is_file(), "{}", up.display());
    let last = run.samples.iter().map(|sample| sample.step).max();
    let shown = run.samples.iter_mut().filter(|it| it.kind == SampleKind::Fake);
    let shown = shown.filter(|it| Some(it.step) == last);
    for (sample, path) in shown.zip([up, outside]) {
        sample.path = path;
    }
    let problems = render(&fixture.record, &Options::default()).expect("it renders").problems;
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn the_baseline_comes_first_and_every_picture_says_what_it_is() {
    let page = html(&Fixture::new(&[0, 1]).record);
    let columns = ["lambda_cycle=10", "lambda_cycle=0", "lambda_cycle=1", "lambda_cycle=50"];
    assert_eq!(strings(&data(&page)["columns"]), columns);
    let first = page.split("<td data-column=\"0\">").nth(1).expect("a first column");
    let said = "alt=\"A→B translation of 1f34e, lambda_cycle=10, seed 0, step 1200\"";
    assert!(first.split("</td>").next().is_some_and(|cell| cell.contains(said)));
    assert!(
        page.contains("alt=\"B→A→B reconstruction of 1f697, lambda_cycle=50, seed 0, step 1200\"")
    );
    let head = page.split("<table class=\"samples\">").nth(1).expect("a table");
    let head = head.split("</thead>").next().expect("it ends");
    let labels = columns.map(|label| {
        let ends = [" <span class=\"tag\">", "<span class=\"when\""];
        ends.iter().find_map(|end| head.find(&format!(">{label}{end}"))).expect("in the head")
    });
    assert!(labels.is_sorted());
}

#[test]
fn only_kinds_that_a_store_has_are_offered() {
    let mut fixture = Fixture::new(&[0]);
    let offered = |record: &SweepRecord| {
        let page = html(record);
        let menu = page.split("<legend>Show</legend>").nth(1).expect("a menu");
        let menu = menu.split("</fieldset>").next().expect("it ends").to_owned();
        (menu.matches("<label>").count(), menu.contains("identity"), page.contains("Identity: "))
    };
    assert_eq!(offered(&fixture.record), (4, true, true));
    for run in &mut fixture.record.runs {
        run.samples.retain(|sample| sample.kind != SampleKind::Idt);
    }
    assert_eq!(offered(&fixture.record), (3, false, false));
}

/// First the first seed's last step, input by input; the other seeds' last steps; the first seed's
/// earlier steps; the other seeds'.
#[test]
fn the_budget_is_spent_in_order() {
    let fixture = Fixture::new(&[0, 1]).pictured(&[200, 600, 1200], 16);
    let held = |budget: usize| {
        let page = with_budget(&fixture.record, budget).html;
        let data = data(&page);
        let mut held: Vec<String> =
            data["rows"].as_array().expect("rows").iter().map(|it| format!("input {it}")).collect();
        for run in data["runs"].as_array().expect("runs") {
            let steps = run["samples"].as_object().expect("samples").keys();
            let seed = run["seed"].as_str().expect("a seed");
            held.extend(steps.map(|step| format!("seed {seed} step {step}")));
        }
        let said = page.split("Left out to keep this page small: ").nth(1);
        let said = said.and_then(|it| it.split(".").next()).unwrap_or("").to_owned();
        (held.into_iter().collect::<BTreeSet<_>>(), said)
    };
    let mut order: Vec<String> = Vec::new();
    let mut sentences: Vec<String> = Vec::new();
    for budget in (0..36).map(|at| at * 20_000) {
        let (held, said) = held(budget);
        assert!(order.iter().all(|it| held.contains(it)), "a larger budget holds more");
        order.extend(held.into_iter().filter(|it| !order.contains(it)).collect::<Vec<_>>());
        if sentences.last() != Some(&said) {
            sentences.push(said);
        }
    }
    let at =
        |name: &str| order.iter().position(|it| it == name).unwrap_or_else(|| panic!("{name}"));
    let last_input = (0..6).map(|input| at(&format!("input {input}"))).max();
    let steps = [
        "seed 1 step 1200",
        "seed 0 step 600",
        "seed 0 step 200",
        "seed 1 step 600",
        "seed 1 step 200",
    ];
    assert!(last_input < Some(at(steps[0])), "{order:?}");
    assert!(steps.map(at).is_sorted(), "{order:?}");
    assert_eq!(
        sentences[0],
        "input 1f41f (A), 1f697 (A), 1f34e (B), 1f41f (B), 1f697 (B); seed 1; of seed 0 step 200, 600"
    );
    assert!(
        sentences.contains(&"of seed 0 step 200; of seed 1 step 200, 600".into()),
        "{sentences:?}"
    );
    assert_eq!(sentences.last().map(String::as_str), Some(""));
}

#[test]
fn large_pictures_lie_beside_the_page() {
    let mut fixture = Fixture::new(&[0]).pictured(&[1200], 256);
    let out = fixture.dir.path().join("report");
    let images = |folder: &Path| -> Vec<(PathBuf, Vec<u8>)> {
        let Ok(entries) = fs::read_dir(folder.join("images")) else { return Vec::new() };
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let mut files: Vec<_> =
            paths.map(|path| (path.clone(), fs::read(path).expect("a file"))).collect();
        files.sort();
        files
    };
    let page = fs::read_to_string(report::write(&fixture.record, &out).expect("written").page)
        .expect("UTF-8");
    let files = images(&out);
    let saved = fixture.record.runs.iter().flat_map(|run| {
        run.samples.iter().map(|it| fs::read(run.folder.join(&it.path)).expect("it is there"))
    });
    assert_eq!(files.iter().map(|it| it.1.clone()).collect::<BTreeSet<_>>(), saved.collect());
    for (path, bytes) in &files {
        let name = path.file_name().expect("a name").to_string_lossy();
        let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(name, format!("{hash}.png"));
        assert!(page.contains(&format!("\"images/{name}\"")), "{name}");
    }
    assert!(
        page.contains("img-src data: 'self' file:;")
            && page.contains("src=\"data:image/jpeg;base64,")
    );
    assert!(!page.contains("data:image/png"), "the page holds thumbnails only");

    // What is there is left as it is; what is no longer named goes, and nothing else.
    let as_it_was = vec![b'x'; files[0].1.len()];
    fs::write(&files[0].0, &as_it_was).expect("it can be written");
    fs::write(out.join("images/own.png"), b"of somebody").expect("it can be written");
    report::write(&fixture.record, &out).expect("written");
    assert!(fs::read(&files[0].0).expect("a file") == as_it_was);
    fixture.record.runs.iter_mut().for_each(|run| run.samples.clear());
    let page = fs::read_to_string(report::write(&fixture.record, &out).expect("written").page)
        .expect("UTF-8");
    assert!(page.contains("img-src data:;"));
    assert_eq!(images(&out), [(out.join("images/own.png"), b"of somebody".to_vec())]);
}

#[test]
fn pictures_are_the_same_in_whatever_order_threads_read_them() {
    let fixture = Fixture::new(&[0]).pictured(&[1200], 256);
    let render = || with_budget(&fixture.record, Options::default().image_budget);
    assert_eq!(render(), render());
}

#[test]
fn a_picture_that_cannot_be_written_is_said_and_the_page_is_there() {
    let fixture = Fixture::new(&[0]).pictured(&[1200], 256);
    let rendered = with_budget(&fixture.record, Options::default().image_budget);
    let out = fixture.dir.path().join("report");
    let first = &rendered.pictures[0];
    fs::create_dir_all(out.join(first.address()).join("in-the-way")).expect("a folder");
    let written = report::write(&fixture.record, &out).expect("there is a page all the same");
    let [(path, _)] = &written.problems[..] else { panic!("{:?}", written.problems) };
    assert_eq!(*path, first.source);
    assert!(written.page.is_file());
}
