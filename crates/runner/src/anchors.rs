//! What those would score who did nothing, or all of it right: no number of a run means anything
//! without them.

use std::collections::BTreeMap;
use std::path::Path;

use data::{Domain, Fold};
use eval::{ColourMatch, GainAnchors, ImageSet, ScoreCard, Sides, gain, mean_picture, score};

use crate::error::RunnerError;
use crate::evaluate::MeanScores;
use crate::feature_net::{FeatureExtractor, image_set};
use crate::real_images::{RealImages, keep, kept};

/// Raised when the same images would give other numbers: what is in the cache is then made anew.
const REVISION: u32 = 2;

/// Scores as `anchor/KIND/METRIC_ab` and `_ba`. KIND:
///
/// - `identity`: the inputs as they are
/// - `oracle`: their true translations, where the data set knows them and has other real images to
///   compare them with
/// - `mean`: the mean of the real images of the target domain, whatever the input
/// - `colour`: the inputs, each channel's mean and spread moved to the target domain's
pub(crate) fn scored(real: &RealImages<'_>, in_fold: Fold) -> Result<MeanScores, RunnerError> {
    let mut scores = MeanScores::new();
    for (input, suffix) in [(Domain::A, "ab"), (Domain::B, "ba")] {
        if real.dataset().count(in_fold, input) > 0 {
            let found = of_direction(real, in_fold, input)?;
            let named = found.into_iter().map(|(name, score)| (format!("{name}_{suffix}"), score));
            scores.extend(named);
        }
    }
    Ok(scores)
}

/// Refuses a gain that these images have no room for: inputs and real images that cannot be told
/// apart. Any other metric is fine.
pub(crate) fn expect_gain(
    metric: &str,
    real: &RealImages<'_>,
    in_fold: Fold,
) -> Result<(), RunnerError> {
    let inputs: &[Domain] = match metric {
        "eval/gain" => &Domain::ALL,
        "eval/gain_ab" => &[Domain::A],
        "eval/gain_ba" => &[Domain::B],
        _ => return Ok(()),
    };
    for &input in inputs {
        let inputs = real.set(in_fold, input)?;
        let targets = real.targets(in_fold, input.other())?;
        let found = GainAnchors::of(&targets.sides(&inputs.images, &inputs));
        let reason = match found {
            Ok(None) => "there are no real images apart from the held-out ones".to_string(),
            Ok(Some(GainAnchors { identity, oracle })) => match gain(identity, identity, oracle) {
                Ok(_) => continue,
                Err(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        return Err(RunnerError::NoSuchScore { metric: metric.to_string(), reason });
    }
    Ok(())
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
    if let Some(found) = read(&path) {
        return Ok(found);
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
    network: Option<&FeatureExtractor>,
) -> Result<BTreeMap<&'static str, ScoreCard>, RunnerError> {
    let mut cards = BTreeMap::new();
    let mut put = |kind, outputs: &ImageSet| {
        cards.insert(kind, score(&Sides { outputs, ..*sides }));
    };
    let reference = sides.reference.pictures();
    // Among the images it is compared with, it would be perfect by being itself.
    if let (Some(partners), Some(_)) = (sides.partners, sides.oracle) {
        put("oracle", partners);
    }
    if let Ok(mean) = mean_picture(reference) {
        put("mean", &image_set(vec![mean.rounded()], network)?.repeated(sides.outputs.len()));
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
    let bits: Kept =
        scores.iter().map(|(name, (value, n))| (name.clone(), (value.to_bits(), *n))).collect();
    keep(path, &serde_json::to_vec(&bits)?)
}

fn read(path: &Path) -> Option<MeanScores> {
    let found: Kept = serde_json::from_slice(&kept(path)?).ok()?;
    Some(found.into_iter().map(|(name, (bits, n))| (name, (f64::from_bits(bits), n))).collect())
}
