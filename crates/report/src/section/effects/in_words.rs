//! What a plot shows, for those who do not see it: its description and its data.

use track::SweepRecord;

use crate::escape::esc;
use crate::metric::Metric;
use crate::number::{MISSING, decimals, fixed, plural};
use crate::section::{folded_data, interval};
use crate::summary::Summary;

pub(super) fn describe(record: &SweepRecord, metric: &Metric, summary: &Summary) -> String {
    let places = decimals(summary.cells.iter().filter_map(|cell| cell.estimate).map(|e| e.mean));
    let said: Vec<String> = record
        .plan
        .cells
        .iter()
        .zip(&summary.cells)
        .map(|(cell, own)| match own.estimate {
            Some(e) => {
                format!("{}: {} over {}", cell.label, fixed(e.mean, places), plural(e.n, "seed"))
            }
            None => format!("{}: no value", cell.label),
        })
        .collect();
    format!("{}. Means: {}.", metric.direction(), said.join("; "))
}

pub(super) fn data_table(record: &SweepRecord, metric: &Metric, summary: &Summary) -> String {
    let places = decimals(summary.cells.iter().filter_map(|cell| cell.estimate).map(|e| e.mean));
    let mut out = format!(
        "<table><caption class=\"unseen\">{}</caption><thead><tr>\
         <th scope=\"col\">cell</th><th scope=\"col\" class=\"num\">mean</th><th scope=\"col\" class=\"num\">95 % interval</th>\
         <th scope=\"col\">seeds</th></tr></thead><tbody>",
        esc(&metric.title)
    );
    for (cell, own) in record.plan.cells.iter().zip(&summary.cells) {
        let (mean, bounds) = own.estimate.map_or((MISSING.into(), MISSING.into()), |e| {
            (fixed(e.mean, places), interval(e.interval, |v| fixed(v, places)))
        });
        let seeds: Vec<String> = own
            .values
            .iter()
            .map(|(seed, value)| format!("{seed}: {}", fixed(*value, places)))
            .collect();
        out.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td class=\"num\">{mean}</td><td class=\"num\">{bounds}</td><td>{}</td></tr>",
            esc(&cell.label),
            if seeds.is_empty() { MISSING.into() } else { seeds.join(", ") },
        ));
    }
    out.push_str("</tbody></table>");
    folded_data(&out)
}
