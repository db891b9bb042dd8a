//! How the numbers came about, and what they cannot say.

use std::collections::BTreeSet;

use track::CellRecord;

use crate::escape::esc;
use crate::metric;
use crate::number::plural;
use crate::page::Subject;
use crate::summary::smallest_sign_flip_p;

pub(crate) fn section(subject: &Subject<'_>) -> String {
    let (record, plan) = (subject.record, &subject.record.plan);
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
    entry(
        "Estimates",
        "Mean over the seeds whose run completed. Interval: Student's t, 95 %, n − 1 degrees of freedom; it assumes roughly \
         normal values, which a handful of seeds cannot confirm. A single seed has no interval."
            .into(),
    );
    entry(
        "Differences",
        "A cell's value minus the baseline's at the same seed, then mean and t interval over these differences. “Better” and \
         “worse” mean that the interval excludes zero; “too few seeds to tell” that there are fewer than three \
         differences and it does not. Intervals are not corrected for multiple comparisons, and the best of several cells is \
         expected to look better than it is."
            .into(),
    );
    entry(
        "Selection",
        "The last update of a run is its result; no checkpoint was chosen by its score. Best cell: best by the metric \
         declared in the sweep file, compared with the baseline seed by seed, among cells without a diverged or failed run."
            .into(),
    );
    entry(
        "Missing runs",
        "A run that diverged, failed or is not finished has no final value and enters no mean; it is counted in the results \
         table. A value that was not recorded is shown as —."
            .into(),
    );
    entry("Metrics", metrics(subject));
    let data = &plan.dataset;
    entry(
        "Data",
        format!(
            "{} (<code>{}</code>, fingerprint <code>{}</code>). {} Licence: {}.",
            esc(&data.title),
            esc(&data.name),
            esc(&data.fingerprint),
            esc(&data.credit),
            esc(&data.licence)
        ),
    );
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
        .filter(|name| name.starts_with("eval/") || name.starts_with("loss/"));
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
    if plan.design != "grid" && plan.axes.len() > 1 {
        said.push("Axes were varied one at a time: it says nothing of their interactions.".into());
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
