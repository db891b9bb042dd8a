//! `[axes]` and `[zip.NAME]` as typed: what varies, and over which values.

use crate::diagnostic::{Place, quoted};
use crate::leaf::{self, Kind};
use crate::node::{Key, Node, Value};
use crate::plan::MOST_RUNS;
use crate::section::{LONGEST_LINE, Section, is_line};
use crate::settings::{Entry, Flat, Reading};

/// How an axis is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    Linear,
    Log,
    Category,
}

impl Scale {
    /// As in the sweep file.
    pub fn name(self) -> &'static str {
        match self {
            Scale::Linear => "linear",
            Scale::Log => "log",
            Scale::Category => "category",
        }
    }
}

/// One factor of the product: an axis, or a zip of several leaves.
pub(crate) struct Dimension {
    /// The leaf's path, or the zip's name.
    pub(crate) name: String,
    pub(crate) zip: bool,
    pub(crate) leaves: Vec<&'static str>,
    /// One entry per position, holding one value per leaf.
    pub(crate) values: Vec<Vec<Entry>>,
    /// As asked for; `values` stays empty where this is beyond any plan.
    pub(crate) len: u64,
    pub(crate) place: Place,
    pub(crate) label: Option<String>,
    pub(crate) scale: Scale,
    /// Whether it was read without an error.
    pub(crate) sound: bool,
}

/// A table with one of these keys is an axis; any other table is a part of a path.
pub(crate) const AXIS_KEYS: [&str; 7] =
    ["values", "min", "max", "count", "spacing", "label", "scale"];
const LATER_AXIS_KEYS: [&str; 2] = ["when", "distribution"];

pub(crate) fn read_axes(node: &Node, reading: &mut Reading) -> Vec<Dimension> {
    let Value::Table(table) = &node.value else {
        reading.error(node.place, format!("[axes] must be a table, found {}", node.found()));
        return Vec::new();
    };
    let flat = reading.flatten(table, "", is_axis);
    flat.iter().filter_map(|flat| axis(flat, reading)).collect()
}

fn is_axis(node: &Node) -> bool {
    let reserved = |text: &str| AXIS_KEYS.contains(&text) || LATER_AXIS_KEYS.contains(&text);
    matches!(&node.value, Value::Table(entries) if entries.iter().any(|(key, _)| reserved(&key.text)))
}

fn axis(flat: &Flat<'_>, reading: &mut Reading) -> Option<Dimension> {
    let before = reading.findings.errors();
    let leaf = reading.leaf(&flat.path, flat.key)?;
    let mut axis = Dimension {
        name: leaf.to_string(),
        zip: false,
        leaves: vec![leaf],
        values: Vec::new(),
        len: 0,
        place: flat.key,
        label: None,
        scale: match leaf::kind(leaf) {
            Kind::Number | Kind::Whole(_) => Scale::Linear,
            Kind::Flag | Kind::Text | Kind::Choice(_) => Scale::Category,
        },
        sound: true,
    };
    match &flat.node.value {
        Value::Array(items) => values(&mut axis, leaf, flat, items, reading),
        Value::Table(_) => spec(&mut axis, leaf, flat, reading),
        _ => {
            let message = format!(
                "the axis `{leaf}` must be an array of values, found {}",
                flat.node.found()
            );
            reading.error(flat.node.place, message).help("a fixed value belongs under [set]");
        }
    }
    axis.sound = reading.findings.errors() == before;
    if !axis.sound {
        reading.broken.insert(leaf);
    }
    Some(axis)
}

fn spec(axis: &mut Dimension, leaf: &'static str, flat: &Flat<'_>, reading: &mut Reading) {
    let findings = &mut reading.findings;
    let Some(mut section) = Section::open(&format!("the axis `{leaf}`"), flat.node, findings)
    else {
        return;
    };
    section.later("when", "");
    section.later("distribution", "use `count` with `spacing = \"log\"`");
    axis.label = section.line("label", findings).map(|label| label.value);
    let scales = [("linear", Scale::Linear), ("log", Scale::Log), ("category", Scale::Category)];
    let scale = section.choice("scale", &scales, &[], findings);
    let spacings = [("linear", Scale::Linear), ("log", Scale::Log)];
    let spacing = section.choice("spacing", &spacings, &[], findings);
    let listed = section.get("values").map(|(_, node)| node);
    let range = Range {
        min: section.get("min").map(|(_, node)| node),
        max: section.get("max").map(|(_, node)| node),
        count: section.get("count").map(|(_, node)| node),
        log: spacing.as_ref().is_some_and(|spacing| spacing.value == Scale::Log),
    };
    let spaced = section.get("spacing").is_some();
    let before = findings.errors();
    section.finish(findings);
    let unknown_keys = findings.errors() != before;
    if range.log {
        axis.scale = Scale::Log;
    }
    if let Some(scale) = scale {
        axis.scale = scale.value;
    }
    let ranged = range.min.is_some() || range.max.is_some() || range.count.is_some() || spaced;
    match listed {
        Some(node) if ranged => {
            reading.error(node.place, format!("the axis `{leaf}` has both `values` and a range"));
        }
        Some(Node { value: Value::Array(items), .. }) => values(axis, leaf, flat, items, reading),
        Some(node) => {
            let message =
                format!("`values` of the axis `{leaf}` must be an array, found {}", node.found());
            reading.error(node.place, message);
        }
        None if ranged => range.read(axis, leaf, flat.key, reading),
        // The unknown or unavailable key is news enough.
        None if unknown_keys => {}
        None => {
            reading
                .error(flat.key, format!("the axis `{leaf}` has no values"))
                .help("give `values`, or `min`, `max` and `count`");
        }
    }
}

