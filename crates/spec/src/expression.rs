//! The one small language of conditions: `when`, `[[rules]]`, `[derive]`, `[[require]]` and the
//! filters of the command line.
//!
//! ```text
//! or         = and { "or" and }
//! and        = not { "and" not }
//! not        = "not" not | comparison
//! comparison = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum | ["not"] "in" list ]
//! sum        = product { ("+" | "-") product }
//! product    = sign { ("*" | "/") sign }
//! sign       = "-" sign | atom
//! atom       = number | text | "true" | "false" | key | "(" or ")"
//! list       = "[" or { "," or } "]"
//! ```
//!
//! A key is a leaf's dotted path; a filter of runs also knows `seed` and `label` (or `cell`). Text
//! stands in single or double quotes, without escapes. Numbers are float64, so whole ones are exact
//! up to 2^53. There are no functions and nothing to read from, so that an expression always ends.
//!
//! Types are checked when it is parsed. A leaf that is absent equals nothing, is not less than
//! anything, and makes what is computed from it absent.

mod evaluation;
mod lexer;
mod parser;
mod tree;
mod types;

use std::ops::Range;

use serde_json::Value as Json;

use self::evaluation::{Circumstances, Found};
use self::tree::Node;
use self::types::Type;
use crate::diagnostic::{Diagnostic, Severity};
use crate::leaf::{self, Kind};
use crate::run_config::RunConfig;

/// Nobody writes a longer one by hand.
const LONGEST: usize = 2000;

/// An expression that was parsed and whose types are right.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    root: Node,
}

/// Why a text is no expression, with the bytes of the text that are to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    pub message: String,
    /// Within the text, on character boundaries.
    pub span: Range<usize>,
    /// The remedy.
    pub help: Option<String>,
}

impl ExpressionError {
    /// As a finding in the source of this index, whose text is the expression.
    pub fn diagnostic(&self, source: usize) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            source,
            span: self.span.clone(),
            message: self.message.clone(),
            label: None,
            help: self.help.clone(),
        }
    }

    fn new(span: &Range<usize>, message: impl Into<String>) -> Self {
        ExpressionError { message: message.into(), span: span.clone(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        ExpressionError { help: Some(help.into()), ..self }
    }

    fn maybe_help(self, help: Option<String>) -> Self {
        ExpressionError { help, ..self }
    }
}

/// Which names there are beside the leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A cell is the same for each of its seeds, and has no label yet.
    Cell,
    /// A run of a plan: `seed`, and `label` or `cell`.
    Run,
}

impl Expression {
    /// A condition on runs, as of `--only`.
    ///
    /// # Errors
    /// [`ExpressionError`] at the first place that is no expression, names no leaf, or does not fit
    /// the type beside it.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        Expression::condition(text, Scope::Run)
    }

    pub(crate) fn condition(text: &str, scope: Scope) -> Result<Self, ExpressionError> {
        let (expression, of) = Expression::typed(text, scope)?;
        if of != Type::Flag {
            let message = format!("this is {}, not a condition", of.name());
            return Err(ExpressionError::new(&expression.root.span, message)
                .help("compare it with something, such as `pool.size > 0`"));
        }
        Ok(expression)
    }

    /// The value of a leaf, from other leaves.
    pub(crate) fn value(text: &str, leaf: &str) -> Result<Self, ExpressionError> {
        let (expression, of) = Expression::typed(text, Scope::Cell)?;
        let fits = match leaf::kind(leaf) {
            Kind::Flag => of == Type::Flag,
            Kind::Whole(_) | Kind::Number => of == Type::Number,
            Kind::Text | Kind::Choice(_) => matches!(of, Type::Text(_)),
        };
        if !fits {
            let message = format!("this is {}, and `{leaf}` is not", of.name());
            return Err(ExpressionError::new(&expression.root.span, message));
        }
        types::fits_choice(&expression.root, leaf)?;
        Ok(expression)
    }

    fn typed(text: &str, scope: Scope) -> Result<(Self, Type), ExpressionError> {
        if text.len() > LONGEST {
            let end = text.floor_char_boundary(LONGEST);
            let message = format!(
                "an expression has at most {LONGEST} bytes, and this one has {}",
                text.len()
            );
            return Err(ExpressionError::new(&(end..text.len()), message));
        }
        let root = parser::parse(text, scope)?;
        let of = types::of(&root)?;
        Ok((Expression { text: text.to_string(), root }, of))
    }

    /// As written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The leaves it asks for, each once, in the order of the text.
    pub fn leaves(&self) -> Vec<&'static str> {
        let mut found = Vec::new();
        self.root.leaves(&mut found);
        found
    }

    /// Whether it is true of a run.
    pub fn holds(&self, config: &RunConfig, seed: u64, label: &str) -> bool {
        let tree = leaf::tree(config);
        let found = self.root.evaluate(&Circumstances { tree: &tree, seed, label });
        matches!(found, Found::Flag(true))
    }

    /// Whether it is true of a cell, given as the tree of its configuration.
    pub(crate) fn holds_in(&self, tree: &Json) -> bool {
        matches!(self.found_in(tree), Found::Flag(true))
    }

    fn found_in<'a>(&'a self, tree: &'a Json) -> Found<'a> {
        self.root.evaluate(&Circumstances { tree, seed: 0, label: "" })
    }

    /// What it gives in a cell, as TOML would write it; `None` where a leaf that it needs is absent.
    ///
    /// What was computed is rounded to 12 digits, as ranges are: 2e-4 * 0.1 is then the 2e-5 that
    /// somebody else types, and the same run. A lone key is copied as it is.
    pub(crate) fn value_in(&self, tree: &Json) -> Option<crate::node::Value> {
        use crate::node::Value;
        let copied = self.root.is_key();
        match self.found_in(tree) {
            Found::Absent => None,
            Found::Flag(flag) => Some(Value::Boolean(flag)),
            Found::Text(text) => Some(Value::String(text.to_string())),
            Found::Number(number) => {
                let number = if copied || number.fract() == 0.0 { number } else { rounded(number) };
                let whole = number.fract() == 0.0 && number.abs() <= lexer::MOST_EXACT;
                Some(if whole { Value::Integer(number as i128) } else { Value::Float(number) })
            }
        }
    }
}

fn rounded(number: f64) -> f64 {
    format!("{number:.11e}").parse().expect("a formatted float is a float")
}

#[cfg(test)]
mod tests;
