//! Tokens to a tree. What is nested is bounded; what is chained stands in lists, so that no text
//! makes a tree that is deep.

use std::ops::Range;

use super::lexer::{Token, tokens};
use super::tree::{Arithmetic, Comparison, Kind, Name, Node};
use super::{ExpressionError, Scope};
use crate::diagnostic::{did_you_mean, quoted};
use crate::leaf::{self, Path};

/// Brackets and signs inside each other.
const DEEPEST: usize = 32;

const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<", Comparison::Less),
    ("<=", Comparison::AtMost),
    (">", Comparison::Greater),
    (">=", Comparison::AtLeast),
];
const SUMS: [(&str, Arithmetic); 2] = [("+", Arithmetic::Plus), ("-", Arithmetic::Minus)];
const PRODUCTS: [(&str, Arithmetic); 2] = [("*", Arithmetic::Times), ("/", Arithmetic::Over)];

type Parsed = Result<Node, ExpressionError>;

pub(super) fn parse(text: &str, scope: Scope) -> Parsed {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, scope };
    let root = parser.or()?;
    match parser.peek() {
        Token::End => Ok(root),
        _ => Err(parser.unexpected("the end of the expression, or `and` or `or`")),
    }
}

struct Parser {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
    scope: Scope,
}

impl Parser {
    fn or(&mut self) -> Parsed {
        self.joined("or", Parser::and, Kind::Any)
    }

    fn and(&mut self) -> Parsed {
        self.joined("and", Parser::not, Kind::All)
    }

    fn joined(
        &mut self,
        word: &str,
        part: fn(&mut Parser) -> Parsed,
        kind: fn(Vec<Node>) -> Kind,
    ) -> Parsed {
        let first = part(self)?;
        if !self.is_word(word) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take_word(word) {
            parts.push(part(self)?);
        }
        let span = parts[0].span.start..self.end();
        Ok(Node { kind: kind(parts), span })
    }

    fn not(&mut self) -> Parsed {
        let start = self.start();
        if !self.take_word("not") {
            return self.comparison();
        }
        let inner = self.nested(Parser::not)?;
        Ok(Node { kind: Kind::Not(Box::new(inner)), span: start..self.end() })
    }

    fn comparison(&mut self) -> Parsed {
        let left = self.sum()?;
        let start = left.span.start;
        let negated = self.is_word("not");
        if negated {
            self.at += 1;
            if !self.is_word("in") {
                return Err(self.unexpected("`in`, as in `x not in [1, 2]`"));
            }
        }
        let kind = if self.take_word("in") {
            let (sought, list) = (Box::new(left), self.list()?);
            Kind::In { sought, negated, list }
        } else if let Some(comparison) = self.take_sign(&COMPARISONS) {
            Kind::Compare(comparison, Box::new([left, self.sum()?]))
        } else {
            return Ok(left);
        };
        if COMPARISONS.iter().any(|(sign, _)| *self.peek() == Token::Sign(sign)) {
            return Err(self
                .unexpected("one comparison")
                .help("comparisons do not chain: write `a < b and b < c`"));
        }
        Ok(Node { kind, span: start..self.end() })
    }

    fn list(&mut self) -> Result<Vec<Node>, ExpressionError> {
        let start = self.start();
        if !self.take("[") {
            return Err(self.unexpected("a list, as in `[1, 2]`"));
        }
        let mut items = Vec::new();
        while !self.take("]") {
            items.push(self.nested(Parser::or)?);
            if !self.take(",") && *self.peek() != Token::Sign("]") {
                return Err(self.unexpected("`,` or `]`"));
            }
        }
        if items.is_empty() {
            return Err(ExpressionError::new(&(start..self.end()), "nothing is in an empty list"));
        }
        Ok(items)
    }

    fn sum(&mut self) -> Parsed {
        self.computed(&SUMS, Parser::product)
    }

    fn product(&mut self) -> Parsed {
        self.computed(&PRODUCTS, Parser::signed)
    }

