//! Steps of a training, each with its time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use data::{Batch, Dataset};
use spec::RunConfig;
use spec::draw::{Draw, Purpose};

use crate::device::ComputeDevice;
use crate::error::RunnerError;
use crate::run::panicked;
use crate::step::Trainer;

/// What is timed, and how many steps of it.
#[derive(Clone, Copy)]
pub struct Timing<'a> {
    pub config: &'a RunConfig,
    pub device: ComputeDevice,
    /// Of each copy.
    pub threads: usize,
    /// Copies that train at once and share the device.
    pub side_by_side: usize,
    pub steps: u64,
    /// Where batches come from; without it all are the same noise.
    pub images: Option<&'a Dataset>,
}

/// Seconds of one step, device included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimedStep {
    /// Reading the batch included.
    pub seconds: f64,
    /// Of these, until the batch was there; 0 of noise.
    pub reading_s: f64,
}

/// Trains from new weights and returns the steps of each copy in their order. The first ones
/// compile, autotune and fill caches.
///
/// # Errors
/// `Data`, where images cannot be read; `OutOfMemory`, `Panicked`.
pub fn time_steps(timing: &Timing<'_>) -> Result<Vec<Vec<TimedStep>>, RunnerError> {
    std::thread::scope(|scope| {
        let copies: Vec<_> = (0..timing.side_by_side.max(1) as u64)
            .map(|seed| scope.spawn(move || one_copy(timing, seed)))
            .collect();
        copies.into_iter().map(|copy| copy.join().expect("its panics are caught")).collect()
    })
}

fn one_copy(timing: &Timing<'_>, seed: u64) -> Result<Vec<TimedStep>, RunnerError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(timing.threads)
        .build()
        .expect("a handful of threads can be started");
    pool.install(|| {
        // A library's panic, such as one for want of memory, is an answer too.
        catch_unwind(AssertUnwindSafe(|| steps(timing, seed)))
            .unwrap_or_else(|panic| Err(panicked(&*panic)))
    })
}

fn steps(timing: &Timing<'_>, seed: u64) -> Result<Vec<TimedStep>, RunnerError> {
    let device = timing.device.open().autodiff();
    let mut trainer = Trainer::new(timing.config, seed, &device);
    let noise = noise(timing.config);
    let one = |step| {
        let started = Instant::now();
        let read = timing.images.map(|images| images.batch(seed, step)).transpose()?;
        let reading = started.elapsed();
        let losses = trainer.step(read.as_ref().unwrap_or(&noise), step, 1.0);
        // Reading a loss waits for the device.
        drop(losses.last().map(|(_, loss)| loss.to_data()));
        Ok(TimedStep {
            seconds: started.elapsed().as_secs_f64(),
            reading_s: if read.is_some() { reading.as_secs_f64() } else { 0.0 },
        })
    };
    (1..=timing.steps).map(one).collect()
}

fn noise(config: &RunConfig) -> Batch {
    let (n, size) = (config.data.batch_size as usize, config.data.crop_size as usize);
    let image = |index| {
        let mut draw = Draw::new(0, Purpose::Synthetic, 0, index);
        (0..n * 3 * size * size).map(|_| (draw.unit() * 2.0 - 1.0) as f32).collect()
    };
    Batch { a: image(0), b: image(1), n, size, epoch: 1, ids_a: vec![], ids_b: vec![] }
}
