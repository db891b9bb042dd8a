//! The regularised incomplete beta function: the distribution behind t and F.

/// `I_x(a, b)` for `a, b > 0`, with `rest = 1 - x`.
///
/// Both `x` and `rest` are asked for because near an end one of them has no
/// digits left when made from the other.
pub(crate) fn regularised(x: f64, rest: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if rest <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() + b * rest.ln() - ln_beta(a, b)).exp();
    // The fraction converges quickly on one side of the mean only; the other side is its mirror.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * continued_fraction(x, a, b) / a
    } else {
        1.0 - front * continued_fraction(rest, b, a) / b
    }
}

fn ln_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}

/// Lentz's method (Press et al., Numerical Recipes, 3rd ed., §6.4).
fn continued_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    // About √max(a, b) steps are needed.
    for m in 1..=1000 {
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

    fn at(x: f64, a: f64, b: f64) -> f64 {
        regularised(x, 1.0 - x, a, b)
    }

    #[test]
    fn closed_forms_are_met() {
        for x in [0.01_f64, 0.3, 0.5, 0.77, 0.999] {
            let check = |found: f64, expected: f64| {
                assert!((found - expected).abs() < 1e-14, "x {x}: {found}, {expected}")
            };
            check(at(x, 1.0, 1.0), x);
            check(at(x, 3.0, 1.0), x.powi(3));
            check(at(x, 1.0, 4.0), 1.0 - (1.0 - x).powi(4));
            check(at(x, 0.5, 0.5), x.sqrt().asin() * std::f64::consts::FRAC_2_PI);
        }
    }

    #[test]
    fn mirrored_parameters_give_the_rest() {
        for (a, b) in [(0.5, 7.5), (4.0, 4.0), (150.0, 100.0), (1e4, 0.5)] {
            for x in [0.001, 0.2, 0.61, 0.99] {
                let sum = at(x, a, b) + at(1.0 - x, b, a);
                assert!((sum - 1.0).abs() < 1e-10, "I_{x}({a}, {b}): {sum}");
            }
        }
        assert_eq!((at(0.0, 2.0, 2.0), at(1.0, 2.0, 2.0)), (0.0, 1.0));
    }
}
