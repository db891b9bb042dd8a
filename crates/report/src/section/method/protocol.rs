//! The protocol in words: folds, estimators, tests, what failed and flagged runs count as.

use crate::escape::esc;
use crate::metric;
use crate::number::plural;
use crate::page::Subject;

pub(super) const KID_AND_GAIN: &str = "KID is the squared maximum mean discrepancy with the kernel (x·y / d + 1)³, by the unbiased estimator \
    over all images at once, between features of translations and of real images of the target domain that are no input's \
    partner (the ref fold). Its standard error is the two-sample jackknife's: a bootstrap of images would shift it, and a \
    spread over subsets is no error of the estimate. Features are EfficientNet-Lite0's at 128 px, so values compare neither \
    with a KID of Inception features nor with other image sizes. The gain puts it between two anchors on the same folds: \
    g = 1 − (KID − KID of the true translations) / (KID of the untranslated inputs − KID of the true translations).";

pub(super) const FLAGS: &str = "From the last evaluation of a run, each with its value and threshold in the runs table. <strong>Misleading</strong> \
    (its numbers are not to be built on): collapse, fewer different outputs than targets (Vendi ratio below 0.5, more than a \
    fifth duplicates, or a distance correlation below 0.4 times the partners'); identity, the input handed back; constant, the \
    same output for all; nan; metric, known values came out otherwise. <strong>Worth a look</strong>: blur and noise (energy of \
    fine details below 0.7 or above 1.35 times the target's), tint, steganography (a gap above 6 dB), memorised training \
    images, a discriminator that won or died. Which of them misleads is recorded with the run; a flagged run keeps its values \
    in every figure, and its cell is never named best.";

/// What each image was for. Where folds are not recorded there is no sentence to be made.
pub(super) fn folds(subject: &Subject<'_>) -> String {
    let data = &subject.record.plan.dataset;
    let purpose = |fold: &str| match fold {
        "train" => " (trained on)",
        "val" => " (looked at while training; checkpoints are chosen by it)",
        "ref" => " (the target domain that translations are compared with; nobody's partners)",
        "test" => " (the results; nothing was chosen by it)",
        _ => "",
    };
    let counts: Vec<String> = data
        .counts
        .iter()
        .map(|(fold, a, b)| format!("<code>{}</code> {a} A, {b} B{}", esc(fold), purpose(fold)))
        .collect();
    format!(
        "{}.{} Final values are of the test fold, with translations rounded to 8 bits as an image file keeps them.",
        if counts.is_empty() { "Not recorded".into() } else { counts.join("; ") },
        if data.paired { " Of a pair, training sees one side at most." } else { "" }
    )
}

pub(super) fn comparing(subject: &Subject<'_>) -> String {
    let family = subject.summary.cells.len().saturating_sub(1);
    let family = match (subject.summary.baseline, family) {
        (None, _) => "The sweep declares no baseline, so there is no comparison.".into(),
        (Some(_), n) => format!(
            "The family of Holm's correction is every cell but the baseline, {} on the primary metric, whatever became of it; \
             secondary metrics are described and not tested.",
            plural(n, "comparison")
        ),
    };
    format!(
        "A cell's value minus the baseline's at the same seed (common random numbers), then mean and t interval over these \
         differences. p: exact two-sided sign-flip test, which counts all patterns of signs (a drawn half million beyond 20 \
         seeds) and needs no distribution; with n seeds it cannot fall below 2 / 2ⁿ. {family} d<sub>z</sub>: mean over SD of \
         the differences. P(better): share of all pairs of a run of the cell and a run of the baseline in which the cell's \
         is better, a tie counting half."
    )
}

pub(super) fn failed_runs(subject: &Subject<'_>) -> String {
    let counted = match metric::failed_as(&subject.summary.metric) {
        Some(value) => format!(
            "It counts as gain {value:.0}, no better than doing nothing, in means, differences and tests."
        ),
        None => "The primary metric has no value for it: its seed is left out, and the cell gets no verdict, since what is \
                 left was selected by surviving."
            .into(),
    };
    format!(
        "A run that diverged, crashed, timed out or ended without a finite value is a result of its cell and is never dropped. \
         {counted} How often it happens is given as k of n with Wilson's 95 % interval."
    )
}
