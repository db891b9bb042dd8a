//! The kernels as operations of Burn's CPU backend, with their own backward passes.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn::tensor::TensorData;

use crate::cpu::border::{Border, Shape};
use crate::cpu::columns;
use crate::cpu::correlation::Correlation;
use crate::cpu::norm::{self, Maps, Statistics};
use crate::cpu::product::Finish;
use crate::{Activation, Conv, InstanceNorm};

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
        let relation = of_conv(&x, &weight, conv);
        let (x, weight, bias) = (x.to_contiguous(), weight.to_contiguous(), bias.to_contiguous());
        let finish = finish(&bias, conv.activation);
        let y = relation.down(values(&x), values(&weight), finish);
        maps(y, relation.small)
    }

    fn fused_conv_transpose(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        conv: Conv,
        padding_out: usize,
    ) -> FlexTensor {
        let relation = of_conv_transpose(&x, &weight, conv, padding_out);
        let (x, weight, bias) = (x.to_contiguous(), weight.to_contiguous(), bias.to_contiguous());
        let finish = finish(&bias, conv.activation);
        let y = relation.up(values(&x), values(&weight), finish);
        maps(y, relation.big)
    }

    fn fused_instance_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        norm: InstanceNorm,
    ) -> FlexTensor {
        let (x, gamma, beta) = (x.to_contiguous(), gamma.to_contiguous(), beta.to_contiguous());
        normalise(&x, &gamma, &beta, norm).0
    }
}

impl<C: CheckpointStrategy> Fused for Autodiff<Flex, C> {
    fn fused_conv(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self> {
        let relation = of_conv(x.primitive(), weight.primitive(), conv);
        let nodes = [x.node(), weight.node(), bias.node()];
        let (x, weight) = (x.into_primitive().to_contiguous(), weight.into_primitive());
        let weight = weight.to_contiguous();
        let y = Flex::fused_conv(x.clone(), weight.clone(), bias.into_primitive(), conv);
        match ConvBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::UnTracked(step) => step.finish(y),
            OpsKind::Tracked(step) => {
                let slope = conv.activation.slope();
                let result = (slope != 1.0).then(|| (y.clone(), slope));
                let way = Way::Down;
                step.finish(ConvState { relation, way, x, weight, result }, y)
            }
        }
    }

    fn fused_conv_transpose(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
        padding_out: usize,
    ) -> FloatTensor<Self> {
        let relation = of_conv_transpose(x.primitive(), weight.primitive(), conv, padding_out);
        let nodes = [x.node(), weight.node(), bias.node()];
        let (x, weight) = (x.into_primitive().to_contiguous(), weight.into_primitive());
        let weight = weight.to_contiguous();
        let bias = bias.into_primitive();
        let y = Flex::fused_conv_transpose(x.clone(), weight.clone(), bias, conv, padding_out);
        match ConvBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::UnTracked(step) => step.finish(y),
            OpsKind::Tracked(step) => {
                let slope = conv.activation.slope();
                let result = (slope != 1.0).then(|| (y.clone(), slope));
                let way = Way::Up;
                step.finish(ConvState { relation, way, x, weight, result }, y)
            }
        }
    }

    fn fused_instance_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        norm: InstanceNorm,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), gamma.node(), beta.node()];
        let x = x.into_primitive().to_contiguous();
        let gamma = gamma.into_primitive().to_contiguous();
        let beta = beta.into_primitive().to_contiguous();
        let (y, statistics) = normalise(&x, &gamma, &beta, norm);
        match NormBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::UnTracked(step) => step.finish(y),
            OpsKind::Tracked(step) => {
                step.finish(NormState { x, gamma, beta, statistics, norm }, y)
            }
        }
    }
}

#[derive(Debug)]
struct ConvBackward;

/// A convolution goes down from the big picture to the small one, a transposed one up.
#[derive(Debug, Clone, Copy)]
enum Way {
    Down,
    Up,
}

#[derive(Debug, Clone)]
struct ConvState {
    relation: Correlation,
    way: Way,
    x: FlexTensor,
    weight: FlexTensor,
    /// Where an activation follows: what it gave, and its slope.
    result: Option<(FlexTensor, f32)>,
}

impl Backward<Flex, 3> for ConvBackward {
    type State = ConvState;

