//! What a run was asked to do: leaf by leaf, who set it, and in what it differs from the baseline.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use track::RunRecord;

use crate::escape::esc;
use crate::number::{self, MISSING, plural};
use crate::page::Subject;
use crate::section::leaves::flatten;

/// The configuration that all others are set against: the baseline's, or the first cell's where the
/// sweep has none.
pub(super) struct Reference<'a> {
    is_baseline: bool,
    cell: usize,
    leaves: Map<String, Value>,
    origins: Option<&'a BTreeMap<String, String>>,
}

/// One row: a leaf of the run, of the reference, or of both.
struct Leaf<'a> {
    path: &'a str,
    value: Option<&'a Value>,
    of_reference: Option<&'a Value>,
    origin: Option<&'a str>,
    /// Who set it in the reference, where that is somebody else.
    other_origin: Option<&'a str>,
}

impl Leaf<'_> {
    fn differs(&self) -> bool {
        self.value != self.of_reference
    }
}

impl<'a> Reference<'a> {
    pub(super) fn of(subject: &Subject<'a>) -> Reference<'a> {
        let baseline = subject.summary.baseline;
        let cell = baseline.unwrap_or(0);
        let own = subject.record.runs.iter().filter(|run| run.cell == cell);
        let run = own.into_iter().find(|run| run.config.is_object());
        Reference {
            is_baseline: baseline.is_some(),
            cell,
            leaves: run.map(leaves).unwrap_or_default(),
            origins: run.map(|run| &run.origins),
        }
    }

    fn words(&self) -> &'static str {
        if self.is_baseline { "the baseline" } else { "the first cell" }
    }

    fn origin(&self, leaf: &str) -> Option<&'a str> {
        self.origins?.get(leaf).map(String::as_str)
    }

    /// Every leaf of it, folded: for pages whose runs name only what they have otherwise.
    pub(super) fn all(&self) -> String {
        if self.leaves.is_empty() {
            return String::new();
        }
        let row = |(path, value): (&String, &Value)| {
            let origin = self.origin(path).map_or_else(|| MISSING.into(), |it| esc(it).to_string());
            let value = esc(number::setting(value));
            format!(
                "<tr><th scope=\"row\">{}</th><td>{value}</td><td>{origin}</td></tr>\n",
                esc(path)
            )
        };
        format!(
            "<details class=\"more\" id=\"all-leaves\"><summary>All leaves of {}: {}</summary>\n\
             <div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"All leaves of {0}\">\n<table class=\"leaves\">\n\
             <thead><tr><th scope=\"col\">leaf</th><th scope=\"col\">value</th><th scope=\"col\">set by</th></tr></thead>\n\
             <tbody>\n{}</tbody>\n</table></div>\n</details>\n",
            self.words(),
            self.leaves.len(),
            self.leaves.iter().map(row).collect::<String>()
        )
    }
}

