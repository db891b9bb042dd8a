//! Every metric that training and evaluation write: its title, which way is better, what it takes.
//!
//! Formulas and sources stand with the code that computes them, in `eval`; this is what a reader of
//! a sweep file or a report has to know.

use std::sync::LazyLock;

use super::Goal;

/// What has to be there for a metric to be computed. Where it is not, the metric is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// The true translation of every held-out image.
    Pairs,
    /// Real images of the target domain apart from the held-out ones: the fold `ref`.
    Reference,
    /// The weights of EfficientNet-Lite0, which a recipe brings.
    FeatureWeights,
    /// The weights of FID's Inception network, which the user brings.
    InceptionWeights,
    /// The weights of LPIPS, which the user brings.
    LpipsWeights,
}

/// A metric some part of the program writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownMetric {
    /// As in the store and in sweep files: `eval/l1_ab`.
    pub name: String,
    /// `None` where neither way is better by itself: a GAN's losses measure a contest, and some
    /// ratios are best at 1.
    pub goal: Option<Goal>,
    /// Beside held-out images, or training; empty for nothing. What has no suffix needs it in both
    /// directions.
    pub needs: &'static [Needs],
    /// For tables and axes, with its direction or domain: `L1 A→B`.
    pub title: String,
    /// The unit or the range of values; empty where there is none worth a word.
    pub unit: &'static str,
    /// One sentence without its full stop.
    pub definition: &'static str,
    /// Whether it follows from the objective itself: ablating a term moves it, whatever the images
    /// look like.
    pub mechanical: bool,
}

/// Which names a family has.
#[derive(Clone, Copy)]
enum Sides {
    /// Of both directions together.
    Both,
    /// `_ab` and `_ba`.
    Directions,
    /// `_a` and `_b`.
    Domains,
}

impl Sides {
    /// Suffixes of names and of titles.
    fn endings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Sides::Both => &[("", "")],
            Sides::Directions => &[("_ab", " A→B"), ("_ba", " B→A")],
            Sides::Domains => &[("_a", " A"), ("_b", " B")],
        }
    }
}

/// Metrics that differ by direction or domain alone.
struct Family {
    stem: &'static str,
    sides: Sides,
    goal: Option<Goal>,
    needs: &'static [Needs],
    title: &'static str,
    unit: &'static str,
    definition: &'static str,
    mechanical: bool,
}

const LOWER: Option<Goal> = Some(Goal::Minimize);
const HIGHER: Option<Goal> = Some(Goal::Maximize);
const PAIRS: &[Needs] = &[Needs::Pairs];
const FEATURES: &[Needs] = &[Needs::FeatureWeights];
const GAIN: &[Needs] = &[Needs::FeatureWeights, Needs::Reference];

