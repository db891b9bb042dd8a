//! Whether a reconstruction rests on what can be seen in the translation, or on what is hidden in it.
//!
//! A generator can hide its input in amplitudes far below a visible level (Chu et al. 2017, arXiv:1712.02950). Then
//! the reconstruction is excellent from its own float output, and poor once that is rounded and disturbed a little.

use crate::noise::Noise;
use crate::picture_set::{common_size, paired};
use crate::{EvalError, Picture, psnr};

/// Standard deviation of the disturbance, in units of the white level: three of 256 levels.
const SIGMA: f64 = 3.0 / 255.0;

/// Mean PSNR in dB of the reconstructions of one direction's inputs, from three forms of the translation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CycleErrors {
    /// From the float output, as in training.
    pub cyc: f64,
    /// From the output rounded to 256 levels.
    pub cyc_q: f64,
    /// From the rounded output with noise on it.
    pub cyc_r: f64,
}

impl CycleErrors {
    /// How much of the reconstruction hangs on what nobody can see, in dB; about 0 for an honest one.
    pub fn steg_gap(&self) -> f64 {
        self.cyc - self.cyc_r
    }
}

/// The picture rounded to 256 levels, with Gaussian noise of 3 levels on it, clamped to [0, 1], not rounded again.
///
/// Clamped, since the network that reads it never saw anything outside. A function of the picture, the seed and
/// `index`, the picture's place in its fold.
pub fn perturbed(picture: &Picture, seed: u64, index: usize) -> Picture {
    let noise = Noise::new(seed).child(index);
    let rounded = picture.rounded();
    let disturbed =
        |(i, &v): (usize, &f32)| (f64::from(v) + SIGMA * noise.gaussian(i)).clamp(0.0, 1.0) as f32;
    Picture::from_unit(picture.size(), rounded.values().iter().enumerate().map(disturbed).collect())
}

/// Mean over pairs of the PSNR in dB, at most 100.
///
/// # Errors
/// `Unpaired`; `TooFewRows` for no pictures, `PictureSizes`, `NonFinitePixel`.
pub fn mean_psnr(inputs: &[Picture], reconstructions: &[Picture]) -> Result<f64, EvalError> {
    const NAME: &str = "PSNR";
    paired(NAME, inputs.len(), reconstructions.len())?;
    common_size(NAME, &[inputs, reconstructions])?;
    let sum: f64 = inputs.iter().zip(reconstructions).map(|(x, y)| psnr(x, y)).sum();
    Ok(sum / inputs.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lcg;

    #[test]
    fn noise_has_three_levels() {
        let grey = Picture::from_unit(32, vec![0.5; 3 * 32 * 32]);
        let (rounded, noisy) = (grey.rounded(), perturbed(&grey, 1, 0));
        let differences: Vec<f64> = noisy
            .values()
            .iter()
            .zip(rounded.values())
            .map(|(a, b)| f64::from(a - b) * 255.0)
            .collect();
        let n = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / n;
        let deviation = (differences.iter().map(|d| d * d).sum::<f64>() / n).sqrt();
        // Four standard errors of 3072 draws.
        assert!(mean.abs() < 4.0 * 3.0 / n.sqrt(), "{mean}");
        assert!((deviation - 3.0).abs() < 4.0 * 3.0 / (2.0 * n).sqrt(), "{deviation}");
    }

    #[test]
    fn noise_is_seeded_and_stays_a_picture() {
        let x = Picture::from_unit(4, (0..48).map(|i| (i % 2) as f32).collect());
        assert_eq!(perturbed(&x, 1, 2), perturbed(&x, 1, 2));
        assert_ne!(perturbed(&x, 1, 2), perturbed(&x, 1, 3));
        assert_ne!(perturbed(&x, 1, 2), perturbed(&x, 2, 2));
        assert!(perturbed(&x, 1, 2).values().iter().all(|v| (0.0..=1.0).contains(v)));
        // The hidden half level is gone before the noise comes.
        let hidden = x.map(|v| v * 0.5 + 0.1).rounded();
        assert_eq!(perturbed(&hidden.map(|v| v + 0.001), 1, 0), perturbed(&hidden, 1, 0));
    }

    #[test]
    fn means_and_gap() {
        let x = lcg::pictures(2, 4, 1);
        assert_eq!(mean_psnr(&x, &x), Ok(100.0));
        let off: Vec<Picture> = vec![x[0].clone(), x[1].map(|v| v + 0.1)];
        let found = mean_psnr(&x, &off).expect("paired");
        assert!((found - 60.0).abs() < 1e-4, "{found}");
        assert!(matches!(mean_psnr(&x, &x[..1]), Err(EvalError::Unpaired { .. })));
        assert_eq!(CycleErrors { cyc: 30.0, cyc_q: 25.0, cyc_r: 22.0 }.steg_gap(), 8.0);
    }
}
