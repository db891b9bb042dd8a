//! The leaves of a run configuration, by dotted path.
//!
//! There is no second schema: a leaf exists because `RunConfig` serialises it,
//! and its type is what `RunConfig` accepts in its place. Deserialising the
//! reference with one leaf replaced answers both "is this value allowed" and
//! "what is it after coercion" (`10` becomes `10.0` for an `f64`).

use std::sync::LazyLock;

use serde_json::Value as Json;

use crate::check;
use crate::diagnostic::{did_you_mean, quoted};
use crate::node::{Node, Value};
use crate::run_config::RunConfig;

/// What a leaf takes, found by probing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Flag,
    /// 0 to the given maximum.
    Whole(u64),
    Number,
    Text,
    /// One of these strings.
    Choice(Vec<String>),
}

struct Leaf {
    path: String,
    kind: Kind,
}

/// The reference configuration as a tree, and its leaves in declaration order.
struct Schema {
    tree: Json,
    leaves: Vec<Leaf>,
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let tree = tree(&RunConfig::reference());
    let mut paths = Vec::new();
    collect(&tree, "", &mut paths);
    let leaves = paths.into_iter().map(|path| Leaf { kind: probe(&tree, &path), path }).collect();
    Schema { tree, leaves }
});

/// Every leaf path in declaration order.
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    SCHEMA.leaves.iter().map(|leaf| leaf.path.as_str())
}

/// What a path means.
pub(crate) enum Path {
    Leaf(&'static str),
    /// A section such as `loss`; its leaves.
    Section(Vec<&'static str>),
    Unknown,
}

pub(crate) fn resolve(path: &str) -> Path {
    if let Some(leaf) = paths().find(|leaf| *leaf == path) {
        return Path::Leaf(leaf);
    }
    let inside = |leaf: &&str| leaf.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
    let leaves: Vec<&str> = paths().filter(inside).collect();
    if leaves.is_empty() { Path::Unknown } else { Path::Section(leaves) }
}

pub(crate) fn kind(leaf: &str) -> &'static Kind {
    let found = SCHEMA.leaves.iter().find(|known| known.path == leaf);
    &found.expect("leaf paths come from the schema").kind
}

pub(crate) fn tree(config: &RunConfig) -> Json {
    serde_json::to_value(config).expect("a RunConfig has string keys and no failing field")
}

/// [`tree`] of the reference.
pub(crate) fn reference() -> &'static Json {
    &SCHEMA.tree
}

/// The value at a path; `None` where the path leads nowhere.
pub(crate) fn get<'a>(tree: &'a Json, leaf: &str) -> Option<&'a Json> {
    leaf.split('.').try_fold(tree, |at, segment| at.get(segment))
}

/// Replaces the value at an existing path.
pub(crate) fn set(tree: &mut Json, leaf: &str, value: Json) {
    let found = leaf.split('.').try_fold(tree, |at, segment| at.get_mut(segment));
    *found.expect("leaf paths come from the schema") = value;
}

