//! Convolutions of both kinds.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};

use super::{dims, maps, shape_of, tensor, values};
use crate::Conv;
use crate::cpu::border::{Border, Shape};
use crate::cpu::columns;
use crate::cpu::correlation::Correlation;
use crate::cpu::product::Finish;

/// A convolution goes down from the big picture to the small one, a transposed one up.
#[derive(Debug, Clone, Copy)]
enum Way {
    Down,
    Up,
}

/// A convolution of either kind with what follows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passage {
    relation: Correlation,
    way: Way,
    negative_slope: f32,
}

impl Passage {
    pub(super) fn down(x: &FlexTensor, weight: &FlexTensor, conv: Conv) -> Self {
        let negative_slope = conv.activation.slope();
        Passage { relation: of_conv(x, weight, conv), way: Way::Down, negative_slope }
    }

    pub(super) fn up(x: &FlexTensor, weight: &FlexTensor, conv: Conv, padding_out: usize) -> Self {
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

    /// Its result.
    pub(super) fn run(&self, x: FlexTensor, weight: FlexTensor, bias: FlexTensor) -> FlexTensor {
        self.of_contiguous(&x.to_contiguous(), &weight.to_contiguous(), &bias.to_contiguous())
    }

    fn of_contiguous(&self, x: &FlexTensor, weight: &FlexTensor, bias: &FlexTensor) -> FlexTensor {
        let finish = Finish { bias: Some(values(bias)), negative_slope: self.negative_slope };
        let y = match self.way {
            Way::Down => self.relation.down(values(x), values(weight), finish),
            Way::Up => self.relation.up(values(x), values(weight), finish),
        };
        maps(y, self.shape())
    }

    pub(super) fn tracked<C: CheckpointStrategy>(
        self,
        x: FloatTensor<Autodiff<Flex, C>>,
        weight: FloatTensor<Autodiff<Flex, C>>,
        bias: FloatTensor<Autodiff<Flex, C>>,
    ) -> FloatTensor<Autodiff<Flex, C>> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let x = x.into_primitive().to_contiguous();
        let weight = weight.into_primitive().to_contiguous();
        let y = self.of_contiguous(&x, &weight, &bias.into_primitive().to_contiguous());
        match ConvBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::UnTracked(step) => step.finish(y),
            OpsKind::Tracked(step) => {
                let result = (self.negative_slope != 1.0).then(|| y.clone());
                step.finish(ConvState { passage: self, x, weight, result }, y)
            }
        }
    }
}

#[derive(Debug)]
struct ConvBackward;

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
        if let Some(node) = of_x {
            let of_x = match way {
                Way::Down => relation.up(gradient, values(&weight), Finish::NONE),
                Way::Up => relation.down(gradient, values(&weight), Finish::NONE),
            };
            grads.register::<Flex>(node.id, maps(of_x, shape_of(&x)));
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
