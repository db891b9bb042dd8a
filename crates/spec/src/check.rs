//! Which resolved configurations make sense: ranges per leaf, then rules across leaves.

use serde_json::Value as Json;

use crate::leaf;
use crate::run_config::{DiscriminatorKind, RunConfig};

/// A range of one leaf. `wanted` completes "expected …, found …".
struct Bound {
    leaf: &'static str,
    wanted: &'static str,
    holds: fn(f64) -> bool,
}

const fn bound(leaf: &'static str, wanted: &'static str, holds: fn(f64) -> bool) -> Bound {
    Bound { leaf, wanted, holds }
}

const AT_LEAST_ONE: &str = "a whole number ≥ 1";
const NOT_NEGATIVE: &str = "a number ≥ 0";
const POSITIVE: &str = "a number > 0";
const BELOW_ONE: &str = "a number ≥ 0 and < 1";
const STEPS: &str = "a whole number up to 10^15";

/// Far beyond any training; sums of two stay exact in an f64, and TOML can write them.
fn is_steps(steps: f64) -> bool {
    steps <= 1e15
}

/// Ranges that one leaf breaks alone. Sources: `run_config.rs`, leaf by leaf.
const BOUNDS: [Bound; 24] = [
    // Two stride-2 layers halve the crop exactly; reflection by one pixel needs two at the bottleneck.
    bound("data.crop_size", "a multiple of 4, at least 8", |v| v >= 8.0 && v % 4.0 == 0.0),
    bound("data.batch_size", AT_LEAST_ONE, |v| v >= 1.0),
    bound("model.ngf", AT_LEAST_ONE, |v| v >= 1.0),
    bound("model.n_blocks", "a whole number from 0 to 16", |v| v <= 16.0),
    bound("model.dropout", BELOW_ONE, |v| (0.0..1.0).contains(&v)),
    bound("model.ndf", AT_LEAST_ONE, |v| v >= 1.0),
    bound("model.n_layers", "a whole number from 1 to 6", |v| (1.0..=6.0).contains(&v)),
    bound("model.init_gain", POSITIVE, |v| v > 0.0),
    bound("loss.lambda_cycle", NOT_NEGATIVE, |v| v >= 0.0),
    bound("loss.lambda_identity", NOT_NEGATIVE, |v| v >= 0.0),
    bound("loss.d_factor", NOT_NEGATIVE, |v| v >= 0.0),
    bound("pool.swap_probability", "a number from 0 to 1", |v| (0.0..=1.0).contains(&v)),
    bound("optim.lr_g", POSITIVE, |v| v > 0.0),
    bound("optim.lr_d", POSITIVE, |v| v > 0.0),
    bound("optim.beta_1", BELOW_ONE, |v| (0.0..1.0).contains(&v)),
    bound("optim.beta_2", BELOW_ONE, |v| (0.0..1.0).contains(&v)),
    bound("optim.epsilon", POSITIVE, |v| v > 0.0),
    bound("optim.d_steps", AT_LEAST_ONE, |v| v >= 1.0),
    bound("train.steps", STEPS, is_steps),
    bound("train.steps_decay", STEPS, is_steps),
    bound("train.log_every", "a whole number from 1 to 10^15", |v| v >= 1.0 && is_steps(v)),
    bound("train.checkpoint_every", STEPS, is_steps),
    bound("train.sample_every", STEPS, is_steps),
    bound("eval.every", STEPS, is_steps),
];

/// What a leaf takes, for messages, where its type alone says too little.
pub(crate) fn wanted(leaf: &str) -> Option<&'static str> {
    BOUNDS.iter().find(|bound| bound.leaf == leaf).map(|bound| bound.wanted)
}

/// One thing wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Leaves that take part; whoever set one of them last is to blame.
    pub(crate) leaves: Vec<&'static str>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

