//! The final value of a metric against one axis of the sweep: a dot for the
//! mean, a bar for its interval, and every seed beside it.

use plotters::element::Circle;

use super::chart::{Chart, Frame, PANEL, UNIT, faint, line, stroke};
use super::ink::Ink;
use super::mark::{cross, cut, marker};
use crate::ReportError;
use crate::summary::{Interval, Sample};

pub(crate) struct Effect {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) axis_title: String,
    /// Place and label of each level.
    pub(crate) levels: Vec<(f64, String)>,
    /// Joins the means: for levels that have an order.
    pub(crate) connected: bool,
    /// The baseline's mean.
    pub(crate) reference: Option<f64>,
    pub(crate) series: Vec<EffectSeries>,
}

pub(crate) struct EffectSeries {
    pub(crate) ink: usize,
    pub(crate) points: Vec<EffectPoint>,
}

pub(crate) struct EffectPoint {
    /// Index into the levels.
    pub(crate) level: usize,
    pub(crate) estimate: Option<Sample>,
    pub(crate) values: Vec<f64>,
    /// A run of this cell diverged.
    pub(crate) diverged: bool,
}

pub(crate) struct EffectDrawing {
    pub(crate) svg: String,
    /// Bars that leave the frame: drawn whole, they would flatten the values.
    pub(crate) cut_intervals: usize,
}

/// `None` where there is no value to draw.
pub(crate) fn effect(figure: &Effect) -> Result<Option<EffectDrawing>, ReportError> {
    let Some(y) = y_range(figure) else {
        return Ok(None);
    };
    let places = figure.levels.iter().map(|(at, _)| *at);
    let (low, high) =
        places.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let span = if high > low { high - low } else { 1.0 };
    // Evenly spread labels need half a step at either end.
    let pad = span * (0.5 / figure.levels.len() as f64).clamp(0.08, 0.5);
    let frame = Frame {
        x: (low - pad, high + pad),
        x_ticks: fitted_labels(&figure.levels, figure.connected),
        x_title: figure.axis_title.clone(),
        y,
        y_labels: None,
        size: PANEL,
        title: figure.title.clone(),
        description: figure.description.clone(),
        id: figure.id.clone(),
    };
    let mut cut_intervals = 0;
    let svg = frame.draw(|chart| {
        let px = (frame.x.1 - frame.x.0) / f64::from(chart.plotting_area().dim_in_pixel().0)
            * f64::from(UNIT);
        if let Some(reference) = figure.reference {
            line(
                chart,
                &[(frame.x.0, reference), (frame.x.1, reference)],
                stroke(Ink::Reference, 1.0),
            )?;
        }
        let count = figure.series.len() as f64;
        let apart = if figure.series.len() > 1 {
            (150.0 / count / figure.levels.len() as f64).clamp(4.0, 16.0)
        } else {
            0.0
        };
        for (at, series) in figure.series.iter().enumerate() {
            let shift = (at as f64 - (count - 1.0) / 2.0) * apart * px;
            cut_intervals += draw_series(chart, figure, series, shift, px, y)?;
        }
        Ok(())
    })?;
    Ok(Some(EffectDrawing { svg, cut_intervals }))
}

