//! Weights as named tensors, under the key names of the reference implementation,
//! so that PyTorch reads what we write and we read what it wrote.
//!
//! Loading is all or nothing: a missing, surplus or mis-shaped tensor refuses
//! the whole file and names every offender.

use std::collections::BTreeMap;

use burn::store::pytorch::PytorchReader;
use burn::store::pytorch_reader;
use burn::tensor::{DType, TensorData};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use spec::ModelConfig;

use crate::architecture::{self, Layout};
pub use crate::parameters::collect;
use crate::parameters::{replace, shapes};
use crate::upstream_names::UpstreamNames;

/// Tensors by name, float32.
pub type NamedTensors = BTreeMap<String, TensorData>;

/// What a safetensors file says about itself, beside its tensors.
pub type Metadata = BTreeMap<String, String>;

#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    #[error("not a safetensors file")]
    Safetensors(#[source] safetensors::SafeTensorError),
    #[error("not a PyTorch state dict: {0}")]
    Pytorch(String),
    #[error("tensor `{name}` holds {found}, and weights are floating-point numbers")]
    NotFloat { name: String, found: String },
    #[error("the file holds no tensor")]
    NoTensors,
    #[error("tensor `{name}` holds {value}, and no training goes on from there")]
    NotFinite { name: String, value: f32 },
    /// All problems, under the names in the file; what the file looks like instead, if known.
    #[error("they do not fit this network:{}{}", first_ten(.problems), looks_like(.hint))]
    Mismatch { problems: Vec<String>, hint: Option<String> },
    /// A file that is known, and known not to be what is wanted.
    #[error("the file is {layout}")]
    Foreign { layout: Layout },
    #[error("no known generator has such tensors:{}", first_ten(.names))]
    Unknown { names: Vec<String> },
}

fn first_ten(lines: &[String]) -> String {
    let mut text: String = lines.iter().take(10).map(|line| format!("\n    {line}")).collect();
    if lines.len() > 10 {
        text += &format!("\n    … and {} more", lines.len() - 10);
    }
    text
}

fn looks_like(hint: &Option<String>) -> String {
    hint.as_ref().map(|hint| format!("\n    the file looks like {hint}")).unwrap_or_default()
}

/// The network's tensors under upstream's names.
pub fn save<M: UpstreamNames>(network: &M, config: &ModelConfig) -> NamedTensors {
    let mut own = collect(network);
    let mut named = NamedTensors::new();
    for (ours, theirs) in M::names(config) {
        let tensor = own.remove(&ours).expect("the names are those of the network's parameters");
        named.insert(theirs, tensor);
    }
    assert!(own.is_empty(), "every parameter has a name in the reference, left: {:?}", own.keys());
    named
}

/// The network with all its tensors replaced by those given under upstream's names.
///
/// Running statistics of norms, which some published files carry, are dropped:
/// the reference never uses them.
///
/// # Errors
/// `Mismatch` names every missing, surplus or mis-shaped tensor; `NoTensors`; `NotFinite`.
pub fn load<M: UpstreamNames>(
    network: M,
    config: &ModelConfig,
    tensors: NamedTensors,
) -> Result<M, WeightsError> {
    let finite = expect_finite(&tensors);
    let network = restore(network, config, tensors)?;
    finite.map(|()| network)
}

/// [`load`] of what this program saved itself: a run that goes on with values that are no numbers
/// (`guards.non_finite = "continue"`) is put back as it was.
///
/// # Errors
/// `Mismatch`, `NoTensors`.
pub fn restore<M: UpstreamNames>(
    network: M,
    config: &ModelConfig,
    mut tensors: NamedTensors,
) -> Result<M, WeightsError> {
    tensors.retain(|name, _| !is_statistic(name));
    if tensors.is_empty() {
        return Err(WeightsError::NoTensors);
    }
    let names = M::names(config);
    let problems = problems(&shapes(&network), &names, &tensors);
    if !problems.is_empty() {
        let device = network.devices().into_iter().next();
        let hint = device.and_then(|it| architecture::hint(&tensors, &names, config, &it));
        return Err(WeightsError::Mismatch { problems, hint });
    }
    let own = |(ours, theirs)| (ours, tensors.remove(&theirs).expect("nothing is missing"));
    Ok(replace(network, names.into_iter().map(own).collect()))
}

