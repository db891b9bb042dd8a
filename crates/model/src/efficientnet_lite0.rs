//! EfficientNet-Lite0, which says what is in an image: the features that images are compared by.
//!
//! Inference only, with the weights that the TensorFlow authors published for ImageNet (as
//! converted for PyTorch, file `efficientnet-lite0-57934424.pth`).

use burn::tensor::activation::relu;
use burn::tensor::ops::PadMode;
use burn::tensor::{Device, Tensor, s};

use crate::folded_conv::{ConvShape, FoldedConv, WeightTaker};
use crate::image_strip::ImageStrip;
use crate::weights::{NamedTensors, WeightsError};

/// Blocks in a row: how many, kernel, stride of the first, expansion, channels in and out.
///
/// # Source
/// Tan & Le 2019, arXiv:1905.11946, table 1 (B0); Lite0 drops squeeze-and-excitation and takes
/// ReLU6 for swish (tensorflow/tpu, efficientnet/lite).
const ROWS: [[usize; 6]; 7] = [
    [1, 3, 1, 1, 32, 16],
    [2, 3, 2, 6, 16, 24],
    [2, 5, 2, 6, 24, 40],
    [3, 3, 2, 6, 40, 80],
    [3, 5, 1, 6, 80, 112],
    [4, 5, 2, 6, 112, 192],
    [1, 3, 1, 6, 192, 320],
];
const STEM_WIDTH: usize = 32;
const HEAD_WIDTH: usize = 1280;
const N_CLASSES: usize = 1000;
/// TensorFlow's for this network; PyTorch's default is 1e-5.
const BATCH_NORM_EPS: f32 = 1e-3;
/// Blocks whose output is tapped.
const TAP_B4: usize = 4;
const TAP_B10: usize = 10;

/// EfficientNet-Lite0 without anything to train.
#[derive(Debug, Clone)]
pub struct FeatureNet {
    stem: FoldedConv,
    blocks: Vec<Block>,
    head: FoldedConv,
    class_weight: Tensor<2>,
    class_bias: Tensor<1>,
    device: Device,
}

/// Inverted residual: widen, look around channel by channel, narrow without an activation.
#[derive(Debug, Clone)]
struct Block {
    expand: Option<FoldedConv>,
    depthwise: FoldedConv,
    project: FoldedConv,
    stride: usize,
    is_residual: bool,
}

/// What the network saw: means over all places of three layers' outputs.
#[derive(Debug, Clone)]
pub struct Taps {
    /// `[n, 40]` behind block 4: textures and colours.
    pub b4: Tensor<2>,
    /// `[n, 112]` behind block 10.
    pub b10: Tensor<2>,
    /// `[n, 1280]` in front of the classifier, not negative: what is in the image.
    pub pool: Tensor<2>,
}

impl Taps {
    /// Values an image.
    pub const B4: usize = 40;
    pub const B10: usize = 112;
    pub const POOL: usize = HEAD_WIDTH;
}

impl FeatureNet {
    /// The network with the weights of a file, under its names. Batch norms are folded into the
    /// convolutions in front of them. An autodiff device is left aside for the one inside it.
    ///
    /// # Errors
    /// `Mismatch` names every tensor that is missing, surplus, mis-shaped or not finite; only
    /// counters of batches may be there beside the weights.
    pub fn from_tensors(tensors: NamedTensors, device: &Device) -> Result<Self, WeightsError> {
        let device = device.clone().inner();
        let mut taker = WeightTaker::new(tensors, &device);
        let stem =
            ConvShape { weight: [STEM_WIDTH, 3, 3, 3], stride: 2, padding: [0; 2], groups: 1 };
        let network = FeatureNet {
            stem: taker.conv_norm("_conv_stem", "_bn0", BATCH_NORM_EPS, stem).of_windows(),
            blocks: blocks(&mut taker),
            head: taker.conv_norm(
                "_conv_head",
                "_bn1",
                BATCH_NORM_EPS,
                pointwise(ROWS[6][5], HEAD_WIDTH),
            ),
            class_weight: taker.tensor("_fc.weight", [N_CLASSES, HEAD_WIDTH]),
            class_bias: taker.tensor("_fc.bias", [N_CLASSES]),
            device: device.clone(),
        };
        taker.finish(network)
    }

