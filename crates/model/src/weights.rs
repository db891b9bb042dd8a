//! Weights as named tensors, under the key names of the reference implementation,
//! so that PyTorch reads what we write and we read what it wrote.
//!
//! Loading is all or nothing: a missing, surplus or mis-shaped tensor refuses
//! the whole file and names every offender.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::store::pytorch::PytorchReader;
use burn::tensor::{DType, Device, Tensor, TensorData};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use spec::{DiscriminatorKind, ModelConfig, Upsample};

use crate::{Discriminator, ResnetGenerator};

/// Tensors by name, float32.
pub type NamedTensors = BTreeMap<String, TensorData>;

#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    #[error("not a safetensors file")]
    Safetensors(#[source] safetensors::SafeTensorError),
    #[error("not a PyTorch state dict: {0}")]
    Pytorch(String),
    #[error("tensor `{name}` is {found}; only float32 is read")]
    NotFloat32 { name: String, found: String },
    #[error("the weights do not fit this network: {}", .problems.join("; "))]
    Mismatch { problems: Vec<String> },
}

/// A network whose tensors have names in the reference implementation.
pub trait UpstreamKeys: Module {
    /// (our path, upstream's prefix) of every convolution; `.weight` and `.bias` follow.
    fn convolutions(config: &ModelConfig) -> Vec<(String, String)>;
}

impl UpstreamKeys for ResnetGenerator {
    fn convolutions(config: &ModelConfig) -> Vec<(String, String)> {
        let n = config.n_blocks as usize;
        // Dropout shifts what follows it inside a block.
        let second = if config.dropout > 0.0 { 6 } else { 5 };
        let (variant, up, head) = match config.upsample {
            Upsample::Transpose => ("Transpose", [10 + n, 13 + n], 17 + n),
            // Upsample, ReflectionPad, Conv, norm, ReLU: the replacement of upstream's FAQ.
            Upsample::Nearest | Upsample::Bilinear => ("Resize.conv", [12 + n, 17 + n], 21 + n),
        };
        let mut keys = vec![
            ("stem".into(), "model.1".into()),
            ("down.0".into(), "model.4".into()),
            ("down.1".into(), "model.7".into()),
        ];
        for i in 0..n {
            let block = format!("model.{}.conv_block", 10 + i);
            keys.push((format!("blocks.{i}.first"), format!("{block}.1")));
            keys.push((format!("blocks.{i}.second"), format!("{block}.{second}")));
        }
        for (i, index) in up.into_iter().enumerate() {
            keys.push((format!("up.{i}.{variant}"), format!("model.{index}")));
        }
        keys.push(("head".into(), format!("model.{head}")));
        keys
    }
}

impl UpstreamKeys for Discriminator {
    fn convolutions(config: &ModelConfig) -> Vec<(String, String)> {
        let (n, prefix) = match config.discriminator {
            DiscriminatorKind::Patch => (config.n_layers as usize + 2, "model"),
            DiscriminatorKind::Pixel => (3, "net"),
        };
        // After the first: convolution, norm, LeakyReLU, three modules a layer.
        let index = |i: usize| if i == 0 { 0 } else { 3 * i - 1 };
        (0..n).map(|i| (format!("layers.{i}"), format!("{prefix}.{}", index(i)))).collect()
    }
}

/// The network's tensors under upstream's names.
pub fn save<M: UpstreamKeys>(network: &M, config: &ModelConfig) -> NamedTensors {
    let mut own = collect(network);
    let mut named = NamedTensors::new();
    for (ours, theirs) in M::convolutions(config) {
        for part in ["weight", "bias"] {
            if let Some(tensor) = own.remove(&format!("{ours}.{part}")) {
                named.insert(format!("{theirs}.{part}"), tensor);
            }
        }
    }
    assert!(own.is_empty(), "every parameter belongs to a convolution, left: {:?}", own.keys());
    named
}

