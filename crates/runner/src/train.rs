//! The training loop: take a batch, step, record; now and then evaluate, save
//! samples, checkpoint.
//!
//! A disk that is full or read-only does not end it: rows wait in memory, a
//! checkpoint is tried again, and the gap is told and noted. Only a run that
//! could not save at its end fails.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use data::{Dataset, Domain, Fold};
use eval::DiscriminatorEval;
use model::CycleGan;
use spec::{EvalCheckpoint, NonFinite, RunConfig};
use track::{Claim, Event, FlagRecord, RunDir, Split};

use crate::anchors;
use crate::best::{BestGenerators, BestScore};
use crate::checkpoint::{Progress, Snapshot};
use crate::error::RunnerError;
use crate::evaluate::{self, Evaluation, evaluate};
use crate::event::{Outcome, TrainEvent};
use crate::flags;
use crate::guards::Guards;
use crate::loss_window::{Exact, LossWindow, Quantity, WindowStat};
use crate::lr_schedule::lr_factor;
use crate::patience::{self, patiently};
use crate::real_images::RealImages;
use crate::run_log::RunLog;
use crate::samples::{self, SampleIds};
use crate::step::Trainer;
use crate::stop::Stop;
use crate::system_load::SystemLoad;

/// Steps are announced at most this often.
const ANNOUNCE_EVERY: Duration = Duration::from_millis(200);
/// A checkpoint that could not be written is tried again after this.
const CHECKPOINT_AGAIN: Duration = Duration::from_secs(30);

/// What a run is, and who may train it.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub config: &'a RunConfig,
    pub key: &'a str,
    pub seed: u64,
    pub dataset: &'a Dataset,
    pub real: &'a RealImages<'a>,
    pub samples: &'a SampleIds,
    pub run: &'a RunDir,
    pub claim: &'a Claim,
    pub stop: &'a Stop,
}

/// Everything the loop works on.
pub(crate) struct Training<'a> {
    setting: Setting<'a>,
    trainer: Trainer,
    progress: Progress,
    log: RunLog<'a>,
    observe: &'a mut dyn FnMut(TrainEvent),
    window: LossWindow,
    guards: Guards,
    load: SystemLoad,
    announced: Instant,
    /// What is not recorded at present; told once.
    trouble: BTreeSet<&'static str>,
    checkpoint_again: Option<Instant>,
    /// A score of the present evaluation that is no number.
    wrong: Option<String>,
}

impl<'a> Training<'a> {
    pub(crate) fn new(
        setting: Setting<'a>,
        trainer: Trainer,
        mut progress: Progress,
        log: RunLog<'a>,
        observe: &'a mut dyn FnMut(TrainEvent),
    ) -> Self {
        Training {
            setting,
            trainer,
            window: LossWindow::restore(std::mem::take(&mut progress.window)),
            guards: Guards::new(&setting.config.guards, progress.guards.clone()),
            progress,
            log,
            observe,
            load: SystemLoad::new(),
            announced: Instant::now(),
            trouble: BTreeSet::new(),
            checkpoint_again: None,
            wrong: None,
        }
    }

    /// Trains from where it stands to the end, to a stop request or to divergence. The last word,
    /// in `events.jsonl`, is the caller's.
    pub(crate) fn train(&mut self) -> Result<Outcome, RunnerError> {
        let outcome = self.train_to_an_end();
        // The last word comes after them; where they cannot be written, neither can it.
        drop(patiently(&mut || self.log.write_events().map_err(RunnerError::from)));
        outcome
    }

    fn train_to_an_end(&mut self) -> Result<Outcome, RunnerError> {
        if let Some(reason) = self.progress.stopped_by.clone() {
            return self.diverged(reason);
        }
        let mut stepped = false;
        loop {
            if let Some(reason) = self.settle()? {
                return self.diverged(reason);
            }
            let (step, owes) = (self.progress.step, self.progress.owes.any());
            let ends = step == self.total_steps() && !owes;
            // An attempt that owes nothing takes a step before it stops again: each checkpoint is of
            // a step of its own.
            let stops = self.setting.stop.requested() && !ends && (stepped || owes);
            match () {
                () if ends => {
                    if let Some(reason) = self.save_at_last()? {
                        return self.diverged(reason);
                    }
                }
                // What is not sound is left to the next attempt: it comes to the same end from the
                // checkpoint before, at the step at which it would have been seen anyway.
                () if stops => drop(self.save_at_last()?),
                () if stepped && self.checkpoint_is_due() => self.save()?,
                () => {}
            }
            if ends {
                self.finish()?;
                return Ok(Outcome::Completed { step, active_s: self.progress.active_s });
            }
            if stops {
                return Ok(Outcome::Interrupted { step });
            }
            if let Some(reason) = self.step()? {
                return self.diverged(reason);
            }
            stepped = true;
        }
    }

