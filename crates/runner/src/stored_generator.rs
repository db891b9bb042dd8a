//! A trained generator, from a file of weights or from a run.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use model::weights::{self, NamedTensors};
use model::{Generator, InitialWeights, Network, infer_generator, taken_as};
use spec::{Direction, ModelConfig};

use crate::device::ComputeDevice;
use crate::error::RunnerError;
use crate::export::ExportedNetwork;
use crate::saved_run::SavedRun;
use crate::weight_file;

/// Weights, and the network that they are of.
#[derive(Debug)]
pub struct StoredGenerator {
    pub model: ModelConfig,
    /// What the file says about itself, where `cyclelab export` wrote it.
    pub exported: Option<ExportedNetwork>,
    /// What a file that says nothing about itself is taken as, in words.
    pub taken_as: Option<String>,
    path: PathBuf,
    tensors: NamedTensors,
}

/// What becomes of a bare file whose names say that it was trained with dropout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrainedDropout {
    /// Upstream drops when it translates, too: there is no one picture to agree with.
    Refuse,
    /// Translate without dropping anything.
    Ignore,
}

impl StoredGenerator {
    /// A file holds one generator. Which, is read from what it says about itself, else worked out
    /// from its tensors; `direction` is compared with what it says.
    ///
    /// # Errors
    /// `ReadWeights`; `NoWeights`; `Weights` where it is no generator; `OtherNetwork` where it says
    /// that it is another than was asked for; `TrainedWithDropout`.
    pub fn from_file(
        path: &Path,
        direction: Option<Direction>,
        dropout: TrainedDropout,
    ) -> Result<StoredGenerator, RunnerError> {
        let exported = ExportedNetwork::read(&weight_file::read_metadata(path)?);
        let tensors = weight_file::read(path)?;
        let model = match &exported {
            Some(exported) => {
                expect_network(path, exported.network, direction)?;
                exported.model.clone()
            }
            None => infer_generator(&tensors, &ComputeDevice::Cpu.open())
                .map_err(|source| RunnerError::Weights { path: path.into(), source })?,
        };
        let is_bare = exported.is_none();
        if is_bare && model.dropout > 0.0 && dropout == TrainedDropout::Refuse {
            return Err(RunnerError::TrainedWithDropout { path: path.into() });
        }
        let taken_as = is_bare.then(|| taken_as(&model));
        Ok(StoredGenerator { model, exported, taken_as, path: path.into(), tensors })
    }

    /// # Errors
    /// `ReadWeights`, `Weights`.
    pub fn from_run(run: &SavedRun, direction: Direction) -> Result<StoredGenerator, RunnerError> {
        let network = generator_of(direction);
        let tensors = run.tensors(network)?;
        let path = run.file(network);
        let model = run.model.clone();
        Ok(StoredGenerator { model, exported: None, taken_as: None, path, tensors })
    }

    /// # Errors
    /// `Weights` with the list of what does not fit.
    pub(crate) fn build(&self, device: &Device) -> Result<Generator, RunnerError> {
        let network = Generator::new(&self.model, &InitialWeights::undrawn(device));
        weights::load(network, &self.model, self.tensors.clone())
            .map_err(|source| RunnerError::Weights { path: self.path.clone(), source })
    }
}

fn generator_of(direction: Direction) -> Network {
    match direction {
        Direction::Ab => Network::GenAb,
        Direction::Ba => Network::GenBa,
    }
}

fn expect_network(
    path: &Path,
    found: Network,
    direction: Option<Direction>,
) -> Result<(), RunnerError> {
    let wanted = match (direction, found) {
        (Some(direction), _) => generator_of(direction),
        (None, Network::GenAb | Network::GenBa) => found,
        (None, Network::DiscA | Network::DiscB) => Network::GenAb,
    };
    if found == wanted {
        return Ok(());
    }
    let words = |network: Network| match network {
        Network::GenAb => "the generator from A to B (gen_ab)".to_string(),
        Network::GenBa => "the generator from B to A (gen_ba)".to_string(),
        Network::DiscA | Network::DiscB => format!("a discriminator ({})", network.name()),
    };
    let wanted = match direction {
        Some(_) => words(wanted),
        None => "a generator".to_string(),
    };
    Err(RunnerError::OtherNetwork { path: path.into(), found: words(found), wanted })
}
