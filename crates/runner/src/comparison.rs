//! Two trainings of one configuration held against each other: every recorded number, and the
//! weights where both stand at the same step.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::TensorData;
use model::Network;
use track::{MetricRow, RunDir, Split};

use crate::error::RunnerError;
use crate::saved_run::SavedRun;

/// One metric in both.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricDifference {
    pub split: Split,
    pub name: String,
    /// Rows that both have.
    pub rows: usize,
    /// Rows of the original that the other lacks.
    pub missing: usize,
    /// Rows that only the other has: later code may record more.
    pub more: usize,
    /// The largest difference, as a part of the metric's largest value in the original; infinite
    /// where one is a number and the other is none.
    pub largest: f64,
    /// Where that is: step, the original's value, the other's.
    pub at: Option<(u64, f64, f64)>,
}

/// One network in both.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightDifference {
    pub network: Network,
    /// Of any weight, as a part of the largest in its tensor; 0 where the files are the same bytes.
    pub largest: f64,
}

/// Where the weights stand, and their differences.
#[derive(Debug, Clone, PartialEq)]
pub enum WeightComparison {
    At {
        step: u64,
        networks: Vec<WeightDifference>,
    },
    /// Why there are no two sets of weights to compare.
    None {
        reason: String,
    },
}

/// Every metric up to a step, by split and name. Speed and load of the machine are left out, and so
/// is every column of time.
pub fn compare_rows(
    original: &[MetricRow],
    again: &[MetricRow],
    until: u64,
) -> Vec<MetricDifference> {
    let (original, again) = (by_metric(original, until), by_metric(again, until));
    let mut names: Vec<_> = original.keys().chain(again.keys()).copied().collect();
    names.sort();
    names.dedup();
    let nothing = BTreeMap::new();
    let compare = |(split, name): (Split, &str)| {
        compare_metric(
            split,
            name,
            original.get(&(split, name)).unwrap_or(&nothing),
            again.get(&(split, name)).unwrap_or(&nothing),
        )
    };
    names.into_iter().map(compare).collect()
}

type BySteps<'a> = BTreeMap<u64, &'a MetricRow>;

fn by_metric(rows: &[MetricRow], until: u64) -> BTreeMap<(Split, &str), BySteps<'_>> {
    let mut found: BTreeMap<_, BySteps<'_>> = BTreeMap::new();
    let results = rows.iter().filter(|row| row.step <= until && !is_of_machine(row));
    for row in results {
        found.entry((row.split, row.name.as_str())).or_default().insert(row.step, row);
    }
    found
}

fn is_of_machine(row: &MetricRow) -> bool {
    row.split == Split::Sys || row.name.starts_with("perf/") || row.name.starts_with("sys/")
}

fn compare_metric(
    split: Split,
    name: &str,
    original: &BySteps<'_>,
    again: &BySteps<'_>,
) -> MetricDifference {
    let scale = scale(original.values().map(|row| row.value));
    let mut found = MetricDifference {
        split,
        name: name.to_owned(),
        rows: 0,
        missing: 0,
        more: again.keys().filter(|step| !original.contains_key(step)).count(),
        largest: 0.0,
        at: None,
    };
    for (&step, a) in original {
        let Some(b) = again.get(&step) else {
            found.missing += 1;
            continue;
        };
        found.rows += 1;
        let largest = row_difference(a, b, scale);
        if largest > found.largest {
            (found.largest, found.at) = (largest, Some((step, a.value, b.value)));
        }
    }
    found
}

/// Values and extremes by size; counters are equal or the rows are not the same thing at all.
fn row_difference(a: &MetricRow, b: &MetricRow, scale: f64) -> f64 {
    if (a.count, a.images, a.epoch.to_bits()) != (b.count, b.images, b.epoch.to_bits()) {
        return f64::INFINITY;
    }
    let extreme = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (None, None) => 0.0,
        (Some(a), Some(b)) => difference(a, b, scale),
        _ => f64::INFINITY,
    };
    difference(a.value, b.value, scale).max(extreme(a.min, b.min)).max(extreme(a.max, b.max))
}

/// A value near zero says nothing about a series that crosses it: hence by the series' size.
fn scale(values: impl Iterator<Item = f64>) -> f64 {
    values.map(f64::abs).filter(|it| it.is_finite()).fold(0.0, f64::max)
}

fn difference(a: f64, b: f64, scale: f64) -> f64 {
    if a == b || (a.is_nan() && b.is_nan()) {
        return 0.0;
    }
    let part = (a - b).abs() / scale.max(f64::MIN_POSITIVE);
    // Two that differ never count as equal, however small the part.
    if part.is_nan() { f64::INFINITY } else { part.max(f64::MIN_POSITIVE) }
}

/// The networks at the newest checkpoint of both, where it is at the same step.
///
/// # Errors
/// `ReadWeights`, `Weights`.
pub fn compare_weights(original: &RunDir, again: &RunDir) -> Result<WeightComparison, RunnerError> {
    let (original, again) = match (SavedRun::open(original), SavedRun::open(again)) {
        (Ok(original), Ok(again)) => (original, again),
        (Err(error), _) | (_, Err(error)) => {
            return Ok(WeightComparison::None { reason: error.chain() });
        }
    };
    if original.step != again.step {
        let reason = format!(
            "the newest checkpoints are at step {} and at step {}",
            original.step, again.step
        );
        return Ok(WeightComparison::None { reason });
    }
    let compare = |network: Network| {
        let same = hash(&original.file(network))? == hash(&again.file(network))?;
        let largest = match same {
            true => 0.0,
            false => tensors_difference(&original.tensors(network)?, &again.tensors(network)?),
        };
        Ok::<_, RunnerError>(WeightDifference { network, largest })
    };
    let networks = original.networks().into_iter().map(compare).collect::<Result<_, _>>()?;
    Ok(WeightComparison::At { step: original.step, networks })
}

