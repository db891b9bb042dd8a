//! Student's t distribution: the quantile behind every interval on the page.

use std::f64::consts::PI;

/// The `t` with `P(|T| ≤ t) = level` for `df` ≥ 1 degrees of freedom.
///
/// Solved on `x = df / (df + t²)`, whose distribution is the regularised
/// incomplete beta function, by bisection: slower than a series for the
/// quantile, and right for every `df`.
pub(crate) fn two_sided_quantile(level: f64, df: u32) -> f64 {
    let (a, tail) = (f64::from(df) / 2.0, 1.0 - level);
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if incomplete_beta(middle, a) < tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    let x = 0.5 * (low + high);
    (f64::from(df) * (1.0 - x) / x).sqrt()
}

/// `I_x(a, 1/2)`, regularised, for `a` a multiple of one half.
fn incomplete_beta(x: f64, a: f64) -> f64 {
    const B: f64 = 0.5;
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (a * x.ln() + B * (1.0 - x).ln() - ln_beta_half(a)).exp();
    // The fraction converges quickly on one side of the mean only; the other side is its mirror.
    if x < (a + 1.0) / (a + B + 2.0) {
        front * continued_fraction(x, a, B) / a
    } else {
        1.0 - front * continued_fraction(1.0 - x, B, a) / B
    }
}

/// `ln B(a, 1/2)`, exact from `B(1/2, 1/2) = π`, `B(1, 1/2) = 2` and
/// `B(a + 1, 1/2) = B(a, 1/2) · a / (a + 1/2)`.
fn ln_beta_half(a: f64) -> f64 {
    let odd = (2.0 * a).rem_euclid(2.0) == 1.0;
    let (mut at, mut ln) = if odd { (0.5, PI.ln()) } else { (1.0, 2.0_f64.ln()) };
    while at < a {
        ln += (at / (at + 0.5)).ln();
        at += 1.0;
    }
    ln
}

/// Lentz's method (Press et al., Numerical Recipes, 3rd ed., §6.4).
fn continued_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in 1..=300 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for numerator in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + numerator * d);
            c = away_from_zero(1.0 + numerator / c);
            value *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
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

    #[test]
    fn quantiles_fall_with_the_degrees_of_freedom() {
        let quantiles: Vec<f64> = (1..60).map(|df| two_sided_quantile(0.95, df)).collect();
        assert!(quantiles.windows(2).all(|pair| pair[0] > pair[1]), "{quantiles:?}");
    }
}
