//! Every term's value and its gradient in every network, then three whole steps, as PyTorch has
//! them for upstream's step. Two well-known ports train with normal-looking losses and wrong
//! gradients: only a comparison by term and by network tells.

use std::collections::BTreeMap;

use burn::module::Module;
use model::upstream_names::UpstreamNames;
use model::weights::{self, NamedTensors};
use model::{Network, gradients};
use serde::Deserialize;
use serde_json::Value as Json;
use spec::ModelConfig;

use super::tests::scalar;
use super::*;
use crate::lr_schedule::lr_factor;
use crate::reference::{
    Tolerance, apart, cases, config, expect_within, images, largest, noise, of_noise, tensors,
    under_test, values,
};

#[derive(Deserialize)]
struct GradientCase {
    name: String,
    config: Json,
    batch: usize,
    size: usize,
    /// Value of each term that is compared, before its weight.
    terms: BTreeMap<String, f64>,
    /// Where the penalty is taken, one number an image.
    alpha: Option<Alpha>,
    /// Two numbers stand for each gradient: its norm, and its product with noise.
    #[serde(default)]
    digest: bool,
}

#[derive(Deserialize)]
struct Alpha {
    a: Vec<f32>,
    b: Vec<f32>,
}

#[test]
fn every_gradient_of_every_term_is_the_reference_s() {
    let (device, tolerance) = under_test();
    let expected = tensors("gradients.safetensors");
    for case in cases::<GradientCase>("gradients.json") {
        let config = config(&case.config);
        let mut trainer = of_reference(&config, &case.name, &device);
        let shape = [case.batch, 3, case.size, case.size];
        let autodiff = device.clone().autodiff();
        let [a, b] = ["a", "b"].map(|of| images(&format!("{}/{of}", case.name), shape, &autodiff));
        for (name, value) in &case.terms {
            // A backward pass uses the tape up, so each term has one of its own.
            let terms = case.terms_on_the_tape(&mut trainer, &a, &b);
            let (term, loss) =
                terms.into_iter().find(|(term, _)| term.name() == name).expect("the term is on");
            let found = scalar(loss.clone().inner());
            // GAN losses come near 0, where a fraction of themselves says nothing.
            let off = (found - value).abs() / value.abs().max(0.1);
            expect_within(off, tolerance.forward, &format!("{} {name}", case.name));
            case.compare_gradients(term, &trainer, &loss.backward(), &expected, tolerance);
        }
    }
}

impl GradientCase {
    fn terms_on_the_tape(&self, trainer: &mut Trainer, a: &Tensor<4>, b: &Tensor<4>) -> StepLosses {
        let translated = trainer.translate(a, b);
        let fakes = [&translated.fake_a, &translated.fake_b].map(|it| it.clone().detach());
        let [fake_a, fake_b] = fakes;
        let mut terms = trainer.generator_terms(a, b, translated);
        let shown_a = Shown { real: a.clone(), fake: fake_a };
        let shown_b = Shown { real: b.clone(), fake: fake_b };
        // The trainer would draw where to take the penalty; here the case says it.
        let Some(alpha) = &self.alpha else {
            terms.extend(trainer.judge_terms(&shown_a, &shown_b, 0));
            return terms;
        };
        let judged = trainer.judge_terms(&shown_a, &shown_b, 0);
        terms.extend(judged.into_iter().filter(|(term, _)| !matches!(term, Term::GpA | Term::GpB)));
        let CycleGan { disc_a: Some(disc_a), disc_b: Some(disc_b), .. } = &trainer.networks else {
            panic!("the adversarial terms are on");
        };
        let penalty = |disc, shown: &Shown, alpha: &[f32]| {
            gradient_penalty(disc, shown.real.clone(), shown.fake.clone(), alpha)
        };
        terms.push((Term::GpA, penalty(disc_a, &shown_a, &alpha.a)));
        terms.push((Term::GpB, penalty(disc_b, &shown_b, &alpha.b)));
        terms
    }

