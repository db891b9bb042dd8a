//! LPIPS, the perceptual distance of two images, for those who bring its weights.

use burn::tensor::activation::relu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};

use crate::folded_conv::{ConvShape, FoldedConv, WeightTaker};
use crate::weights::{NamedTensors, WeightsError};

/// What LPIPS's own inputs, in `[-1, 1]`, are shifted and scaled by, colour by colour.
const SHIFT: [f32; 3] = [-0.030, -0.088, -0.188];
const SCALE: [f32; 3] = [0.458, 0.448, 0.450];
/// Added to the length of a pixel's features before it is divided by.
const EPS: f32 = 1e-10;

/// The network whose features are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LpipsBackbone {
    Alex,
    Vgg,
}

impl LpipsBackbone {
    /// Which one a file of weights is for.
    pub fn of(tensors: &NamedTensors) -> LpipsBackbone {
        // Only VGG has two convolutions in front of its first pooling.
        match tensors.contains_key("features.2.weight") {
            true => LpipsBackbone::Vgg,
            false => LpipsBackbone::Alex,
        }
    }
}

/// Learned Perceptual Image Patch Similarity, version 0.1.
///
/// # Source
/// Zhang et al. 2018, arXiv:1801.03924; `lpips` 0.1.4.
#[derive(Debug, Clone)]
pub struct Lpips {
    layers: Vec<Layer>,
    /// How much each channel of a tapped layer counts, `[1, channels, 1, 1]`.
    heads: Vec<Tensor<4>>,
    device: Device,
}

#[derive(Debug, Clone)]
struct Layer {
    /// Kernel of the pooling in front, stride 2.
    pool: Option<usize>,
    conv: FoldedConv,
    is_tapped: bool,
}

/// A convolution as torchvision has it.
struct LayerShape {
    /// In torchvision's `features`.
    index: usize,
    /// Channels in and out.
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    pool: Option<usize>,
    is_tapped: bool,
}

impl Lpips {
    /// `tensors` are those of torchvision's AlexNet or VGG-16 (`features.*`; the classifier, if
    /// there, is left out) together with LPIPS's heads (`lin0.model.1.weight` and on). An autodiff
    /// device is left aside for the one inside it.
    ///
    /// # Errors
    /// `Mismatch` names every tensor that is missing, surplus, mis-shaped or not finite.
    pub fn from_tensors(
        backbone: LpipsBackbone,
        mut tensors: NamedTensors,
        device: &Device,
    ) -> Result<Self, WeightsError> {
        tensors.retain(|name, _| !name.starts_with("classifier."));
        let device = device.clone().inner();
        let mut taker = WeightTaker::new(tensors, &device);
        let mut layers = Vec::new();
        let mut heads = Vec::new();
        for shape in shapes(backbone) {
            let [before, after] = shape.channels;
            if shape.is_tapped {
                let name = format!("lin{}.model.1.weight", heads.len());
                heads.push(taker.tensor(&name, [1, after, 1, 1]));
            }
            // AlexNet's first convolution is padded by 2, not by half of its 11.
            let padding = if shape.kernel == 11 { 2 } else { shape.kernel / 2 };
            let conv = ConvShape {
                weight: [after, before, shape.kernel, shape.kernel],
                stride: shape.stride,
                padding: [padding; 2],
                groups: 1,
            };
            layers.push(Layer {
                pool: shape.pool,
                conv: taker.conv(&format!("features.{}", shape.index), conv),
                is_tapped: shape.is_tapped,
            });
        }
        let network = Lpips { layers, heads, device: device.clone() };
        taker.finish(network)
    }

    /// Where the network lies, never a device that records gradients.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// # Shapes
    /// - `left`, `right`: `[n, 3, height, width]` in `[-1, 1]`, on [`Self::device`], of 32 px a
    ///   side or more
    /// - returns: `[n]` distances, 0 between equal images
    pub fn distance(&self, left: Tensor<4>, right: Tensor<4>) -> Tensor<1> {
        let [n, ..] = left.dims();
        let (left, right) = (self.taps(left), self.taps(right));
        let mut sum = Tensor::zeros([n], &self.device);
        for ((left, right), head) in left.into_iter().zip(right).zip(&self.heads) {
            let apart = (of_unit_length(left) - of_unit_length(right)).square() * head.clone();
            let [_, channels, height, width] = apart.dims();
            // Over the channels a sum, over the places a mean.
            let total = apart.reshape([n, channels * height * width]).sum_dim(1).reshape([n]);
            sum = sum + total.div_scalar((height * width) as f32);
        }
        sum
    }

    fn taps(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let by_colour =
            |values: [f32; 3]| Tensor::<1>::from_floats(values, &self.device).reshape([1, 3, 1, 1]);
        let mut x = (images - by_colour(SHIFT)) / by_colour(SCALE);
        let mut taps = Vec::new();
        for layer in &self.layers {
            if let Some(kernel) = layer.pool {
                let options = MaxPoolOptions {
                    kernel_size: [kernel; 2],
                    stride: [2; 2],
                    padding: [(0, 0); 2],
                    dilation: [1; 2],
                    ceil_mode: false,
                };
                x = max_pool2d(x, options);
            }
            x = relu(layer.conv.forward(x));
            if layer.is_tapped {
                taps.push(x.clone());
            }
        }
        taps
    }
}

/// Each pixel's features, divided by their length.
fn of_unit_length(x: Tensor<4>) -> Tensor<4> {
    let length = x.clone().square().sum_dim(1).sqrt().add_scalar(EPS);
    x / length
}

fn shapes(backbone: LpipsBackbone) -> Vec<LayerShape> {
    match backbone {
        LpipsBackbone::Alex => alex_shapes(),
        LpipsBackbone::Vgg => vgg_shapes(),
    }
}

/// Krizhevsky 2014, arXiv:1404.5997, as torchvision has it.
fn alex_shapes() -> Vec<LayerShape> {
    let layer = |index, channels, kernel, stride, pool| LayerShape {
        index,
        channels,
        kernel,
        stride,
        pool,
        is_tapped: true,
    };
    vec![
        layer(0, [3, 64], 11, 4, None),
        layer(3, [64, 192], 5, 1, Some(3)),
        layer(6, [192, 384], 3, 1, Some(3)),
        layer(8, [384, 256], 3, 1, None),
        layer(10, [256, 256], 3, 1, None),
    ]
}

/// VGG-16: five stages of equal width, the last layer of each tapped.
fn vgg_shapes() -> Vec<LayerShape> {
    let mut shapes = Vec::new();
    let (mut index, mut before) = (0, 3);
    for (stage, (n, width)) in [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)].iter().enumerate()
    {
        for i in 0..*n {
            shapes.push(LayerShape {
                index,
                channels: [before, *width],
                kernel: 3,
                stride: 1,
                pool: (stage > 0 && i == 0).then_some(2),
                is_tapped: i + 1 == *n,
            });
            // A ReLU follows, and behind a stage a pooling.
            index += if i + 1 == *n { 3 } else { 2 };
            before = *width;
        }
    }
    shapes
}
