//! The protocol in words: folds, estimators, tests, what failed and flagged runs count as.

use stats::MIN_SEEDS;
use track::{DatasetRecord, SweepRecord};

use crate::escape::esc;
use crate::evaluation::{chooses, chosen_by, data_sets, lacks, result_fold, result_folds};
use crate::number::plural;
use crate::page::Subject;
use crate::section::failed_as;

pub(super) const KID_AND_GAIN: &str = "KID is the squared maximum mean discrepancy with the kernel (x·y / d + 1)³, by the unbiased estimator \
    over all images at once, between features of translations and of real images of the target domain that are no input's \
    partner (the ref fold). Its standard error is the two-sample jackknife's: a bootstrap of images would shift it, and a \
    spread over subsets is no error of the estimate. Features are EfficientNet-Lite0's, which sees images of up to 128 px at \
    128 px and larger ones at 224 px, so values compare neither with a KID of Inception features nor across that line. The \
    gain puts it between two anchors on the same folds: \
    g = 1 − (KID − KID of held-out real images) / (KID of the untranslated inputs − KID of held-out real images), where the \
    held-out real images are the true translations if the data set has such.";

const FLAGS: &str = "From the last evaluation of a run, each with its value and threshold in the runs table. <strong>Misleading</strong> \
    (its numbers of quality would mislead): collapse, fewer different outputs than targets (Vendi ratio below 0.5, more than \
    0.2 duplicates, or a distance correlation below 0.4 times the partners'); identity, the input handed back; constant, the \
    same output for all; nan; metric, known values came out otherwise. <strong>Worth a look</strong>: collapse again (a Vendi ratio \
    below 0.75), blur and noise (energy of \
    fine details below 0.7 or above 1.35 times the target's), tint, steganography (a gap above 6 dB), memorised training \
    images, d_win (the discriminator tells more than 0.98 of all patches right while the generator's loss rises), d_dead \
    (0.48 to 0.52 of them, and its mean scores of images vary by less than 0.0001). Which of them misleads is recorded with \
    the run. It does not count as failed: its values stay in every figure, mean and test, and its cell is never named best.";

/// What flags mean, and whose discriminators they speak of.
pub(super) fn flags(subject: &Subject<'_>) -> String {
    let of_training = match chooses(subject.record) {
        true => {
            " d_win and d_dead speak of the training, up to its last step, and not of the weights that were chosen. How the \
             last discriminators judge the chosen generators, which they were not trained against, is not shown."
        }
        false => "",
    };
    format!("{FLAGS}{of_training}")
}

/// What each image was for. Where folds are not recorded there is no sentence to be made.
pub(super) fn folds(subject: &Subject<'_>) -> String {
    let record = subject.record;
    let data_sets = data_sets(record);
    let of_each: Vec<String> = data_sets
        .iter()
        .map(|data| {
            let counts = counts(record, data);
            let counts = if counts.is_empty() { "Not recorded".into() } else { counts.join("; ") };
            match data_sets.len() {
                1 => counts,
                _ => format!("{}: {counts}", esc(&data.title)),
            }
        })
        .collect();
    let result = result_fold(record);
    let mut said = vec![format!("{}.", of_each.join(". "))];
    if data_sets.iter().any(|data| data.paired) {
        said.push("Of a pair, training sees one side at most.".into());
    }
    said.push(format!(
        "Final values are of the {result}, with translations rounded to 8 bits as an image file keeps them."
    ));
    if lacks(record, "val") {
        said.push(format!(
            "Without a val fold the looks on the way are at the {result} too, so no step and no setting may be chosen by them."
        ));
    }
    if lacks(record, "ref") {
        said.push(format!(
            "Without a ref fold translations are compared with the real images of the {result} itself, and there is no gain."
        ));
    }
    said.join(" ")
}

