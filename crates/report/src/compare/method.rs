//! How the comparison came about, and what it cannot say.

use stats::{MIN_RUNS, MIN_SEEDS};

use super::Beside;
use crate::escape::esc;
use crate::metric::is_mechanical;

pub(super) fn section(beside: &Beside<'_>) -> String {
    let mut out = String::from("<section id=\"method\">\n<h2>Method</h2>\n<dl class=\"method\">\n");
    let mut entry =
        |name: &str, html: String| out.push_str(&format!("<dt>{name}</dt><dd>{html}</dd>\n"));
    entry(
        "Metric",
        format!(
            "{} (<code>{}</code>), {}: {}.{}",
            esc(&beside.metric.title),
            esc(&beside.metric.name),
            beside.metric.direction(),
            esc(beside.metric.definition),
            match is_mechanical(&beside.metric.name) {
                true =>
                    " It follows the training objective and does not rank the quality of translations.",
                false => "",
            }
        ),
    );
    entry(
        "Settings",
        "A leaf that some sweep varies tells settings apart in all of them; a sweep that does not vary it has its own \
         configured value of it everywhere. Leaves that no sweep varies belong to a sweep as a whole, are left out of the \
         match, and are listed where they differ."
            .into(),
    );
    entry(
        "Verdicts",
        format!(
            "Each sweep's own, as in its own report: differences to its own baseline paired by seed, an exact two-sided \
             sign-flip test, Holm's correction over that sweep's cells, and a 95\u{a0}% t interval without 0; from \
             {MIN_SEEDS} seeds on, once every run has an end and a value, and only by the metric that the sweep declared \
             before it ran. Nothing here is tested between sweeps; all sweeps together are tested over data sets alone, as below."
        ),
    );
    entry(
        "Agreement",
        "Sweeps agree on a setting where all that have it say the same of it, and contradict each other where some say the \
         opposite of others. Runs that several sweeps share are one observation, which neither confirms nor contradicts. One \
         verdict beside an undecided one is neither: that one test is significant and another is \
         not does not show that the two differ (Gelman and Stern 2006)."
            .into(),
    );
    entry(
        "Order",
        "Of mean differences to the baseline, over settings that all comparable sweeps have. Kendall's τ-a: pairs in the \
         same order minus pairs in the other, of all pairs. Means of settings that are alike change places by chance. Sweeps that share \
         runs are left out: the same runs agree by themselves."
            .into(),
    );
    entry(
        "Over data sets",
        format!(
            "The interquartile mean (Agarwal et al. 2021) with a percentile bootstrap stratified by data set, from {MIN_RUNS} \
             runs on, of the gain alone, which every data set's own anchors put on one scale; only over sweeps whose images \
             are not the same and that score the same weights and fold. It describes. The claim is that of a two-sided \
             sign-flip test of the sum of the data sets' mean paired differences, so that each data set weighs the same \
             however many seeds it has; exact up to 20 pairs, by random patterns beyond; Holm's correction over all settings \
             but the baseline. The interval has to agree with it, and no sweep to say the contrary. Data sets are given, not \
             drawn: it says nothing of others."
        ),
    );
    entry("Values", esc(beside.evaluation.sentence()).to_string());
    entry(
        "What a comparison cannot show",
        "Why two sweeps differ. They are not run side by side under chance: everything in which they differ, code and \
         devices included, goes into the difference at once."
            .into(),
    );
    entry("Software", format!("Compared by cyclelab {}.", env!("CARGO_PKG_VERSION")));
    out.push_str("</dl>\n</section>\n");
    out
}
