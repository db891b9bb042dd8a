//! Every metric of one direction that its images allow, under the names they are recorded by.

use std::collections::BTreeMap;

use crate::{
    Estimate, EvalError, Features, ImageSet, NEIGHBOURS, Picture, Taps, colour_distance,
    distance_correlation, duplicate_fraction, frechet, gain, high_frequency_ratio, kid, l1,
    neighbours, psnr, retrieval, sliced_distance, ssim, vendi_ratio,
};

/// The images of one direction. Rows of `outputs`, `inputs` and `partners` belong together.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// Translations, as an image file keeps them.
    pub outputs: &'a ImageSet,
    /// Real images of the target domain. Where they hold the partners themselves, KID is biased low.
    pub reference: &'a ImageSet,
    /// What was translated.
    pub inputs: Option<&'a ImageSet>,
    /// The true translation of each input.
    pub partners: Option<&'a ImageSet>,
    /// Whether partners match pixel by pixel; if not, only their features are compared.
    pub aligned: bool,
    /// Real images of the target domain apart from the reference, such as the partners: what a
    /// perfect translator's outputs would be as far from the reference as.
    pub oracle: Option<&'a ImageSet>,
    /// Of the directions and places that sliced distances draw.
    pub seed: u64,
}

/// A metric's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    pub value: f64,
    /// Over draws of images, where the metric has one.
    pub standard_error: Option<f64>,
    /// Images it is over.
    pub n: usize,
}

/// Scores by name, and why the others are not there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScoreCard {
    pub scores: BTreeMap<&'static str, Score>,
    pub absent: BTreeMap<&'static str, String>,
}

/// Of metrics that need features.
pub const NO_FEATURES: &str = "the feature network's weights are not here";
/// Of metrics that compare with the true translation.
pub const NO_PARTNERS: &str = "the true translations are not known";
/// Of metrics that compare with it pixel by pixel.
pub const NOT_ALIGNED: &str = "the true translations do not match pixel by pixel";
const NO_ORACLE: &str = "all real images of the target domain are in the reference";
const NO_INPUTS: &str = "the images that were translated are not given";

/// The KIDs between which a gain is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GainAnchors {
    /// Of inputs that nobody has translated: gain 0.
    pub identity: Estimate,
    /// Of other real images: gain 1.
    pub oracle: Estimate,
}

impl GainAnchors {
    /// `None` where inputs, other real images or features are missing.
    ///
    /// # Errors
    /// As [`kid`].
    pub fn of(sides: &Sides<'_>) -> Result<Option<Self>, EvalError> {
        let pool = |set: Option<&'_ ImageSet>| Some(set?.features()?.pool.clone());
        let (Some(inputs), Some(oracle), Some(reference)) =
            (pool(sides.inputs), pool(sides.oracle), pool(Some(sides.reference)))
        else {
            return Ok(None);
        };
        Ok(Some(GainAnchors {
            identity: kid(&inputs, &reference)?,
            oracle: kid(&oracle, &reference)?,
        }))
    }
}

/// Scores one direction. What cannot be computed is absent, with its reason.
///
/// Names: `kid_lite0` (tap `pool`), `kid_b4`, `kid_b10` (scaled by the reference), `fd_lite0`, `gain`, `precision`,
/// `recall`, `density`, `coverage`, `vendi`, `dup`, `distcorr`, `swd_ref`, `swd_colour`, `hf_ratio`, `retrieval1`,
/// `mrr`, `l1`, `psnr`, `ssim`.
pub fn score(sides: &Sides<'_>) -> ScoreCard {
    let mut card = ScoreCard::default();
    card.by_features(sides);
    card.by_pixels(sides);
    card.by_partner(sides);
    card
}

