//! How the numbers came about, and what they cannot say.

mod protocol;

use std::collections::BTreeSet;

use stats::{MIN_SEEDS, smallest_sign_flip_p};
use track::CellRecord;

use protocol::{KID_AND_GAIN, comparing, failed_runs, flags, folds, selection};

use crate::escape::esc;
use crate::evaluation::data_sets;
use crate::metric;
use crate::number::plural;
use crate::page::Subject;

pub(crate) fn section(subject: &Subject<'_>) -> String {
    let record = subject.record;
    let seeds: Vec<String> = super::seeds(record).iter().map(u64::to_string).collect();
    let mut out = String::from("<section id=\"method\">\n<h2>Method</h2>\n<dl class=\"method\">\n");
    let mut entry =
        |name: &str, html: String| out.push_str(&format!("<dt>{name}</dt><dd>{html}</dd>\n"));
    entry(
        "Unit of analysis",
        format!(
            "One run, that is one seed of one cell. {}: {}. A seed fixes the initial weights, the order of the data, the \
             augmentation and the image pool's draws, and is the same in every cell.",
            plural(seeds.len(), "seed"),
            seeds.join(", ")
        ),
    );
    entry("Folds", folds(subject));
    entry(
        "Estimates",
        "Mean over the seeds whose run completed. Interval: Student's t, 95 %, n − 1 degrees of freedom; it assumes roughly \
         normal values, which a handful of seeds cannot confirm. A single seed has no interval. It holds what other seeds \
         would give on these images; what other images would give is in the standard error over images, shown apart where a \
         metric has one."
            .into(),
    );
    entry("KID and gain", KID_AND_GAIN.into());
    entry("Differences and tests", comparing(subject));
    entry(
        "Verdicts",
        format!(
            "Given once every run has an end and a value, and by rule. Better or worse: p after Holm at most .05, and the 95\u{a0}% t \
             interval does not hold 0. Too few seeds: fewer than {MIN_SEEDS}, or fewer than the number of comparisons needs. \
             Everything else is undecided, which is not the same as equal. The best of several cells is expected to look \
             better than it is."
        ),
    );
    entry("Failed runs", failed_runs(subject));
    entry("Flags", flags(subject));
    entry("Selection", selection(subject));
    entry(
        "What is mechanical",
        "Cycle and identity errors are terms of the objective: a larger weight lowers them whatever the images look like, so \
         they carry no claim of quality, are never called better, and make no best cell. A generator can also hide its input \
         in amplitudes nobody sees and get it back; the steganography gap, shown beside every cycle error, is how much of \
         the reconstruction hangs on that."
            .into(),
    );
    entry(
        "Anchors",
        "What understands nothing (the input itself, the mean image, the input in the target's colours) and what understands \
         all (the true translation), scored on the same images. L1 and PSNR reward blur: an image that ignores its input can \
         beat a translation by them, so they are shown beside the mean image's."
            .into(),
    );
    entry(
        "Missing values",
        "A value that was not recorded is shown as —, never as 0, and the results say why. Metrics that take the feature \
         network's weights are absent where those are."
            .into(),
    );
    entry("Metrics", metrics(subject));
    let data = data_sets(record).into_iter().map(|data| {
        format!(
            "{} (<code>{}</code>, fingerprint <code>{}</code>). {} {}",
            esc(&data.title),
            esc(&data.name),
            esc(&data.fingerprint),
            esc(&data.credit),
            match data.licence.is_empty() {
                true => String::new(),
                false => format!("Licence: {}.", esc(&data.licence)),
            }
        )
    });
    entry("Data", data.collect::<Vec<_>>().join("<br>"));
    let codes: BTreeSet<&str> = record.runs.iter().filter_map(|run| run.code.as_deref()).collect();
    let devices: BTreeSet<&str> =
        record.runs.iter().filter_map(|run| run.device.as_deref()).collect();
    let list = |values: BTreeSet<&str>| match values.len() {
        0 => "not recorded".into(),
        _ => values
            .iter()
            .map(|value| format!("<code>{}</code>", esc(value)))
            .collect::<Vec<_>>()
            .join(", "),
    };
    entry(
        "Software",
        format!(
            "Report by cyclelab {}. Training code: {}. Devices: {}.",
            env!("CARGO_PKG_VERSION"),
            list(codes),
            list(devices)
        ),
    );
    entry("What this sweep cannot show", limits(subject));
    out.push_str("</dl>\n</section>\n");
    out
}

