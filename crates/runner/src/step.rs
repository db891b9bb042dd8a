//! One training step: the generators, then the discriminators on the fakes made
//! before that update (upstream's `optimize_parameters`).

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use data::Batch;
use model::{
    CycleGan, Discriminator, Generator, Term, discriminator_loss, generator_loss, gradient_penalty,
};
use spec::draw::{Draw, Purpose};
use spec::{CycleNorm, LossConfig, Precision, RunConfig, UpdateOrder};
use track::Parameters;

use crate::best::BestGenerators;
use crate::image_pool::ImagePool;
use crate::network_optimizer::NetworkOptimizer;

/// The four networks with all that changes while they train.
pub(crate) struct Trainer {
    pub networks: CycleGan,
    pub optimizers: Optimizers,
    /// Generated images of domain A, shown to `disc_a`; likewise B.
    pub pool_a: ImagePool,
    pub pool_b: ImagePool,
    /// Where the best are to be kept and not the last.
    pub best: Option<BestGenerators>,
    /// What the last step cost.
    pub passes: Passes,
    /// Of the last step's translations, where a guard watches it.
    pub output_std: Option<OutputStd>,
    config: RunConfig,
    seed: u64,
    device: Device,
}

pub(crate) struct Optimizers {
    pub gen_ab: NetworkOptimizer,
    pub gen_ba: NetworkOptimizer,
    pub disc_a: NetworkOptimizer,
    pub disc_b: NetworkOptimizer,
}

/// Standard deviation over the pixels and channels of one generated image in [-1, 1], mean over the
/// batch; each `[1]` on the device.
pub(crate) struct OutputStd {
    pub a: Tensor<1>,
    pub b: Tensor<1>,
}

/// Images that went forward through networks in one step: a cost that needs no clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Passes {
    /// Pairs of images in the batch.
    pub pairs: u64,
    pub generators: u64,
    pub discriminators: u64,
}

/// The terms of one step before their weight, each `[1]` on the device and off the tape.
/// A term that is switched off is absent.
pub(crate) type StepLosses = Vec<(Term, Tensor<1>)>;

/// # Shapes
/// - `fakes`: `[batch, 3, height, width]`, off the tape
/// - returns: `[1]`
fn output_std(fakes: &Tensor<4>) -> Tensor<1> {
    fakes.clone().flatten::<2>(1, 3).var_bias(1).sqrt().mean()
}

/// Both translations of a batch, and what else the same forward passes gave.
struct Translated {
    fake_b: Tensor<4>,
    fake_a: Tensor<4>,
    /// `gen_ba(a)` and `gen_ab(b)`, where the identity terms are on.
    identity: Option<(Tensor<4>, Tensor<4>)>,
}

