//! One training step: the generators, then the discriminators on the fakes made
//! before that update (upstream's `optimize_parameters`).

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use data::Batch;
use model::{CycleGan, Discriminator, ResnetGenerator, Term, gan_loss};
use spec::draw::{Draw, Purpose};
use spec::{CycleNorm, LossConfig, RunConfig, UpdateOrder};

use crate::image_pool::ImagePool;
use crate::network_optimizer::NetworkOptimizer;

/// The four networks with all that changes while they train.
pub(crate) struct Trainer {
    pub networks: CycleGan,
    pub optimizers: Optimizers,
    /// Generated images of domain A, shown to `disc_a`; likewise B.
    pub pool_a: ImagePool,
    pub pool_b: ImagePool,
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

/// The terms of one step before their weight, each `[1]` on the device and off the tape.
/// A term that is switched off is absent.
pub(crate) type StepLosses = Vec<(Term, Tensor<1>)>;

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
            config: config.clone(),
            seed,
            device: device.clone(),
        }
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Updates all networks once. `step` counts from 1; `lr_factor` scales both learning rates.
    pub(crate) fn step(&mut self, batch: &Batch, step: u64, lr_factor: f64) -> StepLosses {
        if self.config.model.dropout > 0.0 {
            // Burn draws dropout from the device's generator; seeded a step, resuming repeats it.
            self.device.seed(Draw::new(self.seed, Purpose::Dropout, step, 0).bits());
        }
        let a = to_tensor(&batch.a, batch, &self.device);
        let b = to_tensor(&batch.b, batch, &self.device);
        let translated = self.translate(&a, &b);
        let fakes = (translated.fake_a.clone().inner(), translated.fake_b.clone().inner());
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

    fn translate(&self, a: &Tensor<4>, b: &Tensor<4>) -> Translated {
        let CycleGan { gen_ab, gen_ba, .. } = &self.networks;
        if self.config.loss.weight_identity().is_none() {
            let (fake_b, fake_a) = (gen_ab.forward(a.clone()), gen_ba.forward(b.clone()));
            return Translated { fake_b, fake_a, identity: None };
        }
        // Translation and identity are one forward over both: no layer mixes images of a batch.
        let (fake_b, idt_b) = forward_both(gen_ab, a, b);
        let (fake_a, idt_a) = forward_both(gen_ba, b, a);
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
        let weighted = terms.iter().map(|(term, loss)| {
            let weight = term.weight(&self.config.loss).expect("only terms that are on are made");
            loss.clone().mul_scalar(weight)
        });
        let objective = weighted.reduce(|sum, loss| sum + loss).expect("at least one term is on");
        let mut grads = objective.backward();
        let lr = self.config.optim.lr_g * lr_factor;
        let (networks, optimizers) = (&mut self.networks, &mut self.optimizers);
        let ab = GradientsParams::from_module(&mut grads, &networks.gen_ab);
        let ba = GradientsParams::from_module(&mut grads, &networks.gen_ba);
        networks.gen_ab = optimizers.gen_ab.step(lr, networks.gen_ab.clone(), ab);
        networks.gen_ba = optimizers.gen_ba.step(lr, networks.gen_ba.clone(), ba);
        off_the_tape(terms)
    }

    fn generator_terms(&self, a: &Tensor<4>, b: &Tensor<4>, translated: Translated) -> StepLosses {
        let loss = &self.config.loss;
        let CycleGan { gen_ab, gen_ba, disc_a, disc_b } = &self.networks;
        let Translated { fake_b, fake_a, identity } = translated;
        let mut terms = StepLosses::new();
        // The judges stay as they are here, so their weights are kept off the tape.
        if let (Some(disc_a), Some(disc_b)) = (disc_a, disc_b) {
            let judge = |disc: &Discriminator, fake: &Tensor<4>| {
                gan_loss(loss.gan_mode, disc.clone().no_grad().forward(fake.clone()), true)
            };
            terms.push((Term::GanGAb, judge(disc_b, &fake_b)));
            terms.push((Term::GanGBa, judge(disc_a, &fake_a)));
        }
        if loss.weight_cycle_a().is_some() {
            terms.push((Term::CycleA, distance(loss, gen_ba.forward(fake_b), a)));
        }
        if loss.weight_cycle_b().is_some() {
            terms.push((Term::CycleB, distance(loss, gen_ab.forward(fake_a), b)));
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
            let shown = [(a, Tensor::from_inner(shown_a)), (b, Tensor::from_inner(shown_b))];
            losses = self.update_judges(shown, lr_factor);
        }
        losses
    }

    fn update_judges(&mut self, shown: [(&Tensor<4>, Tensor<4>); 2], lr_factor: f64) -> StepLosses {
        let CycleGan { disc_a: Some(disc_a), disc_b: Some(disc_b), .. } = &self.networks else {
            return StepLosses::new();
        };
        let loss = &self.config.loss;
        let [(real_a, fake_a), (real_b, fake_b)] = shown;
        let loss_a = judge_loss(loss, disc_a, real_a, fake_a);
        let loss_b = judge_loss(loss, disc_b, real_b, fake_b);
        // One backward pass: the two losses share no parameter.
        let mut grads = (loss_a.clone() + loss_b.clone()).backward();
        let grads_a = GradientsParams::from_module(&mut grads, disc_a);
        let grads_b = GradientsParams::from_module(&mut grads, disc_b);
        let lr = self.config.optim.lr_d * lr_factor;
        let disc_a = self.optimizers.disc_a.step(lr, disc_a.clone(), grads_a);
        let disc_b = self.optimizers.disc_b.step(lr, disc_b.clone(), grads_b);
        self.networks.disc_a = Some(disc_a);
        self.networks.disc_b = Some(disc_b);
        off_the_tape(vec![(Term::DA, loss_a), (Term::DB, loss_b)])
    }
}

/// `[batch, 3, size, size]` in `[-1, 1]`.
fn to_tensor(values: &[f32], batch: &Batch, device: &Device) -> Tensor<4> {
    let shape = [batch.n, 3, batch.size, batch.size];
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

fn forward_both(
    generator: &ResnetGenerator,
    x: &Tensor<4>,
    y: &Tensor<4>,
) -> (Tensor<4>, Tensor<4>) {
    let n = x.dims()[0];
    let both = generator.forward(Tensor::cat(vec![x.clone(), y.clone()], 0));
    (both.clone().narrow(0, 0, n), both.narrow(0, n, y.dims()[0]))
}

/// `d_factor · (loss of real + loss of fake)`; real and fake go through as one batch.
fn judge_loss(
    loss: &LossConfig,
    disc: &Discriminator,
    real: &Tensor<4>,
    fake: Tensor<4>,
) -> Tensor<1> {
    let (n_real, n_fake) = (real.dims()[0], fake.dims()[0]);
    let scores = disc.forward(Tensor::cat(vec![real.clone(), fake], 0));
    let of_real = gan_loss(loss.gan_mode, scores.clone().narrow(0, 0, n_real), true);
    let of_fake = gan_loss(loss.gan_mode, scores.narrow(0, n_real, n_fake), false);
    (of_real + of_fake).mul_scalar(loss.d_factor)
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
