//! An expression as a tree.

use std::ops::Range;

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Flag(bool),
    Number(f64),
    Text(String),
    Name(Name),
    Not(Box<Node>),
    Minus(Box<Node>),
    /// Joined by `and`.
    All(Vec<Node>),
    /// Joined by `or`.
    Any(Vec<Node>),
    Compare(Comparison, Box<[Node; 2]>),
    In {
        sought: Box<Node>,
        negated: bool,
        list: Vec<Node>,
    },
    /// From left to right.
    Compute(Box<Node>, Vec<(Arithmetic, Node)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Leaf(&'static str),
    Seed,
    Label,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Comparison {
    pub(super) fn is_order(self) -> bool {
        !matches!(self, Comparison::Equal | Comparison::NotEqual)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Plus,
    Minus,
    Times,
    Over,
}

impl Node {
    pub(super) fn is_key(&self) -> bool {
        matches!(self.kind, Kind::Name(_))
    }

    pub(super) fn leaves(&self, found: &mut Vec<&'static str>) {
        match &self.kind {
            Kind::Flag(_) | Kind::Number(_) | Kind::Text(_) => {}
            Kind::Name(Name::Leaf(leaf)) if !found.contains(leaf) => found.push(leaf),
            Kind::Name(_) => {}
            Kind::Not(inner) | Kind::Minus(inner) => inner.leaves(found),
            Kind::All(parts) | Kind::Any(parts) => {
                parts.iter().for_each(|part| part.leaves(found));
            }
            Kind::Compare(_, sides) => sides.iter().for_each(|side| side.leaves(found)),
            Kind::In { sought, list, .. } => {
                sought.leaves(found);
                list.iter().for_each(|item| item.leaves(found));
            }
            Kind::Compute(first, rest) => {
                first.leaves(found);
                rest.iter().for_each(|(_, part)| part.leaves(found));
            }
        }
    }
}
