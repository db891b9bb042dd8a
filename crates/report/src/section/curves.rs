//! Every loss and every repeated metric over training.

use std::collections::{BTreeMap, BTreeSet};

use track::{MetricRow, RunRecord, RunState, Split};

use super::{drawn_cells, folded_data};
use crate::ReportError;
use crate::escape::esc;
use crate::evaluation::{lacks, result_fold};
use crate::figure::{CellCurve, LearningCurve, learning_curve, range_over_seeds, swatch};
use crate::measured::Role;
use crate::metric;
use crate::number::{MISSING, decimals, fixed, plural};
use crate::page::Subject;

/// Past this, thin lines are a grey area: the range stands for the seeds.
const MOST_THIN_LINES: usize = 32;

type Belongs = fn(&Subject<'_>, &str) -> bool;

/// Heading, and whether a metric's name belongs under it.
const GROUPS: [(&str, Belongs); 7] = [
    ("Held-out metrics", is_declared),
    ("Adversarial", |_, name| name.starts_with("loss/gan_g")),
    ("Cycle consistency", |_, name| name.starts_with("loss/cycle")),
    ("Identity", |_, name| name.starts_with("loss/idt")),
    ("Discriminators", |_, name| name.starts_with("loss/d_")),
    ("Other losses", |_, name| name.starts_with("loss/")),
    (OTHERS, |_, _| true),
];

const OTHERS: &str = "Held-out metrics that the sweep file does not name";

fn is_declared(subject: &Subject<'_>, name: &str) -> bool {
    subject.measured.iter().any(|it| it.metric.name == name && it.role != Role::Other)
}

/// By metric, the values of one run in order of step.
pub(super) type Series<'a> = BTreeMap<&'a str, Vec<(u64, f64)>>;

pub(crate) fn section(subject: &Subject<'_>) -> Result<String, ReportError> {
    let (record, cells) = (subject.record, drawn_cells(subject));
    let mut on_val = false;
    let runs: Vec<(usize, Series<'_>)> = record
        .runs
        .iter()
        .enumerate()
        .filter(|(_, run)| cells.iter().any(|(cell, _)| *cell == run.cell) && !run.rows.is_empty())
        .map(|(at, run)| {
            let mut series = Series::new();
            for row in &run.rows {
                if row.split == Split::Train && row.name.starts_with("loss/") {
                    series.entry(&row.name).or_default().push((row.step, row.value));
                }
            }
            let held_out = held_out(run);
            on_val |= held_out.split == Split::Val;
            series.extend(held_out.series);
            (at, series)
        })
        .collect();
    let recorded: BTreeSet<&str> =
        runs.iter().flat_map(|(_, series)| series.keys().copied()).collect();
    // Losses by name, then the metrics as the plots above have them.
    let mut names: Vec<&str> = recorded.iter().copied().collect();
    let place = |name: &str| subject.measured.iter().position(|it| it.metric.name == name);
    names.sort_by_key(|name| (!name.starts_with("loss/"), place(name).unwrap_or(usize::MAX)));
    let (drawn, once): (Vec<&str>, Vec<&str>) = names.into_iter().partition(|name| {
        runs.iter().any(|(_, series)| series.get(name).is_some_and(|s| s.len() > 1))
    });

    let mut out = String::from("<section id=\"curves\">\n<h2>Learning curves</h2>\n");
    if drawn.is_empty() {
        out.push_str("<p>No run has recorded a metric more than once yet.</p>\n</section>\n");
        return Ok(out);
    }
    out.push_str("<ul class=\"legend\">");
    for &(cell, ink) in &cells {
        let paces = paces(subject, cell);
        let role = if subject.summary.baseline == Some(cell) {
            " <span class=\"tag\">baseline</span>"
        } else {
            ""
        };
        let label = esc(&record.plan.cells[cell].label);
        out.push_str(&format!(
            "<li data-cell=\"{label}\" data-ink=\"{ink}\"{paces}>{}{label}{role}</li>",
            swatch(ink, false),
        ));
    }
    out.push_str("</ul>\n");

    let with_seeds = runs.len() <= MOST_THIN_LINES;
    let (mut taken, mut cut): (Vec<&str>, bool) = (Vec::new(), false);
    for (group_at, (heading, belongs)) in GROUPS.iter().enumerate() {
        let members: Vec<&str> = drawn
            .iter()
            .copied()
            .filter(|name| belongs(subject, name) && !taken.contains(name))
            .collect();
        let mut panels = String::new();
        for (at, name) in members.iter().enumerate() {
            let (panel, panel_cut) =
                panel(subject, &cells, &runs, name, format!("curve-{group_at}-{at}"), with_seeds)?;
            panels.push_str(&panel);
            cut |= panel_cut;
        }
        if !panels.is_empty() {
            let plots = format!("<div class=\"plots\">\n{panels}</div>\n");
            out.push_str(&match *heading {
                OTHERS => format!(
                    "<details class=\"more\"><summary>{OTHERS}: {}</summary>\n{plots}</details>\n",
                    members.len()
                ),
                heading => format!("<h3>{heading}</h3>\n{plots}"),
            });
        }
        taken.extend(members);
    }
    out.push_str(&notes(subject, cells.len(), (&drawn, &once), with_seeds, cut, on_val));
    out.push_str("</section>\n");
    Ok(out)
}

/// What a step of the cell's runs is in epochs, images and minutes of training: what the script draws
/// other horizontal axes by. A unit that its runs do not agree on, or have not recorded, is left out.
fn paces(subject: &Subject<'_>, cell: usize) -> String {
    let runs = || subject.record.runs.iter().filter(|run| run.cell == cell);
    let last = |run: &'_ RunRecord| run.rows.iter().rev().find(|row| row.epoch > 0.0).cloned();
    let per_step = |of: fn(&MetricRow) -> f64| -> Vec<f64> {
        runs().filter_map(last).map(|row| of(&row) / row.step as f64).collect()
    };
    let epochs = per_step(|row| f64::from(row.epoch));
    let images = per_step(|row| row.images as f64);
    let minutes = per_step(|row| row.elapsed_s / 60.0);
    let agreed = |all: &[f64]| {
        let first = *all.first()?;
        all.iter().all(|it| (it - first).abs() <= 1e-3 * first).then_some(first)
    };
    let mean = minutes.iter().sum::<f64>() / minutes.len() as f64;
    let known = [("epoch", agreed(&epochs)), ("images", agreed(&images)), ("minutes", Some(mean))];
    let known = known.into_iter().filter_map(|(name, pace)| Some((name, pace?)));
    let usable = known.filter(|(_, pace)| pace.is_finite() && *pace > 0.0);
    usable.map(|(name, pace)| format!(" data-{name}=\"{}\"", significant(pace))).collect()
}

/// What one run measured on held-out images while it trained, and on which of them.
pub(super) struct HeldOut<'a> {
    pub(super) split: Split,
    pub(super) series: Series<'a>,
}

/// On `val`, the fold that is looked at while training goes on. Stores of before it was have the
/// test fold's values over training instead.
pub(super) fn held_out(run: &RunRecord) -> HeldOut<'_> {
    let of = |split| {
        let mut series = Series::new();
        for row in run.rows.iter().filter(|row| row.split == split) {
            if row.name.starts_with("eval/") && !spec::is_standard_error(&row.name) {
                series.entry(&row.name).or_default().push((row.step, row.value));
            }
        }
        HeldOut { split, series }
    };
    let on_val = of(Split::Val);
    if on_val.series.is_empty() { of(Split::Eval) } else { on_val }
}

