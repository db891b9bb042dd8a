//! Text on its way into Markdown, and the page's own sentences with it.
//!
//! Sentences are worded once, as HTML; what a reader pastes into a README is made of those. Names
//! and reasons may have been written by a stranger, so nothing of them is read as Markdown or as HTML.

/// For text within a line, headings and table cells included.
pub(crate) fn md(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let is_word = |at: Option<usize>| {
        at.and_then(|at| characters.get(at)).is_some_and(|c| c.is_alphanumeric())
    };
    let mut out = String::with_capacity(text.len());
    for (at, &c) in characters.iter().enumerate() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // Within a word it emphasises nothing, and `lambda_cycle` stays readable.
            '_' if is_word(at.checked_sub(1)) && is_word(Some(at + 1)) => out.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '#' => out.extend(['\\', c]),
            c if c.is_control() || c == '\u{a0}' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A code span around any text.
pub(crate) fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest == 0 { format!("`{text}`") } else { format!("{fence} {text} {fence}") }
}

/// Paragraphs and lists of the page as Markdown. Drawings are left out, and so are keys to them.
pub(crate) fn from_html(html: &str) -> String {
    let mut writing = Writing::default();
    let mut rest = html;
    while let Some((text, tail)) = rest.split_once('<') {
        writing.text(text);
        let (tag, after) = tail.split_once('>').expect("the page closes its tags");
        rest = match Drawing::of(tag).and_then(|end| after.split_once(end)) {
            Some((_, behind)) => behind,
            None => after,
        };
        writing.tag(tag);
    }
    writing.text(rest);
    writing.finished()
}

/// What is skipped up to its end.
struct Drawing;

impl Drawing {
    fn of(tag: &str) -> Option<&'static str> {
        match tag {
            it if it.starts_with("svg") => Some("</svg>"),
            "p class=\"key\"" => Some("</p>"),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Writing {
    done: String,
    line: String,
    /// The text of a code span that is not closed yet.
    code: Option<String>,
}

impl Writing {
    fn text(&mut self, html: &str) {
        let plain = html
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&");
        match &mut self.code {
            Some(code) => code.push_str(&plain),
            None => self.line.push_str(&md(&plain)),
        }
    }

    fn tag(&mut self, tag: &str) {
        match tag.split(' ').next().unwrap_or(tag) {
            "strong" | "/strong" => self.line.push_str("**"),
            "code" => self.code = Some(String::new()),
            "/code" => {
                let text = self.code.take().unwrap_or_default();
                self.line.push_str(&code(&text));
            }
            "li" => self.end("- ", ""),
            "/li" => self.end("", "\n"),
            "p" | "ul" => self.end("", ""),
            "/p" => self.end("", "\n\n"),
            "/ul" => self.done.push('\n'),
            _ => {}
        }
    }

    /// Ends the line with `after`, if there is one, and begins another with `before`.
    fn end(&mut self, before: &str, after: &str) {
        let words = self.line.split_whitespace().collect::<Vec<_>>().join(" ");
        if !words.is_empty() {
            self.done.push_str(&words);
            self.done.push_str(after);
        }
        // A list is a block of its own, also where nothing but a line stands before it.
        if before.is_empty() && after.is_empty() && self.done.ends_with(|c| c != '\n') {
            self.done.push('\n');
        }
        self.line.clear();
        self.done.push_str(before);
    }

    fn finished(mut self) -> String {
        self.end("", "\n");
        self.done.trim_end().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        let check = |input: &str, expected: &str| assert_eq!(md(input), expected);
        check("lambda_cycle=10", "lambda_cycle=10");
        check("_a_ *b* `c` [d](e) | $f$", "\\_a\\_ \\*b\\* \\`c\\` \\[d\\](e) \\| \\$f\\$");
        check("<b> & # ~\nx", "&lt;b&gt; &amp; \\# \\~ x");
        assert_eq!(code("a|b"), "`a|b`");
        assert_eq!(code("a``b\n"), "``` a``b  ```");
    }

    #[test]
    fn sentences_keep_their_emphasis_and_lose_their_drawings() {
        let html = "<p class=\"lead\"><strong>x&lt;1</strong> wins</p>\n<ul class=\"findings\">\n\
             <li class=\"better\"><svg class=\"bar\"><path d=\"M1\"/></svg><span><strong>a*b</strong>: p\u{a0}=\u{a0}.1</span></li>\n\
             <li><code>a &amp; b</code></li>\n</ul>\n<p class=\"key\">Bars: <b>x</b></p>\n<p>end</p>";
        let expected = "**x&lt;1** wins\n\n- **a\\*b**: p = .1\n- `a & b`\n\nend";
        assert_eq!(from_html(html), expected);
    }
}
