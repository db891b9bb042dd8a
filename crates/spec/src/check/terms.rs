//! What the terms of the objective and the length of training ask of each other.

use super::{Problem, helped, problem};
use crate::run_config::{NormKind, RunConfig};

pub(super) fn problems(config: &RunConfig) -> impl Iterator<Item = Problem> {
    [objective(config), penalty(config), length(config)].into_iter().flatten()
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

/// Gulrajani et al. 2017, §4: with batch norm a score depends on the other images of its batch,
/// and the gradient by one image is no longer what the penalty is about.
fn penalty(config: &RunConfig) -> Option<Problem> {
    let mixed = config.loss.weight_penalty().is_some() && config.model.norm == NormKind::Batch;
    mixed.then(|| {
        helped(
            &["loss.gan_mode", "model.norm", "loss.gp_weight"],
            "the gradient penalty is per image, and `model.norm` \"batch\" mixes the images of a batch",
            "write model.norm = \"instance\", or loss.gp_weight = 0 to leave the penalty out",
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
    use crate::run_config::GanMode;

    #[test]
    fn one_term_alone_is_enough() {
        let check = |change: fn(&mut RunConfig)| {
            let mut config = RunConfig::reference();
            change(&mut config);
            assert_eq!(problems(&config).collect::<Vec<_>>(), []);
        };
        check(|c| c.loss.gan = false);
        check(|c| {
            c.loss.gan = false;
            c.loss.lambda_cycle = 0.0;
        });
    }

    #[test]
    fn batch_norm_and_a_gradient_penalty_exclude_each_other() {
        let check = |change: fn(&mut RunConfig), refused: bool| {
            let mut config = RunConfig::reference();
            config.loss.gan_mode = GanMode::WganGp;
            config.model.norm = NormKind::Batch;
            change(&mut config);
            assert_eq!(problems(&config).next().is_some(), refused);
        };
        check(|_| (), true);
        check(|c| c.loss.gp_weight = 0.0, false);
        check(|c| c.loss.gan = false, false);
        check(|c| c.loss.gan_mode = GanMode::Hinge, false);
        check(|c| c.model.norm = NormKind::InstanceAffine, false);
        check(|c| c.model.norm = NormKind::None, false);
    }
}
