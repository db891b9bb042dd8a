//! Which axes of a random design the best cells have in common.

use stats::{Drawn, Goal, Importance, Parameter, ParameterShare, StatsError};
use track::AxisRecord;

use super::answer::top;
use super::coordinate::number;
use super::level;
use crate::escape::esc;
use crate::number::{fixed, p_value, percent, plural};
use crate::page::Subject;

/// Empty for fewer than two axes: one is all there is.
pub(crate) fn block(subject: &Subject<'_>) -> String {
    let axes: Vec<&AxisRecord> =
        subject.record.plan.axes.iter().filter(|axis| varies(subject, axis)).collect();
    if axes.len() < 2 {
        return String::new();
    }
    let cells = drawn(subject);
    let body = match importance(subject, &axes, &cells) {
        Ok(found) => {
            format!("{}{}{}", answer(subject, &found), table(&found), note(subject, &axes))
        }
        Err(reason) => format!("<p>Not computed: {}.</p>\n", esc(reason)),
    };
    format!(
        "<h3 id=\"importance\">Importance of the axes for {}</h3>\n{body}",
        esc(subject.primary.heading())
    )
}

fn varies(subject: &Subject<'_>, axis: &AxisRecord) -> bool {
    let cells = &subject.record.plan.cells;
    cells.iter().any(|cell| level(axis, cell) != level(axis, &cells[0]))
}

/// Cells that chance chose: neither the baseline nor an arm.
fn drawn(subject: &Subject<'_>) -> Vec<usize> {
    let cells = subject.record.plan.cells.iter().enumerate();
    let drawn = cells.filter(|(_, cell)| !cell.baseline && cell.arm.is_none());
    drawn.map(|(at, _)| at).collect()
}

/// Or why not, in words.
fn importance(
    subject: &Subject<'_>,
    axes: &[&AxisRecord],
    drawn: &[usize],
) -> Result<Importance, String> {
    let goal = match subject.summary.minimize {
        Some(true) => Goal::Minimise,
        Some(false) => Goal::Maximise,
        None => return Err("the metric has no better side, so no cells are its best".into()),
    };
    let summaries = &subject.summary.cells;
    let is_complete = |cell: &&usize| summaries[**cell].runs.is_final();
    let completed: Vec<(usize, f64)> = drawn
        .iter()
        .filter(is_complete)
        .filter_map(|&cell| Some((cell, summaries[cell].estimate?.mean)))
        .collect();
    let parameters: Vec<Parameter> =
        axes.iter().map(|axis| parameter(subject, axis, &completed)).collect();
    let outcomes: Vec<f64> = completed.iter().map(|(_, mean)| *mean).collect();
    Importance::of(&parameters, &outcomes, goal).map_err(|error| match error {
        StatsError::TooFewCells { count, needed } => format!(
            "{count} of {} completed and with a value, and of fewer than {needed} the best quarter shows luck rather than \
             importance",
            plural(drawn.len(), "drawn cell") + if count == 1 { " is" } else { " are" }
        ),
        other => other.to_string(),
    })
}

/// Numbers on the scale that the sweep file says; all else, and several leaves at once, are categories.
fn parameter(subject: &Subject<'_>, axis: &AxisRecord, cells: &[(usize, f64)]) -> Parameter {
    let plan = &subject.record.plan;
    let own = || cells.iter().map(|(cell, _)| &plan.cells[*cell]);
    let numbers: Option<Vec<f64>> = own().map(|cell| number(axis, cell)).collect();
    let drawn = match numbers {
        Some(numbers) if axis.scale == "log" && numbers.iter().all(|it| *it > 0.0) => {
            Drawn::Log(numbers)
        }
        Some(numbers) => Drawn::Linear(numbers),
        None => {
            let mut levels: Vec<String> = Vec::new();
            let mut number_of = |level: String| {
                let known = levels.iter().position(|other| *other == level);
                known.unwrap_or_else(|| {
                    levels.push(level);
                    levels.len() - 1
                })
            };
            Drawn::Category(own().map(|cell| number_of(level(axis, cell))).collect())
        }
    };
    Parameter { name: axis.label.clone(), drawn }
}