impl ScoreCard {
    fn by_features(&mut self, sides: &Sides<'_>) {
        const NAMES: [&str; 14] = [
            "kid_lite0",
            "kid_b4",
            "kid_b10",
            "fd_lite0",
            "gain",
            "precision",
            "recall",
            "density",
            "coverage",
            "vendi",
            "dup",
            "distcorr",
            "retrieval1",
            "mrr",
        ];
        let n = sides.outputs.len();
        let (Some(outputs), Some(reference)) =
            (sides.outputs.features(), sides.reference.features())
        else {
            return self.lack(&NAMES, NO_FEATURES);
        };
        let Taps { pool, .. } = outputs;
        let found = kid(pool, &reference.pool);
        self.estimate("kid_lite0", n, found.clone());
        for (name, outputs, reference) in
            [("kid_b4", &outputs.b4, &reference.b4), ("kid_b10", &outputs.b10, &reference.b10)]
        {
            self.estimate(name, n, scaled_kid(outputs, reference));
        }
        match (GainAnchors::of(sides), found) {
            (Ok(Some(GainAnchors { identity, oracle })), Ok(kid)) => {
                self.estimate("gain", n, gain(kid, identity, oracle));
            }
            (Ok(None), _) if sides.inputs.is_none() => self.lack(&["gain"], NO_INPUTS),
            (Ok(None), _) => self.lack(&["gain"], NO_ORACLE),
            (Err(error), _) | (_, Err(error)) => self.lack(&["gain"], &error.to_string()),
        }
        self.value("fd_lite0", n, frechet(&reference.pool, pool).map(|it| it.distance));
        let around = neighbours(&reference.pool, pool, NEIGHBOURS);
        self.value("precision", n, around.clone().map(|it| it.precision));
        self.value("recall", n, around.clone().map(|it| it.recall));
        self.value("density", n, around.clone().map(|it| it.density));
        self.value("coverage", n, around.map(|it| it.coverage));
        self.value("vendi", n, vendi_ratio(pool, &reference.pool));
        self.value("dup", n, duplicate_fraction(pool, &reference.pool));
        match sides.inputs.and_then(ImageSet::features) {
            Some(inputs) => self.value("distcorr", n, distance_correlation(&inputs.pool, pool)),
            None => self.lack(&["distcorr"], NO_INPUTS),
        }
        match sides.partners.and_then(ImageSet::features) {
            Some(partners) => {
                let found = retrieval(pool, &partners.pool);
                self.value("retrieval1", n, found.clone().map(|it| it.at_1));
                self.value("mrr", n, found.map(|it| it.mrr));
            }
            None => self.lack(&["retrieval1", "mrr"], NO_PARTNERS),
        }
    }

    fn by_pixels(&mut self, sides: &Sides<'_>) {
        let (outputs, reference) = (sides.outputs.pictures(), sides.reference.pictures());
        let n = outputs.len();
        let sliced = sliced_distance(reference, outputs, sides.seed);
        self.value("swd_ref", n, sliced.map(|it| it.mean));
        self.value("swd_colour", n, colour_distance(reference, outputs, sides.seed));
        self.value("hf_ratio", n, high_frequency_ratio(outputs, reference));
    }

    fn by_partner(&mut self, sides: &Sides<'_>) {
        const NAMES: [&str; 3] = ["l1", "psnr", "ssim"];
        let outputs = sides.outputs.pictures();
        let n = outputs.len();
        let Some(partners) = sides.partners.map(ImageSet::pictures) else {
            return self.lack(&NAMES, NO_PARTNERS);
        };
        if !sides.aligned {
            return self.lack(&NAMES, NOT_ALIGNED);
        }
        let sizes = outputs.iter().zip(partners).find(|(a, b)| a.size() != b.size());
        if outputs.len() != partners.len() || sizes.is_some() || n == 0 {
            return self.lack(&NAMES, "the true translations are of other size or number");
        }
        let mean = |of: &dyn Fn(&Picture, &Picture) -> Option<f64>| {
            let values: Option<Vec<f64>> =
                outputs.iter().zip(partners).map(|(a, b)| of(a, b)).collect();
            values.map(|values| values.iter().sum::<f64>() / n as f64)
        };
        let too_small = "pictures below 11 px";
        for (name, value) in [
            ("l1", mean(&|a, b| Some(l1(a, b)))),
            ("psnr", mean(&|a, b| Some(psnr(a, b)))),
            ("ssim", mean(&ssim)),
        ] {
            self.value(name, n, value.ok_or(too_small));
        }
    }

    fn value<E: ToString>(&mut self, name: &'static str, n: usize, value: Result<f64, E>) {
        match value {
            Ok(value) => {
                self.scores.insert(name, Score { value, standard_error: None, n });
            }
            Err(error) => self.lack(&[name], &error.to_string()),
        }
    }

