//! The comparison in short: `summary.md`, and the table that the terminal shows.

use super::settings::Setting;
use super::{Beside, TextTable, page, sweeps};
use crate::escape::esc;
use crate::markdown::{from_html, md};
use crate::number::{MISSING, fixed, setting, signed};
use crate::section::interval;

pub(super) fn markdown(beside: &Beside<'_>) -> String {
    let mut blocks = vec![
        format!("# {}", md(&page::heading(beside))),
        from_html(&sweeps::banners(beside)),
        compared(beside),
        "## Answer".into(),
        from_html(&page::said(beside)),
        "## Results".into(),
        results(beside),
        md(&note(beside)),
    ];
    blocks.retain(|block| !block.is_empty());
    blocks.join("\n\n") + "\n"
}

/// One line a sweep, and the leaves in which they differ.
fn compared(beside: &Beside<'_>) -> String {
    let mut lines: Vec<String> = beside
        .sweeps
        .iter()
        .map(|sweep| {
            let plan = &sweep.record().plan;
            let question = plan.question.trim();
            let question = if question.is_empty() { MISSING } else { question };
            let (done, all) = (
                sweep.record().runs.iter().filter(|run| run.state == track::RunState::Completed),
                sweep.record().runs.len(),
            );
            format!(
                "- **{}**: {} ({}; {} of {all} runs completed)",
                md(&plan.name),
                md(question),
                md(&plan.dataset.title),
                done.count()
            )
        })
        .collect();
    let differing = beside.matched.differing.iter().map(|it| {
        let value =
            |value: &Option<serde_json::Value>| value.as_ref().map_or(MISSING.into(), setting);
        let values: Vec<String> = it.values.iter().map(value).collect();
        format!("{} {}", it.leaf, values.join(" / "))
    });
    let differing: Vec<String> = differing.collect();
    if !differing.is_empty() {
        let html = format!("The baselines also differ in: {}.", esc(differing.join("; ")));
        lines.push(String::new());
        lines.push(from_html(&html));
    }
    lines.join("\n")
}

fn results(beside: &Beside<'_>) -> String {
    let TextTable { head, rows } = table(beside);
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|it| md(it)).collect();
        format!("| {} |", cells.join(" | "))
    };
    let rule = format!("| --- |{}", " --: |".repeat(head.len() - 1));
    let lines = std::iter::once(line(&head)).chain([rule]).chain(rows.iter().map(|row| line(row)));
    lines.collect::<Vec<_>>().join("\n")
}

/// The mean, the difference to the sweep's own baseline, and the verdict, of every sweep.
pub(super) fn table(beside: &Beside<'_>) -> TextTable {
    let mut head = vec!["setting".to_string()];
    for sweep in &beside.sweeps {
        let name = &sweep.record().plan.name;
        head.extend([name.clone(), format!("{name} − baseline"), String::new()]);
    }
    let settings = beside.matched.settings.iter();
    TextTable { head, rows: settings.map(|setting| row(beside, setting)).collect() }
}

fn row(beside: &Beside<'_>, setting: &Setting) -> Vec<String> {
    let digits = beside.places();
    let missing = || MISSING.to_string();
    let mut row = vec![setting.name.clone()];
    for (sweep, cell) in beside.sweeps.iter().zip(&setting.cells) {
        let Some(cell) = *cell else {
            row.extend([missing(), String::new(), String::new()]);
            continue;
        };
        let own = sweep.cell(cell);
        row.push(own.estimate.map_or_else(missing, |it| fixed(it.mean, digits)));
        row.push(own.difference().map_or_else(String::new, |it| {
            let bounds = interval(it.interval, |value| signed(value, digits));
            format!("{} {bounds}", signed(it.mean, digits))
        }));
        row.push(sweep.verdict_in_words(cell).into());
    }
    row
}

fn note(beside: &Beside<'_>) -> String {
    format!(
        "{}: {}. Differences are to each sweep's own baseline, paired by seed, with 95 % t intervals. {} The page beside this \
         file has the figure and the method, `data.json` every number.",
        beside.metric.title,
        beside.metric.direction(),
        beside.evaluation.sentence()
    )
    .replace('`', "")
}
