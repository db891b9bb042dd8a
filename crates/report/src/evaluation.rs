//! How the runs of a sweep were evaluated: on which images, and with which weights.

use serde_json::{Map, Value};
use track::{DatasetRecord, RunRecord, SweepRecord};

/// Leaves of `[data]` that held-out images do not depend on.
const OF_TRAINING: [&str; 5] = ["load_size", "flip", "order", "epoch_length", "batch_size"];
/// What only says where images lie: their content is known by its fingerprint.
const ADDRESSES: [&str; 2] = ["dataset", "path"];

/// The held-out images of a run, as a key: where it is equal, anchors are equal too.
pub(crate) fn held_out_images(run: &RunRecord) -> String {
    let mut data = run.config["data"].as_object().cloned().unwrap_or_else(Map::new);
    data.retain(|leaf, _| !OF_TRAINING.contains(&leaf.as_str()));
    let content = run.dataset.as_ref().map(|dataset| dataset.fingerprint.as_str());
    if content.is_some() {
        data.retain(|leaf, _| !ADDRESSES.contains(&leaf.as_str()));
    }
    format!("{} {content:?} {}", result_fold_of(run), Value::Object(data))
}

/// The folds that results are measured on: one, unless cells differ in it.
pub(crate) fn result_folds(record: &SweepRecord) -> Vec<&str> {
    let mut folds: Vec<&str> = Vec::new();
    for run in &record.runs {
        let fold = result_fold_of(run);
        if !folds.contains(&fold) {
            folds.push(fold);
        }
    }
    folds
}

/// The fold of the results in words: `test fold`.
pub(crate) fn result_fold(record: &SweepRecord) -> String {
    match result_folds(record).as_slice() {
        [] => "test fold".into(),
        folds => format!("{} fold", folds.join(" or ")),
    }
}

/// `test`, as the configuration's default has it, where a store does not say.
fn result_fold_of(run: &RunRecord) -> &str {
    run.config["eval"]["fold"].as_str().unwrap_or("test")
}

/// In some cell the result is of the weights that did best on the val fold.
pub(crate) fn chooses(record: &SweepRecord) -> bool {
    let best = |run: &RunRecord| run.config["eval"]["checkpoint"] == "best";
    record.plan.metric.select == "best" || record.runs.iter().any(best)
}

/// By which metrics: one, unless cells differ in it.
pub(crate) fn chosen_by(record: &SweepRecord) -> Vec<&str> {
    let mut metrics: Vec<&str> = Vec::new();
    for by in record.runs.iter().filter_map(|run| run.config["eval"]["best_by"].as_str()) {
        if !metrics.contains(&by) {
            metrics.push(by);
        }
    }
    if metrics.is_empty() {
        metrics.push(&record.plan.metric.name);
    }
    metrics
}

/// Every content that runs were trained on, the plan's first; only that before any run has begun.
pub(crate) fn data_sets(record: &SweepRecord) -> Vec<&DatasetRecord> {
    let mut found = vec![&record.plan.dataset];
    for dataset in record.runs.iter().filter_map(|run| run.dataset.as_ref()) {
        if !found.iter().any(|other| other.fingerprint == dataset.fingerprint) {
            found.push(dataset);
        }
    }
    found
}

/// Whether some data set lacks the fold. Where no folds are recorded nothing is known, and it does not.
pub(crate) fn lacks(record: &SweepRecord, fold: &str) -> bool {
    let without = |dataset: &&DatasetRecord| {
        !dataset.counts.is_empty() && !dataset.counts.iter().any(|(name, _, _)| name == fold)
    };
    data_sets(record).iter().any(without)
}