    /// Which networks a term reaches is part of what is compared.
    fn compare_gradients(
        &self,
        term: Term,
        trainer: &Trainer,
        of: &burn::tensor::Gradients,
        expected: &NamedTensors,
        tolerance: Tolerance,
    ) {
        let networks = &trainer.networks;
        let model = &trainer.config.model;
        let found = [
            (Network::GenAb, under_upstream_names(&networks.gen_ab, model, of)),
            (Network::GenBa, under_upstream_names(&networks.gen_ba, model, of)),
            (Network::DiscA, under_upstream_names(judge(&networks.disc_a), model, of)),
            (Network::DiscB, under_upstream_names(judge(&networks.disc_b), model, of)),
        ];
        for (network, mut found) in found {
            let prefix = format!("{}/{}/{}/", self.name, term.name(), network.name());
            let expected: NamedTensors = expected
                .iter()
                .filter_map(|(name, it)| Some((name.strip_prefix(&prefix)?.into(), it.clone())))
                .collect();
            if expected.is_empty() {
                let reached = found.values().any(|it| largest(slice(it)) > 0.0);
                assert!(!reached, "{prefix} has no gradient in the reference");
                continue;
            }
            let in_all = expected.values().map(|it| largest(slice(it))).fold(0.0, f64::max);
            for (key, expected) in &expected {
                // A parameter without part in the loss has a gradient of 0 in the data.
                let found = found.remove(key).unwrap_or_else(|| zeros_like(expected));
                let what = format!("{prefix}{key}");
                let apart = match self.digest {
                    true => digest_apart(key, slice(&found), slice(expected), in_all),
                    false => apart(slice(&found), slice(expected), scale(slice(expected), in_all)),
                };
                expect_within(apart, tolerance.gradient, &what);
            }
            assert!(found.is_empty(), "{prefix}: {:?} are not in the data", found.keys());
        }
    }
}

fn digest_apart(key: &str, found: &[f32], expected: &[f32], in_all: f64) -> f64 {
    let against = noise(&format!("digest/{key}"), found.len(), 1.0);
    let product: f64 = found.iter().zip(against).map(|(x, y)| f64::from(*x) * f64::from(y)).sum();
    let norm = found.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    apart(&[norm as f32, product as f32], expected, scale(&expected[..1], in_all))
}

/// What a difference is a fraction of: the tensor's largest gradient. A norm takes the bias before
/// it away again, so the gradient there is 0 but for rounding, and the network's largest counts.
fn scale(expected: &[f32], in_all: f64) -> f64 {
    let own = largest(expected);
    if own < 1e-5 * in_all { in_all } else { own }
}

fn zeros_like(tensor: &TensorData) -> TensorData {
    TensorData::zeros::<f32, _>(tensor.shape().clone())
}

fn slice(tensor: &TensorData) -> &[f32] {
    tensor.as_slice::<f32>().expect("float32")
}

fn judge(disc: &Option<Discriminator>) -> &Discriminator {
    disc.as_ref().expect("the adversarial terms are on")
}

fn under_upstream_names<M: UpstreamNames + Module>(
    network: &M,
    config: &ModelConfig,
    of: &burn::tensor::Gradients,
) -> NamedTensors {
    let mut own = gradients(network, of);
    let names = M::names(config).into_iter();
    names.filter_map(|(ours, theirs)| Some((theirs, own.remove(&ours)?))).collect()
}

/// A trainer whose networks hold the weights of the scripts' case.
fn of_reference(config: &RunConfig, case: &str, device: &Device) -> Trainer {
    let mut trainer = Trainer::new(config, 0, &device.clone().autodiff());
    let prefix = |network: Network| format!("{case}/{}", network.name());
    let (networks, model) = (&mut trainer.networks, &config.model);
    networks.gen_ab = of_noise(networks.gen_ab.clone(), model, &prefix(Network::GenAb));
    networks.gen_ba = of_noise(networks.gen_ba.clone(), model, &prefix(Network::GenBa));
    for (network, disc) in
        [(Network::DiscA, &mut networks.disc_a), (Network::DiscB, &mut networks.disc_b)]
    {
        *disc = disc.take().map(|disc| of_noise(disc, model, &prefix(network)));
    }
    trainer
}

#[derive(Deserialize)]
struct StepsCase {
    name: String,
    config: Json,
    batch: usize,
    size: usize,
    steps: Vec<StepValues>,
    idle: Idle,
}