    fn backward(self, ops: Ops<ConvState, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [of_x, of_weight, of_bias] = ops.parents;
        let ConvState { relation, way, x, weight, result } = ops.state;
        let mut gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let out = match way {
            Way::Down => relation.small,
            Way::Up => relation.big,
        };
        if let Some((y, slope)) = result {
            let before = columns::before_activation(values(&gradient), values(&y), slope);
            gradient = maps(before, out);
        }
        let gradient = values(&gradient);
        let plain = Finish { bias: None, negative_slope: 1.0 };
        if let Some(node) = of_x {
            let of_x = match way {
                Way::Down => maps(relation.up(gradient, values(&weight), plain), relation.big),
                Way::Up => maps(relation.down(gradient, values(&weight), plain), relation.small),
            };
            grads.register::<Flex>(node.id, of_x);
        }
        if let Some(node) = of_weight {
            let of_weight = match way {
                Way::Down => relation.weight_gradient(values(&x), gradient),
                Way::Up => relation.weight_gradient(gradient, values(&x)),
            };
            let shape = weight.layout().shape().clone();
            grads.register::<Flex>(node.id, tensor(of_weight, shape));
        }
        if let Some(node) = of_bias {
            let of_bias = columns::sums(gradient, out.channels);
            grads.register::<Flex>(node.id, tensor(of_bias, [out.channels]));
        }
    }
}

#[derive(Debug)]
struct NormBackward;

#[derive(Debug, Clone)]
struct NormState {
    x: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    statistics: Statistics,
    norm: InstanceNorm,
}

impl Backward<Flex, 3> for NormBackward {
    type State = NormState;

    fn backward(self, ops: Ops<NormState, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [of_x, of_gamma, of_beta] = ops.parents;
        let NormState { x, gamma, beta, statistics, norm } = ops.state;
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let shape = shape_of(&x);
        let gradients = norm::backward(
            values(&gradient),
            values(&x),
            &statistics,
            pixels_of(shape),
            with_affine(&gamma, &beta, norm),
        );
        if let Some(node) = of_x {
            grads.register::<Flex>(node.id, maps(gradients.x, shape));
        }
        if let Some(node) = of_gamma {
            grads.register::<Flex>(node.id, tensor(gradients.gamma, [shape.channels]));
        }
        if let Some(node) = of_beta {
            grads.register::<Flex>(node.id, tensor(gradients.beta, [shape.channels]));
        }
    }
}

fn normalise(
    x: &FlexTensor,
    gamma: &FlexTensor,
    beta: &FlexTensor,
    norm: InstanceNorm,
) -> (FlexTensor, Statistics) {
    let shape = shape_of(x);
    let norm = with_affine(gamma, beta, norm);
    let (y, statistics) = norm::forward(values(x), pixels_of(shape), norm);
    (maps(y, shape), statistics)
}

fn with_affine<'a>(
    gamma: &'a FlexTensor,
    beta: &'a FlexTensor,
    norm: InstanceNorm,
) -> norm::Norm<'a> {
    norm::Norm {
        gamma: values(gamma),
        beta: values(beta),
        eps: norm.epsilon as f32,
        negative_slope: norm.activation.slope(),
    }
}

fn pixels_of(shape: Shape) -> Maps {
    Maps { images: shape.images, pixels: shape.height * shape.width, channels: shape.channels }
}

fn finish(bias: &FlexTensor, activation: Activation) -> Finish<'_> {
    Finish { bias: Some(values(bias)), negative_slope: activation.slope() }
}

fn of_conv(x: &FlexTensor, weight: &FlexTensor, conv: Conv) -> Correlation {
    let big = shape_of(x);
    let [channels, channels_in, rows, columns] = dims(weight);
    assert_eq!(channels_in, big.channels, "the weights are for other channels");
    let after = |n: usize, kernel: usize| {
        let room = (n + 2 * conv.padding).checked_sub(kernel);
        room.expect("the kernel is no larger than the padded picture") / conv.stride + 1
    };
    let small = Shape {
        height: after(big.height, rows),
        width: after(big.width, columns),
        channels,
        ..big
    };
    relation(big, small, [rows, columns], conv)
}

fn of_conv_transpose(
    x: &FlexTensor,
    weight: &FlexTensor,
    conv: Conv,
    padding_out: usize,
) -> Correlation {
    assert_eq!(conv.border, Border::Zero, "a transposed convolution has no other border");
    let small = shape_of(x);
    let [_, channels, rows, columns] = dims(weight);
    let after =
        |n: usize, kernel: usize| (n - 1) * conv.stride + kernel + padding_out - 2 * conv.padding;
    let big = Shape {
        height: after(small.height, rows),
        width: after(small.width, columns),
        channels,
        ..small
    };
    relation(big, small, [rows, columns], conv)
}

fn relation(big: Shape, small: Shape, kernel: [usize; 2], conv: Conv) -> Correlation {
    let Conv { stride, padding, border, .. } = conv;
    let side = big.height.min(big.width);
    assert!(
        border != Border::Reflect || padding < side,
        "a mirror image has less than the picture"
    );
    assert!(stride > 0 && kernel.iter().all(|&n| n >= stride), "see `FeatureMaps::conv`");
    Correlation { big, small, kernel, stride, padding, border }
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
