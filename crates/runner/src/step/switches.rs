//! Every mechanism is a switch of its own: for each, what one step changes, what it leaves as it
//! was, and what it costs. All start from the same seed, so that whatever is not touched is equal.

use std::collections::BTreeMap;

use model::Network;
use model::weights::{self, NamedTensors};
use spec::{
    CycleNorm, CycleTerms, DiscriminatorKind, GanMode, NormKind, Padding, Precision, UpdateOrder,
    Upsample,
};

use super::tests::{batch, config, scalar};
use super::*;

const ALL: [&str; 8] =
    ["gan_g_ab", "gan_g_ba", "cycle_a", "cycle_b", "idt_a", "idt_b", "d_a", "d_b"];
const GAN: [&str; 2] = ["gan_g_ab", "gan_g_ba"];
const CYCLE: [&str; 2] = ["cycle_a", "cycle_b"];
const IDT: [&str; 2] = ["idt_a", "idt_b"];
const D: [&str; 2] = ["d_a", "d_b"];
const GP: [&str; 2] = ["gp_a", "gp_b"];
const NONE: [&str; 0] = [];

use Network::{DiscA, DiscB, GenAb, GenBa};
const GENERATORS: [Network; 2] = [GenAb, GenBa];
const JUDGES: [Network; 2] = [DiscA, DiscB];

/// What some steps of one configuration gave.
struct Outcome {
    /// Of the last step.
    losses: BTreeMap<&'static str, f64>,
    before: BTreeMap<&'static str, NamedTensors>,
    after: BTreeMap<&'static str, NamedTensors>,
    passes: Passes,
}

fn outcome(config: &RunConfig, steps: u64) -> Outcome {
    let mut trainer = Trainer::new(config, 5, &Device::flex().autodiff());
    let before = networks(&trainer);
    let mut losses = StepLosses::new();
    for step in 1..=steps {
        losses = trainer.step(&batch(), step, 1.0);
    }
    Outcome {
        losses: losses.into_iter().map(|(term, loss)| (term.name(), scalar(loss))).collect(),
        before,
        after: networks(&trainer),
        passes: trainer.passes,
    }
}

fn networks(trainer: &Trainer) -> BTreeMap<&'static str, NamedTensors> {
    let CycleGan { gen_ab, gen_ba, disc_a, disc_b } = &trainer.networks;
    let mut found = BTreeMap::from([
        (GenAb.name(), weights::collect(gen_ab)),
        (GenBa.name(), weights::collect(gen_ba)),
    ]);
    found.extend(disc_a.iter().map(|disc| (DiscA.name(), weights::collect(disc))));
    found.extend(disc_b.iter().map(|disc| (DiscB.name(), weights::collect(disc))));
    found
}

/// One switch against the reference, after one step from the same initial weights.
struct Expected<'a> {
    /// Terms that are not there any more.
    gone: &'a [&'a str],
    new: &'a [&'a str],
    /// Terms of another value; all others keep theirs.
    other: &'a [&'a str],
    /// Networks that the step leaves elsewhere; all others end where the reference's do.
    moved: &'a [Network],
    /// Forward passes of a pair, through generators and through discriminators.
    passes: [u64; 2],
}

/// Six through generators: two translations, two identities, two reconstructions. Six through
/// discriminators: the fakes for the generators; real and fake for each judge.
const REFERENCE: Expected<'static> =
    Expected { gone: &[], new: &[], other: &[], moved: &[], passes: [6, 6] };

#[track_caller]
fn check(change: fn(&mut RunConfig), expected: Expected<'_>) {
    let mut changed = config();
    change(&mut changed);
    compare(&outcome(&config(), 1), &outcome(&changed, 1), &expected);
}

#[track_caller]
fn compare(reference: &Outcome, found: &Outcome, expected: &Expected<'_>) {
    let mut names: Vec<&str> = ALL.into_iter().filter(|it| !expected.gone.contains(it)).collect();
    names.extend(expected.new);
    names.sort_unstable();
    assert_eq!(found.losses.keys().copied().collect::<Vec<_>>(), names, "terms in the log");
    for (name, value) in &found.losses {
        let Some(before) = reference.losses.get(name) else { continue };
        // Another batching of the same passes may round differently.
        let same = (value - before).abs() <= 1e-5 * before.abs();
        assert_eq!(!same, expected.other.contains(name), "{name}: {before} became {value}");
    }
    for network in Network::ALL {
        let (Some(one), Some(other)) =
            (reference.after.get(network.name()), found.after.get(network.name()))
        else {
            continue;
        };
        assert_eq!(one != other, expected.moved.contains(&network), "{} moved", network.name());
    }
    let passes = [found.passes.generators, found.passes.discriminators];
    assert_eq!(passes.map(|it| it / found.passes.pairs), expected.passes, "passes of a pair");
}

