//! Intervals and the level they are made at.

/// Coverage of an interval, in (0, 1); a test's alpha is the rest.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Level(f64);

impl Level {
    pub const NINETY_FIVE: Level = Level(0.95);

    /// `None` outside (0, 1 - 1e-9): nearer to 1, float64 has no digits left for alpha.
    pub fn new(coverage: f64) -> Option<Level> {
        (coverage > 0.0 && coverage < 1.0 - 1e-9).then_some(Level(coverage))
    }

    pub fn coverage(self) -> f64 {
        self.0
    }

    /// Probability of missing: the largest p that counts as significant.
    ///
    /// Rounded to 15 digits: `1 - 0.95` is above 0.05 in binary, and a p of
    /// exactly alpha must not depend on that.
    pub fn alpha(self) -> f64 {
        ((1.0 - self.0) * 1e15).round() / 1e15
    }

    /// In percent without needless decimals: `95 %`.
    pub(crate) fn percent(self) -> String {
        format!("{} %", (self.0 * 1e8).round() / 1e6)
    }
}

impl Default for Level {
    fn default() -> Self {
        Level::NINETY_FIVE
    }
}

/// From `lower` to `upper`, ends included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub lower: f64,
    pub upper: f64,
}

impl Interval {
    pub fn around(centre: f64, half_width: f64) -> Interval {
        Interval { lower: centre - half_width, upper: centre + half_width }
    }

    pub fn contains(self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }

    pub fn width(self) -> f64 {
        self.upper - self.lower
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_coverage_and_its_alpha_is_exact() {
        let check = |coverage: f64, alpha, percent: &str| {
            let level = Level::new(coverage).expect("inside (0, 1)");
            assert_eq!(level.alpha(), alpha);
            assert_eq!(level.percent(), percent);
        };
        check(0.95, 0.05, "95 %");
        check(0.9, 0.1, "90 %");
        check(0.999, 0.001, "99.9 %");
        for outside in [0.0, 1.0, -0.1, 1.1, 1.0 - 1e-12, f64::NAN] {
            assert_eq!(Level::new(outside), None, "{outside}");
        }
    }

    #[test]
    fn intervals_hold_their_ends() {
        let interval = Interval::around(0.5, 0.5);
        assert!(interval.contains(0.0) && interval.contains(1.0) && !interval.contains(1.01));
    }
}
