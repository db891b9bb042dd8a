//! What the networks share: padding modes and norms as the reference has them.

use burn::nn::{InstanceNorm, InstanceNormConfig};
use burn::tensor::ops::PadMode;
use burn::tensor::{Device, Tensor};
use spec::{NormKind, Padding};

/// Pads height and width by `by` on each side.
///
/// `Reflect` leaves the edge out (PyTorch's `ReflectionPad2d`) and needs sides longer than `by`.
pub(crate) fn pad(x: Tensor<4>, by: usize, padding: Padding) -> Tensor<4> {
    let mode = match padding {
        Padding::Reflect => PadMode::Reflect,
        Padding::Replicate => PadMode::Edge,
        Padding::Zero => PadMode::Constant(0.0),
    };
    x.pad((by, by, by, by), mode)
}

/// The norm after a convolution, or nothing.
///
/// Instance norm has no affine part (Burn's default has one), eps 1e-5, and
/// takes its statistics from the image at hand in training and inference alike.
pub(crate) fn norm(kind: NormKind, channels: usize, device: &Device) -> Option<InstanceNorm> {
    match kind {
        NormKind::Instance => {
            Some(InstanceNormConfig::new(channels).with_affine(false).init(device))
        }
        NormKind::None => None,
    }
}

pub(crate) fn apply_norm(norm: &Option<InstanceNorm>, x: Tensor<4>) -> Tensor<4> {
    match norm {
        Some(norm) => norm.forward(x),
        None => x,
    }
}
