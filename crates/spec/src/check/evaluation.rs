//! Weights that are to be the best of some, and nothing to choose them by, or nothing left to score
//! them on.

use super::{Problem, helped};
use crate::metric::{KnownMetric, known_metric, known_metrics};
use crate::run_config::{EvalCheckpoint, EvalFold, RunConfig};

const BEST: &str = "`eval.checkpoint` \"best\"";

pub(super) fn problems(config: &RunConfig) -> impl Iterator<Item = Problem> {
    let chooses = config.eval.checkpoint == EvalCheckpoint::Best;
    let found =
        || choice(config).or_else(|| occasions(config)).or_else(|| fold_of_the_result(config));
    chooses.then(found).flatten().into_iter()
}

fn choice(config: &RunConfig) -> Option<Problem> {
    let leaves = ["eval.best_by", "eval.checkpoint"];
    let Some(name) = &config.eval.best_by else {
        let help = "name a metric in [sweep.metric], such as \"eval/gain\", or in `eval.best_by`";
        return Some(helped(&leaves, format!("{BEST} is chosen by no metric"), help));
    };
    let chooses = |name: &str| {
        let fits = |it: &KnownMetric| it.is_evaluation() && it.is_recorded() && it.goal.is_some();
        known_metric(name).is_some_and(fits)
    };
    (!chooses(name)).then(|| {
        let names: Vec<&str> =
            known_metrics().iter().map(|it| it.name.as_str()).filter(|it| chooses(it)).collect();
        let help = crate::diagnostic::did_you_mean(name, names)
            .unwrap_or_else(|| "it takes a score of held-out images, such as \"eval/gain\"".into());
        helped(&leaves, format!("{BEST} cannot be chosen by {name:?}"), help)
    })
}

/// Epochs are as long as the images decide, so only `train.steps` tells whether one comes.
fn occasions(config: &RunConfig) -> Option<Problem> {
    let every = config.eval.every;
    let train = &config.train;
    let total = train.steps.map(|steps| steps + train.steps_decay.unwrap_or(0));
    let leaves = ["eval.every", "eval.checkpoint"];
    let help = "write `eval.every`, in steps, so that there is something to choose from";
    if every == 0 {
        return Some(helped(&leaves, format!("{BEST} needs evaluations during training"), help));
    }
    let total = total.filter(|total| every >= *total)?;
    let message = format!(
        "{BEST} has one evaluation to choose from: `eval.every` is {every}, and the training has {total} steps"
    );
    Some(helped(&["eval.every", "eval.checkpoint", "train.steps"], message, help))
}

/// The best of several scores is too good by chance: it is no result of the fold it was chosen on.
fn fold_of_the_result(config: &RunConfig) -> Option<Problem> {
    (config.eval.fold == EvalFold::Val).then(|| {
        let message =
            format!("{BEST} chooses on the `val` fold, so the result cannot be of `val` too");
        let help = "leave `eval.fold` at \"test\", or score the last weights";
        helped(&["eval.fold", "eval.checkpoint"], message, help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_needs_a_score_and_occasions() {
        let check = |change: fn(&mut RunConfig), expected: Option<&str>| {
            let mut config = RunConfig::reference();
            config.eval.checkpoint = EvalCheckpoint::Best;
            config.eval.best_by = Some("eval/gain".to_string());
            config.eval.every = 1000;
            change(&mut config);
            let found: Vec<String> = problems(&config).map(|it| it.message).collect();
            assert_eq!(found.len(), usize::from(expected.is_some()), "{found:?}");
            let fits = found.iter().zip(expected).all(|(found, piece)| found.contains(piece));
            assert!(fits, "{found:?}");
        };
        check(|_| (), None);
        check(|c| c.eval.best_by = None, Some("is chosen by no metric"));
        check(|c| c.eval.best_by = Some("eval/gian".into()), Some("chosen by \"eval/gian\""));
        check(|c| c.eval.best_by = Some("loss/cycle_a".into()), Some("chosen by \"loss/cycle_a\""));
        check(|c| c.eval.best_by = Some("eval/vendi_ab".into()), Some("eval/vendi_ab"));
        check(|c| c.eval.every = 0, Some("needs evaluations during training"));
        check(|c| (c.train.n_epochs, c.train.steps) = (None, Some(1001)), None);
        check(
            |c| (c.train.n_epochs, c.train.steps) = (None, Some(1000)),
            Some("one evaluation to choose from"),
        );
        check(|c| (c.eval.checkpoint, c.eval.every) = (EvalCheckpoint::Last, 0), None);
        check(|c| c.eval.best_by = Some("eval/fid_ab".into()), Some("chosen by \"eval/fid_ab\""));
        check(|c| c.eval.fold = EvalFold::Val, Some("chooses on the `val` fold"));
        check(|c| (c.eval.checkpoint, c.eval.fold) = (EvalCheckpoint::Last, EvalFold::Val), None);
    }
}
