//! Scores on all held-out images of a fold, in both directions.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use data::{Dataset, Domain, Fold};
use eval::{
    CycleErrors, DiscriminatorEval, Estimate, Features, ImageSet, Picture, ScoreCard, Sides, l1,
    perturbed, psnr, score,
};
use model::{CycleGan, Discriminator, Generator};
use spec::{EvalFold, GanMode};

use crate::error::RunnerError;
use crate::feature_net::image_set;
use crate::real_images::RealImages;
use crate::stop::Stop;

/// The generators of one direction, off the tape: A→B scores inputs of domain A.
pub(crate) struct Direction {
    pub input: Domain,
    there: Generator,
    back: Generator,
    /// Of the domain that is translated into; none where the adversarial term is off.
    judge: Option<Discriminator>,
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
        let judge = |disc: &Option<Discriminator>| disc.as_ref().map(|disc| disc.valid());
        let (disc_a, disc_b) = (judge(&networks.disc_a), judge(&networks.disc_b));
        let device = device.clone().inner();
        let of = |input, there, back, judge| {
            let device = device.clone();
            Direction { input, there, back, judge, device }
        };
        [of(Domain::A, ab.clone(), ba.clone(), disc_b), of(Domain::B, ba, ab, disc_a)]
    }

    /// # Shapes
    /// - `inputs`: `batch · 3 · size²` values in `[-1, 1]`
    pub(crate) fn translate(&self, inputs: Vec<f32>, size: usize) -> Translation {
        let input = self.tensor(inputs, size);
        let fake = self.there.forward(input.clone());
        Translation {
            rec: values(self.back.forward(fake.clone())),
            idt: values(self.back.forward(input)),
            fake: values(fake),
        }
    }

    fn take_back(&self, fakes: Vec<f32>, size: usize) -> Vec<f32> {
        values(self.back.forward(self.tensor(fakes, size)))
    }

    /// The discriminator's scores of each image, by patch.
    fn judged(&self, images: Vec<f32>, size: usize) -> Option<Vec<Vec<f32>>> {
        let n = images.len() / (3 * size * size);
        let scores = values(self.judge.as_ref()?.forward(self.tensor(images, size)));
        Some(scores.chunks_exact(scores.len() / n).map(<[f32]>::to_vec).collect())
    }

    fn tensor(&self, images: Vec<f32>, size: usize) -> Tensor<4> {
        let n = images.len() / (3 * size * size);
        Tensor::from_data(TensorData::new(images, [n, 3, size, size]), &self.device)
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
    pub(crate) fn suffix(&self) -> &'static str {
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

/// One look at the networks.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Evaluation {
    /// By name, as recorded, over how many images each is.
    ///
    /// - `eval/METRIC_ab`, METRIC as in [`eval::score`]; with `_se` before the direction the standard
    ///   error over images; `eval/gain`, `eval/gain_se`: the mean of both directions
    /// - `eval/cycle_a`: L1 between a and F(G(a)), on `[0, 1]`; `eval/cycle_q_a`: G(a) rounded to
    ///   8 bits first; `eval/cycle_r_a`: and disturbed by noise of 3/255; `eval/steg_gap_a`: by how
    ///   many dB the reconstruction falls from the first to the last (Chu et al. 2017)
    /// - `eval/idt_a`: L1 between a and F(a)
    /// - `eval/d_accuracy_b`: share of real and of generated images of domain B that the
    ///   discriminator tells right, half each; `eval/d_variance_b`: of its scores over images;
    ///   `eval/gan_g_ab`: the generator's adversarial loss, before its weight
    pub scores: MeanScores,
    /// Metrics that could not be had, and why.
    pub absent: BTreeMap<String, String>,
    /// What the flags of each direction are raised by: `ab`, `ba`.
    pub measured: [Measurements; 2],
}

