//! Adam (Kingma and Ba 2015, arXiv:1412.6980, Algorithm 1), one parameter at a time.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::optim::{AdamConfig, AdamState, AdaptiveMomentumState, Optimizer};
use burn::tensor::{Tensor, TensorData};

use crate::cpu::adam::{Update, update};
use crate::has_kernels;

/// The arithmetic is Burn's; on the CPU one pass does it.
#[derive(Clone)]
pub struct Adam {
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
    composed: burn::optim::Adam,
}

impl Adam {
    /// `epsilon` is added to the root of the second moment after its correction, as in PyTorch.
    pub fn new(beta_1: f32, beta_2: f32, epsilon: f32) -> Self {
        let composed =
            AdamConfig::new().with_beta_1(beta_1).with_beta_2(beta_2).with_epsilon(epsilon).build();
        Adam { beta_1, beta_2, epsilon, composed }
    }

    /// The weights after one update, and the moments.
    ///
    /// # Shapes
    /// - `weights`, `gradient`, both moments: `[n]`, off the tape
    pub fn step(
        &self,
        lr: f64,
        weights: Tensor<1>,
        gradient: Tensor<1>,
        state: Option<AdamState<1>>,
    ) -> (Tensor<1>, AdamState<1>) {
        if !has_kernels(&weights) {
            return self.composed(lr, weights, gradient, state);
        }
        let state = state.map(|it| it.momentum).unwrap_or_else(|| {
            let zeros = || Tensor::zeros(weights.shape(), &weights.device());
            AdaptiveMomentumState::new(0, zeros(), zeros())
        });
        let time = state.time + 1;
        let correction = (1.0 - self.beta_2.powi(time as i32)).sqrt();
        let by = Update {
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            lr: lr as f32,
            factor: correction / (1.0 - self.beta_1.powi(time as i32)),
            epsilon: self.epsilon * correction,
        };
        let (weights, gradient) = (primitive(weights), primitive(gradient));
        let (mut first, mut second) = (primitive(state.moment_1), primitive(state.moment_2));
        let moments = (first.storage_mut(), second.storage_mut());
        let after = update(weights.storage(), moments.0, moments.1, gradient.storage(), by);
        let weights =
            FlexTensor::from_data(TensorData::new(after, [weights.layout().num_elements()]));
        let tensor = Tensor::from_primitive::<Flex>;
        let state = AdaptiveMomentumState::new(time, tensor(first), tensor(second));
        (tensor(weights), AdamState::new(state))
    }

    /// [`step`](Self::step) by Burn's operations.
    pub(crate) fn composed(
        &self,
        lr: f64,
        weights: Tensor<1>,
        gradient: Tensor<1>,
        state: Option<AdamState<1>>,
    ) -> (Tensor<1>, AdamState<1>) {
        let (weights, state) = self.composed.step(lr, weights, gradient, state);
        (weights, state.expect("Adam always has a state"))
    }
}

/// With exactly its own values in its storage.
fn primitive(tensor: Tensor<1>) -> FlexTensor {
    let tensor = tensor.try_into_primitive::<Flex>().expect("on the CPU, as `has_kernels` says");
    match tensor.storage::<f32>().len() == tensor.layout().num_elements() {
        true => tensor.to_contiguous(),
        false => FlexTensor::from_data(tensor.into_data()),
    }
}
