use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use spec::{
    DiscriminatorKind, GanMode, GeneratorKind, ModelConfig, NormKind, Padding, RunConfig, Upsample,
};

use crate::upstream_names::UpstreamNames;
use crate::weights;
use crate::{
    CycleGan, Discriminator, Generator, InitialWeights, Network, discriminator_loss,
    generator_loss, gradient_penalty, gradients,
};

fn reference() -> ModelConfig {
    RunConfig::reference().model
}

/// The smallest networks with every part in them.
fn tiny() -> ModelConfig {
    ModelConfig { ngf: 4, ndf: 4, n_blocks: 2, n_layers: 2, ..reference() }
}

pub(crate) fn generator(config: &ModelConfig) -> Generator {
    let device = Device::flex();
    Generator::new(config, &InitialWeights::new(1, Network::GenAb, 0.02, &device))
}

pub(crate) fn discriminator(config: &ModelConfig) -> Discriminator {
    let device = Device::flex();
    Discriminator::new(config, &InitialWeights::new(1, Network::DiscA, 0.02, &device))
}

/// A deterministic picture in [-1, 1].
fn picture(size: usize) -> Tensor<4> {
    let values: Vec<f32> =
        (0..3 * size * size).map(|i| ((i * 31) % 97) as f32 / 48.0 - 1.0).collect();
    Tensor::from_data(TensorData::new(values, [1, 3, size, size]), &Device::flex())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().as_slice::<f32>().expect("float32").to_vec()
}

/// Counts derived from the reference's layer list; 11.378 M and 2.765 M are what upstream logs.
#[test]
fn parameter_counts_are_the_reference_s() {
    let blocks = |n_blocks| generator(&ModelConfig { n_blocks, ..reference() }).num_params();
    assert_eq!(blocks(9), 11_378_179);
    assert_eq!(blocks(6), 7_837_699);
    let layers = |n_layers| discriminator(&ModelConfig { n_layers, ..reference() }).num_params();
    assert_eq!(layers(1), 136_385);
    assert_eq!(layers(2), 662_977);
    assert_eq!(layers(3), 2_764_737);
    assert_eq!(layers(4), 6_959_553);
    let pixel = ModelConfig { discriminator: DiscriminatorKind::Pixel, ..reference() };
    assert_eq!(discriminator(&pixel).num_params(), 8_705);
}

#[test]
fn generators_keep_the_shape_and_the_range() {
    let check = |config: ModelConfig, [height, width]: [usize; 2]| {
        let images = Tensor::<4>::ones([2, 3, height, width], &Device::flex());
        let out = generator(&config).forward(images);
        assert_eq!(out.dims(), [2, 3, height, width], "{config:?}");
        assert!(values(out).iter().all(|v| v.abs() <= 1.0));
    };
    check(tiny(), [16, 16]);
    check(ModelConfig { n_blocks: 0, ..tiny() }, [32, 20]);
    check(ModelConfig { padding: Padding::Zero, ..tiny() }, [16, 16]);
    check(ModelConfig { padding: Padding::Replicate, ..tiny() }, [16, 16]);
    check(ModelConfig { upsample: Upsample::Nearest, ..tiny() }, [16, 24]);
    check(ModelConfig { upsample: Upsample::Bilinear, ..tiny() }, [16, 16]);
    check(ModelConfig { norm: NormKind::None, ..tiny() }, [16, 16]);
}

#[test]
fn patch_maps_have_the_published_sizes() {
    let check = |n_layers, size: usize, expected: usize| {
        let config = ModelConfig { n_layers, ndf: 4, ..reference() };
        let images = Tensor::<4>::ones([1, 3, size, size], &Device::flex());
        assert_eq!(discriminator(&config).forward(images).dims(), [1, 1, expected, expected]);
    };
    check(3, 256, 30);
    check(3, 64, 6);
    check(2, 32, 6);
    check(1, 32, 14);
    check(4, 64, 2);
}

#[test]
fn initial_weights_are_normal_and_biases_zero() {
    let named = weights::collect(&generator(&ModelConfig { ngf: 16, ..reference() }));
    let block = named["Resnet.blocks.0.first.weight"].as_slice::<f32>().expect("float32");
    let n = block.len() as f64;
    let mean = block.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let sd = (block.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n).sqrt();
    assert!(mean.abs() < 4.0 * 0.02 / n.sqrt(), "mean {mean}");
    assert!((sd / 0.02 - 1.0).abs() < 0.02, "standard deviation {sd}");
    assert!(
        named["Resnet.stem.bias"].as_slice::<f32>().expect("float32").iter().all(|&v| v == 0.0)
    );
}