fn hash(path: &Path) -> Result<blake3::Hash, RunnerError> {
    let bytes = std::fs::read(path)
        .map_err(|source| RunnerError::ReadWeights { path: path.into(), source })?;
    Ok(blake3::hash(&bytes))
}

fn tensors_difference(a: &BTreeMap<String, TensorData>, b: &BTreeMap<String, TensorData>) -> f64 {
    if !a.keys().eq(b.keys()) {
        return f64::INFINITY;
    }
    let pairs = a.values().zip(b.values());
    pairs.map(|(a, b)| tensor_difference(a, b)).fold(0.0, f64::max)
}

fn tensor_difference(a: &TensorData, b: &TensorData) -> f64 {
    if a.shape() != b.shape() {
        return f64::INFINITY;
    }
    let scale = scale(a.iter::<f64>());
    a.iter::<f64>().zip(b.iter::<f64>()).map(|(a, b)| difference(a, b, scale)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step: u64, name: &str, value: f64) -> MetricRow {
        let split = if name.starts_with("sys/") { Split::Sys } else { Split::Train };
        MetricRow {
            step,
            epoch: 1.0,
            images: step,
            split,
            name: name.into(),
            value,
            count: 1,
            min: None,
            max: None,
            elapsed_s: value,
            ts_us: 0,
            attempt: 1,
            seq: step,
        }
    }

    /// Of one metric: rows in both, in the original only, in the other only, and the largest
    /// difference.
    fn check(
        original: &[MetricRow],
        again: &[MetricRow],
        until: u64,
        expected: (usize, usize, usize, f64),
    ) {
        let found = compare_rows(original, again, until);
        let [found] = &found[..] else { panic!("one metric: {found:?}") };
        assert_eq!((found.rows, found.missing, found.more, found.largest), expected);
    }

    #[test]
    fn differences_are_parts_of_the_metrics_size() {
        let original = [row(1, "loss/d_a", 4.0), row(2, "loss/d_a", 0.0)];
        check(&original, &original, 9, (2, 0, 0, 0.0));
        check(&original, &[row(1, "loss/d_a", 4.0), row(2, "loss/d_a", 1.0)], 9, (2, 0, 0, 0.25));
        check(&original, &[row(1, "loss/d_a", 5.0), row(2, "loss/d_a", 0.0)], 1, (1, 0, 0, 0.25));
        check(&original, &original[..1], 9, (1, 1, 0, 0.0));
        check(&original[..1], &original, 9, (1, 0, 1, 0.0));
    }

    #[test]
    fn the_smallest_difference_is_one() {
        let (a, b) = (1.0f64, f64::from_bits(1.0f64.to_bits() + 1));
        let found = compare_rows(&[row(1, "l", a)], &[row(1, "l", b)], 1);
        assert!(found[0].largest > 0.0);
        assert_eq!(found[0].at, Some((1, a, b)));
        assert!(difference(0.0, f64::from_bits(1), f64::MAX) > 0.0);
    }

    #[test]
    fn numbers_and_none() {
        let of = |value: f64| [row(1, "l", value)];
        check(&of(f64::NAN), &of(f64::NAN), 1, (1, 0, 0, 0.0));
        check(&of(f64::NAN), &of(1.0), 1, (1, 0, 0, f64::INFINITY));
        check(&of(1.0), &of(f64::INFINITY), 1, (1, 0, 0, f64::INFINITY));
        let mut extreme = of(1.0);
        extreme[0].max = Some(2.0);
        check(&of(1.0), &extreme, 1, (1, 0, 0, f64::INFINITY));
        let mut counted = of(1.0);
        counted[0].count = 2;
        check(&of(1.0), &counted, 1, (1, 0, 0, f64::INFINITY));
    }

    #[test]
    fn time_and_the_machine_do_not_count() {
        let rows = |load: f64| {
            let mut rows = [row(1, "l", 1.0), row(1, "perf/step_s", load), row(1, "sys/cpu", load)];
            rows[0].elapsed_s = load;
            rows[0].ts_us = load as i64;
            (rows[0].attempt, rows[0].seq) = (load as u32, load as u64);
            rows
        };
        check(&rows(1.0), &rows(2.0), 1, (1, 0, 0, 0.0));
    }

    #[test]
    fn tensors() {
        let of = |values: [f32; 3]| BTreeMap::from([("w".into(), TensorData::from(values))]);
        let check = |a: [f32; 3], b: [f32; 3], expected: f64| {
            assert_eq!(tensors_difference(&of(a), &of(b)), expected, "{a:?} {b:?}");
        };
        check([1.0, -2.0, 0.0], [1.0, -2.0, 0.5], 0.25);
        check([1.0, f32::NAN, 0.0], [1.0, 1.0, 0.0], f64::INFINITY);
        check([1.0, f32::NAN, 3.0], [1.0, f32::NAN, 3.0], 0.0);
        let other = BTreeMap::from([("v".into(), TensorData::from([1.0f32]))]);
        assert_eq!(tensors_difference(&of([1.0; 3]), &other), f64::INFINITY);
    }
}
