//! Before a sweep: what so many seeds can and cannot show.

use crate::interval::Level;
use crate::normal;
use crate::sign_flip::smallest_sign_flip_p;
use crate::students_t::quantile_of_tails;
use crate::verdict::MIN_SEEDS;
use crate::words::{self, plural};

/// Chance of finding the effect that counts as detectable: Cohen's convention.
const POWER: f64 = 0.8;

/// What `n` seeds an arm can show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeedPower {
    pub n: usize,
    pub level: Level,
    /// Comparisons with the baseline that are planned, at least 1.
    pub planned: usize,
    /// The smallest two-sided p of the exact sign-flip test.
    pub smallest_p: f64,
    /// Comparisons that Holm's correction can carry: beyond, not even the
    /// clearest of them can be significant. 0 where not even one can.
    pub comparisons: usize,
    /// Seeds that the planned comparisons need, at least [`MIN_SEEDS`]. `None` where no number is enough.
    pub needed: Option<usize>,
    /// Mean over SD of the paired differences that a paired t test finds in 80
    /// of 100 sweeps, in one comparison. `None` for n < 2.
    pub detectable_d_z: Option<f64>,
    /// Likewise at alpha over the planned comparisons, the strictest of Holm's steps.
    pub detectable_d_z_of_planned: Option<f64>,
    /// Likewise of the sign-flip test, where nothing but all seeds agreeing in
    /// sign can be significant; there it asks for more than the t test.
    /// `None` where other patterns suffice too or none does.
    pub detectable_d_z_by_agreement: Option<f64>,
}

impl SeedPower {
    pub fn of(n: usize, planned: usize, level: Level) -> SeedPower {
        let planned = planned.max(1);
        let strictest = level.alpha() / planned as f64;
        let smallest_p = smallest_sign_flip_p(n);
        let agreement_only =
            reaches(smallest_p, strictest) && !reaches(2.0 * smallest_p, strictest);
        SeedPower {
            n,
            level,
            planned,
            smallest_p,
            comparisons: supported_comparisons(n, level),
            needed: needed_seeds(planned, level),
            detectable_d_z: detectable_d_z(n, level.alpha()),
            detectable_d_z_of_planned: detectable_d_z(n, strictest),
            detectable_d_z_by_agreement: agreement_only
                .then(|| smallest_reaching(|d_z| agreement_power(n, d_z))),
        }
    }

    /// The planned comparisons can lead to a claim.
    pub fn is_enough(&self) -> bool {
        self.needed.is_some_and(|needed| self.n >= needed)
    }

    /// The same in plain words, one line.
    pub fn sentence(&self) -> String {
        let seeds = plural(self.n, "seed");
        let Some(detectable) = self.detectable_d_z else {
            return format!("{seeds}: no spread between seeds, so no interval and no test.");
        };
        let (smallest, alpha) = (words::p(self.smallest_p), words::p(self.level.alpha()));
        let found = format!("an effect must be {detectable:.2} SDs of the paired difference to be");
        if self.is_enough() {
            let mut sentence = format!(
                "{seeds}: the smallest p is {smallest}, so Holm at {alpha} carries up to {} ({} planned); {found} found \
                 with 80 % power by a t test",
                plural(self.comparisons, "comparison"),
                self.planned,
            );
            if let Some(strict) = self.detectable_d_z_of_planned.filter(|_| self.planned > 1) {
                sentence += &format!(", {strict:.2} SDs as the strictest of {}", self.planned);
            }
            if let Some(agreement) = self.detectable_d_z_by_agreement {
                sentence += &format!(
                    "; the exact test asks that all {} seeds agree in sign: {agreement:.2} SDs",
                    self.n
                );
            }
            return sentence + ".";
        }
        let remedy = match self.needed {
            Some(needed) if self.planned == 1 => format!("a test needs {needed} seeds"),
            Some(needed) => format!("{} need {needed} seeds", plural(self.planned, "comparison")),
            None => format!("no number of seeds carries {}", plural(self.planned, "comparison")),
        };
        let limit = if self.comparisons == 0 {
            format!("no exact test can reach p ≤ {alpha} (the smallest p is {smallest})")
        } else {
            format!(
                "the smallest p is {smallest}, which at {alpha} carries {} and not the {} planned",
                plural(self.comparisons, "comparison"),
                self.planned
            )
        };
        format!(
            "{seeds}: {limit}; intervals only, and {found} seen as a {} interval without 0 in 80 of 100 sweeps; {remedy}.",
            self.level.percent()
        )
    }
}

