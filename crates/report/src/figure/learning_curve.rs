//! One metric over training: the mean of each cell's seeds, their range, and
//! every seed.

use plotters::element::Polygon;
use plotters::style::ShapeStyle;

use super::chart::{Frame, PANEL, UNIT, faint, line, stroke};
use super::ink::Ink;
use super::mark::cross;
use super::scale::{step_label, ticks};
use crate::ReportError;

/// More points than this are gathered into buckets: three CSS pixels apart,
/// a noisy loss is still a line.
pub(crate) const POINTS: usize = 100;

pub(crate) struct LearningCurve {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) cells: Vec<CellCurve>,
    /// Every seed as a thin line; without it the range stands for them.
    pub(crate) with_seeds: bool,
}

/// The curves of one cell.
pub(crate) struct CellCurve {
    pub(crate) ink: usize,
    pub(crate) seeds: Vec<Vec<(u64, f64)>>,
    /// Last finite places of runs that diverged.
    pub(crate) ends: Vec<(u64, f64)>,
    /// Where runs went on in a later attempt.
    pub(crate) resumed: Vec<(u64, f64)>,
}

pub(crate) struct CurveDrawing {
    pub(crate) svg: String,
    /// Whether something lies above or below the frame.
    pub(crate) cut: bool,
}

/// `None` where no seed has two finite points.
pub(crate) fn learning_curve(figure: &LearningCurve) -> Result<Option<CurveDrawing>, ReportError> {
    let points = || {
        figure.cells.iter().flat_map(|cell| &cell.seeds).flatten().filter(|(_, y)| y.is_finite())
    };
    let drawable = |seed: &Vec<(u64, f64)>| seed.iter().filter(|(_, y)| y.is_finite()).count() > 1;
    if !figure.cells.iter().flat_map(|cell| &cell.seeds).any(drawable) {
        return Ok(None);
    }
    let last_step = points().map(|(step, _)| *step).max().unwrap_or(1) as f64;
    let (bottom, top, cut) = y_range(points().map(|(_, y)| *y).collect());
    let frame = Frame {
        x: (0.0, last_step * 1.02),
        x_ticks: ticks(0.0, last_step, 6)
            .0
            .into_iter()
            .map(|at| (at, step_label(at, last_step)))
            .collect(),
        x_title: "step".into(),
        y: (bottom, top),
        y_labels: None,
        size: PANEL,
        title: figure.title.clone(),
        description: figure.description.clone(),
        id: figure.id.clone(),
    };
    let inside = |series: Vec<(f64, f64)>| -> Vec<(f64, f64)> {
        series
            .into_iter()
            .map(|(x, y)| (x, if y.is_finite() { y.clamp(bottom, top) } else { y }))
            .collect()
    };
    let svg = frame.draw(|chart| {
        for cell in &figure.cells {
            let range = range_over_seeds(&cell.seeds);
            if cell.seeds.len() > 1 && range.len() > 1 {
                let upper = inside(range.iter().map(|&(x, _, _, high)| (x, high)).collect());
                let lower = inside(range.iter().rev().map(|&(x, _, low, _)| (x, low)).collect());
                let style = ShapeStyle { filled: true, ..faint(Ink::Trace(cell.ink), 0.0, 0.12) };
                let band = Polygon::new([upper, lower].concat(), style);
                chart.draw_series(std::iter::once(band)).map_err(ReportError::drawing)?;
            }
            if figure.with_seeds && cell.seeds.len() > 1 {
                for seed in &cell.seeds {
                    line(chart, &inside(thinned(seed)), faint(Ink::Trace(cell.ink), 0.75, 0.35))?;
                }
            }
            let half = 0.025 * (top - bottom);
            for &(step, value) in cell.resumed.iter().filter(|_| figure.with_seeds) {
                let (x, y) = (step as f64, value.clamp(bottom, top));
                line(chart, &[(x, y - half), (x, y + half)], stroke(Ink::Trace(cell.ink), 1.5))?;
            }
        }
        // Means over everything else, in a pass of their own.
        for cell in &figure.cells {
            let mean = match cell.seeds.as_slice() {
                [only] => thinned(only),
                seeds => range_over_seeds(seeds).iter().map(|&(x, mean, _, _)| (x, mean)).collect(),
            };
            line(chart, &inside(mean), stroke(Ink::Series(cell.ink), 1.75))?;
            for &(step, value) in &cell.ends {
                cross(
                    chart,
                    (step as f64, value.clamp(bottom, top)),
                    4 * UNIT,
                    0,
                    Ink::Trace(cell.ink),
                )?;
            }
        }
        Ok(())
    })?;
    Ok(Some(CurveDrawing { svg, cut }))
}

