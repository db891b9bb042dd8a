//! One run in one process: what a scheduler, a cluster and a person all call.
//!
//! Idempotent: a finished run ends at once; otherwise the run's folder is
//! claimed, the newest checkpoint that verifies is restored, and training goes on.

use std::any::Any;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use data::{Dataset, Fold, Store};
use spec::{EvalCheckpoint, RunConfig};
use track::{
    Claim, CodeVersion, Event, MetricMeta, MetricWriter, PlanEntry, PlanRecord, Provenance,
    Resumption, RunDir, RunEvents, RunIdentity, SampleWriter, SourceTree, SweepDir,
};

use crate::anchors;
use crate::checkpoint::{self, Progress};
use crate::device::ComputeDevice;
use crate::error::RunnerError;
use crate::evaluate;
use crate::event::{Outcome, TrainEvent};
use crate::feature_net::FeatureExtractor;
use crate::patience::patiently;
use crate::prepare::{dataset_record, expect_score, init_hashes};
use crate::real_images::RealImages;
use crate::run_log::RunLog;
use crate::step::Trainer;
use crate::stop::Stop;
use crate::train::{Setting, Training};

/// What the process was started with; only `cli` reads these from the system.
#[derive(Debug, Clone)]
pub struct Invocation {
    pub argv: Vec<String>,
    pub env: Vec<(OsString, OsString)>,
    /// The program's own code.
    pub code: CodeVersion,
    /// Compiler and backend, by name.
    pub versions: BTreeMap<String, String>,
    /// The repository the command was typed in, kept as a note.
    pub source: SourceTree,
}

/// One run of a planned sweep, and how to go about it.
pub struct Request<'a> {
    pub sweep_dir: &'a Path,
    /// Position in the plan, from 0.
    pub index: usize,
    /// The fingerprint of the plan that the position is of, where whoever asks knows it.
    pub plan: Option<&'a str>,
    pub store: &'a Store,
    pub device: ComputeDevice,
    pub invocation: &'a Invocation,
    pub stop: &'a Stop,
    /// Begins anew where checkpoints are there and none of them can be used.
    pub fresh: bool,
    /// Goes on with a run that another version of this program began.
    pub allow_changed: bool,
}

/// Carries out a run from where it stands.
///
/// # Errors
/// All of [`RunnerError`]. What happens after the folder is claimed is also the run's last event,
/// unless a later attempt has taken the run over: then nothing more is written.
pub fn run(
    request: &Request<'_>,
    observe: &mut dyn FnMut(TrainEvent),
) -> Result<Outcome, RunnerError> {
    let (plan, entry) = planned(request)?;
    let runs_root = request.sweep_dir.parent().unwrap_or(Path::new("."));
    let run = RunDir::new(runs_root.join(&entry.folder));
    if run.state()?.is_result() {
        return Ok(Outcome::AlreadyDone);
    }
    expect_the_same_code(&run, request)?;
    let claim = run.claim()?;
    // It may have ended while this process waited for its turn.
    if run.state()?.is_result() {
        return Ok(Outcome::AlreadyDone);
    }
    expect_the_same_code(&run, request)?;
    let mut events = RunEvents::open(&run.events())?;
    let (device, invocation) = (request.device, request.invocation);
    events.append(&Event::Started {
        attempt: claim.attempt(),
        device: device.to_string(),
        pid: std::process::id(),
        host: track::Hardware::here(device.to_string()).host,
        code: invocation.code.to_string(),
        argv: invocation.argv.clone(),
    })?;
    let attempt = Attempt { plan, entry, run, claim: &claim, request };
    // A panic of a library becomes this run's failure, with its message kept.
    let outcome = catch_unwind(AssertUnwindSafe(|| attempt.carry_out(observe)))
        .unwrap_or_else(|panic| Err(panicked(&*panic)));
    claim.confirm()?;
    // What is left over harms nobody; the outcome matters more.
    drop(claim.tidy(&attempt.run));
    let noted = patiently(&mut || events.append(&attempt.last_word(&outcome)).map_err(Into::into));
    match (outcome, noted) {
        // Why it ended matters more than that this could not be written down.
        (Err(error), _) | (Ok(_), Err(error)) => Err(error),
        (Ok(outcome), Ok(())) => Ok(outcome),
    }
}