/// A value that a leaf does not take.
#[derive(Debug)]
pub(crate) struct Mismatch {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// The longest path that file systems take. Every cell has a copy.
pub(crate) const LONGEST_TEXT: usize = 4096;

/// The typed value as the leaf's own type writes it.
pub(crate) fn coerce(leaf: &str, node: &Node) -> Result<Json, Mismatch> {
    let value = match &node.value {
        Value::String(text) if text.len() > LONGEST_TEXT && *kind(leaf) == Kind::Text => {
            let message = format!("no path or name is longer than {LONGEST_TEXT} bytes");
            return Err(Mismatch { message, help: None });
        }
        Value::String(text) => Json::from(text.as_str()),
        Value::Boolean(flag) => Json::from(*flag),
        Value::Integer(number) => match (u64::try_from(*number), i64::try_from(*number)) {
            (Ok(number), _) => Json::from(number),
            (_, Ok(number)) => Json::from(number),
            _ => return Err(mismatch(leaf, node)),
        },
        // `null` would be taken for "absent".
        Value::Float(number) if !number.is_finite() => {
            return Err(mismatch(leaf, node));
        }
        // One spelling of zero, or -0.0 would be another run.
        Value::Float(number) => Json::from(if *number == 0.0 { 0.0 } else { *number }),
        _ => return Err(mismatch(leaf, node)),
    };
    accepted(&SCHEMA.tree, leaf, value).map_err(|_| mismatch(leaf, node))
}

/// What the leaf holds after taking `value`, or serde's reason.
fn accepted(tree: &Json, leaf: &str, value: Json) -> Result<Json, String> {
    let mut tree = tree.clone();
    set(&mut tree, leaf, value);
    let config: RunConfig = serde_json::from_value(tree).map_err(|error| error.to_string())?;
    let tree = self::tree(&config);
    Ok(get(&tree, leaf).expect("the path was set above").clone())
}

fn mismatch(leaf: &str, node: &Node) -> Mismatch {
    let wanted = match (check::wanted(leaf), kind(leaf)) {
        (Some(wanted), _) => wanted.to_string(),
        (None, Kind::Flag) => "true or false".to_string(),
        (None, Kind::Whole(max)) if *max == u64::MAX => "a whole number ≥ 0".to_string(),
        (None, Kind::Whole(max)) => format!("a whole number from 0 to {max}"),
        (None, Kind::Number) => "a number".to_string(),
        (None, Kind::Text) => "a string".to_string(),
        (None, Kind::Choice(options)) => {
            let options: Vec<String> = options.iter().map(|option| format!("{option:?}")).collect();
            if options.len() == 1 {
                options[0].clone()
            } else {
                format!("one of {}", options.join(", "))
            }
        }
    };
    let message = match &node.value {
        Value::Float(number) if !number.is_finite() && *kind(leaf) == Kind::Number => {
            format!("expected {wanted}, found {number}: only finite numbers are allowed")
        }
        _ => format!("expected {wanted}, found {}", node.found()),
    };
    Mismatch { message, help: remedy(leaf, node) }
}

fn remedy(leaf: &str, node: &Node) -> Option<String> {
    match (kind(leaf), &node.value) {
        (Kind::Choice(options), Value::String(text)) => {
            did_you_mean(text, options.iter().map(String::as_str))
        }
        (Kind::Whole(_), Value::Float(number)) if number.fract() == 0.0 => {
            Some(format!("write {number:.0} without the decimal point"))
        }
        (Kind::Whole(_) | Kind::Number, Value::String(text)) if text.parse::<f64>().is_ok() => {
            Some("remove the quotes: a string is never taken for a number".to_string())
        }
        (Kind::Flag, Value::String(text)) if text == "true" || text == "false" => {
            Some("remove the quotes".to_string())
        }
        (Kind::Text | Kind::Choice(_), _) => match &node.value {
            Value::Boolean(flag) => Some(format!("write {:?} in quotes", flag.to_string())),
            _ => None,
        },
        (_, Value::Array(_)) => Some(format!("to vary it, put `{leaf}` under [axes]")),
        _ => None,
    }
}

fn collect(tree: &Json, prefix: &str, paths: &mut Vec<String>) {
    match tree {
        Json::Object(fields) => {
            for (name, value) in fields {
                let path =
                    if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                collect(value, &path, paths);
            }
        }
        _ => paths.push(prefix.to_string()),
    }
}

fn probe(tree: &Json, leaf: &str) -> Kind {
    // No leaf has a choice of this name.
    const STRANGER: &str = "\u{1}";
    let takes = |value: Json| accepted(tree, leaf, value).is_ok();
    if takes(Json::from(true)) {
        Kind::Flag
    } else if takes(Json::from(0.5)) {
        Kind::Number
    } else if takes(Json::from(1)) {
        let maxima = [u64::MAX, u64::from(u32::MAX), u64::from(u16::MAX), u64::from(u8::MAX)];
        let max = maxima.into_iter().find(|max| takes(Json::from(*max)));
        Kind::Whole(max.expect("an integer field takes one of the types' maxima"))
    } else {
        match accepted(tree, leaf, Json::from(STRANGER)) {
            Ok(_) => Kind::Text,
            Err(reason) => Kind::Choice(options(&reason)),
        }
    }
}

/// The names in serde's "unknown variant `x`, expected one of `a`, `b`".
fn options(reason: &str) -> Vec<String> {
    let expected = reason.split_once("expected").map_or("", |(_, expected)| expected);
    expected.split('`').skip(1).step_by(2).map(str::to_string).collect()
}

impl RunConfig {
    /// Every leaf's dotted path, in declaration order.
    pub fn leaves() -> Vec<String> {
        paths().map(str::to_string).collect()
    }