/// Biases that a norm takes away again: their gradient is rounding noise, and
/// Adam makes a whole step of it in either direction.
#[derive(Deserialize)]
struct Idle {
    generator: Vec<String>,
    discriminator: Vec<String>,
}

impl Idle {
    fn contains(&self, network: Network, key: &str) -> bool {
        let keys = match network {
            Network::GenAb | Network::GenBa => &self.generator,
            Network::DiscA | Network::DiscB => &self.discriminator,
        };
        keys.iter().any(|it| it == key)
    }
}

#[derive(Deserialize)]
struct StepValues {
    losses: BTreeMap<String, f64>,
    lr: f64,
}

#[test]
fn three_steps_leave_the_reference_s_weights() {
    let (device, tolerance) = under_test();
    let expected = tensors("steps.safetensors");
    for case in cases::<StepsCase>("steps.json") {
        let config = config(&case.config);
        let mut trainer = of_reference(&config, &case.name, &device);
        assert_eq!(case.steps.len(), 3);
        for (step, values) in (1..).zip(&case.steps) {
            let factor = lr_factor(&config.optim, &config.train, 1, step);
            assert!((config.optim.lr_g * factor / values.lr - 1.0).abs() < 1e-12, "{}", case.name);
            let losses = trainer.step(&case.batch(step), step, factor);
            assert_eq!(losses.len(), values.losses.len());
            for (term, loss) in losses {
                let expected = values.losses[term.name()];
                let off = (scalar(loss) - expected).abs() / expected.abs().max(0.1);
                // From the second step on the weights differ by what Adam made of rounding.
                let within = if step == 1 { tolerance.forward } else { tolerance.gradient };
                expect_within(off, within, &format!("{} {step} {}", case.name, term.name()));
            }
            let reached = step as f64 * config.optim.lr_g;
            case.compare_weights(
                &format!("{}/{step}", case.name),
                &trainer,
                reached,
                &expected,
                tolerance,
            );
            if step == 3 {
                let compared =
                    case.compare_weights(&case.name, &trainer, reached, &expected, tolerance);
                assert_eq!(compared, 4, "networks of {}", case.name);
            }
        }
    }
}

impl StepsCase {
    fn batch(&self, step: u64) -> Batch {
        let count = self.batch * 3 * self.size * self.size;
        let of = |domain: &str| noise(&format!("{}/{domain}/{step}", self.name), count, 1.0);
        let (n, size) = (self.batch, self.size);
        Batch { a: of("a"), b: of("b"), n, size, epoch: 1, ids_a: vec![], ids_b: vec![] }
    }

    /// How many networks the data has weights of. Differences are fractions of `reached`: how far
    /// Adam can have moved a weight until now.
    fn compare_weights(
        &self,
        prefix: &str,
        trainer: &Trainer,
        reached: f64,
        expected: &NamedTensors,
        tolerance: Tolerance,
    ) -> usize {
        let networks = &trainer.networks;
        let model = &trainer.config.model;
        let found = [
            (Network::GenAb, weights::save(&networks.gen_ab, model)),
            (Network::GenBa, weights::save(&networks.gen_ba, model)),
            (Network::DiscA, weights::save(judge(&networks.disc_a), model)),
            (Network::DiscB, weights::save(judge(&networks.disc_b), model)),
        ];
        let mut compared = 0;
        for (network, found) in found {
            let name = |key: &str| format!("{prefix}/{}/{key}", network.name());
            if !found.keys().any(|key| expected.contains_key(&name(key))) {
                continue;
            }
            compared += 1;
            for (key, found) in found.iter().filter(|(key, _)| !self.idle.contains(network, key)) {
                let apart = apart(slice(found), slice(&expected[&name(key)]), reached);
                expect_within(apart, tolerance.update, &name(key));
            }
        }
        compared
    }
}

/// The pictures are numbers from -1 to 1 in the order PyTorch has them: nothing is transposed.
#[test]
fn a_batch_becomes_a_tensor_as_it_is() {
    let (device, _) = under_test();
    let batch = super::tests::batch();
    let tensor = to_tensor(&batch.a, &batch, &device);
    assert_eq!(tensor.dims(), [2, 3, 16, 16]);
    assert_eq!(values(tensor), batch.a);
}