#[test]
fn a_deeper_generator_shares_the_layers_it_has_in_common() {
    let shallow = weights::collect(&generator(&tiny()));
    let deep = weights::collect(&generator(&ModelConfig { n_blocks: 5, ..tiny() }));
    for (name, tensor) in &shallow {
        assert_eq!(tensor, &deep[name], "{name}");
    }
    assert!(deep.len() > shallow.len());
}

#[test]
fn seeds_and_networks_start_apart() {
    let run = |seed| CycleGan::new(&tiny(), &RunConfig::reference().loss, seed, &Device::flex());
    let stem = |g: &Generator| weights::collect(g)["Resnet.stem.weight"].clone();
    let (one, again, two) = (run(1), run(1), run(2));
    assert_eq!(stem(&one.gen_ab), stem(&again.gen_ab));
    assert_ne!(stem(&one.gen_ab), stem(&two.gen_ab));
    assert_ne!(stem(&one.gen_ab), stem(&one.gen_ba));
}

#[test]
fn gan_losses_by_hand() {
    let real = || Tensor::<4>::from_data([[[[0.0_f32, 2.0], [-1.0, 1.0]]]], &Device::flex());
    let fake = || Tensor::<4>::from_data([[[[-2.0_f32, 0.5], [1.0, 0.0]]]], &Device::flex());
    let check = |mode, discriminator: f64, generator: f64| {
        let found = f64::from(values(discriminator_loss(mode, real(), fake()))[0]);
        assert!((found - discriminator).abs() < 1e-6, "{mode:?}: {found}, not {discriminator}");
        let found = f64::from(values(generator_loss(mode, fake()))[0]);
        assert!((found - generator).abs() < 1e-6, "{mode:?}: {found}, not {generator}");
    };
    let mean = |values: [f64; 4]| values.iter().sum::<f64>() / 4.0;
    let softplus = |z: f64| (1.0 + z.exp()).ln();
    check(
        GanMode::Vanilla,
        mean([0.0, -2.0, 1.0, -1.0].map(softplus)) + mean([-2.0, 0.5, 1.0, 0.0].map(softplus)),
        mean([2.0, -0.5, -1.0, 0.0].map(softplus)),
    );
    check(
        GanMode::Lsgan,
        mean([1.0, 1.0, 4.0, 0.0]) + mean([4.0, 0.25, 1.0, 0.0]),
        mean([9.0, 0.25, 0.0, 1.0]),
    );
    check(GanMode::Hinge, mean([1.0, 0.0, 2.0, 0.0]) + mean([0.0, 1.5, 2.0, 1.0]), 0.125);
    check(GanMode::WganGp, -0.5 - 0.125, 0.125);
}

#[test]
fn log_loss_stays_finite_for_extreme_scores() {
    let scores = Tensor::<4>::from_data([[[[1e4_f32, -1e4]]]], &Device::flex());
    assert_eq!(values(generator_loss(GanMode::Vanilla, scores)), [5e3]);
}

/// A judge whose last bias is 0 scores a flat image 0; PyTorch's gradient there is one half.
#[test]
fn log_loss_has_a_gradient_at_zero() {
    let zero = Tensor::<4>::zeros([1, 1, 1, 1], &Device::flex().autodiff()).require_grad();
    let loss = generator_loss(GanMode::Vanilla, zero.clone());
    let gradient = zero.grad(&loss.backward()).expect("on the tape");
    assert_eq!(values(gradient), [-0.5]);
}

/// A network of one convolution has the same gradient everywhere, so the penalty is known.
#[test]
fn the_penalty_of_a_linear_judge_is_that_of_its_weights() {
    let device = Device::flex().autodiff();
    let pixel = ModelConfig {
        discriminator: DiscriminatorKind::Pixel,
        norm: NormKind::None,
        ndf: 1,
        ..reference()
    };
    let judge = Discriminator::new(&pixel, &InitialWeights::new(1, Network::DiscA, 0.5, &device));
    // Positive everywhere inside, so that both LeakyReLUs are the identity.
    let named = weights::save(&judge, &pixel).into_iter().map(|(name, tensor)| {
        let value = if name.ends_with("bias") { 9.0 } else { 0.25 };
        (name, TensorData::full(tensor.shape().clone(), value as f32))
    });
    let judge = weights::load(judge, &pixel, named.collect()).expect("fits");
    let images = Tensor::from_inner(picture(4));
    let penalty = gradient_penalty(&judge, images.clone(), images.neg(), &[0.3]);
    // 1×1 convolutions of widths 3, 1, 2, 1: each of 48 values counts 0.25 · (0.25 · 0.25) · 2.
    let slope = 0.25 * 0.25 * 0.25 * 2.0 * f64::sqrt(48.0);
    let found = f64::from(values(penalty.inner())[0]);
    assert!((found - (slope - 1.0).powi(2)).abs() < 1e-5, "{found}");
}

