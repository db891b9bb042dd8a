//! A finding about the text that was given: where, what, and what to do.
//!
//! This crate never renders one with its source lines; `cli` does. `located`
//! gives the plain `file:line:col: error: message` form.

use std::fmt;
use std::ops::Range;

/// A text and the name it is shown under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    /// As shown to people: `experiments/lambda.toml`, or `--set key=value`.
    pub name: String,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// One error or warning with its place in the sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// Index into the sources of the plan or the rejection.
    pub source: usize,
    /// Bytes of that source's text.
    pub span: Range<usize>,
    pub message: String,
    /// What to write at the caret.
    pub label: Option<String>,
    /// The remedy, on its own line.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Line and column of the start, both from 1, the column in characters.
    pub fn position(&self, sources: &[SourceText]) -> (usize, usize) {
        position(&sources[self.source].text, self.span.start)
    }

    /// The one-line form: `file:line:col: error: message`.
    pub fn located(&self, sources: &[SourceText]) -> impl fmt::Display {
        let (line, column) = self.position(sources);
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        format!("{}:{line}:{column}: {severity}: {}", sources[self.source].name, self.message)
    }

    pub(crate) fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn maybe_help(&mut self, help: Option<String>) -> &mut Self {
        self.help = help;
        self
    }
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    // A byte order mark is not a character of the first line.
    let without = text.strip_prefix('\u{feff}').unwrap_or(text);
    let offset = offset.saturating_sub(text.len() - without.len());
    let text = without;
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Why no plan could be made: every mistake found, at least one of them an error.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", self.summary())]
pub struct Rejected {
    pub sources: Vec<SourceText>,
    /// By source, then by place; warnings are among them. Of very many mistakes the last one listed
    /// says how many more there are.
    pub diagnostics: Vec<Diagnostic>,
}

impl Rejected {
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|found| found.severity == Severity::Error)
    }

    fn summary(&self) -> String {
        let lines: Vec<String> =
            self.errors().map(|error| error.located(&self.sources).to_string()).collect();
        lines.join("\n")
    }
}

/// A piece of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) source: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A value and where it was written.
#[derive(Debug, Clone)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// Errors, and warnings, beyond this are counted and not listed: whatever text is given, a list of
/// what is wrong with it stays one that can be made, drawn and read.
const MOST_LISTED: usize = 200;

/// Longer messages quote something that nobody wrote by hand.
const LONGEST_MESSAGE: usize = 800;

/// Collects findings while reading goes on, so that one run shows them all.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
    /// The last error, and the last warning, that was not listed.
    unlisted: [Option<Diagnostic>; 2],
}

impl Findings {
    pub(crate) fn error(&mut self, place: Place, message: impl Into<String>) -> &mut Diagnostic {
        self.add(Severity::Error, place, message.into())
    }

    pub(crate) fn warning(&mut self, place: Place, message: impl Into<String>) -> &mut Diagnostic {
        self.add(Severity::Warning, place, message.into())
    }

    fn add(&mut self, severity: Severity, place: Place, message: String) -> &mut Diagnostic {
        let span = place.start..place.end;
        let (source, message) = (place.source, shortened(message));
        let found = Diagnostic { severity, source, span, message, label: None, help: None };
        let (so_far, unlisted) = match severity {
            Severity::Error => (&mut self.errors, &mut self.unlisted[0]),
            Severity::Warning => (&mut self.warnings, &mut self.unlisted[1]),
        };
        *so_far += 1;
        if *so_far > MOST_LISTED {
            return unlisted.insert(found);
        }
        self.list.push(found);
        self.list.last_mut().expect("one was pushed above")
    }

    /// [`nearest`] as a question, while errors are listed: for thousands it would take long.
    pub(crate) fn did_you_mean<'a>(
        &self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Option<String> {
        if self.errors < MOST_LISTED { did_you_mean(word, candidates) } else { None }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    /// How many errors so far.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|found| (found.source, found.span.start, found.span.end));
        let totals = [(self.errors, "error"), (self.warnings, "warning")];
        for (last, (total, noun)) in self.unlisted.into_iter().zip(totals) {
            let Some(last) = last else { continue };
            let more = counted((total - MOST_LISTED) as u128, noun);
            let message = format!("{more} more, not listed; the last is: {}", last.message);
            self.list.push(Diagnostic { message: shortened(message), ..last });
        }
        self.list
    }
}

/// Without its middle: what was found stands first or last, and the sentence around it.
fn shortened(mut message: String) -> String {
    if message.len() > LONGEST_MESSAGE {
        let from = message.floor_char_boundary(LONGEST_MESSAGE / 2);
        let to = message.ceil_char_boundary(message.len() - LONGEST_MESSAGE / 2);
        message.replace_range(from..to, " … ");
    }
    message
}

