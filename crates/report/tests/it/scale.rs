//! A sweep of 500 runs, 20 metrics and 200 epochs: 50 cells and 10 seeds.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use serde_json::json;
use track::{
    CodeVersion, Event, Measurement, MetricMeta, MetricRow, MetricWriter, PlanEntry, RunDir,
    RunEvents, RunIdentity, RunRecord, Split, SweepDir, SweepRecord,
};

use crate::devtools::Browser;
use crate::fixture::Fixture;
use crate::html;

/// What a mail server takes, and a browser opens at once.
const MOST_BYTES: usize = 25_000_000;

const EPOCHS: u64 = 200;
const EVALUATED: [&str; 10] = [
    "eval/l1_ab",
    "eval/l1_ba",
    "eval/psnr_ab",
    "eval/psnr_ba",
    "eval/ssim_ab",
    "eval/ssim_ba",
    "eval/cycle_a",
    "eval/cycle_b",
    "eval/kid_lite0_ab",
    "eval/kid_lite0_ba",
];
const TRAINED: [&str; 10] = [
    "loss/gan_g_ab",
    "loss/gan_g_ba",
    "loss/cycle_a",
    "loss/cycle_b",
    "loss/idt_a",
    "loss/idt_b",
    "loss/d_a",
    "loss/d_b",
    "optim/lr_g",
    "perf/step_s",
];

fn sweep(cells: usize, seeds: u64) -> Fixture {
    let seeds: Vec<u64> = (1..=seeds).collect();
    let mut fixture = Fixture::wide(cells, &seeds);
    for run in &mut fixture.record.runs {
        run.rows = rows(run);
    }
    fixture
}

fn rows(run: &RunRecord) -> Vec<MetricRow> {
    let mut rows = Vec::new();
    for epoch in 1..=EPOCHS {
        let names = TRAINED.iter().map(|name| (Split::Train, name));
        for (split, name) in names.chain(EVALUATED.iter().map(|name| (Split::Eval, name))) {
            // No two curves are alike, and none is smooth: nothing is to be compressed by luck.
            let phase = (run.index * 31 + name.len() * 7) as f64 + 1.7 * epoch as f64;
            let value = 0.5 + 0.3 * (-(epoch as f64) / 60.0).exp() + 0.05 * phase.sin();
            rows.push(MetricRow {
                step: epoch * 100,
                epoch: epoch as f32,
                images: epoch * 100,
                split,
                name: name.to_string(),
                value: value + 1e-3 * run.cell as f64,
                count: 100,
                min: Some(value - 0.1),
                max: Some(value + 0.1),
                elapsed_s: epoch as f64,
                ts_us: 1_767_225_600_000_000 + epoch as i64 * 1_000_000,
                attempt: 1,
                seq: rows.len() as u64 + 1,
            });
        }
    }
    rows
}

/// A tenth of the runs: what a run adds is what grows.
#[test]
fn what_a_run_adds_to_a_page_is_little() {
    let [few, more] = [5, 10].map(|cells| html(&sweep(cells, 5).record).len());
    let each = (more - few) / 25;
    let all = few + 500 * each;
    assert!(all < MOST_BYTES, "{each} bytes a run would make a page of {all}");
}

/// Writes a store, reads it, writes its report, and prints how long that took: `just scale`.
#[test]
#[ignore = "writes two million rows; `just scale` prints its times"]
#[expect(clippy::print_stdout, reason = "to say how long it takes is what it is for")]
fn five_hundred_runs() {
    let mut fixture = sweep(50, 10);
    let runs = fixture.dir.path().join("runs");
    write_store(&mut fixture.record, &runs);
    let name = &fixture.record.plan.name;

    let began = Instant::now();
    let record = track::read_sweep(&runs, name).expect("the store is read");
    let read = began.elapsed();
    let written = report::write(&record, &fixture.dir.path().join("report"));
    let page = written.expect("it is written").page;
    let whole = began.elapsed();
    let bytes = page.metadata().expect("it is there").len();
    let rows: usize = record.runs.iter().map(|run| run.rows.len()).sum();
    println!(
        "{} runs, {rows} rows: read in {read:.2?}, reported in {whole:.2?}, {bytes} bytes",
        record.runs.len()
    );
    let times: Vec<f64> = (0..4)
        .map(|_| {
            let began = Instant::now();
            let record = track::read_sweep(&runs, name).expect("the store is read");
            report::write(&record, &fixture.dir.path().join("report")).expect("it is written");
            began.elapsed().as_secs_f64()
        })
        .collect();
    println!("again: {times:.2?} s");
    scroll(&page);
    assert!(bytes < MOST_BYTES as u64);
}

