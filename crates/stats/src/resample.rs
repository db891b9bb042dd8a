//! Draws for resampling, from a seed: the same report twice has the same digits.

/// How often to resample, and from which seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling {
    pub resamples: usize,
    pub seed: u64,
}

impl Default for Resampling {
    /// 10 000 resamples leave about 2 % of an interval's half width to chance.
    /// The seed is arbitrary and fixed.
    fn default() -> Self {
        Resampling { resamples: 10_000, seed: 0x5eed }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): equal on every machine and in every
/// version, which a general generator's crate does not promise.
pub(crate) struct Draws {
    state: u64,
}

impl Draws {
    pub(crate) fn new(seed: u64) -> Draws {
        Draws { state: seed }
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in `0..n`, `n` > 0, with a bias below n / 2^64.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// As many of `values` as there are, with replacement, into `drawn`.
    pub(crate) fn resample(&mut self, values: &[f64], drawn: &mut Vec<f64>) {
        drawn.extend((0..values.len()).map(|_| values[self.below(values.len())]));
    }

    /// Standard normal, Box–Muller.
    #[cfg(test)]
    pub(crate) fn normal(&mut self) -> f64 {
        let unit = |bits: u64| (bits >> 11) as f64 / (1u64 << 53) as f64;
        let radius = (-2.0 * (1.0 - unit(self.bits())).ln()).sqrt();
        radius * (std::f64::consts::TAU * unit(self.bits())).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_those_of_splitmix64() {
        // The first outputs of the published algorithm from state 1234567.
        let mut draws = Draws::new(1_234_567);
        let found: Vec<u64> = (0..3).map(|_| draws.bits()).collect();
        assert_eq!(found, [6457827717110365317, 3203168211198807973, 9817491932198370423]);
    }

    #[test]
    fn below_is_even() {
        let (mut draws, mut counts) = (Draws::new(1), [0usize; 7]);
        for _ in 0..70_000 {
            counts[draws.below(7)] += 1;
        }
        // Binomial, standard deviation 93; five of them.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 465), "{counts:?}");
    }
}
