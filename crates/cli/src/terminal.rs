//! Words on the terminal.

/// A line on standard error. Unlike `eprintln!` it goes on where nobody reads any more: a closed
/// pipe must not end a sweep. And it is [`plain`].
macro_rules! say {
    ($($words:tt)*) => { $crate::terminal::line(format_args!($($words)*)) };
}

/// A line on standard output, where a command's answer goes. Likewise [`plain`].
macro_rules! tell {
    () => { $crate::terminal::answer(format_args!("")) };
    ($($words:tt)*) => { $crate::terminal::answer(format_args!($($words)*)) };
}

use std::borrow::Cow;
use std::fmt;
use std::io::Write;
use std::time::Duration;

use serde::Serialize;

use crate::exit::Exit;

pub(crate) fn line(words: fmt::Arguments<'_>) {
    drop(writeln!(std::io::stderr(), "{}", plain(&words.to_string())));
}

/// A reader like `head` that has closed the pipe wants no more; that is no failure. Any other loss
/// of the answer is.
pub(crate) fn answer(words: fmt::Arguments<'_>) {
    if let Err(error) = writeln!(std::io::stdout(), "{}", plain(&words.to_string()))
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        say!("error: cannot write the answer: {error}");
        std::process::exit(74);
    }
}

/// Questions, labels, reasons and file names come from strangers: what would act on the terminal
/// (colour it, move on it, turn its direction of writing) is written out, as JSON writes it.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) { out.push_str(&format!("\\u{:04x}", u32::from(c))) } else { out.push(c) }
    }
    Cow::Owned(out)
}

fn acts(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2066}'..='\u{2069}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}');
    turns || breaks || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// A value for scripts, over several lines. [`plain`] writes as JSON does, so it stays the same value.
pub(crate) fn json(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value).map(|text| plain(&text).into_owned())
}

/// A word as a shell takes it.
pub(crate) fn shell_word(word: &str) -> Cow<'_, str> {
    let harmless = |c: char| c.is_alphanumeric() || "/._-+,=@:%".contains(c);
    match !word.is_empty() && word.chars().all(harmless) {
        true => Cow::Borrowed(word),
        false => Cow::Owned(format!("'{}'", word.replace('\'', r"'\''"))),
    }
}

/// Prints an error with its causes. What another process holds passes by itself; for all else the
/// code says no more than that it went wrong.
pub(crate) fn print_error(error: &anyhow::Error) -> Exit {
    say!("error: {error}");
    for cause in error.chain().skip(1) {
        say!("  because: {cause}");
    }
    match Exit::of(error) {
        Some(Exit::Held) => Exit::Held,
        _ => Exit::Failed,
    }
}

/// Prints an error of the runner's with the exit code of its class; passes any other on.
pub(crate) fn print_by_class(error: anyhow::Error) -> anyhow::Result<Exit> {
    match Exit::of(&error) {
        Some(exit) => {
            print_error(&error);
            Ok(exit)
        }
        None => Err(error),
    }
}

/// Text on standard error as it is.
pub(crate) fn show(text: &str) {
    drop(std::io::stderr().write_all(text.as_bytes()));
}

/// `2 h 05 min`, `3 min 20 s`, `12 s`.
pub(crate) fn duration(time: Duration) -> String {
    let s = time.as_secs();
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
    }
}

/// Rows under a header, columns as wide as their widest entry. An entry is one line, and [`plain`].
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let entry = |text: &String| plain(text).replace('\n', "\\n").replace('\t', " ");
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(entry).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        widest.max(header[column].chars().count())
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    let mut lines = vec![line(header.to_vec())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    lines.join("\n")
}

/// Four significant digits; plain where that is short.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if !value.is_finite() => value.to_string(),
        _ if value == 0.0 => "0".into(),
        1e-3..1e5 => {
            let digits = (3 - size.log10().floor() as i32).max(0) as usize;
            format!("{value:.digits$}")
        }
        _ => format!("{value:.3e}"),
    }
}

pub(crate) fn plural(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
