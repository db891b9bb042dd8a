//! Every cell against the baseline, on one scale.

use stats::{Goal, Verdict};

use super::answer::places;
use super::figure_data::{Column, Datum, FigureData};
use super::{interval, wide_figure_above};
use crate::ReportError;
use crate::escape::esc;
use crate::figure::{Forest, ForestRow, forest, swatch};
use crate::number::{plural, signed};
use crate::page::Subject;
use crate::summary::{CellSummary, Comparison, Contrast, Summary};

/// Rows on one figure; the table beneath has every cell.
const MOST: usize = 60;

pub(crate) fn section(subject: &Subject<'_>) -> Result<String, ReportError> {
    let body = match (subject.summary.baseline, compared(subject)) {
        (None, _) => "<p>The sweep declares no baseline, so nothing is compared.</p>\n".into(),
        (Some(_), cells) if cells.is_empty() => {
            "<p>No cell has a value of a seed that the baseline has one of.</p>\n".into()
        }
        (Some(baseline), cells) => drawn(subject, baseline, &cells)?,
    };
    Ok(format!(
        "<section id=\"forest\">\n<h2>Every cell against the baseline</h2>\n{body}</section>\n"
    ))
}

/// Cells with a difference, the best first; the largest where neither side is better.
fn compared<'a>(subject: &'a Subject<'_>) -> Vec<(usize, &'a Contrast)> {
    let cells = subject.summary.cells.iter().enumerate();
    let mut found: Vec<_> = cells.filter_map(|(at, own)| Some((at, own.difference()?))).collect();
    let sign = if subject.summary.goal() == Some(Goal::Minimise) { 1.0 } else { -1.0 };
    found.sort_by(|a, b| (sign * a.1.mean).total_cmp(&(sign * b.1.mean)));
    found
}

fn drawn(
    subject: &Subject<'_>,
    baseline: usize,
    cells: &[(usize, &Contrast)],
) -> Result<String, ReportError> {
    let (plan, primary) = (&subject.record.plan, &subject.primary);
    // Of many the middle is the least to look at.
    let is_shown = |at: usize| at < MOST / 2 || at + MOST / 2 >= cells.len();
    let shown = cells.iter().enumerate().filter(|(at, _)| is_shown(*at)).map(|(_, it)| it);
    let rows: Vec<ForestRow> = shown
        .map(|&(cell, contrast)| ForestRow {
            label: plan.cells[cell].label.clone(),
            ink: Look::of(&subject.summary.cells[cell]).ink(),
            mean: contrast.mean,
            interval: contrast.interval,
            values: paired(&subject.summary, cell, baseline),
        })
        .collect();
    let figure = Forest {
        id: "forest-plot".into(),
        title: format!("{}: every cell minus the baseline", primary.title),
        description: description(subject, cells),
        x_title: format!(
            "{} minus the baseline's{}",
            primary.heading(),
            primary.unit_of_difference()
        ),
        rows,
    };
    let Some(drawing) = forest(&figure)? else { return Ok(String::new()) };
    let caption = format!(
        "{} minus that of the baseline {}",
        esc(primary.heading()),
        esc(&plan.cells[baseline].label)
    );
    Ok(format!(
        "{}{}{}",
        legend(subject, cells),
        wide_figure_above(&caption, &drawing.svg, &data(subject, cells)),
        note(subject, cells.len(), drawing.cut_intervals)
    ))
}

/// How a verdict is drawn: colour and shape say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Better,
    Worse,
    Different,
    Open,
}

impl Look {
    fn of(own: &CellSummary) -> Look {
        match own.comparison {
            Some(Comparison::Judged(judgement)) => match judgement.verdict {
                Verdict::Better => Look::Better,
                Verdict::Worse | Verdict::AllFailed { .. } => Look::Worse,
                Verdict::Different => Look::Different,
                _ => Look::Open,
            },
            _ => Look::Open,
        }
    }

    fn ink(self) -> usize {
        match self {
            Look::Better => 3,
            Look::Worse => 2,
            Look::Different => 1,
            Look::Open => 0,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Look::Better => "better",
            Look::Worse => "worse",
            Look::Different => "different",
            Look::Open => "no verdict either way",
        }
    }
}

