//! Deterministic data of the golden values; `tests/reference/eval.py` makes the same.

use crate::{Features, Picture};

/// `n` values in [0, 1): s ← (1664525 s + 1013904223) mod 2^32, value s / 2^32.
pub(crate) fn values(n: usize, seed: u32) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state) / 4_294_967_296.0
    };
    (0..n).map(|_| next()).collect()
}

/// `n × d` values in [0, 1).
pub(crate) fn features(n: usize, d: usize, seed: u32) -> Features {
    Features::from_flat(d, &values(n * d, seed)).expect("finite")
}

/// The two sets of the golden values: 20 × 6, and 25 × 6 moved and stretched.
pub(crate) fn golden_pair() -> (Features, Features) {
    let other: Vec<f64> = values(25 * 6, 2).iter().map(|v| v * 1.2 + 0.1).collect();
    (features(20, 6, 1), Features::from_flat(6, &other).expect("finite"))
}

/// A picture of random bytes.
pub(crate) fn picture(size: usize, seed: u32) -> Picture {
    let byte = |v: &f64| (v * 256.0) as u8;
    Picture::from_rgb8(size, &values(3 * size * size, seed).iter().map(byte).collect::<Vec<_>>())
}

pub(crate) fn pictures(n: usize, size: usize, first_seed: u32) -> Vec<Picture> {
    (0..n).map(|i| picture(size, first_seed + i as u32)).collect()
}

/// Rings with a little grain: something with low and high frequencies. With the ring
/// `r = (2 (y - 5 - seed)² + (x - 9)²) / 8 mod 400`, rounded down, byte (y, x, channel) is `min(r, 400 - r) + ⌊28 lcg⌋`.
pub(crate) fn rings(size: usize, seed: u32) -> Picture {
    let grain = values(3 * size * size, seed);
    let byte = |i: usize| {
        let (y, x) = ((i / 3 / size) as i64, (i / 3 % size) as i64);
        let ring = (2 * (y - 5 - i64::from(seed)).pow(2) + (x - 9).pow(2)) / 8 % 400;
        (ring.min(400 - ring) + (28.0 * grain[i]) as i64) as u8
    };
    Picture::from_rgb8(size, &(0..3 * size * size).map(byte).collect::<Vec<_>>())
}

pub(crate) fn ring_pictures(n: usize, size: usize, first_seed: u32) -> Vec<Picture> {
    (0..n).map(|i| rings(size, first_seed + i as u32)).collect()
}
