//! What is done to pixels channel by channel.

use pulp::Arch;
use rayon::prelude::*;

/// Pixels that are summed before their sum is added to the others'.
const PIXELS_A_SUM: usize = 256;

/// The sum over all pixels, one a channel: the gradient of a bias.
pub(crate) fn sums(values: &[f32], channels: usize) -> Vec<f32> {
    let blocks: Vec<Vec<f32>> = values
        .par_chunks(PIXELS_A_SUM * channels)
        .map(|block| {
            Arch::new().dispatch(|| {
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
    let mut out = vec![0.0; gradient.len()];
    let parts = out.par_chunks_mut(1 << 14).zip(gradient.par_chunks(1 << 14));
    parts.zip(result.par_chunks(1 << 14)).for_each(|((out, gradient), result)| {
        Arch::new().dispatch(|| {
            for ((out, &gradient), &result) in out.iter_mut().zip(gradient).zip(result) {
                *out = if result > 0.0 { gradient } else { gradient * negative_slope };
            }
        });
    });
    out
}
