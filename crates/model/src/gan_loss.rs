//! The adversarial losses.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use spec::GanMode;

/// Distance of raw scores from the verdict "real" (or "fake"), a mean over batch and patches.
///
/// - `Lsgan`: `mean((score - target)²)`, target 1 or 0 (paper §4)
/// - `Vanilla`: binary cross entropy with logits (paper Eq. 1), in its stable form
///
/// # Shapes
/// - `scores`: `[batch, 1, height, width]`, any value
/// - returns: `[1]`, ≥ 0
pub fn gan_loss(mode: GanMode, scores: Tensor<4>, real: bool) -> Tensor<1> {
    match mode {
        GanMode::Lsgan => {
            let target = if real { 1.0 } else { 0.0 };
            scores.sub_scalar(target).square().mean()
        }
        GanMode::Vanilla => {
            // -ln sigmoid(z) = max(-z, 0) + ln(1 + e^-|z|); for "fake" z changes sign.
            let z = if real { scores.neg() } else { scores };
            (relu(z.clone()) + z.abs().neg().exp().log1p()).mean()
        }
    }
}
