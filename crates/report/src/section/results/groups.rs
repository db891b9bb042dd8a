//! By which settings a reader may group the rows of tables, and which cells have which value.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use track::{CellRecord, SweepRecord};

use crate::escape::{data_block, visible};
use crate::section::{level, loose_settings, loose_value};
use crate::summary::number_at;

/// Axes and what varies without one, as the tables name them.
pub(super) fn block(record: &SweepRecord) -> String {
    let cells = &record.plan.cells;
    let axes = record.plan.axes.iter().map(|axis| {
        let written: Vec<String> = cells.iter().map(|cell| level(axis, cell)).collect();
        setting(&axis.label, &written, &numbers(cells, &axis.keys))
    });
    let loose = loose_settings(record);
    let loose = loose.iter().map(|key| {
        let written: Vec<String> = cells.iter().map(|cell| loose_value(cell, key)).collect();
        setting(key, &written, &numbers(cells, std::slice::from_ref(key)))
    });
    data_block("groups", &Value::Array(axes.chain(loose).flatten().collect()))
}

/// Of every cell, where it has one number.
fn numbers(cells: &[CellRecord], keys: &[String]) -> Vec<Option<f64>> {
    cells.iter().map(|cell| number_at(cell, keys)).collect()
}

/// Its values in their order, numbers first, and for every cell the index of its own. `None` where
/// there is but one.
fn setting(name: &str, written: &[String], numbers: &[Option<f64>]) -> Option<Value> {
    let mut order: Vec<usize> = (0..written.len()).collect();
    order.sort_by(|&a, &b| match (numbers[a], numbers[b]) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    });
    let mut seen = BTreeSet::new();
    let values: Vec<&String> =
        order.iter().map(|&cell| &written[cell]).filter(|value| seen.insert(*value)).collect();
    let place = |own: &String| values.iter().position(|value| *value == own);
    (values.len() > 1).then(|| {
        json!({
            "name": visible(name),
            "values": values.iter().map(|value| visible(value)).collect::<Vec<_>>(),
            "cells": written.iter().map(place).collect::<Vec<_>>(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_in_their_order() {
        let check = |written: &[&str], expected: Option<Value>| {
            let numbers: Vec<Option<f64>> = written.iter().map(|it| it.parse().ok()).collect();
            let written: Vec<String> = written.iter().map(|it| it.to_string()).collect();
            assert_eq!(setting("a", &written, &numbers), expected);
        };
        let found = |values: &[&str], cells: &[usize]| {
            Some(json!({ "name": "a", "values": values, "cells": cells }))
        };
        check(&["10", "2", "10"], found(&["2", "10"], &[1, 0, 1]));
        check(&["none", "3", "1"], found(&["1", "3", "none"], &[2, 1, 0]));
        check(&["up", "down", "up"], found(&["up", "down"], &[0, 1, 0]));
        check(&["1", "1"], None);
    }
}
