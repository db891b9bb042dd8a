//! A sweep as TensorBoard has it: a folder a run, with its metrics step by step, its last samples,
//! and a row of the HPARAMS dashboard.

use std::fs;
use std::io::Cursor;
use std::path::{Component, Path, PathBuf};

use anyhow::bail;
use image::{ImageFormat, ImageReader};
use serde_json::Value;
use tensorboard::{EventWriter, Experiment, HParam, Moment, Outcome, Session};
use track::{MetricRow, RunRecord, RunState, SampleRecord, Split, SweepRecord};

use crate::exit::Exit;
use crate::terminal::{plural, shell_word};

pub(super) fn write(record: &SweepRecord, logdir: &Path) -> anyhow::Result<Exit> {
    let begun: Vec<&RunRecord> = record.runs.iter().filter(|it| !it.rows.is_empty()).collect();
    if begun.is_empty() {
        bail!("no run of `{}` has recorded a metric", record.plan.name);
    }
    let sessions: Vec<Session> = begun.iter().map(|run| session(record, run)).collect();
    let experiment = Experiment::of(&sessions, &result_tags(record));
    for (run, session) in begun.iter().zip(&sessions) {
        write_run(run, session, &experiment, logdir)?;
    }
    tell!("{}: {}", logdir.display(), plural(begun.len(), "run"));
    let without = record.runs.len() - begun.len();
    if without > 0 {
        say!("note: {} without a metric so far left out", plural(without, "run"));
    }
    say!("tensorboard --logdir {}", shell_word(&logdir.display().to_string()));
    Ok(Exit::Done)
}

/// What varies, the seed included: runs of one cell are not averaged, so that one that diverged
/// stays in sight.
fn session(record: &SweepRecord, run: &RunRecord) -> Session {
    let settings = record.plan.cells[run.cell].settings.iter();
    let mut hparams: Vec<_> = settings.map(|(leaf, value)| (leaf.clone(), hparam(value))).collect();
    hparams.push(("seed".to_string(), HParam::Number(run.seed as f64)));
    // The first row is written when its window closes.
    let began = run.rows.first().map_or(0.0, |row| seconds(row) - row.elapsed_s);
    let ended = run.rows.iter().map(seconds).fold(began, f64::max);
    Session { hparams, started: began, ended: outcome(&run.state).map(|it| (ended, it)) }
}

fn hparam(value: &Value) -> HParam {
    match (value, value.as_f64()) {
        (Value::Bool(value), _) => HParam::Bool(*value),
        (_, Some(number)) => HParam::Number(number),
        (other, None) => HParam::Text(spec::show(other)),
    }
}

/// `None` where the run goes on, or can.
fn outcome(state: &RunState) -> Option<Outcome> {
    match state {
        RunState::Completed => Some(Outcome::Success),
        RunState::Diverged { .. } | RunState::Failed { .. } => Some(Outcome::Failure),
        RunState::Planned
        | RunState::Running
        | RunState::Interrupted
        | RunState::TimedOut { .. }
        | RunState::Lost { .. } => None,
    }
}

/// The metrics that the sweep file declares, by the tags of their results: the table has a column
/// for each, which a hundred would make unreadable. The others are among the scalars.
fn result_tags(record: &SweepRecord) -> Vec<String> {
    let metric = &record.plan.metric;
    let mut tags: Vec<String> = Vec::new();
    for name in std::iter::once(&metric.name).chain(&metric.secondary) {
        let mut rows = record.runs.iter().flat_map(|run| run.rows.iter().rev());
        let result = rows.find(|row| row.name == *name && row.split != Split::Val);
        tags.extend(result.map(tag).filter(|tag| !tags.contains(tag)));
    }
    tags
}

fn write_run(
    run: &RunRecord,
    session: &Session,
    experiment: &Experiment,
    logdir: &Path,
) -> anyhow::Result<()> {
    let name = run.folder.file_name().unwrap_or_default().to_string_lossy();
    let mut writer = EventWriter::create(logdir, &name, session.started)?;
    writer.hparams(experiment, session)?;
    for row in &run.rows {
        let at = Moment { step: row.step, wall_time: seconds(row) };
        writer.scalar(&tag(row), at, row.value)?;
    }
    for sample in last_samples(run) {
        let path = inside(run, &sample.path);
        match picture(&path) {
            Ok((width, height, png)) => {
                let at = Moment { step: sample.step, wall_time: time_of(run, sample.step) };
                writer.image_png(&sample_tag(sample), at, width, height, png)?;
            }
            Err(error) => say!("warning: `{}` is left out: {error:#}", path.display()),
        }
    }
    writer.finish()?;
    Ok(())
}

/// A metric has its name on every fold, so the split comes first.
fn tag(row: &MetricRow) -> String {
    format!("{}/{}", row.split.as_str(), row.name)
}

fn sample_tag(sample: &SampleRecord) -> String {
    format!("samples/{}/{}/{}", sample.domain, sample.id, sample.kind.as_str())
}

fn seconds(row: &MetricRow) -> f64 {
    row.ts_us as f64 / 1e6
}

/// Samples have no time of their own: that of the row before, in order of steps.
fn time_of(run: &RunRecord, step: u64) -> f64 {
    let before = run.rows.iter().rev().find(|row| row.step <= step);
    before.or(run.rows.first()).map_or(0.0, seconds)
}

fn last_samples(run: &RunRecord) -> impl Iterator<Item = &SampleRecord> {
    let last = run.samples.iter().map(|sample| sample.step).max();
    run.samples.iter().filter(move |sample| Some(sample.step) == last)
}

/// A store may come from elsewhere: what its list of samples names begins in the run's folder.
fn inside(run: &RunRecord, path: &Path) -> PathBuf {
    let below = path.components().filter(|part| matches!(part, Component::Normal(_)));
    run.folder.join(below.collect::<PathBuf>())
}

/// Width, height and the file as it is.
fn picture(path: &Path) -> anyhow::Result<(u32, u32, Vec<u8>)> {
    const MOST: u64 = 64 << 20;
    // A pipe would be waited for.
    let found = fs::metadata(path)?;
    if !found.is_file() || found.len() > MOST {
        bail!("no file, or one of more than {} MiB", MOST >> 20);
    }
    let png = fs::read(path)?;
    let reader = ImageReader::with_format(Cursor::new(&png), ImageFormat::Png);
    let (width, height) = reader.into_dimensions()?;
    Ok((width, height, png))
}
