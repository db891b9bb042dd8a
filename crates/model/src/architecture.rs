//! Which network a file of weights belongs to, from the names and shapes in it alone.
//!
//! A published file says nothing about itself. Every generator that can be built here is compared
//! by its tensors' names, and the one that fits best is it, so that a file with a tensor missing
//! is still recognised and told what is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use burn::tensor::Device;
use spec::{GeneratorKind, ModelConfig, NormKind, Padding, RunConfig, Upsample};

use crate::generator::Generator;
use crate::init::InitialWeights;
use crate::parameters::shapes;
use crate::upstream_names::UpstreamNames;
use crate::weights::{NamedTensors, WeightsError, is_statistic};

/// Files that are known, and known not to be a plain generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    Optimizer,
    DataParallel,
    CutProjection,
    CutAntialiased,
    MmGeneration,
    PatchDiscriminator,
    PixelDiscriminator,
    DropoutShifted,
    WithoutNormAndBias,
    BiasedBatchNorm,
    Nested,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Layout::Optimizer => "an optimizer's state, not a network's",
            Layout::DataParallel => {
                "saved from inside `DataParallel`: every name begins with `module.`; \
                 save `net.module.state_dict()` instead"
            }
            Layout::CutProjection => {
                "the second of CUT's two files, the projections of its contrastive loss (`mlp_…`, \
                 `latest_net_F.pth`); the generator is in the other, `latest_net_G.pth`"
            }
            Layout::CutAntialiased => {
                "a generator of CUT with anti-aliased sampling (its `filt` tensors), another \
                 network; CUT's `--no_antialias --no_antialias_up` trains the plain one"
            }
            Layout::MmGeneration => {
                "from MMGeneration (its names end in `.conv.weight`), which numbers layers otherwise"
            }
            Layout::PatchDiscriminator => "a discriminator, not a generator",
            Layout::PixelDiscriminator => "a pixel discriminator, not a generator",
            Layout::DropoutShifted => {
                "a residual generator trained with dropout: the second convolution of its blocks \
                 is called `conv_block.6`, without dropout `conv_block.5`"
            }
            Layout::WithoutNormAndBias => {
                "a generator of upstream's `--norm none`, whose convolutions have no bias; \
                 those of `norm = \"none\"` here have one"
            }
            Layout::BiasedBatchNorm => {
                "a generator with batch norm after convolutions that have a bias, as upstream's \
                 until August 2017; that network is not built here"
            }
            Layout::Nested => {
                "a dictionary with a generator's state dict inside; save the inner one by itself"
            }
        })
    }
}

impl Layout {
    /// What a file is when it is none of our generators, and the shifted names of dropout.
    fn recognise(tensors: &NamedTensors) -> Option<Layout> {
        let any = |test: &dyn Fn(&str) -> bool| tensors.keys().any(|name| test(name));
        let is_conv = |name: &str| tensors.get(name).is_some_and(|it| it.shape().len() == 4);
        let convs = tensors.keys().filter(|name| is_conv(name)).count();
        let vectors = tensors.iter().filter(|(name, it)| {
            name.ends_with(".bias") || (name.ends_with(".weight") && it.shape().len() == 1)
        });
        let all_begin_with = |it| !tensors.is_empty() && tensors.keys().all(|n| n.starts_with(it));
        let is_moment = |name: &String| name.ends_with(".m1") || name.ends_with(".m2");
        let all_moments = !tensors.is_empty() && tensors.keys().all(is_moment);
        // PyTorch's, or of a checkpoint of this program.
        if all_begin_with("state.") || all_moments {
            Some(Layout::Optimizer)
        } else if all_begin_with("module.") {
            Some(Layout::DataParallel)
        } else if any(&|name| name.starts_with("mlp_")) {
            Some(Layout::CutProjection)
        } else if any(&|name| name.ends_with(".filt")) {
            Some(Layout::CutAntialiased)
        } else if any(&|name| name.ends_with(".conv.weight")) {
            Some(Layout::MmGeneration)
        } else if is_conv("model.0.weight") {
            Some(Layout::PatchDiscriminator)
        } else if is_conv("net.0.weight") {
            Some(Layout::PixelDiscriminator)
        } else if any(&|name| name.ends_with("conv_block.6.weight") && is_conv(name)) {
            Some(Layout::DropoutShifted)
        } else if convs >= 6 && vectors.count() <= 1 {
            // The last convolution always has its bias.
            Some(Layout::WithoutNormAndBias)
        } else {
            None
        }
    }

