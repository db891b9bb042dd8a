//! A run's networks as files that PyTorch loads.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use model::Network;
use model::weights::{self, Metadata};
use spec::ModelConfig;

use crate::error::RunnerError;
use crate::saved_run::SavedRun;
use crate::weight_file;

/// What an exported file says about its network.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedNetwork {
    pub network: Network,
    pub model: ModelConfig,
    /// The run's key.
    pub run: String,
    /// Steps trained.
    pub step: u64,
}

/// One file as it was written.
#[derive(Debug)]
pub struct ExportedFile {
    pub network: Network,
    pub path: PathBuf,
    /// How many tensors it holds.
    pub tensors: usize,
}

/// Writes every network of the run to `out`, one safetensors file each, under upstream's names.
///
/// # Errors
/// `NotOurs` before anything is written; `ReadWeights`, `Weights`, `Write`.
pub fn export(run: &SavedRun, out: &Path) -> Result<Vec<ExportedFile>, RunnerError> {
    let networks = run.networks();
    let target = |network: Network| out.join(format!("{}.safetensors", network.name()));
    let is_ours = |path: &Path| {
        let found = weight_file::read_metadata(path).map(|it| ExportedNetwork::read(&it));
        matches!(found, Ok(Some(found)) if found.run == run.identity.key)
    };
    let in_the_way = networks.iter().map(|&network| target(network));
    let paths: Vec<_> = in_the_way.filter(|it| it.exists() && !is_ours(it)).collect();
    if !paths.is_empty() {
        return Err(RunnerError::NotOurs { paths });
    }
    let at_out = |source| RunnerError::Write { path: out.into(), source };
    fs::create_dir_all(out).map_err(at_out)?;
    let write = |network: Network| {
        let path = target(network);
        let tensors = run.tensors(network)?;
        let about = ExportedNetwork {
            network,
            model: run.model.clone(),
            run: run.identity.key.clone(),
            step: run.step_of(network),
        };
        let bytes = weights::to_safetensors(&tensors, Some(&about.to_metadata()))
            .map_err(|source| RunnerError::Weights { path: path.clone(), source })?;
        write_whole(&path, &bytes)
            .map_err(|source| RunnerError::Write { path: path.clone(), source })?;
        Ok(ExportedFile { network, path, tensors: tensors.len() })
    };
    networks.into_iter().map(write).collect()
}

/// What upstream calls the file of a network. Its `netD_A` judges B.
pub fn upstream_file(network: Network) -> &'static str {
    match network {
        Network::GenAb => "latest_net_G_A.pth",
        Network::GenBa => "latest_net_G_B.pth",
        Network::DiscA => "latest_net_D_B.pth",
        Network::DiscB => "latest_net_D_A.pth",
    }
}

/// The keys in a file's metadata.
const NETWORK: &str = "cyclelab.network";
const MODEL: &str = "cyclelab.model";
const RUN: &str = "cyclelab.run";
const STEP: &str = "cyclelab.step";
const UPSTREAM_FILE: &str = "cyclelab.upstream_file";
/// What Hugging Face's loaders ask for: tensors as PyTorch has them.
const FORMAT: (&str, &str) = ("format", "pt");

impl ExportedNetwork {
    fn to_metadata(&self) -> Metadata {
        let model = serde_json::to_string(&self.model).expect("a section is plain data");
        let entries = [
            (FORMAT.0, FORMAT.1.to_string()),
            (NETWORK, self.network.name().to_string()),
            (UPSTREAM_FILE, upstream_file(self.network).to_string()),
            (MODEL, model),
            (RUN, self.run.clone()),
            (STEP, self.step.to_string()),
        ];
        entries.into_iter().map(|(key, value)| (key.to_string(), value)).collect()
    }

    /// `None` where the file is not one that [`export`] wrote.
    pub(crate) fn read(metadata: &BTreeMap<String, String>) -> Option<ExportedNetwork> {
        let network = metadata.get(NETWORK)?;
        Some(ExportedNetwork {
            network: Network::ALL.into_iter().find(|it| it.name() == network)?,
            model: serde_json::from_str(metadata.get(MODEL)?).ok()?,
            run: metadata.get(RUN)?.clone(),
            step: metadata.get(STEP)?.parse().ok()?,
        })
    }
}

/// Written beside, then renamed.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("safetensors.part");
    let written = fs::File::create(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        drop(fs::remove_file(&beside));
    }
    written
}

#[cfg(test)]
mod tests {
    use spec::RunConfig;

    use super::*;

    #[test]
    fn what_a_file_says_is_understood_again() {
        let about = ExportedNetwork {
            network: Network::DiscB,
            model: RunConfig::reference().model,
            run: "0123456789abcdef".into(),
            step: 1200,
        };
        let mut metadata = about.to_metadata();
        assert_eq!(metadata[UPSTREAM_FILE], "latest_net_D_A.pth");
        assert_eq!(ExportedNetwork::read(&metadata), Some(about));
        metadata.remove(RUN);
        assert_eq!(ExportedNetwork::read(&metadata), None);
    }
}