fn expect_finite(tensors: &NamedTensors) -> Result<(), WeightsError> {
    for (name, tensor) in tensors.iter().filter(|(name, _)| !is_statistic(name)) {
        let values = tensor.as_slice::<f32>().expect("all weights are float32");
        if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
            return Err(WeightsError::NotFinite { name: name.clone(), value });
        }
    }
    Ok(())
}

/// Whether a tensor is part of a norm's running statistics.
pub(crate) fn is_statistic(name: &str) -> bool {
    [".running_mean", ".running_var", COUNTER].iter().any(|suffix| name.ends_with(suffix))
}

/// How many batches a norm has seen: the only integers in PyTorch's networks.
const COUNTER: &str = ".num_batches_tracked";

/// What speaks against putting `found` into a network of these shapes and names.
fn problems(
    shapes: &BTreeMap<String, Vec<usize>>,
    names: &[(String, String)],
    found: &NamedTensors,
) -> Vec<String> {
    let mut problems = Vec::new();
    for (ours, theirs) in names {
        let expected = &shapes[ours];
        match found.get(theirs).map(|tensor| tensor.shape().to_vec()) {
            None => problems.push(format!("missing tensor `{theirs}` {expected:?}")),
            Some(shape) if shape == *expected => {}
            Some(shape) => {
                problems.push(format!("`{theirs}` has shape {shape:?}, expected {expected:?}"));
            }
        }
    }
    let wanted = |name: &String| names.iter().any(|(_, theirs)| theirs == name);
    let surplus = found.iter().filter(|(name, _)| !wanted(name));
    let surplus = surplus.map(|(name, tensor)| {
        let shape = tensor.shape().to_vec();
        format!("surplus tensor `{name}` {shape:?}")
    });
    problems.extend(surplus);
    problems
}

/// `metadata` is what the file is to say about itself.
pub fn to_safetensors(
    tensors: &NamedTensors,
    metadata: Option<&Metadata>,
) -> Result<Vec<u8>, WeightsError> {
    let views = tensors.iter().map(|(name, data)| {
        let view = TensorView::new(Dtype::F32, data.shape().to_vec(), data.as_bytes())
            .expect("a float32 tensor's bytes fit its shape");
        (name, view)
    });
    let metadata = metadata.map(|it| it.clone().into_iter().collect());
    safetensors::serialize(views, metadata).map_err(WeightsError::Safetensors)
}

/// Other floating-point numbers become float32.
///
/// # Errors
/// `Safetensors` for bytes of another format, `NotFloat` for other element types.
pub fn from_safetensors(bytes: &[u8]) -> Result<NamedTensors, WeightsError> {
    let file = SafeTensors::deserialize(bytes).map_err(WeightsError::Safetensors)?;
    file.iter()
        .filter(|(name, _)| !name.ends_with(COUNTER))
        .map(|(name, view)| {
            let dtype = match view.dtype() {
                Dtype::F32 => DType::F32,
                Dtype::F64 => DType::F64,
                Dtype::F16 => DType::F16,
                Dtype::BF16 => DType::BF16,
                other => return Err(not_float(name, other)),
            };
            Ok((name.to_string(), float32(view.data().to_vec(), view.shape().to_vec(), dtype)))
        })
        .collect()
}