/// Comparisons of `n` paired seeds of which the clearest can be significant
/// after Holm's correction: alpha over the smallest p.
pub(crate) fn supported_comparisons(n: usize, level: Level) -> usize {
    (level.alpha() / smallest_sign_flip_p(n) * (1.0 + 1e-12)) as usize
}

/// Seeds that so many comparisons need before one of them can be significant,
/// at least [`MIN_SEEDS`]. `None` where no number is enough, since beyond 20
/// seeds the smallest p stays (26 214 comparisons at .05).
pub(crate) fn needed_seeds(comparisons: usize, level: Level) -> Option<usize> {
    (MIN_SEEDS..=20).find(|&n| supported_comparisons(n, level) >= comparisons.max(1))
}

/// Probability that a two-sided paired t test of `n` ≥ 2 differences at
/// `alpha` rejects, where their mean is `d_z` standard deviations from 0.
///
/// The tails of the noncentral t, by Simpson's rule over the distribution of
/// the sample SD (in units of the true one): given that, the mean is normal.
///
/// # Panics
/// If `n` < 2 or `alpha` is not in (0, 1): there is no such test.
pub(crate) fn paired_t_power(n: usize, d_z: f64, alpha: f64) -> f64 {
    assert!(n >= 2 && alpha > 0.0 && alpha < 1.0, "no t test of {n} values at {alpha}");
    let df = (n - 1) as f64;
    let limit = quantile_of_tails(alpha, (n - 1) as u32);
    let shift = d_z.abs() * (n as f64).sqrt();
    let rejects = |s: f64| normal::cdf(shift - limit * s) + normal::cdf(-shift - limit * s);

    // s = sqrt(chi² / df), whose SD is about 1 / sqrt(2 df).
    let ln_scale = std::f64::consts::LN_2 + 0.5 * df * (0.5 * df).ln() - libm::lgamma(0.5 * df);
    let density = |s: f64| {
        if s == 0.0 {
            return if df == 1.0 { ln_scale.exp() } else { 0.0 };
        }
        (ln_scale + (df - 1.0) * s.ln() - 0.5 * df * s * s).exp()
    };
    let reach = 12.0 / (2.0 * df).sqrt();
    let (low, high) = ((1.0 - reach).max(0.0), 1.0 + reach);

    // `rejects` falls from 1 to 0 around `edge`, the steeper the stricter the test.
    let edge = shift / limit;
    let ends =
        [low, edge - 9.0 / limit, edge, edge + 9.0 / limit, high].map(|s| s.clamp(low, high));
    ends.windows(2).map(|ends| simpson(|s| rejects(s) * density(s), ends[0], ends[1])).sum()
}

fn simpson(f: impl Fn(f64) -> f64, from: f64, to: f64) -> f64 {
    const STEPS: usize = 400;
    let h = (to - from) / STEPS as f64;
    if h <= 0.0 {
        return 0.0;
    }
    let inner: f64 =
        (1..STEPS).map(|i| f(from + h * i as f64) * if i % 2 == 1 { 4.0 } else { 2.0 }).sum();
    h / 3.0 * (f(from) + inner + f(to))
}

fn detectable_d_z(n: usize, alpha: f64) -> Option<f64> {
    (n >= 2).then(|| smallest_reaching(|d_z| paired_t_power(n, d_z, alpha)))
}

/// Probability that `n` normal differences agree in sign.
fn agreement_power(n: usize, d_z: f64) -> f64 {
    normal::cdf(d_z).powi(n as i32) + normal::cdf(-d_z).powi(n as i32)
}