impl Trainer {
    /// `device` must be an autodiff device.
    pub(crate) fn new(config: &RunConfig, seed: u64, device: &Device) -> Self {
        let optimizer = || NetworkOptimizer::new(&config.optim);
        Trainer {
            networks: CycleGan::new(&config.model, &config.loss, seed, device),
            optimizers: Optimizers {
                gen_ab: optimizer(),
                gen_ba: optimizer(),
                disc_a: optimizer(),
                disc_b: optimizer(),
            },
            pool_a: ImagePool::new(config.pool.clone(), Purpose::PoolA),
            pool_b: ImagePool::new(config.pool.clone(), Purpose::PoolB),
            passes: Passes::default(),
            best: None,
            output_std: None,
            config: config.clone(),
            seed,
            device: device.clone(),
        }
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    pub(crate) fn parameters(&self) -> Parameters {
        let CycleGan { gen_ab, gen_ba, disc_a, disc_b } = &self.networks;
        Parameters {
            generators: (gen_ab.num_params() + gen_ba.num_params()) as u64,
            discriminators: (disc_a.num_params() + disc_b.num_params()) as u64,
        }
    }

    /// Updates all networks once. `step` counts from 1; `lr_factor` scales both learning rates.
    pub(crate) fn step(&mut self, batch: &Batch, step: u64, lr_factor: f64) -> StepLosses {
        // On a thread of the pool the hundreds of parallel passes of a step begin without waking one.
        rayon::scope(|_| self.step_on_the_pool(batch, step, lr_factor))
    }

    fn step_on_the_pool(&mut self, batch: &Batch, step: u64, lr_factor: f64) -> StepLosses {
        if self.config.model.dropout > 0.0 {
            // Burn draws dropout from the device's generator; seeded a step, resuming repeats it.
            self.device.seed(Draw::new(self.seed, Purpose::Dropout, step, 0).bits());
        }
        self.passes = Passes { pairs: batch.n as u64, ..Passes::default() };
        let a = to_tensor(&batch.a, batch, &self.device);
        let b = to_tensor(&batch.b, batch, &self.device);
        let translated = self.translate(&a, &b);
        let fakes = (translated.fake_a.clone().inner(), translated.fake_b.clone().inner());
        self.output_std = (self.config.guards.output_std_below > 0.0)
            .then(|| OutputStd { a: output_std(&fakes.0), b: output_std(&fakes.1) });
        match self.config.optim.update_order {
            UpdateOrder::GThenD => {
                let mut losses = self.update_generators(&a, &b, translated, lr_factor);
                losses.extend(self.update_discriminators(&a, &b, fakes, step, lr_factor));
                losses
            }
            UpdateOrder::DThenG => {
                let judged = self.update_discriminators(&a, &b, fakes, step, lr_factor);
                let mut losses = self.update_generators(&a, &b, translated, lr_factor);
                losses.extend(judged);
                losses
            }
        }
    }

    fn translate(&mut self, a: &Tensor<4>, b: &Tensor<4>) -> Translated {
        let CycleGan { gen_ab, gen_ba, .. } = &self.networks;
        let (n, precision) = (a.dims()[0] as u64, self.config.train.precision);
        if self.config.loss.weight_identity().is_none() {
            self.passes.generators += 2 * n;
            let fake_b = gen_ab.forward_in(precision, a.clone());
            let fake_a = gen_ba.forward_in(precision, b.clone());
            return Translated { fake_b, fake_a, identity: None };
        }
        self.passes.generators += 4 * n;
        let (fake_b, idt_b) = forward_both(gen_ab, precision, a, b);
        let (fake_a, idt_a) = forward_both(gen_ba, precision, b, a);
        Translated { fake_b, fake_a, identity: Some((idt_a, idt_b)) }
    }

    fn update_generators(
        &mut self,
        a: &Tensor<4>,
        b: &Tensor<4>,
        translated: Translated,
        lr_factor: f64,
    ) -> StepLosses {
        let terms = self.generator_terms(a, b, translated);
        let mut grads = self.objective(&terms).backward();
        let lr = self.config.optim.lr_g * lr_factor;
        let (networks, optimizers) = (&mut self.networks, &mut self.optimizers);
        let ab = GradientsParams::from_module(&mut grads, &networks.gen_ab);
        let ba = GradientsParams::from_module(&mut grads, &networks.gen_ba);
        networks.gen_ab = optimizers.gen_ab.step(lr, networks.gen_ab.clone(), ab);
        networks.gen_ba = optimizers.gen_ba.step(lr, networks.gen_ba.clone(), ba);
        off_the_tape(terms)
    }

    /// On the tape, each by itself.
    fn generator_terms(
        &mut self,
        a: &Tensor<4>,
        b: &Tensor<4>,
        translated: Translated,
    ) -> StepLosses {
        let (loss, precision) = (&self.config.loss, self.config.train.precision);
        let CycleGan { gen_ab, gen_ba, disc_a, disc_b } = &self.networks;
        let Translated { fake_b, fake_a, identity } = translated;
        let n = a.dims()[0] as u64;
        let mut terms = StepLosses::new();
        // The judges stay as they are here, so their weights are kept off the tape.
        if let (Some(disc_a), Some(disc_b)) = (disc_a, disc_b) {
            let judge = |disc: &Discriminator, fake: &Tensor<4>| {
                let scores = disc.clone().no_grad().forward_in(precision, fake.clone());
                generator_loss(loss.gan_mode, scores)
            };
            self.passes.discriminators += 2 * n;
            terms.push((Term::GanGAb, judge(disc_b, &fake_b)));
            terms.push((Term::GanGBa, judge(disc_a, &fake_a)));
        }
        if loss.weight_cycle_a().is_some() {
            self.passes.generators += n;
            let rec_a = gen_ba.forward_in(precision, fake_b);
            terms.push((Term::CycleA, distance(loss, rec_a, a)));
        }
        if loss.weight_cycle_b().is_some() {
            self.passes.generators += n;
            let rec_b = gen_ab.forward_in(precision, fake_a);
            terms.push((Term::CycleB, distance(loss, rec_b, b)));
        }
        if let Some((idt_a, idt_b)) = identity {
            terms.push((Term::IdtA, mean_abs(idt_a, a)));
            terms.push((Term::IdtB, mean_abs(idt_b, b)));
        }
        terms
    }

    fn update_discriminators(
        &mut self,
        a: &Tensor<4>,
        b: &Tensor<4>,
        (fake_a, fake_b): (Tensor<4>, Tensor<4>),
        step: u64,
        lr_factor: f64,
    ) -> StepLosses {
        let mut losses = StepLosses::new();
        if !self.config.loss.gan {
            return losses;
        }
        let d_steps = u64::from(self.config.optim.d_steps);
        for k in 0..d_steps {
            let query = (step - 1) * d_steps + k;
            let shown_b = self.pool_b.query(fake_b.clone(), self.seed, query);
            let shown_a = self.pool_a.query(fake_a.clone(), self.seed, query);
            let shown_a = Shown { real: a.clone(), fake: Tensor::from_inner(shown_a) };
            let shown_b = Shown { real: b.clone(), fake: Tensor::from_inner(shown_b) };
            losses = self.update_judges(&shown_a, &shown_b, query, lr_factor);
        }
        losses
    }

    fn update_judges(
        &mut self,
        shown_a: &Shown,
        shown_b: &Shown,
        query: u64,
        lr_factor: f64,
    ) -> StepLosses {
        let terms = self.judge_terms(shown_a, shown_b, query);
        let CycleGan { disc_a: Some(disc_a), disc_b: Some(disc_b), .. } = &self.networks else {
            return StepLosses::new();
        };
        // One backward pass: the two judges' losses share no parameter.
        let mut grads = self.objective(&terms).backward();
        let grads_a = GradientsParams::from_module(&mut grads, disc_a);
        let grads_b = GradientsParams::from_module(&mut grads, disc_b);
        let lr = self.config.optim.lr_d * lr_factor;
        let disc_a = self.optimizers.disc_a.step(lr, disc_a.clone(), grads_a);
        let disc_b = self.optimizers.disc_b.step(lr, disc_b.clone(), grads_b);
        self.networks.disc_a = Some(disc_a);
        self.networks.disc_b = Some(disc_b);
        off_the_tape(terms)
    }

    /// On the tape, each by itself.
    fn judge_terms(&mut self, shown_a: &Shown, shown_b: &Shown, query: u64) -> StepLosses {
        let CycleGan { disc_a: Some(disc_a), disc_b: Some(disc_b), .. } = &self.networks else {
            return StepLosses::new();
        };
        let (loss, precision) = (&self.config.loss, self.config.train.precision);
        let n = shown_a.real.dims()[0] as u64;
        self.passes.discriminators += 4 * n;
        let mut terms = vec![
            (Term::DA, judge_loss(loss, precision, disc_a, shown_a)),
            (Term::DB, judge_loss(loss, precision, disc_b, shown_b)),
        ];
        if loss.weight_penalty().is_some() {
            // Two passes an image: one for the gradient, one along it.
            self.passes.discriminators += 4 * n;
            let penalty = |disc, shown: &Shown, purpose| {
                let alpha = |i| Draw::new(self.seed, purpose, query, i).unit() as f32;
                let alpha: Vec<f32> = (0..n).map(alpha).collect();
                gradient_penalty(disc, shown.real.clone(), shown.fake.clone(), &alpha)
            };
            terms.push((Term::GpA, penalty(disc_a, shown_a, Purpose::PenaltyA)));
            terms.push((Term::GpB, penalty(disc_b, shown_b, Purpose::PenaltyB)));
        }
        terms
    }

    /// The weighted sum of the terms.
    fn objective(&self, terms: &StepLosses) -> Tensor<1> {
        let weighted = terms.iter().map(|(term, loss)| {
            let weight = term.weight(&self.config.loss).expect("only terms that are on are made");
            // The judges' terms carry their factor already.
            if weight == 1.0 { loss.clone() } else { loss.clone().mul_scalar(weight) }
        });
        weighted.reduce(|sum, loss| sum + loss).expect("at least one term is on")
    }
}

/// What a discriminator is shown: real images, and generated ones from the pool.
struct Shown {
    real: Tensor<4>,
    fake: Tensor<4>,
}

/// `[batch, 3, size, size]` in `[-1, 1]`.
fn to_tensor(values: &[f32], batch: &Batch, device: &Device) -> Tensor<4> {
    let shape = [batch.n, 3, batch.size, batch.size];
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

/// Both in one pass where no layer mixes the images of a batch: the same numbers, sooner.
fn forward_both(
    generator: &Generator,
    precision: Precision,
    x: &Tensor<4>,
    y: &Tensor<4>,
) -> (Tensor<4>, Tensor<4>) {
    let forward = |images| generator.forward_in(precision, images);
    if generator.mixes_images() {
        return (forward(x.clone()), forward(y.clone()));
    }
    let n = x.dims()[0];
    let both = forward(Tensor::cat(vec![x.clone(), y.clone()], 0));
    (both.clone().narrow(0, 0, n), both.narrow(0, n, y.dims()[0]))
}

/// `d_factor · (loss of real + loss of fake)`; real and fake go through as one batch where no
/// layer mixes them.
fn judge_loss(
    loss: &LossConfig,
    precision: Precision,
    disc: &Discriminator,
    shown: &Shown,
) -> Tensor<1> {
    let (real, fake) = (shown.real.clone(), shown.fake.clone());
    let forward = |images| disc.forward_in(precision, images);
    let (of_real, of_fake) = if disc.mixes_images() {
        (forward(real), forward(fake))
    } else {
        let (n_real, n_fake) = (real.dims()[0], fake.dims()[0]);
        let scores = forward(Tensor::cat(vec![real, fake], 0));
        (scores.clone().narrow(0, 0, n_real), scores.narrow(0, n_real, n_fake))
    };
    discriminator_loss(loss.gan_mode, of_real, of_fake).mul_scalar(loss.d_factor)
}

fn distance(loss: &LossConfig, rec: Tensor<4>, image: &Tensor<4>) -> Tensor<1> {
    match loss.cycle_norm {
        CycleNorm::L1 => mean_abs(rec, image),
        CycleNorm::L2 => (rec - image.clone()).square().mean(),
    }
}

fn mean_abs(x: Tensor<4>, y: &Tensor<4>) -> Tensor<1> {
    (x - y.clone()).abs().mean()
}

fn off_the_tape(terms: StepLosses) -> StepLosses {
    terms.into_iter().map(|(term, loss)| (term, loss.inner())).collect()
}

#[cfg(test)]
mod reference;
#[cfg(test)]
mod switches;
#[cfg(test)]
mod tests;
