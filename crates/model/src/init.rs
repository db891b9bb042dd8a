//! Initial weights: N(0, `init_gain`) for every convolution, N(1, `init_gain`) for the scale of
//! an affine norm, zero for every bias (upstream `init_weights`; Burn's default is Kaiming
//! uniform, for biases too).
//!
//! Each layer draws from its own counter-based stream, keyed by seed, network
//! and layer, so that the same seed gives the same weights on every device and
//! a network with more blocks shares all the layers it has in common.

use burn::module::Param;
use burn::nn::InstanceNorm;
use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::tensor::{Device, Shape, Tensor, TensorData};
use spec::draw::{Draw, Purpose};

use crate::Network;

/// Draws the initial weights of one network.
#[derive(Debug, Clone, Copy)]
pub struct InitialWeights<'a> {
    /// `None`: nothing is drawn.
    source: Option<Source>,
    device: &'a Device,
}

#[derive(Debug, Clone, Copy)]
struct Source {
    seed: u64,
    network: Network,
    /// Standard deviation of the weights.
    gain: f64,
}

/// A norm's layer number is its convolution's, beyond those of all convolutions.
const NORMS: u64 = 1_000_000;

impl<'a> InitialWeights<'a> {
    pub fn new(seed: u64, network: Network, gain: f64, device: &'a Device) -> Self {
        InitialWeights { source: Some(Source { seed, network, gain }), device }
    }

    /// For a network whose weights are all about to be loaded: it has shapes and no values worth
    /// keeping. Drawing a U-Net's takes ten seconds.
    pub fn undrawn(device: &'a Device) -> Self {
        InitialWeights { source: None, device }
    }

    pub(crate) fn device(&self) -> &Device {
        self.device
    }

    pub(crate) fn conv(&self, layer: u64, mut conv: Conv2d) -> Conv2d {
        let Some(source) = self.source else { return conv };
        conv.weight = source.normal(layer, 0.0, conv.weight.lazy_shape(), self.device);
        conv.bias = conv.bias.map(|bias| self.zeros(bias.lazy_shape()));
        conv
    }

    pub(crate) fn conv_transpose(&self, layer: u64, mut conv: ConvTranspose2d) -> ConvTranspose2d {
        let Some(source) = self.source else { return conv };
        conv.weight = source.normal(layer, 0.0, conv.weight.lazy_shape(), self.device);
        conv.bias = conv.bias.map(|bias| self.zeros(bias.lazy_shape()));
        conv
    }

    /// An affine norm's scale, and its shift, which starts at zero.
    pub(crate) fn norm(&self, layer: u64, mut norm: InstanceNorm) -> InstanceNorm {
        let Some(source) = self.source else { return norm };
        let scale = |gamma: Param<Tensor<1>>| {
            source.normal(NORMS + layer, 1.0, gamma.lazy_shape(), self.device)
        };
        norm.gamma = norm.gamma.map(scale);
        norm.beta = norm.beta.map(|beta| self.zeros(beta.lazy_shape()));
        norm
    }

    fn zeros(&self, shape: Shape) -> Param<Tensor<1>> {
        Param::from_tensor(Tensor::zeros(shape, self.device))
    }
}

impl Source {
    fn normal<const D: usize>(
        &self,
        layer: u64,
        mean: f64,
        shape: Shape,
        device: &Device,
    ) -> Param<Tensor<D>> {
        let mut draw = Draw::new(self.seed, Purpose::Init, self.network as u64, layer);
        let values: Vec<f32> =
            (0..shape.num_elements()).map(|_| (mean + draw.normal() * self.gain) as f32).collect();
        Param::from_data(TensorData::new(values, shape), device)
    }
}
