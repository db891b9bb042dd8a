//! Parallel coordinates: an upright line an axis of the sweep, the metric's last, and a path a cell.

use super::chart::{Frame, WIDE, faint, line, stroke};
use super::ink::Ink;
use super::mark::{Side, cut, marker, word};
use crate::ReportError;

pub(crate) struct Parallel {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    /// From left to right; the last is the metric.
    pub(crate) axes: Vec<ParallelAxis>,
    pub(crate) lines: Vec<ParallelLine>,
}

pub(crate) struct ParallelAxis {
    pub(crate) title: String,
    /// What is written beside it: a share of its height from below, and the words.
    pub(crate) marks: Vec<(f64, String)>,
}

pub(crate) struct ParallelLine {
    pub(crate) ink: usize,
    /// Drawn over the others.
    pub(crate) is_baseline: bool,
    /// One a axis, as a share of its height.
    pub(crate) places: Vec<f64>,
}

/// Characters beside an axis and under it, all axes together.
const CHARACTERS: usize = 92;

/// `None` without a line.
pub(crate) fn parallel(figure: &Parallel) -> Result<Option<String>, ReportError> {
    if figure.lines.is_empty() {
        return Ok(None);
    }
    let count = figure.axes.len();
    let room = (CHARACTERS / count).saturating_sub(2).max(5);
    let titles = figure.axes.iter().enumerate();
    let frame = Frame {
        x: (-0.12, count as f64 - 0.7),
        x_ticks: titles.map(|(at, axis)| (at as f64, cut(&axis.title, room))).collect(),
        x_title: String::new(),
        y: (-0.08, 1.08),
        y_labels: Some(Vec::new()),
        size: WIDE,
        title: figure.title.clone(),
        description: figure.description.clone(),
        id: figure.id.clone(),
    };
    let svg = frame.draw(|chart| {
        for at in 0..count {
            line(chart, &[(at as f64, 0.0), (at as f64, 1.0)], stroke(Ink::Text, 1.0))?;
        }
        let mut lines: Vec<&ParallelLine> = figure.lines.iter().collect();
        lines.sort_by_key(|line| line.is_baseline);
        for path in lines {
            let points: Vec<(f64, f64)> =
                path.places.iter().enumerate().map(|(at, &share)| (at as f64, share)).collect();
            let (width, alpha) = if path.is_baseline { (2.75, 1.0) } else { (1.5, 0.8) };
            line(chart, &points, faint(Ink::Series(path.ink), width, alpha))?;
            if let Some(&end) = points.last() {
                marker(chart, end, path.ink)?;
            }
        }
        for (at, axis) in figure.axes.iter().enumerate() {
            for (share, words) in &axis.marks {
                word(chart, (at as f64, *share), Side::Right, &cut(words, room))?;
            }
        }
        Ok(())
    })?;
    Ok(Some(svg))
}
