//! What is done to pixels channel by channel.

use rayon::prelude::*;

use super::shared::{Shared, written};
use super::vectors;

/// Pixels that are summed before their sum is added to the others'.
const PIXELS_A_SUM: usize = 256;

/// The sum over all pixels, one a channel: the gradient of a bias.
pub(crate) fn sums(values: &[f32], channels: usize) -> Vec<f32> {
    let blocks: Vec<Vec<f32>> = values
        .par_chunks(PIXELS_A_SUM * channels)
        .map(|block| {
            vectors().dispatch(|| {
                let mut sum = vec![0.0; channels];
                for pixel in block.chunks_exact(channels) {
                    sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
                }
                sum
            })
        })
        .collect();
    let mut total = vec![0.0; channels];
    for block in blocks {
        total.iter_mut().zip(block).for_each(|(total, sum)| *total += sum);
    }
    total
}

/// The gradient before an activation from that behind it: scaled where the result is not above zero.
pub(crate) fn before_activation(gradient: &[f32], result: &[f32], negative_slope: f32) -> Vec<f32> {
    assert_eq!(gradient.len(), result.len());
    let arch = vectors();
    let fill = |out: Shared<'_>| {
        let parts = gradient.par_chunks(VALUES_A_JOB).zip(result.par_chunks(VALUES_A_JOB));
        parts.enumerate().for_each(|(job, (gradient, result))| {
            // SAFETY: jobs do not meet.
            let out = unsafe { out.part(job * VALUES_A_JOB, gradient.len()) };
            arch.dispatch(|| {
                let pairs = gradient.chunks(LANES).zip(result.chunks(LANES));
                for (at, (gradient, result)) in pairs.enumerate() {
                    let mut before = [0.0; LANES];
                    for ((before, &g), &y) in before.iter_mut().zip(gradient).zip(result) {
                        *before = if y > 0.0 { g } else { scaled(g, negative_slope) };
                    }
                    out.write_at(at * LANES, &before[..gradient.len()]);
                }
            });
        });
    };
    // SAFETY: the jobs are all of it.
    unsafe { written(gradient.len(), fill) }
}

const VALUES_A_JOB: usize = 1 << 14;
const LANES: usize = 64;

/// The activation: what is below zero, scaled. What is no number stays so.
#[inline(always)]
pub(crate) fn bend(value: f32, negative_slope: f32) -> f32 {
    if value < 0.0 { scaled(value, negative_slope) } else { value }
}

/// Times the slope, and 0 times infinity is 0.
#[inline(always)]
pub(crate) fn scaled(value: f32, slope: f32) -> f32 {
    if slope == 0.0 { 0.0 } else { value * slope }
}
