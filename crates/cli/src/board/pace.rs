//! How far runs are, and how long the rest takes.

use std::time::Duration;

use report::summary::Counts;
use spec::RunConfig;
use track::{RunRecord, RunState, SweepRecord};

/// Of every run of a sweep, by its position in the plan.
pub(crate) struct Pace {
    runs: Vec<Progress>,
    /// Seconds a step of those in training, and how many they are.
    speed: Option<(f64, usize)>,
}

#[derive(Debug, Clone, Copy)]
struct Progress {
    done: u64,
    /// `None` where it hangs on images that no run has counted yet.
    total: Option<u64>,
    is_over: bool,
}

impl Pace {
    pub(crate) fn of(record: &SweepRecord) -> Pace {
        let per_epoch: Vec<Option<u64>> = record.runs.iter().map(steps_per_epoch).collect();
        let of_cell = |cell: usize| {
            let known = record.runs.iter().zip(&per_epoch).filter(|(run, _)| run.cell == cell);
            known.filter_map(|(_, own)| *own).next()
        };
        let progress = |(run, own): (&RunRecord, &Option<u64>)| {
            // A run that has not begun has as many as others of its cell, which have its batch size.
            let per_epoch = own.or_else(|| of_cell(run.cell));
            Progress {
                done: run.rows.iter().map(|row| row.step).max().unwrap_or(0),
                total: total(run, per_epoch),
                is_over: Counts::of([run]).is_final(),
            }
        };
        let running = record.runs.iter().filter(|run| run.state == RunState::Running);
        let speeds: Vec<f64> = running.filter_map(step_s).collect();
        let mean = speeds.iter().sum::<f64>() / speeds.len() as f64;
        Pace {
            runs: record.runs.iter().zip(&per_epoch).map(progress).collect(),
            speed: (!speeds.is_empty()).then_some((mean, speeds.len())),
        }
    }

    /// Of all steps, those that are done or will not be; from 0 to 1.
    pub(crate) fn part(&self) -> f64 {
        let (mut gone, mut all) = (0, 0);
        for run in &self.runs {
            let total = run.total.unwrap_or(run.done);
            all += total;
            gone += if run.is_over { total } else { run.done.min(total) };
        }
        if all == 0 { 0.0 } else { gone as f64 / all as f64 }
    }

    /// As many runs side by side as now, as fast as now, and no less than the longest of them takes;
    /// evaluation is not counted. `None` where nothing trains.
    pub(crate) fn left(&self) -> Option<Duration> {
        let (step_s, side_by_side) = self.speed?;
        let open = self.runs.iter().filter(|run| !run.is_over);
        let left = open.map(|run| Some(run.total?.saturating_sub(run.done)));
        let left = left.collect::<Option<Vec<u64>>>()?;
        let shared = left.iter().sum::<u64>() as f64 / side_by_side as f64;
        let longest = left.into_iter().max().unwrap_or(0) as f64;
        Duration::try_from_secs_f64(shared.max(longest) * step_s).ok()
    }

    pub(crate) fn percent(&self, run: &RunRecord) -> String {
        match self.runs.get(run.index) {
            Some(Progress { done, total: Some(total), .. }) if *total > 0 => {
                format!("{} %", 100 * done / total)
            }
            _ => String::new(),
        }
    }
}

/// Windows of the log that a rate is the mean of: one alone jumps with whatever else the machine does.
const WINDOWS: usize = 20;

/// Seconds a step, lately.
pub(crate) fn step_s(run: &RunRecord) -> Option<f64> {
    let last =
        run.rows.iter().rev().filter(|row| row.name == "perf/step_s" && row.value.is_finite());
    let (sum, n) = last.take(WINDOWS).fold((0.0, 0), |(sum, n), row| (sum + row.value, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

fn total(run: &RunRecord, per_epoch: Option<u64>) -> Option<u64> {
    let config: RunConfig = serde_json::from_value(run.config.clone()).ok()?;
    match config.train.steps {
        Some(_) => Some(config.train.total_steps(0)),
        None => Some(config.train.total_steps(per_epoch?)),
    }
}

/// Worked out from what was recorded: the store says of each row which epoch it belongs to.
fn steps_per_epoch(run: &RunRecord) -> Option<u64> {
    let row = run.rows.iter().rev().find(|row| row.epoch > 0.0)?;
    Some((row.step as f64 / f64::from(row.epoch)).round() as u64)
}
