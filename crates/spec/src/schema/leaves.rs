//! What stands at a leaf's path, in each of the tables that have leaves.

use serde_json::{Map, Value as Json, json};

use super::{line, table};
use crate::axis_spec::Distribution;
use crate::check;
use crate::leaf::{self, Kind};

/// A table with something at every leaf, nested or under its quoted path.
pub(super) fn by_leaf(description: &str, at: fn(&str) -> Json) -> Json {
    let mut sections: Map<String, Json> = Map::new();
    let mut quoted: Map<String, Json> = Map::new();
    for path in leaf::paths() {
        let (section, name) = path.split_once('.').expect("a section and a leaf");
        let of_section =
            sections.entry(section).or_insert_with(|| table("", &[], Json::Object(Map::new())));
        of_section["properties"][name] = at(path);
        quoted.insert(path.to_string(), at(path));
    }
    sections.append(&mut quoted);
    table(description, &[], Json::Object(sections))
}

/// A value of the leaf.
pub(super) fn value(leaf: &str) -> Json {
    let mut found = kind(leaf);
    let default = leaf::get(leaf::reference(), leaf).filter(|default| !default.is_null());
    if let Some(default) = default {
        found["default"] = default.clone();
    }
    if let Some(wanted) = check::wanted(leaf) {
        found["description"] = json!(format!("{leaf}: {wanted}"));
    }
    found
}

fn kind(leaf: &str) -> Json {
    match leaf::kind(leaf) {
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Whole(u64::MAX) => json!({ "type": "integer", "minimum": 0 }),
        Kind::Whole(max) => json!({ "type": "integer", "minimum": 0, "maximum": max }),
        Kind::Number => json!({ "type": "number" }),
        Kind::Text => json!({ "type": "string", "maxLength": leaf::LONGEST_TEXT }),
        Kind::Choice(options) => json!({ "enum": options }),
    }
}

/// Values of an axis, or a table that says more.
pub(super) fn axis(leaf: &str) -> Json {
    let values = json!({ "type": "array", "items": kind(leaf), "minItems": 1 });
    let distributions = Distribution::NAMED.map(|(name, _)| name);
    let mut more = json!({
        "values": values,
        "label": line("The axis's name in the report."),
        "scale": { "enum": ["linear", "log", "category"], "description": "How the axis is drawn." },
        "when": expression(),
    });
    if matches!(leaf::kind(leaf), Kind::Whole(_) | Kind::Number) {
        more["min"] = kind(leaf);
        more["max"] = kind(leaf);
        more["count"] = json!({ "type": "integer", "minimum": 2,
            "description": "How many values from min to max." });
        more["spacing"] = json!({ "enum": ["linear", "log"], "default": "linear" });
        more["distribution"] = json!({ "enum": distributions,
            "description": "What a random design draws from, between min and max." });
    }
    json!({ "anyOf": [values, table("", &[], more)] })
}

/// Values of a leaf in a zip.
pub(super) fn column(leaf: &str) -> Json {
    json!({ "type": "array", "items": kind(leaf), "minItems": 1 })
}

pub(super) fn expression() -> Json {
    json!({
        "type": "string",
        "minLength": 1,
        "description": "== != < <= > >= in, not in, and, or, not, + - * / ( ), numbers, 'text', true, false, and leaves",
    })
}
