//! How long a step takes here, from a few real ones.

use std::time::{Duration, Instant};

use data::Batch;
use spec::RunConfig;
use spec::draw::{Draw, Purpose};

use crate::device::ComputeDevice;
use crate::step::Trainer;

/// Seconds a training step of one run takes while `side_by_side` runs share the device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepTime {
    pub seconds: f64,
    pub side_by_side: usize,
}

const WARM_UP: u64 = 2;
const MEASURED: u64 = 5;

/// Trains a few steps on noise, as many copies at once as a sweep would run, each with `threads`
/// threads, and returns the median step.
pub fn measure_step(
    config: &RunConfig,
    device: ComputeDevice,
    side_by_side: usize,
    threads: usize,
) -> StepTime {
    let times: Vec<Duration> = std::thread::scope(|scope| {
        let copies: Vec<_> = (0..side_by_side.max(1) as u64)
            .map(|seed| scope.spawn(move || steps(config, device, threads, seed)))
            .collect();
        let joined = copies.into_iter().map(|copy| copy.join().expect("a step does not panic"));
        joined.flatten().collect()
    });
    let mut times = times;
    times.sort();
    StepTime { seconds: times[times.len() / 2].as_secs_f64(), side_by_side }
}

fn steps(config: &RunConfig, device: ComputeDevice, threads: usize, seed: u64) -> Vec<Duration> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a handful of threads can be started");
    pool.install(|| {
        let device = device.open().autodiff();
        let mut trainer = Trainer::new(config, seed, &device);
        let batch = noise(config);
        (1..=WARM_UP + MEASURED)
            .map(|step| {
                let started = Instant::now();
                let losses = trainer.step(&batch, step, 1.0);
                // Reading a loss waits for the device.
                let waited = losses.last().map(|(_, loss)| loss.to_data());
                drop(waited);
                started.elapsed()
            })
            .skip(WARM_UP as usize)
            .collect()
    })
}

fn noise(config: &RunConfig) -> Batch {
    let (n, size) = (config.data.batch_size as usize, config.data.crop_size as usize);
    let image = |index| {
        let mut draw = Draw::new(0, Purpose::Synthetic, 0, index);
        (0..n * 3 * size * size).map(|_| (draw.unit() * 2.0 - 1.0) as f32).collect()
    };
    Batch { a: image(0), b: image(1), n, size, epoch: 1, ids_a: vec![], ids_b: vec![] }
}
