//! How long a step takes here, from a few real ones.

use spec::RunConfig;

use crate::device::ComputeDevice;
use crate::step_times::{TimedStep, Timing, time_steps};

/// Seconds a training step of one run takes while `side_by_side` runs share the device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepTime {
    pub seconds: f64,
    pub side_by_side: usize,
}

const WARM_UP: usize = 2;
const MEASURED: usize = 5;

/// Trains a few steps on noise, as many copies at once as a sweep would run, each with `threads`
/// threads, and returns the median step.
pub fn measure_step(
    config: &RunConfig,
    device: ComputeDevice,
    side_by_side: usize,
    threads: usize,
) -> StepTime {
    let steps = (WARM_UP + MEASURED) as u64;
    let timing = Timing { config, device, threads, side_by_side, steps, images: None };
    let copies = time_steps(&timing).expect("a step on noise does not fail");
    let measured = copies.iter().flat_map(|steps| &steps[WARM_UP..]);
    let mut seconds: Vec<f64> = measured.map(|step: &TimedStep| step.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    StepTime { seconds: seconds[seconds.len() / 2], side_by_side }
}
