//! A scatter matrix: a panel for every pair of axes and, beneath, for every axis and the metric; a mark a
//! cell. Columns share what is written under them, rows what is written beside them.

use plotters::element::{Circle, EmptyElement, PathElement, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::bundle::apart;
use super::chart::{Chart, Frame, UNIT, WIDE, stroke, text};
use super::ink::Ink;
use super::mark::{cut, marker};
use crate::ReportError;
use crate::escape::visible;

pub(crate) struct ScatterMatrix {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    /// Two or more.
    pub(crate) axes: Vec<ScatterAxis>,
    pub(crate) metric: ScatterAxis,
    /// Later ones lie on earlier ones.
    pub(crate) cells: Vec<ScatterCell>,
}

pub(crate) struct ScatterAxis {
    pub(crate) title: String,
    /// What is written beside it: a share of its length, and the words.
    pub(crate) marks: Vec<(f64, String)>,
    /// Of a few levels: marks have room on either side of each.
    pub(crate) has_levels: bool,
}

pub(crate) struct ScatterCell {
    pub(crate) ink: usize,
    pub(crate) is_baseline: bool,
    /// One an axis, and the metric's, as shares of their lengths.
    pub(crate) places: Vec<f64>,
}

/// CSS pixels: beside the panels, between them, above each row for its name.
const LEFT: f64 = 74.0;
const GAP: f64 = 16.0;
const NAME: f64 = 20.0;
/// Of a panel: the most of its height, and what its marks keep from its edges.
const TALLEST: f64 = 150.0;
const EDGE: f64 = 14.0;
/// Of the frame, around what is drawn here.
const MARGIN: (f64, f64) = (22.0, 46.0);
/// A character's width, about.
const CHARACTER: f64 = 6.2;

/// `None` without a cell.
pub(crate) fn scatter(figure: &ScatterMatrix) -> Result<Option<String>, ReportError> {
    if figure.cells.is_empty() {
        return Ok(None);
    }
    let panels = Panels::of(figure.axes.len());
    let frame = Frame {
        x: (0.0, panels.size.0),
        x_ticks: Vec::new(),
        x_title: String::new(),
        y: (0.0, panels.size.1),
        y_labels: Some(Vec::new()),
        size: (WIDE.0, (panels.size.1 + MARGIN.1) as i32),
        title: figure.title.clone(),
        description: figure.description.clone(),
        id: figure.id.clone(),
    };
    let svg = frame.draw(|chart| {
        let count = figure.axes.len();
        for row in 1..=count {
            let upright = figure.axes.get(row).unwrap_or(&figure.metric);
            row_words(chart, &panels, row, upright)?;
            for column in 0..row {
                panel(chart, figure, &panels, (column, row))?;
            }
        }
        for (column, axis) in figure.axes.iter().enumerate() {
            column_words(chart, &panels, column, axis)?;
        }
        Ok(())
    })?;
    Ok(Some(svg))
}

impl ScatterAxis {
    /// What its marks keep from the ends of its length: a level has as much room there as between two.
    fn edge(&self, length: f64) -> f64 {
        if self.has_levels { 0.5 * length / self.marks.len().max(2) as f64 } else { EDGE }
    }
}

/// Where the panels are, in CSS pixels from the lower left.
struct Panels {
    rows: usize,
    width: f64,
    height: f64,
    size: (f64, f64),
}

impl Panels {
    fn of(axes: usize) -> Panels {
        let across = f64::from(WIDE.0) - MARGIN.0;
        let width = (across - LEFT - GAP * (axes - 1) as f64) / axes as f64;
        let height = (0.8 * width).min(TALLEST);
        Panels { rows: axes, width, height, size: (across, (height + NAME) * axes as f64) }
    }

    fn left(&self, column: usize) -> f64 {
        LEFT + (self.width + GAP) * column as f64
    }

    /// The first row is 1: the first axis is beside none.
    fn bottom(&self, row: usize) -> f64 {
        (self.height + NAME) * (self.rows - row) as f64
    }

    fn x(&self, column: usize, axis: &ScatterAxis, share: f64) -> f64 {
        let edge = axis.edge(self.width);
        self.left(column) + edge + share * (self.width - 2.0 * edge)
    }

    fn y(&self, row: usize, axis: &ScatterAxis, share: f64) -> f64 {
        let edge = axis.edge(self.height);
        self.bottom(row) + edge + share * (self.height - 2.0 * edge)
    }
}

fn panel(
    chart: &mut Chart<'_, '_>,
    figure: &ScatterMatrix,
    panels: &Panels,
    (column, row): (usize, usize),
) -> Result<(), ReportError> {
    let (left, bottom) = (panels.left(column), panels.bottom(row));
    let (right, top) = (left + panels.width, bottom + panels.height);
    let (across, upright) = (&figure.axes[column], figure.axes.get(row).unwrap_or(&figure.metric));
    for (share, _) in &across.marks {
        let x = panels.x(column, across, *share);
        path(chart, &[(x, bottom), (x, top)], Ink::Grid)?;
    }
    for (share, _) in &upright.marks {
        let y = panels.y(row, upright, *share);
        path(chart, &[(left, y), (right, y)], Ink::Grid)?;
    }
    path(chart, &[(left, top), (left, bottom), (right, bottom)], Ink::Text)?;
    let places: Vec<(f64, f64)> =
        figure.cells.iter().map(|cell| (cell.places[column], cell.places[row])).collect();
    let inner = |axis: &ScatterAxis, length: f64| length - 2.0 * axis.edge(length);
    let size = (inner(across, panels.width), inner(upright, panels.height));
    let placed = apart(&places, size, (across.has_levels, upright.has_levels));
    for (cell, (x, y)) in figure.cells.iter().zip(placed) {
        let at = (panels.x(column, across, 0.0) + x, panels.y(row, upright, 0.0) + y);
        if !(at.0.is_finite() && at.1.is_finite()) {
            continue;
        }
        marker(chart, at, cell.ink)?;
        if cell.is_baseline {
            let ring = Circle::new(at, 8 * UNIT, stroke(Ink::Text, 1.5));
            chart.draw_series(std::iter::once(ring)).map_err(ReportError::drawing)?;
        }
    }
    Ok(())
}

fn row_words(
    chart: &mut Chart<'_, '_>,
    panels: &Panels,
    row: usize,
    axis: &ScatterAxis,
) -> Result<(), ReportError> {
    let room = (panels.size.0 / CHARACTER) as usize;
    let above = (LEFT, panels.bottom(row) + panels.height + 8.0);
    words(chart, above, 0, (HPos::Left, VPos::Center), &format!("↑ {}", cut(&axis.title, room)))?;
    let room = ((LEFT - 10.0) / CHARACTER) as usize;
    for (share, label) in &axis.marks {
        let at = (LEFT - 6.0, panels.y(row, axis, *share));
        words(chart, at, 0, (HPos::Right, VPos::Center), &cut(label, room))?;
    }
    Ok(())
}

/// Under the last row: what has no room is left out, the grid's line stays.
fn column_words(
    chart: &mut Chart<'_, '_>,
    panels: &Panels,
    column: usize,
    axis: &ScatterAxis,
) -> Result<(), ReportError> {
    let room = (panels.width / CHARACTER) as usize;
    let share = room / axis.marks.len().max(1);
    let longest = if axis.marks.len() > 3 { 6 } else { share.saturating_sub(1).max(3) };
    let mut free_from = panels.left(column) - GAP / 2.0;
    for (share, label) in &axis.marks {
        let label = cut(label, longest);
        let half = CHARACTER * label.chars().count() as f64 / 2.0;
        let end = panels.left(column) + panels.width + GAP / 2.0;
        // At an edge a name begins, or ends, at the edge.
        let at = panels
            .x(column, axis, *share)
            .clamp(panels.left(column) - GAP / 2.0 + half, end - half);
        if at - half >= free_from {
            words(chart, (at, 0.0), 5, (HPos::Center, VPos::Top), &label)?;
            free_from = at + half + CHARACTER;
        }
    }
    let middle = (panels.left(column) + panels.width / 2.0, 0.0);
    let name = format!("{} →", cut(&axis.title, room.saturating_sub(2).max(2)));
    words(chart, middle, 21, (HPos::Center, VPos::Top), &name)
}

/// So many CSS pixels beneath a place: the drawing itself ends at 0.
fn words(
    chart: &mut Chart<'_, '_>,
    at: (f64, f64),
    below: i32,
    (across, upright): (HPos, VPos),
    words: &str,
) -> Result<(), ReportError> {
    let style = text(11.0).pos(Pos::new(across, upright));
    let shape = EmptyElement::at(at) + Text::new(visible(words), (0, below * UNIT), style);
    chart.draw_series(std::iter::once(shape)).map(drop).map_err(ReportError::drawing)
}

fn path(chart: &mut Chart<'_, '_>, points: &[(f64, f64)], ink: Ink) -> Result<(), ReportError> {
    let line = PathElement::new(points.to_vec(), stroke(ink, 1.0));
    chart.draw_series(std::iter::once(line)).map(drop).map_err(ReportError::drawing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_fill_the_width_and_no_more() {
        for axes in 2..=5 {
            let panels = Panels::of(axes);
            let right = panels.left(axes - 1) + panels.width;
            assert!((right - panels.size.0).abs() < 1e-9, "{axes}: {right}");
            assert_eq!(panels.bottom(axes), 0.0);
            assert!(panels.width > 100.0 && panels.height > 80.0, "{axes}");
        }
    }
}
