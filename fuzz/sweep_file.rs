//! Any text as a sweep file: a plan that keeps its own promises, or findings that can be drawn.
//!
//! Up to three parts separated by NUL: the file, what each of its base files holds, and `--set`
//! pairs, one a line.

#![no_main]

use std::collections::BTreeSet;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use libfuzzer_sys::fuzz_target;
use spec::{Diagnostic, Plan, RunConfig, SourceText};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.splitn(3, '\0');
    let file = parts.next().expect("splitting gives at least one part");
    let base = parts.next();
    let overrides: Vec<(String, String)> = parts
        .next()
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim().into(), value.trim().into()))
        .collect();
    let mut load = |path: &str| match base {
        Some(text) => Ok(SourceText { name: path.into(), text: text.into() }),
        None => Err("no such file".into()),
    };
    let source = SourceText { name: "fuzz.toml".into(), text: file.into() };
    match spec::read(source, &overrides, &mut load) {
        Ok(plan) => {
            plan.warnings.iter().for_each(|it| draw(it, &plan.sources));
            expect_sound(plan);
        }
        Err(rejected) => {
            assert!(rejected.errors().next().is_some(), "rejected without an error");
            rejected.diagnostics.iter().for_each(|it| draw(it, &rejected.sources));
        }
    }
});

/// As `cli` does, which must not panic either.
fn draw(found: &Diagnostic, sources: &[SourceText]) {
    let source = &sources[found.source];
    assert!(source.text.get(found.span.clone()).is_some(), "no piece of the text: {found:?}");
    assert!(!found.located(sources).to_string().contains('\n'), "two lines: {found:?}");
    let snippet = Snippet::source(source.text.as_str()).path(source.name.as_str());
    let annotation = AnnotationKind::Primary.span(found.span.clone());
    let group = Level::ERROR.primary_title(found.message.as_str());
    Renderer::plain().render(&[group.element(snippet.annotation(annotation))]);
}

fn expect_sound(mut plan: Plan) {
    assert!(!plan.cells.is_empty() && plan.runs.len() as u64 <= plan.limits.max_runs);
    assert!(plan.runs.iter().enumerate().all(|(i, run)| run.index == i));
    let labels: BTreeSet<&str> = plan.cells.iter().map(|cell| cell.label.as_str()).collect();
    assert_eq!(labels.len(), plan.cells.len(), "two cells have one label");
    assert_eq!(plan.cells.iter().filter(|cell| cell.baseline).count(), 1, "one baseline");
    plan.resolve_paths(Path::new("/folder"));
    for cell in plan.cells.iter().take(4) {
        let slug = cell.slug();
        assert!(
            !slug.is_empty() && slug.len() <= 48 && !slug.contains(['/', '\\', '\0']),
            "{slug}"
        );
        // What is kept beside a run's results, and what its process is given.
        let read_back = toml::from_str::<RunConfig>(&cell.config.to_toml());
        assert_eq!(read_back.as_ref(), Ok(&cell.config));
        let given = serde_json::to_value(&cell.config).expect("plain values are JSON");
        let given: RunConfig = serde_json::from_value(given).expect("its own JSON");
        assert_eq!(given, cell.config);
        spec::point_id(&cell.config, 1, "fingerprint", &[]);
        cell.config.train.total_steps(1000);
    }
}