    fn computed(
        &mut self,
        signs: &[(&'static str, Arithmetic)],
        part: fn(&mut Parser) -> Parsed,
    ) -> Parsed {
        let first = part(self)?;
        let mut rest = Vec::new();
        while let Some(sign) = self.take_sign(signs) {
            rest.push((sign, part(self)?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let span = first.span.start..self.end();
        Ok(Node { kind: Kind::Compute(Box::new(first), rest), span })
    }

    fn signed(&mut self) -> Parsed {
        let start = self.start();
        if !self.take("-") {
            return self.atom();
        }
        let inner = self.nested(Parser::signed)?;
        Ok(Node { kind: Kind::Minus(Box::new(inner)), span: start..self.end() })
    }

    fn atom(&mut self) -> Parsed {
        let (token, span) = self.tokens[self.at].clone();
        let kind = match token {
            Token::Number(number) => Kind::Number(number),
            Token::Text(text) => Kind::Text(text),
            Token::Word(word) if word == "true" || word == "false" => Kind::Flag(word == "true"),
            Token::Word(word) if !matches!(word.as_str(), "and" | "or" | "not" | "in") => {
                self.no_call(&word)?;
                Kind::Name(self.name(&word, &span)?)
            }
            Token::Sign("(") => {
                self.at += 1;
                let inner = self.nested(Parser::or)?;
                if !self.take(")") {
                    return Err(self.unexpected("`)`"));
                }
                // With its brackets, or a caret would stand beside them.
                return Ok(Node { span: span.start..self.end(), ..inner });
            }
            Token::Sign("[") => {
                return Err(ExpressionError::new(&span, "a list stands behind `in` only"));
            }
            _ => return Err(self.unexpected("a key, a number, text in quotes, or `(`")),
        };
        self.at += 1;
        Ok(Node { kind, span })
    }

    fn no_call(&self, word: &str) -> Result<(), ExpressionError> {
        match &self.tokens[self.at + 1] {
            (Token::Sign("("), after) => {
                let span = self.tokens[self.at].1.start..after.end;
                let message = format!("`{word}(`: there are no functions in an expression");
                Err(ExpressionError::new(&span, message))
            }
            _ => Ok(()),
        }
    }

    fn name(&self, word: &str, span: &Range<usize>) -> Result<Name, ExpressionError> {
        match (word, self.scope) {
            ("seed", Scope::Run) => return Ok(Name::Seed),
            ("label" | "cell", Scope::Run) => return Ok(Name::Label),
            ("seed", Scope::Cell) => {
                let message = "`seed` is not known here: a cell is the same for each of its seeds";
                return Err(ExpressionError::new(span, message));
            }
            _ => {}
        }
        match leaf::resolve(word) {
            Path::Leaf(leaf) => Ok(Name::Leaf(leaf)),
            Path::Section(leaves) => {
                let message = format!("`{word}` is a section, not a setting");
                let help = format!("its settings are {}", quoted(&leaves, "and"));
                Err(ExpressionError::new(span, message).help(help))
            }
            Path::Unknown => {
                let own: &[&str] = match self.scope {
                    Scope::Cell => &["true", "false"],
                    Scope::Run => &["true", "false", "seed", "label", "cell"],
                };
                let message = format!("`{word}` is not a setting of a run");
                // A bare word is most likely text without its quotes.
                let help =
                    did_you_mean(word, leaf::paths().chain(own.iter().copied())).or_else(|| {
                        (!word.contains('.')).then(|| format!("text stands in quotes: '{word}'"))
                    });
                Err(ExpressionError::new(span, message).maybe_help(help))
            }
        }
    }

    fn nested(&mut self, inner: fn(&mut Parser) -> Parsed) -> Parsed {
        if self.depth == DEEPEST {
            let span = self.tokens[self.at].1.clone();
            let message = format!("brackets and signs nest at most {DEEPEST} deep");
            return Err(ExpressionError::new(&span, message));
        }
        self.depth += 1;
        let found = inner(self);
        self.depth -= 1;
        found
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn start(&self) -> usize {
        self.tokens[self.at].1.start
    }

    /// Of the token before.
    fn end(&self) -> usize {
        self.tokens[self.at.saturating_sub(1)].1.end
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if found == word)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn take(&mut self, sign: &'static str) -> bool {
        let found = *self.peek() == Token::Sign(sign);
        self.at += usize::from(found);
        found
    }

    fn take_sign<T: Copy>(&mut self, signs: &[(&'static str, T)]) -> Option<T> {
        signs.iter().find(|(sign, _)| self.take(sign)).map(|(_, meaning)| *meaning)
    }

    fn unexpected(&self, wanted: &str) -> ExpressionError {
        let (token, span) = &self.tokens[self.at];
        let found = match token {
            Token::Number(number) => format!("the number {number}"),
            Token::Text(text) => format!("the text {text:?}"),
            Token::Word(word) => format!("`{word}`"),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end".to_string(),
        };
        ExpressionError::new(span, format!("expected {wanted}, found {found}"))
    }
}
