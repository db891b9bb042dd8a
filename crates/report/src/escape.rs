//! Text on its way into HTML. Names, notes and reasons come from files a
//! stranger may have written, so everything from the record passes through here.
//!
//! What HTML reads becomes an entity. What no reader sees, but what changes the text around it
//! (control characters, turns of the writing's direction), is written out.

use std::fmt::{self, Display, Write};

use serde_json::Value;

/// Displays `T` with everything replaced that is more than text.
pub(crate) struct Escaped<T>(T);

/// For text content and for attribute values within double quotes.
pub(crate) fn esc<T: Display>(text: T) -> Escaped<T> {
    Escaped(text)
}

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(out), "{}", self.0)
    }
}

struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '<' => self.0.write_str("&lt;")?,
                '>' => self.0.write_str("&gt;")?,
                '&' => self.0.write_str("&amp;")?,
                '"' => self.0.write_str("&quot;")?,
                '\'' => self.0.write_str("&#39;")?,
                hidden if is_hidden(hidden) => write!(self.0, "{}", hidden.escape_default())?,
                other => self.0.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// For text that something else escapes on its way into the page.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// Data for the page's script, which a browser reads nothing of by itself.
pub(crate) fn data_block(id: &str, data: &Value) -> String {
    format!("<script type=\"application/json\" id=\"{id}\">{}</script>\n", inert(data))
}

/// What ends a script, or an attribute of markup that a careless reader makes of it, and what no
/// reader sees, is written as a number.
fn inert(data: &Value) -> String {
    let text = data.to_string();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if matches!(c, '<' | '>' | '&' | '\'') || is_hidden(c) => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            other => out.push(other),
        }
    }
    out
}

/// Lines may break: logs and reasons have several.
fn is_hidden(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2066}'..='\u{2069}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}');
    turns || breaks || (c.is_control() && !matches!(c, '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_html_reads_survives() {
        let check = |input: &str, expected: &str| assert_eq!(esc(input).to_string(), expected);
        check("λ = 10", "λ = 10");
        check("<script>", "&lt;script&gt;");
        check("a \"b\" & 'c'", "a &quot;b&quot; &amp; &#39;c&#39;");
        check("\u{1b}[31m\0\r", "\\u{1b}[31m\\u{0}\\r");
        check("\u{202e}gnp.a\u{2066}\u{2028}", "\\u{202e}gnp.a\\u{2066}\\u{2028}");
        check("two\nlines\tof é🦓", "two\nlines\tof é🦓");
        assert_eq!(visible("\u{9b}<b>"), "\\u{9b}<b>");
    }
}
