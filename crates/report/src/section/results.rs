//! One row a cell.

use track::SweepRecord;

use super::answer::places;
use super::{interval, level, loose_settings, loose_value};
use crate::escape::esc;
use crate::metric;
use crate::number::{MISSING, decimals, fixed, signed};
use crate::page::Subject;
use crate::summary::{Counts, summarise};

pub(crate) fn section(subject: &Subject<'_>) -> String {
    let (record, summary) = (subject.record, &subject.summary);
    let losses = summary.cells.iter().any(|cell| cell.runs.diverged + cell.runs.failed > 0);
    let secondary: Vec<Column> =
        record.plan.metric.secondary.iter().map(|name| Column::of(record, name)).collect();
    let cost = Cost::of(record);
    let loose = loose_settings(record);

    let mut out = String::from(
        "<section id=\"results\">\n<h2>Results</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"Results table\">\n<table class=\"sortable\">\n",
    );
    // Without an axis the cells are points, best known by their names.
    let named = record.plan.axes.is_empty();
    let setting_columns = usize::from(named) + record.plan.axes.len() + loose.len();
    out.push_str(&head(subject, setting_columns, &loose, losses, &secondary, &cost));
    out.push_str("<tbody>\n");
    for (at, cell) in record.plan.cells.iter().enumerate() {
        let (baseline, best) = (summary.baseline == Some(at), summary.best == Some(at));
        out.push_str(if baseline { "<tr class=\"baseline\">" } else { "<tr>" });
        if named {
            out.push_str(&setting(&cell.label));
        }
        for axis in &record.plan.axes {
            out.push_str(&setting(&level(axis, cell)));
        }
        for key in &loose {
            out.push_str(&setting(&loose_value(cell, key)));
        }
        let role = match (baseline, best) {
            (true, true) => "baseline<br>★ best",
            (true, false) => "baseline",
            (false, true) => "★ best",
            (false, false) => "",
        };
        out.push_str(&format!("<td class=\"role\">{role}</td>"));
        let own = &summary.cells[at];
        out.push_str(&numeric(
            Some(own.runs.completed as f64),
            &match own.without_value() {
                0 => format!("{}/{}", own.runs.completed, own.runs.planned),
                without => format!(
                    "{}/{} <span class=\"quiet\">({without} without a value)</span>",
                    own.runs.completed, own.runs.planned
                ),
            },
        ));
        if losses {
            out.push_str(&numeric(
                Some((own.runs.diverged + own.runs.failed) as f64),
                &lost(own.runs),
            ));
        }
        let digits = places(subject);
        let plain = |v: f64| fixed(v, digits);
        match own.estimate {
            None => out.push_str(&format!(
                "<td class=\"absent\" colspan=\"3\" data-sort=\"\">{}</td>",
                absent(own.runs)
            )),
            Some(e) => {
                out.push_str(&numeric(
                    Some(e.mean),
                    &format!("<strong>{}</strong>", plain(e.mean)),
                ));
                out.push_str(&format!("<td class=\"num quiet\">{}</td>", interval(&e, plain)));
                let range = match e.n {
                    1 => String::new(),
                    _ => format!("{}–{}", plain(e.min), plain(e.max)),
                };
                out.push_str(&format!("<td class=\"num quiet\">{range}</td>"));
            }
        }
        match (own.difference, own.verdict) {
            (Some(d), Some(verdict)) => {
                let with_sign = |v: f64| signed(v, digits);
                out.push_str(&numeric(Some(d.mean), &with_sign(d.mean)));
                out.push_str(&format!("<td class=\"num quiet\">{}</td>", interval(&d, with_sign)));
                out.push_str(&format!("<td class=\"verdict\">{}</td>", verdict.words()));
            }
            _ if baseline => {
                out.push_str("<td class=\"num\" data-sort=\"0\">reference</td><td></td><td></td>")
            }
            _ => out.push_str(&format!(
                "<td class=\"num\" data-sort=\"\">{MISSING}</td><td></td><td></td>"
            )),
        }
        for column in &secondary {
            out.push_str(&numeric(column.means[at], &column.write(at)));
        }
        out.push_str(&numeric(cost.seconds[at], &cost.write(at)));
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    out.push_str(&notes(subject, &cost));
    out.push_str("</section>\n");
    out
}

fn head(
    subject: &Subject<'_>,
    setting_columns: usize,
    loose: &[String],
    losses: bool,
    secondary: &[Column],
    cost: &Cost,
) -> String {
    let plan = &subject.record.plan;
    let runs_columns = 1 + usize::from(losses);
    let mut out = format!(
        "<thead>\n<tr class=\"groups\"><td colspan=\"{}\"></td><th scope=\"colgroup\" colspan=\"{runs_columns}\">Runs</th>\
         <th scope=\"colgroup\" colspan=\"3\">{}</th><th scope=\"colgroup\" colspan=\"3\">Difference to the baseline</th>",
        setting_columns + 1,
        esc(subject.primary.heading()),
    );
    if !secondary.is_empty() {
        out.push_str(&format!(
            "<th scope=\"colgroup\" colspan=\"{}\">Also measured, mean</th>",
            secondary.len()
        ));
    }
    out.push_str("<th scope=\"colgroup\">Cost</th></tr>\n<tr>");
    let mut sortable = |html: String, class: &str| {
        out.push_str(&format!("<th scope=\"col\" class=\"{class}\" data-sortable>{html}</th>"))
    };
    if plan.axes.is_empty() {
        sortable("cell".into(), "setting");
    }
    for axis in &plan.axes {
        sortable(esc(&axis.label).to_string(), "setting");
    }
    for key in loose {
        sortable(esc(key).to_string(), "setting");
    }
    out.push_str("<th scope=\"col\"><span class=\"unseen\">role</span></th>");
    let mut sortable = |html: String| {
        out.push_str(&format!("<th scope=\"col\" class=\"num\" data-sortable>{html}</th>"))
    };
    sortable("done".into());
    if losses {
        sortable("diverged, failed".into());
    }
    sortable("mean".into());
    out.push_str("<th scope=\"col\" class=\"num\">95 % interval</th><th scope=\"col\" class=\"num\">min–max</th>");
    out.push_str("<th scope=\"col\" class=\"num\" data-sortable>mean</th>");
    out.push_str(
        "<th scope=\"col\" class=\"num\">95 % interval</th><th scope=\"col\">verdict</th>",
    );
    for column in secondary {
        out.push_str(&format!(
            "<th scope=\"col\" class=\"num\" data-sortable>{}</th>",
            esc(&column.heading)
        ));
    }
    out.push_str(&format!(
        "<th scope=\"col\" class=\"num\" data-sortable>training, {}</th></tr>\n</thead>\n",
        cost.unit
    ));
    out
}

fn setting(text: &str) -> String {
    format!("<th scope=\"row\" class=\"setting\" data-sort=\"{0}\">{0}</th>", esc(text))
}

/// A cell that sorts by its value; nothing sorts last.
fn numeric(value: Option<f64>, html: &str) -> String {
    let key = value.map_or_else(String::new, |v| v.to_string());
    format!("<td class=\"num\" data-sort=\"{key}\">{html}</td>")
}

fn lost(runs: Counts) -> String {
    let parts = [(runs.diverged, "diverged"), (runs.failed, "failed")];
    let named: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if named.is_empty() {
        "0".into()
    } else {
        format!("<span class=\"state diverged\">{}</span>", named.join(", "))
    }
}

/// Why a cell has no value.
fn absent(runs: Counts) -> &'static str {
    match runs {
        Counts { running, .. } if running > 0 => "running",
        Counts { pending, .. } if pending > 0 => "pending",
        Counts { completed, .. } if completed > 0 => "not recorded",
        Counts { diverged, .. } if diverged > 0 => "diverged",
        _ => "failed",
    }
}

