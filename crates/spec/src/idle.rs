//! Leaves that say nothing in a given configuration: another leaf switches off what they set.

use crate::leaf;
use crate::run_config::{
    CycleTerms, DiscriminatorKind, EvalCheckpoint, GanMode, GeneratorKind, RunConfig,
};

/// While `holds`, the leaf `because` leaves `leaves` without effect on what is trained.
struct Idle {
    leaves: &'static [&'static str],
    because: &'static str,
    holds: fn(&RunConfig) -> bool,
}

const fn idle(
    leaves: &'static [&'static str],
    because: &'static str,
    holds: fn(&RunConfig) -> bool,
) -> Idle {
    Idle { leaves, because, holds }
}

const RULES: [Idle; 14] = [
    idle(&["model.n_blocks", "model.upsample", "model.padding"], "model.generator", |c| {
        c.model.generator != GeneratorKind::Resnet
    }),
    idle(&["model.dropout"], "model.n_blocks", |c| {
        c.model.generator == GeneratorKind::Resnet && c.model.n_blocks == 0
    }),
    idle(
        &[
            "model.discriminator",
            "model.ndf",
            "model.n_layers",
            "loss.gan_mode",
            "loss.d_factor",
            "loss.gp_weight",
            "pool.size",
            "pool.swap_probability",
            "optim.lr_d",
            "optim.update_order",
            "optim.d_steps",
            "guards.d_loss_below",
            "guards.d_loss_steps",
            "init.disc_a",
            "init.disc_b",
        ],
        "loss.gan",
        |c| !c.loss.gan,
    ),
    idle(&["model.n_layers"], "model.discriminator", |c| {
        c.model.discriminator == DiscriminatorKind::Pixel
    }),
    idle(&["loss.gp_weight"], "loss.gan_mode", |c| c.loss.gan_mode != GanMode::WganGp),
    idle(&["loss.cycle", "loss.cycle_norm"], "loss.lambda_cycle", |c| c.loss.lambda_cycle == 0.0),
    idle(&["loss.cycle_norm"], "loss.cycle", |c| c.loss.cycle == CycleTerms::None),
    // The identity weight is relative to λ.
    idle(&["loss.lambda_cycle"], "loss.cycle", |c| {
        c.loss.cycle == CycleTerms::None && c.loss.lambda_identity == 0.0
    }),
    idle(&["pool.swap_probability"], "pool.size", |c| c.pool.size == 0),
    idle(&["optim.schedule"], "train.n_epochs_decay", |c| {
        c.train.n_epochs.is_some() && c.train.n_epochs_decay.unwrap_or(0) == 0
    }),
    idle(&["optim.schedule"], "train.steps_decay", |c| {
        c.train.steps.is_some() && c.train.steps_decay.unwrap_or(0) == 0
    }),
    idle(&["guards.d_loss_steps"], "guards.d_loss_below", |c| c.guards.d_loss_below == 0.0),
    idle(&["guards.output_std_steps"], "guards.output_std_below", |c| {
        c.guards.output_std_below == 0.0
    }),
    idle(&["eval.best_by"], "eval.checkpoint", |c| c.eval.checkpoint == EvalCheckpoint::Last),
];

/// The leaf whose value leaves `leaf` without effect in this configuration.
pub(crate) fn because(leaf: &str, config: &RunConfig) -> Option<&'static str> {
    let rule = RULES.iter().find(|rule| rule.leaves.contains(&leaf) && (rule.holds)(config));
    rule.map(|rule| rule.because)
}

