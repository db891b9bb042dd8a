//! Counter-based randomness: every draw is a function of (seed, purpose, epoch, index).
//!
//! Nothing but the step number has to be saved to repeat or resume a run, and
//! an arm that draws more for one purpose does not shift another purpose's
//! draws: the same seed stays comparable across arms (common random numbers).

/// What a stream of draws is for. Each purpose is independent of all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Initial weights.
    Init,
    /// Order of domain A within an epoch.
    OrderA,
    /// Choice of the image from domain B.
    OrderB,
    /// Crop and flip of the A image.
    AugmentA,
    /// Crop and flip of the B image.
    AugmentB,
    /// Image pool of generated A images.
    PoolA,
    /// Image pool of generated B images.
    PoolB,
    Dropout,
    /// Where between a real and a fake the gradient penalty of disc_a is taken.
    PenaltyA,
    /// Likewise of disc_b.
    PenaltyB,
    /// Images that a recipe draws itself.
    Synthetic,
    /// The cells of a random design.
    Trial,
}

impl Purpose {
    fn tag(self) -> &'static str {
        match self {
            Purpose::Init => "init",
            Purpose::OrderA => "order-a",
            Purpose::OrderB => "order-b",
            Purpose::AugmentA => "augment-a",
            Purpose::AugmentB => "augment-b",
            Purpose::PoolA => "pool-a",
            Purpose::PoolB => "pool-b",
            Purpose::Dropout => "dropout",
            Purpose::PenaltyA => "penalty-a",
            Purpose::PenaltyB => "penalty-b",
            Purpose::Synthetic => "synthetic",
            Purpose::Trial => "trial",
        }
    }
}

/// The draws of one (seed, purpose, epoch, index), in a fixed order.
pub struct Draw {
    stream: blake3::OutputReader,
}

impl Draw {
    pub fn new(seed: u64, purpose: Purpose, epoch: u64, index: u64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("cyclelab 2026 counter-based draws");
        hasher.update(&seed.to_le_bytes());
        hasher.update(purpose.tag().as_bytes());
        hasher.update(&epoch.to_le_bytes());
        hasher.update(&index.to_le_bytes());
        Draw { stream: hasher.finalize_xof() }
    }

    /// Uniform over all 64-bit values.
    pub fn bits(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.stream.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Uniform in [0, 1), 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `0..n`, without modulo bias worth the name (bias < n / 2^64).
    ///
    /// # Panics
    /// If `n` is 0: there is nothing to choose from.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "a draw needs at least one choice");
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// Standard normal, Box–Muller (one draw per call, its twin discarded).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Fisher–Yates permutation of `0..n`.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i as u64 + 1) as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(seed: u64, purpose: Purpose, epoch: u64, index: u64) -> Draw {
        Draw::new(seed, purpose, epoch, index)
    }

    #[test]
    fn draws_do_not_change_between_versions() {
        // Golden: a change here changes every training; raise the training revision with it.
        assert_eq!(draw(1, Purpose::Init, 0, 0).bits(), 11734850127979727197);
        assert_eq!(draw(1, Purpose::OrderA, 2, 3).permutation(6), [3, 1, 0, 5, 4, 2]);
    }

    #[test]
    fn the_same_name_gives_the_same_draws_and_any_other_name_others() {
        let base = draw(1, Purpose::AugmentA, 2, 3).bits();
        assert_eq!(base, draw(1, Purpose::AugmentA, 2, 3).bits());
        let others = [
            draw(2, Purpose::AugmentA, 2, 3).bits(),
            draw(1, Purpose::AugmentB, 2, 3).bits(),
            draw(1, Purpose::AugmentA, 3, 3).bits(),
            draw(1, Purpose::AugmentA, 2, 4).bits(),
            draw(1, Purpose::AugmentA, 3, 2).bits(),
        ];
        assert!(!others.contains(&base));
    }

    #[test]
    fn every_purpose_has_a_stream_of_its_own() {
        let purposes = [
            Purpose::Init,
            Purpose::OrderA,
            Purpose::OrderB,
            Purpose::AugmentA,
            Purpose::AugmentB,
            Purpose::PoolA,
            Purpose::PoolB,
            Purpose::Dropout,
            Purpose::PenaltyA,
            Purpose::PenaltyB,
            Purpose::Synthetic,
            Purpose::Trial,
        ];
        let mut first: Vec<u64> =
            purposes.iter().map(|purpose| draw(7, *purpose, 0, 0).bits()).collect();
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), purposes.len());
    }

    #[test]
    fn drawing_more_for_one_purpose_shifts_no_other() {
        let (mut greedy, mut other) =
            (draw(1, Purpose::PoolA, 0, 0), draw(1, Purpose::PoolB, 0, 0));
        greedy.permutation(1000);
        let first = other.bits();
        greedy.permutation(1000);
        // Golden, taken from the other stream alone.
        assert_eq!([first, other.bits()], [13129013067775779587, 11538169023193205589]);
    }

    #[test]
    fn unit_below_and_normal_have_their_moments() {
        const N: usize = 20_000;
        let mut stream = draw(3, Purpose::Synthetic, 0, 0);
        let units: Vec<f64> = (0..N).map(|_| stream.unit()).collect();
        assert!(units.iter().all(|unit| (0.0..1.0).contains(unit)));
        // The mean of N uniforms has standard deviation 0.29 / √N = 0.002; five of them.
        let mean = units.iter().sum::<f64>() / N as f64;
        assert!((mean - 0.5).abs() < 0.0102, "{mean}");

        let mut counts = [0usize; 7];
        for _ in 0..N {
            counts[stream.below(7) as usize] += 1;
        }
        // Binomial: standard deviation √(N · 1/7 · 6/7) ≈ 49.5; five of them.
        assert!(counts.iter().all(|count| count.abs_diff(N / 7) < 248), "{counts:?}");

        let normals: Vec<f64> = (0..N).map(|_| stream.normal()).collect();
        let mean = normals.iter().sum::<f64>() / N as f64;
        let variance = normals.iter().map(|x| x * x).sum::<f64>() / N as f64;
        // Standard deviations 1 / √N = 0.0071 and √(2 / N) = 0.01; five of each.
        assert!(mean.abs() < 0.036 && (variance - 1.0).abs() < 0.051, "{mean} {variance}");
    }

    #[test]
    fn a_permutation_holds_every_index_once() {
        for n in [0, 1, 2, 17, 500] {
            let mut order = draw(5, Purpose::OrderA, 1, 0).permutation(n);
            if n > 10 {
                assert_ne!(order, (0..n).collect::<Vec<_>>());
            }
            order.sort_unstable();
            assert_eq!(order, (0..n).collect::<Vec<_>>());
        }
    }
}