/// What differs, and folded every leaf; of many runs the leaves that are the reference's stand in one
/// place.
pub(super) fn block(
    subject: &Subject<'_>,
    reference: &Reference<'_>,
    run: &RunRecord,
    in_full: bool,
) -> String {
    let mut out = String::from("<h4>Configuration</h4>\n");
    let own = leaves(run);
    if own.is_empty() {
        out.push_str("<p class=\"absent\">Its configuration is not recorded.</p>\n");
        return out;
    }
    let rows = rows(reference, run, &own);
    let differing: Vec<&Leaf<'_>> =
        rows.iter().filter(|it| it.differs() || it.other_origin.is_some()).collect();
    let with = same_seed(subject, reference, run);
    let count = differing.iter().filter(|it| it.differs()).count();
    let words = reference.words();
    out.push_str(&match (run.cell == reference.cell, count) {
        (true, 0) if reference.is_baseline => "<p>This is the baseline.</p>\n".into(),
        (true, 0) => {
            "<p>Other cells are set against this one: the sweep has no baseline.</p>\n".into()
        }
        (_, 0) => format!("<p>No leaf differs from {words}{with}.</p>\n"),
        (_, count) => format!(
            "<p>{} from {words}{with}.</p>\n",
            match count {
                1 => "1 leaf differs".into(),
                count => format!("{} differ", plural(count, "leaf").replace("leafs", "leaves")),
            }
        ),
    });
    if run.origins.is_empty() {
        out.push_str("<p class=\"absent\">Who set its leaves is not recorded.</p>\n");
    }
    if !differing.is_empty() {
        let name = format!("Run {}: what differs", run.index);
        out.push_str(&table(reference, differing.iter().copied(), &name));
    }
    if in_full {
        let name = format!("Run {}: all leaves", run.index);
        out.push_str(&format!(
            "<details id=\"run-{}-leaves\"><summary>All leaves: {}</summary>\n{}</details>\n",
            run.index,
            rows.len(),
            table(reference, rows.iter(), &name)
        ));
    } else {
        out.push_str(&format!(
            "<p>All others are <a href=\"#all-leaves\">as in {words}</a>.</p>\n"
        ));
    }
    out
}

/// The run of the reference that shares the seed, which its values are paired with.
fn same_seed(subject: &Subject<'_>, reference: &Reference<'_>, run: &RunRecord) -> String {
    let mut runs = subject.record.runs.iter();
    let paired = runs.find(|it| it.cell == reference.cell && it.seed == run.seed);
    match paired {
        Some(it) if it.index != run.index => {
            format!(" (<a href=\"#run-{0}\">run {0}</a>, of the same seed)", it.index)
        }
        _ => String::new(),
    }
}

fn leaves(run: &RunRecord) -> Map<String, Value> {
    let mut leaves = Map::new();
    if run.config.is_object() {
        flatten("", &run.config, &mut leaves);
    }
    leaves.retain(|path, _| !path.is_empty());
    leaves
}

fn rows<'a>(
    reference: &'a Reference<'_>,
    run: &'a RunRecord,
    own: &'a Map<String, Value>,
) -> Vec<Leaf<'a>> {
    let paths: BTreeSet<&String> = own.keys().chain(reference.leaves.keys()).collect();
    let row = |path: &'a String| {
        let origin = run.origins.get(path).map(String::as_str);
        let other_origin = reference.origin(path).filter(|it| origin.is_some_and(|own| own != *it));
        let (value, of_reference) = (own.get(path), reference.leaves.get(path));
        Leaf { path, value, of_reference, origin, other_origin }
    };
    paths.into_iter().map(row).collect()
}

fn table<'a>(
    reference: &Reference<'_>,
    leaves: impl Iterator<Item = &'a Leaf<'a>>,
    name: &str,
) -> String {
    let said = |value: Option<&Value>| match value {
        Some(value) => esc(number::setting(value)).to_string(),
        None => "not recorded".into(),
    };
    let row = |leaf: &Leaf<'_>| {
        let origin = leaf.origin.map_or_else(|| MISSING.into(), |it| esc(it).to_string());
        let otherwise = leaf.other_origin.map_or_else(String::new, |it| {
            format!(" <span class=\"quiet\">({}: {})</span>", reference.words(), esc(it))
        });
        let (class, set_against) = match leaf.differs() {
            true => (" class=\"differs\"", format!("≠ {}", said(leaf.of_reference))),
            false => ("", "the same".into()),
        };
        format!(
            "<tr{class}><th scope=\"row\">{}</th><td>{}</td><td>{set_against}</td><td>{origin}{otherwise}</td></tr>\n",
            esc(leaf.path),
            said(leaf.value)
        )
    };
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{name}\">\n<table class=\"leaves\">\n<thead><tr>\
         <th scope=\"col\">leaf</th><th scope=\"col\">this run</th><th scope=\"col\">{}</th><th scope=\"col\">set by</th>\
         </tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
        reference.words(),
        leaves.map(row).collect::<String>()
    )
}
