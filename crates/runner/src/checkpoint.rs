//! Everything a run needs to go on as if it had never stopped: four networks,
//! four optimizers, both image pools, the open log window and the counters.
//! Data order and augmentation are counter-based and need nothing.

use std::path::{Path, PathBuf};

use burn::tensor::{Tensor, TensorData};
use model::upstream_names::UpstreamNames;
use model::weights::{self, NamedTensors};
use model::{CycleGan, Discriminator, Generator, Network};
use serde::{Deserialize, Serialize};
use spec::{ModelConfig, RunConfig};
use track::{Checkpoint, CheckpointDir, Claim, RunDir};

use crate::best::{BestGenerators, BestScore, best_file};
use crate::error::RunnerError;
use crate::guards::GuardCounters;
use crate::image_pool::ImagePool;
use crate::loss_window::{Exact, SavedWindow};
use crate::network_optimizer::NetworkOptimizer;
use crate::step::Trainer;
use crate::weight_file::{load, read, write};

/// Checkpoints kept while a run trains: never delete the old before the new verifies.
const KEEP: usize = 2;

/// The counters, as `state.json` in the checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Steps done.
    pub step: u64,
    /// Images seen, per domain.
    pub images: u64,
    /// Seconds of training, without evaluation and saving, over all attempts.
    pub active_s: f64,
    pub window: SavedWindow,
    /// Seconds of training in the open window.
    pub window_s: f64,
    /// What the step asks for and a stop request kept from being done.
    #[serde(default)]
    pub owes: Owes,
    /// For how long each guard has seen its limit passed.
    #[serde(default)]
    pub guards: GuardCounters,
    /// The guard that ended the run at this step: whoever goes on from here has only to say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<String>,
    /// What each evaluation said of the discriminators that judge A→B and B→A: accuracy, the
    /// generator's loss, the variance of the scores.
    #[serde(default)]
    pub judged: [Vec<[Exact; 3]>; 2],
    /// Of the generators to be kept, where that is not the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<BestScore>,
    /// Updates each optimizer has made: `gen_ab`, `gen_ba`, `disc_a`, `disc_b`.
    updates: [usize; 4],
}

impl Progress {
    /// The evaluation of the last step is done again, as if for the first time.
    pub(crate) fn owe_evaluation_anew(&mut self) {
        // Of an attempt at this that was stopped: then it is owed already, and nothing counted.
        if !std::mem::replace(&mut self.owes.evaluation, true) {
            for looks in &mut self.judged {
                looks.pop();
            }
        }
    }
}

/// Besides training: done after the step, or by the attempt that goes on from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owes {
    pub evaluation: bool,
    pub samples: bool,
}

impl Owes {
    pub(crate) fn any(self) -> bool {
        self.evaluation || self.samples
    }
}

/// All of it in memory: the device is read once, however often writing is tried.
pub(crate) struct Snapshot {
    files: Vec<(String, NamedTensors)>,
    progress: Progress,
}

impl Snapshot {
    pub(crate) fn take(trainer: &Trainer, config: &ModelConfig, mut progress: Progress) -> Self {
        let networks = &trainer.networks;
        let mut files = vec![
            (weights_file(Network::GenAb), weights::save(&networks.gen_ab, config)),
            (weights_file(Network::GenBa), weights::save(&networks.gen_ba, config)),
        ];
        if let (Some(disc_a), Some(disc_b)) = (&networks.disc_a, &networks.disc_b) {
            files.push((weights_file(Network::DiscA), weights::save(disc_a, config)));
            files.push((weights_file(Network::DiscB), weights::save(disc_b, config)));
        }
        for (i, (network, optimizer)) in optimizers(trainer).into_iter().enumerate() {
            let (moments, updates) = optimizer.save(&names(network, config));
            progress.updates[i] = updates;
            files.push((optimizer_file(network), moments));
        }
        if let Some(best) = &trainer.best {
            files.push((best_file(Network::GenAb), best.gen_ab.clone()));
            files.push((best_file(Network::GenBa), best.gen_ba.clone()));
        }
        files.push((POOL_A.to_string(), pool_tensors(&trainer.pool_a)));
        files.push((POOL_B.to_string(), pool_tensors(&trainer.pool_b)));
        Snapshot { files, progress }
    }