/// What the flags of one direction are raised by.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Measurements {
    pub card: ScoreCard,
    /// Mean over the inputs, on `[0, 1]`.
    pub l1_to_input: Option<f64>,
    /// In dB.
    pub steg_gap: Option<f64>,
    /// Spread of the outputs over that of the real images.
    pub relative_spread: Option<f64>,
    /// Distance correlation of the true translations.
    pub partner_correlation: Option<f64>,
    /// Of the inputs as they are.
    pub kid_identity: Option<Estimate>,
    /// Of the outputs, pooled.
    pub features: Option<Features>,
    pub discriminator: Option<DiscriminatorEval>,
}

impl Measurements {
    /// All that images tell, without the networks that made them.
    pub(crate) fn of_images(sides: &Sides<'_>) -> Self {
        let pool = |set: &ImageSet| Some(set.features()?.pool.clone());
        let seen = sides.inputs.and_then(pool);
        let correlation = seen.as_ref().zip(sides.partners.and_then(pool));
        let identity = seen.as_ref().zip(pool(sides.reference));
        let outputs = sides.outputs.pictures();
        let change = |inputs: &ImageSet| {
            mean(outputs.iter().zip(inputs.pictures()).map(|(fake, x)| l1(fake, x)))
        };
        Measurements {
            card: score(sides),
            l1_to_input: sides.inputs.map(change),
            relative_spread: eval::relative_spread(outputs, sides.reference.pictures()).ok(),
            partner_correlation: correlation
                .and_then(|(inputs, it)| eval::distance_correlation(inputs, &it).ok()),
            kid_identity: identity.and_then(|(inputs, it)| eval::kid(inputs, &it).ok()),
            features: pool(sides.outputs),
            steg_gap: None,
            discriminator: None,
        }
    }
}

/// Scores the networks on a fold. `observe` is told images done and their total. `None` where a
/// stop was requested on the way.
pub(crate) fn evaluate(
    networks: &CycleGan,
    real: &RealImages<'_>,
    in_fold: Fold,
    gan_mode: GanMode,
    device: &Device,
    stop: &Stop,
    observe: &mut dyn FnMut(u64, u64),
) -> Result<Option<Evaluation>, RunnerError> {
    let dataset = real.dataset();
    let total: usize = Domain::ALL.iter().map(|&domain| dataset.count(in_fold, domain)).sum();
    let mut done = 0;
    let mut evaluation = Evaluation::default();
    for direction in Direction::both(networks, device) {
        let mut look = Look::default();
        let count = dataset.count(in_fold, direction.input);
        let mut start = 0;
        while start < count {
            if stop.requested() {
                return Ok(None);
            }
            let first = dataset.held_out(in_fold, direction.input, start)?;
            let end = (start + direction.batch_size(first.size)).min(count);
            look.batch(&direction, dataset, in_fold, start..end)?;
            done += end - start;
            start = end;
            observe(done as u64, total as u64);
        }
        if count > 0 {
            if stop.requested() {
                return Ok(None);
            }
            let measured = look.score(&direction, real, in_fold, gan_mode, &mut evaluation)?;
            evaluation.measured[usize::from(direction.input == Domain::B)] = measured;
        }
    }
    evaluation.mean_gain(dataset.partnered(in_fold));
    Ok(Some(evaluation))
}

impl Evaluation {
    fn put(&mut self, name: String, value: f64, n: usize) {
        self.scores.insert(name, (value, n as u32));
    }

    fn put_card(&mut self, card: &ScoreCard, suffix: &str) {
        for (metric, score) in &card.scores {
            let name = format!("eval/{metric}_{suffix}");
            if let Some(error) = score.standard_error {
                self.put(spec::standard_error_of(&name), error, score.n);
            }
            self.put(name, score.value, score.n);
        }
        let absent = card.absent.iter();
        self.absent
            .extend(absent.map(|(metric, why)| (format!("eval/{metric}_{suffix}"), why.clone())));
    }

