//! What one run recorded over its steps, a line a metric.

use super::chart::{Frame, PANEL, UNIT, faint, line, stroke};
use super::ink::Ink;
use super::learning_curve::{thinned, y_range};
use super::mark::cross;
use super::scale::{step_label, ticks};
use crate::ReportError;

pub(crate) struct RunCurve {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) lines: Vec<RunLine>,
    /// What the run is seen among: thin lines behind.
    pub(crate) others: Vec<Vec<(u64, f64)>>,
}

pub(crate) struct RunLine {
    pub(crate) ink: usize,
    pub(crate) points: Vec<(u64, f64)>,
    /// Its last finite place, where the run diverged.
    pub(crate) end: Option<(u64, f64)>,
    /// Where the run went on in a later attempt.
    pub(crate) resumed: Vec<(u64, f64)>,
}

/// `None` where no line has two finite points.
pub(crate) fn run_curve(figure: &RunCurve) -> Result<Option<String>, ReportError> {
    let finite = |points: &[(u64, f64)]| points.iter().filter(|(_, y)| y.is_finite()).count();
    if !figure.lines.iter().any(|it| finite(&it.points) > 1) {
        return Ok(None);
    }
    let all = figure.lines.iter().map(|it| &it.points).chain(&figure.others).flatten();
    let all: Vec<(u64, f64)> = all.filter(|(_, y)| y.is_finite()).copied().collect();
    let last_step = all.iter().map(|(step, _)| *step).max().unwrap_or(1).max(1) as f64;
    let (bottom, top, _) = y_range(all.iter().map(|(_, y)| *y).collect());
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
    let inside = |points: &[(u64, f64)]| -> Vec<(f64, f64)> {
        let clamp = |y: f64| if y.is_finite() { y.clamp(bottom, top) } else { y };
        thinned(points).into_iter().map(|(x, y)| (x, clamp(y))).collect()
    };
    let svg = frame.draw(|chart| {
        for other in &figure.others {
            line(chart, &inside(other), faint(Ink::Text, 0.75, 0.5))?;
        }
        let half = 0.025 * (top - bottom);
        for RunLine { ink, points, end, resumed } in &figure.lines {
            line(chart, &inside(points), stroke(Ink::Series(*ink), 1.5))?;
            for &(step, value) in resumed {
                let (x, y) = (step as f64, value.clamp(bottom, top));
                line(chart, &[(x, y - half), (x, y + half)], stroke(Ink::Trace(*ink), 1.5))?;
            }
            if let Some((step, value)) = *end {
                let at = (step as f64, value.clamp(bottom, top));
                cross(chart, at, 4 * UNIT, 0, Ink::Trace(*ink))?;
            }
        }
        Ok(())
    })?;
    Ok(Some(svg))
}
