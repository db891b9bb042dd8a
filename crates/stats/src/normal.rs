//! The standard normal distribution.

use std::f64::consts::SQRT_2;

/// `P(Z ≤ z)`.
pub(crate) fn cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / SQRT_2)
}

/// The `z` with `P(|Z| ≤ z) = level`, by bisection.
pub(crate) fn two_sided_quantile(level: f64) -> f64 {
    let tails = 1.0 - level;
    let (mut low, mut high) = (0.0_f64, 40.0_f64);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if libm::erfc(middle / SQRT_2) > tails {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `tests/reference/stats.py`.
    #[test]
    fn quantiles_match_scipy_and_the_cdf_undoes_them() {
        let check = |level, expected: f64| {
            let found = two_sided_quantile(level);
            assert!((found - expected).abs() < 1e-13, "{found}, scipy {expected}");
            assert!((cdf(found) - (1.0 + level) / 2.0).abs() < 1e-15, "{found}");
            assert!((cdf(-found) - (1.0 - level) / 2.0).abs() < 1e-15, "{found}");
        };
        check(0.5, 0.674489750196082);
        check(0.95, 1.95996398454005);
        check(0.99, 2.5758293035489);
    }
}