fn legend(subject: &Subject<'_>, cells: &[(usize, &Contrast)]) -> String {
    let has =
        |look: Look| cells.iter().any(|(cell, _)| Look::of(&subject.summary.cells[*cell]) == look);
    let all = [Look::Better, Look::Worse, Look::Different, Look::Open];
    let items = all.into_iter().filter(|&look| has(look)).map(|look| {
        // The style sheet shows the mark alone: dashes mean nothing here.
        format!("<li>{}{}</li>", swatch(look.ink(), true), look.words())
    });
    format!("<ul class=\"legend marks\">{}</ul>\n", items.collect::<String>())
}

/// By seed: this cell minus the baseline, where both have a value.
pub(crate) fn paired(summary: &Summary, cell: usize, baseline: usize) -> Vec<f64> {
    let [own, reference] = [cell, baseline].map(|at| &summary.cells[at].values);
    own.iter()
        .filter_map(|(seed, value)| {
            let (_, other) = reference.iter().find(|(other, _)| other == seed)?;
            Some(value - other)
        })
        .collect()
}

fn verdict(own: &CellSummary) -> String {
    own.verdict().map_or_else(|| "none yet".into(), |verdict| verdict.words().into())
}

fn description(subject: &Subject<'_>, cells: &[(usize, &Contrast)]) -> String {
    let (plan, digits) = (&subject.record.plan, places(subject));
    let said: Vec<String> = cells
        .iter()
        .map(|&(cell, contrast)| {
            let bounds = interval(contrast.interval, |value| signed(value, digits));
            let verdict = verdict(&subject.summary.cells[cell]);
            let mean = signed(contrast.mean, digits);
            format!("{}: {mean} {bounds}, verdict: {verdict}", plan.cells[cell].label)
        })
        .collect();
    format!("{}. Mean paired differences: {}.", subject.primary.direction(), said.join("; "))
}

fn data(subject: &Subject<'_>, cells: &[(usize, &Contrast)]) -> String {
    let digits = places(subject);
    let number = |value: Option<f64>| Datum::number(value, |value| signed(value, digits));
    let mut columns = vec![
        Column::words("cell"),
        Column::number("seeds"),
        Column::number("mean difference").named("mean"),
    ];
    columns.extend(Column::ends());
    columns.push(Column::words("verdict"));
    let mut data = FigureData::new(columns);
    for &(cell, contrast) in cells {
        data.row([
            Datum::Words(subject.record.plan.cells[cell].label.clone()),
            Datum::count(contrast.n),
            number(Some(contrast.mean)),
            number(contrast.interval.map(|it| it.lower)),
            number(contrast.interval.map(|it| it.upper)),
            Datum::Words(verdict(&subject.summary.cells[cell])),
        ]);
    }
    data.folded()
}

fn note(subject: &Subject<'_>, compared: usize, cut: usize) -> String {
    let mut said = vec![
        "Mark: mean difference, paired by seed; bar: its 95\u{a0}% t interval; small dots: single seeds; dashed line: no \
         difference."
            .to_string(),
    ];
    said.push(match subject.summary.goal() {
        Some(Goal::Maximise) => "Better is to the right.".into(),
        Some(Goal::Minimise) => "Better is to the left.".into(),
        None => "Neither side is better.".into(),
    });
    if !subject.summary.is_final() {
        said.push("So far: runs or their values are still to come, and nothing is judged.".into());
    }
    if compared > MOST {
        said.push(format!("{MOST} of {} are drawn, from both ends.", plural(compared, "cell")));
    }
    if cut > 0 {
        said.push(format!(
            "{} past the frame, where the bar has no end mark; the data have it whole.",
            if cut == 1 { "One bar reaches".into() } else { format!("{cut} bars reach") }
        ));
    }
    let absent = subject.summary.cells.len() - 1 - compared;
    if absent > 0 {
        said.push(format!("{} without a pair to compare.", plural(absent, "cell")));
    }
    format!("<p class=\"note\">{}</p>\n", esc(said.join(" ")))
}