/// Every metric a plot or table of this page may name, in the order of their names.
fn metrics(subject: &Subject<'_>) -> String {
    let plan = &subject.record.plan.metric;
    let declared = std::iter::once(&plan.name).chain(&plan.secondary).map(String::as_str);
    let recorded = subject
        .record
        .runs
        .iter()
        .flat_map(|run| &run.rows)
        .map(|row| row.name.as_str())
        .filter(|name| name.starts_with("eval/") || name.starts_with("loss/"))
        .filter(|name| !spec::is_standard_error(name));
    // Both directions of one metric share their definition: they are listed together.
    let mut entries: Vec<(&str, &str, Vec<String>, String)> = Vec::new();
    for name in declared.chain(recorded).collect::<BTreeSet<_>>() {
        let metric =
            if name == plan.name { subject.primary.clone() } else { metric::describe(name) };
        let unit = metric.unit;
        let direction = if name.starts_with("loss/") { "" } else { metric.direction() };
        let aside = [unit, direction]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", ");
        let written = format!("{} (<code>{}</code>)", esc(&metric.title), esc(name));
        let group = name.rsplit_once('_').map_or(name, |(group, _)| group);
        match entries.iter_mut().find(|entry| entry.0 == group && entry.3 == aside) {
            Some(entry) => entry.2.push(written),
            None => entries.push((group, metric.definition, vec![written], aside)),
        }
    }
    let items: Vec<String> = entries
        .into_iter()
        .map(|(_, definition, names, aside)| {
            let aside = if aside.is_empty() {
                String::new()
            } else {
                format!(" <span class=\"quiet\">[{aside}]</span>")
            };
            format!("<li>{}{aside}: {definition}.</li>", names.join(", "))
        })
        .collect();
    format!("<ul>{}</ul>", items.concat())
}

fn limits(subject: &Subject<'_>) -> String {
    let plan = &subject.record.plan;
    let mut said = Vec::new();
    if let Some(pairs) = subject.summary.fewest_pairs()
        && smallest_sign_flip_p(pairs) > 0.05
    {
        let so_far = if subject.summary.is_final() { "" } else { " so far (the sweep is partial)" };
        said.push(format!(
            "With as few as {} paired{so_far}, no sign-flip test can reach p &lt; 0.05: effects are illustrated, not tested.",
            plural(pairs, "seed")
        ));
    }
    said.push(format!(
        "It speaks of {}; others may order the cells otherwise.",
        held_fixed(&plan.cells)
    ));
    if !plan.dataset.paired {
        said.push(
            "The data set has no true translations: no metric here compares with one.".into(),
        );
    }
    let interactions = match plan.design.as_str() {
        "one-at-a-time" if plan.axes.len() > 1 => "Axes were varied one at a time",
        "leave-one-out" => "Arms were tried one at a time",
        _ => "",
    };
    if !interactions.is_empty() {
        said.push(format!("{interactions}: it says nothing of their interactions."));
    }
    said.push("Metrics of cycle and identity follow the weights of their losses mechanically and do not rank cells by quality.".into());
    said.join(" ")
}

/// What all cells share, in words: `one data set, one preset and one training length`.
fn held_fixed(cells: &[CellRecord]) -> String {
    const FIXED: [(&str, &[&str]); 4] = [
        ("one data set", &["data.dataset", "data.path"]),
        ("one preset", &[]),
        ("one image size", &["data.load_size", "data.crop_size"]),
        (
            "one training length",
            &[
                "train.n_epochs",
                "train.n_epochs_decay",
                "train.steps",
                "train.steps_decay",
                "data.epoch_length",
            ],
        ),
    ];
    let varies =
        |leaf: &&str| cells.iter().flat_map(|cell| &cell.settings).any(|(key, _)| key == leaf);
    let same: Vec<&str> = FIXED
        .iter()
        .filter(|(_, leaves)| !leaves.iter().any(&varies))
        .map(|(words, _)| *words)
        .collect();
    match same.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        few => few.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_is_not_held_fixed() {
        let check = |leaves: &[&str], expected: &str| {
            let cell = CellRecord {
                label: "cell".into(),
                settings: leaves.iter().map(|leaf| ((*leaf).into(), 1.into())).collect(),
                baseline: false,
                seeds: vec![0],
                note: None,
                arm: None,
                origin: None,
                inactive: Vec::new(),
                also: vec![],
            };
            assert_eq!(held_fixed(&[cell]), expected, "{leaves:?}");
        };
        check(
            &["loss.lambda_cycle"],
            "one data set, one preset, one image size and one training length",
        );
        check(&["train.steps"], "one data set, one preset and one image size");
        check(&["data.dataset", "data.crop_size"], "one preset and one training length");
        check(&["data.path", "data.load_size", "train.n_epochs"], "one preset");
    }
}