    fn total_steps(&self) -> u64 {
        self.setting.config.train.total_steps(self.setting.dataset.steps_per_epoch())
    }

    /// The rows that show it are kept.
    fn diverged(&mut self, reason: String) -> Result<Outcome, RunnerError> {
        // Without them nothing would show it: the run fails, and diverges again.
        patiently(&mut || self.log.compact().map_err(RunnerError::from))?;
        Ok(Outcome::Diverged { step: self.progress.step, reason })
    }

    /// One step with its row; a reason where it must be the last.
    fn step(&mut self) -> Result<Option<String>, RunnerError> {
        let Setting { config, dataset, seed, .. } = self.setting;
        let started = Instant::now();
        let step = self.progress.step + 1;
        let batch = dataset.batch(seed, step)?;
        let factor = lr_factor(&config.optim, &config.train, batch.epoch, step);
        let losses = self.trainer.step(&batch, step, factor);
        self.window.push(losses, self.trainer.output_std.take());
        self.progress.step = step;
        self.progress.images += batch.n as u64;
        let ends = step == self.total_steps();
        let logs = ends || step.is_multiple_of(config.train.log_every);
        // Reading the losses waits for the device: its time is the steps'.
        let fired = match logs || self.guards.look_at(step) {
            true => self.guard(),
            false => None,
        };
        let closes = logs || fired.is_some();
        let stats = if closes { self.window.close() } else { Vec::new() };
        let step_s = started.elapsed().as_secs_f64();
        self.progress.active_s += step_s;
        self.progress.window_s += step_s;
        self.progress.owes.evaluation = ends || due(step, config.eval.every);
        self.progress.owes.samples = ends || due(step, config.train.sample_every);
        if ends || self.announced.elapsed() >= ANNOUNCE_EVERY {
            self.announced = Instant::now();
            (self.observe)(TrainEvent::Step { step });
        }
        if !closes {
            return Ok(None);
        }
        self.record(&stats)?;
        if let Some(reason) = self.non_finite(&stats) {
            return Ok(Some(reason));
        }
        if fired.is_some() {
            // The networks are sound, so they and what they make are kept.
            self.progress.stopped_by = fired.clone();
            self.save_samples()?;
            self.save()?;
        }
        Ok(fired)
    }

    /// What a guard has to say of the steps it has not seen yet.
    fn guard(&mut self) -> Option<String> {
        let (quantities, rows) = self.window.rows();
        let fired = self.guards.observe(self.progress.step, quantities, rows);
        self.progress.guards = self.guards.counters().clone();
        fired
    }

    /// Names the first loss that is not a number, or nothing.
    fn non_finite(&self, stats: &[WindowStat]) -> Option<String> {
        let stat = stats.iter().find(|stat| !stat.mean.is_finite())?;
        self.stops_at_non_finite().then(|| format!("{} is {}", stat.quantity.name(), stat.mean))
    }

    fn stops_at_non_finite(&self) -> bool {
        self.setting.config.guards.non_finite == NonFinite::Stop
    }

    /// Does what the step asks for besides training, as far as no stop is requested; the rest is
    /// kept in the checkpoint. A reason where a score is not finite: the networks are beyond repair.
    fn settle(&mut self) -> Result<Option<String>, RunnerError> {
        if self.progress.owes.evaluation
            && !self.setting.stop.requested()
            && let Some(reason) = self.evaluate()?
        {
            return Ok(Some(reason));
        }
        if self.progress.owes.samples && !self.setting.stop.requested() {
            self.save_samples()?;
            self.progress.owes.samples = false;
        }
        Ok(None)
    }

