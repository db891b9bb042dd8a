//! What a run was asked to do: leaf by leaf, who set it, and in what it differs from the baseline.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use track::RunRecord;

use super::anchor::Anchors;
use crate::escape::esc;
use crate::number::{self, MISSING, plural};
use crate::page::Subject;
use crate::section::leaves::flatten;

/// The configurations that all others are set against, seed by seed: the baseline's, or the first
/// cell's where the sweep has none.
pub(super) struct Reference<'a> {
    is_baseline: bool,
    cell: usize,
    /// In plan order, those whose configuration is recorded.
    runs: Vec<Recorded<'a>>,
}

struct Recorded<'a> {
    run: &'a RunRecord,
    leaves: Map<String, Value>,
}

impl<'a> Recorded<'a> {
    fn origin(&self, leaf: &str) -> Option<&'a str> {
        self.run.origins.get(leaf).map(String::as_str)
    }
}

/// One row: a leaf of the run, of the reference, or of both.
struct Leaf<'a> {
    path: &'a str,
    value: Option<&'a Value>,
    of_reference: Option<&'a Value>,
    origin: Option<&'a str>,
    /// Who set it in the reference, where that is somebody else.
    other_origin: Option<&'a str>,
    /// The reference has another value with this seed than with its first, which stands above the parts.
    is_of_seed: bool,
}

impl Leaf<'_> {
    fn differs(&self) -> bool {
        self.is_in_both() && self.value != self.of_reference
    }

    /// One that a run of an earlier version lacks had then the value that it has now, or the question
    /// would not be the same: it says nothing, and counts as no difference.
    fn is_in_both(&self) -> bool {
        self.value.is_some() && self.of_reference.is_some()
    }
}

impl<'a> Reference<'a> {
    pub(super) fn of(subject: &Subject<'a>) -> Reference<'a> {
        let baseline = subject.summary.baseline;
        let cell = baseline.unwrap_or(0);
        let own = subject.record.runs.iter().filter(|run| run.cell == cell);
        let recorded = own.map(|run| Recorded { run, leaves: leaves(run) });
        let runs = recorded.filter(|it| !it.leaves.is_empty()).collect();
        Reference { is_baseline: baseline.is_some(), cell, runs }
    }

    /// Of the same seed, which a run's values are paired with, or else the first.
    fn to(&self, run: &RunRecord) -> Option<&Recorded<'a>> {
        self.runs.iter().find(|it| it.run.seed == run.seed).or(self.runs.first())
    }

    fn words(&self) -> &'static str {
        if self.is_baseline { "the baseline" } else { "the first cell" }
    }

    /// Every leaf of it, folded: for pages whose runs name only what they have otherwise.
    pub(super) fn all(&self) -> String {
        let Some(first) = self.runs.first() else { return String::new() };
        let row = |(path, value): (&String, &Value)| {
            let origin =
                first.origin(path).map_or_else(|| MISSING.into(), |it| esc(it).to_string());
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
            first.leaves.len(),
            first.leaves.iter().map(row).collect::<String>()
        )
    }
}

/// What differs, and folded every leaf; of many runs the leaves that are the reference's stand in one
/// place.
pub(super) fn block(
    reference: &Reference<'_>,
    anchors: &Anchors,
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
    let is_told = |it: &&Leaf<'_>| {
        it.differs() || !it.is_in_both() || it.other_origin.is_some() || (it.is_of_seed && !in_full)
    };
    let told: Vec<&Leaf<'_>> = rows.iter().filter(is_told).collect();
    let with = set_against(reference, anchors, run);
    let count = rows.iter().filter(|it| it.differs()).count();
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
    let lone = rows.iter().filter(|it| !it.is_in_both()).count();
    if lone > 0 && !reference.runs.is_empty() {
        out.push_str(&format!(
            "<p>{} recorded in one of the two runs only, which is no difference: what a run of another version lacks is as in the \
             other.</p>\n",
            match lone {
                1 => "1 leaf is".into(),
                lone => format!("{} are", plural(lone, "leaf").replace("leafs", "leaves")),
            }
        ));
    }
    if run.origins.is_empty() {
        out.push_str("<p class=\"absent\">Who set its leaves is not recorded.</p>\n");
    }
    if !told.is_empty() {
        let name = format!("Run {}: what differs", run.index);
        out.push_str(&table(reference, told.iter().copied(), &name));
    }
    if in_full {
        let name = format!("Run {}: all leaves", run.index);
        out.push_str(&format!(
            "<details id=\"{}-leaves\"><summary>All leaves: {}</summary>\n{}</details>\n",
            anchors.at(run),
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

/// Which run of the reference the values are of.
fn set_against(reference: &Reference<'_>, anchors: &Anchors, run: &RunRecord) -> String {
    let Some(it) = reference.to(run).map(|it| it.run) else { return String::new() };
    if it.index == run.index {
        return String::new();
    }
    let link = format!("<a href=\"#{}\">run {}</a>", anchors.at(it), it.index);
    match it.seed == run.seed {
        true => format!(" ({link}, of the same seed)"),
        false => format!(" ({link}, of seed {}: of this seed none is recorded)", it.seed),
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
    let (other, first) = (reference.to(run), reference.runs.first());
    let others = other.into_iter().flat_map(|it| it.leaves.keys());
    let paths: BTreeSet<&String> = own.keys().chain(others).collect();
    let row = |path: &'a String| {
        let origin = run.origins.get(path).map(String::as_str);
        let other_origin = other.and_then(|it| it.origin(path));
        let (value, of_reference) = (own.get(path), other.and_then(|it| it.leaves.get(path)));
        Leaf {
            path,
            value,
            of_reference,
            origin,
            other_origin: other_origin.filter(|it| origin.is_some_and(|own| own != *it)),
            is_of_seed: of_reference != first.and_then(|it| it.leaves.get(path)),
        }
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
            false if leaf.is_in_both() => ("", "the same".into()),
            false => ("", said(leaf.of_reference)),
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