/// Half a run by one program and half by another is no run that can be defended.
fn expect_the_same_code(run: &RunDir, request: &Request<'_>) -> Result<(), RunnerError> {
    let now = request.invocation.code.to_string();
    match run.last_code()?.filter(|before| *before != now && !request.allow_changed) {
        // Without a checkpoint there is nothing to go on with.
        Some(before) if track::newest_valid(run)?.found.is_some() => {
            Err(RunnerError::CodeChanged { path: run.path().into(), before, now })
        }
        _ => Ok(()),
    }
}

fn planned(request: &Request<'_>) -> Result<(PlanRecord, PlanEntry), RunnerError> {
    let (sweep_dir, index) = (request.sweep_dir, request.index);
    let name = sweep_dir.file_name().unwrap_or_default().to_string_lossy();
    let runs_root = sweep_dir.parent().unwrap_or(Path::new("."));
    let sweep = SweepDir::new(runs_root, &name)?;
    let (plan, entries) = sweep.read_plan()?;
    if let Some(wanted) = request.plan {
        let found = track::plan_fingerprint(entries.iter().map(|it| (it.index, it.key.as_str())));
        if found != wanted {
            let wanted = wanted.to_string();
            return Err(RunnerError::PlanChanged { path: sweep.plan(), found, wanted });
        }
    }
    let runs = entries.len();
    let entry = entries.into_iter().find(|entry| entry.index == index);
    Ok((plan, entry.ok_or(RunnerError::NoSuchRun { index, runs })?))
}

struct Attempt<'a> {
    plan: PlanRecord,
    entry: PlanEntry,
    run: RunDir,
    claim: &'a Claim,
    request: &'a Request<'a>,
}

