//! The gradient penalty of WGAN-GP (Gulrajani et al. 2017, arXiv:1704.00028, Algorithm 1).
//!
//! It is a function of the gradient of the scores by the *images*, and is itself differentiated
//! by the *weights*: a second derivative, which Burn's autodiff does not take. It is not needed.
//! With g the gradient at an image and v = g / |g| held constant, |g| equals the rate at which
//! the scores change along v, and the two have the same derivative by the weights, since v only
//! turns at right angles to itself. That rate comes out of one forward pass that carries a
//! direction along (forward-mode differentiation), and one backward pass through it is exact.
//!
//! (Upstream's `cal_gradient_penalty` is defined but never called in its CycleGAN.)

use burn::module::Module;
use burn::tensor::Tensor;

use crate::discriminator::Discriminator;

/// `mean((|∇ₓ Σ D(x)| - 1)²)` at `x = alpha · real + (1 - alpha) · fake`, one `alpha` an image;
/// the gradient is of the sum over the map of scores, as in upstream's `cal_gradient_penalty`.
/// Always in float32: it is a difference of nearly equal numbers once it is small.
///
/// # Shapes
/// - `real`, `fake`: `[batch, 3, height, width]` on an autodiff device; no gradient flows to them
/// - `alpha`: `batch` values in `[0, 1)`
/// - returns: `[1]`, ≥ 0, differentiable by the discriminator's weights
///
/// # Panics
/// If there are not as many `alpha` as images.
pub fn gradient_penalty(
    discriminator: &Discriminator,
    real: Tensor<4>,
    fake: Tensor<4>,
    alpha: &[f32],
) -> Tensor<1> {
    let batch = real.dims()[0];
    assert_eq!(alpha.len(), batch, "one alpha an image");
    let device = real.device();
    let alpha = Tensor::<1>::from_data(alpha, &device).reshape([batch, 1, 1, 1]);
    let between = (fake.clone() + alpha * (real - fake)).inner();
    let direction = unit_gradient(discriminator, between.clone());
    let (between, direction) = (Tensor::from_inner(between), Tensor::from_inner(direction));
    let (_, rate) = discriminator.with_rate(between, direction);
    let norm = rate.sum_dim(3).sum_dim(2).reshape([batch]);
    norm.sub_scalar(1.0).square().mean()
}

/// The direction, for each image, in which its scores' sum rises fastest. Both are off the tape.
fn unit_gradient(discriminator: &Discriminator, images: Tensor<4>) -> Tensor<4> {
    let images = Tensor::from_inner(images).require_grad();
    let scores = discriminator.clone().no_grad().forward(images.clone());
    let gradient = images.grad(&scores.sum().backward()).expect("the images are on the tape");
    let squares = gradient.clone().square().sum_dim(3).sum_dim(2).sum_dim(1);
    // Where the gradient is 0 it has no direction, and 0 / tiny says so.
    gradient / squares.sqrt().clamp_min(f32::MIN_POSITIVE)
}