fn notes(subject: &Subject<'_>, cost: &Cost) -> String {
    let pending = if subject.summary.is_final() {
        ""
    } else {
        " Runs that are pending or under way are counted as not done and enter no mean."
    };
    let mut out = format!(
        "<p class=\"note\">{}: {}. Interval: 95 % t interval over seeds. Difference: this cell minus the baseline, \
         seed by seed, over the seeds both have completed. Training: {} of all runs of the cell together, evaluation \
         excluded. ★ best against the baseline, seed by seed, among the cells without a diverged or failed run.{pending}</p>\n",
        esc(&subject.primary.title),
        subject.primary.direction(),
        cost.unit_in_words(),
    );
    let noted = subject
        .record
        .plan
        .cells
        .iter()
        .filter_map(|cell| cell.note.as_ref().map(|note| (&cell.label, note)));
    for (label, note) in noted {
        out.push_str(&format!(
            "<p class=\"note\"><strong>{}</strong>: {}</p>\n",
            esc(label),
            esc(note)
        ));
    }
    out
}

/// The means of one secondary metric.
struct Column {
    heading: String,
    means: Vec<Option<f64>>,
    decimals: usize,
}

impl Column {
    fn of(record: &SweepRecord, name: &str) -> Column {
        let means: Vec<Option<f64>> = summarise(record, name)
            .cells
            .iter()
            .map(|cell| cell.estimate.map(|e| e.mean))
            .collect();
        Column {
            heading: metric::describe(name).heading(),
            decimals: decimals(means.iter().flatten().copied()),
            means,
        }
    }

    fn write(&self, cell: usize) -> String {
        self.means[cell].map_or_else(|| MISSING.into(), |mean| fixed(mean, self.decimals))
    }
}

/// Training time a cell, in the unit that suits the sweep.
struct Cost {
    seconds: Vec<Option<f64>>,
    unit: &'static str,
    divisor: f64,
}

impl Cost {
    fn of(record: &SweepRecord) -> Cost {
        let of_cell = |cell| {
            record.runs.iter().filter(move |run| run.cell == cell).filter_map(|run| run.active_s)
        };
        let seconds: Vec<Option<f64>> = (0..record.plan.cells.len())
            .map(|cell| of_cell(cell).reduce(|sum, s| sum + s))
            .collect();
        let longest = seconds.iter().flatten().copied().fold(0.0, f64::max);
        let (unit, divisor) = if longest < 3.0 * 3600.0 { ("min", 60.0) } else { ("h", 3600.0) };
        Cost { seconds, unit, divisor }
    }

    fn write(&self, cell: usize) -> String {
        self.seconds[cell]
            .map_or_else(|| MISSING.into(), |seconds| fixed(seconds / self.divisor, 1))
    }

    fn unit_in_words(&self) -> &'static str {
        if self.unit == "h" { "hours" } else { "minutes" }
    }
}
