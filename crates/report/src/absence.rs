//! Why a metric is not there, and what can be done.

use std::collections::BTreeSet;

use spec::Needs;
use track::{RunRecord, SweepRecord};

use crate::escape::esc;
use crate::metric::{is_gain, needs};
use crate::summary::is_unmeasured;

/// Of completed runs without a value of a metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Absence {
    /// Without a full stop.
    pub(crate) why: String,
    /// Whether the runs say so themselves; otherwise it is a guess.
    pub(crate) is_known: bool,
    /// Whether they recorded it: then the sweep scores them again once it is mended.
    pub(crate) is_recorded: bool,
    pub(crate) remedy: Option<Remedy>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Remedy {
    /// Bring the feature network's weights; the sweep then scores its finished runs again.
    Fetch,
    /// Score folders of translations with weights that the user has: this command.
    Score(&'static str),
}

/// The one command that brings the feature network's weights.
const FETCH: &str = "cyclelab data fetch efficientnet-lite0";
const SCORE_FID: &str = "cyclelab score --real DIR --fake DIR --inception FILE";
const SCORE_LPIPS: &str =
    "cyclelab score --real DIR --fake DIR --pairs by-name --lpips alexnet.pth --lpips alex.pth";

/// As the evaluation words it (`eval::NO_FEATURES`).
const NO_FEATURES: &str = "the feature network's weights are not here";
const WERE_NOT_THERE: &str = "the feature network's weights were not there";

/// Different reasons that are named before the rest is left out.
const MOST: usize = 3;

impl Absence {
    pub(crate) fn of(record: &SweepRecord, name: &str) -> Absence {
        brought_by_users(name)
            .or_else(|| recorded(record, name))
            .unwrap_or_else(|| guessed(record, name))
    }

    /// The remedy as a sentence of HTML, with a space before it; empty where there is none.
    pub(crate) fn remedy(&self) -> String {
        match self.remedy {
            None => String::new(),
            Some(Remedy::Fetch) => {
                format!(" <code>{FETCH}</code> brings them.")
            }
            Some(Remedy::Score(command)) => {
                format!(" <code>{}</code> computes it from folders of images.", esc(command))
            }
        }
    }
}

/// What no run records: its weights come with no package.
fn brought_by_users(name: &str) -> Option<Absence> {
    let command = if needs(name, Needs::InceptionWeights) {
        SCORE_FID
    } else if needs(name, Needs::LpipsWeights) {
        SCORE_LPIPS
    } else {
        return None;
    };
    let why = "no run records it, since its weights come with no package".into();
    let remedy = Some(Remedy::Score(command));
    Some(Absence { why, is_known: true, is_recorded: false, remedy })
}

/// What the runs themselves say.
fn recorded(record: &SweepRecord, name: &str) -> Option<Absence> {
    let of_run = |run: &RunRecord| -> Vec<String> {
        // The mean of both directions is not there where one of them is not.
        let names = [name.to_string(), format!("{name}_ab"), format!("{name}_ba")];
        names.iter().filter_map(|name| run.absent.get(name)).cloned().collect()
    };
    let runs = record.runs.iter().filter(|run| is_unmeasured(run, name));
    let reasons: BTreeSet<String> = runs.flat_map(of_run).collect();
    if reasons.is_empty() {
        return None;
    }
    let remedy = reasons.contains(NO_FEATURES).then_some(Remedy::Fetch);
    let in_words = |it: &String| if it == NO_FEATURES { WERE_NOT_THERE.into() } else { it.clone() };
    let mut words: Vec<String> = reasons.iter().take(MOST).map(in_words).collect();
    if reasons.len() > MOST {
        words.push("and other reasons".into());
    }
    Some(Absence { why: words.join("; "), is_known: true, is_recorded: true, remedy })
}

/// For runs of before reasons were recorded.
fn guessed(record: &SweepRecord, name: &str) -> Absence {
    let mut names = record.runs.iter().flat_map(|run| &run.rows).map(|row| &row.name);
    let any_features =
        names.any(|name| name.starts_with("eval/") && needs(name, Needs::FeatureWeights));
    if needs(name, Needs::FeatureWeights) && !any_features {
        let (why, remedy) = (WERE_NOT_THERE.into(), Some(Remedy::Fetch));
        return Absence { why, is_known: true, is_recorded: false, remedy };
    }
    let why = match needs(name, Needs::Pairs) {
        true if !record.plan.dataset.paired => "the data set has no true translations",
        true => {
            "no paired held-out images (L1, PSNR and SSIM need true translations that match pixel by pixel), or an \
             empty evaluation fold"
        }
        false if is_gain(name) => {
            "no real images apart from the reference, or untranslated inputs and real images too alike for a gain to \
             be told"
        }
        false => "not computed by the version that trained, or an empty evaluation fold",
    };
    Absence { why: why.into(), is_known: false, is_recorded: false, remedy: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_worded_as_the_evaluation_words_it() {
        assert_eq!(NO_FEATURES, eval::NO_FEATURES);
    }

    #[test]
    fn what_users_bring_weights_for_is_scored_apart() {
        let check = |name: &str, option: Option<&str>| {
            let found = brought_by_users(name).and_then(|it| it.remedy);
            let command = match found {
                Some(Remedy::Score(command)) => Some(command),
                _ => None,
            };
            assert_eq!(command.is_some(), option.is_some(), "{name}");
            assert!(command.zip(option).is_none_or(|(it, option)| it.contains(option)), "{name}");
        };
        check("eval/fid_ab", Some("--inception"));
        check("eval/lpips_ba", Some("--lpips"));
        check("eval/gain_ab", None);
        check("eval/l1_ab", None);
    }
}
