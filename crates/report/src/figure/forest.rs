//! Differences to the baseline, a row a cell: a mark for the mean, a bar for its interval, and every
//! seed's own difference.

use plotters::element::Circle;

use super::chart::{Chart, Frame, UNIT, WIDE, faint, line, stroke};
use super::ink::Ink;
use super::mark::{cut, marker};
use super::scale::ticks;
use crate::ReportError;
use crate::number;
use crate::summary::Interval;

pub(crate) struct Forest {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) x_title: String,
    /// From top to bottom.
    pub(crate) rows: Vec<ForestRow>,
}

pub(crate) struct ForestRow {
    pub(crate) label: String,
    pub(crate) ink: usize,
    pub(crate) mean: f64,
    pub(crate) interval: Option<Interval>,
    pub(crate) values: Vec<f64>,
}

pub(crate) struct ForestDrawing {
    pub(crate) svg: String,
    /// Bars that leave the frame.
    pub(crate) cut_intervals: usize,
}

/// Of a row, in CSS pixels.
const ROW: i32 = 28;
/// Characters of a cell's name.
const NAME: usize = 60;
/// From here on a name makes the figure wider, else it would take the room of the bars.
const SHORT: usize = 30;

/// `None` without a row.
pub(crate) fn forest(figure: &Forest) -> Result<Option<ForestDrawing>, ReportError> {
    if figure.rows.is_empty() {
        return Ok(None);
    }
    let (low, high) = x_range(figure.rows.iter());
    let count = figure.rows.len();
    let height_of = |row: usize| (count - 1 - row) as f64;
    let (x_ticks, decimals) = ticks(low, high, 8);
    let labels = figure.rows.iter().enumerate();
    let longest = figure.rows.iter().map(|row| row.label.chars().count().min(NAME)).max();
    let longest = longest.unwrap_or(0);
    let frame = Frame {
        x: (low, high),
        x_ticks: x_ticks.into_iter().map(|at| (at, number::signed(at, decimals))).collect(),
        x_title: figure.x_title.clone(),
        y: (-0.7, count as f64 - 0.3),
        y_labels: Some(labels.map(|(at, row)| (height_of(at), cut(&row.label, NAME))).collect()),
        size: (WIDE.0 + 6 * longest.saturating_sub(SHORT) as i32, 60 + ROW * count as i32),
        title: figure.title.clone(),
        description: figure.description.clone(),
        id: figure.id.clone(),
    };
    let mut cut_intervals = 0;
    let svg = frame.draw(|chart| {
        line(chart, &[(0.0, frame.y.0), (0.0, frame.y.1)], stroke(Ink::Reference, 1.25))?;
        for (at, row) in figure.rows.iter().enumerate() {
            cut_intervals += usize::from(draw(chart, row, height_of(at), (low, high))?);
        }
        Ok(())
    })?;
    Ok(Some(ForestDrawing { svg, cut_intervals }))
}

/// One row at its height; whether its bar leaves the frame.
pub(super) fn draw(
    chart: &mut Chart<'_, '_>,
    row: &ForestRow,
    y: f64,
    (low, high): (f64, f64),
) -> Result<bool, ReportError> {
    let ink = Ink::Trace(row.ink);
    for &value in &row.values {
        let dot = Circle::new((value, y + 0.28), 2 * UNIT, faint(ink, 1.0, 0.75));
        chart.draw_series(std::iter::once(dot)).map_err(ReportError::drawing)?;
    }
    let mut is_cut = false;
    if let Some(Interval { lower, upper }) = row.interval {
        let (from, to) = (lower.max(low), upper.min(high));
        line(chart, &[(from, y), (to, y)], stroke(ink, 2.0))?;
        for (end, drawn) in [(lower, from), (upper, to)] {
            if end == drawn {
                line(chart, &[(end, y - 0.16), (end, y + 0.16)], stroke(ink, 2.0))?;
            }
        }
        is_cut = lower < low || upper > high;
    }
    marker(chart, (row.mean, y), row.ink)?;
    Ok(is_cut)
}

/// No difference, all values, and intervals as far as the values' own spread: the interval of two
/// seeds would leave nothing else to see.
pub(super) fn x_range<'a>(rows: impl Iterator<Item = &'a ForestRow> + Clone) -> (f64, f64) {
    let values = rows.clone().flat_map(|row| row.values.iter().copied().chain([row.mean]));
    let (low, high) = values.fold((0.0_f64, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
    let spread = if high > low { high - low } else { 1e-6 };
    let intervals = || rows.clone().filter_map(|row| row.interval);
    let left = intervals().map(|it| it.lower).fold(low, f64::min).max(low - spread);
    let right = intervals().map(|it| it.upper).fold(high, f64::max).min(high + spread);
    let pad = 0.04 * (right - left).max(spread);
    (left - pad, right + pad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_that_leaves_the_frame_is_counted_and_does_not_widen_it() {
        let row = |lower: f64, upper: f64| ForestRow {
            label: "cell".into(),
            ink: 1,
            mean: 1.0,
            interval: Some(Interval { lower, upper }),
            values: vec![0.5, 1.5],
        };
        let figure = |rows| Forest {
            id: "f".into(),
            title: "t".into(),
            description: "d".into(),
            x_title: "x".into(),
            rows,
        };
        let cut = |rows| forest(&figure(rows)).unwrap().map(|it| it.cut_intervals);
        assert_eq!(cut(vec![]), None);
        assert_eq!(cut(vec![row(0.8, 1.2)]), Some(0));
        assert_eq!(cut(vec![row(0.8, 1.2), row(-90.0, 90.0)]), Some(1));
        let (low, high) = x_range([row(-90.0, 90.0)].iter());
        assert!(low > -2.0 && low < 0.0 && high < 4.0, "{low} {high}");
    }
}
