//! What those would score who did nothing, or all of it right: no number of a run means anything
//! without them.

use std::collections::BTreeMap;
use std::path::Path;

use data::{Domain, Fold};
use eval::{ColourMatch, ImageSet, ScoreCard, Sides, mean_picture, score};

use crate::error::RunnerError;
use crate::evaluate::MeanScores;
use crate::feature_net::{FeatureNet, image_set};
use crate::real_images::{RealImages, keep};

/// Raised when the same images would give other numbers: what is in the cache is then made anew.
const REVISION: u32 = 1;

/// Scores as `anchor/KIND/METRIC_ab` and `_ba`. KIND:
///
/// - `identity`: the inputs as they are
/// - `oracle`: their true translations, where the data set knows them
/// - `mean`: the mean of the real images of the target domain, whatever the input
/// - `colour`: the inputs, each channel's mean and spread moved to the target domain's
pub(crate) fn scored(real: &RealImages<'_>, in_fold: Fold) -> Result<MeanScores, RunnerError> {
    let mut scores = MeanScores::new();
    for (input, suffix) in [(Domain::A, "ab"), (Domain::B, "ba")] {
        if real.dataset().count(in_fold, input) > 0 {
            let kept = of_direction(real, in_fold, input)?;
            let named = kept.into_iter().map(|(name, score)| (format!("{name}_{suffix}"), score));
            scores.extend(named);
        }
    }
    Ok(scores)
}

fn of_direction(
    real: &RealImages<'_>,
    in_fold: Fold,
    input: Domain,
) -> Result<MeanScores, RunnerError> {
    let inputs = real.set(in_fold, input)?;
    let targets = real.targets(in_fold, input.other())?;
    let hash = &targets.hash(&inputs).to_hex()[..32];
    let path = real.cache().join(format!("{hash}-{REVISION}.anchors"));
    if let Some(kept) = read(&path) {
        return Ok(kept);
    }
    let cards = cards(&targets.sides(&inputs.images, &inputs), real.network())?;
    let scores = cards.into_iter().flat_map(|(kind, card)| {
        let named = move |(metric, score): (&'static str, eval::Score)| {
            (format!("anchor/{kind}/{metric}"), (score.value, score.n as u32))
        };
        card.scores.into_iter().map(named)
    });
    let scores: MeanScores = scores.collect();
    // What cannot be kept costs time and no more.
    drop(write(&path, &scores));
    Ok(scores)
}

/// Of each kind that these images allow; the outputs of `sides` are not looked at.
pub(crate) fn cards(
    sides: &Sides<'_>,
    network: Option<&FeatureNet>,
) -> Result<BTreeMap<&'static str, ScoreCard>, RunnerError> {
    let mut cards = BTreeMap::new();
    let mut put = |kind, outputs: &ImageSet| {
        cards.insert(kind, score(&Sides { outputs, ..*sides }));
    };
    let reference = sides.reference.pictures();
    if let Some(partners) = sides.partners {
        put("oracle", partners);
    }
    if let Ok(mean) = mean_picture(reference) {
        put("mean", &image_set(vec![mean.rounded(); sides.outputs.len()], network)?);
    }
    if let Some(inputs) = sides.inputs {
        put("identity", inputs);
        if let Ok(colours) = ColourMatch::between(inputs.pictures(), reference) {
            let pictures = inputs.pictures().iter().map(|it| colours.apply(it).rounded()).collect();
            put("colour", &image_set(pictures, network)?);
        }
    }
    Ok(cards)
}

/// Values by their bits: text would round them.
type Kept = BTreeMap<String, (u64, u32)>;

fn write(path: &Path, scores: &MeanScores) -> std::io::Result<()> {
    let kept: Kept =
        scores.iter().map(|(name, (value, n))| (name.clone(), (value.to_bits(), *n))).collect();
    keep(path, &serde_json::to_vec(&kept)?)
}

/// `None` for a file that is not there or not whole.
fn read(path: &Path) -> Option<MeanScores> {
    let kept: Kept = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    Some(kept.into_iter().map(|(name, (bits, n))| (name, (f64::from_bits(bits), n))).collect())
}