    /// Where the network lies, never a device that records gradients.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// # Shapes
    /// - `images`: `[n, 3, height, width]`, red, green, blue in `[0, 255]`, on [`Self::device`];
    ///   sides of any length
    pub fn forward(&self, images: Tensor<4>) -> Taps {
        // The authors' scaling. Not folded into the stem, whose padding is 0 behind it.
        let pixels = images.sub_scalar(127.0).div_scalar(128.0);
        let mut x = ImageStrip::new(windows(pixels)).map(|x| relu6(self.stem.forward(x)));
        let mut taps = Vec::new();
        for (i, block) in self.blocks.iter().enumerate() {
            x = block.forward(x);
            if i == TAP_B4 || i == TAP_B10 {
                taps.push(x.clone().mean_of_places());
            }
        }
        let pool = x.map(|x| relu6(self.head.forward(x))).mean_of_places();
        let [b4, b10] = taps.try_into().expect("both blocks were passed");
        Taps { b4, b10, pool }
    }

    /// Scores of the ImageNet classes, `[n, 1000]`: the proof that the weights were read right.
    pub fn logits(&self, taps: &Taps) -> Tensor<2> {
        let scores = taps.pool.clone().matmul(self.class_weight.clone().transpose());
        scores + self.class_bias.clone().unsqueeze()
    }
}

fn blocks(taker: &mut WeightTaker<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    for [n, kernel, stride, expansion, before, after] in ROWS {
        for i in 0..n {
            let name = format!("_blocks.{}.", blocks.len());
            let (stride, before) = if i == 0 { (stride, before) } else { (1, after) };
            blocks.push(Block::take(taker, &name, [kernel, stride, expansion, before, after]));
        }
    }
    blocks
}

impl Block {
    fn take(
        taker: &mut WeightTaker<'_>,
        name: &str,
        [kernel, stride, expansion, before, after]: [usize; 5],
    ) -> Block {
        let wide = before * expansion;
        let depthwise = ConvShape {
            weight: [wide, 1, kernel, kernel],
            stride: 1,
            padding: [kernel / 2; 2],
            groups: wide,
        };
        let mut layer = |conv: &str, norm: &str, shape| {
            let (conv, norm) = (format!("{name}{conv}"), format!("{name}{norm}"));
            taker.conv_norm(&conv, &norm, BATCH_NORM_EPS, shape)
        };
        Block {
            expand: (expansion > 1).then(|| layer("_expand_conv", "_bn0", pointwise(before, wide))),
            depthwise: layer("_depthwise_conv", "_bn1", depthwise),
            project: layer("_project_conv", "_bn2", pointwise(wide, after)),
            stride,
            is_residual: stride == 1 && before == after,
        }
    }

    fn forward(&self, x: ImageStrip) -> ImageStrip {
        let before = self.is_residual.then(|| x.clone());
        let wide = match &self.expand {
            None => x,
            Some(expand) => x.map(|x| relu6(expand.forward(x))),
        };
        let seen = wide.depthwise(&self.depthwise, self.stride);
        let y = seen.map(|x| self.project.forward(relu6(x)));
        match before {
            None => y,
            Some(x) => y.add(x),
        }
    }
}

fn pointwise(before: usize, after: usize) -> ConvShape {
    ConvShape { weight: [after, before, 1, 1], stride: 1, padding: [0, 0], groups: 1 }
}

fn relu6(x: Tensor<4>) -> Tensor<4> {
    // A quarter of the time of `clamp` on the CPU.
    relu(x).clamp_max(6.0)
}

/// Each pixel's 3 × 3 neighbourhood at a stride of 2, padded as TensorFlow's `SAME` does: as the
/// channels of an image of half the side, so that the stem is a matrix product.
///
/// # Shapes
/// - `images`: `[n, 3, height, width]`
/// - returns: `[n, 27, ⌈height / 2⌉, ⌈width / 2⌉]`, channels in the order row, column, colour
fn windows(images: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = images.dims();
    let (rows, columns) = (height.div_ceil(2), width.div_ceil(2));
    // An odd side has a row of zeros before it too.
    let padding = (width % 2, 1, height % 2, 1);
    let padded = images.pad(padding, PadMode::Constant(0.0));
    let shifted = |i: usize| {
        let (top, left) = (i / 3, i % 3);
        padded.clone().slice(s![.., .., top..top + 2 * rows - 1;2, left..left + 2 * columns - 1;2])
    };
    Tensor::cat((0..9).map(shifted).collect(), 1)
}

#[cfg(test)]
mod tests;
