//! TOML text as a tree in which every key and value knows its place.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Findings, Place};

/// A value as typed.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    String(String),
    Integer(i128),
    Float(f64),
    Boolean(bool),
    Datetime,
    Array(Vec<Node>),
    Table(Vec<(Key, Node)>),
    /// A number that TOML allows and no type of ours holds.
    Unreadable(String),
}

#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) place: Place,
}

impl Node {
    /// What was found, for messages: `the string "ten"`.
    pub(crate) fn found(&self) -> String {
        match &self.value {
            Value::String(text) => format!("the string {text:?}"),
            Value::Integer(number) => format!("the whole number {number}"),
            Value::Float(number) => format!("the number {number:?}"),
            Value::Boolean(flag) => format!("{flag}"),
            Value::Datetime => "a date".to_string(),
            Value::Array(_) => "an array".to_string(),
            Value::Table(_) => "a table".to_string(),
            Value::Unreadable(text) => format!("`{text}`"),
        }
    }
}

/// Parses a document; what cannot be parsed is reported and left out.
pub(crate) fn parse_document(source: usize, text: &str, findings: &mut Findings) -> Node {
    let (table, errors) = DeTable::parse_recoverable(text);
    report(source, text, &errors, findings);
    let place = Place { source, start: 0, end: 0 };
    Node { value: Value::Table(entries(source, table.get_ref(), 0)), place }
}

/// Parses a lone value that starts at byte `offset` of the source.
pub(crate) fn parse_value(source: usize, text: &str, offset: usize) -> Option<Node> {
    let value = DeValue::parse(text).ok()?;
    Some(shift(node(source, &value, 0), offset))
}

/// Where bytes of a string's value stand in the text that the string was read from, or the whole
/// string where that cannot be told.
pub(crate) fn inside(
    text: &str,
    string: Place,
    value: &str,
    span: std::ops::Range<usize>,
) -> Place {
    let find = || {
        let raw = text.get(string.start..string.end)?;
        let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|it| raw.starts_with(it))?;
        let mut start = quotes.len();
        if quotes.len() == 3 {
            // A line's end right behind three quotes is no part of the value.
            start += raw[start..]
                .find('\n')
                .filter(|at| *at == 0 || raw[start..].starts_with("\r\n"))
                .map_or(0, |at| at + 1);
        }
        let inner = raw.get(start..raw.len().checked_sub(quotes.len())?)?;
        let at = |offset| Some(string.start + start + raw_offset(inner, value, offset, quotes)?);
        Some(Place { start: at(span.start)?, end: at(span.end)?, ..string })
    };
    find().unwrap_or(string)
}

/// The byte of a string as written that stands for a byte of its value.
fn raw_offset(inner: &str, value: &str, offset: usize, quotes: &str) -> Option<usize> {
    if inner == value {
        return Some(offset);
    }
    if quotes.starts_with('\'') {
        return None;
    }
    let (mut raw, mut seen) = (0, 0);
    while seen < offset {
        let escaped = inner[raw..].starts_with('\\');
        let first = value[seen..].chars().next()?;
        raw += match inner.get(raw..)?.as_bytes() {
            [b'\\', b'u', ..] => 6,
            [b'\\', b'U', ..] => 10,
            [b'\\', b'x', ..] => 4,
            [b'\\', b'n' | b't' | b'r' | b'b' | b'f' | b'e' | b'"' | b'\\', ..] => 2,
            _ if !escaped && inner[raw..].starts_with(first) => first.len_utf8(),
            _ => return None,
        };
        seen += first.len_utf8();
        inner.get(raw..)?;
    }
    Some(raw)
}

fn report(source: usize, text: &str, errors: &[toml::de::Error], findings: &mut Findings) {
    for error in errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        let place = Place { source, start: span.start, end: span.end };
        findings.error(place, format!("this is not TOML: {}", error.message()));
    }
}

fn entries(source: usize, table: &DeTable<'_>, depth: u32) -> Vec<(Key, Node)> {
    let mut entries: Vec<(Key, Node)> = table
        .iter()
        .map(|(key, value)| {
            let place = place(source, key.span());
            (Key { text: key.get_ref().to_string(), place }, node(source, value, depth + 1))
        })
        .collect();
    entries.sort_by_key(|(key, _)| key.place);
    entries
}

/// The parser bounds nesting and the length of a dotted key, each by itself: their product would
/// be deep enough to exhaust a thread's stack.
const DEEPEST: u32 = 100;

fn node(source: usize, spanned: &Spanned<DeValue<'_>>, depth: u32) -> Node {
    let value = match spanned.get_ref() {
        DeValue::Array(_) | DeValue::Table(_) if depth > DEEPEST => {
            Value::Unreadable("nested too deeply".to_string())
        }
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Unreadable(number.to_string()),
        },
        DeValue::Float(number) => match number.as_str().parse() {
            Ok(number) => Value::Float(number),
            Err(_) => Value::Unreadable(number.to_string()),
        },
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Datetime(_) => Value::Datetime,
        DeValue::Array(items) => {
            Value::Array(items.iter().map(|item| node(source, item, depth + 1)).collect())
        }
        DeValue::Table(table) => Value::Table(entries(source, table, depth)),
    };
    Node { value, place: place(source, spanned.span()) }
}

fn place(source: usize, span: std::ops::Range<usize>) -> Place {
    Place { source, start: span.start, end: span.end }
}

fn shift(mut node: Node, offset: usize) -> Node {
    node.place.start += offset;
    node.place.end += offset;
    node.value = match node.value {
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| shift(item, offset)).collect())
        }
        other => other,
    };
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_inside_strings_are_found_where_they_were_written() {
        // The word `x` of the value, or the whole string.
        let check = |written: &str, expected: &str| {
            let text = format!("key = {written} # x");
            let node = parse_value(0, written, 6).expect("the case is TOML");
            let Value::String(value) = &node.value else { panic!("{written}") };
            let at = value.find('x').expect("the case has an x");
            let found = inside(&text, node.place, value, at..at + 1);
            assert_eq!(&text[found.start..found.end], expected, "{written}");
            let before = written.find('x').expect("as above");
            assert!(expected != "x" || found.start == 6 + before, "{written}");
        };
        check("\"a x\"", "x");
        check("'a x'", "x");
        check("'λ x'", "x");
        check("'a \\n x'", "x");
        check("\"\\\"a\\\" == x\"", "x");
        check("\"\\u00e9 \\t x\"", "x");
        check("\"\"\"a x\"\"\"", "x");
        check("\"\"\"\na\nx\"\"\"", "x");
        check("'''\r\na x'''", "x");
        let folded = "\"\"\"a \\\n   x\"\"\"";
        check(folded, folded);
    }
}
