//! From which value on something is wrong.

use std::ops::RangeInclusive;

/// The limits behind the flags. The defaults were measured on emoji and relief maps of 32 to 64 px with 120 images; those
/// marked *proposed* await calibration.
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds {
    /// Vendi ratio below which outputs collapsed. Real images: 1.00 ± 0.14; half of them duplicated: 0.6.
    pub vendi_fail: f64,
    /// Vendi ratio below which they may have: two deviations of real images below 1.
    pub vendi_warn: f64,
    /// Share of duplicated outputs above which they collapsed. Real images: at most 0.01.
    pub duplicates: f64,
    /// Distance correlation below this share of the true partners' own: outputs ignore their inputs. Absolute
    /// values differ between data sets; the partners had 0.53, thirty modes 0.08.
    pub correlation_share: f64,
    /// Mean L1 in [0, 1] to the input below which it was copied.
    pub identity_l1: f64,
    /// Standard errors within which the outputs' KID is that of the untranslated inputs.
    pub identity_errors: f64,
    /// Spread over outputs, relative to targets, below which the output is constant.
    pub spread: f64,
    /// Held-out accuracy above which the discriminator won. *Proposed.*
    pub accuracy_won: f64,
    /// Held-out accuracy within which it guesses. *Proposed.*
    pub accuracy_dead: RangeInclusive<f64>,
    /// Variance of its scores below which it says nothing. *Proposed.*
    pub variance_dead: f64,
    /// Share of the evaluations, the last ones, in which it must have won or died.
    pub last_share: f64,
    /// Fewest of those for a verdict: a slope needs three points.
    pub last_least: usize,
    /// High-frequency ratio below which outputs are blurred. Blur of 1 px: 0.36 to 0.64; real: 1.04 ± 0.08.
    pub blur: f64,
    /// High-frequency ratio above which they are noisy. Noise of 10 levels: 1.48 to 1.65.
    pub noisy: f64,
    /// Standard deviations by which the colour distance may exceed that of real images.
    pub tint_deviations: f64,
    /// dB of the reconstruction that hang on hidden amplitudes. *Proposed.*
    pub steg_gap: f64,
    /// Share of outputs nearer to training images than real ones are; real: 0.01. *Proposed.*
    pub memorised: f64,
    /// Relative difference within which an anchor is what it was when stored.
    pub anchor: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds {
            vendi_fail: 0.5,
            vendi_warn: 0.75,
            duplicates: 0.2,
            correlation_share: 0.4,
            identity_l1: 0.02,
            identity_errors: 2.0,
            spread: 0.1,
            accuracy_won: 0.98,
            accuracy_dead: 0.48..=0.52,
            variance_dead: 1e-4,
            last_share: 0.2,
            last_least: 3,
            blur: 0.7,
            noisy: 1.35,
            tint_deviations: 5.0,
            steg_gap: 6.0,
            memorised: 0.1,
            anchor: 1e-3,
        }
    }
}
