//! Findings in a sweep file, drawn as rustc draws them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use anyhow::Context;
use spec::{DataConfig, Diagnostic, Expression, Plan, Rejected, Severity, SourceText};

use crate::args::{FileArgs, OnlyArgs};
use crate::places::Places;
use crate::terminal::show;

/// A sweep file read from disk, with what it means.
pub(crate) struct ReadFile {
    pub(crate) text: String,
    pub(crate) result: Result<Plan, Rejected>,
}

/// Reads a sweep file and its base files, and looks for the images that it names; paths inside are
/// relative to the file's folder.
pub(crate) fn read_file(args: &FileArgs, places: &Places) -> anyhow::Result<ReadFile> {
    let name = args.file.display().to_string();
    let text =
        read_text(&args.file).with_context(|| format!("cannot read the sweep file `{name}`"))?;
    let folder = args.file.parent().unwrap_or(Path::new(""));
    Ok(read(SourceText { name, text }, folder, &args.overrides, places))
}

/// Likewise a sweep file that is not on disk; paths are relative to the working directory.
pub(crate) fn read(
    source: SourceText,
    folder: &Path,
    overrides: &[(String, String)],
    places: &Places,
) -> ReadFile {
    let text = source.text.clone();
    let mut load = |base: &str| {
        let path = folder.join(base);
        let name = path.display().to_string();
        match read_text(&path) {
            Ok(text) => Ok(SourceText { name, text }),
            Err(error) => Err(format!("cannot read `{name}`: {error}")),
        }
    };
    let store = places.store();
    let mut find = |images: &DataConfig| store.look_up(images);
    let home = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    let mut result = spec::read_in(&home, source, overrides, &mut load, &mut find);
    if let Ok(plan) = &mut result {
        plan.resolve_paths(&home);
    }
    ReadFile { text, result }
}

/// No more than `spec` looks at before it says that a file is too large, however long it is.
pub(crate) fn read_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(2 << 20).read_to_string(&mut text)?;
    Ok(text)
}

/// The plan; or, with every mistake printed, `None`.
pub(crate) fn plan_or_print(file: ReadFile) -> Option<(Plan, String)> {
    match file.result {
        Ok(plan) => {
            show(&render(&plan.warnings, &plan.sources));
            Some((plan, file.text))
        }
        Err(rejected) => {
            show(&render(&rejected.diagnostics, &rejected.sources));
            say!("{}", summary(&rejected));
            None
        }
    }
}

/// The filter, or nothing to filter by; or, with its mistake printed, `None`.
pub(crate) fn filter_or_print(only: &OnlyArgs) -> Option<Option<Expression>> {
    let Some(text) = &only.expression else { return Some(None) };
    match Expression::parse(text) {
        Ok(expression) => Some(Some(expression)),
        Err(error) => {
            let source = SourceText { name: "--only".to_string(), text: text.clone() };
            show(&render(&[error.diagnostic(0)], &[source]));
            None
        }
    }
}

pub(crate) fn summary(rejected: &Rejected) -> String {
    let errors = rejected.errors().count();
    let noun = if errors == 1 { "error" } else { "errors" };
    format!("{}: {errors} {noun}; nothing was made", rejected.sources[0].name)
}

/// All findings, one block each, with file, line, column, caret and help.
pub(crate) fn render(diagnostics: &[Diagnostic], sources: &[SourceText]) -> String {
    let renderer = match std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        true => Renderer::styled(),
        false => Renderer::plain(),
    };
    let block = |it: &Diagnostic| {
        let source = &sources[it.source];
        let level = match it.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut annotation = AnnotationKind::Primary.span(it.span.clone());
        if let Some(label) = &it.label {
            annotation = annotation.label(label.as_str());
        }
        let snippet = Snippet::source(source.text.as_str()).path(source.name.as_str());
        let mut group: Group<'_> =
            level.primary_title(it.message.as_str()).element(snippet.annotation(annotation));
        if let Some(help) = &it.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        format!("{}\n\n", renderer.render(&[group]))
    };
    diagnostics.iter().map(block).collect()
}

pub(crate) fn as_json(diagnostics: &[Diagnostic], sources: &[SourceText]) -> serde_json::Value {
    let one = |it: &Diagnostic| {
        let (line, column) = it.position(sources);
        serde_json::json!({
            "severity": match it.severity { Severity::Error => "error", Severity::Warning => "warning" },
            "file": sources[it.source].name,
            "line": line,
            "column": column,
            "message": it.message,
            "label": it.label,
            "help": it.help,
        })
    };
    diagnostics.iter().map(one).collect()
}
