//! What one attempt records: metric rows, samples and events, in the run's folder.
//!
//! Nothing is written once a later attempt owns the run.

use std::time::{Duration, Instant};

use spec::RunConfig;
use track::{
    Claim, Event, Measurement, MetricWriter, RunEvents, SampleWriter, Split, TrackError, time,
};

use crate::checkpoint::Progress;
use crate::evaluate::MeanScores;
use crate::loss_window::{Quantity, WindowStat};

/// Rows become Parquet at least this often; until then they are in the log beside it.
const SEAL_EVERY: Duration = Duration::from_secs(60);
/// And are on the disk at least this often, should the power fail.
const SYNC_EVERY: Duration = Duration::from_secs(30);

pub(crate) struct RunLog<'a> {
    pub(crate) metrics: MetricWriter,
    pub(crate) samples: SampleWriter,
    events: RunEvents,
    claim: &'a Claim,
    /// Events that could not be written yet; they come before any later one.
    unwritten: Vec<(Event, i64)>,
    steps_per_epoch: u64,
    sealed_at: Instant,
    synced_at: Instant,
}

impl<'a> RunLog<'a> {
    pub(crate) fn new(
        metrics: MetricWriter,
        samples: SampleWriter,
        events: RunEvents,
        claim: &'a Claim,
        steps_per_epoch: u64,
    ) -> Self {
        let now = Instant::now();
        RunLog {
            metrics,
            samples,
            events,
            claim,
            unwritten: Vec::new(),
            steps_per_epoch,
            sealed_at: now,
            synced_at: now,
        }
    }

    /// A closed loss window: each term before and after its weight.
    pub(crate) fn losses(&mut self, progress: &Progress, stats: &[WindowStat], config: &RunConfig) {
        for stat in stats {
            self.window(progress, stat.quantity.name(), stat, 1.0);
            if let Quantity::Loss(term) = stat.quantity {
                let weight = term.weight(&config.loss).expect("only terms that are on are logged");
                self.window(progress, format!("weighted/{}", term.name()), stat, weight);
            }
        }
    }

    fn window(&mut self, progress: &Progress, name: String, stat: &WindowStat, weight: f64) {
        self.metrics.push(Measurement {
            value: weight * stat.mean,
            count: stat.count,
            min: Some(weight * stat.min),
            max: Some(weight * stat.max),
            ..self.row(progress, Split::Train, name, 0.0)
        });
    }

    pub(crate) fn value(&mut self, progress: &Progress, split: Split, name: &str, value: f64) {
        let row = self.row(progress, split, name.to_string(), value);
        self.metrics.push(row);
    }

    /// Means over held-out images, and how many images each is over.
    pub(crate) fn scores(&mut self, progress: &Progress, split: Split, scores: &MeanScores) {
        for (name, &(value, count)) in scores {
            let row = self.row(progress, split, name.clone(), value);
            self.metrics.push(Measurement { count, ..row });
        }
    }

    fn row(&self, progress: &Progress, split: Split, name: String, value: f64) -> Measurement {
        Measurement {
            step: progress.step,
            epoch: (progress.step as f64 / self.steps_per_epoch as f64) as f32,
            images: progress.images,
            split,
            name,
            value,
            count: 1,
            min: None,
            max: None,
            elapsed_s: progress.active_s,
            ts_us: time::now_us(),
        }
    }

    /// Puts new rows into the log; now and then makes Parquet of it.
    pub(crate) fn keep_rows(&mut self) -> Result<(), TrackError> {
        if self.sealed_at.elapsed() >= SEAL_EVERY {
            return self.seal();
        }
        self.claim.confirm()?;
        self.metrics.log()?;
        if self.synced_at.elapsed() >= SYNC_EVERY {
            self.metrics.sync()?;
            self.synced_at = Instant::now();
        }
        Ok(())
    }

    pub(crate) fn seal(&mut self) -> Result<(), TrackError> {
        self.claim.confirm()?;
        self.metrics.seal()?;
        self.sealed_at = Instant::now();
        self.synced_at = self.sealed_at;
        Ok(())
    }

    pub(crate) fn compact(&mut self) -> Result<(), TrackError> {
        self.claim.confirm()?;
        self.metrics.compact().map(drop)
    }

    /// Adds an event. After an error it is kept, with its time, for the next call.
    pub(crate) fn event(&mut self, event: Event) -> Result<(), TrackError> {
        self.unwritten.push((event, time::now_us()));
        self.write_events()
    }

    /// Events that could not be written when they happened.
    pub(crate) fn write_events(&mut self) -> Result<(), TrackError> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        self.claim.confirm()?;
        while let Some((event, ts_us)) = self.unwritten.first() {
            self.events.append_at(event, *ts_us)?;
            self.unwritten.remove(0);
        }
        Ok(())
    }
}
