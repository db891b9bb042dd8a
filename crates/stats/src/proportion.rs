//! k of n: how often runs fail.

use crate::interval::{Interval, Level};
use crate::normal;

/// A share with Wilson's interval, which keeps within [0, 1] and has width
/// even at 0 of n, where the usual formula claims certainty.
///
/// # Source
/// Wilson 1927, Journal of the American Statistical Association 22, 209–212.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proportion {
    pub k: usize,
    pub n: usize,
    /// k / n, in [0, 1].
    pub share: f64,
    pub interval: Interval,
}

impl Proportion {
    /// `None` for n = 0.
    ///
    /// # Panics
    /// If `k > n`.
    pub fn of(k: usize, n: usize, level: Level) -> Option<Proportion> {
        assert!(k <= n, "{k} of {n} is no proportion");
        if n == 0 {
            return None;
        }
        let (share, count) = (k as f64 / n as f64, n as f64);
        let z = normal::two_sided_quantile(level.coverage());
        let shrink = 1.0 + z * z / count;
        let centre = (share + z * z / (2.0 * count)) / shrink;
        let half_width =
            z / shrink * (share * (1.0 - share) / count + (z / (2.0 * count)).powi(2)).sqrt();
        let mut interval = Interval::around(centre, half_width);
        // Exact ends, which rounding would miss by 1e-17.
        if k == 0 {
            interval.lower = 0.0;
        }
        if k == n {
            interval.upper = 1.0;
        }
        Some(Proportion { k, n, share, interval })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// statsmodels, `tests/reference/stats.py`.
    #[test]
    fn intervals_match_statsmodels() {
        let check = |k, n, lower: f64, upper: f64| {
            let found = Proportion::of(k, n, Level::NINETY_FIVE).expect("n > 0").interval;
            assert!((found.lower - lower).abs() < 1e-12, "{k} of {n}: {found:?}");
            assert!((found.upper - upper).abs() < 1e-12, "{k} of {n}: {found:?}");
        };
        check(0, 10, 0.0, 0.277532799862889);
        check(3, 10, 0.107791267406301, 0.603221852538855);
        check(10, 10, 0.722467200137111, 1.0);
        check(1, 3, 0.0614919447203963, 0.792340399197952);
        check(7, 200, 0.0170555420085672, 0.0704706115222907);
        assert_eq!(Proportion::of(0, 0, Level::NINETY_FIVE), None);
    }

    #[test]
    fn successes_and_failures_mirror_each_other() {
        for k in 0..=9 {
            let of = |k| Proportion::of(k, 9, Level::NINETY_FIVE).expect("n > 0");
            let (own, mirror) = (of(k).interval, of(9 - k).interval);
            assert!((own.lower + mirror.upper - 1.0).abs() < 1e-14, "{k}");
            assert!(own.contains(of(k).share), "{k}");
        }
    }
}