    /// The primary endpoint: over both directions. `same_scenes`: A and B show the same things, so
    /// that their errors over images may go together; the larger bound holds whether they do or not.
    fn mean_gain(&mut self, same_scenes: bool) {
        let of = |name: &str| Some(*self.scores.get(name)?);
        let both =
            |what: &str| Some((of(&format!("eval/{what}_ab"))?, of(&format!("eval/{what}_ba"))?));
        if let (Some(((ab, n), (ba, m))), Some(((se_ab, _), (se_ba, _)))) =
            (both("gain"), both("gain_se"))
        {
            let n = (n + m) as usize;
            let error = if same_scenes { se_ab + se_ba } else { se_ab.hypot(se_ba) };
            self.put("eval/gain".into(), (ab + ba) / 2.0, n);
            self.put("eval/gain_se".into(), error / 2.0, n);
            return;
        }
        let why = ["ab", "ba"].iter().find_map(|it| self.absent.get(&format!("eval/gain_{it}")));
        let why = why.map_or("one of the directions has no held-out images", String::as_str);
        self.absent.insert("eval/gain".into(), why.to_string());
    }
}

/// Images of one direction as they come. Of reconstructions only numbers are kept: a thousand
/// pictures of 256 px are a gigabyte.
#[derive(Default)]
struct Look {
    /// As files keep them.
    fakes: Vec<Picture>,
    /// L1 and PSNR of the reconstruction from the fake as it is, rounded, rounded and disturbed.
    cycle: [Vec<[f64; 2]>; 3],
    idt: Vec<f64>,
    /// The discriminator's scores by patch, of real and of generated images.
    of_real: Vec<Vec<f32>>,
    of_fake: Vec<Vec<f32>>,
}

/// Of the noise that reconstructions must survive, and of sliced distances: the same for every run.
pub(crate) const SEED: u64 = 0;

impl Look {
    fn batch(
        &mut self,
        direction: &Direction,
        dataset: &Dataset,
        in_fold: Fold,
        indices: std::ops::Range<usize>,
    ) -> Result<(), RunnerError> {
        let images = indices
            .clone()
            .map(|i| dataset.held_out(in_fold, direction.input, i))
            .collect::<Result<Vec<_>, _>>()?;
        let size = images[0].size;
        let plane = 3 * size * size;
        let inputs: Vec<f32> = images.iter().flat_map(|image| image.to_unit_chw()).collect();
        let made = direction.translate(inputs.clone(), size);
        let pictures = |values: &[f32]| -> Vec<Picture> {
            values.chunks_exact(plane).map(|it| Picture::from_network(size, it)).collect()
        };
        let inputs = pictures(&inputs);
        let fakes: Vec<Picture> = pictures(&made.fake).iter().map(Picture::rounded).collect();
        let disturbed = fakes.iter().zip(indices).map(|(fake, i)| perturbed(fake, SEED, i));
        let as_values =
            |pictures: &[Picture]| pictures.iter().flat_map(Picture::to_network).collect();
        let rounded = direction.take_back(as_values(&fakes), size);
        let noisy = direction.take_back(as_values(&disturbed.collect::<Vec<_>>()), size);
        for (errors, recs) in self.cycle.iter_mut().zip([&made.rec, &rounded, &noisy]) {
            let recs = pictures(recs);
            errors.extend(recs.iter().zip(&inputs).map(|(rec, x)| [l1(rec, x), psnr(rec, x)]));
        }
        self.idt.extend(pictures(&made.idt).iter().zip(&inputs).map(|(idt, x)| l1(idt, x)));
        self.of_fake.extend(direction.judged(as_values(&fakes), size).into_iter().flatten());
        self.fakes.extend(fakes);
        Ok(())
    }