/// The effect whose power is 80 %; power rises with the effect.
fn smallest_reaching(power: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while power(high) < POWER {
        (low, high) = (high, 2.0 * high);
    }
    while high - low > 1e-9 * high {
        let middle = 0.5 * (low + high);
        if power(middle) < POWER {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// A p of exactly alpha is significant, whatever its last binary digit.
pub(crate) fn reaches(p: f64, alpha: f64) -> bool {
    p <= alpha * (1.0 + 1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVEL: Level = Level::NINETY_FIVE;

    /// scipy's integrals, `tests/reference/stats.py`.
    #[test]
    fn detectable_effects_match_scipy() {
        let found = paired_t_power(10, 1.0, 0.05);
        assert!((found - 0.803096856632722).abs() < 1e-9, "{found}");
        let check = |n, single: f64, of_eight: f64| {
            let found = SeedPower::of(n, 8, LEVEL);
            let pairs = [
                (found.detectable_d_z.expect("n > 1"), single),
                (found.detectable_d_z_of_planned.expect("n > 1"), of_eight),
            ];
            for (found, expected) in pairs {
                assert!((found / expected - 1.0).abs() < 1e-6, "n {n}: {found}, scipy {expected}");
            }
        };
        check(2, 11.5498884358823, 92.3056255294151);
        check(3, 3.26404354969957, 9.26122786783633);
        check(5, 1.68199696595584, 2.97645168256261);
        check(6, 1.43454478203995, 2.34185302215498);
        check(8, 1.15603467799473, 1.73617051832385);
        check(10, 0.996001371455841, 1.43444571854401);
        check(16, 0.749465644509636, 1.02354983172345);
        check(40, 0.45425693968357, 0.594099666463407);
    }

    #[test]
    fn power_without_an_effect_is_alpha_and_rises_to_one() {
        for n in [2, 3, 10, 200] {
            for alpha in [0.05, 1e-4] {
                let none = paired_t_power(n, 0.0, alpha);
                assert!((none / alpha - 1.0).abs() < 1e-6, "n {n}, alpha {alpha}: {none}");
                assert!((paired_t_power(n, 1e5, alpha) - 1.0).abs() < 1e-4, "n {n}");
                assert_eq!(paired_t_power(n, -0.4, alpha), paired_t_power(n, 0.4, alpha));
            }
        }
    }

    #[test]
    fn seeds_carry_so_many_comparisons_and_comparisons_need_so_many_seeds() {
        let check = |n, comparisons| assert_eq!(supported_comparisons(n, LEVEL), comparisons);
        check(0, 0);
        check(3, 0);
        check(5, 0);
        check(6, 1);
        check(8, 6);
        check(10, 25);
        check(20, 26_214);
        check(50, 26_214);
        for comparisons in [1, 2, 6, 7, 25, 26, 26_214] {
            let needed = needed_seeds(comparisons, LEVEL).expect("20 are enough");
            assert!(supported_comparisons(needed, LEVEL) >= comparisons, "{comparisons}");
            assert!(supported_comparisons(needed - 1, LEVEL) < comparisons, "{comparisons}");
        }
        assert_eq!(needed_seeds(26_215, LEVEL), None);
        // At 90 % five seeds could reach p = .0625; a claim waits for the sixth.
        assert_eq!(needed_seeds(1, Level::new(0.9).expect("a level")), Some(6));
    }

    #[test]
    fn agreement_is_asked_of_the_fewest_seeds_only() {
        let of = |n, planned| SeedPower::of(n, planned, LEVEL).detectable_d_z_by_agreement;
        let six = of(6, 1).expect("two of 64 patterns only");
        // P(Z < 1.793) to the sixth is .8.
        assert!((six - 1.793).abs() < 2e-3, "{six}");
        assert_eq!((of(5, 1), of(8, 1), of(10, 1)), (None, None, None));
        assert!(of(10, 25).is_some());
    }

    #[test]
    fn sentences_say_what_cannot_be_shown_first() {
        let check = |n, planned, expected: &str| {
            assert_eq!(SeedPower::of(n, planned, LEVEL).sentence(), expected);
        };
        check(1, 1, "1 seed: no spread between seeds, so no interval and no test.");
        check(
            3,
            1,
            "3 seeds: no exact test can reach p ≤ .05 (the smallest p is .25); intervals only, and an effect must be 3.26 SDs \
             of the paired difference to be seen as a 95 % interval without 0 in 80 of 100 sweeps; a test needs 6 seeds.",
        );
        check(
            6,
            1,
            "6 seeds: the smallest p is .031, so Holm at .05 carries up to 1 comparison (1 planned); an effect must be 1.43 SDs \
             of the paired difference to be found with 80 % power by a t test; the exact test asks that all 6 seeds agree in \
             sign: 1.79 SDs.",
        );
        check(
            6,
            8,
            "6 seeds: the smallest p is .031, which at .05 carries 1 comparison and not the 8 planned; intervals only, and an \
             effect must be 1.43 SDs of the paired difference to be seen as a 95 % interval without 0 in 80 of 100 sweeps; 8 \
             comparisons need 9 seeds.",
        );
        check(
            10,
            8,
            "10 seeds: the smallest p is .002, so Holm at .05 carries up to 25 comparisons (8 planned); an effect must be 1.00 \
             SDs of the paired difference to be found with 80 % power by a t test, 1.43 SDs as the strictest of 8.",
        );
    }
}
