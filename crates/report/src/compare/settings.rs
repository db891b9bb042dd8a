//! Which cells of several sweeps are the same setting, and in what else the sweeps differ.
//!
//! A leaf that some sweep varies tells settings apart in all of them: a sweep that does not vary it
//! has its own configured value of it everywhere. A leaf that no sweep varies belongs to the sweep as
//! a whole, as its data set does: it tells nothing apart, and is listed where it differs.

use std::collections::BTreeMap;

use serde_json::Value;
use track::{AxisRecord, CellRecord, SweepRecord};

use crate::section::results::across;
use crate::summary::same_settings;

/// One setting, and the cell that each sweep has it in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setting {
    /// Unique on the page, in words.
    pub(super) name: String,
    /// By [`Matched::keys`].
    pub(super) values: Vec<Value>,
    /// By sweep.
    pub(super) cells: Vec<Option<usize>>,
}

/// A leaf in which the baselines are not the same; `None` where a sweep does not have it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Differing {
    pub(super) leaf: String,
    pub(super) values: Vec<Option<Value>>,
}

pub(super) struct Matched {
    /// Leaves that some sweep varies.
    pub(super) keys: Vec<String>,
    /// As people call them.
    pub(super) heads: Vec<String>,
    pub(super) settings: Vec<Setting>,
    pub(super) differing: Vec<Differing>,
}

/// Every leaf of one cell.
type Leaves = BTreeMap<String, Value>;

impl Matched {
    pub(super) fn of(records: &[&SweepRecord]) -> Matched {
        let configured: Vec<Vec<Leaves>> = records.iter().map(|record| of_cells(record)).collect();
        let keys = varied(records, &configured);
        let mut settings = matched(&keys, &configured);
        sort(&mut settings, keys.len());
        name(&mut settings, records, &keys);
        let axes = axes(records);
        Matched {
            heads: keys.iter().map(|key| across::label(&axes, key)).collect(),
            differing: differing(records, &configured, &keys),
            settings,
            keys,
        }
    }
}

fn of_cells(record: &SweepRecord) -> Vec<Leaves> {
    let cells = record.plan.cells.iter().enumerate();
    cells
        .map(|(at, cell)| {
            let mut leaves = Leaves::new();
            if let Some(run) = record.runs.iter().find(|run| run.cell == at) {
                collect(&run.config, "", &mut leaves);
            }
            leaves.extend(cell.settings.iter().cloned());
            leaves
        })
        .collect()
}

fn collect(config: &Value, path: &str, leaves: &mut Leaves) {
    let Value::Object(fields) = config else {
        leaves.insert(path.into(), config.clone());
        return;
    };
    for (name, value) in fields {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        collect(value, &path, leaves);
    }
}

/// In the order in which the sweeps name them.
fn varied(records: &[&SweepRecord], configured: &[Vec<Leaves>]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for (record, cells) in records.iter().zip(configured) {
        for (key, _) in record.plan.cells.iter().flat_map(|cell| &cell.settings) {
            let varies = cells.iter().any(|cell| !same(value(cell, key), value(&cells[0], key)));
            if varies && !keys.contains(key) {
                keys.push(key.clone());
            }
        }
    }
    keys
}

fn value<'a>(leaves: &'a Leaves, key: &str) -> &'a Value {
    leaves.get(key).unwrap_or(&Value::Null)
}

fn same(a: &Value, b: &Value) -> bool {
    same_settings(&[a], &[b])
}

fn matched(keys: &[String], configured: &[Vec<Leaves>]) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for (sweep, cells) in configured.iter().enumerate() {
        for (at, leaves) in cells.iter().enumerate() {
            let values: Vec<&Value> = keys.iter().map(|key| value(leaves, key)).collect();
            // Two cells of one sweep are never one setting, whatever its plan says of them.
            let fits = |it: &&mut Setting| {
                it.cells[sweep].is_none()
                    && same_settings(&it.values.iter().collect::<Vec<_>>(), &values)
            };
            match settings.iter_mut().find(fits) {
                Some(setting) => setting.cells[sweep] = Some(at),
                None => {
                    let mut own = vec![None; configured.len()];
                    own[sweep] = Some(at);
                    let values = values.into_iter().cloned().collect();
                    settings.push(Setting { name: String::new(), values, cells: own });
                }
            }
        }
    }
    settings
}