    fn is_discriminator(self) -> bool {
        matches!(self, Layout::PatchDiscriminator | Layout::PixelDiscriminator)
    }
}

/// The generator that these tensors are of; what is no part of its shape is the reference's.
///
/// Norms without parameters leave no trace: `instance` is assumed, not `none`. So do nearest
/// neighbours (`bilinear` is assumed, as in upstream's FAQ), replicated padding and the dropout's
/// rate. Nothing is computed on `device`: networks are made there for their shapes.
///
/// # Errors
/// `NoTensors`, `Foreign`, `Unknown`. A file that is nearly right is no error here: loading it
/// names what is wrong.
pub fn infer_generator(
    tensors: &NamedTensors,
    device: &Device,
) -> Result<ModelConfig, WeightsError> {
    let found: BTreeSet<&str> =
        tensors.keys().map(String::as_str).filter(|name| !is_statistic(name)).collect();
    if found.is_empty() {
        return Err(WeightsError::NoTensors);
    }
    let foreign = Layout::recognise(tensors).filter(|&it| it != Layout::DropoutShifted);
    if let Some(layout) = foreign {
        return Err(WeightsError::Foreign { layout });
    }
    let known = candidates().map(|config| {
        let names = names_of(&config);
        let shared = names.iter().filter(|name| found.contains(name.as_str())).count();
        (names.len() + found.len() - 2 * shared, shared, config)
    });
    let (apart, shared, config) = known.min_by_key(|it| it.0).expect("generators can be built");
    if apart > shared {
        if inner_dictionaries(tensors).iter().any(|inner| holds_a_generator(inner, device)) {
            return Err(WeightsError::Foreign { layout: Layout::Nested });
        }
        let names = found.into_iter().map(|name| format!("`{name}`")).collect();
        return Err(WeightsError::Unknown { names });
    }
    let has_statistics = tensors.keys().any(|name| is_statistic(name));
    if config.norm == NormKind::InstanceAffine && has_statistics {
        return Err(WeightsError::Foreign { layout: Layout::BiasedBatchNorm });
    }
    let ngf = width(tensors, &config, device).unwrap_or(config.ngf);
    Ok(ModelConfig { ngf, ..config })
}

/// What a file that does not fit looks like, unless it is just what was expected but for the
/// tensors that are wrong.
pub(crate) fn hint(
    tensors: &NamedTensors,
    expected: &[(String, String)],
    config: &ModelConfig,
    device: &Device,
) -> Option<String> {
    if let Some(layout) = Layout::recognise(tensors) {
        let shares_the_first = expected.first().is_some_and(|(_, it)| tensors.contains_key(it));
        return (!layout.is_discriminator() || !shares_the_first).then(|| layout.to_string());
    }
    let found = infer_generator(tensors, device).ok()?;
    let expected: Vec<&str> = expected.iter().map(|(_, theirs)| theirs.as_str()).collect();
    let same_names = names_of(&found) == expected;
    (!same_names || found.ngf != config.ngf).then(|| in_words(&found))
}

/// Every generator whose tensors have names of their own, the plain ones first.
fn candidates() -> impl Iterator<Item = ModelConfig> {
    let reference = RunConfig::reference().model;
    let norms = [NormKind::Instance, NormKind::InstanceAffine, NormKind::Batch];
    let with_norms = move |config: ModelConfig| {
        norms.into_iter().map(move |norm| ModelConfig { norm, ..config.clone() })
    };
    let mut shapes = Vec::new();
    for n_blocks in 0..=16 {
        for upsample in [Upsample::Transpose, Upsample::Bilinear] {
            for dropout in [0.0, 0.5] {
                for padding in [Padding::Reflect, Padding::Zero] {
                    let known = ModelConfig { n_blocks, upsample, dropout, ..reference.clone() };
                    shapes.push(ModelConfig { padding, ..known });
                }
            }
        }
    }
    for generator in [GeneratorKind::Unet128, GeneratorKind::Unet256] {
        shapes.push(ModelConfig { generator, ..reference.clone() });
    }
    shapes.into_iter().flat_map(with_norms)
}

fn names_of(config: &ModelConfig) -> Vec<String> {
    Generator::names(config).into_iter().map(|(_, theirs)| theirs).collect()
}

