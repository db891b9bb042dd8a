//! What the numbers of a run's last evaluation say is wrong with it.

use data::{Dataset, Domain, Fold};
use eval::{DiscriminatorEval, Floor, Measured, Severity, Thresholds, colour_distance};
use track::FlagRecord;

use crate::error::RunnerError;
use crate::evaluate::{Measurements, SEED};
use crate::feature_net::FeatureExtractor;
use crate::real_images::RealImages;

/// Groups that the colour distance's spread is measured by leaving one out.
const GROUPS: usize = 6;

/// Of both directions. `judged`: what every evaluation of the run said of the discriminators.
pub(crate) fn raised(
    measured: &[Measurements; 2],
    judged: [Vec<DiscriminatorEval>; 2],
    real: &RealImages<'_>,
    in_fold: Fold,
) -> Result<Vec<FlagRecord>, RunnerError> {
    let mut flags = Vec::new();
    let directions = [("ab", Domain::B), ("ba", Domain::A)];
    for (((direction, target), measured), judged) in
        directions.into_iter().zip(measured).zip(judged)
    {
        let measured = Measured {
            discriminator: judged,
            colour_floor: colour_floor(real, in_fold, target)?,
            memorised_share: memorised_share(measured, real, in_fold, target)?,
            ..of_images(measured, real.network())
        };
        for raised in eval::flags(&measured, &Thresholds::default()) {
            flags.push(FlagRecord {
                direction: direction.to_string(),
                flag: raised.flag.name().to_string(),
                fails: raised.severity == Severity::Fail,
                reason: raised.reason,
            });
        }
    }
    Ok(flags)
}

/// What images alone tell, whoever made them.
pub(crate) fn of_images(measured: &Measurements, network: Option<&FeatureExtractor>) -> Measured {
    let score = |name: &str| measured.card.scores.get(name).map(|score| score.value);
    Measured {
        vendi_ratio: score("vendi"),
        duplicate_fraction: score("dup"),
        distance_correlation: score("distcorr"),
        partner_correlation: measured.partner_correlation,
        l1_to_input: measured.l1_to_input,
        kid: measured.card.scores.get("kid_lite0").and_then(|score| {
            let standard_error = score.standard_error?;
            Some(eval::Estimate { value: score.value, standard_error })
        }),
        kid_identity: measured.kid_identity,
        relative_spread: measured.relative_spread,
        high_frequency_ratio: score("hf_ratio"),
        colour_distance: score("swd_colour"),
        steg_gap: measured.steg_gap,
        anchors: network.map(FeatureExtractor::known_value).into_iter().collect(),
        non_finite: non_finite(measured),
        ..Measured::default()
    }
}

/// Only where runs go on with what is not finite (`guards.non_finite = "ignore"`).
fn non_finite(measured: &Measurements) -> Option<String> {
    let mut scores = measured.card.scores.iter();
    Some(scores.find(|(_, score)| !score.value.is_finite())?.0.to_string())
}

/// Share of outputs that are as good as copies of training images of the domain. `None` without
/// features, or with too few held-out images to tell.
fn memorised_share(
    measured: &Measurements,
    real: &RealImages<'_>,
    in_fold: Fold,
    domain: Domain,
) -> Result<Option<f64>, RunnerError> {
    let held_out = real.set(in_fold, domain)?;
    let (Some(outputs), Some(unseen)) = (&measured.features, held_out.images.features()) else {
        return Ok(None);
    };
    let training = real.training_features(domain)?;
    Ok(training.and_then(|it| eval::memorised_share(outputs, &it, &unseen.pool).ok()))
}

/// How far real images of the domain are from the reference in their colours, and how much that
/// varies: by a jackknife that leaves groups out. `None` where there are no two sets of real images.
fn colour_floor(
    real: &RealImages<'_>,
    in_fold: Fold,
    domain: Domain,
) -> Result<Option<Floor>, RunnerError> {
    let dataset: &Dataset = real.dataset();
    if dataset.count(Fold::Ref, domain) == 0 || dataset.count(in_fold, domain) < 2 * GROUPS {
        return Ok(None);
    }
    let (reference, set) = (real.set(Fold::Ref, domain)?, real.set(in_fold, domain)?);
    let without = |group: usize| {
        let all = set.images.pictures().iter().enumerate();
        let kept: Vec<_> =
            all.filter(|(i, _)| i % GROUPS != group).map(|(_, it)| it.clone()).collect();
        colour_distance(reference.images.pictures(), &kept, SEED).ok()
    };
    let Some(values) = (0..GROUPS).map(without).collect::<Option<Vec<f64>>>() else {
        return Ok(None);
    };
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Ok(Some(Floor { mean, standard_deviation: ((n - 1.0) / n * squares).sqrt() }))
}
