//! The operations that training spends its time in, made for these networks.
//!
//! Feature maps lie with their channels last, as convolutions read them. On the CPU each operation
//! here is one pass of our own ([`cpu`]) with its own backward pass, behind Burn's backend extension
//! ([`fused`]); on any other device, and in float64, it is composed of Burn's operations
//! ([`reference`]), which is also what the CPU's is tested against.
//!
//! Maps in half precision are convolved with weights that are rounded to it, and the result is rounded;
//! sums, and the statistics of norms, are float32. Matrix units of GPUs work so. What they cannot be
//! expected to take is multiplied in float32, where the products are exact: everything on the CPU, few
//! channels, strides, transposed convolutions. Burn's other kernels would sum in the maps' precision.

#![deny(missing_docs)]

mod adam;
mod cpu;
mod fused;
mod reference;

use burn::backend::{Dispatch, DispatchDevice};
use burn::tensor::{DType, Tensor};

pub use adam::Adam;
pub use cpu::border::Border;

use fused::Fused;

/// Feature maps `[batch, height, width, channels]`, in a precision that convolutions and norms keep.
#[derive(Debug, Clone)]
pub struct FeatureMaps(Tensor<4>);

/// A convolution, beside its weights; or the transposed one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv {
    /// Pixels between windows, ≥ 1.
    pub stride: usize,
    /// Pixels around the picture. With `Reflect` less than its sides.
    pub padding: usize,
    /// What they hold. Transposed convolutions have zeros.
    pub border: Border,
    /// What follows.
    pub activation: Activation,
}

/// Bends what is below zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// Nothing follows.
    Identity,
    /// Zero.
    Relu,
    /// The value times this slope.
    LeakyRelu(f64),
}

impl Activation {
    /// Factor of what is below zero.
    fn slope(self) -> f32 {
        match self {
            Activation::Identity => 1.0,
            Activation::Relu => 0.0,
            Activation::LeakyRelu(slope) => slope as f32,
        }
    }
}

/// Instance norm with the activation behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InstanceNorm {
    /// Added to the variance.
    pub epsilon: f64,
    /// What follows.
    pub activation: Activation,
}

impl FeatureMaps {
    /// From `[batch, channels, height, width]`.
    pub fn of_images(images: Tensor<4>) -> Self {
        FeatureMaps(images.permute([0, 2, 3, 1]))
    }

    /// To `[batch, channels, height, width]`.
    pub fn into_images(self) -> Tensor<4> {
        self.0.permute([0, 3, 1, 2])
    }

    /// From `[batch, height, width, channels]`.
    pub fn new(tensor: Tensor<4>) -> Self {
        FeatureMaps(tensor)
    }

    /// `[batch, height, width, channels]`
    pub fn tensor(self) -> Tensor<4> {
        self.0
    }

    /// `[batch, height, width, channels]`
    pub fn dims(&self) -> [usize; 4] {
        self.0.dims()
    }

    /// `act(weight ∗ self + bias)`
    ///
    /// # Shapes
    /// - `weight`: `[channels_out, channels, rows, columns]`
    /// - `bias`: `[channels_out]`
    /// - returns: `[batch, (height + 2 padding - rows) / stride + 1, …, channels_out]`
    pub fn conv(self, weight: Tensor<4>, bias: Option<Tensor<1>>, conv: Conv) -> Self {
        let [channels_out, channels, ..] = weight.dims();
        let by_units = !is_on_cpu(&self.0) && suits_matrix_units([channels, channels_out], conv);
        let convolve = |x: Self, weight, bias| x.convolved(weight, bias, conv);
        self.in_its_precision(weight, bias, by_units, convolve)
    }

    fn convolved(self, weight: Tensor<4>, bias: Option<Tensor<1>>, conv: Conv) -> Self {
        let [channels_out, _, rows, columns] = weight.dims();
        if !(has_kernels(&self.0) && has_kernels(&weight) && rows.min(columns) >= conv.stride) {
            return reference::conv(self, weight, bias, conv);
        }
        let bias = bias.unwrap_or_else(|| Tensor::zeros([channels_out], &self.0.device()));
        let (x, weight, bias) = (self.0, weight, bias);
        FeatureMaps(Tensor::from_dispatch(<Dispatch as Fused>::fused_conv(
            x.into_dispatch(),
            weight.into_dispatch(),
            bias.into_dispatch(),
            conv,
        )))
    }

