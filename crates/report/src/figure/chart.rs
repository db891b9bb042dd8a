//! One frame with its axes.

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::drawing::IntoDrawingArea;
use plotters::element::PathElement;
use plotters::prelude::SVGBackend;
use plotters::style::{Color, IntoFont, ShapeStyle, TextStyle};

use super::ink::{Ink, to_classes};
use crate::ReportError;
use crate::escape::{esc, visible};
use crate::number;

/// plotters places at whole units: four to a CSS pixel keep curves smooth.
pub(super) const UNIT: i32 = 4;
/// Width and height in CSS pixels: of one figure among others, and of one that has a row to itself.
pub(super) const PANEL: (i32, i32) = (380, 236);
pub(super) const WIDE: (i32, i32) = (800, 320);

pub(super) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// A linear axis with ticks where we say.
///
/// plotters' own `with_key_points` keeps the formatting of the inner axis, and
/// that of `f64` is closed to it.
pub(super) struct Axis {
    low: f64,
    high: f64,
    ticks: Vec<f64>,
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        from + (f64::from(to - from) * (value - self.low) / (self.high - self.low)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.low..self.high
    }
}

/// The frame of a figure; what is in it is drawn by the caller.
pub(super) struct Frame {
    pub(super) x: (f64, f64),
    pub(super) x_ticks: Vec<(f64, String)>,
    pub(super) x_title: String,
    pub(super) y: (f64, f64),
    /// For rows that have names; round numbers without.
    pub(super) y_labels: Option<Vec<(f64, String)>>,
    pub(super) size: (i32, i32),
    /// Read aloud in place of the drawing.
    pub(super) title: String,
    pub(super) description: String,
    /// Unique on the page.
    pub(super) id: String,
}

impl Frame {
    pub(super) fn draw(
        &self,
        body: impl FnOnce(&mut Chart<'_, '_>) -> Result<(), ReportError>,
    ) -> Result<String, ReportError> {
        let mut svg = String::new();
        {
            let (width, height) = self.size;
            let size = ((width * UNIT) as u32, (height * UNIT) as u32);
            let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            let y_labels = self.y_labels.clone().unwrap_or_else(|| {
                let (ticks, decimals) = super::scale::ticks(self.y.0, self.y.1, 6);
                ticks.into_iter().map(|y| (y, number::fixed(y, decimals))).collect()
            });
            let widest = y_labels.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0);
            let mut chart = ChartBuilder::on(&area)
                .margin_top(8 * UNIT)
                .margin_right(10 * UNIT)
                .x_label_area_size(38 * UNIT)
                .y_label_area_size((widest as i32 * 7 + 12) * UNIT)
                .build_cartesian_2d(
                    Axis {
                        low: self.x.0,
                        high: self.x.1,
                        ticks: self.x_ticks.iter().map(|(at, _)| *at).collect(),
                    },
                    Axis {
                        low: self.y.0,
                        high: self.y.1,
                        ticks: y_labels.iter().map(|(at, _)| *at).collect(),
                    },
                )
                .map_err(ReportError::drawing)?;
            let labelled = |labels: &[(f64, String)], at: &f64| {
                let found = labels.iter().find(|(tick, _)| tick == at);
                found.map_or_else(String::new, |(_, label)| visible(label))
            };
            let mut mesh = chart.configure_mesh();
            // Lines lead from the numbers to the values; names need none.
            let mesh = match self.y_labels {
                Some(_) => mesh.disable_y_mesh(),
                None => mesh.disable_x_mesh(),
            };
            // Rows without a name need no line to stand at.
            if self.y_labels.as_ref().is_some_and(Vec::is_empty) {
                mesh.disable_y_axis();
            }
            // Nor does what has no ticks: the drawing has its own.
            if self.x_ticks.is_empty() {
                mesh.disable_x_axis();
            }
            mesh.max_light_lines(0)
                .bold_line_style(stroke(Ink::Grid, 1.0))
                .axis_style(stroke(Ink::Text, 1.0))
                .set_all_tick_mark_size(4 * UNIT)
                .label_style(text(11.5))
                .axis_desc_style(text(11.5))
                .x_desc(visible(&self.x_title))
                .x_label_formatter(&|x| labelled(&self.x_ticks, x))
                .y_label_formatter(&|y| labelled(&y_labels, y))
                .draw()
                .map_err(ReportError::drawing)?;
            body(&mut chart)?;
            area.present().map_err(ReportError::drawing)?;
        }
        Ok(self.labelled(&to_classes(&svg)))
    }

    /// Exchanges plotters' root element for one that scales and can be read aloud.
    fn labelled(&self, svg: &str) -> String {
        let body = svg.find('>').map_or("", |end| &svg[end + 1..]);
        let (id, width, height) = (&self.id, self.size.0 * UNIT, self.size.1 * UNIT);
        let class = if self.size.0 > PANEL.0 { "plot wide" } else { "plot" };
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\n\
             <title id=\"{id}-t\">{}</title>\n<desc id=\"{id}-d\">{}</desc>{body}",
            esc(&self.title),
            esc(&self.description),
        )
    }
}

/// A stroke of `width` CSS pixels.
pub(super) fn stroke(ink: Ink, width: f64) -> ShapeStyle {
    ShapeStyle {
        color: ink.colour().to_rgba(),
        filled: false,
        stroke_width: (width * f64::from(UNIT)).round() as u32,
    }
}

pub(super) fn faint(ink: Ink, width: f64, alpha: f64) -> ShapeStyle {
    ShapeStyle { color: ink.colour().mix(alpha), ..stroke(ink, width) }
}

/// A broken line: plotters would draw through a value that is missing.
pub(super) fn line(
    chart: &mut Chart<'_, '_>,
    points: &[(f64, f64)],
    style: ShapeStyle,
) -> Result<(), ReportError> {
    for piece in points.split(|(_, y)| !y.is_finite()).filter(|piece| piece.len() > 1) {
        chart
            .draw_series(std::iter::once(PathElement::new(piece.to_vec(), style)))
            .map_err(ReportError::drawing)?;
    }
    Ok(())
}

pub(super) fn text(size_px: f64) -> TextStyle<'static> {
    // plotters divides by 1.24 on the way out.
    ("sans-serif", size_px * 1.24 * f64::from(UNIT)).into_font().color(&Ink::Text.colour())
}
