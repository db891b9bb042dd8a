//! One run in one process: what a scheduler, a cluster and a person all call.
//!
//! Idempotent: a finished run ends at once; otherwise the run's folder is
//! locked, the newest checkpoint that verifies is restored, and training goes on.

use std::any::Any;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use data::{Dataset, Store};
use spec::RunConfig;
use track::{
    Checkpoint, CodeVersion, Event, MetricMeta, MetricWriter, PlanEntry, PlanRecord, Provenance,
    RunDir, RunEvents, RunIdentity, RunState, SampleWriter, SourceTree, SweepDir,
};

use crate::checkpoint::{self, Progress};
use crate::device::ComputeDevice;
use crate::error::RunnerError;
use crate::event::{Outcome, TrainEvent};
use crate::prepare::{dataset_record, init_hashes};
use crate::run_log::RunLog;
use crate::step::Trainer;
use crate::stop::Stop;
use crate::train::{Training, train};

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

/// Carries out run `index` of the sweep in `sweep_dir`.
///
/// # Errors
/// All of [`RunnerError`]; whatever happens after the folder is locked is also its last event.
pub fn run(
    sweep_dir: &Path,
    index: usize,
    store: &Store,
    device: ComputeDevice,
    invocation: &Invocation,
    stop: &Stop,
    observe: &mut dyn FnMut(TrainEvent),
) -> Result<Outcome, RunnerError> {
    let (plan, entry) = planned(sweep_dir, index)?;
    let runs_root = sweep_dir.parent().unwrap_or(Path::new("."));
    let run = RunDir::new(runs_root.join(&entry.folder));
    let _lock = run.lock()?;
    if matches!(run.state()?, RunState::Completed | RunState::Diverged { .. }) {
        return Ok(Outcome::AlreadyDone);
    }
    let mut events = RunEvents::open(&run.events())?;
    let attempt = run.attempts()? + 1;
    events.append(&Event::Started {
        attempt,
        device: device.to_string(),
        pid: std::process::id(),
        host: track::Hardware::here(device.to_string()).host,
        code: invocation.code.to_string(),
        argv: invocation.argv.clone(),
    })?;
    let attempt = Attempt { plan, entry, run, number: attempt, device, invocation, stop };
    // A panic of a library becomes this run's failure, with its message kept.
    let outcome = catch_unwind(AssertUnwindSafe(|| attempt.carry_out(store, observe)))
        .unwrap_or_else(|panic| Err(panicked(&*panic)));
    events.append(&attempt.last_word(&outcome))?;
    outcome
}

fn planned(sweep_dir: &Path, index: usize) -> Result<(PlanRecord, PlanEntry), RunnerError> {
    let name = sweep_dir.file_name().unwrap_or_default().to_string_lossy();
    let runs_root = sweep_dir.parent().unwrap_or(Path::new("."));
    let (plan, entries) = SweepDir::new(runs_root, &name)?.read_plan()?;
    let runs = entries.len();
    let entry = entries.into_iter().find(|entry| entry.index == index);
    Ok((plan, entry.ok_or(RunnerError::NoSuchRun { index, runs })?))
}

struct Attempt<'a> {
    plan: PlanRecord,
    entry: PlanEntry,
    run: RunDir,
    number: u32,
    device: ComputeDevice,
    invocation: &'a Invocation,
    stop: &'a Stop,
}

