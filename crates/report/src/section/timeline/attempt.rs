//! The attempts of a run, read back from the words of its timeline, which is all that the record
//! keeps of them. What does not read as an attempt is left out, never guessed.

use std::time::UNIX_EPOCH;

use track::RunRecord;

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
    pub(super) end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Completed,
    Diverged,
    Failed,
    /// Stopped on request.
    Stopped,
    /// Still under way, or gone without a word.
    Open,
}

pub(super) fn of_run(run: &RunRecord) -> Vec<Attempt> {
    let mut attempts: Vec<Attempt> = Vec::new();
    for (ts, words) in &run.timeline {
        let Some(at) = seconds(ts) else { continue };
        if let Some((number, device, host)) = beginning(words) {
            let (run, device, host) = (run.index, device.into(), host.into());
            attempts.push(Attempt { run, number, device, host, from: at, to: at, end: End::Open });
            continue;
        }
        let Some(attempt) = attempts.last_mut() else { continue };
        let was_open = attempt.end == End::Open;
        if was_open && !words.starts_with("opened again") {
            attempt.to = attempt.to.max(at);
        }
        // A scheduler adds its word to the run's own: out of time, after stopped.
        if let Some(end) = ending(words).filter(|end| was_open || *end == End::Failed) {
            attempt.end = end;
        }
    }
    if let Some(last) = attempts.last_mut().filter(|it| it.end == End::Open) {
        let recorded = run.rows.iter().filter(|row| row.attempt == last.number);
        last.to = recorded.map(|row| row.ts_us as f64 / 1e6).fold(last.to, f64::max);
        if run.state.is_failure() {
            last.end = End::Failed;
        }
    }
    attempts
}

/// `attempt 2 begins on cuda:0 (process 7 on host, code 4be81c02)`.
fn beginning(words: &str) -> Option<(u32, &str, &str)> {
    let (number, rest) = words.strip_prefix("attempt ")?.split_once(" begins on ")?;
    let (device, rest) = rest.split_once(" (process ")?;
    let (host, _) = rest.split_once(" on ")?.1.rsplit_once(", code ")?;
    Some((number.parse().ok()?, device, host))
}

fn ending(words: &str) -> Option<End> {
    const ENDS: [(&str, End); 6] = [
        ("completed at ", End::Completed),
        ("diverged at ", End::Diverged),
        ("failed (", End::Failed),
        ("out of time", End::Failed),
        ("lost: ", End::Failed),
        ("stopped and saved", End::Stopped),
    ];
    ENDS.iter().find(|(word, _)| words.starts_with(word)).map(|(_, end)| *end)
}

fn seconds(ts: &str) -> Option<f64> {
    let time = humantime::parse_rfc3339(ts).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs_f64())
}
