//! What each recorded name means: its title, its unit, which way is better.

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
    ["eval/cycle_", "eval/idt_", "loss/", "weighted/"].iter().any(|start| name.starts_with(start))
}

/// Looks a name up; an unknown one is its own title.
pub(crate) fn describe(name: &str) -> Metric {
    let (family, side) = name.rsplit_once('_').unwrap_or((name, ""));
    let side = match side {
        "ab" => "A→B",
        "ba" => "B→A",
        "a" => "A",
        "b" => "B",
        _ => "",
    };
    let known = match family {
        _ if side.is_empty() => None,
        "eval/l1" => Some((
            "L1",
            "0 to 1",
            Some(true),
            "mean absolute difference between the translation of a held-out image and its true translation",
        )),
        "eval/psnr" => Some((
            "PSNR",
            "dB",
            Some(false),
            "peak signal-to-noise ratio of the translation against the true translation",
        )),
        "eval/ssim" => Some((
            "SSIM",
            "at most 1",
            Some(false),
            "structural similarity of the translation and the true translation",
        )),
        "eval/cycle" => Some((
            "Cycle L1",
            "0 to 1",
            Some(true),
            "mean absolute difference between a held-out image and its reconstruction through both generators; \
             it follows the weight of the cycle loss mechanically and is not a measure of quality",
        )),
        "eval/idt" => Some((
            "Identity L1",
            "0 to 1",
            Some(true),
            "mean absolute difference between a held-out image and what the generator into its own domain makes of \
             it; it follows the weight of the identity loss mechanically",
        )),
        "loss/gan_g" => Some((
            "Generator, adversarial",
            "",
            None,
            "adversarial loss of the generator, before any weight; it is relative to a moving discriminator",
        )),
        "loss/cycle" => Some((
            "Cycle",
            "",
            Some(true),
            "cycle-consistency loss on the training batch, before its weight λ",
        )),
        "loss/idt" => Some((
            "Identity",
            "",
            Some(true),
            "identity loss on the training batch, before its weight",
        )),
        "loss/d" => Some((
            "Discriminator",
            "",
            None,
            "sum of the discriminator's losses on real and generated images (includes loss.d_factor)",
        )),
        "loss/gp" => Some((
            "Gradient penalty",
            "",
            None,
            "how far the norm of the discriminator's gradient is from 1, squared, between real and generated images",
        )),
        _ => None,
    };
    match known {
        Some((title, unit, minimize, definition)) => Metric {
            name: name.into(),
            title: format!("{title} {side}"),
            unit,
            minimize,
            definition,
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
pub(crate) fn declared(record: &track::SweepRecord) -> Metric {
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
        check("loss/gan_g_ba", "Generator, adversarial B→A", None);
        check("loss/d_a", "Discriminator A", None);
        check("eval/kid_lite0", "eval/kid_lite0", None);
        check("loss", "loss", None);
    }

    #[test]
    fn metrics_of_the_objective_are_mechanical() {
        let check = |name, expected| assert_eq!(is_mechanical(name), expected, "{name}");
        check("eval/cycle_a", true);
        check("eval/idt_b", true);
        check("loss/d_a", true);
        check("weighted/cycle_a", true);
        check("eval/l1_ab", false);
        check("eval/ssim_ba", false);
        check("eval/kid", false);
    }
}
