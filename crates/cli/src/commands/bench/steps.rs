//! Training steps.

use runner::{ComputeDevice, TimedStep, Timing, peak_memory, time_steps};
use serde_json::{Value, json};
use spec::{Precision, RunConfig};

use super::open;
use super::spread::{Spread, time as words};
use crate::args::{BenchArgs, VERSION};
use crate::places::Places;
use crate::slots::cores;
use crate::terminal::{number, plural};

pub(super) fn time(
    args: &BenchArgs,
    config: &RunConfig,
    device: ComputeDevice,
    places: &Places,
) -> anyhow::Result<()> {
    let images = if args.images { Some(open(&config.data, places)?) } else { None };
    let timing = Timing {
        config,
        device,
        threads: args.threads.unwrap_or((cores() / args.side_by_side).max(1)),
        side_by_side: args.side_by_side,
        steps: (1 + args.warm_up + args.steps) as u64,
        images: images.as_ref(),
    };
    let memory_before = peak_memory();
    let copies = time_steps(&timing)?;
    let measured = Measured { timing, memory_before, copies, warm_up: args.warm_up };
    match args.json {
        true => tell!("{}", crate::terminal::json(&measured.as_json())?),
        false => measured.print(),
    }
    Ok(())
}

struct Measured<'a> {
    timing: Timing<'a>,
    /// In bytes, where it is known: the program itself, and images that had to be prepared.
    memory_before: Option<u64>,
    /// Uncounted, besides the first.
    warm_up: usize,
    /// The steps of each, the first and the uncounted ones among them.
    copies: Vec<Vec<TimedStep>>,
}

impl Measured<'_> {
    fn counted(&self) -> impl Iterator<Item = &TimedStep> {
        self.copies.iter().flat_map(|steps| &steps[1 + self.warm_up..])
    }

    /// The slowest copy's.
    fn first_s(&self) -> f64 {
        self.copies.iter().map(|steps| steps[0].seconds).fold(0.0, f64::max)
    }

    fn step(&self) -> Spread {
        Spread::of(self.counted().map(|step| step.seconds))
    }

    fn reading(&self) -> Option<Spread> {
        self.timing.images?;
        Some(Spread::of(self.counted().map(|step| step.reading_s)))
    }

    /// Of both domains, by all copies.
    fn images_per_s(&self) -> f64 {
        let a_step = 2 * self.timing.config.data.batch_size as usize * self.timing.side_by_side;
        a_step as f64 / self.step().median_s
    }

    fn print(&self) {
        tell!("{}, {}", shape(self.timing.config), self.place());
        let step = self.step();
        tell!(
            "{} a step (median of {}; half of them {} to {}), {} images/s",
            words(step.median_s),
            self.counted().count(),
            words(step.lower_quartile_s),
            words(step.upper_quartile_s),
            number(self.images_per_s()),
        );
        if let Some(reading) = self.reading() {
            let part = 100.0 * reading.median_s / step.median_s;
            tell!("of which reading images: {} ({part:.2} %)", words(reading.median_s));
        }
        let first = words(self.first_s());
        match peak_memory() {
            Some(bytes) => {
                tell!("first step {first}; at most {:.0} MB of memory", bytes as f64 / 1e6)
            }
            None => tell!("first step {first}"),
        }
    }

    fn place(&self) -> String {
        let Timing { device, side_by_side, .. } = self.timing;
        let threads = plural(self.timing.threads, "thread");
        match (device, side_by_side) {
            (ComputeDevice::Cpu, 1) => format!("on {device} with {threads}"),
            (ComputeDevice::Cpu, n) => format!("{n} at once on {device} with {threads} each"),
            (ComputeDevice::Cuda(_), 1) => format!("on {device}"),
            (ComputeDevice::Cuda(_), n) => format!("{n} at once on {device}"),
        }
    }

    fn as_json(&self) -> Value {
        let (config, timing) = (self.timing.config, &self.timing);
        let seconds = |steps: &[TimedStep]| steps.iter().map(|it| it.seconds).collect::<Vec<_>>();
        let by_copy = |part: &dyn Fn(&[TimedStep]) -> Vec<f64>| {
            self.copies.iter().map(|steps| part(steps)).collect::<Vec<_>>()
        };
        json!({
            "version": VERSION,
            "device": timing.device.to_string(),
            "threads": timing.threads,
            "side_by_side": timing.side_by_side,
            "crop_size": config.data.crop_size,
            "batch_size": config.data.batch_size,
            "model": config.model,
            "precision": config.train.precision,
            "images": timing.images.map_or("noise", |images| images.name()),
            "first_s": self.first_s(),
            "warm_up_s": by_copy(&|steps| seconds(&steps[1..=self.warm_up])),
            "steps_s": by_copy(&|steps| seconds(&steps[1 + self.warm_up..])),
            "step": self.step(),
            "reading": self.reading(),
            "images_per_s": self.images_per_s(),
            "memory_before_bytes": self.memory_before,
            "peak_memory_bytes": peak_memory(),
        })
    }
}

fn shape(config: &RunConfig) -> String {
    let model = &config.model;
    let generator = match model.generator {
        spec::GeneratorKind::Resnet => plural(model.n_blocks as usize, "block"),
        _ => "U-Net".to_string(),
    };
    let precision = match config.train.precision {
        Precision::F32 => "",
        Precision::Bf16 => ", bf16",
    };
    format!(
        "{} px, batch {}, {generator}, ngf {}, ndf {}, n_layers {}{precision}",
        config.data.crop_size, config.data.batch_size, model.ngf, model.ndf, model.n_layers
    )
}
