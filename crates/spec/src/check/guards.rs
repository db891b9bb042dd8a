//! Guards that would fire at once, or never.

use super::{Problem, helped};
use crate::idle;
use crate::run_config::{GanMode, RunConfig};

pub(super) fn problems(config: &RunConfig) -> impl Iterator<Item = Problem> {
    negative_loss(config).into_iter()
}

/// A critic's loss is the score of fakes less that of real images: the better it judges, the
/// further below 0.
fn negative_loss(config: &RunConfig) -> Option<Problem> {
    let watched = config.loss.gan && config.guards.d_loss_below > 0.0;
    (watched && config.loss.gan_mode == GanMode::WganGp).then(|| {
        helped(
            &["guards.d_loss_below", "loss.gan_mode"],
            "with `loss.gan_mode` \"wgan-gp\" a discriminator that learns has a loss below 0, and \
             `guards.d_loss_below` would stop every run",
            "leave the guard out; where `loss.gan_mode` varies, a [zip] of both can set it to 0",
        )
    })
}

/// Waits that are longer than the training. Epochs are as long as the images decide, so only
/// `train.steps` tells.
pub(super) fn doubts(config: &RunConfig) -> Vec<Problem> {
    let (guards, train) = (&config.guards, &config.train);
    let Some(total) = train.steps.map(|steps| steps + train.steps_decay.unwrap_or(0)) else {
        return Vec::new();
    };
    let waits = [
        (["guards.d_loss_below", "guards.d_loss_steps"], guards.d_loss_below, guards.d_loss_steps),
        (
            ["guards.output_std_below", "guards.output_std_steps"],
            guards.output_std_below,
            guards.output_std_steps,
        ),
    ];
    let mut found = Vec::new();
    for ([limit, wait], below, steps) in waits {
        let watched = below > 0.0 && idle::because(limit, config).is_none();
        if watched && steps > total {
            found.push(helped(
                &[wait, limit, "train.steps", "train.steps_decay"],
                format!(
                    "`{limit}` can never stop this run: `{wait}` is {steps}, and the training has \
                     {total} steps"
                ),
                format!("write a smaller `{wait}`, or leave `{limit}` out"),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: fn(&mut RunConfig)) -> RunConfig {
        let mut config = RunConfig::reference();
        config.guards.d_loss_below = 1e-4;
        config.guards.output_std_below = 0.01;
        (config.train.n_epochs, config.train.n_epochs_decay) = (None, None);
        (config.train.steps, config.train.steps_decay) = (Some(1000), Some(1000));
        change(&mut config);
        config
    }

    #[test]
    fn a_loss_that_is_negative_has_no_lower_limit() {
        let check = |change: fn(&mut RunConfig), refused: bool| {
            assert_eq!(problems(&with(change)).next().is_some(), refused);
        };
        check(|_| (), false);
        check(|c| c.loss.gan_mode = GanMode::Vanilla, false);
        check(|c| c.loss.gan_mode = GanMode::Hinge, false);
        check(|c| c.loss.gan_mode = GanMode::WganGp, true);
        check(
            |c| {
                c.loss.gan_mode = GanMode::WganGp;
                c.guards.d_loss_below = 0.0;
            },
            false,
        );
        check(
            |c| {
                c.loss.gan_mode = GanMode::WganGp;
                c.loss.gan = false;
            },
            false,
        );
    }

    #[test]
    fn a_wait_longer_than_the_training_is_doubted() {
        let check = |change: fn(&mut RunConfig), expected: &[&str]| {
            let config = with(change);
            let found: Vec<&str> = doubts(&config).iter().map(|it| it.leaves[0]).collect();
            assert_eq!(found, expected, "{:?}", config.guards);
        };
        let (d, output) = ("guards.d_loss_steps", "guards.output_std_steps");
        check(|_| (), &[]);
        check(|c| c.guards.d_loss_steps = 2001, &[d]);
        check(|c| c.train.steps_decay = None, &[d, output]);
        check(|c| (c.train.steps, c.guards.d_loss_below) = (Some(1), 0.0), &[output]);
        check(|c| (c.train.steps, c.loss.gan) = (Some(1), false), &[output]);
        check(|c| (c.train.steps, c.train.n_epochs) = (None, Some(1)), &[]);
    }
}
