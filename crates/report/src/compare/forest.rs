//! Every setting against the baseline, a mark a sweep.

use stats::Goal;

use super::settings::Setting;
use super::{Beside, Sweep, ink};
use crate::ReportError;
use crate::escape::esc;
use crate::figure::{ForestGroup, ForestRow, GroupedForest, grouped_forest, swatch};
use crate::number::{MISSING, plural, signed};
use crate::section::forest::paired;
use crate::section::{interval, plain_table, wide_figure};
use crate::summary::Contrast;

/// Bars on one figure; the table beneath has every one.
const MOST: usize = 80;

pub(super) fn section(beside: &Beside<'_>) -> Result<String, ReportError> {
    let groups = compared(beside);
    let body = match groups.is_empty() {
        true => {
            "<p>No sweep has a cell that could be compared with a baseline of its own.</p>\n".into()
        }
        false => drawn(beside, &groups)?,
    };
    Ok(format!(
        "<section id=\"forest\">\n<h2>Every setting against its sweep's baseline</h2>\n{body}</section>\n"
    ))
}

/// A setting, and of each sweep that has one its difference.
type Group<'a> = (&'a Setting, Vec<(usize, usize, &'a Contrast)>);

fn compared<'a>(beside: &'a Beside<'_>) -> Vec<Group<'a>> {
    let of_setting = |setting: &'a Setting| {
        let cells = setting.cells.iter().enumerate();
        let found = cells.filter_map(|(at, cell)| {
            let cell = (*cell)?;
            Some((at, cell, beside.sweeps[at].cell(cell).difference()?))
        });
        (setting, found.collect::<Vec<_>>())
    };
    let all = beside.matched.settings.iter().map(of_setting);
    all.filter(|(_, found)| !found.is_empty()).collect()
}

fn drawn(beside: &Beside<'_>, groups: &[Group<'_>]) -> Result<String, ReportError> {
    let shown = shown(groups);
    let row = |&(at, cell, contrast): &(usize, usize, &Contrast)| {
        let sweep: &Sweep<'_> = &beside.sweeps[at];
        let baseline = sweep.summary.baseline.expect("a difference is one to a baseline");
        ForestRow {
            label: sweep.record().plan.name.clone(),
            ink: ink(at),
            mean: contrast.mean,
            interval: contrast.interval,
            values: paired(&sweep.summary, cell, baseline),
        }
    };
    let group = |(setting, found): &&Group<'_>| ForestGroup {
        label: setting.name.clone(),
        rows: found.iter().map(row).collect(),
    };
    let metric = &beside.metric;
    let figure = GroupedForest {
        id: "forest-plot".into(),
        title: format!("{}: every setting minus the baseline, by sweep", metric.title),
        description: description(beside, groups),
        x_title: format!(
            "{} minus the own baseline's{}",
            metric.heading(),
            metric.unit_of_difference()
        ),
        groups: shown.iter().map(group).collect(),
    };
    let Some(drawing) = grouped_forest(&figure)? else { return Ok(String::new()) };
    let caption = format!("{} minus that of the sweep's own baseline", esc(metric.heading()));
    Ok(format!(
        "{}{}{}",
        legend(beside, groups),
        wide_figure(&caption, &drawing.svg, &table(beside, groups)),
        note(beside, groups.len() - shown.len(), drawing.cut_intervals)
    ))
}

/// Of many settings those that most sweeps have; in their order.
fn shown<'a, 'b>(groups: &'b [Group<'a>]) -> Vec<&'b Group<'a>> {
    let mut by_sweeps: Vec<usize> = (0..groups.len()).collect();
    by_sweeps.sort_by_key(|&at| std::cmp::Reverse(groups[at].1.len()));
    let mut bars = 0;
    let mut chosen: Vec<usize> = by_sweeps
        .into_iter()
        .take_while(|&at| {
            bars += groups[at].1.len();
            bars <= MOST
        })
        .collect();
    chosen.sort_unstable();
    chosen.into_iter().map(|at| &groups[at]).collect()
}

