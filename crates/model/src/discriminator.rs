//! The discriminators: PatchGAN of any depth, with a map of verdicts or one an image, and one that
//! sees single pixels.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::activation::leaky_relu;
use burn::tensor::{DType, Tensor};
use kernels::{Activation, FeatureMaps};
use spec::{DiscriminatorKind, ModelConfig, Precision};

use crate::init::InitialWeights;
use crate::layers::{Norm, Pad, biased, computed_in, convolve};

/// Burn's default is 0.01; the reference has 0.2.
const NEGATIVE_SLOPE: f64 = 0.2;

/// Scores overlapping image patches as real or fake (PatchGAN).
///
/// Returns raw scores; the loss applies any sigmoid. `n_layers` stride-2
/// convolutions, one of stride 1, one to a single channel, all 4×4 with zero
/// padding 1; the norm is missing after the first and the last. The pixel kind
/// has three 1×1 convolutions.
///
/// # Source
/// Isola et al. 2017, arXiv:1611.07004 (70×70 patches at `n_layers = 3`);
/// `NLayerDiscriminator` and `PixelDiscriminator` in upstream's models/networks.py.
#[derive(Module, Debug)]
pub struct Discriminator {
    layers: Vec<Conv2d>,
    /// One entry a layer but the last, which is followed by nothing.
    norms: Vec<Norm>,
    /// Zeros around what every convolution sees.
    #[module(skip)]
    padding: usize,
    /// One verdict an image: the mean of its map of scores.
    #[module(skip)]
    averages: bool,
}

/// One convolution of a discriminator.
pub(crate) struct JudgeLayer {
    channels: [usize; 2],
    stride: usize,
    pub(crate) bias: bool,
    /// Whether a norm follows.
    pub(crate) normed: bool,
}

/// The convolutions in order. Upstream's rules: no norm after the first and the last; a bias where
/// no norm follows, except that the pixel kind's last goes with the normed ones.
pub(crate) fn judge_layers(config: &ModelConfig) -> Vec<JudgeLayer> {
    let ndf = config.ndf as usize;
    let n_layers = config.n_layers as usize;
    let is_pixel = config.discriminator == DiscriminatorKind::Pixel;
    let widths: Vec<usize> = match is_pixel {
        true => vec![ndf, ndf * 2],
        false => (0..=n_layers).map(|i| ndf * (1 << i.min(3))).collect(),
    };
    let channels: Vec<usize> = [3].into_iter().chain(widths).chain([1]).collect();
    let last = channels.len() - 2;
    let layer = |i: usize| JudgeLayer {
        channels: [channels[i], channels[i + 1]],
        stride: if !is_pixel && i < n_layers { 2 } else { 1 },
        bias: i == 0 || (i == last && !is_pixel) || biased(config.norm),
        normed: i > 0 && i < last,
    };
    (0..=last).map(layer).collect()
}

impl Discriminator {
    pub fn new(config: &ModelConfig, weights: &InitialWeights<'_>) -> Self {
        let (kernel, padding) = match config.discriminator {
            DiscriminatorKind::Patch | DiscriminatorKind::Image => (4, 1),
            DiscriminatorKind::Pixel => (1, 0),
        };
        let layers = judge_layers(config);
        let conv = |(i, layer): (usize, &JudgeLayer)| {
            let conv = Conv2dConfig::new(layer.channels, [kernel, kernel])
                .with_stride([layer.stride, layer.stride])
                .with_bias(layer.bias)
                .init(weights.device());
            weights.conv(i as u64, conv)
        };
        let norm = |(i, layer): (usize, &JudgeLayer)| match layer.normed {
            true => Norm::new(config.norm, layer.channels[1], i as u64, weights),
            false => Norm::none(),
        };
        let hidden = layers.len() - 1;
        Discriminator {
            layers: layers.iter().enumerate().map(conv).collect(),
            norms: layers[..hidden].iter().enumerate().map(norm).collect(),
            padding,
            averages: config.discriminator == DiscriminatorKind::Image,
        }
    }

    /// # Shapes
    /// - `images`: `[batch, 3, height, width]`, values in `[-1, 1]`
    /// - returns: `[batch, 1, height / 8 - 2, width / 8 - 2]` for `n_layers = 3`;
    ///   the input's height and width for the pixel kind; `[batch, 1, 1, 1]` for the image kind.
    ///   In the precision of `images`, a mean of the image kind in float32
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let (last, hidden) = self.layers.split_last().expect("at least three layers, see new");
        let (pad, leaky) = (Pad::zeros(self.padding), Activation::LeakyRelu(NEGATIVE_SLOPE));
        let mut x = FeatureMaps::of_images(images);
        for (conv, norm) in hidden.iter().zip(&self.norms) {
            x = norm.behind(|activation| convolve(conv, x, pad, activation), leaky);
        }
        self.verdict(convolve(last, x, pad, Activation::Identity))
    }

    /// [`forward`](Self::forward) computed in `precision`; the result and all gradients are float32.
    pub fn forward_in(&self, precision: Precision, images: Tensor<4>) -> Tensor<4> {
        computed_in(precision, images, |images| self.forward(images))
    }

    /// The scores, and the rate at which they change as `images` moves along `along`
    /// (forward-mode differentiation).
    ///
    /// # Shapes
    /// - `images`, `along`: `[batch, 3, height, width]`
    /// - returns: twice what [`forward`](Self::forward) returns
    pub(crate) fn with_rate(&self, images: Tensor<4>, along: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let (last, hidden) = self.layers.split_last().expect("at least three layers, see new");
        let of = |x: Tensor<4>, conv: &Conv2d| {
            let pad = Pad::zeros(self.padding);
            convolve(conv, FeatureMaps::new(x), pad, Activation::Identity)
        };
        let mut x = FeatureMaps::of_images(images).tensor();
        let mut rate = FeatureMaps::of_images(along).tensor();
        for (conv, norm) in hidden.iter().zip(&self.norms) {
            let linear = without_bias(conv);
            (x, rate) = norm.with_rate(of(x, conv).tensor(), of(rate, &linear).tensor());
            let slope = x.clone().greater_elem(0.0).float();
            let slope = slope.mul_scalar(1.0 - NEGATIVE_SLOPE).add_scalar(NEGATIVE_SLOPE);
            (x, rate) = (leaky_relu(x, NEGATIVE_SLOPE), rate * slope);
        }
        (self.verdict(of(x, last)), self.verdict(of(rate, &without_bias(last))))
    }

    fn verdict(&self, scores: FeatureMaps) -> Tensor<4> {
        let scores = scores.into_images();
        // A mean over many scores is not taken in half precision.
        if self.averages { scores.cast(DType::F32).mean_dim(3).mean_dim(2) } else { scores }
    }

    /// Whether an image's scores depend on the others of its batch.
    pub fn mixes_images(&self) -> bool {
        self.norms.iter().any(Norm::mixes_images)
    }
}

/// The linear part of a convolution.
fn without_bias(conv: &Conv2d) -> Conv2d {
    Conv2d { bias: None, ..conv.clone() }
}