    /// The value of one leaf; `null` for one that is absent.
    ///
    /// # Panics
    /// If `leaf` is not one of [`RunConfig::leaves`].
    pub fn get(&self, leaf: &str) -> Json {
        get(&tree(self), leaf).expect("the caller names a leaf of RunConfig::leaves").clone()
    }
}

/// A value for people: `10`, `0.5`, `1e-5`, `lsgan`, `none`.
pub fn show(value: &Json) -> String {
    match value {
        Json::Null => "none".to_string(),
        Json::String(text) => text.clone(),
        Json::Number(number) if number.is_f64() => {
            let number = number.as_f64().expect("is_f64 was asked");
            let small = number != 0.0 && number.abs() < 1e-3;
            if small || number.abs() >= 1e15 { format!("{number:e}") } else { format!("{number}") }
        }
        other => other.to_string(),
    }
}

/// [`quoted`] leaves for a help line.
pub(crate) fn listed(leaves: &[&str]) -> String {
    quoted(leaves, "and")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::parse_value;

    #[test]
    fn every_leaf_has_a_known_kind() {
        let check = |leaf: &str, expected: Kind| assert_eq!(*kind(leaf), expected, "{leaf}");
        let choice =
            |names: &[&str]| Kind::Choice(names.iter().map(|name| name.to_string()).collect());
        check("data.dataset", Kind::Text);
        check("data.flip", Kind::Flag);
        check("model.generator", choice(&["resnet", "unet-128", "unet-256"]));
        check("data.direction", choice(&["ab", "ba"]));
        check("loss.cycle", choice(&["both", "forward", "backward", "none"]));
        check("model.n_blocks", Kind::Whole(u64::from(u32::MAX)));
        check("train.steps", Kind::Whole(u64::MAX));
        check("train.n_epochs", Kind::Whole(u64::from(u32::MAX)));
        check("loss.lambda_cycle", Kind::Number);
        for leaf in paths() {
            if let Kind::Choice(options) = kind(leaf) {
                assert!(!options.is_empty(), "{leaf} has no options");
            }
        }
    }

    #[test]
    fn leaves_are_in_declaration_order() {
        let leaves = RunConfig::leaves();
        assert_eq!(leaves.first().map(String::as_str), Some("data.dataset"));
        assert_eq!(leaves.last().map(String::as_str), Some("init.disc_b"));
        let at = |leaf: &str| leaves.iter().position(|known| known == leaf);
        assert!(at("loss.gan_mode") < at("loss.lambda_cycle"));
    }

    #[test]
    fn values_take_the_leafs_type_or_say_why_not() {
        let check = |leaf: &str, text: &str, expected: Result<Json, &str>| {
            let node = parse_value(0, text, 0).expect("the case is TOML");
            match (coerce(leaf, &node), expected) {
                (Ok(value), Ok(expected)) => assert_eq!(value, expected, "{leaf} = {text}"),
                (Err(found), Err(expected)) => {
                    let shown = format!("{} {}", found.message, found.help.unwrap_or_default());
                    assert!(shown.contains(expected), "{leaf} = {text}: {shown}");
                }
                (found, expected) => panic!("{leaf} = {text}: {found:?}, expected {expected:?}"),
            }
        };
        check("loss.lambda_cycle", "10", Ok(Json::from(10.0)));
        check("loss.lambda_cycle", "-0.0", Ok(Json::from(0.0)));
        check("loss.lambda_cycle", "1_000", Ok(Json::from(1000.0)));
        check("train.steps", "0x10", Ok(Json::from(16)));
        check("loss.gan_mode", "\"vanilla\"", Ok(Json::from("vanilla")));
        check("data.path", "\"a/b\"", Ok(Json::from("a/b")));
        check(
            "loss.lambda_cycle",
            "\"ten\"",
            Err("expected a number ≥ 0, found the string \"ten\""),
        );
        check("loss.lambda_cycle", "\"10\"", Err("remove the quotes"));
        check("loss.lambda_cycle", "nan", Err("only finite numbers"));
        check("loss.lambda_cycle", "-inf", Err("only finite numbers"));
        check("loss.lambda_cycle", "[1, 2]", Err("under [axes]"));
        check("model.n_blocks", "9.0", Err("write 9 without the decimal point"));
        check("model.n_blocks", "9.5", Err("found the number 9.5"));
        check("pool.size", "-1", Err("found the whole number -1"));
        check("pool.size", "4294967296", Err("a whole number from 0 to 4294967295"));
        check("data.flip", "\"true\"", Err("expected true or false, found the string \"true\""));
        check("loss.gan_mode", "\"lsgann\"", Err("one of \"vanilla\", \"lsgan\""));
        check("loss.gan_mode", "\"lsgann\"", Err("did you mean `lsgan`?"));
        check("loss.gan_mode", "true", Err("found true"));
        check("data.dataset", "1979-05-27", Err("expected a string, found a date"));
    }

    #[test]
    fn numbers_are_shown_short() {
        let check = |value: Json, expected: &str| assert_eq!(show(&value), expected);
        check(Json::from(10.0), "10");
        check(Json::from(0.5), "0.5");
        check(Json::from(2e-4), "2e-4");
        check(Json::from(50), "50");
        check(Json::Null, "none");
        check(Json::from("lsgan"), "lsgan");
    }
}
