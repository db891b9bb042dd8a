//! The same operations composed of Burn's: what runs on other devices, and what the kernels are
//! tested against.

use burn::tensor::Tensor;
use burn::tensor::activation::{leaky_relu, relu};
use burn::tensor::module::{conv_transpose2d, conv2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, PadMode};

use crate::{Activation, Border, Conv, FeatureMaps, InstanceNorm};

pub(crate) fn conv(
    x: FeatureMaps,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    conv: Conv,
) -> FeatureMaps {
    let (x, by) = (x.into_images(), conv.padding);
    let (x, padding) = match conv.border {
        Border::Zero => (x, by),
        Border::Reflect => (x.pad((by, by, by, by), PadMode::Reflect), 0),
        Border::Edge => (x.pad((by, by, by, by), PadMode::Edge), 0),
    };
    let options = ConvOptions::new([conv.stride; 2], [padding; 2], [1, 1], 1);
    let y = conv2d(x, weight, bias, options);
    FeatureMaps::of_images(activate(y, conv.activation))
}

pub(crate) fn conv_transpose(
    x: FeatureMaps,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    conv: Conv,
    padding_out: usize,
) -> FeatureMaps {
    let options =
        ConvTransposeOptions::new([conv.stride; 2], [conv.padding; 2], [padding_out; 2], [1, 1], 1);
    let y = conv_transpose2d(x.into_images(), weight, bias, options);
    FeatureMaps::of_images(activate(y, conv.activation))
}

pub(crate) fn instance_norm(
    x: FeatureMaps,
    affine: Option<(Tensor<1>, Tensor<1>)>,
    norm: InstanceNorm,
) -> FeatureMaps {
    let channels = x.dims()[3];
    let x = x.tensor();
    let mean = |x: Tensor<4>| x.mean_dim(2).mean_dim(1);
    let centred = x.clone() - mean(x);
    let sd = mean(centred.clone().square()).add_scalar(norm.epsilon).sqrt();
    let y = centred / sd;
    let y = match affine {
        None => y,
        Some((gamma, beta)) => {
            let shape = [1, 1, 1, channels];
            y * gamma.reshape(shape) + beta.reshape(shape)
        }
    };
    FeatureMaps::new(activate(y, norm.activation))
}

fn activate(x: Tensor<4>, activation: Activation) -> Tensor<4> {
    match activation {
        Activation::Identity => x,
        Activation::Relu => relu(x),
        Activation::LeakyRelu(slope) => leaky_relu(x, slope),
    }
}
