//! Whether values of different sweeps may be set against each other, or only each sweep's differences
//! to its own baseline.
//!
//! A value hangs on the images it was measured on: on others the same translations would have
//! another. Values are comparable where the held-out images are the same, the weights were chosen
//! alike, and the anchors, which runs scored on the same images record alike, agree.

use std::collections::BTreeSet;

use track::{RunRecord, RunState};

use super::Sweep;
use crate::evaluation::{chooses, data_sets, held_out_images, result_folds};
use crate::measured::{ANCHORS, is_equal};

const WEIGHTS: &str = "some score the last weights, others the best on the validation fold";

/// Why values are not comparable; nothing where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Evaluation {
    pub(super) differences: Vec<&'static str>,
}

impl Evaluation {
    pub(super) fn of(sweeps: &[Sweep<'_>], metric: &str) -> Evaluation {
        let mut differences = Vec::new();
        if differ(sweeps.iter().flat_map(contents)) {
            differences.push("the images are not the same");
        } else if differ(sweeps.iter().flat_map(completed).map(held_out_images)) {
            differences.push("the held-out images are of another fold or another size");
        }
        if differ(sweeps.iter().map(|it| chooses(it.subject.record))) {
            differences.push(WEIGHTS);
        }
        if differences.is_empty() && anchors_differ(sweeps, metric) {
            differences.push(
                "the metric's anchors differ although the images are the same, so it was not computed alike",
            );
        }
        Evaluation { differences }
    }

    pub(super) fn is_same(&self) -> bool {
        self.differences.is_empty()
    }

    /// What a reader may do with the columns of values.
    pub(super) fn sentence(&self) -> String {
        if self.is_same() {
            "All sweeps are scored on the same held-out images and alike: their values may be compared directly."
                .into()
        } else {
            format!(
                "Values of different sweeps must not be compared: {}. Compare only each sweep's differences to its own \
                 baseline.",
                self.differences.join("; ")
            )
        }
    }
}

/// Why results are of different kinds, on whatever images; `None` where they are of one.
pub(super) fn differs_in_kind(sweeps: &[&Sweep<'_>]) -> Option<&'static str> {
    let folds = |it: &&Sweep<'_>| -> BTreeSet<String> {
        result_folds(it.record()).into_iter().map(str::to_string).collect()
    };
    if differ(sweeps.iter().map(|it| chooses(it.record()))) {
        return Some(WEIGHTS);
    }
    differ(sweeps.iter().map(folds)).then_some("some score another fold than others")
}

fn differ<T: Ord>(values: impl Iterator<Item = T>) -> bool {
    values.collect::<BTreeSet<T>>().len() > 1
}

fn completed<'a>(sweep: &Sweep<'a>) -> impl Iterator<Item = &'a RunRecord> + use<'a> {
    sweep.subject.record.runs.iter().filter(|run| run.state == RunState::Completed)
}

fn contents<'a>(sweep: &Sweep<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    data_sets(sweep.subject.record).into_iter().map(|it| it.fingerprint.as_str())
}

fn anchors_differ(sweeps: &[Sweep<'_>], metric: &str) -> bool {
    ANCHORS.iter().any(|(kind, _, _)| {
        let values: Vec<f64> = sweeps
            .iter()
            .filter_map(|it| it.subject.measured.iter().find(|it| it.metric.name == metric))
            .filter_map(|measured| measured.anchor(kind))
            .collect();
        values.iter().any(|value| !is_equal(*value, values[0]))
    })
}
