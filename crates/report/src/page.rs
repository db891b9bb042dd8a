//! The sections, in reading order, in their template.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use track::SweepRecord;

use crate::brief;
use crate::data;
use crate::escape::esc;
use crate::measured::{self, Anchors, Measured};
use crate::metric::{self, Metric};
use crate::section::{
    answer, curves, effects, forest, header, method, results, runs, samples, timeline, tradeoffs,
};
use crate::summary::{self, Summary};
use crate::{Options, Rendered, ReportError};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = concat!("\n", include_str!("style.css"), include_str!("style/samples.css"));
const SCRIPT: &str = concat!(
    "\n",
    include_str!("script/chosen.js"),
    include_str!("script/sorting.js"),
    include_str!("script/samples.js"),
    include_str!("script/tables.js"),
    include_str!("script/figures.js")
);

/// What every section looks at.
pub(crate) struct Subject<'a> {
    pub(crate) record: &'a SweepRecord,
    pub(crate) primary: Metric,
    /// Of the primary metric.
    pub(crate) summary: Summary,
    /// Every metric of the evaluation, the primary one first.
    pub(crate) measured: Vec<Measured>,
    pub(crate) anchors: Anchors,
}

impl<'a> Subject<'a> {
    pub(crate) fn of(record: &'a SweepRecord) -> Subject<'a> {
        let (primary, anchors) = (metric::declared(record), Anchors::of(record));
        Subject {
            record,
            summary: summary::summarise(record, &record.plan.metric.name),
            measured: measured::all(record, &primary, &anchors),
            primary,
            anchors,
        }
    }
}

pub(crate) fn render(record: &SweepRecord, options: &Options) -> Result<Rendered, ReportError> {
    let subject = Subject::of(record);
    let mut problems = Vec::new();
    let sections = [
        results::section(&subject),
        forest::section(&subject)?,
        effects::section(&subject)?,
        curves::section(&subject)?,
        samples::section(&subject, options, &mut problems),
        tradeoffs::section(&subject)?,
        runs::section(&subject),
        timeline::section(&subject)?,
        method::section(&subject),
    ];
    let title = esc(&record.plan.name).to_string();
    let html = fill(&[
        ("title", &title),
        ("policy", &policy()),
        ("style", STYLE),
        ("script", SCRIPT),
        ("header", &header::section(&subject)),
        ("answer", &answer::section(&subject)),
        ("facts", &header::facts(&subject)),
        ("main", &sections.concat()),
    ]);
    let (summary, data) = (brief::markdown(&subject), data::json(&subject));
    Ok(Rendered { html, summary, data, problems })
}

/// What a browser may do for this page: show the pictures in it, and run and apply the one script
/// and the one style sheet that are ours, which it knows by their hashes. So text of the record
/// that escaping had missed would still do nothing.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; img-src data:; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// One pass over the template, so that nothing filled in is read as a place to fill.
fn fill(values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = TEMPLATE;
    while let Some((before, tail)) = rest.split_once("{{") {
        let (name, after) = tail.split_once("}}").expect("the template closes its places");
        let value =
            values.iter().find(|(key, _)| *key == name).expect("the template names known places").1;
        out.push_str(before);
        out.push_str(value);
        rest = after;
    }
    out.push_str(rest);
    out
}
