//! What the settings of every cell are, for conditions in a table's filter.

use serde_json::{Map, Value, json};
use track::SweepRecord;

use crate::escape::{data_block, visible};

/// All leaves of the first cell, and what other cells have otherwise.
pub(crate) fn block(record: &SweepRecord) -> String {
    let of_cell = |cell: usize| -> Map<String, Value> {
        let own = record.runs.iter().filter(|run| run.cell == cell);
        let config = own.map(|run| &run.config).find(|config| config.is_object());
        let mut leaves = Map::new();
        config.into_iter().for_each(|config| flatten("", config, &mut leaves));
        // A store without configurations has the settings that vary.
        leaves.extend(record.plan.cells[cell].settings.iter().cloned());
        leaves
    };
    let first = if record.plan.cells.is_empty() { Map::new() } else { of_cell(0) };
    let cells = record.plan.cells.iter().enumerate().map(|(at, cell)| {
        let own = of_cell(at);
        let other = |(leaf, value): &(String, Value)| first.get(leaf) != Some(value);
        let gone = first.keys().filter(|leaf| !own.contains_key(*leaf));
        let gone: Vec<(String, Value)> = gone.map(|leaf| (leaf.clone(), Value::Null)).collect();
        let differs: Map<String, Value> = own.into_iter().filter(other).chain(gone).collect();
        json!({ "label": visible(&cell.label), "differs": differs })
    });
    data_block("leaves", &json!({ "leaves": first, "cells": cells.collect::<Vec<_>>() }))
}

pub(super) fn flatten(path: &str, tree: &Value, leaves: &mut Map<String, Value>) {
    let Value::Object(branches) = tree else {
        leaves.insert(path.to_string(), tree.clone());
        return;
    };
    for (name, branch) in branches {
        let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        flatten(&below, branch, leaves);
    }
}
