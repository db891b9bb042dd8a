//! What a random design draws an axis's values from.

use crate::diagnostic::Place;
use crate::draw::Draw;

/// W&B's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// Every number between the ends alike.
    Uniform,
    /// Every order of magnitude alike.
    LogUniform,
    /// Every whole number alike, both ends among them.
    IntUniform,
}

impl Distribution {
    pub(crate) const NAMED: [(&'static str, Distribution); 3] = [
        ("uniform", Distribution::Uniform),
        ("log_uniform", Distribution::LogUniform),
        ("int_uniform", Distribution::IntUniform),
    ];

    /// As in the sweep file.
    pub fn name(self) -> &'static str {
        let named = Distribution::NAMED.iter().find(|(_, distribution)| *distribution == self);
        named.expect("every distribution is named").0
    }
}

/// A distribution between two ends, `low < high`; above 0 where it is logarithmic.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    pub(crate) distribution: Distribution,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) place: Place,
}

impl Drawn {
    /// One value, in at most about four digits: what is drawn ends up in names and tables, and a
    /// platform's `exp` must not decide a run's key.
    pub(crate) fn value(&self, draw: &mut Draw) -> f64 {
        let (low, high) = (self.low, self.high);
        match self.distribution {
            Distribution::Uniform => self.rounded(low + draw.unit() * (high - low), high - low),
            Distribution::LogUniform => {
                let span = (high / low).ln();
                let value = low * (draw.unit() * span).exp();
                self.rounded(value, value * span.min(1.0))
            }
            Distribution::IntUniform => low + draw.below((high - low) as u64 + 1) as f64,
        }
    }

    /// To a ten-thousandth of `width`, between the ends.
    fn rounded(&self, value: f64, width: f64) -> f64 {
        let digits = (4.0 - width.log10()).ceil();
        if !(0.0..=300.0).contains(&digits) {
            return value.round().clamp(self.low, self.high);
        }
        let rounded: f64 =
            format!("{value:.0$}", digits as usize).parse().expect("a formatted float is a float");
        rounded.clamp(self.low, self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Purpose;

    fn drawn(distribution: Distribution, low: f64, high: f64) -> Vec<f64> {
        let place = Place { source: 0, start: 0, end: 0 };
        let drawn = Drawn { distribution, low, high, place };
        (0..4000).map(|at| drawn.value(&mut Draw::new(1, Purpose::Trial, 0, at))).collect()
    }

    /// Share below, of 4000: standard deviation 0.008, five of them.
    fn check_share(values: &[f64], below: f64, expected: f64) {
        let share = values.iter().filter(|value| **value < below).count() as f64 / 4000.0;
        assert!((share - expected).abs() < 0.04, "{share} below {below}");
    }

    #[test]
    fn values_stay_between_the_ends_and_fill_the_space() {
        for (distribution, low, high, median) in [
            (Distribution::Uniform, -1.0, 3.0, 1.0),
            (Distribution::LogUniform, 0.01, 100.0, 1.0),
            (Distribution::LogUniform, 1e-6, 1e-4, 1e-5),
            (Distribution::IntUniform, 1.0, 10.0, 5.5),
            (Distribution::Uniform, 0.9999, 0.99999, 0.999945),
            (Distribution::Uniform, 0.0, 1e9, 5e8),
        ] {
            let values = drawn(distribution, low, high);
            assert!(values.iter().all(|value| (low..=high).contains(value)), "{distribution:?}");
            check_share(&values, median, 0.5);
            let mut different = values.clone();
            different.sort_by(f64::total_cmp);
            different.dedup();
            let expected = if distribution == Distribution::IntUniform { 10 } else { 2000 };
            assert!(different.len() >= expected, "{distribution:?}: {}", different.len());
        }
    }

    #[test]
    fn values_are_short() {
        for value in drawn(Distribution::LogUniform, 1e-5, 1e-1) {
            assert!(format!("{value:e}").len() <= "1.23456e-5".len(), "{value:e}");
        }
        for value in drawn(Distribution::Uniform, 0.0, 1.0) {
            assert!(format!("{value}").len() <= "0.1234".len(), "{value}");
        }
    }
}
