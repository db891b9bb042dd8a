//! `[axes]` and `[zip.NAME]` as typed: what varies, and over which values.

mod distribution;
mod range;
mod zip;

pub use self::distribution::Distribution;
pub(crate) use self::distribution::Drawn;
use self::range::Range;
pub(crate) use self::zip::read_zips;

use crate::condition::Condition;
use crate::diagnostic::{Located, Place};
use crate::leaf::{self, Kind};
use crate::node::{Node, Value};
use crate::plan::MOST_RUNS;
use crate::section::Section;
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
#[derive(Clone)]
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
    /// It varies in the cells of which this is true; in others it takes the base's value.
    pub(crate) when: Option<Condition>,
    /// What a random design draws from where there is no list of values.
    pub(crate) drawn: Option<Drawn>,
    /// Whether it was read without an error.
    pub(crate) sound: bool,
}

/// A table with one of these keys is an axis; any other table is a part of a path.
pub(crate) const AXIS_KEYS: [&str; 9] =
    ["values", "min", "max", "count", "spacing", "distribution", "label", "scale", "when"];

pub(crate) fn read_axes(node: &Node, reading: &mut Reading) -> Vec<Dimension> {
    let Value::Table(table) = &node.value else {
        reading.error(node.place, format!("[axes] must be a table, found {}", node.found()));
        return Vec::new();
    };
    let flat = reading.flatten(table, "", is_axis);
    flat.iter().filter_map(|flat| axis(flat, reading)).collect()
}

fn is_axis(node: &Node) -> bool {
    matches!(&node.value, Value::Table(entries)
        if entries.iter().any(|(key, _)| AXIS_KEYS.contains(&key.text.as_str())))
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
        when: None,
        drawn: None,
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
    let when = section.string("when", findings);
    let distribution = section.choice("distribution", &Distribution::NAMED, &[], findings);
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
        distribution: distribution.as_ref().map(|it| it.value),
    };
    let spaced = section.get("spacing").map(|(key, _)| key.place);
    let has_distribution = section.get("distribution").is_some();
    let before = findings.errors();
    section.finish(findings);
    let unknown_keys = findings.errors() != before;
    if range.log || range.distribution == Some(Distribution::LogUniform) {
        axis.scale = Scale::Log;
    }
    if let Some(scale) = scale {
        axis.scale = scale.value;
    }
    let ends = range.min.is_some() || range.max.is_some() || range.count.is_some();
    let ranged = ends || spaced.is_some() || has_distribution;
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
        // A distribution of an unknown name is news enough.
        None if has_distribution && distribution.is_none() => {}
        None if ranged => range.read(axis, leaf, flat.key, spaced, reading),
        // The unknown or unavailable key is news enough.
        None if unknown_keys => {}
        None => {
            reading
                .error(flat.key, format!("the axis `{leaf}` has no values"))
                .help("give `values`, or `min`, `max` and `count`");
        }
    }
    axis.when = when.and_then(|text| condition(leaf, &text, reading));
}

fn condition(
    leaf: &'static str,
    text: &Located<String>,
    reading: &mut Reading,
) -> Option<Condition> {
    let condition = reading.condition(text)?;
    if condition.expression.leaves().contains(&leaf) {
        reading.error(text.place, format!("`when` of the axis `{leaf}` asks for `{leaf}` itself"));
        return None;
    }
    Some(condition)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_leaf_is_named_like_a_key_of_an_axis() {
        for path in leaf::paths() {
            for segment in path.split('.') {
                assert!(!AXIS_KEYS.contains(&segment), "{path}");
            }
        }
    }
}
