//! `[zip.NAME]`: leaves that vary together.

use super::{Dimension, Scale, is_axis};
use crate::diagnostic::Place;
use crate::node::{Key, Node, Value};
use crate::plan::MOST_RUNS;
use crate::section::{LONGEST_LINE, is_line};
use crate::settings::{Entry, Reading};

pub(crate) fn read_zips(node: &Node, reading: &mut Reading) -> Vec<Dimension> {
    let Value::Table(table) = &node.value else {
        reading.error(node.place, format!("[zip] must be a table, found {}", node.found()));
        return Vec::new();
    };
    table.iter().filter_map(|(name, node)| zip(name, node, reading)).collect()
}

fn zip(name: &Key, node: &Node, reading: &mut Reading) -> Option<Dimension> {
    let before = reading.findings.errors();
    let what = format!("[zip.{}]", name.text);
    let Value::Table(table) = &node.value else {
        reading
            .error(node.place, format!("{what} must be a table, found {}", node.found()))
            .help("write [zip.NAME], then one array per setting");
        return None;
    };
    if !is_line(&name.text) {
        let message = format!("the name of a zip is one line of at most {LONGEST_LINE} bytes");
        reading.error(name.place, message);
    }
    let mut columns: Vec<(Place, Vec<Entry>, usize)> = Vec::new();
    for flat in reading.flatten(table, "", is_axis) {
        let Some(leaf) = reading.leaf(&flat.path, flat.key) else { continue };
        let Value::Array(items) = &flat.node.value else {
            let message =
                format!("`{leaf}` in {what} must be an array, found {}", flat.node.found());
            reading.error(flat.node.place, message);
            reading.broken.insert(leaf);
            continue;
        };
        if items.len() as u64 > MOST_RUNS {
            let message = format!(
                "`{leaf}` in {what} has {} values, more than the {MOST_RUNS} runs of the largest plan",
                items.len()
            );
            reading.error(flat.node.place, message);
            reading.broken.insert(leaf);
            continue;
        }
        let mut column = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let of = format!("value {} of `{leaf}` in {what}", index + 1);
            if let Some(value) = reading.coerce(leaf, item, &of) {
                column.push(Entry { leaf, key: flat.key, value, place: item.place });
            }
        }
        columns.push((flat.node.place, column, items.len()));
    }
    if columns.is_empty() && reading.findings.errors() == before {
        reading.error(name.place, format!("{what} is empty"));
    }
    lengths(&what, &columns, reading);
    let mut zip = Dimension {
        name: name.text.clone(),
        zip: true,
        leaves: columns
            .iter()
            .filter_map(|(_, column, _)| column.first().map(|entry| entry.leaf))
            .collect(),
        values: Vec::new(),
        len: 0,
        place: name.place,
        label: None,
        scale: Scale::Category,
        when: None,
        drawn: None,
        sound: reading.findings.errors() == before,
    };
    if zip.sound {
        rows(&mut zip, &what, &columns, reading);
    } else {
        reading.broken.extend(zip.leaves.iter().copied());
    }
    Some(zip)
}

fn lengths(what: &str, columns: &[(Place, Vec<Entry>, usize)], reading: &mut Reading) {
    let Some((_, first, expected)) = columns.first() else { return };
    for (place, column, len) in columns {
        if *len == 0 {
            reading.error(*place, format!("an array of {what} is empty: nothing would run"));
        } else if len != expected
            && let (Some(one), Some(other)) = (first.first(), column.first())
        {
            let message =
                format!("{what}: `{}` has {expected} values, `{}` has {len}", one.leaf, other.leaf);
            reading
                .error(*place, message)
                .help("zipped arrays are walked together and must be equally long");
        }
    }
}

fn rows(
    zip: &mut Dimension,
    what: &str,
    columns: &[(Place, Vec<Entry>, usize)],
    reading: &mut Reading,
) {
    let len = columns.first().map_or(0, |(_, column, _)| column.len());
    for index in 0..len {
        let row: Vec<Entry> = columns.iter().map(|(_, column, _)| column[index].clone()).collect();
        let same = |other: &Vec<Entry>| other.iter().zip(&row).all(|(a, b)| a.value == b.value);
        if let Some(earlier) = zip.values.iter().position(same) {
            let message = format!("{what}: values {} repeat values {}", index + 1, earlier + 1);
            reading.error(row[0].place, message);
            zip.sound = false;
        }
        zip.values.push(row);
    }
    zip.len = len as u64;
    if len == 1 {
        reading
            .findings
            .warning(zip.place, format!("{what} has one value each, so it varies nothing"))
            .help("write them under [set]");
    }
}
