//! What each sweep cost, beside what its baseline came to for it.

use track::RunState;

use super::{Beside, Sweep};
use crate::escape::esc;
use crate::number::{MISSING, fixed, grouped};
use crate::section::{interval, plain_table};

/// Of the runs that have a training time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Cost {
    pub(super) runs: usize,
    pub(super) seconds: f64,
    /// Of completed runs alone, as the seconds beside them.
    pub(super) steps: u64,
    step_seconds: f64,
    /// Of one completed run: the fewest and the most.
    pub(super) length: Option<(u64, u64)>,
}

impl Cost {
    pub(super) fn of(sweep: &Sweep<'_>) -> Cost {
        let mut cost = Cost::default();
        for run in &sweep.record().runs {
            let Some(seconds) = run.active_s else { continue };
            cost.runs += 1;
            cost.seconds += seconds;
            let steps = run.rows.iter().map(|row| row.step).max();
            if let Some(steps) = steps.filter(|_| run.state == RunState::Completed) {
                cost.steps += steps;
                cost.step_seconds += seconds;
                let (fewest, most) = cost.length.unwrap_or((steps, steps));
                cost.length = Some((fewest.min(steps), most.max(steps)));
            }
        }
        cost
    }

    pub(super) fn ms_a_step(&self) -> Option<f64> {
        (self.steps > 0).then(|| 1000.0 * self.step_seconds / self.steps as f64)
    }
}

pub(super) fn section(beside: &Beside<'_>) -> String {
    let heads = [
        "sweep",
        "devices",
        "runs#",
        "training, hours#",
        "minutes a run#",
        "steps a run#",
        "ms a step#",
        "baseline, mean and 95 % interval#",
    ];
    let rows: Vec<Vec<String>> = beside.sweeps.iter().map(|sweep| row(beside, sweep)).collect();
    format!(
        "<section id=\"cost\">\n<h2>Cost</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Cost\">\n{}\n\
         </div>\n<p class=\"note\">{}</p>\n</section>\n",
        plain_table(&heads, &rows),
        esc(note(beside))
    )
}

fn row(beside: &Beside<'_>, sweep: &Sweep<'_>) -> Vec<String> {
    let (cost, digits) = (Cost::of(sweep), beside.places());
    let missing = || MISSING.to_string();
    let of_runs = |value: f64, places| match cost.runs {
        0 => missing(),
        _ => fixed(value, places),
    };
    let baseline = sweep.summary.baseline.and_then(|it| sweep.cell(it).estimate);
    vec![
        sweep.record().plan.name.clone(),
        devices(sweep),
        cost.runs.to_string(),
        of_runs(cost.seconds / 3600.0, 2),
        of_runs(cost.seconds / 60.0 / cost.runs as f64, 1),
        match cost.length {
            None => missing(),
            Some((fewest, most)) if fewest == most => grouped(most),
            Some((fewest, most)) => format!("{} to {}", grouped(fewest), grouped(most)),
        },
        cost.ms_a_step().map_or_else(missing, |ms| fixed(ms, 1)),
        baseline.map_or_else(missing, |it| {
            let bounds = interval(it.interval, |value| fixed(value, digits));
            format!("{} {bounds}", fixed(it.mean, digits))
        }),
    ]
}

fn devices(sweep: &Sweep<'_>) -> String {
    let runs = sweep.record().runs.iter();
    let mut devices: Vec<&str> = runs.filter_map(|run| run.device.as_deref()).collect();
    devices.sort_unstable();
    devices.dedup();
    if devices.is_empty() { "not recorded".into() } else { devices.join(", ") }
}

fn note(beside: &Beside<'_>) -> String {
    let mut said = vec![
        "Hours of the devices named: training alone, evaluation excluded, summed over the runs; steps are of completed \
         runs. A run that several sweeps share is counted in each."
            .to_string(),
    ];
    let mut seen: Vec<String> = beside.sweeps.iter().map(devices).collect();
    seen.dedup();
    if seen.len() > 1 {
        said.push("An hour of one device is not an hour of another.".into());
    }
    said.push(
        "Runs side by side on one device slow each other down, so times compare as costs, not as speeds of the code."
            .into(),
    );
    said.join(" ")
}
