//! The training loop: take a batch, step, record; now and then evaluate, save
//! samples, checkpoint.

use std::time::{Duration, Instant};

use data::{Dataset, Fold};
use spec::RunConfig;
use track::{Event, FailureClass, RunDir, Split};

use crate::checkpoint::{self, Progress};
use crate::error::RunnerError;
use crate::evaluate::{self, evaluate};
use crate::event::{Outcome, TrainEvent};
use crate::loss_window::{LossWindow, WindowStat};
use crate::lr_schedule::lr_factor;
use crate::run_log::RunLog;
use crate::samples::{self, SampleIds};
use crate::step::Trainer;
use crate::stop::Stop;
use crate::system_load::SystemLoad;

/// Steps are announced at most this often.
const ANNOUNCE_EVERY: Duration = Duration::from_millis(200);

/// Everything the loop works on.
pub(crate) struct Training<'a> {
    pub config: &'a RunConfig,
    pub seed: u64,
    pub dataset: &'a Dataset,
    pub samples: &'a SampleIds,
    pub run: &'a RunDir,
    pub attempt: u32,
    pub trainer: Trainer,
    pub progress: Progress,
    pub log: RunLog,
    pub stop: &'a Stop,
    pub observe: &'a mut dyn FnMut(TrainEvent),
}

/// Trains from where `training.progress` stands to the end, to a stop request or to divergence.
/// The last word, in `events.jsonl`, is the caller's.
pub(crate) fn train(training: &mut Training<'_>) -> Result<Outcome, RunnerError> {
    let total = training.config.train.total_steps(training.dataset.steps_per_epoch());
    let mut window = LossWindow::restore(std::mem::take(&mut training.progress.window));
    let mut load = SystemLoad::new();
    let mut announced = Instant::now();
    while training.progress.step < total {
        let started = Instant::now();
        training.step(&mut window)?;
        let step = training.progress.step;
        let closes = step.is_multiple_of(training.config.train.log_every) || step == total;
        // Closing reads the losses, which waits for the device: its time is the steps'.
        let stats = if closes { window.close() } else { Vec::new() };
        let step_s = started.elapsed().as_secs_f64();
        training.progress.active_s += step_s;
        training.progress.window_s += step_s;
        if closes {
            training.record(&stats, &mut load)?;
            if let Some(reason) = non_finite(&stats) {
                return Ok(Outcome::Diverged { step, reason });
            }
        }
        if announced.elapsed() >= ANNOUNCE_EVERY || step == total {
            announced = Instant::now();
            (training.observe)(TrainEvent::Step { step });
        }
        let ends = step == total;
        if (ends || due(step, training.config.eval.every))
            && let Some(reason) = training.evaluate()?
        {
            return Ok(Outcome::Diverged { step, reason });
        }
        if ends || due(step, training.config.train.sample_every) {
            let saved = training.save_samples();
            training.degrade("samples", saved)?;
        }
        let stops = training.stop.requested() && !ends;
        let saves = ends || stops || due(step, training.config.train.checkpoint_every);
        if saves && let Some(reason) = training.checkpoint(&mut window, &mut load)? {
            return Ok(Outcome::Diverged { step, reason });
        }
        if stops {
            return Ok(Outcome::Interrupted { step });
        }
    }
    Ok(Outcome::Completed { step: total, active_s: training.progress.active_s })
}

fn due(step: u64, every: u64) -> bool {
    every > 0 && step.is_multiple_of(every)
}

/// Names the first loss that is not a number, or nothing.
fn non_finite(stats: &[WindowStat]) -> Option<String> {
    let stat = stats.iter().find(|stat| !stat.mean.is_finite())?;
    Some(format!("loss/{} is {}", stat.term.name(), stat.mean))
}

