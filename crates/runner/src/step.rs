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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::weights;
    use spec::{CycleTerms, UpdateOrder};

    use super::*;

    fn config() -> RunConfig {
        let mut config = RunConfig::reference();
        config.data.crop_size = 16;
        config.model.ngf = 4;
        config.model.ndf = 4;
        config.model.n_blocks = 1;
        config.model.n_layers = 1;
        // Weights large enough that no term is near its trivial value.
        config.model.init_gain = 0.2;
        config
    }

    fn batch() -> Batch {
        let image = |index| {
            let mut draw = Draw::new(9, Purpose::Synthetic, 0, index);
            (0..2 * 3 * 16 * 16).map(|_| (draw.unit() * 2.0 - 1.0) as f32).collect::<Vec<f32>>()
        };
        Batch { a: image(0), b: image(1), n: 2, size: 16, epoch: 1, ids_a: vec![], ids_b: vec![] }
    }

    fn trainer(config: &RunConfig) -> Trainer {
        Trainer::new(config, 5, &Device::flex().autodiff())
    }

    fn scalar(value: Tensor<1>) -> f64 {
        f64::from(value.into_data().as_slice::<f32>().expect("float32")[0])
    }

    /// Upstream's formulas written out on the networks as they were before the update, each
    /// generator and discriminator called on its own.
    #[test]
    fn every_term_is_what_its_name_says() {
        let mut trainer = trainer(&config());
        let plain = Device::flex();
        let (batch, networks) = (batch(), trainer.networks.valid());
        let (a, b) = (to_tensor(&batch.a, &batch, &plain), to_tensor(&batch.b, &batch, &plain));
        let (ab, ba) = (&networks.gen_ab, &networks.gen_ba);
        let judge = |disc: &Option<Discriminator>, image: &Tensor<4>| {
            disc.as_ref().expect("the adversarial terms are on").forward(image.clone())
        };
        let (fake_b, fake_a) = (ab.forward(a.clone()), ba.forward(b.clone()));
        let to_one = |scores: Tensor<4>| scalar(scores.sub_scalar(1.0).square().mean());
        let to_zero = |scores: Tensor<4>| scalar(scores.square().mean());
        let l1 = |x: Tensor<4>, y: &Tensor<4>| scalar((x - y.clone()).abs().mean());
        let d = |disc, real, fake| 0.5 * (to_one(judge(disc, real)) + to_zero(judge(disc, fake)));
        let expected = [
            ("gan_g_ab", to_one(judge(&networks.disc_b, &fake_b))),
            ("gan_g_ba", to_one(judge(&networks.disc_a, &fake_a))),
            ("cycle_a", l1(ba.forward(fake_b.clone()), &a)),
            ("cycle_b", l1(ab.forward(fake_a.clone()), &b)),
            ("idt_a", l1(ba.forward(a.clone()), &a)),
            ("idt_b", l1(ab.forward(b.clone()), &b)),
            // An empty pool hands the fakes on; they were made before the generators' update.
            ("d_a", d(&networks.disc_a, &a, &fake_a)),
            ("d_b", d(&networks.disc_b, &b, &fake_b)),
        ];
        let losses = trainer.step(&batch, 1, 1.0);
        let found: BTreeMap<&str, f64> =
            losses.into_iter().map(|(term, loss)| (term.name(), scalar(loss))).collect();
        assert_eq!(found.len(), expected.len());
        for (name, expected) in expected {
            // Float32 sums in another order: a few parts in a million.
            assert!(
                (found[name] / expected - 1.0).abs() < 1e-4,
                "{name}: {} {expected}",
                found[name]
            );
        }
    }

    /// Each cycle passes through both generators, as translator of one and inverter of the other.
    /// A known port trains each generator on one of its two parts only, with normal-looking losses.
    #[test]
    fn each_cycle_term_trains_both_generators() {
        for cycle in [CycleTerms::Forward, CycleTerms::Backward] {
            let mut config = config();
            config.loss.gan = false;
            config.loss.lambda_identity = 0.0;
            config.loss.cycle = cycle;
            let mut trainer = trainer(&config);
            let before = trainer.networks.clone();
            trainer.step(&batch(), 1, 1.0);
            let moved = |x: &ResnetGenerator, y: &ResnetGenerator| {
                weights::collect(x)["head.weight"] != weights::collect(y)["head.weight"]
            };
            assert!(moved(&before.gen_ab, &trainer.networks.gen_ab), "gen_ab under {cycle:?}");
            assert!(moved(&before.gen_ba, &trainer.networks.gen_ba), "gen_ba under {cycle:?}");
        }
    }

    #[test]
    fn identity_alone_trains_each_generator_on_its_own_target() {
        let mut config = config();
        config.loss.gan = false;
        config.loss.cycle = CycleTerms::None;
        let losses = trainer(&config).step(&batch(), 1, 1.0);
        let names: Vec<&str> = losses.iter().map(|(term, _)| term.name()).collect();
        assert_eq!(names, ["idt_a", "idt_b"]);
    }

    /// In the reference's order the generators meet the old judges, in the other the updated ones.
    #[test]
    fn the_update_order_decides_which_judges_the_generators_meet() {
        let gan = |order| {
            let mut config = config();
            config.optim.update_order = order;
            config.optim.lr_d = 0.05;
            let losses = trainer(&config).step(&batch(), 1, 1.0);
            let found = losses.into_iter().find(|(term, _)| *term == Term::GanGAb);
            scalar(found.expect("on").1)
        };
        assert_ne!(gan(UpdateOrder::GThenD), gan(UpdateOrder::DThenG));
    }

    #[test]
    fn a_learning_rate_of_zero_moves_nothing() {
        let mut trainer = trainer(&config());
        let before = weights::collect(&trainer.networks);
        trainer.step(&batch(), 1, 0.0);
        assert_eq!(before, weights::collect(&trainer.networks));
    }
}
