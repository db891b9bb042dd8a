//! The numbers from which flags are raised.

use crate::Estimate;

/// One look at the discriminator during training, on held-out images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiscriminatorEval {
    /// Share of the patches of real and of fake images that are on the right side, half each (against 0.5 for least squares,
    /// else 0), in [0, 1].
    pub accuracy: f64,
    /// The generator's adversarial loss at the same step.
    pub generator_loss: f64,
    /// Variance over images, real and fake, of the discriminator's mean score of an image.
    pub output_variance: f64,
}

/// What real images score on a metric, over splits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Floor {
    pub mean: f64,
    pub standard_deviation: f64,
}

/// A value that is known beforehand, computed again.
#[derive(Debug, Clone, PartialEq)]
pub struct AnchorCheck {
    pub name: String,
    pub found: f64,
    pub stored: f64,
}

/// What was measured of one direction; what was not is `None` or empty, and raises nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// What was not finite during training, in words.
    pub non_finite: Option<String>,
    pub vendi_ratio: Option<f64>,
    pub duplicate_fraction: Option<f64>,
    /// Of the outputs with their inputs.
    pub distance_correlation: Option<f64>,
    /// Of the true partners with the same inputs.
    pub partner_correlation: Option<f64>,
    /// Mean L1 between outputs and their inputs, in [0, 1].
    pub l1_to_input: Option<f64>,
    pub kid: Option<Estimate>,
    /// Of the untranslated inputs.
    pub kid_identity: Option<Estimate>,
    pub relative_spread: Option<f64>,
    /// In the order of training.
    pub discriminator: Vec<DiscriminatorEval>,
    pub high_frequency_ratio: Option<f64>,
    pub colour_distance: Option<f64>,
    pub colour_floor: Option<Floor>,
    /// dB.
    pub steg_gap: Option<f64>,
    pub memorised_share: Option<f64>,
    pub anchors: Vec<AnchorCheck>,
}

impl Measured {
    /// Every number that is there, with its name.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let single = [
            ("vendi_ratio", self.vendi_ratio),
            ("duplicate_fraction", self.duplicate_fraction),
            ("distance_correlation", self.distance_correlation),
            ("partner_correlation", self.partner_correlation),
            ("l1_to_input", self.l1_to_input),
            ("kid", self.kid.map(|kid| kid.value)),
            ("standard error of kid", self.kid.map(|kid| kid.standard_error)),
            ("kid_identity", self.kid_identity.map(|kid| kid.value)),
            ("relative_spread", self.relative_spread),
            ("high_frequency_ratio", self.high_frequency_ratio),
            ("colour_distance", self.colour_distance),
            ("colour_floor", self.colour_floor.map(|floor| floor.mean + floor.standard_deviation)),
            ("steg_gap", self.steg_gap),
            ("memorised_share", self.memorised_share),
        ];
        let of_eval = |e: &DiscriminatorEval| {
            [
                ("D accuracy", e.accuracy),
                ("G loss", e.generator_loss),
                ("variance of D's scores", e.output_variance),
            ]
        };
        let series = self.discriminator.iter().flat_map(of_eval);
        single.into_iter().filter_map(|(name, value)| Some((name, value?))).chain(series)
    }
}
