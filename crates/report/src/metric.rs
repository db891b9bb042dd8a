//! What each recorded name means: its title, its unit, which way is better, what it takes.

use spec::{Goal, Needs, known_metric};
use track::SweepRecord;

/// A metric as the page speaks of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) unit: &'static str,
    /// `None` where neither direction is better.
    pub(crate) minimize: Option<bool>,
    pub(crate) definition: &'static str,
}

impl Metric {
    /// Title and, where there is one, an arrow to the better side.
    pub(crate) fn heading(&self) -> String {
        match self.minimize {
            Some(true) => format!("{}\u{a0}↓", self.title),
            Some(false) => format!("{}\u{a0}↑", self.title),
            None => self.title.clone(),
        }
    }

    /// For the axis of a difference, a comma before it. It has the metric's unit, but not its range:
    /// `0 is perfect` is not said of it.
    pub(crate) fn unit_of_difference(&self) -> String {
        match self.unit.is_empty() || self.unit.contains(|c: char| c.is_ascii_digit()) {
            true => String::new(),
            false => format!(", {}", self.unit),
        }
    }

    pub(crate) fn direction(&self) -> &'static str {
        match self.minimize {
            Some(true) => "lower is better",
            Some(false) => "higher is better",
            None => "no better side",
        }
    }
}

/// Follows from the objective itself: ablating the objective moves it whatever the images look like.
pub(crate) fn is_mechanical(name: &str) -> bool {
    known_metric(name).is_some_and(|known| known.mechanical)
}

/// Normalised by the data set: 0 is doing nothing and 1 is perfect on any of them.
pub(crate) fn is_gain(name: &str) -> bool {
    matches!(name, GAIN | "eval/gain_ab" | "eval/gain_ba")
}

/// Of both directions.
pub(crate) const GAIN: &str = "eval/gain";

/// What a discriminator makes of real images and of translations.
pub(crate) fn is_of_the_contest(name: &str) -> bool {
    ["eval/d_accuracy_", "eval/d_variance_", "eval/gan_g_"].iter().any(|it| name.starts_with(it))
}

pub(crate) fn needs(name: &str, what: Needs) -> bool {
    known_metric(name).is_some_and(|known| known.needs.contains(&what))
}

/// What tells whether a small cycle error is honest, for a cycle error in any of its forms.
pub(crate) fn steganography_gap_of(name: &str) -> Option<&'static str> {
    let domain = name.strip_prefix("eval/cycle_")?;
    match domain.trim_start_matches("q_").trim_start_matches("r_") {
        "a" => Some("eval/steg_gap_a"),
        "b" => Some("eval/steg_gap_b"),
        _ => None,
    }
}

/// Looks a name up; an unknown one is its own title.
pub(crate) fn describe(name: &str) -> Metric {
    match known_metric(name) {
        Some(known) => Metric {
            name: name.into(),
            title: known.title.clone(),
            unit: known.unit,
            minimize: known.goal.map(|goal| goal == Goal::Minimize),
            definition: known.definition,
        },
        None => Metric {
            name: name.into(),
            title: name.into(),
            unit: "",
            minimize: None,
            definition: "recorded by the run; this report has no description of it",
        },
    }
}

/// The declared direction wins over the table for the metric the sweep is judged by.
pub(crate) fn declared(record: &SweepRecord) -> Metric {
    let declared = &record.plan.metric;
    Metric { minimize: Some(declared.minimize), ..describe(&declared.name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_by_family_and_side() {
        let check = |name: &str, title: &str, minimize| {
            let found = describe(name);
            assert_eq!((found.title.as_str(), found.minimize), (title, minimize), "{name}");
        };
        check("eval/l1_ab", "L1 A→B", Some(true));
        check("eval/ssim_ba", "SSIM B→A", Some(false));
        check("eval/gain", "Gain", Some(false));
        check("eval/gain_ba", "Gain B→A", Some(false));
        check("eval/kid_lite0_ab", "KID Lite0 A→B", Some(true));
        check("eval/vendi_ab", "Vendi ratio A→B", None);
        check("eval/swd_colour_ba", "Colour SWD B→A", Some(true));
        check("eval/cycle_a", "Cycle L1 A", Some(true));
        check("eval/cycle_r_b", "Cycle L1, with noise B", Some(true));
        check("eval/steg_gap_a", "Steganography gap A", Some(true));
        check("eval/d_accuracy_b", "Discriminator accuracy B", None);
        check("loss/gan_g_ba", "Generator, adversarial B→A", None);
        check("loss/d_a", "Discriminator A", None);
        check("eval/kid_lite0", "eval/kid_lite0", None);
        check("eval/cycle_ab", "eval/cycle_ab", None);
        check("loss", "loss", None);
    }

    #[test]
    fn every_metric_of_the_evaluation_is_described() {
        const NAMES: &str = "kid_lite0 kid_b4 kid_b10 fd_lite0 gain precision recall density coverage vendi dup \
             distcorr swd_ref swd_colour hf_ratio retrieval1 mrr l1 psnr ssim";
        for name in NAMES.split_whitespace() {
            let found = describe(&format!("eval/{name}_ab"));
            assert!(found.title.ends_with(" A→B") && !found.definition.is_empty(), "{found:?}");
        }
        for name in ["cycle", "cycle_q", "cycle_r", "steg_gap", "idt", "d_accuracy"] {
            let found = describe(&format!("eval/{name}_b"));
            assert!(found.title.ends_with(" B") && !found.definition.is_empty(), "{found:?}");
        }
    }

    #[test]
    fn metrics_of_the_objective_are_mechanical() {
        let check = |name, expected| assert_eq!(is_mechanical(name), expected, "{name}");
        check("eval/cycle_a", true);
        check("eval/cycle_r_a", true);
        check("eval/idt_b", true);
        check("loss/d_a", true);
        check("weighted/cycle_a", true);
        check("eval/steg_gap_a", false);
        check("eval/l1_ab", false);
        check("eval/ssim_ba", false);
        check("eval/kid", false);
        check("loss", false);
    }

    #[test]
    fn names_lead_to_what_belongs_to_them() {
        assert_eq!(steganography_gap_of("eval/cycle_r_b"), Some("eval/steg_gap_b"));
        assert_eq!(steganography_gap_of("eval/cycle_a"), Some("eval/steg_gap_a"));
        assert_eq!(steganography_gap_of("eval/idt_a"), None);
        assert!(is_gain("eval/gain_ab") && !is_gain("eval/gain_se") && !is_gain("eval/l1_ab"));
    }
}