impl Attempt<'_> {
    fn carry_out(&self, observe: &mut dyn FnMut(TrainEvent)) -> Result<Outcome, RunnerError> {
        let index = self.entry.index;
        let config: RunConfig = serde_json::from_value(self.entry.config.clone())
            .map_err(|source| RunnerError::BadConfig { index, source })?;
        let dataset = self.request.store.prepare(&config.data, &mut |it| {
            observe(TrainEvent::Preparing { what: it.what, done: it.done, total: it.total });
        })?;
        self.expect_the_planned_inputs(&config, &dataset)?;
        // Images may have taken hours to come.
        self.claim.confirm()?;
        self.write_identity(&config, &dataset)?;

        let (trainer, mut progress) = self.restore_or_begin(&config, observe)?;
        let total_steps = config.train.total_steps(dataset.steps_per_epoch());
        RunEvents::open(&self.run.events())?
            .append(&Event::Built { parameters: trainer.parameters() })?;
        if self.run.is_reopened()? && progress.step == total_steps {
            progress.owe_evaluation_anew();
        }
        observe(TrainEvent::Started {
            from_step: progress.step,
            total_steps,
            device: self.request.device.to_string(),
        });
        let network = match self.request.store.feature_weights() {
            Some(path) => Some(FeatureExtractor::open(&path, self.request.device)?),
            None => None,
        };
        let cache = self.request.store.features_folder();
        let real = RealImages::new(&dataset, network, cache);
        self.expect_the_metric(&config, &real)?;
        let setting = Setting {
            config: &config,
            key: &self.entry.key,
            seed: self.entry.seed,
            dataset: &dataset,
            real: &real,
            samples: &self.plan.samples,
            run: &self.run,
            claim: self.claim,
            stop: self.request.stop,
        };
        let log = self.open_log(&progress, &config, &dataset)?;
        Training::new(setting, trainer, progress, log, observe).train()
    }

    /// From the newest checkpoint that can be used; else from the initial weights.
    fn restore_or_begin(
        &self,
        config: &RunConfig,
        observe: &mut dyn FnMut(TrainEvent),
    ) -> Result<(Trainer, Progress), RunnerError> {
        let device = self.request.device.open().autodiff();
        let begin = || Trainer::new(config, self.entry.seed, &device);
        let restore = track::restore(&self.run, &self.entry.key, |found| {
            let mut trainer = begin();
            match checkpoint::restore(found, &mut trainer, &config.model) {
                Ok(progress) => Ok((trainer, progress)),
                Err(error) => Err(error.chain()),
            }
        })?;
        self.claim.confirm()?;
        let mut events = RunEvents::open(&self.run.events())?;
        for (path, reason) in &restore.rejected {
            let message = format!("checkpoint `{}` is not used: {reason}", path.display());
            observe(TrainEvent::Warning { message });
            let path = self.within_the_run(path);
            events.append(&Event::CheckpointRejected { path, reason: reason.clone() })?;
        }
        if let Some((found, restored)) = restore.found {
            events.append(&Event::Resumed {
                attempt: self.claim.attempt(),
                from_step: found.step,
                checkpoint: self.within_the_run(&found.path),
            })?;
            return Ok(restored);
        }
        let aside = track::checkpoints_set_aside(&self.run)?;
        let had_any = !restore.rejected.is_empty() || !aside.is_empty();
        if had_any && !self.request.fresh {
            let aside = aside.into_iter().map(|path| (path, "set aside".to_string()));
            let reason =
                |(path, reason): (PathBuf, String)| format!("{}: {reason}", path.display());
            let rejected = restore.rejected.into_iter().chain(aside).map(reason).collect();
            return Err(RunnerError::NothingToRestore { rejected });
        }
        track::set_aside_checkpoints(&self.run)?;
        let mut trainer = begin();
        checkpoint::load_initial(&mut trainer, config)?;
        Ok((trainer, Progress::default()))
    }

    fn within_the_run(&self, path: &Path) -> PathBuf {
        path.strip_prefix(self.run.path()).unwrap_or(path).into()
    }

    /// Images, weight files or the program may have changed since the plan was made.
    fn expect_the_planned_inputs(
        &self,
        config: &RunConfig,
        dataset: &Dataset,
    ) -> Result<(), RunnerError> {
        let init = init_hashes(config)?;
        let is_of = |revision: &u32| {
            let point = spec::point_id(config, *revision, dataset.fingerprint(), &init);
            point.as_str() == self.entry.point_id
        };
        match (1..=model::TRAINING_REV).find(is_of) {
            Some(model::TRAINING_REV) => Ok(()),
            Some(planned) => Err(RunnerError::TrainingChanged { planned }),
            None => Err(RunnerError::InputsChanged { name: dataset.name().to_string() }),
        }
    }

    /// Before hours of training: whether the result can be measured by what the sweep is judged by.
    fn expect_the_metric(
        &self,
        config: &RunConfig,
        real: &RealImages<'_>,
    ) -> Result<(), RunnerError> {
        let metric = &self.plan.metric.name;
        expect_score(metric, config, real.dataset(), self.request.store)?;
        anchors::expect_gain(metric, real, evaluate::fold(config.eval.fold))?;
        match &config.eval.best_by {
            Some(by) if config.eval.checkpoint == EvalCheckpoint::Best => {
                anchors::expect_gain(by, real, Fold::Val)
            }
            _ => Ok(()),
        }
    }

    fn write_identity(&self, config: &RunConfig, dataset: &Dataset) -> Result<(), RunnerError> {
        let dataset_record = dataset_record(dataset);
        let identity = RunIdentity {
            schema_rev: track::SCHEMA_REV,
            key: self.entry.key.clone(),
            point_id: self.entry.point_id.clone(),
            seed: self.entry.seed,
            sweep: self.plan.name.clone(),
            label: self.entry.label.clone(),
            training_rev: model::TRAINING_REV,
            config: self.entry.config.clone(),
            dataset: dataset_record.clone(),
            code: self.request.invocation.code.clone(),
            created_at: track::time::rfc3339(track::time::now_us()),
        };
        let origins = serde_json::to_value(&self.entry.origins).expect("origins are plain text");
        self.run.write_identity(&identity, &config.to_toml(), &origins)?;
        let provenance = Provenance::collect(
            self.request.invocation.argv.clone(),
            self.request.invocation.env.clone(),
            self.request.invocation.versions.clone(),
            self.request.device.to_string(),
            self.request.invocation.source.clone(),
        );
        Ok(self.run.write_provenance(self.claim.attempt(), &provenance, &dataset_record)?)
    }

    fn open_log(
        &self,
        progress: &Progress,
        config: &RunConfig,
        dataset: &Dataset,
    ) -> Result<RunLog<'_>, RunnerError> {
        let code = &self.request.invocation.code;
        let meta = MetricMeta {
            run_key: self.entry.key.clone(),
            sweep: self.plan.name.clone(),
            config_blake3: blake3::hash(config.to_toml().as_bytes()).to_hex().to_string(),
            git: code.commit.clone().unwrap_or_default(),
            dirty: code.dirty,
            dataset_fingerprint: dataset.fingerprint().to_string(),
            version: code.version.clone(),
        };
        let goes_on = Resumption { step: progress.step, owes_evaluation: progress.owes.evaluation };
        Ok(RunLog::new(
            MetricWriter::open(&self.run, meta, self.claim.attempt(), Some(goes_on))?,
            SampleWriter::open(&self.run, Some(progress.step))?,
            RunEvents::open(&self.run.events())?,
            self.claim,
            dataset.steps_per_epoch(),
        ))
    }

    fn last_word(&self, outcome: &Result<Outcome, RunnerError>) -> Event {
        match outcome {
            Ok(Outcome::Completed { step, active_s }) => {
                Event::Completed { step: *step, active_s: *active_s }
            }
            Ok(Outcome::Interrupted { step }) => Event::Interrupted { step: *step },
            Ok(Outcome::Diverged { step, reason }) => {
                Event::Diverged { step: *step, reason: reason.clone() }
            }
            Ok(Outcome::AlreadyDone) => unreachable!("answered before the attempt began"),
            Err(error) => Event::Failed { class: error.class(), reason: error.chain() },
        }
    }
}