fn problem(leaves: &[&'static str], message: impl Into<String>) -> Problem {
    Problem { leaves: leaves.to_vec(), message: message.into(), help: None }
}

fn helped(leaves: &[&'static str], message: impl Into<String>, help: impl Into<String>) -> Problem {
    Problem { help: Some(help.into()), ..problem(leaves, message) }
}

/// Everything wrong with one resolved configuration.
pub(crate) fn problems(config: &RunConfig) -> Vec<Problem> {
    let mut found = out_of_range(config);
    let broken: Vec<&str> = found.iter().flat_map(|problem| problem.leaves.clone()).collect();
    // A leaf out of its own range would break the rules across leaves as well.
    found.extend(
        across(config).into_iter().filter(|it| !it.leaves.iter().any(|leaf| broken.contains(leaf))),
    );
    found
}

fn out_of_range(config: &RunConfig) -> Vec<Problem> {
    let tree = leaf::tree(config);
    let mut found = Vec::new();
    for bound in &BOUNDS {
        let value = leaf::get(&tree, bound.leaf).unwrap_or(&Json::Null);
        if value.as_f64().is_some_and(|value| !(bound.holds)(value)) {
            let message =
                format!("`{}`: expected {}, found {}", bound.leaf, bound.wanted, leaf::show(value));
            found.push(problem(&[bound.leaf], message));
        }
    }
    found
}

fn across(config: &RunConfig) -> Vec<Problem> {
    [images(config), patch_map(config), objective(config), length(config)]
        .into_iter()
        .flatten()
        .collect()
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

fn patch_map(config: &RunConfig) -> Option<Problem> {
    let (model, crop) = (&config.model, config.data.crop_size);
    let empty = model.discriminator == DiscriminatorKind::Patch
        && patch_side(crop, model.n_layers).is_none_or(|side| side < 1);
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

fn objective(config: &RunConfig) -> Option<Problem> {
    let loss = &config.loss;
    let on = loss.gan
        || loss.weight_cycle_a().is_some()
        || loss.weight_cycle_b().is_some()
        || loss.weight_identity().is_some();
    (!on).then(|| {
        helped(
            &["loss.gan", "loss.lambda_cycle", "loss.cycle", "loss.lambda_identity"],
            "every term of the objective is switched off: there is nothing to train",
            "keep `loss.gan`, a cycle term or the identity term",
        )
    })
}

fn length(config: &RunConfig) -> Option<Problem> {
    let train = &config.train;
    let total = train.steps.map_or_else(
        || u128::from(train.n_epochs.unwrap_or(0)) + u128::from(train.n_epochs_decay.unwrap_or(0)),
        |steps| u128::from(steps) + u128::from(train.steps_decay.unwrap_or(0)),
    );
    (total == 0 && (train.steps.is_some() || train.n_epochs.is_some())).then(|| {
        problem(
            &["train.steps", "train.steps_decay", "train.n_epochs", "train.n_epochs_decay"],
            "the training has no steps: both phases are 0 long",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_config::CycleTerms;

    #[test]
    fn the_reference_is_sound() {
        assert_eq!(problems(&RunConfig::reference()), []);
    }

    #[test]
    fn every_bound_names_a_numeric_leaf() {
        for bound in &BOUNDS {
            let numeric =
                matches!(leaf::kind(bound.leaf), leaf::Kind::Whole(_) | leaf::Kind::Number);
            assert!(numeric, "{}", bound.leaf);
        }
    }

    #[test]
    fn the_largest_of_every_long_leaf_can_be_written_and_added() {
        const MOST: u64 = 1_000_000_000_000_000;
        let with_all = |value: u64| -> RunConfig {
            let mut tree = leaf::tree(&RunConfig::reference());
            let is_long = |leaf: &&str| *leaf::kind(leaf) == leaf::Kind::Whole(u64::MAX);
            for leaf in leaf::paths().filter(is_long) {
                leaf::set(&mut tree, leaf, Json::from(value));
            }
            serde_json::from_value(tree).unwrap()
        };
        let largest = with_all(MOST);
        assert_eq!(problems(&largest), []);
        assert!(largest.to_toml().contains("steps_decay = 1000000000000000"));
        assert_eq!(largest.train.total_steps(1), 2 * MOST);
        for value in [MOST + 1, u64::MAX] {
            let leaves: Vec<&str> = problems(&with_all(value))
                .iter()
                .flat_map(|problem| problem.leaves.clone())
                .collect();
            let expected = [
                "train.steps",
                "train.steps_decay",
                "train.log_every",
                "train.checkpoint_every",
                "train.sample_every",
                "eval.every",
            ];
            assert_eq!(leaves, expected, "{value}");
        }
    }

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

    #[test]
    fn each_unsound_configuration_is_named_once() {
        let check = |change: fn(&mut RunConfig), expected: &str| {
            let mut config = RunConfig::reference();
            change(&mut config);
            let found = problems(&config);
            assert_eq!(found.len(), 1, "{expected}: {found:?}");
            assert!(found[0].message.contains(expected), "{expected}: {found:?}");
        };
        check(|c| c.data.crop_size = 130, "`data.crop_size`: expected a multiple of 4");
        check(|c| c.data.crop_size = 4, "at least 8");
        check(|c| c.data.load_size = 255, "`data.load_size` (255) is smaller than");
        check(|c| c.data.batch_size = 0, "`data.batch_size`: expected a whole number ≥ 1");
        check(|c| c.model.ngf = 0, "`model.ngf`");
        check(|c| c.model.ndf = 0, "`model.ndf`");
        check(|c| c.model.n_blocks = 17, "from 0 to 16, found 17");
        check(|c| c.model.dropout = 1.0, "`model.dropout`");
        check(|c| c.model.n_layers = 0, "from 1 to 6");
        check(|c| c.model.n_layers = 7, "from 1 to 6");
        check(|c| c.model.init_gain = 0.0, "`model.init_gain`");
        check(|c| c.loss.lambda_cycle = -1.0, "expected a number ≥ 0, found -1");
        check(|c| c.loss.lambda_identity = -0.5, "`loss.lambda_identity`");
        check(|c| c.loss.d_factor = -0.5, "`loss.d_factor`");
        check(|c| c.pool.swap_probability = 1.5, "from 0 to 1, found 1.5");
        check(|c| c.optim.lr_g = 0.0, "`optim.lr_g`: expected a number > 0");
        check(|c| c.optim.lr_d = -1.0, "`optim.lr_d`");
        check(|c| c.optim.beta_1 = 1.0, "`optim.beta_1`");
        check(|c| c.optim.beta_2 = 1.0, "`optim.beta_2`");
        check(|c| c.optim.epsilon = 0.0, "`optim.epsilon`");
        check(|c| c.optim.d_steps = 0, "`optim.d_steps`");
        check(|c| c.train.log_every = 0, "`train.log_every`");
        check(|c| c.train.steps = Some(u64::MAX), "`train.steps`");
        check(|c| c.data.crop_size = 16, "sees nothing at `data.crop_size` 16");
        check(
            |c| {
                c.loss.gan = false;
                c.loss.cycle = CycleTerms::None;
                c.loss.lambda_identity = 0.0;
            },
            "nothing to train",
        );
        check(
            |c| {
                c.train.n_epochs = Some(0);
                c.train.n_epochs_decay = Some(0);
            },
            "no steps",
        );
    }

    #[test]
    fn one_term_alone_is_enough_and_pixel_judges_need_no_patches() {
        let check = |change: fn(&mut RunConfig)| {
            let mut config = RunConfig::reference();
            change(&mut config);
            assert_eq!(problems(&config), []);
        };
        check(|c| c.loss.gan = false);
        check(|c| {
            c.loss.gan = false;
            c.loss.lambda_cycle = 0.0;
        });
        check(|c| {
            c.data.crop_size = 8;
            c.model.discriminator = DiscriminatorKind::Pixel;
        });
    }
}
