//! The residual generator (Johnson et al. 2016, as in CycleGAN §4 and §7.2).

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Tensor;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use kernels::{Activation, FeatureMaps};
use spec::{ModelConfig, Padding, Upsample};

use crate::init::InitialWeights;
use crate::layers::{Norm, Pad, biased, convolve, convolve_up};

/// Translates images of one domain into the other.
///
/// 7×7 stem, two stride-2 convolutions, `n_blocks` residual blocks, two
/// up-sampling steps, 7×7 head, tanh. Down-sampling pads with zeros, the rest
/// with `padding`.
///
/// # Source
/// `ResnetGenerator` in upstream's models/networks.py.
#[derive(Module, Debug)]
pub struct ResnetGenerator {
    stem: Conv2d,
    stem_norm: Norm,
    down: Vec<Conv2d>,
    down_norm: Vec<Norm>,
    blocks: Vec<ResnetBlock>,
    up: Vec<UpsampleLayer>,
    up_norm: Vec<Norm>,
    head: Conv2d,
    #[module(skip)]
    padding: Padding,
}

/// Layer numbers key the initial weights; the blocks lie between, so that a
/// deeper generator shares stem, head and its first blocks with a shallower one.
const STEM: u64 = 0;
const DOWN: u64 = 10;
const UP: u64 = 20;
const HEAD: u64 = 30;
const BLOCKS: u64 = 100;

impl ResnetGenerator {
    pub fn new(config: &ModelConfig, weights: &InitialWeights<'_>) -> Self {
        let ngf = config.ngf as usize;
        let widths = [ngf, ngf * 2, ngf * 4];
        let norm_of = |channels, layer| Norm::new(config.norm, channels, layer, weights);
        let outer = |channels: [usize; 2]| Conv2dConfig::new(channels, [7, 7]);
        let bias = biased(config.norm);
        let down = |i: usize| {
            let conv = Conv2dConfig::new([widths[i], widths[i + 1]], [3, 3])
                .with_stride([2, 2])
                .with_bias(bias)
                .init(weights.device());
            weights.conv(DOWN + i as u64, conv)
        };
        ResnetGenerator {
            stem: weights.conv(STEM, outer([3, ngf]).with_bias(bias).init(weights.device())),
            stem_norm: norm_of(ngf, STEM),
            down: (0..2).map(down).collect(),
            down_norm: (0..2).map(|i| norm_of(widths[i + 1], DOWN + i as u64)).collect(),
            blocks: (0..u64::from(config.n_blocks))
                .map(|i| ResnetBlock::new(config, BLOCKS + 2 * i, weights))
                .collect(),
            up: (0..2)
                .map(|i| {
                    let channels = [widths[2 - i], widths[1 - i]];
                    UpsampleLayer::new(config, channels, UP + i as u64, weights)
                })
                .collect(),
            up_norm: (0..2).map(|i| norm_of(widths[1 - i], UP + i as u64)).collect(),
            head: weights.conv(HEAD, outer([ngf, 3]).init(weights.device())),
            padding: config.padding,
        }
    }

    /// # Shapes
    /// - `images`: `[batch, 3, height, width]` in `[-1, 1]`; sides divisible by 4
    /// - returns: the same shape, in `[-1, 1]`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let (wide, relu) = (Pad::new(3, self.padding), Activation::Relu);
        let x = FeatureMaps::of_images(images);
        let mut x = self.stem_norm.behind(|then| convolve(&self.stem, x, wide, then), relu);
        for (conv, norm) in self.down.iter().zip(&self.down_norm) {
            x = norm.behind(|then| convolve(conv, x, Pad::zeros(1), then), relu);
        }
        for block in &self.blocks {
            x = block.forward(x);
        }
        for (layer, norm) in self.up.iter().zip(&self.up_norm) {
            x = norm.behind(|then| layer.forward(x, then), relu);
        }
        convolve(&self.head, x, wide, Activation::Identity).into_images().tanh()
    }

    pub(crate) fn mixes_images(&self) -> bool {
        self.stem_norm.mixes_images()
    }
}

/// `x + conv(relu(conv(x)))`, without a ReLU after the sum.
#[derive(Module, Debug)]
struct ResnetBlock {
    first: Conv2d,
    first_norm: Norm,
    dropout: Dropout,
    second: Conv2d,
    second_norm: Norm,
    #[module(skip)]
    padding: Padding,
}

impl ResnetBlock {
    fn new(config: &ModelConfig, layer: u64, weights: &InitialWeights<'_>) -> Self {
        let channels = config.ngf as usize * 4;
        let conv = || {
            Conv2dConfig::new([channels, channels], [3, 3])
                .with_bias(biased(config.norm))
                .init(weights.device())
        };
        ResnetBlock {
            first: weights.conv(layer, conv()),
            first_norm: Norm::new(config.norm, channels, layer, weights),
            dropout: DropoutConfig::new(config.dropout).init(),
            second: weights.conv(layer + 1, conv()),
            second_norm: Norm::new(config.norm, channels, layer + 1, weights),
            padding: config.padding,
        }
    }

    fn forward(&self, x: FeatureMaps) -> FeatureMaps {
        let pad = Pad::new(1, self.padding);
        let y = x.clone();
        let y =
            self.first_norm.behind(|then| convolve(&self.first, y, pad, then), Activation::Relu);
        let y = FeatureMaps::new(self.dropout.forward(y.tensor()));
        let y = self
            .second_norm
            .behind(|then| convolve(&self.second, y, pad, then), Activation::Identity);
        FeatureMaps::new(x.tensor() + y.tensor())
    }
}

/// Doubles height and width.
#[derive(Module, Debug)]
enum UpsampleLayer {
    Transpose(ConvTranspose2d),
    Resize(ResizeConv),
}

/// Interpolation, then a reflection-padded 3×3 convolution: upstream's answer to checkerboards.
#[derive(Module, Debug)]
struct ResizeConv {
    conv: Conv2d,
    #[module(skip)]
    mode: InterpolateMode,
}

impl UpsampleLayer {
    fn new(
        config: &ModelConfig,
        channels: [usize; 2],
        layer: u64,
        weights: &InitialWeights<'_>,
    ) -> Self {
        let bias = biased(config.norm);
        let resize = |mode| {
            let conv = Conv2dConfig::new(channels, [3, 3]).with_bias(bias).init(weights.device());
            UpsampleLayer::Resize(ResizeConv { conv: weights.conv(layer, conv), mode })
        };
        match config.upsample {
            Upsample::Nearest => resize(InterpolateMode::Nearest),
            Upsample::Bilinear => resize(InterpolateMode::Bilinear),
            Upsample::Transpose => {
                let conv = ConvTranspose2dConfig::new(channels, [3, 3])
                    .with_stride([2, 2])
                    .with_padding([1, 1])
                    .with_padding_out([1, 1])
                    .with_bias(bias)
                    .init(weights.device());
                UpsampleLayer::Transpose(weights.conv_transpose(layer, conv))
            }
        }
    }

    fn forward(&self, x: FeatureMaps, activation: Activation) -> FeatureMaps {
        match self {
            UpsampleLayer::Transpose(conv) => convolve_up(conv, x, activation),
            UpsampleLayer::Resize(layer) => {
                let [_, height, width, _] = x.dims();
                let options = InterpolateOptions::new(layer.mode.clone())
                    .with_align_corners(false)
                    .with_output_size([height * 2, width * 2]);
                let x = FeatureMaps::of_images(interpolate(x.into_images(), options));
                convolve(&layer.conv, x, Pad::new(1, Padding::Reflect), activation)
            }
        }
    }
}
