//! A metric against what it costs: a mark a cell with its interval, and a line through the cells that
//! no other beats in both.

use super::chart::{Frame, UNIT, WIDE, faint, line, stroke};
use super::ink::Ink;
use super::mark::{Side, cut, marker, word};
use super::scale::ticks;
use crate::ReportError;
use crate::number;
use crate::summary::Interval;

pub(crate) struct Tradeoff {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) x_title: String,
    /// In the order in which they are named where not all names have room.
    pub(crate) points: Vec<TradeoffPoint>,
}

pub(crate) struct TradeoffPoint {
    pub(crate) label: String,
    pub(crate) ink: usize,
    pub(crate) cost: f64,
    pub(crate) mean: f64,
    pub(crate) interval: Option<Interval>,
    pub(crate) on_front: bool,
}

/// Characters of a cell's name.
const NAME: usize = 28;

/// `None` for fewer than two points.
pub(crate) fn tradeoff(figure: &Tradeoff) -> Result<Option<String>, ReportError> {
    if figure.points.len() < 2 {
        return Ok(None);
    }
    let costs = figure.points.iter().map(|point| point.cost);
    let x = padded(costs.clone().fold(f64::INFINITY, f64::min), costs.fold(0.0, f64::max), 0.08);
    let y = y_range(&figure.points);
    let (x_ticks, decimals) = ticks(x.0, x.1, 8);
    let frame = Frame {
        x,
        x_ticks: x_ticks.into_iter().map(|at| (at, number::fixed(at, decimals))).collect(),
        x_title: figure.x_title.clone(),
        y,
        y_labels: None,
        size: WIDE,
        title: figure.title.clone(),
        description: figure.description.clone(),
        id: figure.id.clone(),
    };
    let mut front: Vec<(f64, f64)> =
        figure.points.iter().filter(|it| it.on_front).map(|it| (it.cost, it.mean)).collect();
    front.sort_by(|a, b| a.0.total_cmp(&b.0));
    let svg = frame.draw(|chart| {
        line(chart, &front, faint(Ink::Series(3), 1.5, 0.8))?;
        for point in &figure.points {
            if let Some(Interval { lower, upper }) = point.interval {
                let ends = [lower.max(y.0), upper.min(y.1)].map(|end| (point.cost, end));
                line(chart, &ends, stroke(Ink::Trace(point.ink), 1.5))?;
            }
            marker(chart, (point.cost, point.mean), point.ink)?;
        }
        let (width, height) = chart.plotting_area().dim_in_pixel();
        let px = |(at, value): (f64, f64)| {
            let share = |value: f64, (low, high): (f64, f64)| (value - low) / (high - low);
            let size = [width, height].map(|it| f64::from(it) / f64::from(UNIT));
            (share(at, x) * size[0], (1.0 - share(value, y)) * size[1])
        };
        let mut room = Room { taken: Vec::new(), width: f64::from(width) / f64::from(UNIT) };
        room.taken.extend(figure.points.iter().map(|it| around(px((it.cost, it.mean)))));
        for point in &figure.points {
            let label = cut(&point.label, NAME);
            let at = (point.cost, point.mean);
            if let Some(side) = room.beside(px(at), &label) {
                word(chart, at, side, &label)?;
            }
        }
        Ok(())
    })?;
    Ok(Some(svg))
}

/// A rectangle in CSS pixels: left, right, top, bottom.
type Rect = [f64; 4];

fn around((x, y): (f64, f64)) -> Rect {
    [x - 5.0, x + 5.0, y - 5.0, y + 5.0]
}

/// Where names would lie on each other they are left out: the table has them all.
struct Room {
    taken: Vec<Rect>,
    width: f64,
}

impl Room {
    fn beside(&mut self, (x, y): (f64, f64), label: &str) -> Option<Side> {
        let length = 6.2 * label.chars().count() as f64;
        let on = |side| match side {
            Side::Right => [x + 7.0, x + 8.0 + length, y - 7.0, y + 7.0],
            Side::Left => [x - 8.0 - length, x - 7.0, y - 7.0, y + 7.0],
        };
        let is_free = |rect: &Rect| {
            let apart = |other: &Rect| {
                rect[1] < other[0] || other[1] < rect[0] || rect[3] < other[2] || other[3] < rect[2]
            };
            rect[0] >= 0.0 && rect[1] <= self.width && self.taken.iter().all(apart)
        };
        let side = [Side::Right, Side::Left].into_iter().find(|&side| is_free(&on(side)))?;
        self.taken.push(on(side));
        Some(side)
    }
}

/// All means; intervals as far as the means' own spread.
fn y_range(points: &[TradeoffPoint]) -> (f64, f64) {
    let means = points.iter().map(|point| point.mean);
    let (low, high) =
        means.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let spread = if high > low { high - low } else { high.abs().max(1e-6) * 0.1 };
    let intervals = || points.iter().filter_map(|point| point.interval);
    let bottom = intervals().map(|it| it.lower).fold(low, f64::min).max(low - spread);
    let top = intervals().map(|it| it.upper).fold(high, f64::max).min(high + spread);
    padded(bottom, top, 0.06)
}

fn padded(low: f64, high: f64, share: f64) -> (f64, f64) {
    let pad = share * if high > low { high - low } else { high.abs().max(1e-6) };
    (low - pad, high + pad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_lie_on_each_other() {
        let mut room = Room { taken: Vec::new(), width: 200.0 };
        assert_eq!(room.beside((10.0, 50.0), "first"), Some(Side::Right));
        assert_eq!(room.beside((12.0, 52.0), "second"), None, "no room to the left either");
        assert_eq!(room.beside((190.0, 50.0), "third"), Some(Side::Left));
        assert_eq!(room.beside((100.0, 90.0), "fourth"), Some(Side::Right));
    }
}