fn panel(
    subject: &Subject<'_>,
    cells: &[(usize, usize)],
    runs: &[(usize, Series<'_>)],
    name: &str,
    id: String,
    with_seeds: bool,
) -> Result<(String, bool), ReportError> {
    let (record, metric) = (subject.record, metric::describe(name));
    let (mut curves, mut absent, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    // What the figure's CSV has: the table beneath it would be too long to read.
    let mut points = String::from("cell,step,mean,lowest,highest");
    let mut broken = String::new();
    for &(cell, ink) in cells {
        let own: Vec<_> = runs.iter().filter(|(run, _)| record.runs[*run].cell == cell).collect();
        let label = &record.plan.cells[cell].label;
        let seeds: Vec<Vec<(u64, f64)>> =
            own.iter().filter_map(|(_, series)| series.get(name).cloned()).collect();
        if seeds.is_empty() {
            if !own.is_empty() {
                absent.push(label.as_str());
            }
            continue;
        }
        let ends: Vec<(u64, f64)> = own
            .iter()
            .filter(|(run, _)| matches!(record.runs[*run].state, RunState::Diverged { .. }))
            .filter_map(|(_, series)| {
                series.get(name)?.iter().rev().find(|(_, value)| value.is_finite()).copied()
            })
            .collect();
        for (step, value) in &ends {
            broken.push_str(&format!("\n{},{step},{}", quoted(label), significant(*value)));
        }
        let resumed = own
            .iter()
            .filter_map(|(run, series)| Some(resumptions(&record.runs[*run], series.get(name)?)));
        let resumed = resumed.flatten().collect();
        let shared = range_over_seeds(&seeds);
        rows.push((
            label.as_str(),
            seeds.len(),
            shared.first().map(|p| p.1),
            shared.last().map(|p| (p.0, p.1)),
        ));
        for (step, mean, low, high) in shared {
            points.push_str(&format!("\n{},{step:.0}", quoted(label)));
            for value in [mean, low, high] {
                points.push_str(&format!(",{}", significant(value)));
            }
        }
        curves.push(CellCurve { ink, seeds, ends, resumed });
    }
    let points = format!(
        "<template class=\"csv\">{}</template><template class=\"ends\">{}</template>\n",
        esc(points),
        esc(broken.trim_start())
    );
    let places =
        decimals(rows.iter().flat_map(|row| [row.2, row.3.map(|(_, mean)| mean)]).flatten());
    let said: Vec<String> = rows
        .iter()
        .filter_map(|(label, _, first, last)| {
            Some(format!(
                "{label} from {} to {}",
                fixed((*first)?, places),
                fixed((*last)?.1, places)
            ))
        })
        .collect();
    let figure = LearningCurve {
        id,
        title: format!("{} over training steps", metric.title),
        description: format!("Mean over seeds: {}.", said.join("; ")),
        cells: curves,
        with_seeds,
    };
    let Some(drawing) = learning_curve(&figure)? else {
        return Ok((String::new(), false));
    };
    let missing = if absent.is_empty() {
        String::new()
    } else {
        format!("<p class=\"note\">Not recorded for {}.</p>\n", esc(absent.join(", ")))
    };
    let mut table = String::from(
        "<table><thead><tr><th scope=\"col\">cell</th>\
         <th scope=\"col\" class=\"num\">seeds</th><th scope=\"col\" class=\"num\">first mean</th>\
         <th scope=\"col\" class=\"num\">last mean</th><th scope=\"col\" class=\"num\">at step</th></tr></thead><tbody>",
    );
    for (label, seeds, first, last) in &rows {
        let write = |value: Option<f64>| value.map_or_else(|| MISSING.into(), |v| fixed(v, places));
        table.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td class=\"num\">{seeds}</td><td class=\"num\">{}</td><td class=\"num\">{}</td>\
             <td class=\"num\">{}</td></tr>",
            esc(label),
            write(*first),
            write(last.map(|(_, mean)| mean)),
            last.map_or_else(|| MISSING.into(), |(step, _)| fixed(step, 0)),
        ));
    }
    table.push_str("</tbody></table>");
    // An arrow on a training loss would call a lower loss a better run; it is not.
    let heading = if name.starts_with("loss/") { metric.title.clone() } else { metric.heading() };
    let html = format!(
        "<figure class=\"panel\">\n<figcaption>{}</figcaption>\n{}{missing}{}{points}</figure>\n",
        esc(heading),
        drawing.svg,
        folded_data(&table),
    );
    Ok((html, drawing.cut))
}

/// Where a run went on in a later attempt: its first values there.
pub(super) fn resumptions(run: &RunRecord, series: &[(u64, f64)]) -> Vec<(u64, f64)> {
    let mut steps: BTreeMap<u32, u64> = BTreeMap::new();
    for row in run.rows.iter().filter(|row| row.split == Split::Train) {
        let first = steps.entry(row.attempt).or_insert(row.step);
        *first = row.step.min(*first);
    }
    let first_from = |step: u64| series.iter().find(|(at, value)| *at >= step && value.is_finite());
    steps.into_values().skip(1).filter_map(first_from).copied().collect()
}

/// As CSV has text.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Six digits, as programs read numbers.
fn significant(value: f64) -> f64 {
    format!("{value:.5e}").parse().expect("a number that was just written")
}

/// Which images the held-out metrics are of, and what may follow from them.
fn folds(subject: &Subject<'_>, on_val: bool) -> Option<String> {
    let record = subject.record;
    let result = result_fold(record);
    if on_val && result == "val fold" {
        return Some(
            "Held-out metrics: measured on the val fold, as the results above are.".into(),
        );
    }
    if on_val {
        return Some(format!(
            "Held-out metrics: measured on the val fold while training went on, so these curves end before the losses do. The \
             results above are of the {result}, which nothing was chosen by."
        ));
    }
    lacks(record, "val").then(|| {
        format!(
            "Held-out metrics: there is no val fold, so these looks on the way are at the {result}, which the results are \
             of: no step may be chosen by them."
        )
    })
}

/// Metrics without a curve: more of them are folded.
const NAMED_AT_ONCE: usize = 8;

fn notes(
    subject: &Subject<'_>,
    drawn_cells: usize,
    (drawn, once): (&[&str], &[&str]),
    with_seeds: bool,
    cut: bool,
    on_val: bool,
) -> String {
    let mut said = vec![format!(
        "Thick line: mean over seeds, as far as every started seed of the cell has a value; band: lowest to highest seed{}. \
         Losses are before their weights; the discriminators' include loss.d_factor. \
         Each is a mean over the logging window; long curves are gathered into at most {} points.",
        if with_seeds {
            "; thin lines: the seeds"
        } else {
            "; the seeds themselves are too many to draw"
        },
        crate::figure::POINTS,
    )];
    said.extend(folds(subject, on_val));
    if subject.summary.cells.iter().any(|cell| cell.runs.diverged > 0) {
        said.push("✕: the last finite value of a run that diverged.".into());
    }
    let is_resumed =
        |run: &RunRecord| run.rows.iter().any(|row| row.attempt != run.rows[0].attempt);
    if with_seeds && subject.record.runs.iter().any(is_resumed) {
        said.push("Short upright line: where a run went on in a later attempt.".into());
    }
    if cut {
        said.push("Values far outside the bulk are drawn at the edge of the frame.".into());
    }
    let all = subject.record.plan.cells.len();
    if drawn_cells < all {
        said.push(format!(
            "{drawn_cells} of {} are drawn: the baseline, the best, and others spread over the plan.",
            plural(all, "cell")
        ));
    }
    let primary = &subject.primary;
    if !once.contains(&primary.name.as_str()) && !drawn.contains(&primary.name.as_str()) {
        said.push(format!(
            "No curve of {}: it was not measured while training went on.",
            primary.title
        ));
    }
    let titles: Vec<String> = once.iter().map(|name| metric::describe(name).title).collect();
    if (1..=NAMED_AT_ONCE).contains(&titles.len()) {
        said.push(format!("Recorded once a run, hence no curve: {}.", titles.join(", ")));
    }
    let mut out = format!("<p class=\"note\">{}</p>\n", esc(said.join(" ")));
    if titles.len() > NAMED_AT_ONCE {
        out.push_str(&format!(
            "<details id=\"recorded-once\"><summary>Recorded once a run, hence no curve: {}</summary>\n\
             <p class=\"note\">{}.</p>\n</details>\n",
            plural(titles.len(), "metric"),
            esc(titles.join(", "))
        ));
    }
    out
}