/// A score of translations, in both directions.
const fn score(
    stem: &'static str,
    goal: Option<Goal>,
    needs: &'static [Needs],
    [title, unit]: [&'static str; 2],
    definition: &'static str,
) -> Family {
    let sides = Sides::Directions;
    Family { stem, sides, goal, needs, title, unit, definition, mechanical: false }
}

/// What the objective itself moves.
const fn objective(
    stem: &'static str,
    sides: Sides,
    goal: Option<Goal>,
    [title, unit]: [&'static str; 2],
    definition: &'static str,
) -> Family {
    Family { stem, sides, goal, needs: &[], title, unit, definition, mechanical: true }
}

#[rustfmt::skip]
const FAMILIES: [Family; 42] = [
    // The primary endpoint, then what needs the feature network.
    Family {
        sides: Sides::Both,
        ..score("eval/gain", HIGHER, GAIN, ["Gain", "1 is perfect, 0 is doing nothing"],
            "mean of both directions of how much of the way from untranslated to real images of the target domain the \
             translations go, by KID on Lite0 features")
    },
    score("eval/gain", HIGHER, GAIN, ["Gain", "1 is perfect, 0 is doing nothing"],
        "how much of the way from untranslated to real images of the target domain the translations go, by KID on \
         Lite0 features"),
    score("eval/kid_lite0", LOWER, FEATURES, ["KID Lite0", "0 is perfect"],
        "unbiased squared maximum mean discrepancy with a cubic kernel between the pooled Lite0 features of \
         translations and of real images; not comparable with a KID of Inception features"),
    score("eval/kid_b4", LOWER, FEATURES, ["KID b4", "0 is perfect"],
        "as KID Lite0, with features of the fourth block, which see texture and colour"),
    score("eval/kid_b10", LOWER, FEATURES, ["KID b10", "0 is perfect"],
        "as KID Lite0, with features of the tenth block, which see parts"),
    score("eval/fd_lite0", LOWER, FEATURES, ["FD Lite0", ""],
        "Fréchet distance between Gaussian fits to Lite0 features; it depends on the number of images, so only rows \
         with equal numbers compare, and it is not an FID"),
    score("eval/precision", HIGHER, FEATURES, ["Precision", "0 to 1"],
        "share of translations within reach of a real image's nearest neighbours; it does not see a collapse"),
    score("eval/recall", HIGHER, FEATURES, ["Recall", "0 to 1"],
        "share of real images within reach of a translation's nearest neighbours"),
    score("eval/density", HIGHER, FEATURES, ["Density", "1 where both sets are alike"],
        "how many real images' neighbourhoods hold a translation, on average and per neighbour"),
    score("eval/coverage", HIGHER, FEATURES, ["Coverage", "0 to 1"],
        "share of real images whose neighbourhood holds a translation"),
    score("eval/vendi", None, FEATURES, ["Vendi ratio", "1 is as varied as real images"],
        "effective number of different translations over that of as many real images"),
    score("eval/dup", LOWER, FEATURES, ["Duplicates", "0 to 1"],
        "share of translations that are nearly equal to another one"),
    score("eval/distcorr", None, FEATURES, ["Distance correlation", "-1 to 1"],
        "correlation of the distances between inputs with the distances between their translations; far below that of \
         true translations means that the input is ignored"),
    score("eval/retrieval1", HIGHER, &[Needs::Pairs, Needs::FeatureWeights], ["Retrieval@1", "0 to 1"],
        "share of translations whose nearest true translation, by Lite0 features, is their own"),
    score("eval/mrr", HIGHER, &[Needs::Pairs, Needs::FeatureWeights], ["MRR", "0 to 1"],
        "mean reciprocal rank of a translation's own true translation among all of them, by Lite0 features"),
    // What needs nothing but images.
    score("eval/swd_ref", LOWER, &[], ["SWD", "0 is perfect"],
        "sliced Wasserstein distance between Laplacian patches of translations and of real images, both scaled by the \
         real images' statistics"),
    score("eval/swd_colour", LOWER, &[], ["Colour SWD", "0 is perfect"],
        "sliced Wasserstein distance between the colours of pixels of translations and of real images"),
    score("eval/hf_ratio", None, &[], ["HF ratio", "1 is as sharp as real images"],
        "strength of the finest details of translations over that of real images; low is blur, high is noise"),
    // What needs the true translations.
    score("eval/l1", LOWER, PAIRS, ["L1", "0 to 1"],
        "mean absolute difference between the translation of a held-out image and its true translation"),
    score("eval/psnr", HIGHER, PAIRS, ["PSNR", "dB"],
        "peak signal-to-noise ratio of the translation against the true translation"),
    score("eval/ssim", HIGHER, PAIRS, ["SSIM", "at most 1"],
        "structural similarity of the translation and the true translation"),
    // What needs weights that users bring.
    score("eval/fid", LOWER, &[Needs::InceptionWeights], ["FID", "0 is perfect"],
        "Fréchet distance between Gaussian fits to Inception features, as pytorch-fid computes it; it depends on the \
         number of images"),
    score("eval/lpips", LOWER, &[Needs::Pairs, Needs::LpipsWeights], ["LPIPS", "0 is equal"],
        "learned perceptual distance between the translation and the true translation"),
    // The objective, seen on held-out images.
    objective("eval/cycle", Sides::Domains, LOWER, ["Cycle L1", "0 to 1"],
        "mean absolute difference between a held-out image and its reconstruction through both generators; it follows \
         the weight of the cycle loss mechanically and is not a measure of quality"),
    objective("eval/cycle_q", Sides::Domains, LOWER, ["Cycle L1, rounded", "0 to 1"],
        "as cycle L1, with the translation rounded to 8 bits before it is translated back"),
    objective("eval/cycle_r", Sides::Domains, LOWER, ["Cycle L1, with noise", "0 to 1"],
        "as cycle L1, with noise added to the translation before it is translated back"),
    Family {
        sides: Sides::Domains,
        ..score("eval/steg_gap", LOWER, &[], ["Steganography gap", "dB"],
            "how much of the reconstruction's PSNR is lost when noise is added to the translation: what was hidden \
             in it")
    },
    objective("eval/idt", Sides::Domains, LOWER, ["Identity L1", "0 to 1"],
        "mean absolute difference between a held-out image and what the generator into its own domain makes of it; it \
         follows the weight of the identity loss mechanically"),
    // The contest, seen on held-out images.
    Family {
        sides: Sides::Domains,
        ..score("eval/d_accuracy", None, &[], ["Discriminator accuracy", "0.5 is guessing"],
            "share of held-out real images and of translations that the discriminator tells right, patch by patch, half \
             each")
    },
    Family {
        sides: Sides::Domains,
        ..score("eval/d_variance", None, &[], ["Discriminator variance", ""],
            "variance of the discriminator's mean score over held-out real images and translations")
    },
    score("eval/gan_g", None, &[], ["Generator, adversarial, held out", ""],
        "adversarial loss of the generator on held-out images, before any weight"),
    Family {
        sides: Sides::Both,
        ..score("eval/best_step", None, &[], ["Best step", ""],
            "the step whose generators did best on the val fold, and which the result is of")
    },
    // Training, before λ.
    objective("loss/gan_g", Sides::Directions, None, ["Generator, adversarial", ""],
        "adversarial loss of the generator, before any weight; it is relative to a moving discriminator"),
    objective("loss/cycle", Sides::Domains, LOWER, ["Cycle", ""],
        "cycle-consistency loss on the training batch, before its weight λ"),
    objective("loss/idt", Sides::Domains, LOWER, ["Identity", ""],
        "identity loss on the training batch, before its weight"),
    objective("loss/d", Sides::Domains, None, ["Discriminator", ""],
        "sum of the discriminator's losses on real and generated images (includes loss.d_factor)"),
    objective("loss/gp", Sides::Domains, None, ["Gradient penalty", ""],
        "how far the norm of the discriminator's gradient is from 1, squared, between real and generated images"),
    // Training, with λ. A weighted term falls when its weight does, so comparing arms by it says nothing.
    objective("weighted/gan_g", Sides::Directions, None, ["Generator, adversarial, weighted", ""],
        "adversarial loss of the generator, as it enters the objective"),
    objective("weighted/cycle", Sides::Domains, None, ["Cycle, weighted", ""],
        "cycle-consistency loss times λ, as it enters the objective"),
    objective("weighted/idt", Sides::Domains, None, ["Identity, weighted", ""],
        "identity loss times its weight, as it enters the objective"),
    objective("weighted/d", Sides::Domains, None, ["Discriminator, weighted", ""],
        "the discriminator's loss as it is minimised"),
    objective("weighted/gp", Sides::Domains, None, ["Gradient penalty, weighted", ""],
        "gradient penalty times loss.gp_weight, as it is minimised"),
];

static KNOWN: LazyLock<Vec<KnownMetric>> = LazyLock::new(|| {
    let members = |family: &'static Family| {
        family.sides.endings().iter().map(move |(name, title)| KnownMetric {
            name: format!("{}{name}", family.stem),
            goal: family.goal,
            needs: family.needs,
            title: format!("{}{title}", family.title),
            unit: family.unit,
            definition: family.definition,
            mechanical: family.mechanical,
        })
    };
    FAMILIES.iter().flat_map(members).collect()
});

/// Every metric a sweep may name.
pub fn known_metrics() -> &'static [KnownMetric] {
    &KNOWN
}