/// `test 317 A, 317 B (the results; …)`, fold by fold.
fn counts(record: &SweepRecord, data: &DatasetRecord) -> Vec<String> {
    let has_val = data.counts.iter().any(|(fold, _, _)| fold == "val");
    let is_result = |fold: &str| result_folds(record).contains(&fold);
    let purpose = |fold: &str| match fold {
        "train" => " (trained on)",
        "val" if is_result("val") => " (the results, and the looks while training)",
        "val" if chooses(record) => {
            " (looked at while training; the weights of the result are chosen by it)"
        }
        "val" => " (looked at while training; no weights are chosen by it)",
        "ref" => " (the target domain that translations are compared with; nobody's partners)",
        "test" if !is_result("test") => " (not used)",
        "test" if !has_val => " (the results, and the looks while training)",
        "test" => " (the results; nothing was chosen by it)",
        _ => "",
    };
    data.counts
        .iter()
        .map(|(fold, a, b)| format!("<code>{}</code> {a} A, {b} B{}", esc(fold), purpose(fold)))
        .collect()
}

/// Which weights a result is of, and what chose them.
pub(super) fn selection(subject: &Subject<'_>) -> String {
    let record = subject.record;
    let weights = if chooses(record) {
        let by: Vec<String> =
            chosen_by(record).iter().map(|name| format!("<code>{}</code>", esc(name))).collect();
        let same_reference = match lacks(record, "ref") {
            true => "",
            false => {
                " The choice and the result are measured against the same ref images, so the result leans a little towards \
                 them."
            }
        };
        format!(
            "A run's result is of the weights that did best by {} on the val fold, where its configuration says so \
             (<code>eval.checkpoint</code>), else of its last update.{same_reference}",
            by.join(" or ")
        )
    } else {
        "The last update of a run is its result.".into()
    };
    format!(
        "{weights} ★: best mean by the metric declared in the sweep file, compared with the baseline seed by seed, among cells \
         without a run that diverged, failed or is flagged as misleading."
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
         differences, with a studentised bootstrap interval beside it. p: exact two-sided sign-flip test, which counts all patterns of signs (a drawn half million beyond 20 \
         seeds) and needs no distribution; with n seeds it cannot fall below 2 / 2ⁿ. {family} d<sub>z</sub>: mean over SD of \
         the differences. P(better): share of all pairs of a run of the cell and a run of the baseline in which the cell's \
         is better, a tie counting half. The bootstrap interval, d<sub>z</sub> and P(better) take {MIN_SEEDS} pairs or more."
    )
}

pub(super) fn failed_runs(subject: &Subject<'_>) -> String {
    let counted = match failed_as(subject) {
        Some(words) => format!("It counts as a gain of {words}, in means, differences and tests."),
        None => "The primary metric has no value for it: its seed is left out, and the cell gets no verdict, since what is \
                 left was selected by surviving."
            .into(),
    };
    format!(
        "A run that diverged, ran out of memory, panicked or ended without a finite value is a result of its cell and is never \
         dropped. {counted} How often it happens is given as k of n with Wilson's 95 % interval. A run that the machine stopped \
         (disk or device, unreadable files, a limit of time, a killed process) says nothing of its cell, and neither does a \
         completed one that did not record the primary metric: both count as not done, and there is no verdict before they are."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page says what the evaluation does.
    #[test]
    fn thresholds_are_those_of_the_evaluation() {
        let limits = eval::Thresholds::default();
        let (low, high) = (limits.accuracy_dead.start(), limits.accuracy_dead.end());
        for said in [
            format!("Vendi ratio below {},", limits.vendi_fail),
            format!("(a Vendi ratio below {})", limits.vendi_warn),
            format!("more than {} duplicates", limits.duplicates),
            format!("correlation below {} times", limits.correlation_share),
            format!("details below {} or above {} times", limits.blur, limits.noisy),
            format!("a gap above {} dB", limits.steg_gap),
            format!("more than {} of all patches", limits.accuracy_won),
            format!("({low} to {high} of them"),
            format!("vary by less than {})", limits.variance_dead),
        ] {
            assert!(FLAGS.contains(&said), "`{said}` is not in: {FLAGS}");
        }
    }
}
