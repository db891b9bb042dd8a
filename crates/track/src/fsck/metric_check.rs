//! Every row of a run: parts, log, and what a resume took back. Each row has a number within its
//! attempt, so that one which is missing or there twice is known.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{Examination, Level, in_words, renamed, set_aside};
use crate::durable;
use crate::error::TrackError;
use crate::identity::RunIdentity;
use crate::layout::RunDir;
use crate::metric_log;
use crate::metric_part::{self, Listing, MetricMeta};
use crate::metric_writer::MetricWriter;
use crate::record::MetricRow;

/// Rows by attempt and number.
type Numbers = BTreeSet<(u32, u64)>;

/// Rows that may have been in a file that cannot be read: attempt, first and last number.
type Lost = (u32, u64, u64, PathBuf);

struct Part {
    path: PathBuf,
    rows: Vec<MetricRow>,
}

pub(super) fn check(run: &RunDir, identity: Option<&RunIdentity>, found: &mut Examination) {
    let listings = Listing::read(&run.metrics())
        .and_then(|view| Ok((view, Listing::read(&run.superseded())?)));
    let (view, taken_back) = match listings {
        Ok(listings) => listings,
        Err(error) => return found.damaged(&run.metrics(), in_words(&error)),
    };
    let open = || open(run, identity);
    let mut lost = lost_before(&view, &taken_back, found);

    let parts = match view.ready.as_deref().and_then(|it| readable(it, found, &mut lost)) {
        // Complete, and in place of all parts.
        Some(ready) => {
            found.mend(Level::Repairable, &ready.path, "a compaction was cut short", || {
                open()?;
                Ok("finished".to_owned())
            });
            vec![ready]
        }
        None => view.parts.iter().filter_map(|it| readable(it, found, &mut lost)).collect(),
    };
    let superseded: Vec<Part> =
        taken_back.parts.iter().filter_map(|it| readable(it, found, &mut lost)).collect();
    let meta = identity.map(|identity| meta_of(run, identity));
    let mut numbers = check_doubles(run, &parts, meta.as_ref(), found);
    numbers.extend(check_log(&view.segments, &open, found, &mut lost));
    found.checkup.rows = numbers.len();
    numbers.extend(superseded.iter().flat_map(|part| part.rows.iter().map(number)));
    check_gaps(&run.metrics(), &numbers, &lost, found);
}

fn number(row: &MetricRow) -> (u32, u64) {
    (row.attempt, row.seq)
}

/// A part that can be read, under the name it should have.
fn readable(path: &Path, found: &mut Examination, lost: &mut Vec<Lost>) -> Option<Part> {
    let rows = match metric_part::read(path) {
        Ok(rows) => rows,
        Err(error @ TrackError::Damaged { .. }) => {
            found.mend(Level::Repairable, path, in_words(&error), || set_aside(path));
            lost.extend(range_of(path));
            return None;
        }
        Err(error) => {
            found.damaged(path, in_words(&error));
            return None;
        }
    };
    let path = named_by_its_rows(path, &rows, found);
    Some(Part { path, rows })
}

/// A part that a rewind was renaming has fewer rows than its name says.
fn named_by_its_rows(path: &Path, rows: &[MetricRow], found: &mut Examination) -> PathBuf {
    let (Some((attempt, first, last, _)), [row, ..]) = (range_of(path), rows) else {
        return path.to_owned();
    };
    // What was taken back keeps the name of the part it was in.
    if path.to_string_lossy().contains("-after-") || path.to_string_lossy().contains(TWICE) {
        return path.to_owned();
    }
    let numbers = rows.iter().map(|row| row.seq);
    let holds = (row.attempt, numbers.clone().min(), numbers.max());
    if holds == (attempt, Some(first), Some(last)) {
        return path.to_owned();
    }
    let right = path.with_file_name(metric_part::part_name(row.attempt, rows));
    let what = format!("holds what {} would", right.file_name().unwrap_or_default().display());
    let mut now = path.to_owned();
    found.mend(Level::Repairable, path, what, || {
        if right.exists() {
            return Err(TrackError::damaged(&right, "there is another part of that name"));
        }
        durable::rename(path, &right)?;
        now.clone_from(&right);
        Ok(renamed(&right))
    });
    now
}

/// In the name of what is left when rows that another part has were taken out of one.
const TWICE: &str = "-twice";

/// Every number once, and parts in which some appear again.
fn check_doubles(
    run: &RunDir,
    parts: &[Part],
    meta: Option<&MetricMeta>,
    found: &mut Examination,
) -> Numbers {
    let mut seen: BTreeMap<(u32, u64), &MetricRow> = BTreeMap::new();
    for Part { path, rows } in parts {
        let (again, new): (Vec<_>, Vec<_>) =
            rows.iter().partition(|row| seen.contains_key(&number(row)));
        if again.iter().any(|row| !is_same(row, seen[&number(row)])) {
            found.damaged(path, "rows with the numbers of other rows: there were two writers");
        } else if !again.is_empty() {
            let what = format!("{} rows that another part has too", again.len());
            let kept: Vec<MetricRow> = new.iter().map(|row| (*row).clone()).collect();
            found.mend(Level::Repairable, path, what, || keep_only(run, path, &kept, meta));
        }
        seen.extend(new.into_iter().map(|row| (number(row), row)));
    }
    seen.into_keys().collect()
}