/// How long the browser takes to open the page, and over each of 120 pictures while it is scrolled.
#[expect(clippy::print_stdout, reason = "to say how long it takes is what it is for")]
fn scroll(page: &Path) {
    let Some(mut browser) = Browser::start() else { return };
    browser.resize(1280);
    let began = Instant::now();
    browser.open(page);
    let opened = began.elapsed();
    let found = browser.evaluate(
        "new Promise((done) => {
           const times = []; let last = performance.now();
           const step = (now) => {
             times.push(now - last); last = now;
             scrollBy(0, document.body.scrollHeight / 120);
             if (times.length < 120) return requestAnimationFrame(step);
             times.sort((a, b) => a - b);
             done([times[60], times[118], times[119], document.querySelectorAll('*').length]);
           };
           requestAnimationFrame(step);
         })",
    );
    println!(
        "opened in {opened:.2?}; ms a picture while scrolled: median, next to worst, worst; elements: {found}"
    );
}

fn write_store(record: &mut SweepRecord, root: &Path) {
    let sweep = SweepDir::create_or_open(root, &record.plan.name).expect("a folder");
    let entry = |run: &RunRecord| {
        let label = record.plan.cells[run.cell].label.clone();
        let folder = track::run_folder_name(&label, run.seed, &run.key);
        PlanEntry {
            index: run.index,
            point_id: format!("{:064x}", run.cell),
            key: run.key.clone(),
            cell: run.cell,
            seed: run.seed,
            label,
            folder: format!("{}/{folder}", record.plan.name),
            config: json!({}),
            origins: BTreeMap::new(),
        }
    };
    let entries: Vec<PlanEntry> = record.runs.iter().map(entry).collect();
    sweep.write_plan(&record.plan, &entries).expect("a plan");
    for (run, entry) in record.runs.iter().zip(entries) {
        write_run(&RunDir::new(root.join(&entry.folder)), run, entry, record);
    }
}

fn write_run(dir: &RunDir, run: &RunRecord, entry: PlanEntry, record: &SweepRecord) {
    let code = CodeVersion { commit: None, dirty: false, version: "0.1.0".into() };
    let identity = RunIdentity {
        schema_rev: track::SCHEMA_REV,
        key: entry.key.clone(),
        point_id: entry.point_id,
        seed: run.seed,
        sweep: record.plan.name.clone(),
        label: entry.label,
        training_rev: 1,
        config: entry.config,
        dataset: record.plan.dataset.clone(),
        code: code.clone(),
        created_at: "2026-01-01T00:00:00.000000Z".into(),
    };
    dir.write_identity(&identity, "", &json!({})).expect("an identity");
    let mut events = RunEvents::open(&dir.events()).expect("events");
    let started = Event::Started {
        attempt: 1,
        device: "cpu".into(),
        pid: 1,
        host: "box".into(),
        code: code.to_string(),
        argv: Vec::new(),
    };
    let meta = MetricMeta { run_key: run.key.clone(), ..MetricMeta::default() };
    let mut writer = MetricWriter::open(dir, meta, 1, None).expect("a writer");
    for row in &run.rows {
        writer.push(Measurement {
            step: row.step,
            epoch: row.epoch,
            images: row.images,
            split: row.split,
            name: row.name.clone(),
            value: row.value,
            count: row.count,
            min: row.min,
            max: row.max,
            elapsed_s: row.elapsed_s,
            ts_us: row.ts_us,
        });
    }
    writer.compact().expect("one file");
    let end = Event::Completed { step: EPOCHS * 100, active_s: 300.0 };
    for event in [started, end] {
        events.append(&event).expect("an event");
    }
}