fn draw_series(
    chart: &mut Chart<'_, '_>,
    figure: &Effect,
    series: &EffectSeries,
    shift: f64,
    px: f64,
    (bottom, top): (f64, f64),
) -> Result<usize, ReportError> {
    let (solid, mut cut) = (Ink::Trace(series.ink), 0);
    // Many bars side by side would be a wall.
    let crowded = figure.levels.len() * figure.series.len() > 30;
    let bar = stroke(solid, if crowded { 0.75 } else { 2.0 });
    let x_of = |point: &EffectPoint| figure.levels[point.level].0 + shift;
    // Dashes tell series apart; one alone needs none.
    let joint = if figure.series.len() > 1 { Ink::Series(series.ink) } else { solid };
    if figure.connected {
        let means: Vec<(f64, f64)> = series
            .points
            .iter()
            .map(|p| (x_of(p), p.estimate.map_or(f64::NAN, |e| e.mean)))
            .collect();
        line(chart, &means, faint(joint, 1.25, 0.6))?;
    }
    for point in &series.points {
        let x = x_of(point);
        for &value in &point.values {
            let dot = Circle::new((x + 9.0 * px, value), 9, faint(solid, 1.0, 0.75));
            chart.draw_series(std::iter::once(dot)).map_err(ReportError::drawing)?;
        }
        if point.diverged {
            cross(chart, (x, top), 4 * UNIT, 8 * UNIT, solid)?;
        }
        let Some(estimate) = point.estimate else {
            continue;
        };
        if let Some(Interval { lower, upper }) = estimate.interval {
            let (from, to) = (lower.max(bottom), upper.min(top));
            line(chart, &[(x, from), (x, to)], bar)?;
            for (end, drawn) in [(lower, from), (upper, to)] {
                if end == drawn {
                    line(chart, &[(x - 4.0 * px, end), (x + 4.0 * px, end)], bar)?;
                }
            }
            cut += usize::from(lower < bottom || upper > top);
        }
        marker(chart, (x, estimate.mean), series.ink)?;
    }
    Ok(cut)
}

fn y_range(figure: &Effect) -> Option<(f64, f64)> {
    let points = || figure.series.iter().flat_map(|series| &series.points);
    if points().all(|point| point.values.is_empty()) {
        return None;
    }
    let values = points().flat_map(|point| point.values.iter().copied()).chain(figure.reference);
    let intervals = points().filter_map(|point| point.estimate?.interval);
    Some(range(values, intervals, 1.5, points().any(|point| point.diverged)))
}

/// All values; intervals as far as `beyond` times the values' own spread.
pub(super) fn range(
    values: impl Iterator<Item = f64>,
    intervals: impl Iterator<Item = Interval>,
    beyond: f64,
    has_diverged: bool,
) -> (f64, f64) {
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let spread = if high > low { high - low } else { high.abs().max(1e-6) * 0.1 };
    let (bottom, top) =
        intervals.fold((low, high), |(l, h), it| (l.min(it.lower), h.max(it.upper)));
    let (bottom, top) = (bottom.max(low - beyond * spread), top.min(high + beyond * spread));
    let room_above = if has_diverged { 0.16 } else { 0.06 };
    let height = (top - bottom).max(spread);
    (bottom - 0.06 * height, top + room_above * height)
}

/// Characters of a label that fit side by side under the frame.
const CHARACTERS: f64 = 46.0;

/// Numbers that would touch are left out: their neighbours say where they are.
/// Words are cut instead. The data table has both whole.
fn fitted_labels(levels: &[(f64, String)], ordered: bool) -> Vec<(f64, String)> {
    if !ordered {
        let room = (CHARACTERS as usize / levels.len().max(1)).clamp(4, 30);
        return levels.iter().map(|(at, label)| (*at, cut(label, room))).collect();
    }
    spaced(levels, levels[levels.len() - 1].0 - levels[0].0)
}

/// Of labels under an axis of this length, those that do not touch.
pub(super) fn spaced(labels: &[(f64, String)], length: f64) -> Vec<(f64, String)> {
    let per_character = length / CHARACTERS;
    let mut free_from = f64::NEG_INFINITY;
    labels
        .iter()
        .filter(|(at, label)| {
            let half = per_character * (label.chars().count() + 1) as f64 / 2.0;
            let fits = at - half >= free_from;
            if fits {
                free_from = at + half;
            }
            fits
        })
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_never_touch() {
        let levels: Vec<(f64, String)> =
            (0..100).map(|at| (f64::from(at), format!("0.00{at:02}"))).collect();
        let shown = fitted_labels(&levels, true);
        assert!((4..=7).contains(&shown.len()), "{shown:?}");
        let few = [(0.0, "0".to_string()), (1.0, "1".into()), (2.0, "10".into())];
        assert_eq!(fitted_labels(&few, true), few);
        let words = [(0.0, "w".repeat(40)), (1.0, "short".into())];
        let cut = fitted_labels(&words, false);
        assert_eq!((cut[0].1.chars().count(), cut[1].1.as_str()), (23, "short"));
    }
}
