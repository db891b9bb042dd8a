//! The list of all sweeps of a store, each with the way to its report.

use track::SweepRecord;

use crate::escape::esc;
use crate::page::{Loads, fill, whole};
use crate::section::header::status;
use crate::summary::Counts;

const TEMPLATE: &str = include_str!("contents.html");

/// A page that links to `NAME/` for every sweep. The status of their runs is enough: no metric is
/// looked at.
pub fn contents(sweeps: &[SweepRecord]) -> String {
    let main = match sweeps.is_empty() {
        true => "<p>No sweep has been planned yet.</p>\n".to_string(),
        false => table(sweeps),
    };
    whole("cyclelab", Loads::default(), &fill(TEMPLATE, &[("main", &main)]))
}

fn table(sweeps: &[SweepRecord]) -> String {
    let heads = ["sweep", "question", "images", "runs"];
    let heads = heads.map(|head| format!("<th scope=\"col\" data-sortable>{head}</th>")).concat();
    let rows = sweeps.iter().map(|sweep| {
        let plan = &sweep.plan;
        format!(
            "<tr><th scope=\"row\"><a href=\"{0}/\">{0}</a></th><td>{1}</td><td>{2}</td><td>{3}</td></tr>\n",
            esc(&plan.name),
            esc(&plan.question),
            esc(&plan.dataset.title),
            status(Counts::of(&sweep.runs))
        )
    });
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Sweeps\">\n<table class=\"sortable\">\n\
         <thead><tr>{heads}</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n</div>\n",
        rows.collect::<String>()
    )
}
