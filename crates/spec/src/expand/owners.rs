//! Leaves with two owners.

use std::collections::BTreeMap;

use crate::diagnostic::Place;
use crate::leaf::show;
use crate::settings::{Entry, Reading};
use crate::sweep_file::SweepFile;

/// The same leaf in two of axes, zips, arms, `[set]`, `[guards]`, `[derive]`, `[[rules]]` and
/// `--set`; true if there is none. What adds to the rest may say it otherwise: arms, points and
/// rules override `[set]`.
pub(super) fn clashes(file: &SweepFile, overrides: &[Entry], reading: &mut Reading) -> bool {
    let before = reading.findings.errors();
    let owners = axes(file, reading);
    fixed(file, &owners, reading);
    arms(file, &owners, reading);
    derived(file, &owners, reading);
    selection(file, reading);
    command_line(file, overrides, &owners, reading);
    reading.findings.errors() == before
}

type Owners = BTreeMap<&'static str, String>;

fn axes(file: &SweepFile, reading: &mut Reading) -> Owners {
    let mut owners = Owners::new();
    for it in &file.dimensions {
        let owner = if it.zip { format!("[zip.{}]", it.name) } else { "[axes]".to_string() };
        for leaf in &it.leaves {
            let key = it.values.iter().flatten().find(|entry| entry.leaf == *leaf);
            let key = key.map_or(it.place, |entry| entry.key);
            if let Some(other) = owners.get(leaf) {
                reading
                    .error(key, format!("`{leaf}` is in {owner} and in {other}"))
                    .help("keep one");
            } else {
                owners.insert(leaf, owner.clone());
            }
        }
    }
    owners
}

/// `[set]` and `[guards]`.
fn fixed(file: &SweepFile, owners: &Owners, reading: &mut Reading) {
    for (entry, table) in fixed_entries(file) {
        if let Some(other) = owners.get(entry.leaf) {
            reading
                .error(entry.key, format!("`{}` is in {table} and in {other}", entry.leaf))
                .help("a setting is fixed or it varies: keep one");
        }
    }
    for entry in &file.guards {
        if let Some(other) = file.set.iter().find(|other| other.leaf == entry.leaf) {
            let message = format!(
                "`{}` is in [guards], as {}, and in [set], as {}",
                entry.leaf,
                show(&entry.value),
                show(&other.value)
            );
            reading.error(entry.key.max(other.key), message).help("both mean the same: keep one");
        }
    }
}

fn fixed_entries(file: &SweepFile) -> impl Iterator<Item = (&Entry, &'static str)> {
    let set = file.set.iter().map(|entry| (entry, "[set]"));
    set.chain(file.guards.iter().map(|entry| (entry, "[guards]")))
}

fn arms(file: &SweepFile, owners: &Owners, reading: &mut Reading) {
    for entry in file.arms.iter().flat_map(|arm| &arm.entries) {
        if let Some(other) = owners.get(entry.leaf) {
            reading
                .error(entry.key, format!("`{}` is in [[arms]] and in {other}", entry.leaf))
                .help("a further value of an axis is a value of it, or one of the [[points]]");
        }
    }
}

fn derived(file: &SweepFile, owners: &Owners, reading: &mut Reading) {
    let of = |entries: &[Entry], leaf| entries.iter().any(|entry| entry.leaf == leaf);
    for it in &file.derived {
        let fixed = fixed_entries(file).find(|(entry, _)| entry.leaf == it.leaf);
        let other = match owners.get(it.leaf) {
            Some(axis) => Some(axis.as_str()),
            None if fixed.is_some() => fixed.map(|(_, table)| table),
            None if file.arms.iter().any(|arm| of(&arm.entries, it.leaf)) => Some("[[arms]]"),
            None if file.points.iter().any(|point| of(&point.entries, it.leaf)) => {
                Some("[[points]]")
            }
            None if file.rules.iter().any(|rule| of(&rule.entries, it.leaf)) => Some("[[rules]]"),
            None => None,
        };
        if let Some(other) = other {
            reading
                .error(it.key, format!("`{}` is in [derive] and in {other}", it.leaf))
                .help("what is derived is never set: keep one");
        }
    }
}

/// `select` in `[sweep.metric]` is short for `eval.checkpoint` under `[set]`.
fn selection(file: &SweepFile, reading: &mut Reading) {
    let Some(select) = &file.select else { return };
    let named = |place: Place, table: &str| {
        (place, format!("`{}` is in {table}, and `select` is in [sweep.metric]", select.leaf))
    };
    let own = |entry: &&Entry| entry.leaf == select.leaf;
    let fixed = fixed_entries(file).find(|(entry, _)| own(entry));
    let axis = file.dimensions.iter().find(|it| it.leaves.contains(&select.leaf));
    let found = match (fixed, axis) {
        (Some((entry, table)), _) => Some(named(entry.key, table)),
        (None, Some(axis)) => Some(named(axis.place, "[axes]")),
        (None, None) => None,
    };
    if let Some((place, message)) = found {
        reading.error(place, message).help("both mean the same: keep one");
    }
}

fn command_line(file: &SweepFile, overrides: &[Entry], owners: &Owners, reading: &mut Reading) {
    for entry in overrides {
        let derived = file.derived.iter().any(|it| it.leaf == entry.leaf);
        if let Some(other) = owners.get(entry.leaf) {
            reading
                .error(
                    entry.key,
                    format!("`--set {}` would undo {other}, where it varies", entry.leaf),
                )
                .help("change the axis in the file");
        } else if derived {
            reading
                .error(entry.key, format!("`--set {}` would undo [derive]", entry.leaf))
                .help("set what it is derived from");
        }
    }
}
