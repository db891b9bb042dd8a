//! The kernels as operations of Burn's CPU backend, with their own backward passes.

mod convolution;
mod norm;

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn::tensor::TensorData;

use crate::cpu::border::Shape;
use crate::{Conv, InstanceNorm};

use convolution::Passage;

/// Channels last; see [`FeatureMaps`](crate::FeatureMaps) for shapes.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Fused: Backend {
    fn fused_conv(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self>;

    fn fused_conv_transpose(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
        padding_out: usize,
    ) -> FloatTensor<Self>;

    fn fused_instance_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        norm: InstanceNorm,
    ) -> FloatTensor<Self>;
}

impl Fused for Flex {
    fn fused_conv(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, conv: Conv) -> FlexTensor {
        Passage::down(&x, &weight, conv).run(x, weight, bias)
    }

    fn fused_conv_transpose(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        conv: Conv,
        padding_out: usize,
    ) -> FlexTensor {
        Passage::up(&x, &weight, conv, padding_out).run(x, weight, bias)
    }

    fn fused_instance_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        norm: InstanceNorm,
    ) -> FlexTensor {
        norm::run(x, gamma, beta, norm)
    }
}

impl<C: CheckpointStrategy> Fused for Autodiff<Flex, C> {
    fn fused_conv(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self> {
        Passage::down(x.primitive(), weight.primitive(), conv).tracked::<C>(x, weight, bias)
    }

    fn fused_conv_transpose(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
        padding_out: usize,
    ) -> FloatTensor<Self> {
        let passage = Passage::up(x.primitive(), weight.primitive(), conv, padding_out);
        passage.tracked::<C>(x, weight, bias)
    }

    fn fused_instance_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        norm: InstanceNorm,
    ) -> FloatTensor<Self> {
        norm::tracked::<C>(x, gamma, beta, norm)
    }
}

fn shape_of(x: &FlexTensor) -> Shape {
    let [images, height, width, channels] = dims(x);
    Shape { images, height, width, channels }
}

fn dims(x: &FlexTensor) -> [usize; 4] {
    let shape = x.layout().shape();
    std::array::from_fn(|i| shape[i])
}

/// Of a contiguous tensor.
fn values(x: &FlexTensor) -> &[f32] {
    x.as_slice().expect("a contiguous tensor of float32: the callers see to both")
}

fn maps(values: Vec<f32>, shape: Shape) -> FlexTensor {
    tensor(values, [shape.images, shape.height, shape.width, shape.channels])
}

fn tensor(values: Vec<f32>, shape: impl Into<burn::tensor::Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape.into()))
}
