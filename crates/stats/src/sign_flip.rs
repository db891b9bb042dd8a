//! The sign-flip test: had the arm no effect, each seed's difference could as
//! well have had the other sign.
//!
//! Exact for any distribution that is symmetric about 0, and never smaller
//! than what n seeds can show. Fisher 1935, The Design of Experiments, §21.

use crate::resample::{Draws, Resampling};

/// Up to here all sign patterns are counted: 2^19 sums, a few milliseconds.
const MOST_ENUMERATED: usize = 20;

/// Patterns drawn beyond that: p is as fine as that of 20 seeds.
const DRAWS: usize = (1 << 19) - 1;

/// A two-sided p and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignFlip {
    /// Share of the sign patterns with a sum at least as far from 0 as the observed one.
    pub p: f64,
    /// The smallest p that as many seeds can give.
    pub smallest_p: f64,
    pub basis: Basis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// All 2^n sign patterns.
    Exact,
    /// That many random patterns and the observed one: p = (b + 1) / (m + 1).
    MonteCarlo { draws: usize },
}

impl SignFlip {
    /// Of at least one difference; the seed matters beyond 20 of them only.
    ///
    /// # Panics
    /// Without any difference.
    pub fn of(differences: &[f64], resampling: Resampling) -> SignFlip {
        assert!(!differences.is_empty(), "a test needs a difference");
        let total: f64 = differences.iter().map(|d| d.abs()).sum();
        // Sums of the same numbers in another order may differ in their last digits; such a tie
        // counts as reached.
        let reached = differences.iter().sum::<f64>().abs() - 1e-12 * total;
        let (p, basis) = if differences.len() <= MOST_ENUMERATED {
            // A pattern and its mirror are equally far from 0: the first sign may stay.
            let count = patterns_reaching(&differences[1..], differences[0], reached);
            (count as f64 / 2.0_f64.powi(differences.len() as i32 - 1), Basis::Exact)
        } else {
            (drawn_p(differences, reached, resampling.seed), Basis::MonteCarlo { draws: DRAWS })
        };
        SignFlip { p, smallest_p: smallest_sign_flip_p(differences.len()), basis }
    }
}

/// The smallest two-sided p a sign-flip test of `n` paired seeds can give:
/// 2 / 2^n, or 1 / (draws + 1) where patterns are drawn.
pub fn smallest_sign_flip_p(n: usize) -> f64 {
    if n > MOST_ENUMERATED {
        return 1.0 / (DRAWS as f64 + 1.0);
    }
    2.0_f64.powi(1 - n as i32).min(1.0)
}

fn patterns_reaching(rest: &[f64], sum: f64, reached: f64) -> u64 {
    match rest {
        [] => u64::from(sum.abs() >= reached),
        [next, rest @ ..] => {
            patterns_reaching(rest, sum + next, reached)
                + patterns_reaching(rest, sum - next, reached)
        }
    }
}

fn drawn_p(differences: &[f64], reached: f64, seed: u64) -> f64 {
    let mut draws = Draws::new(seed);
    let count = (0..DRAWS)
        .filter(|_| {
            let sum: f64 = differences
                .chunks(64)
                .map(|chunk| {
                    let signs = draws.bits();
                    let signed =
                        |(at, d): (usize, &f64)| if signs >> at & 1 == 1 { -d } else { *d };
                    chunk.iter().enumerate().map(signed).sum::<f64>()
                })
                .sum();
            sum.abs() >= reached
        })
        .count();
    // The observed pattern is one of those possible; without it p could be 0.
    (count + 1) as f64 / (DRAWS + 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(differences: &[f64]) -> f64 {
        SignFlip::of(differences, Resampling::default()).p
    }

    fn normals(seed: u64, n: usize) -> Vec<f64> {
        let mut draws = Draws::new(seed);
        (0..n).map(|_| draws.normal()).collect()
    }

    /// Enumerated with numpy in `tests/reference/stats.py`.
    #[test]
    fn p_matches_brute_force() {
        assert_eq!(p(&[1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]), 0.00390625);
        assert_eq!(p(&[0.3, -0.1, 0.4, 0.2, -0.05, 0.6]), 0.125);
        // 0.1 + 0.2 is not 0.3 in binary; ties must count all the same.
        assert_eq!(p(&[0.1, 0.2, 0.3, -0.1, 0.2]), 0.1875);
    }

    #[test]
    fn agreeing_signs_give_the_smallest_p_and_nothing_gives_one() {
        for n in 1..=12 {
            let agreeing: Vec<f64> = (1..=n).map(|i| -(i as f64)).collect();
            assert_eq!(p(&agreeing), smallest_sign_flip_p(n), "n {n}");
            assert_eq!(p(&vec![0.0; n]), 1.0, "n {n}");
        }
        let check = |n, expected| assert_eq!(smallest_sign_flip_p(n), expected);
        check(0, 1.0);
        check(1, 1.0);
        check(2, 0.5);
        check(5, 0.0625);
        check(10, 0.001953125);
    }

    #[test]
    fn order_sign_and_scale_of_all_differences_do_not_matter() {
        let differences = normals(4, 9);
        let changed =
            |change: &dyn Fn(&f64) -> f64| -> Vec<f64> { differences.iter().map(change).collect() };
        let expected = p(&differences);
        assert_eq!(p(&changed(&|d| -d)), expected);
        assert_eq!(p(&changed(&|d| d * 3e-7)), expected);
        let mut turned = differences.clone();
        turned.reverse();
        assert_eq!(p(&turned), expected);
    }

    #[test]
    fn without_an_effect_p_is_as_small_as_it_says_that_often() {
        const REPEATS: usize = 4000;
        let mut draws = Draws::new(11);
        let found: Vec<f64> = (0..REPEATS)
            .map(|_| p(&(0..8).map(|_| draws.normal()).collect::<Vec<f64>>()))
            .collect();
        // All of 8 / 128, 32 / 128, … are attainable, so the share is equal, not only at most.
        for alpha in [0.0625_f64, 0.25, 0.5, 0.75] {
            let share = found.iter().filter(|p| **p <= alpha).count() as f64 / REPEATS as f64;
            let sd = (alpha * (1.0 - alpha) / REPEATS as f64).sqrt();
            assert!((share - alpha).abs() < 4.0 * sd, "P(p ≤ {alpha}) = {share}");
        }
    }

    #[test]
    fn many_seeds_are_drawn_and_say_so() {
        let exact: Vec<f64> = normals(2, 20).iter().map(|z| z + 0.4).collect();
        let found = SignFlip::of(&exact, Resampling::default());
        assert_eq!(found.basis, Basis::Exact);
        // A difference of 0 changes no sum, so drawing must find the enumerated p.
        let mut drawn = exact.clone();
        drawn.push(0.0);
        let again = SignFlip::of(&drawn, Resampling::default());
        assert_eq!(again.basis, Basis::MonteCarlo { draws: DRAWS });
        let sd = (found.p * (1.0 - found.p) / DRAWS as f64).sqrt();
        assert!((again.p - found.p).abs() < 4.0 * sd + 1e-5, "{} {}", again.p, found.p);

        let far = SignFlip::of(&[1.0; 70], Resampling::default());
        assert_eq!(far.p, far.smallest_p);
    }
}