    fn estimate<E: ToString>(
        &mut self,
        name: &'static str,
        n: usize,
        estimate: Result<Estimate, E>,
    ) {
        match estimate {
            Ok(Estimate { value, standard_error }) => {
                let standard_error = Some(standard_error);
                self.scores.insert(name, Score { value, standard_error, n });
            }
            Err(error) => self.lack(&[name], &error.to_string()),
        }
    }

    fn lack(&mut self, names: &[&'static str], why: &str) {
        self.absent.extend(names.iter().map(|name| (*name, why.to_string())));
    }
}

/// Channels of a shallow tap differ in size by orders: both sides are divided by the reference's.
fn scaled_kid(outputs: &Features, reference: &Features) -> Result<Estimate, EvalError> {
    kid(&outputs.scaled_by(reference)?, &reference.scaled_by(reference)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lcg;

    const N: usize = 12;

    fn taps(seed: u32, shift: f64) -> Taps {
        let features = |dimensions: usize| {
            let values = lcg::values(N * dimensions, seed);
            let values: Vec<f64> = values.iter().map(|v| v + shift).collect();
            Features::from_flat(dimensions, &values).expect("finite")
        };
        Taps { b4: features(4), b10: features(6), pool: features(8) }
    }

    fn set(seed: u32, shift: f64) -> ImageSet {
        ImageSet::new(lcg::pictures(N, 32, seed), Some(taps(seed, shift))).expect("as many")
    }

    fn all<'a>(
        outputs: &'a ImageSet,
        reference: &'a ImageSet,
        inputs: &'a ImageSet,
        partners: &'a ImageSet,
    ) -> Sides<'a> {
        Sides {
            outputs,
            reference,
            inputs: Some(inputs),
            partners: Some(partners),
            aligned: true,
            oracle: Some(partners),
            seed: 0,
        }
    }

    fn names(card: &ScoreCard) -> Vec<&str> {
        let mut names: Vec<&str> = card.scores.keys().chain(card.absent.keys()).copied().collect();
        names.sort();
        names
    }

    #[test]
    fn every_metric_is_there_or_says_why_not() {
        let (outputs, reference, inputs, partners) =
            (set(1, 0.2), set(2, 0.0), set(3, 0.9), set(4, 0.0));
        let all = all(&outputs, &reference, &inputs, &partners);
        let full = score(&all);
        assert_eq!(full.absent, BTreeMap::new());
        assert_eq!(full.scores.len(), 20);
        let gain = full.scores["gain"];
        assert!((0.0..1.0).contains(&gain.value) && gain.standard_error.is_some(), "{gain:?}");

        let bare = Sides { inputs: None, partners: None, oracle: None, ..all };
        let bare = score(&bare);
        assert_eq!(names(&bare), names(&full));
        let absent: Vec<&str> = bare.absent.keys().copied().collect();
        assert_eq!(absent, ["distcorr", "gain", "l1", "mrr", "psnr", "retrieval1", "ssim"]);

        let among = score(&Sides { oracle: None, ..all });
        assert_eq!(among.absent.keys().copied().collect::<Vec<_>>(), ["gain"]);

        let loose = score(&Sides { aligned: false, ..all });
        assert_eq!(loose.absent.keys().copied().collect::<Vec<_>>(), ["l1", "psnr", "ssim"]);

        let blind =
            ImageSet::new(outputs.pictures().to_vec(), None).expect("no features to be paired");
        let blind = score(&Sides { outputs: &blind, ..all });
        assert_eq!(names(&blind), names(&full));
        assert_eq!(blind.scores.len(), 6);
        assert!(blind.absent.values().all(|why| why == NO_FEATURES), "{:?}", blind.absent);
    }

    #[test]
    fn the_anchors_gain_zero_and_one() {
        let (reference, inputs, partners) = (set(2, 0.0), set(3, 0.9), set(4, 0.0));
        let gain = |outputs: &ImageSet| {
            score(&all(outputs, &reference, &inputs, &partners)).scores["gain"].value
        };
        assert!(gain(&inputs).abs() < 1e-12);
        assert!((gain(&partners) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn features_are_of_the_pictures() {
        let error = ImageSet::new(lcg::pictures(3, 8, 1), Some(taps(1, 0.0)));
        assert!(matches!(error, Err(EvalError::Unpaired { left: 3, right: N, .. })));
    }
}
