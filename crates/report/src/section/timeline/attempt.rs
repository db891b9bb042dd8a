//! The attempts of a run on a common clock.

use std::time::UNIX_EPOCH;

use track::{AttemptEnd, AttemptRecord, RunRecord};

/// One process that worked on a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attempt {
    pub(super) run: usize,
    pub(super) number: u32,
    pub(super) device: String,
    pub(super) host: String,
    /// Seconds since the Unix epoch.
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) end: AttemptEnd,
}

/// What has no time is left out, never guessed.
pub(super) fn of_run(run: &RunRecord) -> Vec<Attempt> {
    let mut attempts: Vec<Attempt> =
        run.history.iter().filter_map(|record| timed(run.index, record)).collect();
    if let Some(last) = attempts.last_mut().filter(|it| it.end == AttemptEnd::Open) {
        let recorded = run.rows.iter().filter(|row| row.attempt == last.number);
        last.to = recorded.map(|row| row.ts_us as f64 / 1e6).fold(last.to, f64::max);
        if run.state.is_failure() {
            last.end = AttemptEnd::Failed;
        }
    }
    attempts
}

fn timed(run: usize, record: &AttemptRecord) -> Option<Attempt> {
    let from = seconds(&record.from)?;
    Some(Attempt {
        run,
        number: record.number,
        device: record.device.clone(),
        host: record.host.clone(),
        from,
        // Clocks are set back at times.
        to: seconds(&record.to)?.max(from),
        end: record.end,
    })
}

fn seconds(ts: &str) -> Option<f64> {
    let time = humantime::parse_rfc3339(ts).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs_f64())
}
