//! Text to words, numbers, quoted text and signs, each with its bytes.

use std::ops::Range;

use super::ExpressionError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(String),
    /// A key, or one of the language's own words.
    Word(String),
    Sign(&'static str),
    End,
}

/// Beyond this a float64 does not hold every whole number.
pub(super) const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// The longer ones first: `<=` begins with `<`.
const SIGNS: [&str; 16] =
    ["==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "(", ")", "[", "]", ",", "."];

/// What other languages write, and what to write here.
const FOREIGN: [(&str, &str); 9] = [
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("&", "write `and`"),
    ("|", "write `or`"),
    ("!", "write `not`"),
    ("=", "write `==` to compare"),
    ("**", "write a product"),
    ("%", "there is no remainder here"),
    ("{", "a list stands in square brackets"),
];

/// All tokens, the last of them [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, ExpressionError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (token, len) = match first {
            '\'' | '"' => quoted(text, at, first)?,
            '0'..='9' => number(text, at)?,
            _ if first.is_ascii_alphabetic() || first == '_' => word(text, at),
            _ => sign(text, at, first)?,
        };
        found.push((token, at..at + len));
        at += len;
    }
    found.push((Token::End, text.len()..text.len()));
    Ok(found)
}

fn quoted(text: &str, at: usize, quote: char) -> Result<(Token, usize), ExpressionError> {
    match text[at + 1..].find(quote) {
        Some(len) => Ok((Token::Text(text[at + 1..at + 1 + len].to_string()), len + 2)),
        None => {
            let message = format!("this text has no closing {quote}");
            Err(ExpressionError::new(&(at..text.len()), message))
        }
    }
}

/// `10`, `1_000`, `0.5`, `2e-4`.
fn number(text: &str, at: usize) -> Result<(Token, usize), ExpressionError> {
    let bytes = text.as_bytes();
    let mut end = at;
    while let Some(byte) = bytes.get(end) {
        let exponent = matches!(byte, b'+' | b'-') && matches!(bytes[end - 1], b'e' | b'E');
        if !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'_') && !exponent {
            break;
        }
        end += 1;
    }
    let written = &text[at..end];
    let known = written.bytes().all(|byte| byte.is_ascii_digit() || b"._eE+-".contains(&byte));
    let value = written.replace('_', "").parse::<f64>().ok().filter(|it| known && it.is_finite());
    let wrong =
        |message: &str| ExpressionError::new(&(at..end), format!("`{written}` is {message}"));
    let value = value.ok_or_else(|| wrong("not a number"))?;
    if value >= MOST_EXACT && !written.contains(['.', 'e', 'E']) {
        return Err(wrong("not below 2^53, where whole numbers are exact"));
    }
    Ok((Token::Number(value), end - at))
}

/// A name, and further ones behind dots.
fn word(text: &str, at: usize) -> (Token, usize) {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let word: &str = text[at..].split(|c| !inside(c)).next().unwrap_or_default();
    (Token::Word(word.to_string()), word.len())
}

fn sign(text: &str, at: usize, first: char) -> Result<(Token, usize), ExpressionError> {
    let rest = &text[at..];
    if !rest.starts_with("**")
        && let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign))
    {
        return Ok((Token::Sign(sign), sign.len()));
    }
    let foreign = FOREIGN.iter().find(|(sign, _)| rest.starts_with(sign));
    let len = foreign.map_or(first.len_utf8(), |(sign, _)| sign.len());
    let message = format!("`{}` is no part of an expression", &rest[..len]);
    let error = ExpressionError::new(&(at..at + len), message);
    Err(error.maybe_help(foreign.map(|(_, help)| help.to_string())))
}