#[test]
fn the_reference_itself() {
    check(|_| {}, REFERENCE);
}

/// Each direction of the cycle passes through both generators, as translator of one and inverter of
/// the other, so both end elsewhere without it. A known port trains each on one part only.
#[test]
fn cycle_terms() {
    let moved = &GENERATORS;
    let one = |gone| Expected { gone, moved, passes: [5, 6], ..REFERENCE };
    check(|c| c.loss.cycle = CycleTerms::Forward, one(&["cycle_b"]));
    check(|c| c.loss.cycle = CycleTerms::Backward, one(&["cycle_a"]));
    let none = || Expected { gone: &CYCLE, moved, passes: [4, 6], ..REFERENCE };
    check(|c| c.loss.cycle = CycleTerms::None, none());
    // Upstream's λ = 0 silently switches the identity terms off as well.
    check(|c| c.loss.lambda_cycle = 0.0, none());
}

#[test]
fn adversarial_terms() {
    let gone = [GAN, D].concat();
    check(
        |c| c.loss.gan = false,
        Expected { gone: &gone, moved: &GENERATORS, passes: [6, 0], ..REFERENCE },
    );
    let mut config = config();
    config.loss.gan = false;
    let without = outcome(&config, 1);
    assert!(!without.before.contains_key(DiscA.name()), "no judge is made");
}

#[test]
fn identity_terms() {
    let moved = &GENERATORS;
    check(
        |c| c.loss.lambda_identity = 0.0,
        Expected { gone: &IDT, moved, passes: [4, 6], ..REFERENCE },
    );
    // The logged loss is before its weight: only the weights of the networks tell.
    check(|c| c.loss.lambda_identity = 2.0, Expected { moved, ..REFERENCE });
}

#[test]
fn weight_and_norm_of_the_cycle() {
    let moved = &GENERATORS;
    check(|c| c.loss.lambda_cycle = 3.0, Expected { moved, ..REFERENCE });
    check(|c| c.loss.cycle_norm = CycleNorm::L2, Expected { other: &CYCLE, moved, ..REFERENCE });
}

#[test]
fn adversarial_losses() {
    let other = [GAN, D].concat();
    let (other, moved) = (&other[..], &Network::ALL);
    let check_mode = |mode: fn(&mut RunConfig), new, passes| {
        check(mode, Expected { new, other, moved, passes, ..REFERENCE });
    };
    check_mode(|c| c.loss.gan_mode = GanMode::Vanilla, &NONE, [6, 6]);
    check_mode(|c| c.loss.gan_mode = GanMode::Hinge, &NONE, [6, 6]);
    check_mode(|c| c.loss.gan_mode = GanMode::WganGp, &GP, [6, 10]);
    // Without its penalty, what upstream calls wgangp.
    let unpenalised = |c: &mut RunConfig| {
        c.loss.gan_mode = GanMode::WganGp;
        c.loss.gp_weight = 0.0;
    };
    check_mode(unpenalised, &NONE, [6, 6]);
}

#[test]
fn the_weight_of_the_penalty_moves_the_judges_alone() {
    let with_weight = |gp_weight| {
        let mut config = config();
        config.loss.gan_mode = GanMode::WganGp;
        config.loss.gp_weight = gp_weight;
        outcome(&config, 1)
    };
    let (one, other) = (with_weight(10.0), with_weight(1.0));
    assert_eq!(one.losses, other.losses);
    assert_eq!(one.after[GenAb.name()], other.after[GenAb.name()]);
    assert_ne!(one.after[DiscA.name()], other.after[DiscA.name()]);
}

/// A constant factor on a loss changes what is logged. What Adam does with it cancels, up to
/// epsilon: the judges end within a thousandth of a step of each other.
#[test]
fn the_discriminators_factor_cancels_under_adam() {
    let mut doubled = config();
    doubled.loss.d_factor = 1.0;
    let (one, two) = (outcome(&config(), 1), outcome(&doubled, 1));
    for name in D {
        assert!((two.losses[name] / one.losses[name] - 2.0).abs() < 1e-6, "{name}");
    }
    for name in GAN.into_iter().chain(CYCLE).chain(IDT) {
        assert_eq!(one.losses[name], two.losses[name], "{name}");
    }
    assert_eq!(one.after[GenAb.name()], two.after[GenAb.name()]);
    let lr = config().optim.lr_d;
    // The first and the last layer: biases before a norm have no gradient but rounding noise.
    for layer in ["layers.0.weight", "layers.2.weight", "layers.2.bias"] {
        let of = |outcome: &Outcome| {
            let tensor = &outcome.after[DiscB.name()][layer];
            tensor.as_slice::<f32>().expect("float32").to_vec()
        };
        let apart = of(&one).into_iter().zip(of(&two)).map(|(x, y)| f64::from((x - y).abs()));
        assert!(apart.fold(0.0, f64::max) < 1e-3 * lr, "{layer}");
    }
}