    /// Names a tensor with a value that is no number: a gradient overflowed, and the losses of the
    /// next step would say so too late for this checkpoint to be a good one.
    pub(crate) fn non_finite(&self) -> Option<String> {
        let tensors = self.files.iter().flat_map(|(file, tensors)| {
            tensors.iter().map(move |(name, tensor)| (file, name, tensor))
        });
        for (file, name, tensor) in tensors {
            let values = tensor.as_slice::<f32>().expect("all that is saved is float32");
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                let file = file.trim_end_matches(".safetensors");
                return Some(format!("{file}: `{name}` holds {value}"));
            }
        }
        None
    }

    /// Writes a checkpoint and returns its path.
    ///
    /// # Errors
    /// `Write`, and `Track`: no space, or a later attempt owns the run.
    pub(crate) fn write(
        &self,
        run: &RunDir,
        claim: &Claim,
        key: &str,
    ) -> Result<PathBuf, RunnerError> {
        let dir = CheckpointDir::begin(run, claim, key, self.progress.step, self.bytes())?;
        for (file, tensors) in &self.files {
            write(&dir.file(file), tensors)?;
        }
        let state = serde_json::to_value(&self.progress).expect("counters are plain numbers");
        Ok(dir.commit(claim, &state, KEEP)?)
    }

    fn bytes(&self) -> u64 {
        let tensors = self.files.iter().flat_map(|(_, tensors)| tensors.values());
        tensors.map(|tensor| tensor.as_bytes().len() as u64).sum()
    }
}

/// Puts a checkpoint back into a trainer made from the same configuration.
pub(crate) fn restore(
    checkpoint: &Checkpoint,
    trainer: &mut Trainer,
    config: &ModelConfig,
) -> Result<Progress, RunnerError> {
    let unusable =
        |reason: String| RunnerError::Checkpoint { path: checkpoint.path.clone(), reason };
    let progress: Progress = serde_json::from_value(checkpoint.state.clone())
        .map_err(|error| unusable(error.to_string()))?;
    if progress.step != checkpoint.step {
        return Err(unusable(format!("its state is of step {}", progress.step)));
    }
    let at = |file: &str| checkpoint.path.join(file);
    let networks = &mut trainer.networks;
    networks.gen_ab =
        put_back(networks.gen_ab.clone(), config, &at(&weights_file(Network::GenAb)))?;
    networks.gen_ba =
        put_back(networks.gen_ba.clone(), config, &at(&weights_file(Network::GenBa)))?;
    if let Some(disc) = networks.disc_a.take() {
        networks.disc_a = Some(put_back(disc, config, &at(&weights_file(Network::DiscA)))?);
    }
    if let Some(disc) = networks.disc_b.take() {
        networks.disc_b = Some(put_back(disc, config, &at(&weights_file(Network::DiscB)))?);
    }
    if progress.best.is_some() {
        let gen_ab = read(&at(&best_file(Network::GenAb)))?;
        trainer.best =
            Some(BestGenerators { gen_ab, gen_ba: read(&at(&best_file(Network::GenBa)))? });
    }
    let device = trainer.device().clone().inner();
    let Trainer { networks, optimizers, .. } = &mut *trainer;
    let CycleGan { gen_ab, gen_ba, disc_a, disc_b } = networks;
    let [ab, ba, a, b] = progress.updates;
    let moments = |network| read(&at(&optimizer_file(network)));
    let moments_back = |done: Result<(), String>| done.map_err(unusable);
    let of = |network| Ok::<_, RunnerError>((names(network, config), moments(network)?));
    let (known, tensors) = of(Network::GenAb)?;
    moments_back(optimizers.gen_ab.restore(gen_ab, &known, tensors, ab, &device))?;
    let (known, tensors) = of(Network::GenBa)?;
    moments_back(optimizers.gen_ba.restore(gen_ba, &known, tensors, ba, &device))?;
    if let (Some(disc_a), Some(disc_b)) = (disc_a, disc_b) {
        let (known, tensors) = of(Network::DiscA)?;
        moments_back(optimizers.disc_a.restore(disc_a, &known, tensors, a, &device))?;
        let (known, tensors) = of(Network::DiscB)?;
        moments_back(optimizers.disc_b.restore(disc_b, &known, tensors, b, &device))?;
    }
    for (pool, file) in [(&mut trainer.pool_a, POOL_A), (&mut trainer.pool_b, POOL_B)] {
        let images = read(&at(file))?;
        let is_image = |it: &&TensorData| matches!(it.shape().to_vec()[..], [1, 3, _, _]);
        if let Some(other) = images.values().find(|it| !is_image(it)) {
            return Err(unusable(format!("{file}: an image of shape {:?}", other.shape())));
        }
        pool.restore(images.into_values().map(|image| Tensor::from_data(image, &device)).collect());
    }
    Ok(progress)
}

