//! What an expression gives in a resolved configuration.

use serde_json::Value as Json;

use super::tree::{Arithmetic, Comparison, Kind, Name, Node};
use crate::leaf;

/// What names stand for.
pub(super) struct Circumstances<'a> {
    /// The tree of the configuration.
    pub(super) tree: &'a Json,
    pub(super) seed: u64,
    pub(super) label: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Found<'a> {
    /// A leaf that is not set, and what is computed from one.
    Absent,
    Flag(bool),
    Number(f64),
    Text(&'a str),
}

impl Node {
    pub(super) fn evaluate<'a>(&'a self, here: &Circumstances<'a>) -> Found<'a> {
        let holds = |node: &'a Node| node.evaluate(here) == Found::Flag(true);
        match &self.kind {
            Kind::Flag(flag) => Found::Flag(*flag),
            Kind::Number(number) => Found::Number(*number),
            Kind::Text(text) => Found::Text(text),
            Kind::Name(Name::Seed) => Found::Number(here.seed as f64),
            Kind::Name(Name::Label) => Found::Text(here.label),
            Kind::Name(Name::Leaf(leaf)) => found_at(here.tree, leaf),
            Kind::Not(inner) => Found::Flag(!holds(inner)),
            Kind::All(parts) => Found::Flag(parts.iter().all(holds)),
            Kind::Any(parts) => Found::Flag(parts.iter().any(holds)),
            Kind::Minus(inner) => match inner.evaluate(here) {
                Found::Number(number) => Found::Number(-number),
                other => other,
            },
            Kind::Compare(comparison, sides) => {
                let [left, right] = &**sides;
                Found::Flag(compare(*comparison, left.evaluate(here), right.evaluate(here)))
            }
            Kind::In { sought, negated, list } => {
                let sought = sought.evaluate(here);
                let is_it = |item: &'a Node| equal(sought, item.evaluate(here));
                Found::Flag(list.iter().any(is_it) != *negated)
            }
            Kind::Compute(first, rest) => compute(first, rest, here),
        }
    }
}

fn found_at<'a>(tree: &'a Json, leaf: &str) -> Found<'a> {
    match leaf::get(tree, leaf) {
        Some(Json::Bool(flag)) => Found::Flag(*flag),
        Some(Json::Number(number)) => number.as_f64().map_or(Found::Absent, Found::Number),
        Some(Json::String(text)) => Found::Text(text),
        _ => Found::Absent,
    }
}

fn compare(comparison: Comparison, left: Found<'_>, right: Found<'_>) -> bool {
    let ordered = match (left, right) {
        (Found::Number(left), Found::Number(right)) => left.partial_cmp(&right),
        _ => None,
    };
    match comparison {
        Comparison::Equal => equal(left, right),
        Comparison::NotEqual => !equal(left, right),
        Comparison::Less => ordered.is_some_and(std::cmp::Ordering::is_lt),
        Comparison::AtMost => ordered.is_some_and(std::cmp::Ordering::is_le),
        Comparison::Greater => ordered.is_some_and(std::cmp::Ordering::is_gt),
        Comparison::AtLeast => ordered.is_some_and(std::cmp::Ordering::is_ge),
    }
}

/// What is absent equals nothing, itself included.
fn equal(left: Found<'_>, right: Found<'_>) -> bool {
    left != Found::Absent && left == right
}

fn compute<'a>(
    first: &'a Node,
    rest: &'a [(Arithmetic, Node)],
    here: &Circumstances<'a>,
) -> Found<'a> {
    let Found::Number(mut so_far) = first.evaluate(here) else { return Found::Absent };
    for (sign, part) in rest {
        let Found::Number(part) = part.evaluate(here) else { return Found::Absent };
        so_far = match sign {
            Arithmetic::Plus => so_far + part,
            Arithmetic::Minus => so_far - part,
            Arithmetic::Times => so_far * part,
            Arithmetic::Over => so_far / part,
        };
    }
    Found::Number(so_far)
}
