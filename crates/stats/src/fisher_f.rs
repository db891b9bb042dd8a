//! Fisher's F distribution: the p of an analysis of variance.

use crate::incomplete_beta::regularised;

/// `P(F ≥ f)` for `numerator` and `denominator` ≥ 1 degrees of freedom.
pub(crate) fn survival(f: f64, numerator: u32, denominator: u32) -> f64 {
    if f <= 0.0 {
        return 1.0;
    }
    if f.is_infinite() {
        return 0.0;
    }
    let (a, b) = (f64::from(numerator), f64::from(denominator));
    let whole = a * f + b;
    regularised(b / whole, a * f / whole, b / 2.0, a / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::students_t;

    /// `tests/reference/stats.py`.
    #[test]
    fn survival_matches_scipy() {
        let check = |f, a, b, expected: f64| {
            let found = survival(f, a, b);
            assert!((found / expected - 1.0).abs() < 1e-11, "F {f} ({a}, {b}): {found}");
        };
        check(0.5, 1, 1, 0.608173447969393);
        check(4.0, 2, 8, 0.0625);
        check(3.2, 5, 45, 0.0148131360198648);
        check(0.01, 3, 7, 0.998495247040112);
        check(60.0, 4, 20, 7.42121076007074e-11);
        check(1.1, 300, 200, 0.233784801334118);
    }

    #[test]
    fn one_numerator_degree_is_the_square_of_t() {
        for (t, df) in [(0.3, 2), (2.2, 9), (5.0, 40)] {
            let difference = survival(t * t, 1, df) - students_t::two_sided_p(t, df);
            assert!(difference.abs() < 1e-14, "t {t}, df {df}: {difference}");
        }
        assert_eq!((survival(0.0, 2, 3), survival(f64::INFINITY, 2, 3)), (1.0, 0.0));
    }
}
