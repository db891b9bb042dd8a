//! The sections of a comparison, in reading order, in their template, within the page that
//! all have.

use super::{Beside, across, agreement, apart, cost, forest, method, results, sweeps};
use crate::ReportError;
use crate::escape::esc;
use crate::page::{Loads, fill, whole};

const TEMPLATE: &str = include_str!("page.html");

pub(super) fn html(beside: &Beside<'_>) -> Result<String, ReportError> {
    let sections = [
        sweeps::section(beside),
        answer(beside),
        results::section(beside),
        forest::section(beside)?,
        cost::section(beside),
        method::section(beside),
    ];
    let body = fill(TEMPLATE, &[("header", &header(beside)), ("main", &sections.concat())]);
    Ok(whole(&format!("{} · cyclelab", esc(title(beside))), Loads::default(), &body))
}

/// `lambda, relief and pool`.
fn title(beside: &Beside<'_>) -> String {
    let names: Vec<&str> = beside.sweeps.iter().map(|it| it.record().plan.name.as_str()).collect();
    match names.as_slice() {
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
        [] => String::new(),
    }
}

/// The question where it is the same; else that there are several.
pub(super) fn heading(beside: &Beside<'_>) -> String {
    let questions = beside.sweeps.iter().map(|it| it.record().plan.question.trim());
    let first = questions.clone().next().unwrap_or_default();
    if !first.is_empty() && questions.clone().all(|question| question == first) {
        format!("{first} {} sweeps compared", beside.sweeps.len())
    } else {
        format!("{}, side by side", title(beside))
    }
}

fn header(beside: &Beside<'_>) -> String {
    format!(
        "<header>\n<p class=\"kicker\">Comparison of sweeps · {}</p>\n<h1>{}</h1>\n{}</header>",
        esc(title(beside)),
        esc(heading(beside)),
        sweeps::banners(beside)
    )
}

fn answer(beside: &Beside<'_>) -> String {
    format!(
        "<section id=\"answer\" class=\"answer\">\n<h2>Answer</h2>\n{}</section>\n",
        said(beside)
    )
}

/// What may be said, worded by rule.
pub(super) fn said(beside: &Beside<'_>) -> String {
    [
        agreement::said(beside),
        apart::said(beside),
        across::said(beside),
        apart::left_out(beside),
        sweeps::flagged(beside),
    ]
    .concat()
}