/// Central differences of a whole generator-discriminator chain against autodiff, for a few
/// weights: padding, norm, transposed convolution and the losses take part.
#[test]
fn gradients_agree_with_finite_differences() {
    for (mode, upsample, norm) in [
        (GanMode::Lsgan, Upsample::Transpose, NormKind::Instance),
        (GanMode::Vanilla, Upsample::Nearest, NormKind::InstanceAffine),
        (GanMode::Hinge, Upsample::Bilinear, NormKind::Batch),
    ] {
        check_gradients(mode, &ModelConfig { upsample, norm, ..tiny() });
    }
}

fn check_gradients(mode: GanMode, config: &ModelConfig) {
    let device = Device::flex().autodiff();
    // Larger weights than the reference's, so that float32 differences stand out of the rounding.
    let weights_of = |network| InitialWeights::new(3, network, 0.15, &device);
    let gen_ab = Generator::new(config, &weights_of(Network::GenAb));
    let judge = Discriminator::new(config, &weights_of(Network::DiscB));
    let input = picture(16);
    let loss = |generator: &Generator, judge: &Discriminator, input: Tensor<4>| {
        generator_loss(mode, judge.forward(generator.forward(input)))
    };
    let tracked = input.clone().to_device(&device);
    let found = gradients(&gen_ab, &loss(&gen_ab, &judge, tracked).backward());
    let found = found["Resnet.stem.weight"].as_slice::<f32>().expect("float32").to_vec();

    let (plain_gen, plain_judge) = (gen_ab.valid(), judge.valid());
    let named = weights::save(&plain_gen, config);
    let mut largest = 0.0_f64;
    for index in [0, 17, 101, 333] {
        let shifted = |by: f32| {
            let mut named = named.clone();
            let stem = named.get_mut("model.1.weight").expect("the stem");
            stem.as_mut_slice::<f32>().expect("float32")[index] += by;
            let moved = weights::load(plain_gen.clone(), config, named).expect("same shapes");
            f64::from(values(loss(&moved, &plain_judge, input.clone()))[0])
        };
        let step = 5e-4;
        let difference = (shifted(step) - shifted(-step)) / f64::from(2.0 * step);
        let found = f64::from(found[index]);
        // Float32 forward passes leave about 1e-4 of noise on the difference quotient.
        let tolerance = 2e-3 + 0.05 * difference.abs();
        assert!((found - difference).abs() < tolerance, "{mode:?} {index}: {found} {difference}");
        largest = largest.max(found.abs());
    }
    assert!(largest > 0.02, "gradients too small to tell from the tolerance: {largest}");
}

#[test]
fn weights_travel_under_the_reference_s_names() {
    let config = ModelConfig { ngf: 4, ..reference() };
    let named = weights::save(&generator(&config), &config);
    assert_eq!(named.len(), 48);
    for (name, shape) in [
        ("model.1.weight", vec![4, 3, 7, 7]),
        ("model.10.conv_block.1.weight", vec![16, 16, 3, 3]),
        ("model.18.conv_block.5.bias", vec![16]),
        // Transposed convolutions are (in, out, height, width), as PyTorch has them.
        ("model.19.weight", vec![16, 8, 3, 3]),
        ("model.22.weight", vec![8, 4, 3, 3]),
        ("model.26.bias", vec![3]),
    ] {
        assert_eq!(named[name].shape().to_vec(), shape, "{name}");
    }
    let patch = weights::save(&discriminator(&reference()), &reference());
    let names: Vec<&str> =
        patch.keys().map(String::as_str).filter(|n| n.ends_with("weight")).collect();
    assert_eq!(
        names,
        ["model.0", "model.11", "model.2", "model.5", "model.8"].map(|n| format!("{n}.weight"))
    );
}

