use std::collections::BTreeMap;

use model::weights;

use super::*;

pub(super) fn config() -> RunConfig {
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

pub(super) fn batch() -> Batch {
    let image = |index| {
        let mut draw = Draw::new(9, Purpose::Synthetic, 0, index);
        (0..2 * 3 * 16 * 16).map(|_| (draw.unit() * 2.0 - 1.0) as f32).collect::<Vec<f32>>()
    };
    Batch { a: image(0), b: image(1), n: 2, size: 16, epoch: 1, ids_a: vec![], ids_b: vec![] }
}

pub(super) fn trainer(config: &RunConfig) -> Trainer {
    Trainer::new(config, 5, &Device::flex().autodiff())
}

pub(super) fn scalar(value: Tensor<1>) -> f64 {
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
        assert!((found[name] / expected - 1.0).abs() < 1e-4, "{name}: {} {expected}", found[name]);
    }
}

#[test]
fn a_learning_rate_of_zero_moves_nothing() {
    let mut trainer = trainer(&config());
    let before = weights::collect(&trainer.networks);
    trainer.step(&batch(), 1, 0.0);
    assert_eq!(before, weights::collect(&trainer.networks));
}
