//! Adam for one network, with its moments kept by parameter name.
//!
//! The arithmetic is that of [`kernels::Adam`]. The book-keeping is here and not Burn's, whose
//! `ModuleOptimizer` restores its state through `Device::default()`, which
//! panics in a program built for CUDA where no driver is present, and keys it
//! by ids that differ from process to process.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::{AdamState, AdaptiveMomentumState, GradientsParams};
use burn::tensor::{Device, Tensor};
use kernels::Adam;
use model::weights::{self, NamedTensors};
use spec::OptimConfig;

/// One network's Adam.
pub(crate) struct NetworkOptimizer {
    adam: Adam,
    /// Flat, by the parameter's path in the network.
    states: BTreeMap<String, AdamState<1>>,
}

impl NetworkOptimizer {
    pub(crate) fn new(config: &OptimConfig) -> Self {
        let (beta_1, beta_2) = (config.beta_1 as f32, config.beta_2 as f32);
        let adam = Adam::new(beta_1, beta_2, config.epsilon as f32);
        NetworkOptimizer { adam, states: BTreeMap::new() }
    }

    /// The network after one update with its own gradients; parameters without one stay.
    pub(crate) fn step<M: Module>(&mut self, lr: f64, network: M, grads: GradientsParams) -> M {
        network.map(&mut Update { optimizer: self, lr, grads, path: Vec::new() })
    }

    /// Moments as `NAME.m1` and `NAME.m2`, flat; and the number of updates so far. `names` has
    /// (our path, upstream's name) of every parameter: files outlive the structure of our modules.
    pub(crate) fn save(&self, names: &[(String, String)]) -> (NamedTensors, usize) {
        let mut tensors = NamedTensors::new();
        let mut updates = 0;
        for (path, name) in names {
            let Some(state) = self.states.get(path) else { continue };
            tensors.insert(format!("{name}.m1"), state.momentum.moment_1.to_data());
            tensors.insert(format!("{name}.m2"), state.momentum.moment_2.to_data());
            updates = state.momentum.time;
        }
        (tensors, updates)
    }

    /// Puts back what [`save`](Self::save) gave for this network.
    ///
    /// # Errors
    /// Names the parameters whose moments are missing or of another size: without them Adam would
    /// start afresh and nobody would know.
    pub(crate) fn restore<M: Module>(
        &mut self,
        network: &M,
        names: &[(String, String)],
        mut tensors: NamedTensors,
        updates: usize,
        device: &Device,
    ) -> Result<(), String> {
        if updates == 0 && tensors.is_empty() {
            return Ok(());
        }
        let parameters = weights::collect(network);
        let mut wrong = Vec::new();
        for (path, name) in names {
            // Until November 2026 moments had our own paths, in which generators were of one kind.
            let former = path.strip_prefix("Resnet.").unwrap_or(path);
            let mut take = |moment: &str| {
                let data = tensors
                    .remove(&format!("{name}.{moment}"))
                    .or_else(|| tensors.remove(&format!("{former}.{moment}")))?;
                let fits = data.num_elements() == parameters.get(path)?.num_elements();
                fits.then(|| Tensor::from_data(data, device))
            };
            match (take("m1"), take("m2")) {
                (Some(first), Some(second)) => {
                    let momentum = AdaptiveMomentumState::new(updates, first, second);
                    self.states.insert(path.clone(), AdamState::new(momentum));
                }
                _ => wrong.push(name.as_str()),
            }
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(format!("Adam's moments do not fit {}", wrong.join(", "))),
        }
    }
}

/// Visits every parameter of a network and moves it along its gradient.
struct Update<'a> {
    optimizer: &'a mut NetworkOptimizer,
    lr: f64,
    grads: GradientsParams,
    path: Vec<String>,
}

impl ModuleMapper for Update<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(grad) = self.grads.remove::<D>(param.id) else {
            return param;
        };
        let path = self.path.join(".");
        param.map(|tensor| {
            let (shape, trained) = (tensor.dims(), tensor.is_require_grad());
            let state = self.optimizer.states.remove(&path);
            let (tensor, state) = self.optimizer.adam.step(
                self.lr,
                tensor.inner().flatten(0, D - 1),
                grad.flatten(0, D - 1),
                state,
            );
            self.optimizer.states.insert(path.clone(), state);
            Tensor::from_inner(tensor.reshape(shape)).set_require_grad(trained)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{Linear, LinearConfig};
    use spec::RunConfig;

    fn network(device: &Device) -> Linear {
        let linear = LinearConfig::new(2, 1).init(device);
        Linear { weight: Param::from_data([[1.0_f32], [-2.0]], device), bias: linear.bias }
    }

    fn step(optimizer: &mut NetworkOptimizer, network: Linear, device: &Device) -> Linear {
        let input = Tensor::<2>::from_data([[1.0_f32, 3.0]], device);
        let loss = network.forward(input).square().mean();
        let grads = GradientsParams::from_grads(loss.backward(), &network);
        optimizer.step(0.1, network, grads)
    }

    fn weights(network: &Linear) -> Vec<f32> {
        network.weight.val().into_data().as_slice::<f32>().expect("float32").to_vec()
    }

    /// With epsilon 1e-8 Adam's first step is the learning rate times the gradient's sign.
    #[test]
    fn the_first_step_is_the_learning_rate() {
        let device = Device::flex().autodiff();
        let mut optimizer = NetworkOptimizer::new(&RunConfig::reference().optim);
        let moved = weights(&step(&mut optimizer, network(&device), &device));
        assert!((moved[0] - 1.1).abs() < 1e-6 && (moved[1] - -1.9).abs() < 1e-6, "{moved:?}");
    }

    #[test]
    fn restored_state_goes_on_bit_for_bit() {
        let device = Device::flex().autodiff();
        let config = RunConfig::reference().optim;
        let mut straight = NetworkOptimizer::new(&config);
        let mut network = network(&device);
        for _ in 0..3 {
            network = step(&mut straight, network, &device);
        }
        let names = [("weight", "model.0.weight"), ("bias", "model.0.bias")];
        let names = names.map(|(ours, theirs)| (ours.to_string(), theirs.to_string()));
        let (tensors, updates) = straight.save(&names);
        let mut resumed = NetworkOptimizer::new(&config);
        let plain = device.clone().inner();
        resumed.restore(&network, &names, tensors.clone(), updates, &plain).expect("fits");
        let one = step(&mut straight, network.clone(), &device);
        let two = step(&mut resumed, network.clone(), &device);
        assert_eq!(weights(&one), weights(&two));

        // As checkpoints were written before, under our own paths.
        let former = |(name, tensor): (String, _)| (name.replace("model.0.", ""), tensor);
        let former = tensors.clone().into_iter().map(former).collect();
        let mut resumed = NetworkOptimizer::new(&config);
        resumed.restore(&network, &names, former, updates, &plain).expect("fits");
        assert_eq!(weights(&one), weights(&step(&mut resumed, network, &device)));

        let incomplete = tensors.into_iter().filter(|(name, _)| !name.ends_with("bias.m2"));
        let mut optimizer = NetworkOptimizer::new(&config);
        let refused = optimizer.restore(&one, &names, incomplete.collect(), updates, &plain);
        assert_eq!(refused, Err("Adam's moments do not fit model.0.bias".into()));
    }
}