fn values(
    axis: &mut Dimension,
    leaf: &'static str,
    flat: &Flat<'_>,
    items: &[Node],
    reading: &mut Reading,
) {
    axis.len = items.len() as u64;
    if axis.len > MOST_RUNS {
        return; // As with a range that is too long.
    }
    for (index, item) in items.iter().enumerate() {
        let what = format!("value {} of the axis `{leaf}`", index + 1);
        add(axis, leaf, flat.key, item, &what, reading);
    }
    axis.len = axis.values.len() as u64;
    match items {
        [] => {
            reading
                .error(flat.node.place, format!("the axis `{leaf}` is empty: nothing would run"));
        }
        [_] => {
            reading
                .findings
                .warning(flat.key, format!("the axis `{leaf}` has one value, so it varies nothing"))
                .help("write it under [set]");
        }
        _ => {}
    }
}

/// Coerces one value and appends it unless an equal one is there.
fn add(
    axis: &mut Dimension,
    leaf: &'static str,
    key: Place,
    item: &Node,
    what: &str,
    reading: &mut Reading,
) {
    let Some(value) = reading.coerce(leaf, item, what) else { return };
    if axis.values.iter().any(|other| other[0].value == value) {
        reading
            .error(item.place, format!("{what} repeats {}", leaf::show(&value)))
            .help("remove one; 10 and 10.0 are the same number");
        return;
    }
    axis.values.push(vec![Entry { leaf, key, value, place: item.place }]);
}

/// `{ min, max, count, spacing }`.
struct Range<'a> {
    min: Option<&'a Node>,
    max: Option<&'a Node>,
    count: Option<&'a Node>,
    log: bool,
}

impl Range<'_> {
    fn read(&self, axis: &mut Dimension, leaf: &'static str, key: Place, reading: &mut Reading) {
        if !matches!(leaf::kind(leaf), Kind::Number | Kind::Whole(_)) {
            let message = format!("the axis `{leaf}` holds no numbers, so it has no range");
            reading.error(key, message).help("list its `values`");
            return;
        }
        let missing: Vec<&str> = [("min", self.min), ("max", self.max), ("count", self.count)]
            .iter()
            .filter(|(_, node)| node.is_none())
            .map(|(name, _)| *name)
            .collect();
        if !missing.is_empty() {
            let message =
                format!("the range of the axis `{leaf}` needs {}", quoted(&missing, "and"));
            let mut found = reading.error(key, message);
            if missing == ["count"] {
                found = found.help("a range without `count` has no end");
            }
            let _ = found;
            return;
        }
        let (Some(min), Some(max), Some(count)) = (self.min, self.max, self.count) else { return };
        let low = reading.coerce(leaf, min, &format!("`min` of the axis `{leaf}`"));
        let high = reading.coerce(leaf, max, &format!("`max` of the axis `{leaf}`"));
        let points = match count.value {
            Value::Integer(number) if number >= 2 => u64::try_from(number).ok(),
            _ => {
                let message = format!(
                    "`count` of the axis `{leaf}`: expected a whole number ≥ 2, found {}",
                    count.found()
                );
                reading.error(count.place, message);
                None
            }
        };
        let ends = (low.and_then(|low| low.as_f64()), high.and_then(|high| high.as_f64()), points);
        let (Some(low), Some(high), Some(points)) = ends else { return };
        if low >= high {
            let message =
                format!("`min` of the axis `{leaf}` ({low}) is not below its `max` ({high})");
            reading.error(min.place, message);
            return;
        }
        if self.log && low <= 0.0 {
            let message = format!("log spacing of the axis `{leaf}` cannot start at {low}");
            reading
                .error(min.place, message)
                .help("use a `min` above 0, or list the values with 0 among them");
            return;
        }
        axis.len = points;
        if points > MOST_RUNS {
            return; // The plan refuses it; nothing that size is made here.
        }
        for index in 0..points {
            let number = self.at(low, high, index, points - 1);
            let whole = *leaf::kind(leaf) != Kind::Number && number.fract() == 0.0;
            let value = if whole { Value::Integer(number as i128) } else { Value::Float(number) };
            let item = Node { value, place: count.place };
            let what = format!("point {} of the axis `{leaf}`", index + 1);
            add(axis, leaf, key, &item, &what, reading);
        }
    }

    /// Rounded to 12 digits: a platform's `exp` must not decide a run's name.
    fn at(&self, low: f64, high: f64, index: u64, last: u64) -> f64 {
        if index == 0 || index == last {
            return if index == 0 { low } else { high };
        }
        let part = index as f64 / last as f64;
        let exact = if self.log {
            (low.ln() + part * (high.ln() - low.ln())).exp()
        } else {
            low + part * (high - low)
        };
        format!("{exact:.11e}").parse().expect("a formatted float is a float")
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_leaf_is_named_like_a_key_of_an_axis() {
        for path in leaf::paths() {
            for segment in path.split('.') {
                assert!(
                    !AXIS_KEYS.contains(&segment) && !LATER_AXIS_KEYS.contains(&segment),
                    "{path}"
                );
            }
        }
    }
}
