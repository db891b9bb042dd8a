//! The sections, in reading order, in their template.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use track::SweepRecord;

use crate::brief;
use crate::data;
use crate::escape::esc;
use crate::importance::Importances;
use crate::live::{self, Stamp};
use crate::measured::{self, Anchors, Measured};
use crate::metric::{self, Metric};
use crate::section::{
    answer, curves, effects, forest, header, method, results, runs, samples, timeline, tradeoffs,
};
use crate::summary::{self, Summary};
use crate::{Options, Rendered, ReportError};

const SHELL: &str = include_str!("shell.html");
const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = concat!(
    "\n",
    include_str!("style.css"),
    include_str!("style/samples.css"),
    include_str!("style/runs.css"),
    include_str!("style/compare.css")
);
const SCRIPT: &str = concat!(
    "\n",
    include_str!("script/chosen.js"),
    include_str!("script/sorting.js"),
    include_str!("script/samples.js"),
    include_str!("script/pair.js"),
    include_str!("script/expression.js"),
    include_str!("script/groups.js"),
    include_str!("script/copying.js"),
    include_str!("script/tables.js"),
    include_str!("script/figures.js"),
    include_str!("script/curves.js"),
    include_str!("script/opened.js"),
    include_str!("script/runs.js"),
    include_str!("script/place.js"),
    include_str!("script/live.js")
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
    /// Of the axes of a random design, or why there is none.
    pub(crate) importance: Option<Result<Importances, String>>,
}

impl<'a> Subject<'a> {
    pub(crate) fn of(record: &'a SweepRecord) -> Subject<'a> {
        let (primary, anchors) = (metric::declared(record), Anchors::of(record));
        let summary = summary::summarise(record, &record.plan.metric.name);
        Subject {
            record,
            importance: Importances::of(record, &summary),
            summary,
            measured: measured::all(record, &primary, &anchors),
            primary,
            anchors,
        }
    }
}

pub(crate) fn render(record: &SweepRecord, options: &Options) -> Result<Rendered, ReportError> {
    let subject = Subject::of(record);
    let mut problems = Vec::new();
    let (samples, pictures) = samples::section(&subject, options, &mut problems);
    let sections = [
        results::section(&subject),
        forest::section(&subject)?,
        effects::section(&subject)?,
        curves::section(&subject)?,
        samples,
        tradeoffs::section(&subject)?,
        runs::section(&subject, options)?,
        timeline::section(&subject)?,
        method::section(&subject),
    ];
    let title = esc(&record.plan.name).to_string();
    let (header, answer) = (header::section(&subject), answer::section(&subject));
    let (facts, main) = (header::facts(&subject), sections.concat());
    let stamp = options.live.then(|| Stamp::of(&[&header, &answer, &facts, &main]));
    let body = fill(
        TEMPLATE,
        &[
            ("live", &stamp.as_ref().map(Stamp::control).unwrap_or_default()),
            ("header", &header),
            ("answer", &answer),
            ("facts", &facts),
            ("main", &main),
        ],
    );
    let loads = Loads { scripts: options.live, pictures: !pictures.is_empty() };
    let html = whole(&format!("{title} · cyclelab"), loads, &body);
    let (summary, data) = (brief::markdown(&subject), data::json(&subject));
    let news = stamp.as_ref().map(Stamp::news);
    Ok(Rendered { html, summary, data, news, pictures, problems })
}

/// A page around its body; the title is escaped already.
pub(crate) fn whole(title: &str, loads: Loads, body: &str) -> String {
    let live_head = if loads.scripts { live::WITHOUT_SCRIPTS } else { "" };
    fill(
        SHELL,
        &[
            ("title", title),
            ("policy", &policy(loads)),
            ("live_head", live_head),
            ("style", STYLE),
            ("body", body),
            ("script", SCRIPT),
        ],
    )
}

/// What a page may load from where it lies itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Loads {
    /// `live.js`, while it is live.
    pub(crate) scripts: bool,
    pub(crate) pictures: bool,
}

/// What a browser may do for this page: show the pictures in it, and run and apply the one script
/// and the one style sheet that are ours, which it knows by their hashes; and load what lies
/// beside it, where there is such. So text of the record that escaping had missed would still do
/// nothing.
fn policy(beside: Loads) -> String {
    // `'self'` is nothing in a browser to whom every file on disk is a site of its own.
    let own = |is_there| if is_there { " 'self' file:" } else { "" };
    let (scripts, pictures) = (own(beside.scripts), own(beside.pictures));
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; img-src data:{pictures}; style-src {}; script-src {}{scripts}; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// One pass over the template, so that nothing filled in is read as a place to fill.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = template;
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
