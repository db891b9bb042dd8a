//! What one attempt records: metric rows, samples and events, in the run's folder.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use spec::RunConfig;
use track::{Event, Measurement, MetricWriter, RunEvents, SampleWriter, Split, TrackError, time};

use crate::checkpoint::Progress;
use crate::loss_window::WindowStat;

/// Rows reach the disk at least this often, so that a reader is never far behind.
const SEAL_EVERY: Duration = Duration::from_secs(20);

pub(crate) struct RunLog {
    pub(crate) metrics: MetricWriter,
    pub(crate) samples: SampleWriter,
    pub(crate) events: RunEvents,
    steps_per_epoch: u64,
    sealed_at: Instant,
}

impl RunLog {
    pub(crate) fn new(
        metrics: MetricWriter,
        samples: SampleWriter,
        events: RunEvents,
        steps_per_epoch: u64,
    ) -> Self {
        RunLog { metrics, samples, events, steps_per_epoch, sealed_at: Instant::now() }
    }

    /// A closed loss window: each term before and after its weight.
    pub(crate) fn losses(&mut self, progress: &Progress, stats: &[WindowStat], config: &RunConfig) {
        for stat in stats {
            let weight = stat.term.weight(&config.loss).expect("only terms that are on are logged");
            let name = stat.term.name();
            self.window(progress, format!("loss/{name}"), stat, 1.0);
            self.window(progress, format!("weighted/{name}"), stat, weight);
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
    pub(crate) fn scores(&mut self, progress: &Progress, scores: &BTreeMap<String, (f64, u32)>) {
        for (name, &(value, count)) in scores {
            let row = self.row(progress, Split::Eval, name.clone(), value);
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

    pub(crate) fn seal_if_due(&mut self) -> Result<(), TrackError> {
        if self.sealed_at.elapsed() >= SEAL_EVERY { self.seal() } else { Ok(()) }
    }

    pub(crate) fn seal(&mut self) -> Result<(), TrackError> {
        self.sealed_at = Instant::now();
        self.metrics.seal().map(drop)
    }

    pub(crate) fn event(&mut self, event: &Event) -> Result<(), TrackError> {
        self.events.append(event)
    }
}
