//! What image sizes and networks ask of each other.
//!
//! No norm can meet a single value, which PyTorch refuses and which would come out as 0 always:
//! the rules here and the bound on `data.crop_size` leave every normed feature map at least two
//! pixels wide. A test below holds them to it.

use super::{Problem, helped};
use crate::run_config::{DiscriminatorKind, GeneratorKind, RunConfig};

pub(super) fn problems(config: &RunConfig) -> impl Iterator<Item = Problem> {
    [images(config), halvings(config), patch_map(config)].into_iter().flatten()
}

fn images(config: &RunConfig) -> Option<Problem> {
    let (load, crop) = (config.data.load_size, config.data.crop_size);
    (load < crop).then(|| {
        helped(
            &["data.load_size", "data.crop_size"],
            format!("`data.load_size` ({load}) is smaller than `data.crop_size` ({crop})"),
            format!("images are resized to load_size and then cropped; upstream's ratio gives load_size {}", load_for(crop)),
        )
    })
}

/// Upstream's ratio of load size to crop size, 286 / 256, rounded half up.
pub(crate) fn load_for(crop_size: u32) -> u32 {
    let load = (u64::from(crop_size) * 286 * 2 + 256) / 512;
    u32::try_from(load).unwrap_or(u32::MAX)
}

/// A U-Net halves its image until nothing is left to halve.
fn halvings(config: &RunConfig) -> Option<Problem> {
    let (name, multiple) = match config.model.generator {
        GeneratorKind::Resnet => return None,
        GeneratorKind::Unet128 => ("unet-128", 128),
        GeneratorKind::Unet256 => ("unet-256", 256),
    };
    let crop = config.data.crop_size;
    (!crop.is_multiple_of(multiple)).then(|| {
        let fits = if crop.is_multiple_of(128) { "unet-128" } else { "resnet" };
        helped(
            &["model.generator", "data.crop_size"],
            format!("with `model.generator` {name:?}, `data.crop_size` must be a multiple of {multiple}, found {crop}"),
            format!("at {crop} px, write model.generator = {fits:?}"),
        )
    })
}

fn patch_map(config: &RunConfig) -> Option<Problem> {
    let (model, crop) = (&config.model, config.data.crop_size);
    let judges_patches =
        matches!(model.discriminator, DiscriminatorKind::Patch | DiscriminatorKind::Image);
    let empty = config.loss.gan && judges_patches && patch_side(crop, model.n_layers).is_none();
    empty.then(|| {
        let most = (1..=6).rev().find(|n| patch_side(crop, *n).is_some());
        let help = match most {
            Some(most) => format!("at {crop} px, `model.n_layers` can be at most {most}"),
            None => "use larger crops or `model.discriminator = \"pixel\"`".to_string(),
        };
        helped(
            &["model.n_layers", "data.crop_size", "model.discriminator"],
            format!(
                "a PatchGAN of {} stride-2 layers sees nothing at `data.crop_size` {crop}",
                model.n_layers
            ),
            help,
        )
    })
}