/// The tensors by the first part of their names, which is gone from these.
fn inner_dictionaries(tensors: &NamedTensors) -> Vec<NamedTensors> {
    let mut inner = BTreeMap::<&str, NamedTensors>::new();
    for (name, tensor) in tensors {
        if let Some((first, rest)) = name.split_once('.') {
            inner.entry(first).or_default().insert(rest.to_string(), tensor.clone());
        }
    }
    inner.into_values().collect()
}

/// Also one that is wrapped once more.
fn holds_a_generator(tensors: &NamedTensors, device: &Device) -> bool {
    use Layout::{DataParallel, Nested};
    match infer_generator(tensors, device) {
        Ok(_) => true,
        Err(WeightsError::Foreign { layout }) => matches!(layout, DataParallel | Nested),
        Err(_) => false,
    }
}

/// The `ngf` with which most tensors have the shape they should, so that one wrong tensor is one
/// wrong tensor.
fn width(tensors: &NamedTensors, config: &ModelConfig, device: &Device) -> Option<u32> {
    let shapes_at = |ngf| {
        let undrawn = InitialWeights::undrawn(device);
        let mut own = shapes(&Generator::new(&ModelConfig { ngf, ..config.clone() }, &undrawn));
        let names = Generator::names(config).into_iter();
        names.map(move |(ours, theirs)| (theirs, own.remove(&ours).expect("a name a parameter")))
    };
    let mut votes = BTreeMap::<usize, usize>::new();
    // A dimension that is twice as long for twice the ngf counts channels of its.
    for ((name, one), (_, two)) in shapes_at(1).zip(shapes_at(2)) {
        let Some(found) = tensors.get(&name).map(|it| it.shape().to_vec()) else { continue };
        let grows = |d: &usize| one[*d] != two[*d];
        let Some(d) = (0..one.len()).find(grows).filter(|_| found.len() == one.len()) else {
            continue;
        };
        let ngf = found[d] / one[d];
        let at_ngf = |d: usize| if grows(&d) { one[d] * ngf } else { one[d] };
        if ngf > 0 && (0..one.len()).all(|d| found[d] == at_ngf(d)) {
            *votes.entry(ngf).or_default() += 1;
        }
    }
    let (ngf, _) = votes.into_iter().max_by_key(|&(_, votes)| votes)?;
    u32::try_from(ngf).ok()
}

/// A generator as [`infer_generator`] gives it, in words, and what of it is assumed because
/// tensors do not tell.
pub fn taken_as(config: &ModelConfig) -> String {
    let mut assumed = Vec::new();
    if config.norm == NormKind::Instance {
        assumed.push("instance norm");
    }
    match config.generator {
        // Zeros inside the blocks shift names.
        GeneratorKind::Resnet if config.padding == Padding::Zero => {
            assumed.push("zeros around the first and the last convolution, too")
        }
        GeneratorKind::Resnet => assumed.push("reflection padding"),
        // In a residual generator it shifts names.
        GeneratorKind::Unet128 | GeneratorKind::Unet256 => assumed.push("no dropout"),
    }
    if config.generator == GeneratorKind::Resnet && config.upsample != Upsample::Transpose {
        assumed.push("bilinear up-sampling");
    }
    format!("{}; assumed, as tensors do not tell: {}", in_words(config), assumed.join(", "))
}

