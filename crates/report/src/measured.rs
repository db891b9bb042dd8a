//! Every metric of the evaluation, as the page shows it: in which order, in which part, with its
//! error over images and its anchors.

use std::collections::{BTreeMap, BTreeSet};

use track::{MetricRow, RunState, Split, SweepRecord};

use crate::evaluation::{chooses, held_out_images};
use crate::metric::{self, Metric};
use crate::summary::{Summary, measure};

/// What the sweep file says of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Primary,
    Secondary,
    /// Recorded, and named by nobody.
    Other,
}

pub(crate) struct Measured {
    pub(crate) metric: Metric,
    pub(crate) role: Role,
    pub(crate) summary: Summary,
    /// By cell: the standard error over images of one run, as the mean over runs.
    pub(crate) image_errors: Vec<Option<f64>>,
    /// By [`ANCHORS`].
    pub(crate) anchors: [Option<f64>; 4],
}

/// What understands nothing, and what understands all: kind, name, and what it is.
pub(crate) const ANCHORS: [(&str, &str, &str); 4] = [
    ("identity", "identity", "the input handed back untouched"),
    ("oracle", "oracle", "the true translation itself"),
    ("mean", "mean image", "the mean of real images of the target domain, whatever the input"),
    (
        "colour",
        "colour match",
        "the input with each colour channel moved and stretched to the target domain's",
    ),
];

impl Measured {
    fn of(record: &SweepRecord, metric: Metric, role: Role, anchors: &Anchors) -> Measured {
        let error = spec::standard_error_of(&metric.name);
        let image_errors = (0..record.plan.cells.len())
            .map(|cell| {
                let runs = record.runs.iter().filter(|run| run.cell == cell);
                let errors: Vec<f64> = runs
                    .filter(|run| run.state == RunState::Completed)
                    .filter_map(|run| run.last(&error).filter(|value| value.is_finite()))
                    .collect();
                (!errors.is_empty()).then(|| errors.iter().sum::<f64>() / errors.len() as f64)
            })
            .collect();
        Measured {
            summary: measure(record, &metric.name),
            anchors: ANCHORS.map(|(kind, _, _)| anchors.value(kind, &metric.name)),
            image_errors,
            metric,
            role,
        }
    }

    /// The score of one of [`ANCHORS`].
    pub(crate) fn anchor(&self, kind: &str) -> Option<f64> {
        let at = ANCHORS.iter().position(|(it, _, _)| *it == kind)?;
        self.anchors[at]
    }

    pub(crate) fn is_recorded(&self) -> bool {
        self.summary.cells.iter().any(|cell| cell.estimate.is_some())
    }
}

/// Primary, secondary, then every other metric of the evaluation. The steganography gap follows
/// every cycle error: without it a small one is no evidence.
pub(crate) fn all(record: &SweepRecord, primary: &Metric, anchors: &Anchors) -> Vec<Measured> {
    let plan = &record.plan;
    let rows = record.runs.iter().flat_map(|run| &run.rows).filter(|row| row.split == Split::Eval);
    let mut recorded: BTreeSet<&str> = rows.map(|row| row.name.as_str()).collect();
    let chooses = chooses(record);
    recorded.retain(|name| {
        // Of the last discriminators and of generators that they were not trained against.
        let of_others = chooses && metric::is_of_the_contest(name);
        name.starts_with("eval/") && !spec::is_standard_error(name) && !of_others
    });
    let mut names: Vec<(&str, Role)> = Vec::new();
    let mut add = |name, role| {
        for name in std::iter::once(name).chain(metric::steganography_gap_of(name)) {
            let declared = role != Role::Other;
            if !names.iter().any(|(other, _)| *other == name)
                && (declared || recorded.contains(name))
            {
                let role = if name == plan.metric.name { Role::Primary } else { role };
                names.push((name, role));
            }
        }
    };
    add(&plan.metric.name, Role::Secondary);
    plan.metric.secondary.iter().for_each(|name| add(name, Role::Secondary));
    recorded.iter().for_each(|name| add(name, Role::Other));
    let described =
        |name| if name == primary.name { primary.clone() } else { metric::describe(name) };
    names
        .into_iter()
        .map(|(name, role)| Measured::of(record, described(name), role, anchors))
        .collect()
}

/// `anchor/KIND/METRIC`, which every run that is scored on the same images records alike.
pub(crate) struct Anchors {
    /// Those that are the same for all runs of the sweep.
    shared: BTreeMap<String, f64>,
    /// Some are left out because cells are scored on different images.
    pub(crate) differ_by_images: bool,
    /// Names whose value is not the same in all runs that are scored on the same images: then the
    /// evaluations are not the same either.
    pub(crate) unequal: Vec<String>,
}

/// Relative difference that rounding on another device leaves.
const EQUAL: f64 = 1e-3;

impl Anchors {
    pub(crate) fn of(record: &SweepRecord) -> Anchors {
        let mut by_images: BTreeMap<String, BTreeMap<&str, f64>> = BTreeMap::new();
        let mut unequal = BTreeSet::new();
        for run in &record.runs {
            let is_anchor = |row: &&MetricRow| {
                row.split != Split::Val && row.name.starts_with("anchor/") && row.value.is_finite()
            };
            for row in run.rows.iter().filter(is_anchor) {
                let values = by_images.entry(held_out_images(run)).or_default();
                let first = *values.entry(&row.name).or_insert(row.value);
                if !is_equal(first, row.value) {
                    unequal.insert(row.name.clone());
                }
            }
        }
        let groups: Vec<BTreeMap<&str, f64>> = by_images.into_values().collect();
        let names: BTreeSet<&str> = groups.iter().flatten().map(|(name, _)| *name).collect();
        let shared = |name: &&str| {
            let first = *groups.first()?.get(name)?;
            let in_all =
                groups.iter().all(|it| it.get(name).is_some_and(|it| is_equal(first, *it)));
            in_all.then(|| ((*name).to_string(), first))
        };
        let shared: BTreeMap<String, f64> = names.iter().filter_map(shared).collect();
        Anchors {
            differ_by_images: shared.len() < names.len(),
            shared,
            unequal: unequal.into_iter().collect(),
        }
    }

    fn value(&self, kind: &str, metric: &str) -> Option<f64> {
        let name = metric.strip_prefix("eval/")?;
        let of = |name: &str| self.shared.get(&format!("anchor/{kind}/{name}")).copied();
        // A metric that is the mean of both directions has the mean of their anchors.
        of(name).or_else(|| Some((of(&format!("{name}_ab"))? + of(&format!("{name}_ba"))?) / 2.0))
    }
}

pub(crate) fn is_equal(a: f64, b: f64) -> bool {
    (a - b).abs() <= EQUAL * a.abs().max(b.abs()).max(1e-6)
}