/// Side of the map of scores: stride-2 4×4 convolutions with padding 1, then
/// two of stride 1. `None` where nothing is left.
fn patch_side(crop_size: u32, n_layers: u32) -> Option<u32> {
    let halved = (0..n_layers).try_fold(crop_size, |side, _| Some(side.checked_sub(2)? / 2 + 1))?;
    halved.checked_sub(2).filter(|side| *side >= 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    #[test]
    fn patch_maps_have_the_known_sizes() {
        // 30×30 at 256 px is the paper's 70×70 PatchGAN.
        let check = |crop, n_layers, expected| assert_eq!(patch_side(crop, n_layers), expected);
        check(256, 3, Some(30));
        check(128, 3, Some(14));
        check(32, 3, Some(2));
        check(24, 3, Some(1));
        check(16, 3, None);
        check(8, 6, None);
        check(256, 6, Some(2));
    }

    #[test]
    fn load_size_keeps_upstreams_ratio() {
        let check = |crop, expected| assert_eq!(load_for(crop), expected);
        check(256, 286);
        check(128, 143);
        check(64, 72);
        check(u32::MAX, u32::MAX);
    }

    fn with_crop(crop: u32) -> RunConfig {
        let mut config = RunConfig::reference();
        (config.data.crop_size, config.data.load_size) = (crop, crop);
        config
    }

    #[test]
    fn the_help_names_a_generator_that_fits() {
        let check = |generator, crop, expected: Option<&str>| {
            let mut config = with_crop(crop);
            config.model.generator = generator;
            let help = problems(&config).next().and_then(|it| it.help);
            let help = help.as_deref();
            match expected {
                None => assert_eq!(help, None, "{generator:?} at {crop}"),
                Some(name) => assert!(help.is_some_and(|it| it.contains(name)), "{help:?}"),
            }
        };
        check(GeneratorKind::Unet128, 128, None);
        check(GeneratorKind::Unet128, 256, None);
        check(GeneratorKind::Unet128, 384, None);
        check(GeneratorKind::Unet256, 256, None);
        check(GeneratorKind::Unet256, 512, None);
        check(GeneratorKind::Unet256, 128, Some("\"unet-128\""));
        check(GeneratorKind::Unet256, 384, Some("\"unet-128\""));
        check(GeneratorKind::Unet256, 64, Some("\"resnet\""));
        check(GeneratorKind::Unet128, 192, Some("\"resnet\""));
    }

    #[test]
    fn judges_that_do_not_exist_need_no_patches() {
        let check = |change: fn(&mut RunConfig), found: usize| {
            let mut config = with_crop(8);
            change(&mut config);
            assert_eq!(problems(&config).count(), found);
        };
        check(|_| (), 1);
        check(|c| c.model.discriminator = DiscriminatorKind::Image, 1);
        check(|c| c.model.discriminator = DiscriminatorKind::Pixel, 0);
        check(|c| c.loss.gan = false, 0);
    }

    /// Sides of all feature maps that a norm follows.
    fn normed_sides(config: &RunConfig) -> Vec<u32> {
        let crop = config.data.crop_size;
        let halved = |times: u32| crop >> times;
        // Up-sampling meets the same sides again.
        let mut sides: Vec<u32> = match config.model.generator {
            GeneratorKind::Resnet => (0..=2).map(halved).collect(),
            // The last halving has no norm.
            GeneratorKind::Unet128 => (1..7).map(halved).collect(),
            GeneratorKind::Unet256 => (1..8).map(halved).collect(),
        };
        match config.model.discriminator {
            DiscriminatorKind::Pixel => sides.push(crop),
            DiscriminatorKind::Patch | DiscriminatorKind::Image => {
                // The first layer has no norm, the one of stride 1 has.
                sides.extend((2..=config.model.n_layers).map(halved));
                sides.push(halved(config.model.n_layers).saturating_sub(1));
            }
        }
        sides
    }

    #[test]
    fn no_norm_meets_a_single_pixel() {
        let generators = [GeneratorKind::Resnet, GeneratorKind::Unet128, GeneratorKind::Unet256];
        let judges = [DiscriminatorKind::Patch, DiscriminatorKind::Pixel, DiscriminatorKind::Image];
        let mut smallest = u32::MAX;
        for crop in 1..=600 {
            for (generator, judge) in
                generators.into_iter().flat_map(|it| judges.map(|judge| (it, judge)))
            {
                for n_layers in 1..=6 {
                    let mut config = with_crop(crop);
                    config.model.generator = generator;
                    config.model.discriminator = judge;
                    config.model.n_layers = n_layers;
                    if check::problems(&config).is_empty() {
                        let sides = normed_sides(&config);
                        let least = sides.into_iter().min().expect("every network has a norm");
                        assert!(least >= 2, "{generator:?} {judge:?} {n_layers} at {crop} px");
                        smallest = smallest.min(least);
                    }
                }
            }
        }
        assert_eq!(smallest, 2, "the test reaches the edge");
    }
}