/// What a library's panic means for whoever asked.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> RunnerError {
    let message = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_string(),
        (_, Some(text)) => text.clone(),
        _ => "a panic without a message".to_string(),
    };
    match says_out_of_memory(&message) {
        true => RunnerError::OutOfMemory { message },
        false => RunnerError::Panicked { message },
    }
}

/// As CUDA, cubecl 0.11 ("out of device memory", "out-of-memory") and allocators put it.
pub(crate) fn says_out_of_memory(message: &str) -> bool {
    let words = message.to_lowercase().replace('-', " ");
    let rust_allocator = words.contains("memory allocation of") && words.contains("failed");
    rust_allocator
        || ["out of memory", "out of device memory", "outofmemory", "out_of_memory"]
            .iter()
            .any(|it| words.contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_for_want_of_memory_is_told_from_a_bug() {
        let class = |message: &str| panicked(&message.to_string()).class();
        for message in [
            "out of device memory allocating 4096 bytes",
            "An out-of-memory error happened",
            "CUDA_ERROR_OUT_OF_MEMORY",
            "memory allocation of 65536 bytes failed",
        ] {
            assert_eq!(class(message), track::FailureClass::Oom, "{message}");
        }
        assert_eq!(class("index out of bounds"), track::FailureClass::Panic);
    }
}
