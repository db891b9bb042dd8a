//! A small store for the tests of this crate.

use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use crate::identity::{CodeVersion, RunIdentity};
use crate::layout::{RunDir, SweepDir};
use crate::metric_writer::Measurement;
use crate::plan::PlanEntry;
use crate::record::*;
use crate::schema::SCHEMA_REV;

pub(crate) struct Store {
    pub(crate) root: PathBuf,
    pub(crate) sweep: SweepDir,
    /// Folder of `entry(0)`, made but empty.
    pub(crate) run: RunDir,
    _temp: TempDir,
}

impl Store {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("runs");
        let sweep = SweepDir::create_or_open(&root, "lambda").unwrap();
        let run = RunDir::new(root.join(entry(0).folder));
        std::fs::create_dir_all(run.path()).unwrap();
        Store { root, sweep, run, _temp: temp }
    }
}

/// Cell 0 is the baseline; its config has a leaf the other lacks.
pub(crate) fn entry(index: usize) -> PlanEntry {
    let key = format!("{index:08x}00112233");
    let lambda = [10.0, 0.5][index];
    let config = json!({
        "data": { "dataset": "tiny", "path": null, "batch_size": 1, "flip": index == 0 },
        "loss": { "lambda_cycle": lambda, "mixed": if index == 0 { json!(1) } else { json!(0.25) } },
    });
    let label = format!("lambda_cycle={lambda}");
    let folder = crate::layout::run_folder_name(&label, 1, &key);
    PlanEntry {
        index,
        point_id: "p".into(),
        key,
        cell: index,
        seed: 1,
        label,
        folder: format!("lambda/{folder}"),
        config,
        origins: [("loss.lambda_cycle".into(), "axis".into())].into(),
    }
}

pub(crate) fn identity(index: usize) -> RunIdentity {
    let PlanEntry { key, seed, label, config, .. } = entry(index);
    RunIdentity {
        schema_rev: SCHEMA_REV,
        key,
        point_id: "p".into(),
        seed,
        sweep: "lambda".into(),
        label,
        training_rev: 1,
        config,
        dataset: dataset(),
        code: CodeVersion { commit: None, dirty: false, version: "0.1.0".into() },
        created_at: "2026-01-01T00:00:00.000000Z".into(),
    }
}

pub(crate) fn plan() -> PlanRecord {
    let cell = |index: usize| CellRecord {
        label: entry(index).label,
        settings: vec![(
            "loss.lambda_cycle".into(),
            entry(index).config["loss"]["lambda_cycle"].clone(),
        )],
        baseline: index == 0,
        seeds: vec![1],
        note: None,
        arm: None,
        origin: None,
        inactive: Vec::new(),
        also: vec![],
    };
    PlanRecord {
        name: "lambda".into(),
        question: "does it matter?".into(),
        design: "grid".into(),
        command: "cyclelab sweep lambda.toml".into(),
        metric: MetricRecord {
            name: "eval/l1_ab".into(),
            minimize: true,
            select: "last".into(),
            secondary: vec![],
        },
        axes: vec![AxisRecord {
            label: "λ".into(),
            keys: vec!["loss.lambda_cycle".into()],
            values: vec![vec![json!(10.0)], vec![json!(0.5)]],
            scale: "log".into(),
            when: None,
        }],
        cells: vec![cell(0), cell(1)],
        seeds: vec![1],
        dataset: dataset(),
        preset: "quick".into(),
        departures: vec![("data.crop_size".into(), json!(256), json!(64))],
        samples: vec![("a".into(), "testA/1".into())],
        device: None,
    }
}

pub(crate) fn dataset() -> DatasetRecord {
    DatasetRecord {
        name: "tiny".into(),
        title: "Tiny".into(),
        credit: "us".into(),
        licence: "CC0-1.0".into(),
        fingerprint: "f".into(),
        counts: vec![("train".into(), 4, 4)],
        skipped: 0,
        left_out: Vec::new(),
        paired: true,
    }
}

pub(crate) fn measurement(step: u64, name: &str, value: f64) -> Measurement {
    let split = if name.starts_with("eval/") { Split::Eval } else { Split::Train };
    Measurement {
        step,
        epoch: step as f32 / 4.0,
        images: step,
        split,
        name: name.into(),
        value,
        count: 1,
        min: Some(value),
        max: Some(value),
        elapsed_s: step as f64 * 0.5,
        ts_us: 1_767_225_600_000_000 + step as i64,
    }
}

pub(crate) fn row(attempt: u32, seq: u64, step: u64) -> MetricRow {
    MetricRow {
        step,
        epoch: step as f32 / 4.0,
        images: step,
        split: Split::Train,
        name: "loss/d_a".into(),
        value: step as f64,
        count: 1,
        min: Some(0.0),
        max: Some(1.0),
        elapsed_s: 0.5,
        ts_us: 1_767_225_600_000_000,
        attempt,
        seq,
    }
}
