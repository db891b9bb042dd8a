//! Which resolved configurations make sense: ranges per leaf, then rules across leaves.

mod evaluation;
mod guards;
mod shapes;
mod terms;

use serde_json::Value as Json;

use crate::leaf;
use crate::run_config::RunConfig;

pub(crate) use shapes::load_for;

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
const SOME_STEPS: &str = "a whole number from 1 to 10^15";

/// Far beyond any training; sums of two stay exact in an f64, and TOML can write them.
fn is_steps(steps: f64) -> bool {
    steps <= 1e15
}

/// Ranges that one leaf breaks alone. Sources: `run_config.rs`, leaf by leaf.
const BOUNDS: [Bound; 29] = [
    // Two stride-2 layers halve the crop exactly; reflection by one pixel and a norm need more than
    // one at the bottleneck.
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
    bound("loss.gp_weight", NOT_NEGATIVE, |v| v >= 0.0),
    bound("pool.swap_probability", "a number from 0 to 1", |v| (0.0..=1.0).contains(&v)),
    bound("optim.lr_g", POSITIVE, |v| v > 0.0),
    bound("optim.lr_d", POSITIVE, |v| v > 0.0),
    bound("optim.beta_1", BELOW_ONE, |v| (0.0..1.0).contains(&v)),
    bound("optim.beta_2", BELOW_ONE, |v| (0.0..1.0).contains(&v)),
    bound("optim.epsilon", POSITIVE, |v| v > 0.0),
    bound("optim.d_steps", AT_LEAST_ONE, |v| v >= 1.0),
    bound("train.steps", STEPS, is_steps),
    bound("train.steps_decay", STEPS, is_steps),
    bound("train.log_every", SOME_STEPS, |v| v >= 1.0 && is_steps(v)),
    bound("train.checkpoint_every", STEPS, is_steps),
    bound("train.sample_every", STEPS, is_steps),
    bound("eval.every", STEPS, is_steps),
    bound("guards.d_loss_below", NOT_NEGATIVE, |v| v >= 0.0),
    bound("guards.d_loss_steps", SOME_STEPS, |v| v >= 1.0 && is_steps(v)),
    // Values in [-1, 1] spread by 1 at most.
    bound("guards.output_std_below", BELOW_ONE, |v| (0.0..1.0).contains(&v)),
    bound("guards.output_std_steps", SOME_STEPS, |v| v >= 1.0 && is_steps(v)),
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
    let of_pairs = shapes::problems(config).chain(terms::problems(config));
    of_pairs.chain(guards::problems(config)).chain(evaluation::problems(config)).collect()
}

/// What is allowed and has no effect, against what its author must think. Of a configuration
/// without [`problems`].
pub(crate) fn doubts(config: &RunConfig) -> Vec<Problem> {
    guards::doubts(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_config::*;

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
                "guards.d_loss_steps",
                "guards.output_std_steps",
            ];
            assert_eq!(leaves, expected, "{value}");
        }
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
        check(|c| c.loss.gp_weight = -1.0, "`loss.gp_weight`: expected a number ≥ 0, found -1");
        check(|c| c.pool.swap_probability = 1.5, "from 0 to 1, found 1.5");
        check(|c| c.optim.lr_g = 0.0, "`optim.lr_g`: expected a number > 0");
        check(|c| c.optim.lr_d = -1.0, "`optim.lr_d`");
        check(|c| c.optim.beta_1 = 1.0, "`optim.beta_1`");
        check(|c| c.optim.beta_2 = 1.0, "`optim.beta_2`");
        check(|c| c.optim.epsilon = 0.0, "`optim.epsilon`");
        check(|c| c.optim.d_steps = 0, "`optim.d_steps`");
        check(|c| c.train.log_every = 0, "`train.log_every`");
        check(|c| c.train.steps = Some(u64::MAX), "`train.steps`");
        check(|c| c.guards.d_loss_below = -1.0, "`guards.d_loss_below`: expected a number ≥ 0");
        check(|c| c.guards.d_loss_steps = 0, "`guards.d_loss_steps`");
        check(|c| c.guards.output_std_below = 1.0, "expected a number ≥ 0 and < 1, found 1");
        check(|c| c.guards.output_std_steps = 0, "`guards.output_std_steps`");
        check(|c| c.eval.checkpoint = EvalCheckpoint::Best, "is chosen by no metric");
        check(|c| c.data.crop_size = 16, "sees nothing at `data.crop_size` 16");
        check(
            |c| {
                c.data.crop_size = 16;
                c.model.discriminator = DiscriminatorKind::Image;
            },
            "sees nothing at `data.crop_size` 16",
        );
        check(
            |c| {
                c.data.crop_size = 128;
                c.model.generator = GeneratorKind::Unet256;
            },
            "must be a multiple of 256",
        );
        check(
            |c| {
                c.loss.gan_mode = GanMode::WganGp;
                c.model.norm = NormKind::Batch;
            },
            "the gradient penalty is per image",
        );
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
}
