//! Files of weights: PyTorch's and safetensors, told apart by their content.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use burn::store::pytorch::PytorchReader;
use model::upstream_names::UpstreamNames;
use model::weights::{self, Metadata, NamedTensors, WeightsError};
use spec::ModelConfig;

use crate::error::RunnerError;

/// What a file is instead of weights: the usual ways in which a download goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoWeights {
    #[error("is empty")]
    Empty,
    #[error("is a web page, not weights")]
    WebPage,
    #[error("is a git-lfs pointer, not weights; `git lfs pull` in its repository fetches them")]
    LfsPointer,
    #[error("ends too early; was the download cut off?")]
    CutOff,
}

/// All tensors of a file.
///
/// # Errors
/// `ReadWeights`; `NoWeights`; `Weights` where the file is of neither format or holds other than
/// floating-point numbers.
pub(crate) fn read(path: &Path) -> Result<NamedTensors, RunnerError> {
    let unusable = |source| RunnerError::Weights { path: path.into(), source };
    if format_of(path)? == Format::Safetensors {
        return weights::from_safetensors(&bytes_of(path)?).map_err(unusable);
    }
    let reader = PytorchReader::new(path)
        .map_err(|error| unusable(WeightsError::Pytorch(error.to_string())))?;
    weights::from_pytorch(reader).map_err(unusable)
}

/// What a file says about itself; nothing where it cannot or does not.
pub(crate) fn read_metadata(path: &Path) -> Result<Metadata, RunnerError> {
    if format_of(path)? != Format::Safetensors {
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
    let bytes = weights::to_safetensors(tensors, None)
        .map_err(|source| RunnerError::Weights { path: path.into(), source })?;
    fs::write(path, bytes).map_err(|source| RunnerError::Write { path: path.into(), source })
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, RunnerError> {
    fs::read(path).map_err(|source| RunnerError::ReadWeights { path: path.into(), source })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Safetensors,
    /// Or anything else: its reader says what is wrong.
    Pytorch,
}

fn format_of(path: &Path) -> Result<Format, RunnerError> {
    match File::open(path).and_then(|mut file| look_at(&mut file)) {
        Ok(Ok(format)) => Ok(format),
        Ok(Err(what)) => Err(RunnerError::NoWeights { path: path.into(), what }),
        Err(source) => Err(RunnerError::ReadWeights { path: path.into(), source }),
    }
}

fn look_at(file: &mut File) -> io::Result<Result<Format, NoWeights>> {
    let mut beginning = Vec::new();
    file.by_ref().take(512).read_to_end(&mut beginning)?;
    let text = String::from_utf8_lossy(&beginning);
    let text = text.trim_start_matches(|it: char| it.is_whitespace() || it == '\u{feff}');
    Ok(if beginning.is_empty() {
        Err(NoWeights::Empty)
    } else if is_safetensors(&beginning) {
        let ended = safetensors_is_whole(file)?;
        if ended { Ok(Format::Safetensors) } else { Err(NoWeights::CutOff) }
    } else if text.starts_with("version https://git-lfs") {
        Err(NoWeights::LfsPointer)
    } else if text.starts_with('<') {
        Err(NoWeights::WebPage)
    } else if beginning.starts_with(b"PK\x03\x04") && !zip_is_whole(file)? {
        Err(NoWeights::CutOff)
    } else {
        Ok(Format::Pytorch)
    })
}

/// A length of eight bytes, the upper ones 0, then JSON. No pickle, archive or text is like that.
fn is_safetensors(beginning: &[u8]) -> bool {
    beginning.get(4..9) == Some(b"\0\0\0\0{")
}

/// Whether all that the header tells of is there. A header that is wrong itself is left to the
/// reader of the format.
fn safetensors_is_whole(file: &mut File) -> io::Result<bool> {
    let length = file.metadata()?.len();
    file.rewind()?;
    let mut header_length = [0; 8];
    file.read_exact(&mut header_length)?;
    let header_length = u64::from_le_bytes(header_length);
    if 8 + header_length > length {
        return Ok(false);
    }
    let mut header = Vec::new();
    file.take(header_length).read_to_end(&mut header)?;
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap_or_default();
    let tensors = header.as_object().into_iter().flat_map(|it| it.values());
    let end = tensors.filter_map(|it| it["data_offsets"][1].as_u64()).max().unwrap_or(0);
    Ok(length - 8 - header_length >= end)
}

/// An archive's directory stands at its end, before a comment of up to 64 KiB.
fn zip_is_whole(file: &mut File) -> io::Result<bool> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(22 + 0xffff)))?;
    let mut ending = Vec::new();
    file.read_to_end(&mut ending)?;
    Ok(ending.windows(4).any(|it| it == b"PK\x05\x06"))
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
        check("words.pth", b"these are no weights", "not a PyTorch");
        check("page.pth", b"\n<!DOCTYPE html><html>not found</html>", "is a web page");
        check("script.pth", b"<script>{}</script>", "is a web page");
        check("empty.pth", b"", "is empty");
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 45575747\n";
        check("pointer.pth", pointer, "git lfs pull");
        check("wrong.safetensors", b"\x02\x00\x00\x00\x00\x00\x00\x00{]", "not a safetensors");

        let path = dir.path().join("whole.safetensors");
        let tensors = NamedTensors::from([("x".into(), TensorData::from([1.0_f32; 4]))]);
        write(&path, &tensors).expect("written");
        let whole = fs::read(&path).expect("read");
        check("header.safetensors", &whole[..20], "ends too early");
        check("data.safetensors", &whole[..whole.len() - 1], "ends too early");
        let zipped =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/reference/vectors/zipped.pth");
        let whole = fs::read(zipped).expect("the vectors are committed");
        check("cut.pth", &whole[..whole.len() - 100], "ends too early");
        read(Path::new(zipped)).expect("the whole one");
        let error = read(&dir.path().join("none.pth")).expect_err("absent").chain();
        assert!(error.contains("none.pth") && error.contains("cannot read"), "{error}");
    }
}
