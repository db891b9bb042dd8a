//! Files of weights: PyTorch's and safetensors, told apart by their content.
//!
//! They come from strangers. Nothing in them is ever executed; and what they claim to be is held
//! against their size before memory is asked for.

mod pickle;

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
    #[error("is a folder, a pipe or a device, not a file")]
    NoFile,
    #[error("is a tar archive, not weights; unpack it first")]
    Tar,
    #[error("is larger than {} GiB, which no network here is", MAX_BYTES >> 30)]
    TooLarge,
    #[error("claims to hold far more than its size can; it is damaged, or made to fill the memory")]
    Bomb,
}

const MAX_BYTES: u64 = 4 << 30;
/// Of a safetensors file. Eighty bytes a tensor.
const MAX_HEADER_BYTES: u64 = 16 << 20;
/// Tensors to file: storages are not packed, and some tensors share one.
const MAX_EXPANSION: u64 = 4;

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
    if is_bomb(&reader, path)? {
        return Err(RunnerError::NoWeights { path: path.into(), what: NoWeights::Bomb });
    }
    weights::from_pytorch(reader).map_err(unusable)
}

/// Before any tensor is read: a packed storage, a step of 0 or one storage under many names make
/// much of little.
fn is_bomb(reader: &PytorchReader, path: &Path) -> Result<bool, RunnerError> {
    let length = length_of(path).map_err(|source| unreadable(path, source))?;
    let most = (length + (1 << 20)).saturating_mul(MAX_EXPANSION);
    let tensors = reader.tensors().values().map(|tensor| tensor.byte_len() as u64);
    let tensors = tensors.fold(0, u64::saturating_add);
    let storages = reader.metadata().total_data_size.unwrap_or(0) as u64;
    Ok(tensors.max(storages) > most)
}

fn length_of(path: &Path) -> io::Result<u64> {
    Ok(fs::metadata(path)?.len())
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
    fs::read(path).map_err(|source| unreadable(path, source))
}

fn unreadable(path: &Path, source: io::Error) -> RunnerError {
    RunnerError::ReadWeights { path: path.into(), source }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Safetensors,
    /// Or anything else: its reader says what is wrong.
    Pytorch,
}

fn format_of(path: &Path) -> Result<Format, RunnerError> {
    match open(path) {
        Ok(Ok(format)) => Ok(format),
        Ok(Err(what)) => Err(RunnerError::NoWeights { path: path.into(), what }),
        Err(source) => Err(unreadable(path, source)),
    }
}

fn open(path: &Path) -> io::Result<Result<Format, NoWeights>> {
    let found = fs::metadata(path)?;
    if !found.is_file() {
        // Opening a pipe would wait for a writer.
        return Ok(Err(NoWeights::NoFile));
    }
    if found.len() > MAX_BYTES {
        return Ok(Err(NoWeights::TooLarge));
    }
    let mut file = File::open(path)?;
    let format = look_at(&mut file)?;
    if format == Ok(Format::Pytorch) && pickle::measure(&mut file)?.is_err() {
        return Ok(Err(NoWeights::Bomb));
    }
    Ok(format)
}

fn look_at(file: &mut File) -> io::Result<Result<Format, NoWeights>> {
    let mut beginning = Vec::new();
    file.by_ref().take(512).read_to_end(&mut beginning)?;
    let text = String::from_utf8_lossy(&beginning);
    let text = text.trim_start_matches(|it: char| it.is_whitespace() || it == '\u{feff}');
    Ok(if beginning.is_empty() {
        Err(NoWeights::Empty)
    } else if is_safetensors(&beginning) {
        look_at_safetensors(file)?
    } else if text.starts_with("version https://git-lfs") {
        Err(NoWeights::LfsPointer)
    } else if text.starts_with('<') {
        Err(NoWeights::WebPage)
    } else if beginning.get(257..262) == Some(b"ustar") {
        Err(NoWeights::Tar)
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
fn look_at_safetensors(file: &mut File) -> io::Result<Result<Format, NoWeights>> {
    let length = file.metadata()?.len();
    file.rewind()?;
    let mut header_length = [0; 8];
    file.read_exact(&mut header_length)?;
    let header_length = u64::from_le_bytes(header_length);
    if header_length > MAX_HEADER_BYTES {
        return Ok(Err(NoWeights::Bomb));
    }
    if 8 + header_length > length {
        return Ok(Err(NoWeights::CutOff));
    }
    let mut header = Vec::new();
    file.take(header_length).read_to_end(&mut header)?;
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap_or_default();
    let tensors = header.as_object().into_iter().flat_map(|it| it.values());
    let end = tensors.filter_map(|it| it["data_offsets"][1].as_u64()).max().unwrap_or(0);
    let is_whole = length - 8 - header_length >= end;
    Ok(if is_whole { Ok(Format::Safetensors) } else { Err(NoWeights::CutOff) })
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
mod hostile;
#[cfg(test)]
mod tests;