/// A filling pool hands on what it is given; afterwards only the judges see another past.
#[test]
fn image_pool() {
    let with_pool = |size, swap_probability| {
        let mut config = config();
        config.pool = spec::PoolConfig { size, swap_probability };
        [outcome(&config, 1), outcome(&config, 2)]
    };
    // Two images a batch: a pool of two is full after the first step.
    let [off, full, never] = [with_pool(0, 0.5), with_pool(2, 1.0), with_pool(2, 0.0)];
    compare(&off[0], &full[0], &REFERENCE);
    compare(&off[1], &full[1], &Expected { other: &D, moved: &JUDGES, ..REFERENCE });
    compare(&off[1], &never[1], &REFERENCE);
}

#[test]
fn order_and_number_of_updates() {
    // The first update of the judges does not depend on the generators' coming after it.
    check(
        |c| c.optim.update_order = UpdateOrder::DThenG,
        Expected { other: &GAN, moved: &GENERATORS, ..REFERENCE },
    );
    // The logged loss is the last update's.
    check(
        |c| c.optim.d_steps = 2,
        Expected { other: &D, moved: &JUDGES, passes: [6, 10], ..REFERENCE },
    );
}

#[test]
fn learning_rates_and_adam() {
    check(|c| c.optim.lr_g = 1e-3, Expected { moved: &GENERATORS, ..REFERENCE });
    check(|c| c.optim.lr_d = 1e-3, Expected { moved: &JUDGES, ..REFERENCE });
    check(|c| c.optim.epsilon = 1e-2, Expected { moved: &Network::ALL, ..REFERENCE });
    // Bias correction makes the first step the same for any beta: the second tells.
    let second = |change: fn(&mut RunConfig)| {
        let mut config = config();
        change(&mut config);
        outcome(&config, 2)
    };
    let reference = second(|_| {});
    for change in
        [|c: &mut RunConfig| c.optim.beta_1 = 0.9, |c: &mut RunConfig| c.optim.beta_2 = 0.9]
    {
        assert_ne!(reference.after, second(change).after);
    }
}

/// Whatever the networks are made of: every term differs by what rounding makes of a few layers, and
/// gradients point the same way.
#[test]
fn half_precision_is_near_single() {
    let changes: [fn(&mut RunConfig); 6] = [
        |_| {},
        |c| c.model.norm = NormKind::InstanceAffine,
        |c| {
            c.model.norm = NormKind::Batch;
            c.model.upsample = Upsample::Nearest;
            c.model.padding = Padding::Replicate;
        },
        |c| {
            c.model.norm = NormKind::None;
            c.model.upsample = Upsample::Bilinear;
            c.model.dropout = 0.5;
        },
        |c| {
            c.loss.gan_mode = GanMode::WganGp;
            c.model.discriminator = DiscriminatorKind::Pixel;
        },
        |c| {
            c.loss.lambda_identity = 0.0;
            c.model.discriminator = DiscriminatorKind::Image;
        },
    ];
    for (case, change) in changes.into_iter().enumerate() {
        let mut single = config();
        change(&mut single);
        let mut half = single.clone();
        half.train.precision = Precision::Bf16;
        let (single, half) = (outcome(&single, 1), outcome(&half, 1));
        assert_eq!(single.before, half.before, "the same initial weights");
        for (name, value) in &single.losses {
            let apart = (half.losses[name] - value).abs() / value.abs().max(0.1);
            assert!(
                apart > 1e-6 && apart < 0.03,
                "case {case}: {name}: {value} and {}",
                half.losses[name]
            );
        }
        for network in Network::ALL {
            let name = network.name();
            for (tensor, before) in &single.before[name] {
                let moved = |outcome: &Outcome| signs(before, &outcome.after[name][tensor]);
                let (single, half) = (moved(&single), moved(&half));
                let same = single.iter().zip(&half).filter(|(a, b)| a == b).count();
                // Chance is a half; a bias before a norm has no gradient but rounding noise.
                let share = same as f64 / single.len() as f64;
                let is_noise = tensor.ends_with("bias") || single.len() < 32;
                assert!(is_noise || share > 0.6, "case {case}: {name} {tensor}: {share}");
            }
        }
    }
}

