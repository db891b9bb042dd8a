//! Random numbers as a function of a seed and a place: no state, so no order of drawing.
//!
//! splitmix64 (Steele, Lea and Flood 2014) read at any counter. `tests/reference/eval.py` makes the same numbers.

use std::f64::consts::TAU;

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// The draws of one seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noise {
    seed: u64,
}

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Noise { seed }
    }

    /// An independent stream; `self` should then be used for nothing but children.
    pub(crate) fn child(self, index: usize) -> Self {
        Noise { seed: self.bits(index) }
    }

    /// Uniform over all 64-bit values.
    fn bits(self, index: usize) -> u64 {
        let mut z = self.seed.wrapping_add((index as u64).wrapping_add(1).wrapping_mul(GAMMA));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1), 53 bits.
    pub(crate) fn unit(self, index: usize) -> f64 {
        (self.bits(index) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `0..n`, to within n / 2^53.
    pub(crate) fn below(self, index: usize, n: usize) -> usize {
        ((self.unit(index) * n as f64) as usize).min(n - 1)
    }

    /// Normal with mean 0 and variance 1 (Box and Muller 1958), from the uniform draws `2 index` and `2 index + 1`.
    pub(crate) fn gaussian(self, index: usize) -> f64 {
        let (radius, angle) = (self.unit(2 * index), self.unit(2 * index + 1));
        (-2.0 * (1.0 - radius).ln()).sqrt() * (TAU * angle).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_outputs_of_splitmix64() {
        // The published sequence of seed 1234567.
        let noise = Noise::new(1_234_567);
        assert_eq!(noise.bits(0), 6_457_827_717_110_365_317);
        assert_eq!(noise.bits(1), 3_203_168_211_198_807_973);
    }

    #[test]
    fn gaussian_has_the_moments_of_one() {
        let n = 20_000;
        let draws: Vec<f64> = (0..n).map(|i| Noise::new(1).gaussian(i)).collect();
        let moment = |p: i32| draws.iter().map(|v| v.powi(p)).sum::<f64>() / n as f64;
        // Four standard errors: sqrt(1, 2, 96) / sqrt(n).
        assert!(moment(1).abs() < 0.03, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.04, "{}", moment(2));
        assert!((moment(4) - 3.0).abs() < 0.28, "{}", moment(4));
    }

    #[test]
    fn every_value_below_n_and_no_other() {
        let mut seen = [0; 5];
        (0..1000).for_each(|i| seen[Noise::new(7).below(i, 5)] += 1);
        assert!(seen.iter().all(|&count| (140..260).contains(&count)), "{seen:?}");
    }

    #[test]
    fn children_differ() {
        let parent = Noise::new(3);
        assert_ne!(parent.child(0).bits(0), parent.child(1).bits(0));
        assert_ne!(parent.child(0).bits(0), parent.bits(0));
    }
}
