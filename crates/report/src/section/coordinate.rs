//! Where cells lie on an axis of the sweep, in figures that show many axes at once.

use track::{AxisRecord, CellRecord, SweepRecord};

use super::effects::layout;
use super::level;
use crate::figure::{Place, ticks};
use crate::number::fixed;
use crate::summary::settings_at;

/// An axis, from 0 at one end of its values to 1 at the other.
pub(super) struct Coordinate<'a> {
    pub(super) axis: &'a AxisRecord,
    /// What is written beside it.
    pub(super) marks: Vec<(f64, String)>,
    scale: Scale,
}

enum Scale {
    /// A place each, by its name.
    Levels(Vec<(f64, String)>),
    Numbers {
        is_log: bool,
        low: f64,
        high: f64,
    },
}

/// More values than this are a range that was drawn from: distances count, and names have no room.
const MOST_LEVELS: usize = 8;
/// Marks closer than this share of an axis would lie on each other.
const APART: f64 = 0.06;

impl<'a> Coordinate<'a> {
    /// `None` for an axis of one level.
    pub(super) fn of(record: &SweepRecord, axis: &'a AxisRecord) -> Option<Coordinate<'a>> {
        let (labels, placing, places) = layout(record, axis);
        let (low, high) = ends(&places)?;
        if high <= low {
            return None;
        }
        if let (Some(numbers), Place::Even, true) =
            (numbers(record, axis), placing, labels.len() > MOST_LEVELS)
        {
            return Some(Coordinate::drawn(axis, &numbers));
        }
        let shares = places.iter().map(|place| (place - low) / (high - low));
        let levels: Vec<(f64, String)> = shares.zip(labels).collect();
        Some(Coordinate { axis, marks: apart(&levels), scale: Scale::Levels(levels) })
    }

    fn drawn(axis: &'a AxisRecord, numbers: &[f64]) -> Coordinate<'a> {
        let (low, high) = ends(numbers).expect("there are levels, counted above");
        let is_log = axis.scale == "log" && low > 0.0;
        let (values, decimals) = if is_log { (decades(low, high), 0) } else { ticks(low, high, 3) };
        let scale = Scale::Numbers { is_log, low, high };
        let mut found = Coordinate { axis, marks: Vec::new(), scale };
        let written = |value: f64| match is_log {
            true => value.to_string(),
            false => fixed(value, decimals),
        };
        let placed = values.into_iter().map(|value| (found.place_of(value), written(value)));
        found.marks = apart(&placed.collect::<Vec<_>>());
        found
    }

    pub(super) fn has_levels(&self) -> bool {
        matches!(self.scale, Scale::Levels(_))
    }

    /// NaN for a cell that lies nowhere on it.
    pub(super) fn place(&self, cell: &CellRecord) -> f64 {
        match &self.scale {
            Scale::Levels(levels) => {
                let own = level(self.axis, cell);
                levels.iter().find(|(_, label)| *label == own).map_or(f64::NAN, |(place, _)| *place)
            }
            Scale::Numbers { .. } => self.place_of(number(self.axis, cell).unwrap_or(f64::NAN)),
        }
    }

    fn place_of(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Levels(_) => f64::NAN,
            Scale::Numbers { is_log: true, low, high } => {
                (value.ln() - low.ln()) / (high.ln() - low.ln())
            }
            Scale::Numbers { is_log: false, low, high } => (value - low) / (high - low),
        }
    }
}

/// The one number that a cell has on this axis.
pub(super) fn number(axis: &AxisRecord, cell: &CellRecord) -> Option<f64> {
    match settings_at(cell, &axis.keys).as_slice() {
        [only] if axis.scale != "category" => only.as_f64(),
        _ => None,
    }
}

/// Of every cell; `None` where one has none.
fn numbers(record: &SweepRecord, axis: &AxisRecord) -> Option<Vec<f64>> {
    record.plan.cells.iter().map(|cell| number(axis, cell)).collect()
}

pub(super) fn ends(values: &[f64]) -> Option<(f64, f64)> {
    let low = values.iter().copied().reduce(f64::min)?;
    let high = values.iter().copied().reduce(f64::max)?;
    Some((low, high))
}

/// Powers of ten within the range, with 2 and 5 where there are few.
fn decades(low: f64, high: f64) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let of = |steps: &[f64]| -> Vec<f64> {
        // From text: 5 times 10 to the power of -2 is not 0.05.
        let at = |power: i32, step: &f64| format!("{step}e{power}").parse::<f64>().unwrap_or(low);
        let all = (first..=last).flat_map(|power| steps.iter().map(move |step| at(power, step)));
        all.filter(|value| (low..=high).contains(value)).collect()
    };
    let few = of(&[1.0]);
    if few.len() < 3 { of(&[1.0, 2.0, 5.0]) } else { few }
}

/// Those that leave room for each other, from the low end.
fn apart(marks: &[(f64, String)]) -> Vec<(f64, String)> {
    let mut marks = marks.to_vec();
    marks.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free_from = f64::NEG_INFINITY;
    marks.retain(|(place, _)| {
        let fits = *place >= free_from;
        if fits {
            free_from = place + APART;
        }
        fits
    });
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_ten_are_written_as_they_are_said() {
        let check = |low, high, expected: &[f64]| assert_eq!(decades(low, high), expected);
        check(0.5, 50.0, &[0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0]);
        check(1e-5, 0.03, &[1e-5, 1e-4, 1e-3, 1e-2]);
        check(0.011, 0.019, &[]);
    }

    #[test]
    fn marks_leave_room_for_each_other() {
        let marks = |places: &[f64]| -> Vec<(f64, String)> {
            places.iter().map(|place| (*place, String::new())).collect()
        };
        assert_eq!(apart(&marks(&[0.5, 0.0, 0.01, 0.56, 1.0])), marks(&[0.0, 0.5, 0.56, 1.0]));
    }
}