impl Training<'_> {
    fn step(&mut self, window: &mut LossWindow) -> Result<(), RunnerError> {
        let step = self.progress.step + 1;
        let batch = self.dataset.batch(self.seed, step)?;
        let factor = lr_factor(&self.config.optim, &self.config.train, batch.epoch, step);
        window.push(self.trainer.step(&batch, step, factor));
        self.progress.step = step;
        self.progress.images += batch.n as u64;
        Ok(())
    }

    fn record(&mut self, stats: &[WindowStat], load: &mut SystemLoad) -> Result<(), RunnerError> {
        let window_s = std::mem::take(&mut self.progress.window_s);
        let (progress, config) = (&self.progress, self.config);
        let count = stats.first().map_or(1, |stat| stat.count);
        let step_s = window_s / f64::from(count);
        let epoch = (progress.step - 1) / self.dataset.steps_per_epoch() + 1;
        let factor = lr_factor(&config.optim, &config.train, epoch, progress.step);
        self.log.losses(progress, stats, config);
        self.log.value(progress, Split::Train, "optim/lr_g", config.optim.lr_g * factor);
        self.log.value(progress, Split::Train, "optim/lr_d", config.optim.lr_d * factor);
        self.log.value(progress, Split::Train, "perf/step_s", step_s);
        for (name, passes) in self.passes_a_pair() {
            self.log.value(progress, Split::Train, name, passes);
        }
        for (name, value) in load.read() {
            self.log.value(progress, Split::Sys, name, value);
        }
        let sealed = self.log.seal_if_due();
        self.degrade("metrics", sealed.map_err(RunnerError::from))?;
        let losses = stats.iter().map(|stat| (stat.term.name().to_string(), stat.mean)).collect();
        let step = self.progress.step;
        (self.observe)(TrainEvent::Losses { step, step_s, losses });
        Ok(())
    }

    /// Forward passes of images through networks, for each pair of images trained on.
    fn passes_a_pair(&self) -> [(&'static str, f64); 2] {
        let passes = self.trainer.passes;
        let a_pair = |passes: u64, of: u64| passes as f64 / of as f64;
        [
            ("perf/generator_passes", a_pair(passes.generators, passes.pairs)),
            ("perf/discriminator_passes", a_pair(passes.discriminators, passes.pairs)),
        ]
    }

    fn fold(&self) -> Fold {
        evaluate::fold(self.config.eval.fold)
    }

    /// A score that is not finite comes back as a reason: the networks are beyond repair.
    fn evaluate(&mut self) -> Result<Option<String>, RunnerError> {
        let (fold, step) = (self.fold(), self.progress.step);
        let observe = &mut self.observe;
        let device = self.trainer.device();
        let scores =
            evaluate(&self.trainer.networks, self.dataset, fold, device, &mut |done, total| {
                observe(TrainEvent::Evaluating { done, total });
            })?;
        self.log.scores(&self.progress, &scores);
        let sealed = self.log.seal();
        self.degrade("metrics", sealed.map_err(RunnerError::from))?;
        self.log.event(&Event::Evaluated { step })?;
        let wrong = scores.iter().find(|(_, (value, _))| !value.is_finite());
        let reason = wrong.map(|(name, (value, _))| format!("{name} is {value}"));
        let scores = scores.into_iter().map(|(name, (value, _))| (name, value)).collect();
        (self.observe)(TrainEvent::Evaluated { step, scores });
        Ok(reason)
    }

    /// Trouble with recording is told and noted, and training goes on: rows stay in memory until
    /// the next seal, and a checkpoint, which needs them on the disk, fails aloud.
    fn degrade(&mut self, what: &str, result: Result<(), RunnerError>) -> Result<(), RunnerError> {
        let Err(error) = result else { return Ok(()) };
        if error.class() != FailureClass::Io {
            return Err(error);
        }
        let reason = error.chain();
        let message = format!("{what} are not recorded for now: {reason}");
        (self.observe)(TrainEvent::Warning { message });
        // On a full disk this cannot be written either; the warning is out.
        drop(self.log.event(&Event::RecordingDegraded { what: what.into(), reason }));
        Ok(())
    }

    fn save_samples(&mut self) -> Result<(), RunnerError> {
        samples::save(
            &self.trainer.networks,
            self.dataset,
            self.fold(),
            self.samples,
            self.trainer.device(),
            self.progress.step,
            &mut self.log.samples,
        )
    }

    /// Seals the rows, then saves: no row up to a checkpoint is ever behind it. Networks whose
    /// losses are not finite are not worth keeping; the reason comes back instead.
    fn checkpoint(
        &mut self,
        window: &mut LossWindow,
        load: &mut SystemLoad,
    ) -> Result<Option<String>, RunnerError> {
        self.progress.window = window.save();
        if let Some(reason) = window.non_finite() {
            // The window closes early, so that the rows that show it are kept.
            self.record(&window.close(), load)?;
            return Ok(Some(reason));
        }
        self.log.seal()?;
        let step = self.progress.step;
        let progress = self.progress.clone();
        let path =
            checkpoint::save(self.run, self.attempt, &self.trainer, &self.config.model, progress)?;
        let path = path.strip_prefix(self.run.path()).map_or(path.clone(), Into::into);
        self.log.event(&Event::Checkpoint { step, path })?;
        (self.observe)(TrainEvent::Checkpoint { step });
        Ok(None)
    }
}
