//! Text on its way into HTML. Names, notes and reasons come from files a
//! stranger may have written, so everything from the record passes through here.

use std::fmt::{self, Display, Write};

/// Displays `T` with the five characters that mean something in HTML replaced.
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
                other => self.0.write_char(other)?,
            }
        }
        Ok(())
    }
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
    }
}