/// Names close enough to `word` to be what was meant, nearest first, at most three.
///
/// A dotted candidate is also compared by its last segment and with `_` for
/// `.`, so that `lambda_cycle` and `pool_size` find their leaves.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Vec<&'a str> {
    // The distance takes a table of both lengths, and no name is long.
    if word.len() > 100 {
        return Vec::new();
    }
    let word = word.to_lowercase();
    let last = word.rsplit('.').next().unwrap_or(&word);
    let mut ranked: Vec<(f64, &str)> = Vec::new();
    for candidate in candidates {
        let mut score = strsim::normalized_damerau_levenshtein(&word, candidate);
        if let Some((_, segment)) = candidate.rsplit_once('.') {
            score = score.max(0.99 * strsim::normalized_damerau_levenshtein(last, segment)).max(
                0.99 * strsim::normalized_damerau_levenshtein(&word, &candidate.replace('.', "_")),
            );
        }
        if score >= 0.6 {
            ranked.push((score, candidate));
        }
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    // A near miss beside an almost certain hit is noise.
    let best = ranked.first().map_or(0.0, |first| first.0);
    ranked.retain(|(score, _)| *score >= best - 0.15);
    ranked.truncate(3);
    ranked.into_iter().map(|(_, candidate)| candidate).collect()
}

/// "did you mean `a` or `b`?", when anything is near.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let near = nearest(word, candidates);
    (!near.is_empty()).then(|| format!("did you mean {}?", quoted(&near, "or")))
}

/// `a`, `b` or `c`.
pub(crate) fn quoted<S: AsRef<str>>(names: &[S], joiner: &str) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} {joiner} {last}", rest.join(", ")),
    }
}

/// "1 cell", "2 cells".
pub(crate) fn counted(n: u128, noun: &str) -> String {
    if n == 1 { format!("{n} {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_counts_lines_from_one_and_columns_in_characters() {
        let text = "a = 1\n# λλ\nb = \"é\" # x\n";
        let check = |needle: &str, expected| {
            assert_eq!(position(text, text.find(needle).expect("is in the text")), expected);
        };
        check("a =", (1, 1));
        check("b =", (3, 1));
        check("x", (3, 11));
        assert_eq!(position(text, usize::MAX), (4, 1));
        assert_eq!(position(text, text.find('λ').expect("is there") + 1), (2, 3));
    }

    #[test]
    fn nearest_finds_typos_segments_and_underscored_paths() {
        let leaves = ["loss.lambda_cycle", "loss.lambda_identity", "pool.size", "data.load_size"];
        let check =
            |word: &str, expected: &[&str]| assert_eq!(nearest(word, leaves), expected, "{word}");
        check("loss.lambda_cyc", &["loss.lambda_cycle"]);
        check("lambda_cycle", &["loss.lambda_cycle"]);
        check("pool_size", &["pool.size"]);
        check("optim.momentum", &[]);
    }

    #[test]
    fn a_word_that_nobody_typed_is_near_to_nothing() {
        let word = format!("pool.size{}", "e".repeat(10_000_000));
        assert_eq!(nearest(&word, ["pool.size"]), Vec::<&str>::new());
    }

    #[test]
    fn very_many_findings_are_counted() {
        let mut findings = Findings::default();
        for at in (0..MOST_LISTED + 3).rev() {
            let place = Place { source: 0, start: at, end: at };
            findings.error(place, format!("error {at}")).help("kept");
            findings.warning(place, format!("warning {at}"));
        }
        assert_eq!(findings.errors(), MOST_LISTED + 3);
        let found = findings.into_sorted();
        assert_eq!(found.len(), 2 * MOST_LISTED + 2);
        assert_eq!((found[0].message.as_str(), found[0].span.start), ("error 3", 3));
        let last: Vec<&str> =
            found.iter().rev().take(2).map(|found| found.message.as_str()).collect();
        let more = |noun| format!("3 {noun}s more, not listed; the last is: {noun} 0");
        assert_eq!(last, [more("warning"), more("error")]);
    }

    #[test]
    fn a_message_has_a_beginning_and_an_end() {
        let mut findings = Findings::default();
        let place = Place { source: 0, start: 0, end: 0 };
        findings.error(place, format!("found a{}z here", "λ".repeat(1_000_000)));
        findings.error(place, "short");
        let found = findings.into_sorted();
        let message = &found[0].message;
        assert!(message.len() <= LONGEST_MESSAGE + " … ".len());
        assert!(message.starts_with("found aλλ") && message.ends_with("λλz here"), "{message}");
        assert!(message.contains("λ … λ"), "{message}");
        assert_eq!(found[1].message, "short");
    }

    #[test]
    fn located_is_one_line() {
        let sources = [SourceText { name: "a.toml".into(), text: "x = 1\ny = 2\n".into() }];
        let mut findings = Findings::default();
        findings.warning(Place { source: 0, start: 6, end: 7 }, "odd");
        let found = findings.into_sorted();
        assert_eq!(found[0].located(&sources).to_string(), "a.toml:2:1: warning: odd");
    }
}
