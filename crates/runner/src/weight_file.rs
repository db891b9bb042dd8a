//! Files of weights: PyTorch's and safetensors, told apart by their content.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use burn::store::pytorch::PytorchReader;
use model::upstream_names::UpstreamNames;
use model::weights::{self, Metadata, NamedTensors, WeightsError};
use spec::ModelConfig;

use crate::error::RunnerError;

/// All tensors of a file.
///
/// # Errors
/// `ReadWeights`; `Weights` where the file is of neither format or holds other than
/// floating-point numbers.
pub(crate) fn read(path: &Path) -> Result<NamedTensors, RunnerError> {
    let unusable = |source| RunnerError::Weights { path: path.into(), source };
    if is_safetensors(path)? {
        return weights::from_safetensors(&bytes_of(path)?).map_err(unusable);
    }
    let reader = PytorchReader::new(path)
        .map_err(|error| unusable(WeightsError::Pytorch(error.to_string())))?;
    weights::from_pytorch(reader).map_err(unusable)
}

/// What a file says about itself; nothing where it cannot or does not.
pub(crate) fn read_metadata(path: &Path) -> Result<Metadata, RunnerError> {
    if !is_safetensors(path)? {
        return Ok(Metadata::new());
    }
    weights::safetensors_metadata(&bytes_of(path)?)
        .map_err(|source| RunnerError::Weights { path: path.into(), source })
}

/// The network with a file's weights.
///
/// # Errors
/// As [`read`]; `Weights` with the list of what does not fit.
pub(crate) fn load<M: UpstreamNames>(
    network: M,
    config: &ModelConfig,
    path: &Path,
) -> Result<M, RunnerError> {
    weights::load(network, config, read(path)?)
        .map_err(|source| RunnerError::Weights { path: path.into(), source })
}

pub(crate) fn write(path: &Path, tensors: &NamedTensors) -> Result<(), RunnerError> {
    let bytes = weights::to_safetensors(tensors)
        .map_err(|source| RunnerError::Weights { path: path.into(), source })?;
    fs::write(path, bytes).map_err(|source| RunnerError::Write { path: path.into(), source })
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, RunnerError> {
    fs::read(path).map_err(|source| RunnerError::ReadWeights { path: path.into(), source })
}

/// A length of eight bytes, then JSON. No pickle and no archive has a brace there.
fn is_safetensors(path: &Path) -> Result<bool, RunnerError> {
    let failed = |source| RunnerError::ReadWeights { path: path.into(), source };
    let mut beginning = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(9).read_to_end(&mut beginning).map_err(failed)?;
    Ok(beginning.get(8) == Some(&b'{') && !beginning.starts_with(b"PK"))
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;

    #[test]
    fn the_content_decides_not_the_ending() {
        let dir = tempfile::tempdir().expect("a folder");
        let tensors = NamedTensors::from([("x".into(), TensorData::from([1.0_f32]))]);
        for name in ["w.safetensors", "w.pth", "w"] {
            let path = dir.path().join(name);
            write(&path, &tensors).expect("written");
            assert_eq!(read(&path).expect("read"), tensors, "{name}");
        }
    }

    #[test]
    fn what_is_no_file_of_weights_is_refused_by_its_path() {
        let dir = tempfile::tempdir().expect("a folder");
        let check = |name: &str, bytes: &[u8], expected: &str| {
            let path = dir.path().join(name);
            fs::write(&path, bytes).expect("written");
            let error = read(&path).expect_err(name).chain();
            assert!(error.contains(name) && error.contains(expected), "{error}");
        };
        check("page.pth", b"<!DOCTYPE html><html>not found</html>", "not a PyTorch");
        check("empty.pth", b"", "not a PyTorch");
        check("cut.safetensors", b"\xff\x00\x00\x00\x00\x00\x00\x00{\"x\":", "not a safetensors");
        let error = read(&dir.path().join("none.pth")).expect_err("absent").chain();
        assert!(error.contains("none.pth") && error.contains("cannot read"), "{error}");
    }
}
