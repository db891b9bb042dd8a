//! What the networks share: convolutions with the padding, norm and activation that go with them.
//!
//! Burn's modules hold the parameters; what is done with them is `kernels`'.

use burn::module::Module;
use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::nn::{InstanceNorm, InstanceNormConfig};
use burn::tensor::{DType, Tensor};
use kernels::{Activation, Border, Conv, FeatureMaps};
use spec::{NormKind, Padding, Precision};

use crate::init::InitialWeights;

/// Pixels around a picture, and what they hold.
///
/// `Reflect` leaves the edge out (PyTorch's `ReflectionPad2d`) and needs sides longer than `by`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pad {
    by: usize,
    border: Border,
}

impl Pad {
    pub(crate) fn zeros(by: usize) -> Self {
        Pad { by, border: Border::Zero }
    }

    pub(crate) fn new(by: usize, padding: Padding) -> Self {
        let border = match padding {
            Padding::Reflect => Border::Reflect,
            Padding::Replicate => Border::Edge,
            Padding::Zero => Border::Zero,
        };
        Pad { by, border }
    }
}

/// What `network` makes of float32 images that are rounded to `precision`, as float32.
///
/// Every layer keeps the precision of the maps it is given.
pub(crate) fn computed_in(
    precision: Precision,
    images: Tensor<4>,
    network: impl FnOnce(Tensor<4>) -> Tensor<4>,
) -> Tensor<4> {
    match precision {
        Precision::F32 => network(images),
        Precision::Bf16 => network(images.cast(DType::BF16)).cast(DType::F32),
    }
}

/// The convolution with the module's weights and stride; its own padding is not looked at.
pub(crate) fn convolve(
    conv: &Conv2d,
    x: FeatureMaps,
    pad: Pad,
    activation: Activation,
) -> FeatureMaps {
    let how = Conv { stride: conv.stride[0], padding: pad.by, border: pad.border, activation };
    x.conv(conv.weight.val(), conv.bias.as_ref().map(|bias| bias.val()), how)
}

/// The transposed convolution as the module has it.
pub(crate) fn convolve_up(
    conv: &ConvTranspose2d,
    x: FeatureMaps,
    activation: Activation,
) -> FeatureMaps {
    let how =
        Conv { stride: conv.stride[0], padding: conv.padding[0], border: Border::Zero, activation };
    let bias = conv.bias.as_ref().map(|bias| bias.val());
    x.conv_transpose(conv.weight.val(), bias, how, conv.padding_out[0])
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

    /// The norm of what `conv` gives, and the activation behind that. `conv` is told what follows it
    /// directly.
    pub(crate) fn behind(
        &self,
        conv: impl FnOnce(Activation) -> FeatureMaps,
        activation: Activation,
    ) -> FeatureMaps {
        let Some(norm) = &self.norm else { return conv(activation) };
        let x = conv(Activation::Identity);
        let how = kernels::InstanceNorm { epsilon: norm.epsilon, activation };
        let affine = norm.gamma.as_ref().zip(norm.beta.as_ref());
        let affine = affine.map(|(gamma, beta)| (gamma.val(), beta.val()));
        if !self.across_batch {
            return x.instance_norm(affine, how);
        }
        // One tall image holds the batch.
        let [batch, height, width, channels] = x.dims();
        let tall = x.tensor().reshape([1, batch * height, width, channels]);
        let y = FeatureMaps::new(tall).instance_norm(affine, how);
        FeatureMaps::new(y.tensor().reshape([batch, height, width, channels]))
    }

    /// The value at `x` and the rate at which it changes as `x` moves along `along`, all
    /// `[batch, height, width, channels]`.
    ///
    /// With y = (x - mean) / sd the rate is (v - mean(v) - y · mean(y · v)) / sd.
    ///
    /// # Panics
    /// For batch norm, whose rate is not one image's own: `spec` refuses the combination.
    pub(crate) fn with_rate(&self, x: Tensor<4>, along: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let Some(norm) = &self.norm else { return (x, along) };
        assert!(!self.across_batch, "the gradient penalty is per image, checked by spec");
        let mean = |x: Tensor<4>| x.mean_dim(2).mean_dim(1);
        let centred = x.clone() - mean(x);
        let sd = mean(centred.clone().square()).add_scalar(norm.epsilon).sqrt();
        let y = centred / sd.clone();
        let pull = y.clone() * mean(y.clone() * along.clone());
        let rate = (along.clone() - mean(along) - pull) / sd;
        match (&norm.gamma, &norm.beta) {
            (Some(gamma), Some(beta)) => {
                let channels = [1, 1, 1, norm.num_channels];
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
