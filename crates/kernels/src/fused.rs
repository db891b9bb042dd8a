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
use crate::{Conv, InstanceNorm};

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
        let passage = Passage::down(&x, &weight, conv);
        passage.run(&x.to_contiguous(), &weight.to_contiguous(), &bias)
    }

    fn fused_conv_transpose(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        conv: Conv,
        padding_out: usize,
    ) -> FlexTensor {
        let passage = Passage::up(&x, &weight, conv, padding_out);
        passage.run(&x.to_contiguous(), &weight.to_contiguous(), &bias)
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

/// A convolution of either kind with what follows it.
#[derive(Debug, Clone, Copy)]
struct Passage {
    relation: Correlation,
    way: Way,
    negative_slope: f32,
}

impl Passage {
    fn down(x: &FlexTensor, weight: &FlexTensor, conv: Conv) -> Self {
        let negative_slope = conv.activation.slope();
        Passage { relation: of_conv(x, weight, conv), way: Way::Down, negative_slope }
    }

    fn up(x: &FlexTensor, weight: &FlexTensor, conv: Conv, padding_out: usize) -> Self {
        let relation = of_conv_transpose(x, weight, conv, padding_out);
        Passage { relation, way: Way::Up, negative_slope: conv.activation.slope() }
    }

    /// Of the result.
    fn shape(&self) -> Shape {
        match self.way {
            Way::Down => self.relation.small,
            Way::Up => self.relation.big,
        }
    }

    /// `x` and `weight` are contiguous.
    fn run(&self, x: &FlexTensor, weight: &FlexTensor, bias: &FlexTensor) -> FlexTensor {
        let bias = bias.to_contiguous();
        let finish = Finish { bias: Some(values(&bias)), negative_slope: self.negative_slope };
        let y = match self.way {
            Way::Down => self.relation.down(values(x), values(weight), finish),
            Way::Up => self.relation.up(values(x), values(weight), finish),
        };
        maps(y, self.shape())
    }

    fn tracked<C: CheckpointStrategy>(
        self,
        x: FloatTensor<Autodiff<Flex, C>>,
        weight: FloatTensor<Autodiff<Flex, C>>,
        bias: FloatTensor<Autodiff<Flex, C>>,
    ) -> FloatTensor<Autodiff<Flex, C>> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let x = x.into_primitive().to_contiguous();
        let weight = weight.into_primitive().to_contiguous();
        let y = self.run(&x, &weight, &bias.into_primitive());
        match ConvBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::UnTracked(step) => step.finish(y),
            OpsKind::Tracked(step) => {
                let result = (self.negative_slope != 1.0).then(|| y.clone());
                step.finish(ConvState { passage: self, x, weight, result }, y)
            }
        }
    }
}

#[derive(Debug, Clone)]
struct ConvState {
    passage: Passage,
    x: FlexTensor,
    weight: FlexTensor,
    /// Where an activation follows: what it gave.
    result: Option<FlexTensor>,
}

impl Backward<Flex, 3> for ConvBackward {
    type State = ConvState;

    fn backward(self, ops: Ops<ConvState, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [of_x, of_weight, of_bias] = ops.parents;
        let ConvState { passage, x, weight, result } = ops.state;
        let Passage { relation, way, negative_slope } = passage;
        let mut gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let out = passage.shape();
        if let Some(y) = result {
            let before = columns::before_activation(values(&gradient), values(&y), negative_slope);
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
    let [channels_in, channels, rows, columns] = dims(weight);
    assert_eq!(channels_in, small.channels, "the weights are for other channels");
    let after = |n: usize, kernel: usize| {
        let grown = n.checked_sub(1).map(|n| n * conv.stride + kernel + padding_out);
        let side = grown.and_then(|side| side.checked_sub(2 * conv.padding));
        side.filter(|&side| side > 0).expect("a picture is left of it")
    };
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
