//! How far from doing nothing to perfect: a score that compares across data sets.

use crate::Estimate;

/// Two anchors this many standard errors of their difference apart are separate.
const SEPARATION: f64 = 2.0;

/// The anchors are too close for a gain to mean anything.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{}: no gain can be told", self.in_words())]
pub struct Unseparated {
    /// KID of the identity minus KID of the oracle.
    pub gap: f64,
    /// Of that difference, taking the two as independent.
    pub standard_error: f64,
}

impl Unseparated {
    fn in_words(&self) -> String {
        let Unseparated { gap, standard_error } = self;
        match *gap < -SEPARATION * standard_error {
            true => format!(
                "the untranslated inputs are nearer to the reference than other real images are, by {:.2e} ± \
                 {standard_error:.2e}; is it of the wrong domain?",
                -gap
            ),
            false => format!(
                "the untranslated inputs are {gap:.2e} farther from the reference than other real images are, less than \
                 {SEPARATION} standard errors of {standard_error:.2e}"
            ),
        }
    }
}

/// g = 1 - (KID - KID_oracle) / (KID_identity - KID_oracle): 0 for untranslated inputs, 1 for the true partners, below 0
/// for worse than nothing. May pass 1 by chance.
///
/// All three against the same reference and on the same fold. The standard error is the output's alone, by the
/// delta method: SE(KID) / (KID_identity - KID_oracle). The anchors are fixed by data set and fold, so their errors are
/// the same in every run compared; they change the scale of g, not which run is better. It is no error bar for
/// "g = 0.5 on all such images".
///
/// # Errors
/// `Unseparated` if the identity is not 2 joint standard errors worse than the oracle, or a number is not finite.
pub fn gain(kid: Estimate, identity: Estimate, oracle: Estimate) -> Result<Estimate, Unseparated> {
    let gap = identity.value - oracle.value;
    let standard_error = identity.standard_error.hypot(oracle.standard_error);
    // Written so that a NaN does not pass.
    if !(gap > 0.0 && gap >= SEPARATION * standard_error && gap.is_finite()) {
        return Err(Unseparated { gap, standard_error });
    }
    Ok(Estimate {
        value: 1.0 - (kid.value - oracle.value) / gap,
        standard_error: kid.standard_error / gap,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kid, lcg};

    fn estimate(value: f64, standard_error: f64) -> Estimate {
        Estimate { value, standard_error }
    }

    #[test]
    fn anchors_are_zero_and_one() {
        let (identity, oracle) = (estimate(0.36, 0.02), estimate(0.01, 0.008));
        let check = |kid: Estimate, value: f64, error: f64| {
            let found = gain(kid, identity, oracle).expect("separate");
            assert!((found.value - value).abs() < 1e-12, "{found:?}");
            assert!((found.standard_error - error).abs() < 1e-12, "{found:?}");
        };
        check(identity, 0.0, 0.02 / 0.35);
        check(oracle, 1.0, 0.008 / 0.35);
        check(estimate(0.185, 0.035), 0.5, 0.1);
        check(estimate(0.71, 0.0), -1.0, 0.0);
    }

    #[test]
    fn silent_where_the_anchors_do_not_separate() {
        let check = |identity, oracle| gain(estimate(0.1, 0.01), identity, oracle).is_err();
        assert!(check(estimate(0.04, 0.02), estimate(0.01, 0.01)));
        assert!(check(estimate(0.01, 0.0), estimate(0.04, 0.0)), "the wrong way round");
        assert!(check(estimate(0.01, 0.0), estimate(0.01, 0.0)));
        assert!(check(estimate(f64::NAN, 0.0), estimate(0.01, 0.0)));
        assert!(check(estimate(0.4, f64::NAN), estimate(0.01, 0.0)));
        assert!(!check(estimate(0.06, 0.02), estimate(0.01, 0.01)));
    }

    /// With features instead of made-up numbers: outputs between two distributions gain in between.
    #[test]
    fn half_way_is_in_between() {
        let shifted = |seed, shift: f64| {
            let values: Vec<f64> = lcg::values(60 * 6, seed).iter().map(|v| v + shift).collect();
            crate::Features::from_flat(6, &values).expect("finite")
        };
        let reference = shifted(1, 0.0);
        let score = |seed, shift| kid(&shifted(seed, shift), &reference).expect("enough rows");
        let found = gain(score(2, 0.3), score(3, 0.6), score(4, 0.0)).expect("separate");
        assert!((0.5..0.95).contains(&found.value), "{found:?}");
        assert!(found.standard_error > 0.0 && found.standard_error < 0.3, "{found:?}");
    }
}