/// What a safetensors file says about itself; nothing where it says nothing.
///
/// # Errors
/// `Safetensors` for bytes of another format.
pub fn safetensors_metadata(bytes: &[u8]) -> Result<Metadata, WeightsError> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(WeightsError::Safetensors)?;
    Ok(header.metadata().clone().unwrap_or_default().into_iter().collect())
}

/// The tensors of a PyTorch state dict that the caller has opened, zipped or legacy. Nothing in
/// it is executed; other floating-point numbers become float32.
///
/// # Errors
/// `Pytorch` where its tensors cannot be read, `NotFloat` for other element types.
pub fn from_pytorch(reader: PytorchReader) -> Result<NamedTensors, WeightsError> {
    // By name: which tensor an error is about must not depend on hashing.
    let tensors: BTreeMap<String, _> = reader.into_tensors().into_iter().collect();
    tensors
        .into_iter()
        .filter(|(name, _)| !name.ends_with(COUNTER))
        .map(|(name, tensor)| {
            let dtype = match tensor.dtype() {
                pytorch_reader::DType::F32 => DType::F32,
                pytorch_reader::DType::F64 => DType::F64,
                pytorch_reader::DType::F16 => DType::F16,
                pytorch_reader::DType::BF16 => DType::BF16,
                other => return Err(not_float(&name, other)),
            };
            let bytes = tensor.read().map_err(|error| WeightsError::Pytorch(error.to_string()))?;
            let data = float32(bytes, tensor.shape().to_vec(), dtype);
            Ok((name, data))
        })
        .collect()
}

fn float32(bytes: Vec<u8>, shape: Vec<usize>, dtype: DType) -> TensorData {
    TensorData::from_bytes_vec(bytes, shape, dtype).convert::<f32>()
}

fn not_float(name: &str, found: impl std::fmt::Debug) -> WeightsError {
    WeightsError::NotFloat { name: name.into(), found: format!("{found:?}") }
}

#[cfg(test)]
mod tests {
    use spec::{DiscriminatorKind, RunConfig};

    use super::*;
    use crate::tests::{discriminator, generator};

    fn tiny() -> ModelConfig {
        ModelConfig { ngf: 2, ndf: 2, n_blocks: 1, n_layers: 1, ..RunConfig::reference().model }
    }

    fn refusal(config: &ModelConfig, tensors: NamedTensors) -> String {
        load(generator(config), config, tensors).expect_err("refused").to_string()
    }

    #[test]
    fn every_problem_is_named_as_the_file_names_it() {
        let config = tiny();
        let mut named = save(&generator(&config), &config);
        named.remove("model.1.bias");
        named.insert("model.4.bias".into(), TensorData::from([1.0_f32]));
        named.insert("model.99.weight".into(), TensorData::from([1.0_f32; 2]));
        let error = refusal(&config, named);
        for part in [
            "missing tensor `model.1.bias` [2]",
            "`model.4.bias` has shape [1], expected [4]",
            "surplus tensor `model.99.weight` [2]",
        ] {
            assert!(error.contains(part), "{error} lacks {part}");
        }
        // A hint at another network would mislead here.
        assert!(!error.contains("looks like"), "{error}");
    }

    #[test]
    fn a_long_list_is_cut_short_and_a_known_network_is_named() {
        let deep = ModelConfig { n_blocks: 9, ..tiny() };
        let error = refusal(&tiny(), save(&generator(&deep), &deep));
        assert!(error.contains("… and ") && error.lines().count() < 14, "{error}");
        assert!(error.contains("looks like a residual generator of 9 blocks, ngf 2"), "{error}");
        let wide = ModelConfig { ngf: 3, ..tiny() };
        let error = refusal(&tiny(), save(&generator(&wide), &wide));
        assert!(error.contains("looks like a residual generator of 1 block, ngf 3"), "{error}");
        let dropout = ModelConfig { dropout: 0.5, ..tiny() };
        let error = refusal(&tiny(), save(&generator(&dropout), &dropout));
        assert!(error.contains("looks like a residual generator trained with dropout"), "{error}");
        let error = refusal(&tiny(), save(&discriminator(&tiny()), &tiny()));
        assert!(error.contains("looks like a discriminator"), "{error}");
        let pixel = ModelConfig { discriminator: DiscriminatorKind::Pixel, ..tiny() };
        let named = save(&discriminator(&pixel), &pixel);
        let error = load(discriminator(&tiny()), &tiny(), named).expect_err("refused").to_string();
        assert!(error.contains("looks like a pixel discriminator"), "{error}");
        let named = save(&generator(&tiny()), &tiny());
        let error = load(discriminator(&tiny()), &tiny(), named).expect_err("refused").to_string();
        assert!(error.contains("looks like a residual generator"), "{error}");
    }