    fn score(
        mut self,
        direction: &Direction,
        real: &RealImages<'_>,
        in_fold: Fold,
        gan_mode: GanMode,
        evaluation: &mut Evaluation,
    ) -> Result<Measurements, RunnerError> {
        let (domain, n) = (letter(direction.input), self.fakes.len());
        let [as_it_is, rounded, disturbed] = &self.cycle;
        for (name, errors) in [("cycle", as_it_is), ("cycle_q", rounded), ("cycle_r", disturbed)] {
            let l1 = mean(errors.iter().map(|[l1, _]| *l1));
            evaluation.put(format!("eval/{name}_{domain}"), l1, n);
        }
        let psnr = |errors: &[[f64; 2]]| mean(errors.iter().map(|[_, psnr]| *psnr));
        let (cyc, cyc_q, cyc_r) = (psnr(as_it_is), psnr(rounded), psnr(disturbed));
        let steg_gap = CycleErrors { cyc, cyc_q, cyc_r }.steg_gap();
        evaluation.put(format!("eval/steg_gap_{domain}"), steg_gap, n);
        evaluation.put(format!("eval/idt_{domain}"), mean(self.idt.iter().copied()), n);
        let discriminator = self.judge(direction, real, in_fold, gan_mode, evaluation)?;

        let outputs = image_set(std::mem::take(&mut self.fakes), real.network())?;
        let inputs = real.set(in_fold, direction.input)?;
        let targets = real.targets(in_fold, direction.input.other())?;
        let of_images = Measurements::of_images(&targets.sides(&outputs, &inputs));
        evaluation.put_card(&of_images.card, direction.suffix());
        Ok(Measurements { discriminator, steg_gap: Some(steg_gap), ..of_images })
    }

    /// How well the discriminator of the domain translated into tells real from generated.
    fn judge(
        &mut self,
        direction: &Direction,
        real: &RealImages<'_>,
        in_fold: Fold,
        gan_mode: GanMode,
        evaluation: &mut Evaluation,
    ) -> Result<Option<DiscriminatorEval>, RunnerError> {
        // A critic's scores have no threshold.
        let threshold = match gan_mode {
            GanMode::Lsgan => 0.5,
            GanMode::Vanilla | GanMode::Hinge => 0.0,
            GanMode::WganGp => return Ok(None),
        };
        let target = direction.input.other();
        let reals = real.set(in_fold, target)?;
        let size = self.fakes[0].size();
        for batch in reals.images.pictures().chunks(direction.batch_size(size)) {
            let images = batch.iter().flat_map(Picture::to_network).collect();
            let scores = direction.judged(images, size);
            self.of_real.extend(scores.into_iter().flatten());
        }
        if self.of_real.is_empty() || self.of_fake.is_empty() {
            return Ok(None);
        }
        let share = |images: &[Vec<f32>], right: &dyn Fn(f32) -> bool| {
            let patches = images.iter().flatten();
            let n = patches.clone().count();
            patches.filter(|score| right(**score)).count() as f64 / n as f64
        };
        let accuracy = (share(&self.of_real, &|score| score > threshold)
            + share(&self.of_fake, &|score| score < threshold))
            / 2.0;
        let means: Vec<f64> = self
            .of_real
            .iter()
            .chain(&self.of_fake)
            .map(|image| image.iter().copied().map(f64::from).sum::<f64>() / image.len() as f64)
            .collect();
        let mean = means.iter().sum::<f64>() / means.len() as f64;
        let output_variance =
            means.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / means.len() as f64;
        let domain = letter(target);
        evaluation.put(format!("eval/d_accuracy_{domain}"), accuracy, means.len());
        evaluation.put(format!("eval/d_variance_{domain}"), output_variance, means.len());
        let losses = self.of_fake.iter().flatten().map(|&score| loss_of(gan_mode, score.into()));
        let generator_loss = losses.clone().sum::<f64>() / losses.count() as f64;
        let suffix = direction.suffix();
        evaluation.put(format!("eval/gan_g_{suffix}"), generator_loss, self.of_fake.len());
        Ok(Some(DiscriminatorEval { accuracy, generator_loss, output_variance }))
    }
}

/// What a generator is trained to lessen, of one score (`model::generator_loss`).
fn loss_of(gan_mode: GanMode, score: f64) -> f64 {
    match gan_mode {
        GanMode::Lsgan => (score - 1.0).powi(2),
        // log(1 + e^-s), without an overflow for large negative scores.
        GanMode::Vanilla => (-score).max(0.0) + (-score.abs()).exp().ln_1p(),
        GanMode::Hinge | GanMode::WganGp => -score,
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

fn values(images: Tensor<4>) -> Vec<f32> {
    images.into_data().as_slice::<f32>().expect("images are float32").to_vec()
}
