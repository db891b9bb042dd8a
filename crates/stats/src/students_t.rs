//! Student's t distribution: the quantile behind every interval, and its p.

use crate::incomplete_beta::regularised;

/// The `t` with `P(|T| ≤ t) = level` for `df` ≥ 1 degrees of freedom and a
/// level in (0, 1).
///
/// Solved on `x = df / (df + t²)`, whose distribution is the regularised
/// incomplete beta function, by bisection: slower than a series for the
/// quantile, and right for every `df`.
pub(crate) fn two_sided_quantile(level: f64, df: u32) -> f64 {
    quantile_of_tails(1.0 - level, df)
}

/// The `t` that `|T|` exceeds with probability `tails`.
pub(crate) fn quantile_of_tails(tails: f64, df: u32) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle == low || middle == high {
            break;
        }
        if regularised(middle, 1.0 - middle, f64::from(df) / 2.0, 0.5) < tails {
            low = middle;
        } else {
            high = middle;
        }
    }
    let x = 0.5 * (low + high);
    (f64::from(df) * (1.0 - x) / x).sqrt()
}

/// `P(|T| ≥ |t|)` for `df` ≥ 1 degrees of freedom.
pub(crate) fn two_sided_p(t: f64, df: u32) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    let (square, df) = (t * t, f64::from(df));
    regularised(df / (df + square), square / (df + square), df / 2.0, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_published_tables() {
        let check = |df, expected: f64| {
            let found = two_sided_quantile(0.95, df);
            assert!((found - expected).abs() < 6e-4, "df {df}: {found}, table {expected}");
        };
        check(1, 12.706);
        check(2, 4.303);
        check(3, 3.182);
        check(4, 2.776);
        check(5, 2.571);
        check(9, 2.262);
        check(15, 2.131);
        check(30, 2.042);
        check(120, 1.980);
        check(100_000, 1.960);
        assert!((two_sided_quantile(0.99, 4) - 4.604).abs() < 6e-4);
    }

    /// `tests/reference/stats.py`. 1e-9 relative: at 100 000 degrees of freedom
    /// ln Γ has no more digits to give.
    #[test]
    fn quantiles_and_p_match_scipy() {
        let check = |found: f64, expected: f64| {
            assert!((found / expected - 1.0).abs() < 1e-9, "{found}, scipy {expected}")
        };
        check(two_sided_quantile(0.95, 1), 12.7062047361747);
        check(two_sided_quantile(0.95, 2), 4.30265272974946);
        check(two_sided_quantile(0.95, 9), 2.2621571627982);
        check(two_sided_quantile(0.99, 9), 3.24983554159213);
        check(two_sided_quantile(1.0 - 0.05 / 8.0, 4), 5.2610575750658);
        check(two_sided_quantile(0.95, 100_000), 1.95998770753461);

        let check_p = |t, df, p| check(two_sided_p(t, df), p);
        check_p(0.5, 1, 0.704832764699133);
        check_p(2.0, 3, 0.139325968558843);
        check_p(-4.0621, 9, 0.00283300784039016);
        check_p(1e-6, 5, 0.99999924078662);
        check_p(12.0, 30, 5.58018541519926e-13);
        check_p(2.5, 1000, 0.0125785678010908);
        assert_eq!(two_sided_p(f64::INFINITY, 3), 0.0);
        assert_eq!(two_sided_p(0.0, 3), 1.0);
    }

    #[test]
    fn quantiles_fall_with_the_degrees_of_freedom() {
        let quantiles: Vec<f64> = (1..60).map(|df| two_sided_quantile(0.95, df)).collect();
        assert!(quantiles.windows(2).all(|pair| pair[0] > pair[1]), "{quantiles:?}");
    }

    #[test]
    fn p_undoes_the_quantile() {
        for df in [1, 2, 7, 300] {
            for tails in [0.9, 0.25, 0.05, 1e-4, 1e-9] {
                let found = two_sided_p(quantile_of_tails(tails, df), df);
                assert!((found / tails - 1.0).abs() < 1e-8, "df {df}: {found}, {tails}");
            }
        }
    }
}
