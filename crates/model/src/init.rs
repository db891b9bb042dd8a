//! Initial weights: N(0, `init_gain`) for every convolution, zero for every bias
//! (upstream `init_weights`; Burn's default is Kaiming uniform, for biases too).
//!
//! Each layer draws from its own counter-based stream, keyed by seed, network
//! and layer, so that the same seed gives the same weights on every device and
//! a network with more blocks shares all the layers it has in common.

use burn::module::Param;
use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::tensor::{Device, Tensor, TensorData};
use spec::draw::{Draw, Purpose};

use crate::Network;

/// Draws the initial weights of one network.
#[derive(Debug, Clone, Copy)]
pub struct InitialWeights<'a> {
    seed: u64,
    network: Network,
    /// Standard deviation of the weights.
    gain: f64,
    device: &'a Device,
}

impl<'a> InitialWeights<'a> {
    pub fn new(seed: u64, network: Network, gain: f64, device: &'a Device) -> Self {
        InitialWeights { seed, network, gain, device }
    }

    pub(crate) fn device(&self) -> &Device {
        self.device
    }

    pub(crate) fn conv(&self, layer: u64, mut conv: Conv2d) -> Conv2d {
        conv.weight = self.normal(layer, conv.weight.dims());
        conv.bias = conv.bias.map(|bias| self.zeros(bias.dims()));
        conv
    }

    pub(crate) fn conv_transpose(&self, layer: u64, mut conv: ConvTranspose2d) -> ConvTranspose2d {
        conv.weight = self.normal(layer, conv.weight.dims());
        conv.bias = conv.bias.map(|bias| self.zeros(bias.dims()));
        conv
    }

    fn normal(&self, layer: u64, shape: [usize; 4]) -> Param<Tensor<4>> {
        let mut draw = Draw::new(self.seed, Purpose::Init, self.network as u64, layer);
        let values: Vec<f32> =
            (0..shape.iter().product()).map(|_| (draw.normal() * self.gain) as f32).collect();
        Param::from_data(TensorData::new(values, shape), self.device)
    }

    fn zeros(&self, shape: [usize; 1]) -> Param<Tensor<1>> {
        Param::from_tensor(Tensor::zeros(shape, self.device))
    }
}