fn in_words(config: &ModelConfig) -> String {
    let blocks = match config.n_blocks {
        1 => "1 block".to_string(),
        n => format!("{n} blocks"),
    };
    let kind = match (config.generator, config.upsample) {
        (GeneratorKind::Resnet, Upsample::Transpose) => format!("a residual generator of {blocks}"),
        (GeneratorKind::Resnet, _) => {
            format!("a residual generator of {blocks} that interpolates on the way up")
        }
        (GeneratorKind::Unet128, _) => "a U-Net generator of 7 halvings".to_string(),
        (GeneratorKind::Unet256, _) => "a U-Net generator of 8 halvings".to_string(),
    };
    let norm = match config.norm {
        NormKind::Instance => "norms without parameters",
        NormKind::InstanceAffine => "affine instance norms",
        NormKind::Batch => "batch norms",
        NormKind::None => "no norms",
    };
    format!("{kind}, ngf {}, {norm}", config.ngf)
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::weights::save;
    use crate::{Discriminator, Network};

    fn tiny() -> ModelConfig {
        ModelConfig { ngf: 2, n_blocks: 1, ..RunConfig::reference().model }
    }

    fn tensors(config: &ModelConfig) -> NamedTensors {
        let device = Device::flex();
        let weights = InitialWeights::new(1, Network::GenAb, 0.02, &device);
        save(&Generator::new(config, &weights), config)
    }

    fn renamed(tensors: NamedTensors, name: impl Fn(&str) -> String) -> NamedTensors {
        tensors.into_iter().map(|(old, tensor)| (name(&old), tensor)).collect()
    }

    #[test]
    fn every_generator_is_recognised_by_its_names() {
        let check = |config: ModelConfig| {
            assert_eq!(infer_generator(&tensors(&config), &Device::flex()).expect("known"), config);
        };
        for norm in [NormKind::Instance, NormKind::InstanceAffine, NormKind::Batch] {
            for n_blocks in [0, 1, 3, 9] {
                check(ModelConfig { n_blocks, norm, ..tiny() });
            }
            check(ModelConfig { upsample: Upsample::Bilinear, norm, ..tiny() });
            check(ModelConfig { dropout: 0.5, norm, ..tiny() });
            check(ModelConfig { padding: Padding::Zero, norm, ..tiny() });
            let n_blocks = RunConfig::reference().model.n_blocks;
            let unet = ModelConfig { n_blocks, norm, ..tiny() };
            check(ModelConfig { generator: GeneratorKind::Unet128, ..unet.clone() });
            check(ModelConfig { generator: GeneratorKind::Unet256, ..unet });
        }
        check(ModelConfig { ngf: 5, ..tiny() });
    }

    /// The rest is compared with the width that the rest has.
    #[test]
    fn one_wrong_layer_does_not_change_the_width() {
        let check = |change: &dyn Fn(&mut NamedTensors)| {
            let mut tensors = tensors(&tiny());
            change(&mut tensors);
            assert_eq!(infer_generator(&tensors, &Device::flex()).expect("known"), tiny());
        };
        let bias = |n: usize| TensorData::zeros::<f32, _>([n]);
        check(&|tensors| drop(tensors.insert("model.1.bias".into(), bias(1))));
        check(&|tensors| drop(tensors.insert("model.1.bias".into(), bias(30_000))));
        check(&|tensors| tensors.retain(|name, _| !name.starts_with("model.1.")));
    }

    #[test]
    fn what_leaves_no_trace_is_assumed() {
        let check = |config: ModelConfig, assumed: ModelConfig| {
            assert_eq!(
                infer_generator(&tensors(&config), &Device::flex()).expect("known"),
                assumed
            );
        };
        check(ModelConfig { norm: NormKind::None, ..tiny() }, tiny());
        check(
            ModelConfig { upsample: Upsample::Nearest, ..tiny() },
            ModelConfig { upsample: Upsample::Bilinear, ..tiny() },
        );
    }

    #[test]
    fn what_is_assumed_is_said() {
        let check = |config: ModelConfig, assumed: &str| {
            let words = taken_as(&config);
            let (_, found) = words.split_once("do not tell: ").expect("always something");
            assert_eq!(found, assumed, "{words}");
        };
        check(tiny(), "instance norm, reflection padding");
        let resized = ModelConfig { upsample: Upsample::Bilinear, ..tiny() };
        check(resized, "instance norm, reflection padding, bilinear up-sampling");
        check(ModelConfig { norm: NormKind::Batch, ..tiny() }, "reflection padding");
        let unet = ModelConfig { generator: GeneratorKind::Unet128, ..tiny() };
        check(ModelConfig { norm: NormKind::Batch, ..unet }, "no dropout");
    }

    #[test]
    fn running_statistics_tell_batch_norm_from_none_and_from_the_old_one() {
        let with_statistics = |config: &ModelConfig| {
            let mut tensors = tensors(config);
            for name in ["running_mean", "running_var"] {
                tensors.insert(format!("model.2.{name}"), TensorData::from([0.0_f32; 2]));
            }
            infer_generator(&tensors, &Device::flex())
        };
        // As saved by upstream between June and October 2018.
        assert_eq!(with_statistics(&tiny()).expect("known"), tiny());
        let batch = ModelConfig { norm: NormKind::Batch, ..tiny() };
        assert_eq!(with_statistics(&batch).expect("known"), batch);
        let affine = ModelConfig { norm: NormKind::InstanceAffine, ..tiny() };
        let error = with_statistics(&affine).expect_err("neither").to_string();
        assert!(error.contains("August 2017"), "{error}");
    }

    #[test]
    fn a_file_that_is_nearly_right_is_recognised() {
        for lost in ["model.1.weight", "model.10.conv_block.5.weight", "model.20.bias"] {
            let config = ModelConfig { n_blocks: 3, ..tiny() };
            let mut tensors = tensors(&config);
            tensors.remove(lost);
            tensors.insert("model.99.conv_block.1.weight".into(), TensorData::from([0.0_f32]));
            assert_eq!(
                infer_generator(&tensors, &Device::flex()).expect("known"),
                config,
                "without {lost}"
            );
        }
    }

    #[test]
    fn foreign_files_are_named() {
        let check = |tensors: NamedTensors, expected: Layout, words: &str| {
            let error = infer_generator(&tensors, &Device::flex()).expect_err(words);
            assert!(
                matches!(error, WeightsError::Foreign { layout } if layout == expected),
                "{error}"
            );
            assert!(error.to_string().contains(words), "{error} lacks {words}");
        };
        let plain = || tensors(&tiny());
        let with = |name: &str, shape: [usize; 4]| {
            let values = vec![0.0_f32; shape.iter().product()];
            let mut tensors = plain();
            tensors.insert(name.into(), TensorData::new(values, shape));
            tensors
        };
        check(renamed(plain(), |it| format!("module.{it}")), Layout::DataParallel, "`module.`");
        check(with("model.7.filt", [4, 1, 3, 3]), Layout::CutAntialiased, "anti-aliased");
        let projection = ["mlp_0.0.weight", "mlp_0.0.bias", "mlp_1.0.weight"];
        let projection = projection.map(|it| (it.to_string(), TensorData::from([0.0_f32])));
        check(projection.into(), Layout::CutProjection, "latest_net_F.pth");
        let mm = renamed(plain(), |it| it.replace(".weight", ".conv.weight"));
        check(mm, Layout::MmGeneration, "MMGeneration");
        let moments = renamed(plain(), |it| format!("state.{it}.exp_avg"));
        check(moments, Layout::Optimizer, "optimizer");
        let own = ["gen.head.weight.m1", "gen.head.weight.m2"];
        let own = own.map(|it| (it.to_string(), TensorData::from([0.0_f32])));
        check(own.into(), Layout::Optimizer, "optimizer");
        let mut all = renamed(plain(), |it| format!("netG_A.{it}"));
        all.extend(renamed(plain(), |it| format!("optimizer.state.{it}.exp_avg")));
        check(all, Layout::Nested, "inside");
        let mut unbiased = plain();
        unbiased.retain(|name, _| name.ends_with(".weight") || name == "model.18.bias");
        check(unbiased, Layout::WithoutNormAndBias, "--norm none");

        let device = Device::flex();
        let weights = InitialWeights::new(1, Network::DiscA, 0.02, &device);
        let judge = |config: &ModelConfig| save(&Discriminator::new(config, &weights), config);
        let patch = ModelConfig { ndf: 2, ..tiny() };
        check(judge(&patch), Layout::PatchDiscriminator, "a discriminator");
        let pixel = ModelConfig { discriminator: spec::DiscriminatorKind::Pixel, ..patch };
        check(judge(&pixel), Layout::PixelDiscriminator, "pixel discriminator");
    }

    #[test]
    fn dropout_is_recognised_and_so_is_its_shift() {
        let tensors = tensors(&ModelConfig { dropout: 0.5, ..tiny() });
        assert_eq!(Layout::recognise(&tensors), Some(Layout::DropoutShifted));
        // A plain block's second norm has the same name as the shifted convolution.
        let affine = ModelConfig { norm: NormKind::InstanceAffine, ..tiny() };
        assert_eq!(Layout::recognise(&self::tensors(&affine)), None);
    }

    #[test]
    fn strangers_are_refused_by_their_names() {
        let stranger = ["encoder.0.weight", "encoder.0.bias", "decoder.weight"];
        let stranger = stranger.map(|it| (it.to_string(), TensorData::from([0.0_f32])));
        let error =
            infer_generator(&stranger.into(), &Device::flex()).expect_err("unknown").to_string();
        assert!(error.contains("`encoder.0.bias`"), "{error}");
        assert!(matches!(
            infer_generator(&NamedTensors::new(), &Device::flex()),
            Err(WeightsError::NoTensors)
        ));
    }
}
