//! Instance norm with the activation behind it.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};

use super::{maps, shape_of, tensor, values};
use crate::InstanceNorm;
use crate::cpu::border::Shape;
use crate::cpu::norm::{self, Maps, Statistics};

pub(super) fn run(
    x: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    norm: InstanceNorm,
) -> FlexTensor {
    normalise(&x.to_contiguous(), &gamma.to_contiguous(), &beta.to_contiguous(), norm).0
}

pub(super) fn tracked<C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<Flex, C>>,
    gamma: FloatTensor<Autodiff<Flex, C>>,
    beta: FloatTensor<Autodiff<Flex, C>>,
    norm: InstanceNorm,
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = [x.node(), gamma.node(), beta.node()];
    let x = x.into_primitive().to_contiguous();
    let gamma = gamma.into_primitive().to_contiguous();
    let beta = beta.into_primitive().to_contiguous();
    let (y, statistics) = normalise(&x, &gamma, &beta, norm);
    match NormBackward.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::UnTracked(step) => step.finish(y),
        OpsKind::Tracked(step) => step.finish(NormState { x, gamma, beta, statistics, norm }, y),
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