/// By the leaves that are numbers everywhere; else as the sweeps have them.
fn sort(settings: &mut [Setting], keys: usize) {
    let is_number = |key: &usize| settings.iter().all(|it| it.values[*key].is_number());
    let numeric: Vec<usize> = (0..keys).filter(is_number).collect();
    let place = |it: &Setting| {
        let values = numeric.iter().filter_map(|&key| it.values[key].as_f64());
        values.collect::<Vec<f64>>()
    };
    settings.sort_by(|a, b| {
        let (a, b) = (place(a), place(b));
        let differ = a.iter().zip(&b).map(|(a, b)| a.total_cmp(b));
        differ.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
}

/// The cells' own labels where the sweeps vary the same leaves and call the cells alike.
fn name(settings: &mut [Setting], records: &[&SweepRecord], keys: &[String]) {
    let axes = axes(records);
    let labels = |setting: &Setting| -> Vec<String> {
        let cells = setting.cells.iter().zip(records);
        cells.filter_map(|(cell, record)| Some(record.plan.cells[(*cell)?].label.clone())).collect()
    };
    let has_all =
        |cell: &CellRecord| keys.iter().all(|key| cell.settings.iter().any(|(own, _)| own == key));
    let alike = records.iter().all(|record| record.plan.cells.iter().all(has_all))
        && settings.iter().all(|it| labels(it).windows(2).all(|pair| pair[0] == pair[1]));
    let mut used: Vec<String> = Vec::new();
    for setting in settings {
        let own = match alike {
            true => labels(setting).remove(0),
            false => across::name(&axes, keys, &setting.values.iter().collect::<Vec<_>>()),
        };
        // What a plan calls alike is told apart.
        let again = used.iter().filter(|name| **name == own).count();
        used.push(own.clone());
        setting.name = if again == 0 { own } else { format!("{own} ({})", again + 1) };
    }
}

fn axes<'a>(records: &[&'a SweepRecord]) -> Vec<&'a AxisRecord> {
    records.iter().flat_map(|record| &record.plan.axes).collect()
}

/// The baselines stand for their sweeps; without one, what all cells share does.
fn differing(
    records: &[&SweepRecord],
    configured: &[Vec<Leaves>],
    keys: &[String],
) -> Vec<Differing> {
    let baseline = |record: &SweepRecord| record.plan.cells.iter().position(|cell| cell.baseline);
    let standing: Vec<Leaves> = records
        .iter()
        .zip(configured)
        .map(|(record, cells)| match baseline(record) {
            Some(baseline) => cells[baseline].clone(),
            None => {
                let mut shared = cells.first().cloned().unwrap_or_default();
                shared.retain(|leaf, _| !keys.contains(leaf));
                shared
            }
        })
        .collect();
    // What a sweep without a baseline varies it has no one value of, and differs in it from nobody.
    let has_none = records.iter().any(|record| baseline(record).is_none());
    let mut leaves: Vec<&String> = standing.iter().flat_map(|it| it.keys()).collect();
    leaves.sort();
    leaves.dedup();
    let values = |leaf: &String| -> Vec<Option<Value>> {
        standing.iter().map(|it| it.get(leaf).cloned()).collect()
    };
    let differs = |it: &Differing| {
        let varies = has_none && keys.contains(&it.leaf);
        let known: Vec<&Value> = it.values.iter().flatten().collect();
        known.iter().any(|value| !same(value, known[0]))
            || (known.len() < it.values.len() && !varies)
    };
    let found =
        leaves.into_iter().map(|leaf| Differing { leaf: leaf.clone(), values: values(leaf) });
    found.filter(differs).collect()
}