/// Which way every value went: Adam's first step goes by the gradient's sign alone.
fn signs(before: &TensorData, after: &TensorData) -> Vec<f32> {
    let values = |it: &TensorData| it.as_slice::<f32>().expect("float32").to_vec();
    let moved = values(after).into_iter().zip(values(before)).map(|(after, before)| after - before);
    moved.map(|by| if by == 0.0 { 0.0 } else { by.signum() }).collect()
}

/// Adam moves weights by less than bfloat16 could hold: they are kept in float32.
#[test]
fn weights_are_not_rounded() {
    let mut config = config();
    config.train.precision = Precision::Bf16;
    let Outcome { after, .. } = outcome(&config, 1);
    for tensor in after.values().flat_map(BTreeMap::values) {
        let values = tensor.as_slice::<f32>().expect("float32").iter();
        let bits = values.fold(0, |bits, value| bits | value.to_bits());
        assert_ne!(bits & 0xffff, 0, "all of them have bfloat16's bits alone");
    }
}

/// The generators' shape changes all terms. The judges start where they did.
#[test]
fn generator_shapes() {
    let reference = outcome(&config(), 1);
    let check = |change: fn(&mut RunConfig), starts_equal: bool| {
        let mut changed = config();
        change(&mut changed);
        let found = outcome(&changed, 1);
        compare(&reference, &found, &Expected { other: &ALL, moved: &Network::ALL, ..REFERENCE });
        for judge in JUDGES {
            assert_eq!(reference.before[judge.name()], found.before[judge.name()]);
        }
        let [one, other] = [&reference, &found].map(|it| &it.before[GenAb.name()]);
        assert_eq!(one == other, starts_equal);
        // Layers in common start equal.
        let shared = one.iter().filter(|(name, _)| other.contains_key(*name));
        for (name, tensor) in shared {
            assert_eq!(tensor, &other[name], "{name}");
        }
    };
    check(|c| c.model.padding = Padding::Zero, true);
    check(|c| c.model.padding = Padding::Replicate, true);
    check(|c| c.model.dropout = 0.5, true);
    check(|c| c.model.n_blocks = 3, false);
    check(|c| c.model.upsample = Upsample::Nearest, false);
    check(|c| c.model.upsample = Upsample::Bilinear, false);
}

/// The judges' shape changes what they say, not the images.
#[test]
fn discriminator_shapes() {
    let other = [GAN, D].concat();
    let check = |change: fn(&mut RunConfig), starts_equal: bool| {
        let mut changed = config();
        change(&mut changed);
        let (reference, found) = (outcome(&config(), 1), outcome(&changed, 1));
        compare(&reference, &found, &Expected { other: &other, moved: &Network::ALL, ..REFERENCE });
        assert_eq!(reference.before[GenBa.name()], found.before[GenBa.name()]);
        let [one, other] = [&reference, &found].map(|it| &it.before[DiscA.name()]);
        assert_eq!(one == other, starts_equal);
    };
    check(|c| c.model.n_layers = 2, false);
    check(|c| c.model.discriminator = DiscriminatorKind::Pixel, false);
    check(|c| c.model.discriminator = DiscriminatorKind::Image, true);
}

#[test]
fn norms_and_initial_gain() {
    let reference = outcome(&config(), 1);
    for norm in [NormKind::InstanceAffine, NormKind::Batch, NormKind::None] {
        let mut changed = config();
        changed.model.norm = norm;
        let found = outcome(&changed, 1);
        compare(&reference, &found, &Expected { other: &ALL, moved: &Network::ALL, ..REFERENCE });
        let stem = |outcome: &Outcome| outcome.before[GenAb.name()]["Resnet.stem.weight"].clone();
        assert_eq!(stem(&reference), stem(&found), "{norm:?}");
    }
    let mut changed = config();
    changed.model.init_gain = 2.0 * config().model.init_gain;
    let found = outcome(&changed, 1);
    for (name, tensor) in &reference.before[GenAb.name()] {
        let doubled = &found.before[GenAb.name()][name];
        let pairs = tensor.as_slice::<f32>().expect("float32").iter();
        let doubled = doubled.as_slice::<f32>().expect("float32");
        assert!(pairs.zip(doubled).all(|(one, two)| 2.0 * one == *two), "{name}");
    }
}