/// The network with all its tensors replaced by those given under upstream's names.
///
/// Running statistics of instance norms, which some published files carry, are dropped:
/// the reference never uses them.
///
/// # Errors
/// `Mismatch` names every missing, surplus or mis-shaped tensor.
pub fn load<M: UpstreamKeys>(
    network: M,
    config: &ModelConfig,
    mut tensors: NamedTensors,
) -> Result<M, WeightsError> {
    let statistics = [".running_mean", ".running_var", ".num_batches_tracked"];
    tensors.retain(|name, _| !statistics.iter().any(|suffix| name.ends_with(suffix)));
    let mut own = NamedTensors::new();
    for (ours, theirs) in M::convolutions(config) {
        for part in ["weight", "bias"] {
            if let Some(tensor) = tensors.remove(&format!("{theirs}.{part}")) {
                own.insert(format!("{ours}.{part}"), tensor);
            }
        }
    }
    let surplus = tensors.keys().map(|name| format!("surplus tensor `{name}`"));
    let mut replace = Replace { path: Path::default(), tensors: own, problems: surplus.collect() };
    let network = network.map(&mut replace);
    match replace.problems.is_empty() {
        true => Ok(network),
        false => Err(WeightsError::Mismatch { problems: replace.problems }),
    }
}

/// Every float parameter by its path in the module.
pub fn collect<M: Module>(module: &M) -> NamedTensors {
    let mut collect = Collect { path: Path::default(), tensors: NamedTensors::new() };
    module.visit(&mut collect);
    collect.tensors
}

pub fn to_safetensors(tensors: &NamedTensors) -> Result<Vec<u8>, WeightsError> {
    let views = tensors.iter().map(|(name, data)| {
        let view = TensorView::new(Dtype::F32, data.shape().to_vec(), data.as_bytes())
            .expect("a float32 tensor's bytes fit its shape");
        (name, view)
    });
    safetensors::serialize(views, None).map_err(WeightsError::Safetensors)
}

/// # Errors
/// `Safetensors` for bytes of another format, `NotFloat32` for other element types.
pub fn from_safetensors(bytes: &[u8]) -> Result<NamedTensors, WeightsError> {
    let file = SafeTensors::deserialize(bytes).map_err(WeightsError::Safetensors)?;
    file.iter()
        .map(|(name, view)| {
            if view.dtype() != Dtype::F32 {
                let found = format!("{:?}", view.dtype());
                return Err(WeightsError::NotFloat32 { name: name.into(), found });
            }
            let shape = view.shape().to_vec();
            let bytes = view.data().to_vec();
            Ok((name.to_string(), TensorData::from_bytes_vec(bytes, shape, DType::F32)))
        })
        .collect()
}

/// Reads a PyTorch state dict, zipped or legacy; nothing in it is executed.
///
/// # Errors
/// `Pytorch` for bytes of another format or without a tensor, `NotFloat32` for other element types.
pub fn from_pytorch(bytes: &[u8]) -> Result<NamedTensors, WeightsError> {
    let reader = PytorchReader::from_reader(bytes, None)
        .map_err(|error| WeightsError::Pytorch(error.to_string()))?;
    let tensors: NamedTensors = reader
        .into_tensors()
        .into_iter()
        .filter(|(name, _)| !name.ends_with(".num_batches_tracked"))
        .map(|(name, tensor)| {
            let found = format!("{:?}", tensor.dtype());
            if found != "F32" {
                return Err(WeightsError::NotFloat32 { name, found });
            }
            let bytes = tensor.read().map_err(|error| WeightsError::Pytorch(error.to_string()))?;
            let shape = tensor.shape().to_vec();
            Ok((name, TensorData::from_bytes_vec(bytes, shape, DType::F32)))
        })
        .collect::<Result<_, _>>()?;
    match tensors.is_empty() {
        true => Err(WeightsError::Pytorch("it holds no tensor".into())),
        false => Ok(tensors),
    }
}

/// Where in a module a visitor stands.
#[derive(Default)]
struct Path(Vec<String>);

impl Path {
    fn name(&self) -> String {
        self.0.join(".")
    }
}

struct Collect {
    path: Path,
    tensors: NamedTensors,
}

impl ModuleVisitor for Collect {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.0.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.0.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.tensors.insert(self.path.name(), param.val().into_data());
    }
}

struct Replace {
    path: Path,
    tensors: NamedTensors,
    problems: Vec<String>,
}

impl ModuleMapper for Replace {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.0.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.0.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.name();
        let Some(data) = self.tensors.remove(&name) else {
            self.problems.push(format!("missing tensor for `{name}`"));
            return param;
        };
        let expected = param.dims();
        if data.shape().to_vec() != expected {
            let found = data.shape().to_vec();
            self.problems.push(format!("`{name}` has shape {found:?}, expected {expected:?}"));
            return param;
        }
        param.map(|old| {
            let device: Device = old.device();
            Tensor::from_data(data, &device).set_require_grad(old.is_require_grad())
        })
    }
}
