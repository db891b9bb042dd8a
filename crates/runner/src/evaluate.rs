//! Scores on all held-out images of a fold.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use data::{Dataset, Domain, Fold};
use eval::{Picture, l1, psnr, ssim};
use model::{CycleGan, Generator};
use spec::EvalFold;

use crate::error::RunnerError;
use crate::stop::Stop;

/// The generators of one direction, off the tape: A→B scores inputs of domain A.
pub(crate) struct Direction {
    pub input: Domain,
    there: Generator,
    back: Generator,
    device: Device,
}

/// What the networks make of one batch of inputs, each `[batch, 3, size, size]` in `[-1, 1]`.
pub(crate) struct Translation {
    pub fake: Vec<f32>,
    /// The fake taken back.
    pub rec: Vec<f32>,
    /// The input through the generator that should leave it alone.
    pub idt: Vec<f32>,
}

impl Direction {
    /// A→B and B→A.
    pub(crate) fn both(networks: &CycleGan, device: &Device) -> [Direction; 2] {
        let (ab, ba) = (networks.gen_ab.valid(), networks.gen_ba.valid());
        let device = device.clone().inner();
        let there_and_back =
            |input, there, back| Direction { input, there, back, device: device.clone() };
        [there_and_back(Domain::A, ab.clone(), ba.clone()), there_and_back(Domain::B, ba, ab)]
    }

    /// # Shapes
    /// - `inputs`: `batch · 3 · size²` values in `[-1, 1]`
    pub(crate) fn translate(&self, inputs: Vec<f32>, size: usize) -> Translation {
        let batch = inputs.len() / (3 * size * size);
        let data = TensorData::new(inputs, [batch, 3, size, size]);
        let input = Tensor::<4>::from_data(data, &self.device);
        let fake = self.there.forward(input.clone());
        Translation {
            rec: values(self.back.forward(fake.clone())),
            idt: values(self.back.forward(input)),
            fake: values(fake),
        }
    }

    /// As many images at a time as 32 of 32 px: enough for a matrix product, little memory. One
    /// where images of a batch would change each other's translation.
    fn batch_size(&self, size: usize) -> usize {
        match self.there.mixes_images() {
            true => 1,
            false => (32 * 32 * 32 / (size * size)).max(1),
        }
    }

    /// `ab` for inputs of domain A.
    fn suffix(&self) -> &'static str {
        match self.input {
            Domain::A => "ab",
            Domain::B => "ba",
        }
    }
}

pub(crate) fn letter(domain: Domain) -> &'static str {
    match domain {
        Domain::A => "a",
        Domain::B => "b",
    }
}

pub(crate) fn fold(fold: EvalFold) -> Fold {
    match fold {
        EvalFold::Val => Fold::Val,
        EvalFold::Test => Fold::Test,
    }
}

/// A mean by metric name, and over how many images it is.
pub(crate) type MeanScores = BTreeMap<String, (f64, u32)>;

/// Mean scores by metric name, and how many images each mean is over.
///
/// - `eval/cycle_a`: L1 between a and F(G(a)); `eval/idt_a`: between a and F(a); on `[0, 1]`
/// - `eval/l1_ab`, `eval/psnr_ab`, `eval/ssim_ab`: G(a), rounded to 8 bits as a file keeps it,
///   against a's true translation, where the data set knows it
///
/// A score that cannot be had is absent. `observe` is told images done and their total. `None`
/// where a stop was requested on the way.
pub(crate) fn evaluate(
    networks: &CycleGan,
    dataset: &Dataset,
    in_fold: Fold,
    device: &Device,
    stop: &Stop,
    observe: &mut dyn FnMut(u64, u64),
) -> Result<Option<MeanScores>, RunnerError> {
    let mut scores = Scores::default();
    let total: usize = Domain::ALL.iter().map(|&domain| dataset.count(in_fold, domain)).sum();
    let mut done = 0;
    for direction in Direction::both(networks, device) {
        let count = dataset.count(in_fold, direction.input);
        let mut start = 0;
        while start < count {
            if stop.requested() {
                return Ok(None);
            }
            let first = dataset.held_out(in_fold, direction.input, start)?;
            let end = (start + direction.batch_size(first.size)).min(count);
            score_batch(&direction, dataset, in_fold, start..end, &mut scores)?;
            done += end - start;
            start = end;
            observe(done as u64, total as u64);
        }
    }
    Ok(Some(scores.means()))
}

fn score_batch(
    direction: &Direction,
    dataset: &Dataset,
    in_fold: Fold,
    indices: std::ops::Range<usize>,
    scores: &mut Scores,
) -> Result<(), RunnerError> {
    let images = indices
        .clone()
        .map(|i| dataset.held_out(in_fold, direction.input, i))
        .collect::<Result<Vec<_>, _>>()?;
    let size = images[0].size;
    let inputs: Vec<f32> = images.iter().flat_map(|image| image.to_unit_chw()).collect();
    let made = direction.translate(inputs.clone(), size);
    let picture = |values: &[f32], i: usize| {
        let plane = 3 * size * size;
        Picture::from_network(size, &values[i * plane..(i + 1) * plane])
    };
    let (domain, suffix) = (letter(direction.input), direction.suffix());
    for (i, index) in indices.enumerate() {
        let input = picture(&inputs, i);
        scores.add(format!("eval/cycle_{domain}"), l1(&picture(&made.rec, i), &input));
        scores.add(format!("eval/idt_{domain}"), l1(&picture(&made.idt, i), &input));
        if dataset.paired(in_fold) {
            let truth = dataset.held_out(in_fold, direction.input.other(), index)?.to_unit_chw();
            let (truth, fake) = (picture(&truth, 0), picture(&made.fake, i).rounded());
            scores.add(format!("eval/l1_{suffix}"), l1(&fake, &truth));
            scores.add(format!("eval/psnr_{suffix}"), psnr(&fake, &truth));
            if let Some(score) = ssim(&fake, &truth) {
                scores.add(format!("eval/ssim_{suffix}"), score);
            }
        }
    }
    Ok(())
}

#[derive(Default)]
struct Scores(MeanScores);

impl Scores {
    fn add(&mut self, name: String, score: f64) {
        let (sum, count) = self.0.entry(name).or_default();
        *sum += score;
        *count += 1;
    }

    fn means(self) -> MeanScores {
        let mean = |(name, (sum, count))| (name, (sum / f64::from(count), count));
        self.0.into_iter().map(mean).collect()
    }
}

fn values(images: Tensor<4>) -> Vec<f32> {
    images.into_data().as_slice::<f32>().expect("images are float32").to_vec()
}