fn legend(beside: &Beside<'_>, groups: &[Group<'_>]) -> String {
    let is_drawn = |at: &usize| groups.iter().any(|(_, found)| found.iter().any(|it| it.0 == *at));
    let items = (0..beside.sweeps.len()).filter(is_drawn).map(|at| {
        format!("<li>{}{}</li>", swatch(ink(at), true), esc(&beside.sweeps[at].record().plan.name))
    });
    format!("<ul class=\"legend marks\">{}</ul>\n", items.collect::<String>())
}

fn description(beside: &Beside<'_>, groups: &[Group<'_>]) -> String {
    let digits = beside.places();
    let said: Vec<String> = groups
        .iter()
        .map(|(setting, found)| {
            let of_sweeps: Vec<String> = found
                .iter()
                .map(|(at, cell, contrast)| {
                    let sweep = &beside.sweeps[*at];
                    let bounds = interval(contrast.interval, |value| signed(value, digits));
                    let (name, mean) = (&sweep.record().plan.name, signed(contrast.mean, digits));
                    format!("{name} {mean} {bounds}, {}", sweep.verdict_in_words(*cell))
                })
                .collect();
            format!("{}: {}", setting.name, of_sweeps.join("; "))
        })
        .collect();
    format!("{}. Mean paired differences. {}.", beside.metric.direction(), said.join(". "))
}

fn table(beside: &Beside<'_>, groups: &[Group<'_>]) -> String {
    let digits = beside.places();
    let end =
        |value: Option<f64>| value.map_or_else(|| MISSING.into(), |value| signed(value, digits));
    let rows: Vec<Vec<String>> = groups
        .iter()
        .flat_map(|(setting, found)| found.iter().map(move |it| (setting, it)))
        .map(|(setting, &(at, cell, contrast))| {
            let sweep = &beside.sweeps[at];
            vec![
                setting.name.clone(),
                sweep.record().plan.name.clone(),
                contrast.n.to_string(),
                signed(contrast.mean, digits),
                end(contrast.interval.map(|it| it.lower)),
                end(contrast.interval.map(|it| it.upper)),
                sweep.verdict_in_words(cell).into(),
            ]
        })
        .collect();
    let heads =
        ["setting", "sweep", "seeds#", "mean difference#", "95 % interval from#", "to#", "verdict"];
    plain_table(&heads, &rows)
}

fn note(beside: &Beside<'_>, left_out: usize, cut: usize) -> String {
    let mut said = vec![
        "Mark: mean difference to the sweep's own baseline, paired by seed; bar: its 95 % t interval; small dots: single \
         seeds; dashed line: no difference."
            .to_string(),
    ];
    let leading = beside.sweeps.iter().find(|it| it.apart.is_none());
    said.push(match leading.and_then(|it| it.summary.goal()) {
        Some(Goal::Maximise) => "Better is to the right.".into(),
        Some(Goal::Minimise) => "Better is to the left.".into(),
        None => "Neither side is better.".into(),
    });
    if !beside.evaluation.is_same() && !crate::metric::is_gain(&beside.metric.name) {
        said.push(
            "The sweeps' scales are not one: compare signs and whether bars hold 0, not lengths."
                .into(),
        );
    }
    if beside.sweeps.iter().any(|it| it.apart.is_some() && it.summary.baseline.is_some()) {
        said.push("Not all sweeps have the same baseline or goal: see the answer.".into());
    }
    if left_out > 0 {
        said.push(format!(
            "{} that fewest sweeps have {} not drawn; the data have all.",
            plural(left_out, "setting"),
            if left_out == 1 { "is" } else { "are" }
        ));
    }
    if cut > 0 {
        said.push(format!(
            "{} past the frame, where the bar has no end mark; the data have it whole.",
            if cut == 1 { "One bar reaches".into() } else { format!("{cut} bars reach") }
        ));
    }
    format!("<p class=\"note\">{}</p>\n", esc(said.join(" ")))
}
