//! One axis as levels: a mark a cell at its level. In a random design, where cells of one level differ in
//! all else, a mark a level, and its cells beside it.

use track::{AxisRecord, CellRecord, PlanRecord, SweepRecord};

use super::in_words::of_levels;
use super::{Words, baseline_mean, cut, diverged};
use crate::ReportError;
use crate::escape::esc;
use crate::figure::{
    Effect, EffectDrawing, EffectPoint, EffectSeries, Level, Place, SERIES, effect, place, swatch,
};
use crate::importance::drawn;
use crate::number::plural;
use crate::page::Subject;
use crate::section::level;
use crate::summary::{LEVEL, Sample, Summary, number_at, same_settings, settings_at};

/// Laid out once for all metrics.
pub(super) struct Levels<'a> {
    axis: &'a AxisRecord,
    labels: Vec<String>,
    placing: Place,
    places: Vec<f64>,
    groups: Vec<Group>,
    /// Of a random design: marks are means over cells.
    of_chance: bool,
}

impl<'a> Levels<'a> {
    pub(super) fn of(subject: &Subject<'a>, at: usize) -> Levels<'a> {
        let plan = &subject.record.plan;
        let axis = &plan.axes[at];
        let (labels, placing, places) = layout(subject.record, axis);
        let of_chance = plan.design == "random";
        let groups = match of_chance {
            true => vec![Group { name: String::new(), cells: by_chance(plan, at) }],
            false => groups(subject, axis),
        };
        Levels { axis, labels, placing, places, groups, of_chance }
    }

    fn shown(&self) -> &[Group] {
        &self.groups[..self.groups.len().min(SERIES)]
    }

    /// Empty where there is one series alone.
    pub(super) fn legend(&self) -> String {
        if self.groups.len() < 2 {
            return String::new();
        }
        let items = self.shown().iter().enumerate();
        let items =
            items.map(|(ink, group)| format!("<li>{}{}</li>", swatch(ink, true), esc(&group.name)));
        format!("<ul class=\"legend\">{}</ul>\n", items.collect::<String>())
    }

    pub(super) fn draw(
        &self,
        record: &SweepRecord,
        summary: &Summary,
        words: Words,
    ) -> Result<Option<EffectDrawing>, ReportError> {
        let axis = self.axis;
        let points = |group: &Group| match self.of_chance {
            true => self.means(record, group, summary),
            false => points(record, axis, group, &self.labels, summary),
        };
        let series = self.shown().iter().enumerate().map(|(ink, group)| EffectSeries {
            ink: if self.groups.len() == 1 { 1 } else { ink },
            points: points(group),
        });
        let series: Vec<EffectSeries> = series.collect();
        let description = match (self.of_chance, series.as_slice()) {
            (true, [only]) => of_levels(&self.labels, &only.points) + &words.description,
            _ => words.description,
        };
        effect(&Effect {
            id: words.id,
            title: words.title,
            description,
            axis_title: axis.label.clone(),
            levels: self.places.iter().copied().zip(self.labels.iter().cloned()).collect(),
            connected: axis.scale != "category" && axis.keys.len() == 1 && !self.of_chance,
            reference: baseline_mean(summary),
            series,
        })
    }

    /// A point a level, whose values are the means of its cells.
    fn means(&self, record: &SweepRecord, group: &Group, summary: &Summary) -> Vec<EffectPoint> {
        let at_level = |label: &String| -> Vec<usize> {
            let is_here = |&cell: &usize| level(self.axis, &record.plan.cells[cell]) == *label;
            group.cells.iter().copied().filter(is_here).collect()
        };
        let point = |(at, label): (usize, &String)| {
            let cells = at_level(label);
            let own = cells.iter().filter_map(|&cell| summary.cells[cell].estimate);
            let values: Vec<f64> = own.map(|it| it.mean).collect();
            EffectPoint {
                level: at,
                estimate: Sample::of(&values, LEVEL),
                values,
                diverged: cells.iter().any(|&cell| summary.cells[cell].runs.diverged > 0),
            }
        };
        self.labels.iter().enumerate().map(point).collect()
    }

    pub(super) fn note(&self, subject: &Subject<'_>, cut_intervals: usize) -> String {
        let plan = &subject.record.plan;
        let left_out = match self.groups.len().saturating_sub(SERIES) {
            0 => String::new(),
            count => format!(" {} of the other axes not drawn.", plural(count, "combination")),
        };
        let marks = match self.of_chance {
            true => {
                "Large mark: mean of the cells drawn at this level, in which the other axes differ, too; bar: 95\u{a0}% t \
                 interval over these cells; small dots: the cells, each the mean over its seeds;"
            }
            false => {
                "Large mark: mean over seeds; bar: 95\u{a0}% t interval over seeds; small dots: the seeds;"
            }
        };
        let others = match plan.design.as_str() {
            "one-at-a-time" if plan.axes.len() > 1 => " The other axes are at the baseline.",
            _ => "",
        };
        let diverged = diverged(subject);
        let elsewhere = if self.of_chance { "" } else { "; the data under each plot has it whole" };
        let cut = cut(cut_intervals, " without an end mark", elsewhere);
        format!(
            "<p class=\"note\">{marks} dashed line: mean of the baseline. {}: {}.{others}{diverged}{cut}{left_out}</p>\n",
            esc(&self.axis.label),
            self.placing.words(),
        )
    }
}

/// Labels of the levels and where they go; numbers in their order, words as declared.
pub(in crate::section) fn layout(
    record: &SweepRecord,
    axis: &AxisRecord,
) -> (Vec<String>, Place, Vec<f64>) {
    let mut levels: Vec<Level> = Vec::new();
    for cell in &record.plan.cells {
        let label = level(axis, cell);
        let value = number_at(cell, &axis.keys);
        if !levels.iter().any(|level| level.label == label) {
            levels.push(Level { label, value });
        }
    }
    if levels.iter().all(|level| level.value.is_some()) {
        levels.sort_by(|a, b| a.value.unwrap_or(0.0).total_cmp(&b.value.unwrap_or(0.0)));
    }
    let (placing, places) = place(&levels, &axis.scale);
    (levels.into_iter().map(|level| level.label).collect(), placing, places)
}

/// Cells that agree on everything but the axis.
struct Group {
    name: String,
    cells: Vec<usize>,
}

/// Cells that chance chose, and to which the axis applies.
fn by_chance(plan: &PlanRecord, axis: usize) -> Vec<usize> {
    drawn(plan).into_iter().filter(|&cell| !plan.cells[cell].inactive.contains(&axis)).collect()
}

fn groups(subject: &Subject<'_>, axis: &AxisRecord) -> Vec<Group> {
    let plan = &subject.record.plan;
    let others: Vec<String> = plan
        .cells
        .iter()
        .flat_map(|cell| &cell.settings)
        .map(|(key, _)| key)
        .filter(|key| !axis.keys.contains(key))
        .fold(Vec::new(), |mut keys, key| {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
            keys
        });
    let rest = |cell: &CellRecord| {
        let other_axes = plan.axes.iter().filter(|other| other.keys != axis.keys);
        other_axes
            .map(|other| format!("{} {}", other.label, level(other, cell)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut groups: Vec<Group> = Vec::new();
    for (at, cell) in plan.cells.iter().enumerate() {
        let fits = |group: &&mut Group| {
            same_settings(
                &settings_at(&plan.cells[group.cells[0]], &others),
                &settings_at(cell, &others),
            )
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.cells.push(at),
            None => groups.push(Group { name: rest(cell), cells: vec![at] }),
        }
    }
    // One at a time: what another axis moved is a lone point here, not a series.
    if plan.design == "one-at-a-time"
        && let Some(base) = subject.summary.baseline
    {
        groups.retain(|group| group.cells.contains(&base));
    }
    groups
}

fn points(
    record: &SweepRecord,
    axis: &AxisRecord,
    group: &Group,
    labels: &[String],
    summary: &Summary,
) -> Vec<EffectPoint> {
    let mut points: Vec<EffectPoint> = group
        .cells
        .iter()
        .filter_map(|&cell| {
            let own = level(axis, &record.plan.cells[cell]);
            let summary = &summary.cells[cell];
            Some(EffectPoint {
                level: labels.iter().position(|label| *label == own)?,
                estimate: summary.estimate,
                values: summary.values.iter().map(|(_, value)| *value).collect(),
                diverged: summary.runs.diverged > 0,
            })
        })
        .collect();
    points.sort_by_key(|point| point.level);
    points
}
