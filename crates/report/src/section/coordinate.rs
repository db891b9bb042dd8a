//! Where cells lie on an axis of the sweep, in figures that show many axes at once.

use track::{AxisRecord, CellRecord, SweepRecord};

use super::effects::layout;
use super::level;
use crate::figure::{Place, ticks};
use crate::number::fixed;
use crate::summary::number_on;

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
        span: Span,
    },
}

/// More values than this are a range that was drawn from: distances count, and names have no room.
const MOST_LEVELS: usize = 8;
/// Marks closer than this share of an axis would lie on each other.
const APART: f64 = 0.06;
/// One number alone is no scale.
const FEWEST_MARKS: usize = 2;

impl<'a> Coordinate<'a> {
    /// `None` for an axis of one level.
    pub(super) fn of(record: &SweepRecord, axis: &'a AxisRecord) -> Option<Coordinate<'a>> {
        let (labels, placing, places) = layout(record, axis);
        let span = Span::of(&places)?;
        if span.is_point() {
            return None;
        }
        if let (Some(numbers), Place::Even, true) =
            (numbers(record, axis), placing, labels.len() > MOST_LEVELS)
        {
            return Some(Coordinate::of_numbers(axis, &numbers));
        }
        let shares = places.iter().map(|place| span.share(*place));
        let levels: Vec<(f64, String)> = shares.zip(labels).collect();
        Some(Coordinate { axis, marks: apart(&levels), scale: Scale::Levels(levels) })
    }

    /// On the scale that it declares: of numbers, one or more.
    pub(super) fn of_numbers(axis: &'a AxisRecord, numbers: &[f64]) -> Coordinate<'a> {
        let span = Span::of(numbers).expect("there are numbers");
        let is_log = axis.scale == "log" && span.low > 0.0;
        let mut found =
            Coordinate { axis, marks: Vec::new(), scale: Scale::Numbers { is_log, span } };
        let placed =
            span.marks(is_log).into_iter().map(|(value, words)| (found.place_of(value), words));
        found.marks = apart(&placed.collect::<Vec<_>>());
        found
    }

    pub(super) fn has_levels(&self) -> bool {
        matches!(self.scale, Scale::Levels(_))
    }

    pub(super) fn is_log(&self) -> bool {
        matches!(self.scale, Scale::Numbers { is_log: true, .. })
    }

    /// NaN for a cell that lies nowhere on it.
    pub(super) fn place(&self, cell: &CellRecord) -> f64 {
        match &self.scale {
            Scale::Levels(levels) => {
                let own = level(self.axis, cell);
                levels.iter().find(|(_, label)| *label == own).map_or(f64::NAN, |(place, _)| *place)
            }
            Scale::Numbers { .. } => self.place_of(number_on(self.axis, cell).unwrap_or(f64::NAN)),
        }
    }

    fn place_of(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Levels(_) => f64::NAN,
            Scale::Numbers { is_log: true, span: Span { low, high } } => {
                Span { low: low.ln(), high: high.ln() }.share(value.ln())
            }
            Scale::Numbers { is_log: false, span } => span.share(value),
        }
    }
}

/// Of every cell; `None` where one has none.
fn numbers(record: &SweepRecord, axis: &AxisRecord) -> Option<Vec<f64>> {
    record.plan.cells.iter().map(|cell| number_on(axis, cell)).collect()
}

/// From the least of some numbers to the greatest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Span {
    /// `None` without a number.
    pub(super) fn of(values: &[f64]) -> Option<Span> {
        let low = values.iter().copied().reduce(f64::min)?;
        let high = values.iter().copied().reduce(f64::max)?;
        Some(Span { low, high })
    }

    pub(super) fn is_point(self) -> bool {
        self.high <= self.low
    }

    /// Of the way from one end to the other; the middle where they are one.
    pub(super) fn share(self, value: f64) -> f64 {
        if self.is_point() { 0.5 } else { (value - self.low) / (self.high - self.low) }
    }

    /// Values to be written beside it, with their words.
    fn marks(self, is_log: bool) -> Vec<(f64, String)> {
        let decades = if is_log { decades(self.low, self.high) } else { Vec::new() };
        if decades.len() >= FEWEST_MARKS {
            return decades.into_iter().map(|value| (value, value.to_string())).collect();
        }
        // From 0.011 to 0.019 there is no decade, and of steps for three marks but one mark.
        let steps = (3..12).map(|count| ticks(self.low, self.high, count));
        let (values, decimals) = steps
            .into_iter()
            .find(|(values, _)| values.len() >= FEWEST_MARKS)
            .unwrap_or((vec![self.low, self.high], 3));
        values.into_iter().map(|value| (value, fixed(value, decimals))).collect()
    }
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
    fn every_range_has_marks() {
        let words = |low, high, is_log| -> Vec<String> {
            Span { low, high }.marks(is_log).into_iter().map(|(_, words)| words).collect()
        };
        assert_eq!(words(0.011, 0.019, true), ["0.012", "0.014", "0.016", "0.018"]);
        assert_eq!(words(0.011, 0.019, false), words(0.011, 0.019, true));
        assert_eq!(words(1e-4, 0.1, true), ["0.0001", "0.001", "0.01", "0.1"]);
        assert!(words(0.9, 1.9, true).len() >= FEWEST_MARKS);
    }

    #[test]
    fn marks_leave_room_for_each_other() {
        let marks = |places: &[f64]| -> Vec<(f64, String)> {
            places.iter().map(|place| (*place, String::new())).collect()
        };
        assert_eq!(apart(&marks(&[0.5, 0.0, 0.01, 0.56, 1.0])), marks(&[0.0, 0.5, 0.56, 1.0]));
    }
}
