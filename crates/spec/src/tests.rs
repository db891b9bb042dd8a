//! Whole files through `read`: what is refused, and what is planned.

use crate::{Diagnostic, Plan, Rejected, SourceText, read};

mod consequences;
mod designs;
mod errors;
mod experiments;
mod hostile;
mod plans;
mod presets;
mod round_trip;
mod schema;
mod twins;

/// A file around the given lines of `[sweep]` and whatever follows `[set]`.
fn document(sweep: &str, rest: &str) -> String {
    let has = |key: &str| sweep.lines().any(|line| line.starts_with(key));
    let mut text = "schema = 1\n[sweep]\n".to_string();
    for (key, line) in [
        ("name", "name = \"test\"\n"),
        ("question", "question = \"Does it matter?\"\n"),
        ("seeds", "seeds = [1, 2, 3]\n"),
    ] {
        if !has(key) {
            text.push_str(line);
        }
    }
    format!("{text}{sweep}\n[set]\ndata.path = \"images\"\n{rest}\n")
}

fn source(text: &str) -> SourceText {
    SourceText { name: "test.toml".to_string(), text: text.to_string() }
}

fn read_alone(text: &str) -> Result<Plan, Rejected> {
    read_with(text, &[], &[])
}

fn read_with(
    text: &str,
    overrides: &[(&str, &str)],
    bases: &[(&str, &str)],
) -> Result<Plan, Rejected> {
    let overrides: Vec<(String, String)> =
        overrides.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let mut load = |path: &str| match bases.iter().find(|(name, _)| *name == path) {
        Some((name, text)) => Ok(SourceText { name: name.to_string(), text: text.to_string() }),
        None => Err("no such file".to_string()),
    };
    read(source(text), &overrides, &mut load)
}

/// A finding with its label and help.
fn shown(found: &Diagnostic) -> String {
    let (label, help) = (found.label.as_deref().unwrap_or(""), found.help.as_deref().unwrap_or(""));
    format!("{} [{label}] {help}", found.message)
}

/// The plan of a file that is expected to be sound.
fn plan(sweep: &str, rest: &str) -> Plan {
    expect(read_alone(&document(sweep, rest)))
}

fn expect(read: Result<Plan, Rejected>) -> Plan {
    read.unwrap_or_else(|rejected| panic!("refused:\n{rejected}"))
}
