//! When runs ran: a row a place where one runs at a time, a bar an attempt.

use plotters::element::Rectangle;
use plotters::style::ShapeStyle;

use super::chart::{Frame, UNIT, WIDE, faint, stroke};
use super::ink::Ink;
use super::mark::{cross, cut};
use super::scale::ticks;
use crate::ReportError;
use crate::number;

pub(crate) struct Gantt {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) x_title: String,
    /// Names from top to bottom.
    pub(crate) rows: Vec<String>,
    pub(crate) bars: Vec<GanttBar>,
}

pub(crate) struct GanttBar {
    pub(crate) row: usize,
    /// In the unit of the axis, from 0.
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) ink: usize,
    /// Whether it came to the run's end; an outline otherwise.
    pub(crate) filled: bool,
    /// A ✕ at its end.
    pub(crate) failed: bool,
}

/// Of a row, in CSS pixels.
const ROW: i32 = 24;
const NAME: usize = 30;

/// `None` without a bar.
pub(crate) fn gantt(figure: &Gantt) -> Result<Option<String>, ReportError> {
    if figure.bars.is_empty() {
        return Ok(None);
    }
    let last = figure.bars.iter().map(|bar| bar.to).fold(1e-3, f64::max);
    let count = figure.rows.len();
    let height_of = |row: usize| (count - 1 - row) as f64;
    let (x_ticks, decimals) = ticks(0.0, last, 8);
    let names = figure.rows.iter().enumerate();
    let frame = Frame {
        x: (0.0, last * 1.02),
        x_ticks: x_ticks.into_iter().map(|at| (at, number::fixed(at, decimals))).collect(),
        x_title: figure.x_title.clone(),
        y: (-0.6, count as f64 - 0.4),
        y_labels: Some(names.map(|(at, name)| (height_of(at), cut(name, NAME))).collect()),
        size: (WIDE.0, 60 + ROW * count as i32),
        title: figure.title.clone(),
        description: figure.description.clone(),
        id: figure.id.clone(),
    };
    let svg = frame.draw(|chart| {
        // A gap, so that two in a row do not look like one.
        let gap = frame.x.1 / f64::from(chart.plotting_area().dim_in_pixel().0) * f64::from(UNIT);
        for bar in &figure.bars {
            let (y, ink) = (height_of(bar.row), Ink::Trace(bar.ink));
            let end = (bar.to - gap).max(bar.from);
            let corners = [(bar.from, y - 0.32), (end, y + 0.32)];
            if bar.filled {
                let style = ShapeStyle { filled: true, ..faint(ink, 0.0, 0.55) };
                let body = Rectangle::new(corners, style);
                chart.draw_series(std::iter::once(body)).map_err(ReportError::drawing)?;
            }
            let edge = Rectangle::new(corners, stroke(ink, 1.0));
            chart.draw_series(std::iter::once(edge)).map_err(ReportError::drawing)?;
            if bar.failed {
                cross(chart, (bar.to, y), 4 * UNIT, 0, Ink::Trace(2))?;
            }
        }
        Ok(())
    })?;
    Ok(Some(svg))
}
