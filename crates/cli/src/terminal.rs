//! Words on the terminal.

/// A line on standard error. Unlike `eprintln!` it goes on where nobody reads any more: a closed
/// pipe must not end a sweep.
macro_rules! say {
    ($($words:tt)*) => {
        drop(std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("{}\n", format_args!($($words)*)),
        ))
    };
}

use std::io::Write;
use std::time::Duration;

use crate::exit::Exit;

/// Prints an error with its causes.
pub(crate) fn print_error(error: &anyhow::Error) -> Exit {
    say!("error: {error}");
    for cause in error.chain().skip(1) {
        say!("  because: {cause}");
    }
    Exit::Failed
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

/// Ends quietly where a reader like `head` closed the pipe: Rust would panic.
pub(crate) fn end_quietly_on_a_closed_pipe() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let message = info.payload_as_str().unwrap_or_default();
        if message.starts_with("failed printing to stdout") {
            std::process::exit(0);
        }
        default(info);
    }));
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

/// Rows under a header, columns as wide as their widest entry.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
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
