//! The adversarial losses, as functions of raw scores.
//!
//! | `gan_mode` | discriminator, on real scores r and fake scores f | generator |
//! |---|---|---|
//! | `vanilla` | `mean(softplus(-r)) + mean(softplus(f))` (paper Eq. 1) | `mean(softplus(-f))` |
//! | `lsgan` | `mean((r - 1)²) + mean(f²)` (paper §4) | `mean((f - 1)²)` |
//! | `hinge` | `mean(relu(1 - r)) + mean(relu(1 + f))` (Lim & Ye 2017) | `-mean(f)` |
//! | `wgan-gp` | `-mean(r) + mean(f)`, and the gradient penalty (Gulrajani et al. 2017) | `-mean(f)` |
//!
//! Means go over batch and patches. `vanilla` is binary cross entropy with logits, in its stable
//! form; the generator's is the non-saturating one.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use spec::GanMode;

/// What a discriminator is trained to lessen.
///
/// # Shapes
/// - `of_real`, `of_fake`: `[batch, 1, height, width]`, any value
/// - returns: `[1]`; ≥ 0 except for `wgan-gp`
pub fn discriminator_loss(mode: GanMode, of_real: Tensor<4>, of_fake: Tensor<4>) -> Tensor<1> {
    match mode {
        GanMode::Vanilla => softplus(of_real.neg()).mean() + softplus(of_fake).mean(),
        GanMode::Lsgan => of_real.sub_scalar(1.0).square().mean() + of_fake.square().mean(),
        GanMode::Hinge => {
            relu(of_real.neg().add_scalar(1.0)).mean() + relu(of_fake.add_scalar(1.0)).mean()
        }
        GanMode::WganGp => of_real.mean().neg() + of_fake.mean(),
    }
}

/// What a generator is trained to lessen, given the scores of its images.
///
/// # Shapes
/// - `of_fake`: `[batch, 1, height, width]`, any value
/// - returns: `[1]`
pub fn generator_loss(mode: GanMode, of_fake: Tensor<4>) -> Tensor<1> {
    match mode {
        GanMode::Vanilla => softplus(of_fake.neg()).mean(),
        GanMode::Lsgan => of_fake.sub_scalar(1.0).square().mean(),
        GanMode::Hinge | GanMode::WganGp => of_fake.mean().neg(),
    }
}

/// `ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|)`, with `max(z, 0)` as `(z + |z|) / 2`: the same
/// number, and the gradient 1/2 at 0, where a ReLU has none and a judge would never start.
fn softplus(z: Tensor<4>) -> Tensor<4> {
    let size = z.clone().abs();
    (z + size.clone()).mul_scalar(0.5) + size.neg().exp().log1p()
}
