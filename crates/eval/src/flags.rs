//! What went wrong in a run, as far as its numbers can tell.
//!
//! A flag is raised by a number beyond its threshold, never by a missing one.

use std::fmt;

use crate::{AnchorCheck, DiscriminatorEval, Measured, Thresholds};

/// A way in which a run of one direction can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flag {
    /// A loss, gradient, weight or output was not finite.
    Nan,
    /// Different inputs, the same few outputs.
    Collapse,
    /// The output is the input.
    Identity,
    /// The output is the same for every input.
    Constant,
    /// The discriminator tells real from fake almost always, and the generator's loss rises.
    DWin,
    /// The discriminator tells nothing from nothing.
    DDead,
    Blur,
    Noisy,
    Tint,
    /// The reconstruction rests on hidden amplitudes.
    Steg,
    /// Outputs are copies of training images.
    Memorise,
    /// The evaluation itself is broken: known values came out otherwise, or a number is not finite.
    Metric,
}

impl Flag {
    /// As files and columns spell it.
    pub fn name(self) -> &'static str {
        match self {
            Flag::Nan => "nan",
            Flag::Collapse => "collapse",
            Flag::Identity => "identity",
            Flag::Constant => "constant",
            Flag::DWin => "d_win",
            Flag::DDead => "d_dead",
            Flag::Blur => "blur",
            Flag::Noisy => "noisy",
            Flag::Tint => "tint",
            Flag::Steg => "steg",
            Flag::Memorise => "memorise",
            Flag::Metric => "metric",
        }
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whether the run's numbers mislead or it deserves a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The threshold is a proposal, or the fault does not spoil every image.
    Warn,
    /// A number of quality would mislead: nothing can be best by it.
    Fail,
}

/// A flag and why it was raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    pub flag: Flag,
    pub severity: Severity,
    /// Names the value and the threshold.
    pub reason: String,
}

/// The flags that these numbers raise, each at most once, in the order of `Flag`.
///
/// Several reasons for one flag are joined, and the gravest counts.
pub fn flags(measured: &Measured, thresholds: &Thresholds) -> Vec<Raised> {
    let mut found = Findings::default();
    found.training(measured, thresholds);
    found.diversity(measured, thresholds);
    found.translation(measured, thresholds);
    found.looks(measured, thresholds);
    found.environment(measured, thresholds);
    found.raised.sort_by_key(|raised| raised.flag);
    found.raised
}

#[derive(Default)]
struct Findings {
    raised: Vec<Raised>,
}

impl Findings {
    fn raise(&mut self, flag: Flag, severity: Severity, reason: String) {
        match self.raised.iter_mut().find(|raised| raised.flag == flag) {
            Some(raised) => {
                raised.severity = raised.severity.max(severity);
                raised.reason = format!("{}; {reason}", raised.reason);
            }
            None => self.raised.push(Raised { flag, severity, reason }),
        }
    }

    fn training(&mut self, measured: &Measured, limits: &Thresholds) {
        if let Some(what) = &measured.non_finite {
            self.raise(Flag::Nan, Severity::Fail, format!("{what} was not finite"));
        }
        let evals = &measured.discriminator;
        let n_last =
            ((evals.len() as f64 * limits.last_share).ceil() as usize).max(limits.last_least);
        if evals.len() < n_last {
            return;
        }
        let last = &evals[evals.len() - n_last..];
        let slope = slope(last);
        if last.iter().all(|e| e.accuracy > limits.accuracy_won) && slope > 0.0 {
            let reason = format!(
                "D accuracy above {} in the last {n_last} evaluations while G's loss rose by {slope:.3} an evaluation",
                limits.accuracy_won
            );
            self.raise(Flag::DWin, Severity::Warn, reason);
        }
        let dead = |e: &DiscriminatorEval| {
            limits.accuracy_dead.contains(&e.accuracy) && e.output_variance < limits.variance_dead
        };
        if last.iter().all(dead) {
            let (low, high) = (limits.accuracy_dead.start(), limits.accuracy_dead.end());
            let reason = format!(
                "D accuracy between {low} and {high} and variance of its scores below {:.0e} in the last {n_last} \
                 evaluations",
                limits.variance_dead
            );
            self.raise(Flag::DDead, Severity::Warn, reason);
        }
    }