/// The metric of this name.
pub fn known_metric(name: &str) -> Option<&'static KnownMetric> {
    KNOWN.iter().find(|known| known.name == name)
}

/// Where the standard error over images is recorded, if the metric has one.
pub fn standard_error_of(name: &str) -> String {
    for side in ["_ab", "_ba"] {
        if let Some(stem) = name.strip_suffix(side) {
            return format!("{stem}_se{side}");
        }
    }
    format!("{name}_se")
}

/// Whether a recorded name is that of a standard error over images.
pub fn is_standard_error(name: &str) -> bool {
    name.ends_with("_se") || name.ends_with("_se_ab") || name.ends_with("_se_ba")
}

impl KnownMetric {
    /// Whether it is a score of held-out images, and not a loss of training.
    pub fn is_evaluation(&self) -> bool {
        self.name.starts_with("eval/")
    }

    /// Whether runs record it. What needs weights that only users have is computed by
    /// `cyclelab score` alone: a run knows no such file.
    pub fn is_recorded(&self) -> bool {
        let brought = [Needs::InceptionWeights, Needs::LpipsWeights];
        !self.needs.iter().any(|needed| brought.contains(needed))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_there_once_and_says_what_it_is() {
        let mut names = BTreeSet::new();
        let mut titles = BTreeSet::new();
        for known in known_metrics() {
            assert!(names.insert(&known.name), "{} twice", known.name);
            assert!(titles.insert((&known.title, known.is_evaluation())), "{} twice", known.title);
            assert!(!known.title.is_empty() && !known.definition.is_empty(), "{}", known.name);
            assert!(!known.definition.ends_with('.'), "{}", known.name);
            assert_eq!(known_metric(&known.name), Some(known));
        }
        assert_eq!(known_metric("eval/kid"), None);
    }

    #[test]
    fn the_table_holds_what_runs_record() {
        let check = |name: &str, goal, needs: &[Needs], title: &str, mechanical| {
            let known = known_metric(name).unwrap_or_else(|| panic!("no {name}"));
            let found = (known.goal, known.needs, known.title.as_str(), known.mechanical);
            assert_eq!(found, (goal, needs, title, mechanical), "{name}");
        };
        check("eval/gain", HIGHER, GAIN, "Gain", false);
        check("eval/gain_ab", HIGHER, GAIN, "Gain A→B", false);
        check("eval/gain_ba", HIGHER, GAIN, "Gain B→A", false);
        check("eval/kid_lite0_ba", LOWER, FEATURES, "KID Lite0 B→A", false);
        check("eval/vendi_ab", None, FEATURES, "Vendi ratio A→B", false);
        check("eval/mrr_ab", HIGHER, &[Needs::Pairs, Needs::FeatureWeights], "MRR A→B", false);
        check("eval/swd_colour_ab", LOWER, &[], "Colour SWD A→B", false);
        check("eval/l1_ab", LOWER, PAIRS, "L1 A→B", false);
        check("eval/fid_ba", LOWER, &[Needs::InceptionWeights], "FID B→A", false);
        check("eval/lpips_ab", LOWER, &[Needs::Pairs, Needs::LpipsWeights], "LPIPS A→B", false);
        check("eval/cycle_a", LOWER, &[], "Cycle L1 A", true);
        check("eval/cycle_r_b", LOWER, &[], "Cycle L1, with noise B", true);
        check("eval/steg_gap_a", LOWER, &[], "Steganography gap A", false);
        check("loss/gan_g_ba", None, &[], "Generator, adversarial B→A", true);
        check("weighted/cycle_a", None, &[], "Cycle, weighted A", true);
    }

    /// The gain's anchor at 1 is real images beside other real images.
    #[test]
    fn the_gain_alone_needs_a_reference() {
        let needing = known_metrics().iter().filter(|it| it.needs.contains(&Needs::Reference));
        let names: Vec<&str> = needing.map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["eval/gain", "eval/gain_ab", "eval/gain_ba"]);
    }

    #[test]
    fn what_needs_weights_of_the_user_s_is_recorded_by_no_run() {
        let others = known_metrics().iter().filter(|it| !it.is_recorded());
        let names: Vec<&str> = others.map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["eval/fid_ab", "eval/fid_ba", "eval/lpips_ab", "eval/lpips_ba"]);
    }

    #[test]
    fn standard_errors_stand_beside_what_they_are_of() {
        assert_eq!(standard_error_of("eval/kid_b4_ab"), "eval/kid_b4_se_ab");
        assert_eq!(standard_error_of("eval/gain"), "eval/gain_se");
        for name in ["eval/kid_b4_se_ab", "eval/gain_se", "eval/gain_se_ba"] {
            assert!(is_standard_error(name), "{name}");
        }
        assert!(!is_standard_error("eval/recall_ab"));
    }

    #[test]
    fn losses_and_what_they_move_are_mechanical() {
        for known in known_metrics() {
            let starts = ["eval/cycle_", "eval/idt_", "loss/", "weighted/"];
            let expected = starts.iter().any(|start| known.name.starts_with(start));
            assert_eq!(known.mechanical, expected, "{}", known.name);
        }
    }
}
