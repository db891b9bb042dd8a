//! The store as plain values. Damage is named and read around: one bad part
//! does not cost a report its other runs.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::attempt::attempts;
use crate::checkpoint;
use crate::error::TrackError;
use crate::event::{Event, Stamped};
use crate::identity::RunIdentity;
use crate::layout::{RunDir, SweepDir};
use crate::metric_log::{self, Parsed};
use crate::metric_part::{self, Listing};
use crate::plan::PlanEntry;
use crate::provenance::read_json;
use crate::record::{MetricRow, RunRecord, RunState, SweepRecord};
use crate::state::RunHistory;
use crate::timeline;

/// Everything a sweep has recorded.
///
/// # Errors
/// `NoSweep`, `Name`, or a plan that cannot be read. Damage within a run is in
/// its `damaged`.
pub fn read_sweep(runs_root: &Path, name: &str) -> Result<SweepRecord, TrackError> {
    sweep_with(runs_root, name, read_run)
}

/// The same without rows and samples: what `status` and `ls` show, at the cost
/// of one small file per run.
pub fn read_sweep_status(runs_root: &Path, name: &str) -> Result<SweepRecord, TrackError> {
    sweep_with(runs_root, name, read_run_status)
}

fn sweep_with(
    runs_root: &Path,
    name: &str,
    read: fn(&Path, &PlanEntry) -> RunRecord,
) -> Result<SweepRecord, TrackError> {
    let sweep = SweepDir::new(runs_root, name)?;
    let (plan, entries) = sweep.read_plan()?;
    let runs = entries.iter().map(|entry| read(runs_root, entry)).collect();
    Ok(SweepRecord { dir: sweep.path().to_owned(), plan, runs })
}

/// One planned run with its rows and samples.
pub fn read_run(runs_root: &Path, entry: &PlanEntry) -> RunRecord {
    let mut record = read_run_status(runs_root, entry);
    record.origins = entry.origins.clone();
    with_rows(record)
}

/// A run by its folder alone, whatever its sweep plans by now: one in the trash too. Index and cell
/// are a plan's and stay 0. `None` where no run has begun.
pub fn read_run_at(run: &RunDir) -> Result<Option<(RunIdentity, RunRecord)>, TrackError> {
    let Some(identity) = run.read_identity()? else { return Ok(None) };
    let mut record = planned(run, &identity.key, identity.seed);
    record.config = identity.config.clone();
    record.dataset = Some(identity.dataset.clone());
    record.program = Some(identity.code.clone());
    // Who set what is a plan's word; here the run's own stands for it.
    let path = run.config_origin();
    match read_json::<Option<BTreeMap<String, String>>>(&path) {
        Ok(found) => record.origins = found.flatten().unwrap_or_default(),
        Err(error) => record.damaged.push((path, in_words(&error))),
    }
    follow_history(run, &mut record);
    Ok(Some((identity, with_rows(record))))
}

fn with_rows(mut record: RunRecord) -> RunRecord {
    if record.state == RunState::Planned {
        return record;
    }
    let run = RunDir::new(record.folder.clone());
    record.log_tail = run.log_tail(record.attempts);
    record.rows = effective_rows(&run, &mut record.damaged);
    if record.active_s.is_none() {
        record.active_s = record.rows.iter().map(|row| row.elapsed_s).reduce(f64::max);
    }
    let path = run.samples_jsonl();
    match run.read_samples() {
        Ok((samples, bad)) => {
            record.samples = samples;
            record.damaged.extend(bad.into_iter().map(|reason| (path.clone(), reason)));
        }
        Err(error) => record.damaged.push((path, in_words(&error))),
    }
    with_surroundings(record, &run)
}

/// Where it was computed, and what there is to go on from.
fn with_surroundings(mut record: RunRecord, run: &RunDir) -> RunRecord {
    let damaged = &mut record.damaged;
    for attempt in &record.history {
        let unreadable = |path, error| damaged.push((path, in_words(&error)));
        record.provenance.extend(run.read_provenance(attempt.number, unreadable));
    }
    match checkpoint::list(run, &record.key) {
        Ok(found) => record.checkpoints = found,
        Err(error) => damaged.push((run.checkpoints(), in_words(&error))),
    }
    record
}

/// One planned run without its rows and samples.
pub fn read_run_status(runs_root: &Path, entry: &PlanEntry) -> RunRecord {
    let run = RunDir::new(runs_root.join(&entry.folder));
    let planned = planned(&run, &entry.key, entry.seed);
    let config = entry.config.clone();
    let mut record = RunRecord { index: entry.index, cell: entry.cell, config, ..planned };
    let identity = run.read_identity().and_then(|identity| match identity {
        Some(found) => run.expect_key(&found.key, &entry.key).map(|()| Some(found)),
        None => Ok(None),
    });
    match identity {
        Ok(Some(own)) => {
            (record.config, record.dataset) = (own.config, Some(own.dataset));
            record.program = Some(own.code);
        }
        // An attempt can fail before it knows what to write there.
        Ok(None) => {}
        Err(error) => {
            record.damaged.push((run.run_json(), in_words(&error)));
            if !matches!(error, TrackError::Damaged { .. }) {
                return record;
            }
        }
    }
    follow_history(&run, &mut record);
    record
}

