//! One metric by step: a line for each cell, and the chosen run's own.

use std::collections::{BTreeMap, BTreeSet};

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::text::Line;
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, LegendPosition, Paragraph};
use track::{MetricRow, RunRecord, Split, SweepRecord};

use crate::terminal::{number, plain};

/// Lines that can be told apart on a terminal; further cells have none.
const COLOURS: [Color; 6] =
    [Color::Blue, Color::Yellow, Color::Green, Color::Magenta, Color::Cyan, Color::Red];

/// Metrics that any run has recorded at two steps or more: the sweep's own first, then the losses,
/// then all else.
pub(crate) fn metrics(record: &SweepRecord) -> Vec<String> {
    let mut steps: BTreeMap<&str, (u64, bool)> = BTreeMap::new();
    for row in record.runs.iter().flat_map(|run| &run.rows).filter(|row| row.split != Split::Sys) {
        let seen = steps.entry(&row.name).or_insert((row.step, false));
        seen.1 |= seen.0 != row.step;
    }
    let metric = &record.plan.metric;
    let own = [&metric.name].into_iter().chain(&metric.secondary).map(String::as_str);
    let losses = steps.keys().copied().filter(|name| name.starts_with("loss/"));
    let mut named = BTreeSet::new();
    own.chain(losses)
        .chain(steps.keys().copied())
        .filter(|name| steps.get(name).is_some_and(|it| it.1) && named.insert(*name))
        .map(str::to_string)
        .collect()
}

type Points = Vec<(f64, f64)>;

/// What one curve is made of. Values on the validation fold and the result on the test fold have one
/// name and are no curve together.
#[derive(Clone, Copy)]
struct Series<'a> {
    metric: &'a str,
    split: Split,
}

impl<'a> Series<'a> {
    fn of(record: &SweepRecord, metric: &'a str) -> Series<'a> {
        let rows = record.runs.iter().flat_map(|run| &run.rows).filter(|row| row.name == metric);
        let splits: BTreeSet<Split> = rows.map(|row| row.split).collect();
        let own = [Split::Train, Split::Val].into_iter().find(|split| splits.contains(split));
        Series { metric, split: own.unwrap_or(Split::Eval) }
    }

    fn title(self) -> String {
        let fold = if self.split == Split::Val { " on val" } else { "" };
        format!(" {}{fold} by step · mean of each cell; dots: the chosen run ", plain(self.metric))
    }

    fn points(self, run: &RunRecord) -> impl Iterator<Item = (u64, f64)> {
        let own = move |row: &&MetricRow| row.name == self.metric && row.split == self.split;
        let rows = run.rows.iter().filter(own).map(|row| (row.step, row.value));
        rows.filter(|(_, value)| value.is_finite())
    }
}

pub(crate) struct Curves<'a> {
    series: Option<Series<'a>>,
    cells: Vec<(String, Points)>,
    run: Points,
}

impl<'a> Curves<'a> {
    pub(crate) fn of(
        record: &SweepRecord,
        metric: Option<&'a str>,
        run: Option<&RunRecord>,
    ) -> Curves<'a> {
        let series = metric.map(|metric| Series::of(record, metric));
        let of_cell = |cell: usize| {
            let runs = record.runs.iter().filter(move |run| run.cell == cell);
            let name = plain(&record.plan.cells[cell].label).into_owned();
            (name, series.map(|series| mean(runs, series)).unwrap_or_default())
        };
        let cells = (0..record.plan.cells.len()).map(of_cell);
        let own = run.zip(series).map(|(run, series)| series.points(run).map(placed).collect());
        Curves {
            series,
            cells: cells.filter(|(_, points)| !points.is_empty()).take(COLOURS.len()).collect(),
            run: own.unwrap_or_default(),
        }
    }

    pub(crate) fn draw(&self, frame: &mut Frame<'_>, area: Rect) {
        let Some(series) = self.series else {
            let none = Paragraph::new("No metric has been recorded at two steps yet.").dim();
            return frame.render_widget(none.block(Block::bordered().title(" Curves ")), area);
        };
        let all = || self.cells.iter().flat_map(|(_, points)| points).chain(&self.run);
        let (x, y) = (range(all().map(|it| it.0)), range(all().map(|it| it.1)));
        let line = |points: &'_ Points, colour: Color| {
            let style = Style::new().fg(colour);
            (style, if points.len() > 1 { GraphType::Line } else { GraphType::Scatter })
        };
        let mut sets: Vec<Dataset<'_>> = Vec::new();
        for ((name, points), colour) in self.cells.iter().zip(COLOURS) {
            let (style, kind) = line(points, colour);
            let set = Dataset::default().name(name.as_str()).data(points).style(style);
            sets.push(set.graph_type(kind).marker(Marker::Braille));
        }
        let (style, kind) = line(&self.run, Color::White);
        let own = Dataset::default().data(&self.run).style(style);
        sets.push(own.graph_type(kind).marker(Marker::Dot));
        let chart = Chart::new(sets)
            .block(Block::bordered().title(series.title()))
            .legend_position(Some(LegendPosition::TopRight))
            .x_axis(axis(x, |it| format!("{it:.0}")))
            .y_axis(axis(y, number));
        frame.render_widget(chart, area);
    }
}

fn axis(range: [f64; 2], write: impl Fn(f64) -> String) -> Axis<'static> {
    let labels = [range[0], (range[0] + range[1]) / 2.0, range[1]];
    Axis::default()
        .bounds(range)
        .labels(labels.map(|it| Line::from(write(it))))
        .style(Style::new().fg(Color::DarkGray))
}

/// Of finite values; a little room where all are equal.
fn range(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), it| (a.min(it), b.max(it)));
    match (low <= high, low < high) {
        (true, true) => [low, high],
        (true, false) => [low - 0.5, low + 0.5],
        (false, _) => [0.0, 1.0],
    }
}

fn placed((step, value): (u64, f64)) -> (f64, f64) {
    (step as f64, value)
}

/// Over the runs that have a value at that step.
fn mean<'a>(runs: impl Iterator<Item = &'a RunRecord>, series: Series<'_>) -> Points {
    let mut sums: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for (step, value) in runs.flat_map(|run| series.points(run)) {
        let sum = sums.entry(step).or_default();
        *sum = (sum.0 + value, sum.1 + 1.0);
    }
    sums.into_iter().map(|(step, (sum, n))| placed((step, sum / n))).collect()
}