/// The configuration with the idle ones among `leaves` set to the reference's values: two that
/// come out equal train the same.
pub(crate) fn without_idle(config: &RunConfig, leaves: &[&str]) -> RunConfig {
    let reference = RunConfig::reference();
    let mut config = config.clone();
    for leaf in leaves {
        // One by one: of two leaves that leave each other idle, one stays.
        if because(leaf, &config).is_some() {
            let mut tree = leaf::tree(&config);
            leaf::set(&mut tree, leaf, reference.get(leaf));
            config = serde_json::from_value(tree).expect("the value is the leaf's own");
        }
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_about_leaves() {
        for rule in &RULES {
            for leaf in rule.leaves.iter().chain([&rule.because]) {
                assert!(leaf::paths().any(|known| known == *leaf), "{leaf}");
            }
            assert!(!rule.leaves.contains(&rule.because), "{}", rule.because);
        }
    }

    #[test]
    fn the_penalty_and_the_waits_of_no_guard_are_idle_in_the_reference() {
        let config = RunConfig::reference();
        let idle: Vec<&str> =
            leaf::paths().filter(|leaf| because(leaf, &config).is_some()).collect();
        let waits = ["guards.d_loss_steps", "guards.output_std_steps"];
        assert_eq!(idle, ["loss.gp_weight", "eval.best_by", waits[0], waits[1]]);
    }

    #[test]
    fn each_leaf_is_idle_for_its_reason() {
        let check = |change: fn(&mut RunConfig), leaf: &str, expected: Option<&str>| {
            let mut config = RunConfig::reference();
            change(&mut config);
            assert_eq!(because(leaf, &config), expected, "{leaf}");
        };
        let unet: fn(&mut RunConfig) = |c| c.model.generator = GeneratorKind::Unet256;
        check(unet, "model.padding", Some("model.generator"));
        check(unet, "model.dropout", None);
        check(|c| c.model.n_blocks = 0, "model.dropout", Some("model.n_blocks"));
        check(|c| c.loss.gan = false, "optim.lr_d", Some("loss.gan"));
        check(|c| c.loss.gan = false, "optim.lr_g", None);
        let pixel: fn(&mut RunConfig) = |c| c.model.discriminator = DiscriminatorKind::Pixel;
        check(pixel, "model.n_layers", Some("model.discriminator"));
        check(pixel, "model.ndf", None);
        check(|c| c.loss.gan_mode = GanMode::WganGp, "loss.gp_weight", None);
        check(|c| c.loss.lambda_cycle = 0.0, "loss.cycle", Some("loss.lambda_cycle"));
        check(|c| c.loss.cycle = CycleTerms::None, "loss.cycle_norm", Some("loss.cycle"));
        check(|c| c.loss.cycle = CycleTerms::None, "loss.lambda_cycle", None);
        let alone: fn(&mut RunConfig) = |c| {
            c.loss.cycle = CycleTerms::None;
            c.loss.lambda_identity = 0.0;
        };
        check(alone, "loss.lambda_cycle", Some("loss.cycle"));
        check(|c| c.pool.size = 0, "pool.swap_probability", Some("pool.size"));
        check(|c| c.train.n_epochs_decay = Some(0), "optim.schedule", Some("train.n_epochs_decay"));
        let steps: fn(&mut RunConfig) = |c| (c.train.n_epochs, c.train.steps) = (None, Some(5));
        check(steps, "optim.schedule", Some("train.steps_decay"));
        check(|c| c.loss.gan = false, "guards.d_loss_below", Some("loss.gan"));
        check(|c| c.loss.gan = false, "guards.output_std_below", None);
        check(|_| (), "guards.d_loss_steps", Some("guards.d_loss_below"));
        check(|c| c.guards.d_loss_below = 1e-4, "guards.d_loss_steps", None);
        check(|c| c.guards.output_std_below = 1e-2, "guards.output_std_steps", None);
        check(|c| c.guards.d_loss_below = 0.0, "guards.non_finite", None);
    }

    #[test]
    fn leaves_that_leave_each_other_idle_do_not_both_go() {
        let mut config = RunConfig::reference();
        config.loss.lambda_identity = 0.0;
        config.loss.cycle = CycleTerms::None;
        config.loss.lambda_cycle = 0.0;
        let kept = without_idle(&config, &["loss.lambda_cycle", "loss.cycle"]);
        assert!(kept.loss.weight_cycle_a().is_none(), "{:?}", kept.loss);
    }
}