    fn diversity(&mut self, measured: &Measured, limits: &Thresholds) {
        if let Some(ratio) = measured.vendi_ratio {
            if ratio < limits.vendi_fail {
                let reason = format!("Vendi ratio {ratio:.3}, below {}", limits.vendi_fail);
                self.raise(Flag::Collapse, Severity::Fail, reason);
            } else if ratio < limits.vendi_warn {
                let reason = format!("Vendi ratio {ratio:.3}, below {}", limits.vendi_warn);
                self.raise(Flag::Collapse, Severity::Warn, reason);
            }
        }
        if let Some(share) = measured.duplicate_fraction
            && share > limits.duplicates
        {
            let reason =
                format!("{share:.3} of the outputs are duplicates, above {}", limits.duplicates);
            self.raise(Flag::Collapse, Severity::Fail, reason);
        }
        if let (Some(own), Some(partner)) =
            (measured.distance_correlation, measured.partner_correlation)
            && own < limits.correlation_share * partner
        {
            let reason = format!(
                "distance correlation {own:.3}, below {} times the partners' {partner:.3}",
                limits.correlation_share
            );
            self.raise(Flag::Collapse, Severity::Fail, reason);
        }
        if let Some(spread) = measured.relative_spread
            && spread < limits.spread
        {
            let reason =
                format!("outputs vary {spread:.3} as much as targets, below {}", limits.spread);
            self.raise(Flag::Constant, Severity::Fail, reason);
        }
    }

    fn translation(&mut self, measured: &Measured, limits: &Thresholds) {
        if let Some(l1) = measured.l1_to_input
            && l1 < limits.identity_l1
        {
            let near = format!("mean L1 to the input {l1:.4}, below {}", limits.identity_l1);
            match (measured.kid, measured.kid_identity) {
                (Some(kid), Some(identity)) => {
                    let difference = (kid.value - identity.value).abs();
                    if difference <= limits.identity_errors * kid.standard_error {
                        let reason = format!(
                            "{near}, and KID {difference:.4} from the untranslated inputs', within {} standard errors of {:.4}",
                            limits.identity_errors, kid.standard_error
                        );
                        self.raise(Flag::Identity, Severity::Fail, reason);
                    }
                }
                // Half the evidence: between like domains a good translation is small too.
                _ => {
                    self.raise(Flag::Identity, Severity::Warn, format!("{near}; KID not measured"))
                }
            }
        }
        if let Some(gap) = measured.steg_gap
            && gap > limits.steg_gap
        {
            let reason = format!(
                "{gap:.1} dB of the reconstruction are lost under noise of 3 levels, above {}",
                limits.steg_gap
            );
            self.raise(Flag::Steg, Severity::Warn, reason);
        }
        if let Some(share) = measured.memorised_share
            && share > limits.memorised
        {
            let reason = format!(
                "{share:.3} of the outputs are nearer to a training image than real ones are, above {}",
                limits.memorised
            );
            self.raise(Flag::Memorise, Severity::Warn, reason);
        }
    }

    fn looks(&mut self, measured: &Measured, limits: &Thresholds) {
        if let Some(ratio) = measured.high_frequency_ratio {
            if ratio < limits.blur {
                let reason = format!("high-frequency ratio {ratio:.3}, below {}", limits.blur);
                self.raise(Flag::Blur, Severity::Warn, reason);
            }
            if ratio > limits.noisy {
                let reason = format!("high-frequency ratio {ratio:.3}, above {}", limits.noisy);
                self.raise(Flag::Noisy, Severity::Warn, reason);
            }
        }
        if let (Some(distance), Some(floor)) = (measured.colour_distance, measured.colour_floor) {
            let limit = floor.mean + limits.tint_deviations * floor.standard_deviation;
            if distance > limit {
                let reason = format!(
                    "colour distance {distance:.1}, above {limit:.1} (real images {:.1} plus {} deviations)",
                    floor.mean, limits.tint_deviations
                );
                self.raise(Flag::Tint, Severity::Warn, reason);
            }
        }
    }

    fn environment(&mut self, measured: &Measured, limits: &Thresholds) {
        for AnchorCheck { name, found, stored } in &measured.anchors {
            let difference = (found - stored).abs();
            // A NaN is not within anything.
            let within = difference <= limits.anchor * stored.abs();
            if !within {
                let reason = format!(
                    "{name} is {found} and was {stored}, beyond a relative {:.0e}",
                    limits.anchor
                );
                self.raise(Flag::Metric, Severity::Fail, reason);
            }
        }
        // Comparisons with a NaN are false, so it would pass every rule above.
        for (name, value) in measured.numbers() {
            if !value.is_finite() {
                self.raise(Flag::Metric, Severity::Fail, format!("{name} is {value}"));
            }
        }
    }
}

/// Least-squares slope of the generator's loss, a step being one evaluation.
fn slope(evals: &[DiscriminatorEval]) -> f64 {
    let middle = (evals.len() as f64 - 1.0) / 2.0;
    let places = || (0..evals.len()).map(|i| i as f64 - middle);
    let moment: f64 = places().zip(evals).map(|(place, e)| place * e.generator_loss).sum();
    moment / places().map(|place| place * place).sum::<f64>()
}

#[cfg(test)]
mod tests;