/// Step, mean, lowest and highest where every seed has a finite value: past
/// that, a mean would change because a seed is gone.
pub(crate) fn range_over_seeds(seeds: &[Vec<(u64, f64)>]) -> Vec<(f64, f64, f64, f64)> {
    let Some((first, others)) = seeds.split_first() else {
        return Vec::new();
    };
    // Rows are in order of step: one cursor a seed instead of a search a point.
    let mut cursors = vec![0; others.len()];
    let mut shared = Vec::new();
    'steps: for &(step, value) in first {
        let mut values = vec![value];
        for (seed, cursor) in others.iter().zip(&mut cursors) {
            while *cursor < seed.len() && seed[*cursor].0 < step {
                *cursor += 1;
            }
            match seed.get(*cursor) {
                Some(&(at, value)) if at == step => values.push(value),
                _ => continue 'steps,
            }
        }
        if values.iter().all(|v| v.is_finite()) {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            shared.push((step as f64, mean, low, high));
        }
    }
    let size = shared.len().div_ceil(POINTS).max(1);
    shared
        .chunks(size)
        .map(|bucket| {
            let of = |part: fn(&(f64, f64, f64, f64)) -> f64| bucket.iter().map(part);
            let n = bucket.len() as f64;
            (
                of(|p| p.0).sum::<f64>() / n,
                of(|p| p.1).sum::<f64>() / n,
                of(|p| p.2).fold(f64::INFINITY, f64::min),
                of(|p| p.3).fold(f64::NEG_INFINITY, f64::max),
            )
        })
        .collect()
}

/// At most [`POINTS`] points, each the mean of its bucket. A bucket with a
/// value that is not finite is not finite.
pub(crate) fn thinned(series: &[(u64, f64)]) -> Vec<(f64, f64)> {
    let size = series.len().div_ceil(POINTS).max(1);
    series
        .chunks(size)
        .map(|bucket| {
            let n = bucket.len() as f64;
            (
                bucket.iter().map(|p| p.0 as f64).sum::<f64>() / n,
                bucket.iter().map(|p| p.1).sum::<f64>() / n,
            )
        })
        .collect()
}

/// The range of the values. Where its ends lie far beyond the bulk they are cut.
pub(super) fn y_range(mut values: Vec<f64>) -> (f64, f64, bool) {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    let (mut low, mut high) = (at(0.0), at(1.0));
    let (bulk_low, bulk_high) = (at(0.02), at(0.98));
    let bulk = (bulk_high - bulk_low).max(1e-12);
    let mut cut = false;
    if high - bulk_high > 1.5 * bulk {
        (high, cut) = (bulk_high + 0.25 * bulk, true);
    }
    if bulk_low - low > 1.5 * bulk {
        (low, cut) = (bulk_low - 0.25 * bulk, true);
    }
    let height = if high > low { high - low } else { high.abs().max(1e-6) * 0.1 };
    // A loss that comes near zero is shown from zero.
    let bottom = if low >= 0.0 && low < 0.25 * height { 0.0 } else { low - 0.05 * height };
    (bottom, high + 0.05 * height, cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_stop_where_a_seed_does() {
        let whole = vec![(1, 1.0), (2, 2.0), (3, 3.0)];
        let broken = vec![(1, 3.0), (2, f64::NAN)];
        assert_eq!(range_over_seeds(&[whole.clone(), broken]), [(1.0, 2.0, 1.0, 3.0)]);
        assert_eq!(range_over_seeds(&[whole]).len(), 3);
        assert!(range_over_seeds(&[]).is_empty());
    }

    #[test]
    fn long_curves_are_thinned_and_keep_their_ends() {
        let long: Vec<(u64, f64)> = (0..10_000).map(|step| (step, step as f64)).collect();
        let thin = thinned(&long);
        assert!(thin.len() <= POINTS);
        assert!(thin[0].1 < 50.0 && thin[thin.len() - 1].1 > 9_900.0);
        let range = range_over_seeds(&[long.clone(), long]);
        assert!(range.len() <= POINTS && range[0].2 == 0.0 && range[range.len() - 1].3 == 9_999.0);
    }

    #[test]
    fn far_ends_are_cut_and_near_zero_starts_at_zero() {
        let mut values: Vec<f64> = (0..100).map(|v| 0.1 + f64::from(v) / 100.0).collect();
        assert_eq!((y_range(values.clone()).0, y_range(values.clone()).2), (0.0, false));
        values.push(1e6);
        let (_, top, cut) = y_range(values);
        assert!(cut && top < 2.0);
    }
}
