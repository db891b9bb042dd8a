//! Whether the sides of every sign fit each other.

use super::ExpressionError;
use super::tree::{Kind as Form, Name, Node};
use crate::diagnostic::{did_you_mean, quoted};
use crate::leaf::{self, Kind};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Flag,
    Number,
    /// One of these, where only some texts are possible.
    Text(Option<&'static [String]>),
}

impl Type {
    pub(super) fn name(self) -> &'static str {
        match self {
            Type::Flag => "true or false",
            Type::Number => "a number",
            Type::Text(_) => "text",
        }
    }

    fn is_like(self, other: Type) -> bool {
        matches!(
            (self, other),
            (Type::Flag, Type::Flag)
                | (Type::Number, Type::Number)
                | (Type::Text(_), Type::Text(_))
        )
    }
}

pub(super) fn of(node: &Node) -> Result<Type, ExpressionError> {
    match &node.kind {
        Form::Flag(_) => Ok(Type::Flag),
        Form::Number(_) => Ok(Type::Number),
        Form::Text(_) => Ok(Type::Text(None)),
        Form::Name(name) => Ok(of_name(*name)),
        Form::Not(inner) => expect(inner, Type::Flag, "`not` takes"),
        Form::Minus(inner) => expect(inner, Type::Number, "`-` takes"),
        Form::All(parts) => each(parts, Type::Flag, "`and` joins"),
        Form::Any(parts) => each(parts, Type::Flag, "`or` joins"),
        Form::Compare(comparison, sides) => {
            let [left, right] = &**sides;
            if comparison.is_order() {
                expect(left, Type::Number, "an order is of numbers:")?;
                expect(right, Type::Number, "an order is of numbers:")?;
            } else {
                alike(node, left, right)?;
            }
            Ok(Type::Flag)
        }
        Form::In { sought, list, .. } => {
            for item in list {
                alike(item, sought, item)?;
            }
            Ok(Type::Flag)
        }
        Form::Compute(first, rest) => {
            expect(first, Type::Number, "it is computed with:")?;
            for (_, part) in rest {
                expect(part, Type::Number, "it is computed with:")?;
            }
            Ok(Type::Number)
        }
    }
}

fn of_name(name: Name) -> Type {
    match name {
        Name::Seed => Type::Number,
        Name::Label => Type::Text(None),
        Name::Leaf(leaf) => match leaf::kind(leaf) {
            Kind::Flag => Type::Flag,
            Kind::Whole(_) | Kind::Number => Type::Number,
            Kind::Text => Type::Text(None),
            Kind::Choice(options) => Type::Text(Some(options)),
        },
    }
}

fn each(parts: &[Node], wanted: Type, why: &str) -> Result<Type, ExpressionError> {
    for part in parts {
        expect(part, wanted, why)?;
    }
    Ok(wanted)
}

fn expect(node: &Node, wanted: Type, why: &str) -> Result<Type, ExpressionError> {
    let found = of(node)?;
    if found.is_like(wanted) {
        return Ok(found);
    }
    let message = format!("{why} {}, and this is {}", wanted.name(), found.name());
    Err(ExpressionError::new(&node.span, message).maybe_help(unquoted(node, wanted)))
}

fn unquoted(node: &Node, wanted: Type) -> Option<String> {
    let Form::Text(text) = &node.kind else { return None };
    (wanted == Type::Number && text.parse::<f64>().is_ok()).then(|| "remove the quotes".to_string())
}

/// Both of one type, and text among what a choice has.
fn alike(place: &Node, left: &Node, right: &Node) -> Result<(), ExpressionError> {
    let (one, other) = (of(left)?, of(right)?);
    if !one.is_like(other) {
        let message = format!("{} never equals {}", one.name(), other.name());
        let help = unquoted(right, one).or_else(|| unquoted(left, other));
        return Err(ExpressionError::new(&place.span, message).maybe_help(help));
    }
    for (choice, text) in [(left, right), (right, left)] {
        if let Form::Name(Name::Leaf(leaf)) = choice.kind {
            fits_choice(text, leaf)?;
        }
    }
    Ok(())
}

/// A text that a leaf can be: a misspelt one would never be equal.
pub(super) fn fits_choice(node: &Node, leaf: &str) -> Result<(), ExpressionError> {
    let (Form::Text(text), Kind::Choice(options)) = (&node.kind, leaf::kind(leaf)) else {
        return Ok(());
    };
    if options.contains(text) {
        return Ok(());
    }
    let help = did_you_mean(text, options.iter().map(String::as_str))
        .unwrap_or_else(|| format!("it is one of {}", quoted(options, "or")));
    Err(ExpressionError::new(&node.span, format!("`{leaf}` is never {text:?}")).help(help))
}