/// Nothing recorded yet.
fn planned(run: &RunDir, key: &str, seed: u64) -> RunRecord {
    RunRecord {
        index: 0,
        key: key.to_owned(),
        folder: run.path().to_owned(),
        cell: 0,
        seed,
        config: Value::Null,
        origins: BTreeMap::new(),
        dataset: None,
        state: RunState::Planned,
        attempts: 0,
        active_s: None,
        started_at: None,
        device: None,
        code: None,
        program: None,
        provenance: vec![],
        checkpoints: vec![],
        rows: vec![],
        samples: vec![],
        damaged: vec![],
        trouble: vec![],
        flags: vec![],
        absent: BTreeMap::new(),
        history: vec![],
        parameters: None,
        timeline: vec![],
        log_tail: vec![],
    }
}

fn follow_history(run: &RunDir, record: &mut RunRecord) {
    match run.history() {
        Ok(RunHistory { state, events, bad }) => {
            record.state = state;
            events.iter().for_each(|event| follow(record, event));
            record.trouble = timeline::trouble(&events);
            (record.flags, record.absent) = timeline::verdict(&events);
            record.history = attempts(&events);
            record.timeline = timeline::in_words(&events);
            record.damaged.extend(bad.into_iter().map(|reason| (run.events(), reason)));
        }
        Err(error) => record.damaged.push((run.events(), in_words(&error))),
    }
}

fn follow(record: &mut RunRecord, Stamped { ts, event }: &Stamped<Event>) {
    match event {
        Event::Started { attempt, device, code, .. } => {
            record.attempts = record.attempts.max(*attempt);
            record.started_at.get_or_insert_with(|| ts.clone());
            record.device = Some(device.clone());
            record.code = Some(code.clone());
        }
        Event::Resumed { attempt, .. } => record.attempts = record.attempts.max(*attempt),
        Event::Built { parameters } => record.parameters = Some(*parameters),
        Event::Completed { active_s, .. } => record.active_s = Some(*active_s),
        _ => {}
    }
}

/// Rows in order of (step, split, name); of two for the same the later one.
fn effective_rows(run: &RunDir, damaged: &mut Vec<(PathBuf, String)>) -> Vec<MetricRow> {
    let mut rows = match readable_rows(&run.metrics(), damaged) {
        Ok(rows) => rows,
        Err(error) => {
            damaged.push((run.metrics(), in_words(&error)));
            return vec![];
        }
    };
    rows.sort_by(|a, b| {
        (a.step, a.split, &a.name, b.attempt, b.seq)
            .cmp(&(b.step, b.split, &b.name, a.attempt, a.seq))
    });
    rows.dedup_by(|later, first| {
        (later.step, later.split, &later.name) == (first.step, first.split, &first.name)
    });
    rows
}

/// What parts and log hold. A row may be in both: its part is new, and the log not yet removed.
fn readable_rows(
    metrics: &Path,
    damaged: &mut Vec<(PathBuf, String)>,
) -> Result<Vec<MetricRow>, TrackError> {
    // A live run may seal or compact while we read; what was listed is then gone, and listed anew.
    const TRIES: u32 = 5;
    for attempt in 1.. {
        let before = Listing::read(metrics)?;
        let listing = before.clone();
        let part =
            |path: &Path| metric_part::read(path).map(|rows| Parsed { rows, ..Parsed::default() });
        let ready = listing.ready.map(|path| (part(&path), path));
        // One that cannot be read replaces nothing.
        let replaced = matches!(ready, Some((Ok(_), _)));
        let parts = listing.parts.into_iter().filter(|_| !replaced);
        let parts = ready.into_iter().chain(parts.map(|path| (part(&path), path)));
        let log = listing.segments.into_iter().map(|path| (metric_log::inspect(&path), path));

        let (mut rows, mut bad) = (Vec::new(), Vec::new());
        let mut gone = false;
        for (parsed, path) in parts.chain(log) {
            match parsed {
                Ok(parsed) => {
                    rows.extend(parsed.rows);
                    bad.extend(parsed.bad.into_iter().map(|reason| (path.clone(), reason)));
                }
                Err(TrackError::Read { source, .. })
                    if source.kind() == ErrorKind::NotFound && attempt < TRIES =>
                {
                    gone = true;
                    break;
                }
                Err(error) => bad.push((path, in_words(&error))),
            }
        }
        // A directory is not listed in one instant: a part that came while its log went may both
        // have been missed. What is the same afterwards was whole.
        if attempt < TRIES && (gone || Listing::read(metrics)? != before) {
            continue;
        }
        let aside = before.set_aside.into_iter();
        damaged.extend(aside.map(|path| (path, "set aside: not all of it can be read".to_owned())));
        damaged.extend(bad);
        return Ok(rows);
    }
    unreachable!("the last try returns");
}

/// The reason alone: the path stands beside it.
fn in_words(error: &TrackError) -> String {
    match error {
        TrackError::Damaged { reason, .. } => reason.clone(),
        TrackError::Read { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