#[test]
fn what_is_saved_loads_back_bit_for_bit() {
    let config = tiny();
    let first = weights::save(&generator(&config), &config);
    let bytes = weights::to_safetensors(&first, None).expect("serialises");
    let other =
        Generator::new(&config, &InitialWeights::new(2, Network::GenAb, 0.02, &Device::flex()));
    let read = weights::from_safetensors(&bytes).expect("reads back");
    let loaded = weights::load(other, &config, read).expect("fits");
    assert_eq!(weights::save(&loaded, &config), first);
}

#[test]
fn weights_that_do_not_fit_are_refused_with_the_list() {
    let check = |change: &dyn Fn(&mut weights::NamedTensors), expected: &str| {
        let config = tiny();
        let mut named = weights::save(&generator(&config), &config);
        change(&mut named);
        let error = weights::load(generator(&config), &config, named).expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(&|named| drop(named.remove("model.1.bias")), "missing tensor `model.1.bias` [4]");
    check(
        &|named| drop(named.insert("model.99.weight".into(), TensorData::from([1.0_f32]))),
        "surplus tensor `model.99.weight`",
    );
    check(
        &|named| drop(named.insert("model.1.bias".into(), TensorData::from([1.0_f32]))),
        "`model.1.bias` has shape [1], expected [4]",
    );
}

#[test]
fn running_statistics_of_old_files_are_dropped() {
    let config = tiny();
    let mut named = weights::save(&generator(&config), &config);
    named.insert("model.2.running_mean".into(), TensorData::from([0.0_f32; 4]));
    assert!(weights::load(generator(&config), &config, named).is_ok());
}

#[test]
fn every_configuration_has_a_name_for_every_weight() {
    let check = |config: ModelConfig| {
        let count = |names: Vec<(String, String)>| names.len();
        assert_eq!(
            weights::save(&generator(&config), &config).len(),
            count(Generator::names(&config))
        );
        let judge = discriminator(&config);
        assert_eq!(weights::save(&judge, &config).len(), count(Discriminator::names(&config)));
    };
    for norm in [NormKind::Instance, NormKind::InstanceAffine, NormKind::Batch, NormKind::None] {
        for upsample in [Upsample::Transpose, Upsample::Nearest, Upsample::Bilinear] {
            check(ModelConfig { upsample, norm, ..tiny() });
        }
        for discriminator in [DiscriminatorKind::Pixel, DiscriminatorKind::Image] {
            check(ModelConfig { discriminator, norm, ..tiny() });
        }
        for generator in [GeneratorKind::Unet128, GeneratorKind::Unet256] {
            check(ModelConfig { generator, norm, ngf: 1, ..tiny() });
        }
    }
}

/// Nobody else has an image that must not change an image's translation, batch norm apart.
#[test]
fn only_batch_norm_mixes_the_images_of_a_batch() {
    for norm in [NormKind::Instance, NormKind::InstanceAffine, NormKind::Batch, NormKind::None] {
        let generator = generator(&ModelConfig { norm, ..tiny() });
        let (one, other) = (picture(16), picture(16).neg().add_scalar(0.3));
        let alone = values(generator.forward(one.clone()));
        let both = generator.forward(Tensor::cat(vec![one, other], 0));
        let differs = values(both.narrow(0, 0, 1))
            .iter()
            .zip(alone)
            .any(|(beside, alone)| (beside - alone).abs() > 1e-5);
        assert_eq!(differs, generator.mixes_images(), "{norm:?}");
        assert_eq!(differs, norm == NormKind::Batch);
    }
}

/// Burn makes parameters on first use and shares that state between clones: `no_grad` on the
/// clone of a network that was never used would switch the network's own gradients off.
#[test]
fn no_parameter_waits_for_its_first_use() {
    struct Waiting(Vec<String>);
    impl ModuleVisitor for Waiting {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if !param.is_initialized() {
                self.0.push(param.id.to_string());
            }
        }
    }
    for norm in [NormKind::Instance, NormKind::InstanceAffine, NormKind::Batch] {
        for generator in [GeneratorKind::Resnet, GeneratorKind::Unet128] {
            let model = ModelConfig { norm, generator, ngf: 1, ..tiny() };
            let networks =
                CycleGan::new(&model, &RunConfig::reference().loss, 1, &Device::flex().autodiff());
            let mut waiting = Waiting(Vec::new());
            networks.visit(&mut waiting);
            assert!(waiting.0.is_empty(), "{norm:?} {generator:?}: {:?}", waiting.0);
        }
    }
}