/// The most important first.
fn ranked(found: &Importance) -> Vec<&ParameterShare> {
    let mut ranked: Vec<&ParameterShare> = found.parameters.iter().collect();
    ranked.sort_by(|a, b| b.share.total_cmp(&a.share));
    ranked
}

/// More often than this a random quarter is as far off: then nothing is to be seen.
const LUCK: f64 = 0.05;

fn answer(subject: &Subject<'_>, found: &Importance) -> String {
    // Of several axes one is beyond luck by luck: Holm's correction is over them.
    let adjusted =
        stats::holm(&found.parameters.iter().map(|it| Some(it.by_chance)).collect::<Vec<_>>());
    let beyond: Vec<&str> = ranked(found)
        .into_iter()
        .filter(|it| {
            let at = found.parameters.iter().position(|own| own.name == it.name);
            at.and_then(|at| adjusted[at]).is_some_and(|p| p <= LUCK)
        })
        .map(|it| it.name.as_str())
        .collect();
    let best = format!(
        "Of {} the {} {} differ from all of them",
        plural(found.cells, "drawn cell"),
        top(subject).to_lowercase(),
        found.best
    );
    let said = match beyond.is_empty() {
        false => format!("{best} by more than luck in {}.", beyond.join(", ")),
        true => format!("{best} in no axis by more than luck: any as many cells do about as much."),
    };
    let so_far = if subject.summary.has_ended() { "" } else { " So far: runs are still to come." };
    format!(
        "<p>{} This is to narrow the space, not to claim: what matters is for a grid with seeds to show.{so_far}</p>\n",
        esc(said)
    )
}

/// CSS pixels of a bar.
const BAR: f64 = 200.0;

fn table(found: &Importance) -> String {
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Importance of the axes\">\n<table>\n<thead><tr>\
         <th scope=\"col\">axis</th><th scope=\"col\" colspan=\"2\">importance</th>\
         <th scope=\"col\" class=\"num\">Pearson divergence</th>\
         <th scope=\"col\" class=\"num\">as large by chance, p</th></tr></thead>\n<tbody>\n",
    );
    for row in ranked(found) {
        out.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td>\
             <td><svg class=\"bar\" viewBox=\"0 0 {BAR} 20\" aria-hidden=\"true\"><path class=\"span\" d=\"M0 10H{:.1}\"/></svg></td>\
             <td class=\"num\">{}</td><td class=\"num\">{}</td></tr>\n",
            esc(&row.name),
            percent(row.share),
            BAR * row.share,
            fixed(row.divergence, 3),
            esc(p_value(row.by_chance)),
        ));
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    out
}

fn note(subject: &Subject<'_>, axes: &[&AxisRecord]) -> String {
    let failed: usize = subject.summary.cells.iter().map(|cell| cell.failed_in_values).sum();
    let failed = match failed {
        0 => String::new(),
        count => format!(
            " {} in with what they count as.",
            plural(count, "failed run") + if count == 1 { " is" } else { " are" }
        ),
    };
    let conditional = match axes.iter().any(|axis| axis.when.is_some()) {
        true => " An axis that varies in some cells alone has its fixed value in the others.",
        false => "",
    };
    format!(
        "<p class=\"note\">PED-ANOVA (Watanabe, Bansal, Hutter 2023): how far the values of the {} quarter lie from those of all \
         drawn cells, each axis by itself; interactions do not show. Importances are shares of the sum, so that one that does not \
         matter has some, too. By chance: how often a random quarter lies as far; not corrected for the number of axes. Cells \
         count by their mean over seeds, those without a value not at all.{failed}{conditional}</p>\n",
        top(subject).to_lowercase(),
    )
}
