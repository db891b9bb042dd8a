//! Pictures of any size through a trained generator, a folder at a time.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use burn::tensor::{Device, Tensor, TensorData};
use data::{ImageFiles, Raster, SkippedImage};
use model::{Generator, side_multiple};
use spec::GeneratorKind;

use crate::device::ComputeDevice;
use crate::error::RunnerError;
use crate::run::panicked;
use crate::stored_generator::StoredGenerator;

/// What is to be translated, and how.
pub struct Translation<'a> {
    pub generator: &'a StoredGenerator,
    pub files: &'a ImageFiles,
    /// Side in pixels of the square that pictures are resized to first; `None`: their own size.
    pub size: Option<u32>,
    /// Pictures of one size that go through together; `None`: as many as their area allows.
    pub batch: Option<usize>,
    pub device: ComputeDevice,
}

/// What happens meanwhile.
#[derive(Debug)]
pub enum TranslateEvent<'a> {
    /// Pictures dealt with so far, bad ones included.
    Done { done: usize },
    /// A picture that is left out; the rest goes on.
    Bad { image: &'a SkippedImage },
}

/// What came of it.
#[derive(Debug)]
pub struct Translated {
    pub written: usize,
    pub bad: Vec<SkippedImage>,
    pub elapsed: Duration,
}

/// Translates every picture. Those of one size go through together; sides are padded to what the
/// network takes, and what was added is cut off again.
///
/// # Errors
/// `Weights` where they do not fit; `Data` where a picture cannot be written. A picture that
/// cannot be read, or does not fit into a GPU's memory, is no error: it is left out. On the CPU
/// the operating system ends a program that asks for too much.
pub fn translate(
    job: &Translation<'_>,
    observe: &mut dyn FnMut(TranslateEvent<'_>),
) -> Result<Translated, RunnerError> {
    let device = job.device.open();
    let network = job.generator.build(&device)?;
    let began = Instant::now();
    let mut work = Work { job, network, device, written: 0, bad: Vec::new(), observe };
    let mut waiting = BTreeMap::<Sides, Vec<Waiting>>::new();
    for index in 0..job.files.count() {
        let picture = match job.files.read(index, job.size) {
            Ok(picture) => picture,
            Err(reason) => {
                work.leave_out(index, reason);
                continue;
            }
        };
        let sides = Sides::for_network(&picture, job.generator.model.generator);
        let group = waiting.entry(sides).or_default();
        group.push(Waiting { index, picture });
        if group.len() >= work.batch_size(sides) {
            let group = std::mem::take(group);
            work.translate(sides, &group)?;
        }
    }
    for (sides, group) in waiting {
        work.translate(sides, &group)?;
    }
    Ok(Translated { written: work.written, bad: work.bad, elapsed: began.elapsed() })
}

/// Height and width, in pixels, of what goes through the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Sides {
    height: usize,
    width: usize,
}

impl Sides {
    /// The picture's own, rounded up.
    fn for_network(picture: &Raster, kind: GeneratorKind) -> Sides {
        // A residual block pads by reflection: at a quarter of the side that takes two pixels.
        const LEAST: usize = 8;
        let round = |px: usize| px.next_multiple_of(side_multiple(kind)).max(LEAST);
        Sides { height: round(picture.height), width: round(picture.width) }
    }
}

/// A picture that has been read, until there are enough of its size.
struct Waiting {
    index: usize,
    picture: Raster,
}

struct Work<'a> {
    job: &'a Translation<'a>,
    network: Generator,
    device: Device,
    written: usize,
    bad: Vec<SkippedImage>,
    observe: &'a mut dyn FnMut(TranslateEvent<'_>),
}

impl Work<'_> {
    fn batch_size(&self, sides: Sides) -> usize {
        // Pixels at a time: on the CPU enough for a matrix product, on a GPU enough to fill it.
        let pixels = match self.job.device {
            ComputeDevice::Cpu => 32 * 32 * 32,
            ComputeDevice::Cuda(_) => 4 * 256 * 256,
        };
        match (self.network.mixes_images(), self.job.batch) {
            (true, _) => 1,
            (false, Some(asked)) => asked,
            (false, None) => (pixels / (sides.height * sides.width)).max(1),
        }
    }

    fn translate(&mut self, sides: Sides, group: &[Waiting]) -> Result<(), RunnerError> {
        if group.is_empty() {
            return Ok(());
        }
        // A library's panic for want of memory costs this group alone.
        let forward = AssertUnwindSafe(|| self.forward(sides, group));
        let values = match catch_unwind(forward).map_err(because) {
            Ok(values) => values,
            Err(RunnerError::OutOfMemory { message }) => {
                let reason = format!("does not fit into the device's memory: {message}");
                group.iter().for_each(|it| self.leave_out(it.index, reason.clone()));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for (made, waiting) in values.chunks_exact(3 * sides.height * sides.width).zip(group) {
            if !made.iter().all(|value| value.is_finite()) {
                self.leave_out(waiting.index, "its translation is not finite".into());
                continue;
            }
            let Raster { width, height, .. } = waiting.picture;
            let made = Raster::from_unit_chw(made, sides.width, sides.height);
            self.job.files.write(waiting.index, &made.cropped(width, height))?;
            self.written += 1;
            self.announce();
        }
        Ok(())
    }

    fn forward(&self, sides: Sides, group: &[Waiting]) -> Vec<f32> {
        let padded = |it: &Waiting| it.picture.padded(sides.width, sides.height).to_unit_chw();
        let values: Vec<f32> = group.iter().flat_map(padded).collect();
        let data = TensorData::new(values, [group.len(), 3, sides.height, sides.width]);
        let made = self.network.forward(Tensor::<4>::from_data(data, &self.device));
        made.into_data().as_slice::<f32>().expect("images are float32").to_vec()
    }

    fn leave_out(&mut self, index: usize, reason: String) {
        let image = SkippedImage { path: self.job.files.path(index).to_string(), reason };
        (self.observe)(TranslateEvent::Bad { image: &image });
        self.bad.push(image);
        self.announce();
    }

    fn announce(&mut self) {
        (self.observe)(TranslateEvent::Done { done: self.written + self.bad.len() });
    }
}

fn because(panic: Box<dyn Any + Send>) -> RunnerError {
    panicked(&*panic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_what_the_network_takes() {
        let check = |kind, (width, height): (usize, usize), expected: (usize, usize)| {
            let picture = Raster { width, height, rgb: vec![0; 3 * width * height] };
            let Sides { height, width } = Sides::for_network(&picture, kind);
            assert_eq!((width, height), expected);
        };
        check(GeneratorKind::Resnet, (64, 36), (64, 36));
        check(GeneratorKind::Resnet, (65, 37), (68, 40));
        check(GeneratorKind::Resnet, (4, 9), (8, 12));
        check(GeneratorKind::Unet128, (128, 129), (128, 256));
        check(GeneratorKind::Unet256, (4, 300), (256, 512));
    }
}
