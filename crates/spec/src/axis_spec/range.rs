//! `{ min, max, count, spacing }`, and `{ min, max, distribution }`.

use super::{Dimension, Distribution, Drawn, add};
use crate::diagnostic::{Place, quoted};
use crate::leaf::{self, Kind};
use crate::node::{Node, Value};
use crate::plan::MOST_RUNS;
use crate::settings::Reading;

pub(super) struct Range<'a> {
    pub(super) min: Option<&'a Node>,
    pub(super) max: Option<&'a Node>,
    pub(super) count: Option<&'a Node>,
    pub(super) log: bool,
    pub(super) distribution: Option<Distribution>,
}

impl Range<'_> {
    /// `spaced` is where `spacing` is written.
    pub(super) fn read(
        &self,
        axis: &mut Dimension,
        leaf: &'static str,
        key: Place,
        spaced: Option<Place>,
        reading: &mut Reading,
    ) {
        if !matches!(leaf::kind(leaf), Kind::Number | Kind::Whole(_)) {
            let message = format!("the axis `{leaf}` holds no numbers, so it has no range");
            reading.error(key, message).help("list its `values`");
            return;
        }
        let ends = [("min", self.min), ("max", self.max)];
        let mut missing: Vec<&str> =
            ends.iter().filter(|(_, node)| node.is_none()).map(|(name, _)| *name).collect();
        if self.count.is_none() && self.distribution.is_none() {
            missing.push("count");
        }
        if !missing.is_empty() {
            let message =
                format!("the range of the axis `{leaf}` needs {}", quoted(&missing, "and"));
            let found = reading.error(key, message);
            if missing == ["count"] {
                found.help(
                    "a range without `count` has no end; in a random design, write `distribution`",
                );
            }
            return;
        }
        let (Some(min), Some(max)) = (self.min, self.max) else { return };
        match (self.distribution, self.count) {
            (Some(distribution), count) => {
                if let Some(place) = count.map(|count| count.place).or(spaced) {
                    let message = format!(
                        "the axis `{leaf}` is drawn from a distribution, which has no `count` and no `spacing`"
                    );
                    reading.error(place, message);
                    return;
                }
                self.drawn(distribution, axis, leaf, [min, max], reading);
            }
            (None, Some(count)) => self.spread(axis, leaf, key, [min, max, count], reading),
            (None, None) => {}
        }
    }

    /// The ends, in order.
    fn ends(
        &self,
        leaf: &'static str,
        [min, max]: [&Node; 2],
        reading: &mut Reading,
    ) -> Option<[f64; 2]> {
        let low = reading.coerce(leaf, min, &format!("`min` of the axis `{leaf}`"));
        let high = reading.coerce(leaf, max, &format!("`max` of the axis `{leaf}`"));
        let (low, high) = (low?.as_f64()?, high?.as_f64()?);
        if low >= high {
            let message =
                format!("`min` of the axis `{leaf}` ({low}) is not below its `max` ({high})");
            reading.error(min.place, message);
            return None;
        }
        let how = match self.distribution {
            Some(Distribution::LogUniform) => "a log-uniform distribution",
            _ => "log spacing",
        };
        let log = self.log || self.distribution == Some(Distribution::LogUniform);
        if log && low <= 0.0 {
            let message = format!("{how} of the axis `{leaf}` cannot start at {low}");
            reading
                .error(min.place, message)
                .help("use a `min` above 0, or list the values with 0 among them");
            return None;
        }
        Some([low, high])
    }

    fn drawn(
        &self,
        distribution: Distribution,
        axis: &mut Dimension,
        leaf: &'static str,
        ends: [&Node; 2],
        reading: &mut Reading,
    ) {
        let Some([low, high]) = self.ends(leaf, ends, reading) else { return };
        let whole = distribution == Distribution::IntUniform;
        if !whole && *leaf::kind(leaf) != Kind::Number {
            reading
                .error(axis.place, format!("`{leaf}` takes whole numbers only"))
                .help("write distribution = \"int_uniform\"");
            return;
        }
        // Further apart, not every whole number is a float64.
        if whole && (low.fract() != 0.0 || high.fract() != 0.0 || high - low > 1e15) {
            let message =
                format!("\"int_uniform\" of the axis `{leaf}` needs whole numbers as its ends");
            reading.error(ends[0].place, message);
            return;
        }
        axis.drawn = Some(Drawn { distribution, low, high, place: ends[0].place });
    }

    fn spread(
        &self,
        axis: &mut Dimension,
        leaf: &'static str,
        key: Place,
        [min, max, count]: [&Node; 3],
        reading: &mut Reading,
    ) {
        let ends = self.ends(leaf, [min, max], reading);
        let points = match count.value {
            Value::Integer(number) if number >= 2 => u64::try_from(number).ok(),
            _ => {
                let message = format!(
                    "`count` of the axis `{leaf}`: expected a whole number ≥ 2, found {}",
                    count.found()
                );
                reading.error(count.place, message);
                None
            }
        };
        let (Some([low, high]), Some(points)) = (ends, points) else { return };
        axis.len = points;
        if points > MOST_RUNS {
            return; // The plan refuses it; nothing that size is made here.
        }
        for index in 0..points {
            let number = self.at(low, high, index, points - 1);
            let whole = *leaf::kind(leaf) != Kind::Number && number.fract() == 0.0;
            let value = if whole { Value::Integer(number as i128) } else { Value::Float(number) };
            let item = Node { value, place: count.place };
            let what = format!("point {} of the axis `{leaf}`", index + 1);
            add(axis, leaf, key, &item, &what, reading);
        }
    }

    /// Rounded to 12 digits: a platform's `exp` must not decide a run's name.
    fn at(&self, low: f64, high: f64, index: u64, last: u64) -> f64 {
        if index == 0 || index == last {
            return if index == 0 { low } else { high };
        }
        let part = index as f64 / last as f64;
        let exact = if self.log {
            (low.ln() + part * (high.ln() - low.ln())).exp()
        } else {
            low + part * (high - low)
        };
        format!("{exact:.11e}").parse().expect("a formatted float is a float")
    }
}
