//! Adam, in one pass over a parameter.

use rayon::prelude::*;

use super::shared::{Shared, written};
use super::vectors;

/// What one update takes, with the corrections of the moments' bias worked in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Update {
    pub beta_1: f32,
    pub beta_2: f32,
    pub lr: f32,
    /// `√(1 - beta_2^t) / (1 - beta_1^t)`
    pub factor: f32,
    /// `epsilon · √(1 - beta_2^t)`
    pub epsilon: f32,
}

const VALUES_A_JOB: usize = 1 << 14;

/// The weights after the update; the moments are changed where they lie.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn update(
    weights: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    gradient: &[f32],
    by: Update,
) -> Vec<f32> {
    assert!([first.len(), second.len(), gradient.len()].iter().all(|&n| n == weights.len()));
    let Update { beta_1, beta_2, lr, factor, epsilon } = by;
    let vectors = vectors();
    let fill = |out: Shared<'_>| {
        let parts = weights
            .par_chunks(VALUES_A_JOB)
            .zip(first.par_chunks_mut(VALUES_A_JOB))
            .zip(second.par_chunks_mut(VALUES_A_JOB))
            .zip(gradient.par_chunks(VALUES_A_JOB));
        parts.enumerate().for_each(|(job, (((weights, first), second), gradient))| {
            // SAFETY: jobs do not meet.
            let out = unsafe { out.part(job * VALUES_A_JOB, weights.len()) };
            vectors.dispatch(|| {
                let moments = first.chunks_mut(LANES).zip(second.chunks_mut(LANES));
                let values = weights.chunks(LANES).zip(gradient.chunks(LANES));
                for (at, ((weights, gradient), (first, second))) in values.zip(moments).enumerate()
                {
                    let mut after = [0.0; LANES];
                    let moments = first.iter_mut().zip(second);
                    let values = weights.iter().zip(gradient);
                    for (after, ((&w, &g), (m, v))) in after.iter_mut().zip(values.zip(moments)) {
                        *m = *m * beta_1 + g * (1.0 - beta_1);
                        *v = *v * beta_2 + g * g * (1.0 - beta_2);
                        *after = w - *m * factor / (v.sqrt() + epsilon) * lr;
                    }
                    out.write_at(at * LANES, &after[..weights.len()]);
                }
            });
        });
    };
    // SAFETY: the jobs are all of it.
    unsafe { written(weights.len(), fill) }
}

const LANES: usize = 64;