    #[test]
    fn nothing_but_statistics_is_nothing() {
        let statistics =
            NamedTensors::from([("model.2.running_mean".into(), TensorData::from([0.0_f32; 2]))]);
        for tensors in [NamedTensors::new(), statistics] {
            let error = load(generator(&tiny()), &tiny(), tensors).expect_err("refused");
            assert!(matches!(error, WeightsError::NoTensors), "{error}");
        }
    }

    #[test]
    fn what_is_no_number_is_named() {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut named = save(&generator(&tiny()), &tiny());
            let bias = TensorData::from([0.0, value]);
            named.insert("model.1.bias".into(), bias);
            let error = refusal(&tiny(), named);
            assert!(error.contains(&format!("`model.1.bias` holds {value}")), "{error}");
        }
    }

    #[test]
    fn half_and_double_precision_become_single_and_integers_are_refused() {
        let read = |dtype: Dtype, bytes: &[u8]| {
            let view = TensorView::new(dtype, vec![2], bytes).expect("the bytes fit");
            let bytes = safetensors::serialize([("a.weight", view)], None).expect("serialises");
            from_safetensors(&bytes)
        };
        let check = |dtype: Dtype, bytes: &[u8]| {
            let found = read(dtype, bytes).expect("floating-point numbers");
            assert_eq!(found["a.weight"].as_slice::<f32>().expect("float32"), [1.5, -2.0]);
        };
        check(Dtype::F32, &[1.5_f32, -2.0].map(f32::to_le_bytes).concat());
        check(Dtype::F64, &[1.5_f64, -2.0].map(f64::to_le_bytes).concat());
        check(Dtype::F16, &[0x3e00_u16, 0xc000].map(u16::to_le_bytes).concat());
        check(Dtype::BF16, &[0x3fc0_u16, 0xc000].map(u16::to_le_bytes).concat());
        let error = read(Dtype::I64, &[1_i64, 2].map(i64::to_le_bytes).concat());
        let error = error.expect_err("integers").to_string();
        assert!(error.contains("`a.weight` holds I64"), "{error}");
    }

    #[test]
    fn counters_of_batches_are_no_weights() {
        let counter = 7_i64.to_le_bytes();
        let view = TensorView::new(Dtype::I64, vec![], &counter).expect("one number");
        let bytes =
            safetensors::serialize([("model.2.num_batches_tracked", view)], None).expect("bytes");
        assert!(from_safetensors(&bytes).expect("read").is_empty());
    }

    #[test]
    fn what_is_said_about_a_file_is_read_back() {
        let metadata = Metadata::from([("network".into(), "gen_ab".into())]);
        let tensors = NamedTensors::from([("x".into(), TensorData::from([1.0_f32]))]);
        let bytes = to_safetensors(&tensors, Some(&metadata)).expect("serialises");
        assert_eq!(safetensors_metadata(&bytes).expect("reads"), metadata);
        assert_eq!(from_safetensors(&bytes).expect("reads"), tensors);
        let bare = to_safetensors(&tensors, None).expect("serialises");
        assert_eq!(safetensors_metadata(&bare).expect("reads"), Metadata::new());
    }
}