fn put_back<M: UpstreamNames>(
    network: M,
    config: &ModelConfig,
    path: &Path,
) -> Result<M, RunnerError> {
    weights::restore(network, config, read(path)?)
        .map_err(|source| RunnerError::Weights { path: path.into(), source })
}

/// Replaces the initial weights of the networks that `[init]` names a file for.
///
/// # Errors
/// `ReadWeights`; `Weights` where the file is of another format or does not fit.
pub(crate) fn load_initial(trainer: &mut Trainer, config: &RunConfig) -> Result<(), RunnerError> {
    let (networks, init, model) = (&mut trainer.networks, &config.init, &config.model);
    if let Some(path) = &init.gen_ab {
        networks.gen_ab = load(networks.gen_ab.clone(), model, Path::new(path))?;
    }
    if let Some(path) = &init.gen_ba {
        networks.gen_ba = load(networks.gen_ba.clone(), model, Path::new(path))?;
    }
    for (disc, path) in [(&mut networks.disc_a, &init.disc_a), (&mut networks.disc_b, &init.disc_b)]
    {
        if let (Some(network), Some(path)) = (disc.take_if(|_| path.is_some()), path) {
            *disc = Some(load(network, model, Path::new(path))?);
        }
    }
    Ok(())
}

const POOL_A: &str = "pool_a.safetensors";
const POOL_B: &str = "pool_b.safetensors";

pub(crate) fn weights_file(network: Network) -> String {
    format!("{}.safetensors", network.name())
}

/// (our path, upstream's name) of every parameter.
fn names(network: Network, config: &ModelConfig) -> Vec<(String, String)> {
    match network {
        Network::GenAb | Network::GenBa => Generator::names(config),
        Network::DiscA | Network::DiscB => Discriminator::names(config),
    }
}

fn optimizer_file(network: Network) -> String {
    format!("optim_{}.safetensors", network.name())
}

fn optimizers(trainer: &Trainer) -> [(Network, &NetworkOptimizer); 4] {
    let optimizers = &trainer.optimizers;
    [
        (Network::GenAb, &optimizers.gen_ab),
        (Network::GenBa, &optimizers.gen_ba),
        (Network::DiscA, &optimizers.disc_a),
        (Network::DiscB, &optimizers.disc_b),
    ]
}

/// Slots in order: names sort as the slots are numbered.
fn pool_tensors(pool: &ImagePool) -> NamedTensors {
    let tensor = |(slot, image): (usize, &Tensor<4>)| -> (String, TensorData) {
        (format!("slot_{slot:06}"), image.to_data())
    };
    pool.images().iter().enumerate().map(tensor).collect()
}