    fn record(&mut self, stats: &[WindowStat]) -> Result<(), RunnerError> {
        let window_s = std::mem::take(&mut self.progress.window_s);
        let Setting { config, dataset, .. } = self.setting;
        let progress = &self.progress;
        let count = stats.first().map_or(1, |stat| stat.count);
        let step_s = window_s / f64::from(count);
        let epoch = (progress.step - 1) / dataset.steps_per_epoch() + 1;
        let factor = lr_factor(&config.optim, &config.train, epoch, progress.step);
        self.log.losses(progress, stats, config);
        self.log.value(progress, Split::Train, "optim/lr_g", config.optim.lr_g * factor);
        self.log.value(progress, Split::Train, "optim/lr_d", config.optim.lr_d * factor);
        self.log.value(progress, Split::Train, "perf/step_s", step_s);
        for (name, passes) in self.passes_a_pair() {
            self.log.value(progress, Split::Train, name, passes);
        }
        for (name, value) in self.load.read() {
            self.log.value(progress, Split::Sys, name, value);
        }
        let kept = self.log.keep_rows();
        self.recorded("metrics", kept.map_err(RunnerError::from))?;
        let loss = |stat: &WindowStat| match stat.quantity {
            Quantity::Loss(term) => Some((term.name().to_string(), stat.mean)),
            Quantity::OutputStdA | Quantity::OutputStdB => None,
        };
        let losses = stats.iter().filter_map(loss).collect();
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

    /// On the way on the fold for choosing, at the end on the one for the result.
    fn evaluate(&mut self) -> Result<Option<String>, RunnerError> {
        let Setting { config, dataset, .. } = self.setting;
        let ends = self.progress.step == self.total_steps();
        let chooses = config.eval.checkpoint == EvalCheckpoint::Best;
        let has_val = Domain::ALL.iter().any(|&domain| dataset.count(Fold::Val, domain) > 0);
        // Both looks are taken before anything of them is kept: a stop between them leaves nothing.
        let mut looks = Vec::new();
        if chooses || (has_val && !ends) {
            let networks = self.trainer.networks.clone();
            let Some(found) = self.look(&networks, Fold::Val)? else { return Ok(None) };
            if chooses {
                self.choose(&found)?;
            }
            looks.push((found, Split::Val));
        }
        if ends || (!has_val && !chooses) {
            let networks = self.networks_to_keep()?;
            let fold = evaluate::fold(config.eval.fold);
            let Some(found) = self.look(&networks, fold)? else { return Ok(None) };
            looks.push((found, Split::Eval));
        }
        for (found, split) in looks {
            self.keep(found, split)?;
        }
        self.progress.owes.evaluation = false;
        Ok(self.wrong.take().filter(|_| self.stops_at_non_finite()))
    }

    /// `None` where it was stopped in the middle: a mean over some of the images would be no score.
    fn look(&mut self, networks: &CycleGan, fold: Fold) -> Result<Option<Evaluation>, RunnerError> {
        let Setting { config, real, stop, .. } = self.setting;
        let observe = &mut self.observe;
        let mut tell = |done, total| observe(TrainEvent::Evaluating { done, total });
        let gan_mode = config.loss.gan_mode;
        evaluate(networks, real, fold, gan_mode, self.trainer.device(), stop, &mut tell)
    }

    /// Keeps the generators that the metric likes better than those before.
    fn choose(&mut self, found: &Evaluation) -> Result<(), RunnerError> {
        let config = self.setting.config;
        let by = config.eval.best_by.as_deref().expect("checked with the configuration");
        let goal = spec::known_metric(by).and_then(|it| it.goal).expect("likewise");
        let Some(&(value, _)) = found.scores.get(by) else {
            // To go on would be to report the last weights as the best.
            let why = found.absent.get(by).map_or("no image of `val` has it", String::as_str);
            let reason = format!("{why}; the best weights cannot be told");
            return Err(RunnerError::NoSuchScore { metric: by.to_string(), reason });
        };
        let is_better = |best: BestScore| best.is_beaten_by(value, goal);
        if value.is_finite() && self.progress.best.is_none_or(is_better) {
            self.progress.best = Some(BestScore::new(self.progress.step, value));
            let best = BestGenerators::of(&self.trainer.networks, &config.model);
            self.trainer.best = Some(best);
        }
        Ok(())
    }

    /// Those that the run's result is of. Under `best` without one only where no look gave a number,
    /// which ends a run unless it is told to ignore that.
    fn networks_to_keep(&self) -> Result<CycleGan, RunnerError> {
        let networks = &self.trainer.networks;
        match &self.trainer.best {
            None => Ok(networks.clone()),
            Some(best) => {
                let placed = best.placed_in(networks, &self.setting.config.model);
                let path = self.setting.run.checkpoints();
                placed.map_err(|source| RunnerError::Weights { path, source })
            }
        }
    }

    fn keep(&mut self, found: Evaluation, split: Split) -> Result<(), RunnerError> {
        let Evaluation { mut scores, absent, measured } = found;
        let step = self.progress.step;
        let mut flags = Vec::new();
        for (judged, measured) in self.progress.judged.iter_mut().zip(&measured) {
            let numbers = |it: DiscriminatorEval| {
                [it.accuracy, it.generator_loss, it.output_variance].map(|it| (it as f32).into())
            };
            judged.extend(measured.discriminator.map(numbers));
        }
        if split == Split::Eval && step == self.total_steps() {
            let fold = evaluate::fold(self.setting.config.eval.fold);
            if let Some(best) = self.progress.best {
                scores.insert("eval/best_step".to_string(), (best.step as f64, 1));
            }
            flags = flags::raised(&measured, self.judged(), self.setting.real, fold)?;
            self.log.scores(&self.progress, split, &anchors::scored(self.setting.real, fold)?);
        }
        self.log.scores(&self.progress, split, &scores);
        let sealed = self.log.seal();
        self.recorded("metrics", sealed.map_err(RunnerError::from))?;
        // Of the result alone: why a table has no number.
        let absent = if split == Split::Eval { absent } else { BTreeMap::new() };
        self.note(Event::Evaluated { step, flags: flags.clone(), absent })?;
        let wrong = scores.iter().find(|(_, (value, _))| !value.is_finite());
        let reason = wrong.map(|(name, (value, _))| format!("{name} is {value}"));
        self.wrong = self.wrong.take().or(reason);
        let scores = scores.into_iter().map(|(name, (value, _))| (name, value)).collect();
        let fold = match split {
            Split::Val => Fold::Val,
            _ => evaluate::fold(self.setting.config.eval.fold),
        };
        let fold = format!("{fold:?}").to_lowercase();
        (self.observe)(TrainEvent::Evaluated { step, fold, scores });
        for FlagRecord { direction, flag, reason, .. } in flags {
            self.warn(format!("{flag} ({direction}): {reason}"));
        }
        Ok(())
    }

    fn judged(&self) -> [Vec<DiscriminatorEval>; 2] {
        let number = |it: &Exact| f64::from(f32::from(it.clone()));
        let look = |[accuracy, generator_loss, output_variance]: &[Exact; 3]| DiscriminatorEval {
            accuracy: number(accuracy),
            generator_loss: number(generator_loss),
            output_variance: number(output_variance),
        };
        [0, 1].map(|i: usize| self.progress.judged[i].iter().map(look).collect())
    }

    fn save_samples(&mut self) -> Result<(), RunnerError> {
        let networks = match self.progress.step == self.total_steps() {
            true => self.networks_to_keep()?,
            false => self.trainer.networks.clone(),
        };
        let saved = patiently(&mut || {
            samples::save(
                &networks,
                &self.setting,
                self.trainer.device(),
                self.progress.step,
                &mut self.log.samples,
            )
        });
        self.recorded("samples", saved).map(drop)
    }

    fn checkpoint_is_due(&self) -> bool {
        due(self.progress.step, self.setting.config.train.checkpoint_every)
            || self.checkpoint_again.is_some_and(|at| Instant::now() >= at)
    }

    /// A checkpoint on the way: where it cannot be written now, it is tried again later. Networks
    /// that are not finite are not worth keeping: the next row says so and ends the run.
    fn save(&mut self) -> Result<(), RunnerError> {
        let saved = match self.snapshot() {
            Ok(snapshot) => {
                let written = self.write(&snapshot);
                self.recorded("checkpoints", written)?.is_some()
            }
            Err(reason) => {
                self.warn(format!("no checkpoint of step {}: {reason}", self.progress.step));
                true
            }
        };
        self.checkpoint_again = (!saved).then(|| Instant::now() + CHECKPOINT_AGAIN);
        Ok(())
    }

    /// The checkpoint that the attempt ends with: without it, it would be lost work. The reason
    /// comes back where there must be none.
    fn save_at_last(&mut self) -> Result<Option<String>, RunnerError> {
        let snapshot = match self.snapshot() {
            Ok(snapshot) => snapshot,
            Err(reason) => {
                self.warn(format!("no checkpoint of step {}: {reason}", self.progress.step));
                return Ok(Some(reason));
            }
        };
        let mut warned = false;
        let written = patiently(&mut || {
            let written = self.write(&snapshot);
            if let Err(error) = &written
                && patience::may_pass(error)
                && !std::mem::replace(&mut warned, true)
            {
                self.warn(format!("the last checkpoint is tried again: {}", error.chain()));
            }
            written
        });
        written?;
        self.recorded("checkpoints", Ok(()))?;
        Ok(None)
    }

    /// What a checkpoint holds now, or why there must be none.
    fn snapshot(&mut self) -> Result<Snapshot, String> {
        self.progress.window = self.window.save();
        let stops = self.stops_at_non_finite();
        if let Some(reason) = self.window.non_finite().filter(|_| stops) {
            return Err(reason);
        }
        let config = &self.setting.config.model;
        let snapshot = Snapshot::take(&self.trainer, config, self.progress.clone());
        snapshot.non_finite().filter(|_| stops).map_or(Ok(snapshot), Err)
    }

    /// Seals the rows, then saves: no row up to a checkpoint is ever behind it.
    fn write(&mut self, snapshot: &Snapshot) -> Result<PathBuf, RunnerError> {
        let Setting { run, claim, key, .. } = self.setting;
        self.log.seal()?;
        let path = snapshot.write(run, claim, key)?;
        let path: PathBuf = path.strip_prefix(run.path()).unwrap_or(&path).into();
        let step = self.progress.step;
        self.note(Event::Checkpoint { step, path: path.clone() })?;
        (self.observe)(TrainEvent::Checkpoint { step });
        Ok(path)
    }

    /// All parts into one, and no more checkpoints than the last.
    fn finish(&mut self) -> Result<(), RunnerError> {
        patiently(&mut || self.log.compact().map_err(RunnerError::from))?;
        let Setting { run, claim, .. } = self.setting;
        let pruned = claim.confirm().and_then(|()| track::keep_newest(run, 1));
        self.recorded("checkpoints", pruned.map_err(RunnerError::from))?;
        Ok(())
    }

    /// Passes on what could be recorded. What could not, for want of space or permission, is told
    /// and noted once, and so is its return; training goes on.
    fn recorded<T>(
        &mut self,
        what: &'static str,
        result: Result<T, RunnerError>,
    ) -> Result<Option<T>, RunnerError> {
        match result {
            Ok(value) => {
                if self.trouble.remove(what) {
                    self.warn(format!("{what} are recorded again"));
                    self.note(Event::RecordingRestored { what: what.into() })?;
                }
                Ok(Some(value))
            }
            Err(error) if !patience::may_pass(&error) => Err(error),
            Err(error) => {
                if self.trouble.insert(what) {
                    let reason = error.chain();
                    self.warn(format!("{what} are not recorded for now: {reason}"));
                    self.note(Event::RecordingDegraded { what: what.into(), reason })?;
                }
                Ok(None)
            }
        }
    }

    /// Adds an event. The log keeps one that cannot be written now for later.
    fn note(&mut self, event: Event) -> Result<(), RunnerError> {
        match self.log.event(event).map_err(RunnerError::from) {
            Ok(()) if self.trouble.remove("events") => {
                self.warn("events are recorded again".to_string());
                Ok(())
            }
            Ok(()) => Ok(()),
            Err(error) if !patience::may_pass(&error) => Err(error),
            Err(error) => {
                if self.trouble.insert("events") {
                    self.warn(format!("events are not recorded for now: {}", error.chain()));
                }
                Ok(())
            }
        }
    }

    fn warn(&mut self, message: String) {
        (self.observe)(TrainEvent::Warning { message });
    }
}

fn due(step: u64, every: u64) -> bool {
    every > 0 && step.is_multiple_of(every)
}