/// NaN is NaN here.
fn is_same(a: &MetricRow, b: &MetricRow) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

/// The part as it was moves to what was taken back; in the view stays what is not elsewhere.
fn keep_only(
    run: &RunDir,
    path: &Path,
    kept: &[MetricRow],
    meta: Option<&MetricMeta>,
) -> Result<String, TrackError> {
    durable::create_dir(&run.superseded())?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let beside = run.superseded().join(format!("{stem}{TWICE}.parquet"));
    let done = format!("moved to superseded/{stem}{TWICE}.parquet");
    if kept.is_empty() {
        durable::rename(path, &beside)?;
        return Ok(done);
    }
    let meta = meta.ok_or_else(|| TrackError::damaged(&run.run_json(), "needed for the repair"))?;
    let bytes = metric_part::encode(meta, kept)
        .map_err(|error| TrackError::write(path)(std::io::Error::other(error)))?;
    durable::create(&beside, &fs::read(path).map_err(TrackError::read(path))?)?;
    durable::replace(path, &bytes)?;
    let name = metric_part::part_name(kept[0].attempt, kept);
    if range_of(path).is_some() {
        durable::rename(path, &path.with_file_name(name))?;
    }
    Ok(format!("{done}; the other rows stay"))
}

fn check_log(
    segments: &[PathBuf],
    open: &dyn Fn() -> Result<MetricWriter, TrackError>,
    found: &mut Examination,
    lost: &mut Vec<Lost>,
) -> Numbers {
    let mut numbers = Numbers::new();
    // All of them first: a repair of one is a repair of all.
    let inspected: Vec<_> = segments.iter().map(|path| (path, metric_log::inspect(path))).collect();
    for (path, parsed) in inspected {
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(error) => {
                found.damaged(path, in_words(&error));
                continue;
            }
        };
        let (level, what) = match (parsed.bad.as_slice(), parsed.torn_tail) {
            ([], false) => (Level::Note, "rows that are in no part yet".to_owned()),
            ([], true) => (Level::Repairable, "a torn last line".to_owned()),
            (bad, _) => (Level::Repairable, bad.join("; ")),
        };
        if !parsed.bad.is_empty() {
            lost.extend(range_of(path));
        }
        found.mend(level, path, what, || {
            open()?;
            Ok("its rows are in a part".to_owned())
        });
        numbers.extend(parsed.rows.iter().map(number));
    }
    numbers
}

/// Numbers of an attempt that no file has. Those of a file that cannot be read were named with it.
fn check_gaps(metrics: &Path, numbers: &Numbers, lost: &[Lost], found: &mut Examination) {
    let mut before = (0, 0);
    for &(attempt, seq) in numbers {
        let expected = if attempt == before.0 { before.1 + 1 } else { 1 };
        before = (attempt, seq);
        if seq == expected {
            continue;
        }
        let (first, last) = (expected, seq - 1);
        let which = match first == last {
            true => format!("row {first} of attempt {attempt}"),
            false => format!("rows {first} to {last} of attempt {attempt}"),
        };
        let with = |(of, from, to, _): &&Lost| *of == attempt && *from <= first && last <= *to;
        match lost.iter().find(with) {
            Some((.., path)) => found.note(path, format!("{which}: lost with this file")),
            None => found.damaged(metrics, format!("{which}: in no file")),
        }
    }
}

/// Files that were set aside earlier.
fn lost_before(view: &Listing, taken_back: &Listing, found: &mut Examination) -> Vec<Lost> {
    let aside = view.set_aside.iter().chain(&taken_back.set_aside);
    aside
        .inspect(|path| found.note(path, "set aside: not all of it can be read"))
        .filter_map(|path| range_of(path))
        .collect()
}

/// What the name of a part or of a segment says; a compaction and a segment may hold anything after
/// their first row.
fn range_of(path: &Path) -> Option<Lost> {
    let name = path.file_name()?.to_str()?;
    let (kind, rest) = name.split_once("-a")?;
    let mut fields = rest.split(['-', '.']);
    let attempt = fields.next()?.parse().ok()?;
    let mut next = || fields.next()?.parse().ok();
    let (first, last) = match kind {
        "part" => (next()?, next()?),
        "wal" => (next()?, u64::MAX),
        _ => return None,
    };
    Some((attempt, first, last, path.to_owned()))
}

/// Repairs as it opens: finishes a compaction, and makes parts of the log.
fn open(run: &RunDir, identity: Option<&RunIdentity>) -> Result<MetricWriter, TrackError> {
    let needed = || TrackError::damaged(&run.run_json(), "needed for the repair");
    let meta = meta_of(run, identity.ok_or_else(needed)?);
    MetricWriter::open(run, meta, run.attempts()?, None)
}

fn meta_of(run: &RunDir, identity: &RunIdentity) -> MetricMeta {
    let config = fs::read(run.config_toml()).unwrap_or_default();
    MetricMeta {
        run_key: identity.key.clone(),
        sweep: identity.sweep.clone(),
        config_blake3: blake3::hash(&config).to_hex().to_string(),
        git: identity.code.commit.clone().unwrap_or_default(),
        dirty: identity.code.dirty,
        dataset_fingerprint: identity.dataset.fingerprint.clone(),
        version: identity.code.version.clone(),
    }
}
