//! A trained run, or one in training, seen from outside: its newest checkpoint.

use std::path::PathBuf;

use model::Network;
use model::weights::NamedTensors;
use spec::ModelConfig;
use track::{RunDir, RunIdentity, RunState};

use crate::best::best_file;
use crate::checkpoint::weights_file;
use crate::error::RunnerError;
use crate::weight_file;

/// The newest checkpoint of a run that verifies.
#[derive(Debug)]
pub struct SavedRun {
    pub identity: RunIdentity,
    /// The networks' shapes.
    pub model: ModelConfig,
    /// Steps done at the checkpoint.
    pub step: u64,
    pub state: RunState,
    /// Newer checkpoints that do not verify, and why.
    pub rejected: Vec<(PathBuf, String)>,
    checkpoint: PathBuf,
    /// Of the generators that are kept as the best, where the run keeps such.
    best_step: Option<u64>,
    has_discriminators: bool,
}

impl SavedRun {
    /// # Errors
    /// `NoRun`, `NoCheckpoint`, `BadModel` for a run of another version, `Track`.
    pub fn open(run: &RunDir) -> Result<SavedRun, RunnerError> {
        let path = run.path().to_path_buf();
        let Some(identity) = run.read_identity()? else {
            return Err(RunnerError::NoRun { path });
        };
        // The one section that decides shapes: the rest may be of an earlier version.
        let model = serde_json::from_value(identity.config["model"].clone())
            .map_err(|source| RunnerError::BadModel { path: path.clone(), source })?;
        let has_discriminators = identity.config["loss"]["gan"] != false;
        let restore = track::newest_valid(run)?;
        let Some(found) = restore.found else {
            let rejected = restore.rejected.into_iter();
            let rejected = rejected.map(|(path, reason)| format!("{}: {reason}", path.display()));
            return Err(RunnerError::NoCheckpoint { path, rejected: rejected.collect() });
        };
        Ok(SavedRun {
            identity,
            model,
            step: found.step,
            state: run.state()?,
            rejected: restore.rejected,
            best_step: found.state["best"]["step"].as_u64(),
            checkpoint: found.path,
            has_discriminators,
        })
    }

    /// The networks the run has: without adversarial terms there is no discriminator.
    pub fn networks(&self) -> Vec<Network> {
        let is_there = |network: &Network| match network {
            Network::GenAb | Network::GenBa => true,
            Network::DiscA | Network::DiscB => self.has_discriminators,
        };
        Network::ALL.into_iter().filter(is_there).collect()
    }

    /// Steps behind a network: under `eval.checkpoint = "best"` generators may be older than the
    /// checkpoint.
    pub fn step_of(&self, network: Network) -> u64 {
        match network {
            Network::GenAb | Network::GenBa => self.best_step.unwrap_or(self.step),
            Network::DiscA | Network::DiscB => self.step,
        }
    }

    /// With `eval.checkpoint = "best"`, the generators that were best.
    pub(crate) fn file(&self, network: Network) -> PathBuf {
        let best = self.checkpoint.join(best_file(network));
        if best.exists() { best } else { self.checkpoint.join(weights_file(network)) }
    }

    pub(crate) fn tensors(&self, network: Network) -> Result<NamedTensors, RunnerError> {
        weight_file::read(&self.file(network))
    }
}
