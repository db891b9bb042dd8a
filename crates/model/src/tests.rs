use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use spec::{DiscriminatorKind, GanMode, ModelConfig, NormKind, Padding, RunConfig, Upsample};

use crate::weights::{self, UpstreamKeys};
use crate::{CycleGan, Discriminator, InitialWeights, Network, ResnetGenerator, gan_loss};

fn reference() -> ModelConfig {
    RunConfig::reference().model
}

/// The smallest networks with every part in them.
fn tiny() -> ModelConfig {
    ModelConfig { ngf: 4, ndf: 4, n_blocks: 2, n_layers: 2, ..reference() }
}

fn generator(config: &ModelConfig) -> ResnetGenerator {
    let device = Device::flex();
    ResnetGenerator::new(config, &InitialWeights::new(1, Network::GenAb, 0.02, &device))
}

fn discriminator(config: &ModelConfig) -> Discriminator {
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
    let block = named["blocks.0.first.weight"].as_slice::<f32>().expect("float32");
    let n = block.len() as f64;
    let mean = block.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let sd = (block.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n).sqrt();
    assert!(mean.abs() < 4.0 * 0.02 / n.sqrt(), "mean {mean}");
    assert!((sd / 0.02 - 1.0).abs() < 0.02, "standard deviation {sd}");
    assert!(named["stem.bias"].as_slice::<f32>().expect("float32").iter().all(|&v| v == 0.0));
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
    let stem = |g: &ResnetGenerator| weights::collect(g)["stem.weight"].clone();
    let (one, again, two) = (run(1), run(1), run(2));
    assert_eq!(stem(&one.gen_ab), stem(&again.gen_ab));
    assert_ne!(stem(&one.gen_ab), stem(&two.gen_ab));
    assert_ne!(stem(&one.gen_ab), stem(&one.gen_ba));
}

#[test]
fn gan_losses_by_hand() {
    let scores = || Tensor::<4>::from_data([[[[0.0_f32, 2.0], [-1.0, 1.0]]]], &Device::flex());
    let check = |mode, real, expected: f64| {
        let found = f64::from(values(gan_loss(mode, scores(), real))[0]);
        assert!((found - expected).abs() < 1e-6, "{mode:?} {real}: {found}, expected {expected}");
    };
    check(GanMode::Lsgan, true, (1.0 + 1.0 + 4.0 + 0.0) / 4.0);
    check(GanMode::Lsgan, false, (0.0 + 4.0 + 1.0 + 1.0) / 4.0);
    let softplus = |z: f64| (1.0 + z.exp()).ln();
    check(GanMode::Vanilla, true, [0.0, -2.0, 1.0, -1.0].map(softplus).iter().sum::<f64>() / 4.0);
    check(GanMode::Vanilla, false, [0.0, 2.0, -1.0, 1.0].map(softplus).iter().sum::<f64>() / 4.0);
}

#[test]
fn log_loss_stays_finite_for_extreme_scores() {
    let scores = Tensor::<4>::from_data([[[[1e4_f32, -1e4]]]], &Device::flex());
    assert_eq!(values(gan_loss(GanMode::Vanilla, scores, true)), [5e3]);
}

/// Central differences of the whole generator-discriminator chain against autodiff, for a few
/// weights: padding, norm, transposed convolution and both losses take part.
#[test]
fn gradients_agree_with_finite_differences() {
    for (mode, upsample) in
        [(GanMode::Lsgan, Upsample::Transpose), (GanMode::Vanilla, Upsample::Nearest)]
    {
        check_gradients(mode, &ModelConfig { upsample, ..tiny() });
    }
}

fn check_gradients(mode: GanMode, config: &ModelConfig) {
    let device = Device::flex().autodiff();
    // Larger weights than the reference's, so that float32 differences stand out of the rounding.
    let weights_of = |network| InitialWeights::new(3, network, 0.15, &device);
    let gen_ab = ResnetGenerator::new(config, &weights_of(Network::GenAb));
    let judge = Discriminator::new(config, &weights_of(Network::DiscB));
    let input = picture(16);
    let loss = |generator: &ResnetGenerator, judge: &Discriminator, input: Tensor<4>| {
        gan_loss(mode, judge.forward(generator.forward(input)), true)
    };

    let probe = gen_ab.first_weight();
    let tracked = input.clone().to_device(&device);
    let grads = loss(&gen_ab, &judge, tracked).backward();
    let gradient = values(probe.grad(&grads).expect("the stem takes part"));

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
        let step = 2e-3;
        let difference = (shifted(step) - shifted(-step)) / f64::from(2.0 * step);
        let found = f64::from(gradient[index]);
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
    let bytes = weights::to_safetensors(&first).expect("serialises");
    let other = ResnetGenerator::new(
        &config,
        &InitialWeights::new(2, Network::GenAb, 0.02, &Device::flex()),
    );
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
    check(&|named| drop(named.remove("model.1.bias")), "missing tensor for `stem.bias`");
    check(
        &|named| drop(named.insert("model.99.weight".into(), TensorData::from([1.0_f32]))),
        "surplus tensor `model.99.weight`",
    );
    check(
        &|named| drop(named.insert("model.1.bias".into(), TensorData::from([1.0_f32]))),
        "`stem.bias` has shape [1], expected [4]",
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
    for upsample in [Upsample::Transpose, Upsample::Nearest, Upsample::Bilinear] {
        let config = ModelConfig { upsample, ..tiny() };
        let keys = ResnetGenerator::convolutions(&config).len();
        assert_eq!(weights::save(&generator(&config), &config).len(), 2 * keys);
    }
}