    /// The transposed convolution: what [`conv`](Self::conv) does to gradients.
    ///
    /// # Shapes
    /// - `weight`: `[channels, channels_out, rows, columns]`
    /// - `bias`: `[channels_out]`
    /// - returns: `[batch, (height - 1) · stride - 2 padding + rows + padding_out, …, channels_out]`
    pub fn conv_transpose(
        self,
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
        conv: Conv,
        padding_out: usize,
    ) -> Self {
        let convolve = |x: Self, weight, bias| x.convolved_back(weight, bias, conv, padding_out);
        self.in_its_precision(weight, bias, false, convolve)
    }

    fn convolved_back(
        self,
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
        conv: Conv,
        padding_out: usize,
    ) -> Self {
        let [_, channels_out, rows, columns] = weight.dims();
        if !(has_kernels(&self.0) && has_kernels(&weight) && rows.min(columns) >= conv.stride) {
            return reference::conv_transpose(self, weight, bias, conv, padding_out);
        }
        let bias = bias.unwrap_or_else(|| Tensor::zeros([channels_out], &self.0.device()));
        let (x, weight, bias) = (self.0, weight, bias);
        FeatureMaps(Tensor::from_dispatch(<Dispatch as Fused>::fused_conv_transpose(
            x.into_dispatch(),
            weight.into_dispatch(),
            bias.into_dispatch(),
            conv,
            padding_out,
        )))
    }

    /// `act(gamma · (self - mean) / √(variance + epsilon) + beta)`, statistics over each image's pixels.
    ///
    /// # Shapes
    /// - `affine`: gamma and beta, each `[channels]`; without, 1 and 0
    /// - returns: as `self`
    pub fn instance_norm(self, affine: Option<(Tensor<1>, Tensor<1>)>, norm: InstanceNorm) -> Self {
        let precision = self.0.dtype();
        if is_half(precision) {
            let y = self.cast(DType::F32).instance_norm(affine, norm);
            return y.cast(precision);
        }
        if !has_kernels(&self.0) {
            return reference::instance_norm(self, affine, norm);
        }
        let channels = self.dims()[3];
        let device = self.0.device();
        let none = || (Tensor::ones([channels], &device), Tensor::zeros([channels], &device));
        let (gamma, beta) = affine.unwrap_or_else(none);
        FeatureMaps(Tensor::from_dispatch(<Dispatch as Fused>::fused_instance_norm(
            self.0.into_dispatch(),
            gamma.into_dispatch(),
            beta.into_dispatch(),
            norm,
        )))
    }

    /// What `convolve` gives for the maps and weights that are rounded to their precision, rounded
    /// likewise. `by_units`: matrix units multiply in that precision.
    fn in_its_precision(
        self,
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
        by_units: bool,
        convolve: impl FnOnce(Self, Tensor<4>, Option<Tensor<1>>) -> Self,
    ) -> Self {
        let precision = self.0.dtype();
        let (weight, bias) = (weight.cast(precision), bias.map(|bias| bias.cast(precision)));
        if !is_half(precision) || by_units {
            return convolve(self, weight, bias);
        }
        let products = DType::F32;
        let (weight, bias) = (weight.cast(products), bias.map(|bias| bias.cast(products)));
        convolve(self.cast(products), weight, bias).cast(precision)
    }

    fn cast(self, precision: DType) -> Self {
        FeatureMaps(self.0.cast(precision))
    }
}

fn is_half(precision: DType) -> bool {
    matches!(precision, DType::BF16 | DType::F16)
}

/// Whether Burn's tuning can be expected to choose them, for the gradients too: with a stride it has no
/// such kernel for that of the maps.
fn suits_matrix_units(channels: [usize; 2], conv: Conv) -> bool {
    conv.stride == 1 && channels.iter().all(|n| n.is_multiple_of(16))
}

/// Whether it lies where our kernels run, in their precision.
fn has_kernels<const D: usize>(tensor: &Tensor<D>) -> bool {
    is_on_cpu(tensor) && tensor.dtype() == DType::F32
}

fn is_on_cpu<const D: usize>(tensor: &Tensor<D>) -> bool {
    matches!(tensor.device().without_autodiff().as_dispatch(), DispatchDevice::Flex(_))
}

#[cfg(test)]
mod tests;
