//! The shapes that stand for single values.

use plotters::element::{Circle, EmptyElement, PathElement, Polygon, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::chart::{Chart, UNIT, stroke, text};
use super::ink::Ink;
use crate::ReportError;
use crate::escape::visible;

/// A shape per series, so that colour is never alone.
pub(super) fn marker(
    chart: &mut Chart<'_, '_>,
    at: (f64, f64),
    series: usize,
) -> Result<(), ReportError> {
    let style = plotters::style::ShapeStyle { filled: true, ..stroke(Ink::Trace(series), 1.0) };
    const R: i32 = 18;
    let outline: Vec<(i32, i32)> = match series % 4 {
        1 => {
            let dot = Circle::new(at, R, style);
            return chart.draw_series(std::iter::once(dot)).map(drop).map_err(ReportError::drawing);
        }
        2 => vec![(-R + 2, -R + 2), (R - 2, -R + 2), (R - 2, R - 2), (-R + 2, R - 2)],
        3 => vec![(0, -R - 4), (R + 3, R - 2), (-R - 3, R - 2)],
        _ => vec![(0, -R - 6), (R + 6, 0), (0, R + 6), (-R - 6, 0)],
    };
    let shape = EmptyElement::at(at) + Polygon::new(outline, style);
    chart.draw_series(std::iter::once(shape)).map(drop).map_err(ReportError::drawing)
}

/// A ✕ of half width `arm`, `below` the given place.
pub(super) fn cross(
    chart: &mut Chart<'_, '_>,
    at: (f64, f64),
    arm: i32,
    below: i32,
    ink: Ink,
) -> Result<(), ReportError> {
    let style = stroke(ink, 1.75);
    let shape = EmptyElement::at(at)
        + PathElement::new(vec![(-arm, below - arm), (arm, below + arm)], style)
        + PathElement::new(vec![(-arm, below + arm), (arm, below - arm)], style);
    chart.draw_series(std::iter::once(shape)).map(drop).map_err(ReportError::drawing)
}

/// On which side of its place a word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// A word beside a mark, eight CSS pixels from its middle.
pub(super) fn word(
    chart: &mut Chart<'_, '_>,
    at: (f64, f64),
    side: Side,
    words: &str,
) -> Result<(), ReportError> {
    let (away, from) = match side {
        Side::Left => (-8 * UNIT, HPos::Right),
        Side::Right => (8 * UNIT, HPos::Left),
    };
    let style = text(11.0).pos(Pos::new(from, VPos::Center));
    let shape = EmptyElement::at(at) + Text::new(visible(words), (away, 0), style);
    chart.draw_series(std::iter::once(shape)).map(drop).map_err(ReportError::drawing)
}

/// A label that has room for so many characters.
pub(super) fn cut(label: &str, room: usize) -> String {
    if label.chars().count() <= room {
        label.into()
    } else {
        label.chars().take(room - 1).chain(['…']).collect()
    }
}