impl Attempt<'_> {
    fn carry_out(
        &self,
        store: &Store,
        observe: &mut dyn FnMut(TrainEvent),
    ) -> Result<Outcome, RunnerError> {
        let index = self.entry.index;
        let config: RunConfig = serde_json::from_value(self.entry.config.clone())
            .map_err(|source| RunnerError::BadConfig { index, source })?;
        let dataset = store.prepare(&config.data, &mut |it| {
            observe(TrainEvent::Preparing { what: it.what, done: it.done, total: it.total });
        })?;
        self.expect_the_planned_inputs(&config, &dataset)?;
        self.write_identity(&config, &dataset)?;

        let device = self.device.open().autodiff();
        let mut trainer = Trainer::new(&config, self.entry.seed, &device);
        let progress = match self.newest_checkpoint(observe)? {
            Some(found) => {
                let progress = checkpoint::restore(&found, &mut trainer, &config.model)?;
                self.announce_resume(&found)?;
                progress
            }
            None => {
                checkpoint::load_initial(&mut trainer, &config)?;
                Progress::default()
            }
        };
        observe(TrainEvent::Started {
            from_step: progress.step,
            total_steps: config.train.total_steps(dataset.steps_per_epoch()),
            device: self.device.to_string(),
        });
        let mut training = Training {
            config: &config,
            seed: self.entry.seed,
            dataset: &dataset,
            samples: &self.plan.samples,
            run: &self.run,
            attempt: self.number,
            trainer,
            log: self.open_log(&progress, &config, &dataset)?,
            progress,
            stop: self.stop,
            observe,
        };
        let outcome = train(&mut training)?;
        match outcome {
            Outcome::Completed { .. } => {
                training.log.metrics.compact()?;
                track::keep_newest(&self.run, 1)?;
            }
            _ => training.log.seal()?,
        }
        Ok(outcome)
    }

    /// Images or weight files may have changed since the plan was made.
    fn expect_the_planned_inputs(
        &self,
        config: &RunConfig,
        dataset: &Dataset,
    ) -> Result<(), RunnerError> {
        let init = init_hashes(config)?;
        let point = spec::point_id(config, model::TRAINING_REV, dataset.fingerprint(), &init);
        match point.as_str() == self.entry.point_id {
            true => Ok(()),
            false => Err(RunnerError::InputsChanged { name: dataset.name().to_string() }),
        }
    }

    fn newest_checkpoint(
        &self,
        observe: &mut dyn FnMut(TrainEvent),
    ) -> Result<Option<Checkpoint>, RunnerError> {
        let restore = track::newest_valid(&self.run)?;
        for (path, reason) in restore.rejected {
            let message = format!("checkpoint `{}` is not used: {reason}", path.display());
            observe(TrainEvent::Warning { message });
        }
        Ok(restore.found)
    }

    fn announce_resume(&self, checkpoint: &Checkpoint) -> Result<(), RunnerError> {
        let path = checkpoint.path.strip_prefix(self.run.path()).unwrap_or(&checkpoint.path);
        let (attempt, from_step) = (self.number, checkpoint.step);
        let event = Event::Resumed { attempt, from_step, checkpoint: path.into() };
        Ok(RunEvents::open(&self.run.events())?.append(&event)?)
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
            code: self.invocation.code.clone(),
            created_at: track::time::rfc3339(track::time::now_us()),
        };
        let origins = serde_json::to_value(&self.entry.origins).expect("origins are plain text");
        self.run.write_identity(&identity, &config.to_toml(), &origins)?;
        let provenance = Provenance::collect(
            self.invocation.argv.clone(),
            self.invocation.env.clone(),
            self.invocation.versions.clone(),
            self.device.to_string(),
            self.invocation.source.clone(),
        );
        Ok(self.run.write_provenance(self.number, &provenance, &dataset_record)?)
    }

    fn open_log(
        &self,
        progress: &Progress,
        config: &RunConfig,
        dataset: &Dataset,
    ) -> Result<RunLog, RunnerError> {
        let code = &self.invocation.code;
        let meta = MetricMeta {
            run_key: self.entry.key.clone(),
            sweep: self.plan.name.clone(),
            config_blake3: blake3::hash(config.to_toml().as_bytes()).to_hex().to_string(),
            git: code.commit.clone().unwrap_or_default(),
            dirty: code.dirty,
            dataset_fingerprint: dataset.fingerprint().to_string(),
            version: code.version.clone(),
        };
        let rewind_to = Some(progress.step);
        Ok(RunLog::new(
            MetricWriter::open(&self.run, meta, self.number, rewind_to)?,
            SampleWriter::open(&self.run, rewind_to)?,
            RunEvents::open(&self.run.events())?,
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
fn says_out_of_memory(message: &str) -> bool {
    let words = message.to_lowercase().replace('-', " ");
    ["out of memory", "out of device memory", "outofmemory", "out_of_memory"]
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
        ] {
            assert_eq!(class(message), track::FailureClass::Oom, "{message}");
        }
        assert_eq!(class("index out of bounds"), track::FailureClass::Panic);
    }
}
