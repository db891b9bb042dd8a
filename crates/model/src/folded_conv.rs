//! Convolutions of networks that only look: whatever follows them linearly is folded into them.
//!
//! A batch norm in inference is `s · x + t` for each channel, so it needs no state of its own.
//! Nothing is left that behaves differently on a device that records gradients, where Burn's
//! batch norm would take the statistics of the batch at hand and change its own.

use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};

use crate::weights::{NamedTensors, WeightsError};

/// A convolution with its bias, and the batch norm behind it if there was one.
#[derive(Debug, Clone)]
pub(crate) struct FoldedConv {
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    padding: [usize; 2],
    groups: usize,
}

impl FoldedConv {
    /// # Shapes
    /// - `x`: `[batch, channels_in, height, width]`
    /// - returns: `[batch, channels_out, …]`
    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let options = ConvOptions::new([self.stride; 2], self.padding, [1, 1], self.groups);
        conv2d(x, self.weight.clone(), Some(self.bias.clone()), options)
    }

    /// The same for images whose channels are the windows that this one would look at, in the
    /// order row, column, channel.
    pub(crate) fn of_windows(self) -> Self {
        let [out, channels, rows, columns] = self.weight.dims();
        let weight = self.weight.permute([0, 2, 3, 1]);
        let weight = weight.reshape([out, rows * columns * channels, 1, 1]);
        FoldedConv { weight, stride: 1, padding: [0; 2], ..self }
    }
}

/// Tensors from a file, taken one by one by a network that knows what it needs. All that does not
/// fit is gathered; nothing is loaded in part.
pub(crate) struct WeightTaker<'a> {
    tensors: NamedTensors,
    problems: Vec<String>,
    device: &'a Device,
}

/// What a convolution is, beside its weights.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConvShape {
    /// Out, in (of its group), rows, columns.
    pub weight: [usize; 4],
    pub stride: usize,
    /// Rows above and below, columns left and right.
    pub padding: [usize; 2],
    pub groups: usize,
}

impl<'a> WeightTaker<'a> {
    /// Counters of batches are dropped: they have no part in inference.
    pub(crate) fn new(mut tensors: NamedTensors, device: &'a Device) -> Self {
        tensors.retain(|name, _| !name.ends_with(".num_batches_tracked"));
        WeightTaker { tensors, problems: Vec::new(), device }
    }

    /// The convolution `conv`, which has no bias, and the norm `norm` behind it:
    /// `gamma · (x - mean) / √(var + eps) + beta`.
    pub(crate) fn conv_norm(
        &mut self,
        conv: &str,
        norm: &str,
        eps: f32,
        shape: ConvShape,
    ) -> FoldedConv {
        let channels = shape.weight[0];
        let mut weight = self.values(&format!("{conv}.weight"), &shape.weight);
        let of_norm =
            |taker: &mut Self, part: &str| taker.values(&format!("{norm}.{part}"), &[channels]);
        let gamma = of_norm(self, "weight");
        let beta = of_norm(self, "bias");
        let mean = of_norm(self, "running_mean");
        let var = of_norm(self, "running_var");
        if let Some(value) = var.iter().find(|&&value| value < 0.0) {
            self.problems.push(format!("`{norm}.running_var` holds {value}, no variance"));
        }
        let scale: Vec<f32> =
            gamma.iter().zip(&var).map(|(gamma, var)| gamma / (var + eps).sqrt()).collect();
        let per_channel = weight.len() / channels;
        for (values, scale) in weight.chunks_exact_mut(per_channel).zip(&scale) {
            values.iter_mut().for_each(|value| *value *= scale);
        }
        let bias = (0..channels).map(|i| beta[i] - mean[i] * scale[i]).collect();
        self.folded(weight, bias, shape)
    }

    /// The convolution `name` with its own bias.
    pub(crate) fn conv(&mut self, name: &str, shape: ConvShape) -> FoldedConv {
        let weight = self.values(&format!("{name}.weight"), &shape.weight);
        let bias = self.values(&format!("{name}.bias"), &shape.weight[..1]);
        self.folded(weight, bias, shape)
    }

    fn folded(&self, weight: Vec<f32>, bias: Vec<f32>, shape: ConvShape) -> FoldedConv {
        FoldedConv {
            bias: Tensor::from_data(TensorData::new(bias, [shape.weight[0]]), self.device),
            weight: Tensor::from_data(TensorData::new(weight, shape.weight), self.device),
            stride: shape.stride,
            padding: shape.padding,
            groups: shape.groups,
        }
    }

    pub(crate) fn tensor<const D: usize>(&mut self, name: &str, shape: [usize; D]) -> Tensor<D> {
        let values = self.values(name, &shape);
        Tensor::from_data(TensorData::new(values, shape), self.device)
    }

    /// A tensor's values; ones, where it is missing or does not fit, so that the rest is looked at
    /// all the same.
    fn values(&mut self, name: &str, shape: &[usize]) -> Vec<f32> {
        let fault = match self.tensors.remove(name) {
            None => format!("missing tensor `{name}` {shape:?}"),
            Some(found) if found.shape().to_vec() != shape => {
                format!("`{name}` has shape {:?}, expected {shape:?}", found.shape().to_vec())
            }
            Some(found) => match found.try_into_vec::<f32>() {
                Err(_) => format!("`{name}` does not hold float32"),
                Ok(values) => match values.iter().find(|value| !value.is_finite()) {
                    None => return values,
                    Some(value) => format!("`{name}` holds {value}"),
                },
            },
        };
        self.problems.push(fault);
        vec![1.0; shape.iter().product()]
    }

    /// The network that was made of the tensors, if every one was there, fitted and was needed.
    ///
    /// # Errors
    /// `NoTensors`; `Mismatch` with every problem.
    pub(crate) fn finish<T>(self, network: T) -> Result<T, WeightsError> {
        let WeightTaker { tensors, mut problems, .. } = self;
        let surplus = |(name, tensor): (String, TensorData)| {
            format!("surplus tensor `{name}` {:?}", tensor.shape().to_vec())
        };
        problems.extend(tensors.into_iter().map(surplus));
        match problems.is_empty() {
            true => Ok(network),
            false => Err(WeightsError::Mismatch { problems, hint: None }),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
