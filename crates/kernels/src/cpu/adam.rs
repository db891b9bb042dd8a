//! Adam, in one pass over a parameter.

use pulp::Arch;
use rayon::prelude::*;

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

pub(crate) fn update(
    weights: &mut [f32],
    first: &mut [f32],
    second: &mut [f32],
    gradient: &[f32],
    by: Update,
) {
    let Update { beta_1, beta_2, lr, factor, epsilon } = by;
    let parts = weights
        .par_chunks_mut(VALUES_A_JOB)
        .zip(first.par_chunks_mut(VALUES_A_JOB))
        .zip(second.par_chunks_mut(VALUES_A_JOB))
        .zip(gradient.par_chunks(VALUES_A_JOB));
    parts.for_each(|(((weights, first), second), gradient)| {
        Arch::new().dispatch(|| {
            let moments = first.iter_mut().zip(second.iter_mut());
            for ((w, (m, v)), &g) in weights.iter_mut().zip(moments).zip(gradient) {
                *m = *m * beta_1 + g * (1.0 - beta_1);
                *v = *v * beta_2 + g * g * (1.0 - beta_2);
                *w -= *m * factor / (v.sqrt() + epsilon) * lr;
            }
        });
    });
}
