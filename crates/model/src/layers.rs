//! What the networks share: padding modes and norms as the reference has them.

use burn::module::Module;
use burn::nn::{InstanceNorm, InstanceNormConfig};
use burn::tensor::Tensor;
use burn::tensor::ops::PadMode;
use spec::{NormKind, Padding};

use crate::init::InitialWeights;

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
/// Instance norm has no affine part unless asked for (Burn's default has one). All kinds have
/// eps 1e-5 and take their statistics from the images at hand, in training and inference alike.
#[derive(Module, Debug)]
pub(crate) struct Norm {
    norm: Option<InstanceNorm>,
    /// Statistics over the whole batch instead of one image.
    #[module(skip)]
    across_batch: bool,
}

impl Norm {
    pub(crate) fn none() -> Self {
        Norm { norm: None, across_batch: false }
    }

    /// `layer` keys the initial scale of an affine norm.
    pub(crate) fn new(
        kind: NormKind,
        channels: usize,
        layer: u64,
        weights: &InitialWeights<'_>,
    ) -> Self {
        let instance =
            |affine| InstanceNormConfig::new(channels).with_affine(affine).init(weights.device());
        let norm = match kind {
            NormKind::Instance => Some(instance(false)),
            NormKind::InstanceAffine | NormKind::Batch => Some(weights.norm(layer, instance(true))),
            NormKind::None => None,
        };
        Norm { norm, across_batch: kind == NormKind::Batch }
    }

    /// Whether an image's result depends on the others of its batch.
    pub(crate) fn mixes_images(&self) -> bool {
        self.across_batch
    }

    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match &self.norm {
            None => x,
            Some(norm) if self.across_batch => {
                // One tall image holds the batch, channel by channel.
                let [batch, channels, height, width] = x.dims();
                let tall = x.swap_dims(0, 1).reshape([1, channels, batch * height, width]);
                let y = norm.forward(tall).reshape([channels, batch, height, width]);
                y.swap_dims(0, 1)
            }
            Some(norm) => norm.forward(x),
        }
    }

    /// The value at `x` and the rate at which it changes as `x` moves along `along`.
    ///
    /// With y = (x - mean) / sd the rate is (v - mean(v) - y · mean(y · v)) / sd.
    ///
    /// # Panics
    /// For batch norm, whose rate is not one image's own: `spec` refuses the combination.
    pub(crate) fn with_rate(&self, x: Tensor<4>, along: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let Some(norm) = &self.norm else { return (x, along) };
        assert!(!self.across_batch, "the gradient penalty is per image, checked by spec");
        let mean = |x: Tensor<4>| x.mean_dim(3).mean_dim(2);
        let centred = x.clone() - mean(x);
        let sd = mean(centred.clone().square()).add_scalar(norm.epsilon).sqrt();
        let y = centred / sd.clone();
        let pull = y.clone() * mean(y.clone() * along.clone());
        let rate = (along.clone() - mean(along) - pull) / sd;
        match (&norm.gamma, &norm.beta) {
            (Some(gamma), Some(beta)) => {
                let channels = [1, norm.num_channels, 1, 1];
                let gamma = gamma.val().reshape(channels);
                (y * gamma.clone() + beta.val().reshape(channels), rate * gamma)
            }
            _ => (y, rate),
        }
    }
}

/// Whether convolutions that a norm follows have a bias (upstream's `use_bias`).
///
/// Upstream drops it for batch norm only by intent; that it also does so without any norm is a
/// slip we do not follow: a layer would have neither.
pub(crate) fn biased(norm: NormKind) -> bool {
    norm != NormKind::Batch
}
