//! The metrics of one attempt: rows gathered in memory and in the log, sealed
//! into immutable Parquet parts, compacted into one file at the end.
//!
//! A row is told by its (attempt, seq). A kill at any point loses no row that
//! was logged and doubles none: whatever is in two places after it, log and
//! part or parts and compaction, is equal there, and `open` takes one away.

use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::durable;
use crate::error::TrackError;
use crate::layout::RunDir;
use crate::metric_log::{self, Parsed, Segment};
use crate::metric_part::{self, Listing, MetricMeta, READY};
use crate::record::{MetricRow, Split};

/// A row before it is given its place in the attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    pub step: u64,
    pub epoch: f32,
    pub images: u64,
    pub split: Split,
    pub name: String,
    pub value: f64,
    pub count: u32,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub elapsed_s: f64,
    pub ts_us: i64,
}

/// Where an attempt goes on. Rows after it are taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resumption {
    /// Of the checkpoint; 0 for a new beginning.
    pub step: u64,
    /// The evaluation at this step is still to be done, or done again: its rows are taken back too.
    pub owes_evaluation: bool,
}

impl Resumption {
    /// From a step with which all is done.
    pub fn after(step: u64) -> Self {
        Resumption { step, owes_evaluation: false }
    }

    fn keeps(self, row: &MetricRow) -> bool {
        let of_evaluation = matches!(row.split, Split::Val | Split::Eval);
        let again = self.owes_evaluation && row.step == self.step && of_evaluation;
        row.step <= self.step && !again
    }
}

/// The only writer of a run's `metrics/`; its owner holds the run's lock.
pub struct MetricWriter {
    run: RunDir,
    meta: MetricMeta,
    attempt: u32,
    next_seq: u64,
    /// Rows in no part yet.
    pending: Vec<MetricRow>,
    /// How many of those, from the first, are in the segment.
    logged: usize,
    segment: Option<Segment>,
}

impl MetricWriter {
    /// Takes up a run's metrics, and first repairs what a killed attempt left: a
    /// compaction is finished, rows of the log become parts, files that never got
    /// a name go. Rows beyond `resumption` are moved out of the view, to
    /// `metrics/superseded/`. `None` leaves every row where it is.
    pub fn open(
        run: &RunDir,
        meta: MetricMeta,
        attempt: u32,
        resumption: Option<Resumption>,
    ) -> Result<Self, TrackError> {
        durable::create_dir(&run.superseded())?;
        remove_unnamed(&[run.metrics(), run.superseded()])?;
        finish_compaction(&run.metrics())?;
        let mut writer = MetricWriter {
            run: run.clone(),
            meta,
            attempt,
            next_seq: 1,
            pending: vec![],
            logged: 0,
            segment: None,
        };
        writer.recover_log()?;
        if let Some(resumption) = resumption {
            writer.rewind(resumption)?;
        }
        writer.next_seq = writer.last_seq()? + 1;
        Ok(writer)
    }

    /// Adds a row. It does not outlive the process before the next `log` or `seal`.
    pub fn push(&mut self, measurement: Measurement) {
        let Measurement {
            step,
            epoch,
            images,
            split,
            name,
            value,
            count,
            min,
            max,
            elapsed_s,
            ts_us,
        } = measurement;
        self.pending.push(MetricRow {
            step,
            epoch,
            images,
            split,
            name,
            value: plain(value),
            count,
            min: min.map(plain),
            max: max.map(plain),
            elapsed_s,
            ts_us,
            attempt: self.attempt,
            seq: self.next_seq,
        });
        self.next_seq += 1;
    }

    /// Rows in no part yet.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Puts the rows that are new since the last call into the log, where a kill
    /// does not reach them; `sync` is for a power cut. After an error none of
    /// them is there, and the next call or `seal` tries again.
    pub fn log(&mut self) -> Result<(), TrackError> {
        let [first, ..] = &self.pending[self.logged..] else { return Ok(()) };
        let segment = match &mut self.segment {
            Some(segment) => segment,
            none => none.insert(Segment::create(&self.run.metrics(), first)?),
        };
        segment.append(&self.pending[self.logged..])?;
        self.logged = self.pending.len();
        Ok(())
    }

    /// Returns once every logged row is on the disk.
    pub fn sync(&mut self) -> Result<(), TrackError> {
        let synced = self.segment.as_mut().map_or(Ok(()), Segment::sync);
        // Should the disk not take this file, perhaps it takes another: the part.
        synced.or_else(|_| self.seal().map(drop))
    }

    /// Writes the pending rows as one part and returns its path; `None` where
    /// there were none. After an error they are still pending, unless all that
    /// failed was to remove the log of rows that now are in the part.
    pub fn seal(&mut self) -> Result<Option<PathBuf>, TrackError> {
        // Should one have failed half way: a part from now on is none of those it replaces.
        finish_compaction(&self.run.metrics())?;
        if self.pending.is_empty() {
            return Ok(None);
        }
        let path = self.write_part(&self.pending)?;
        self.pending.clear();
        self.logged = 0;
        self.segment.take().map_or(Ok(()), Segment::remove)?;
        Ok(Some(path))
    }

    /// Seals, then puts all parts of all attempts into one file, sorted for
    /// good statistics by (split, name, step). `None` where there is nothing.
    ///
    /// In this order a reader of `*.parquet` never meets a row twice: for an
    /// instant it may meet none.
    pub fn compact(&mut self) -> Result<Option<PathBuf>, TrackError> {
        self.seal()?;
        // A segment that could not be removed when its rows became a part.
        self.recover_log()?;
        let metrics = self.run.metrics();
        let mut rows = Vec::new();
        for (_, part) in self.readable_parts()? {
            rows.extend(part);
        }
        if rows.is_empty() {
            return Ok(None);
        }
        rows.sort_by(|a, b| {
            let order = |a: &MetricRow| (a.step, a.attempt, a.seq);
            (a.split, &a.name, order(a)).cmp(&(b.split, &b.name, order(b)))
        });
        // Equal rows stand together: a part that could not be removed may have left them twice.
        rows.dedup_by_key(|row| (row.attempt, row.seq));
        let ready = metrics.join(format!("compact-a{:02}.{READY}", self.attempt));
        let bytes = self.encode(&ready, &rows)?;
        if metric_part::decode(&ready, bytes.clone())?.len() != rows.len() {
            return Err(TrackError::damaged(&ready, "rows were lost in writing"));
        }
        durable::replace(&ready, &bytes)?;
        let written = fs::read(&ready).map_err(TrackError::read(&ready))?;
        if written != bytes {
            let _ = fs::remove_file(&ready);
            let other = io::Error::other("the disk gave back other bytes");
            return Err(TrackError::write(&ready)(other));
        }
        finish_compaction(&metrics)?;
        Ok(Some(ready.with_extension("parquet")))
    }

    /// Every part with its rows. One that cannot be read is set aside: the rest
    /// goes on, and readers name it.
    fn readable_parts(&self) -> Result<Vec<(PathBuf, Vec<MetricRow>)>, TrackError> {
        let mut readable = Vec::new();
        for path in Listing::read(&self.run.metrics())?.parts {
            match metric_part::read(&path) {
                Ok(rows) => readable.push((path, rows)),
                Err(TrackError::Damaged { .. }) => metric_part::set_aside(&path)?,
                Err(error) => return Err(error),
            }
        }
        Ok(readable)
    }

    /// Makes parts of what the log of a killed attempt holds and no part does: the
    /// kill may have come between the part and the removal of its segment, then
    /// or in here. A segment with a bad line is kept beside, and named by readers.
    ///
    /// What a part that cannot be read held is taken from the log again: of the
    /// two mistakes, a row twice and a row lost, readers mend the first.
    fn recover_log(&self) -> Result<(), TrackError> {
        let segments = Listing::read(&self.run.metrics())?.segments;
        if segments.is_empty() {
            return Ok(());
        }
        let mut in_parts = self.rows_in_parts()?;
        for path in segments {
            let Parsed { mut rows, bad, .. } = metric_log::inspect(&path)?;
            rows.retain(|row| in_parts.insert((row.attempt, row.seq)));
            if !rows.is_empty() {
                self.write_part(&rows)?;
            }
            match bad.is_empty() {
                true => metric_log::remove(&path)?,
                false => metric_part::set_aside(&path)?,
            }
        }
        Ok(())
    }

    /// (attempt, seq) of every row in the view or taken back.
    fn rows_in_parts(&self) -> Result<HashSet<(u32, u64)>, TrackError> {
        let mut rows: Vec<MetricRow> = Vec::new();
        for (_, part) in self.readable_parts()? {
            rows.extend(part);
        }
        for path in Listing::read(&self.run.superseded())?.parts {
            match metric_part::read(&path) {
                Ok(part) => rows.extend(part),
                Err(TrackError::Damaged { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(rows.iter().map(|row| (row.attempt, row.seq)).collect())
    }

    /// A new part of rows of one attempt.
    fn write_part(&self, rows: &[MetricRow]) -> Result<PathBuf, TrackError> {
        let path = self.run.metrics().join(metric_part::part_name(rows[0].attempt, rows));
        durable::create(&path, &self.encode(&path, rows)?).inspect_err(|error| {
            // When only the directory could not be synced the part is there, and its rows would
            // be there twice once the next try has more of them.
            let in_the_way = matches!(error, TrackError::Write { source, .. }
                if source.kind() == ErrorKind::AlreadyExists);
            if !in_the_way {
                let _ = fs::remove_file(&path);
            }
        })?;
        Ok(path)
    }

    fn rewind(&self, to: Resumption) -> Result<(), TrackError> {
        for (path, rows) in self.readable_parts()? {
            let (kept, dropped): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| to.keeps(row));
            if dropped.is_empty() {
                continue;
            }
            let name = path.file_name().expect("listed by name");
            if kept.is_empty() {
                durable::rename(&path, &self.run.superseded().join(name))?;
                continue;
            }
            // First what is taken back, under a name that only depends on the rewind: killed
            // at any point, the next attempt does the same again. Then the part is replaced in
            // one step under its old name, and at last renamed to the range it now has.
            let stem = path.file_stem().expect("listed by name").to_string_lossy();
            let beside = self.run.superseded().join(format!("{stem}-after-{:08}.parquet", to.step));
            durable::replace(&beside, &self.encode(&beside, &dropped)?)?;
            durable::replace(&path, &self.encode(&path, &kept)?)?;
            if let Some((attempt, _)) = metric_part::parse_name(&path) {
                let path_now = path.with_file_name(metric_part::part_name(attempt, &kept));
                if path_now != path {
                    durable::rename(&path, &path_now)?;
                }
            }
        }
        Ok(())
    }

    /// The attempt's last number, should it have written before; the log is empty by now.
    fn last_seq(&self) -> Result<u64, TrackError> {
        let mut last = 0;
        let names = Listing::read(&self.run.metrics())?;
        let superseded = Listing::read(&self.run.superseded())?;
        for path in names.parts.iter().chain(&names.set_aside).chain(&superseded.parts) {
            match metric_part::parse_name(path) {
                Some((attempt, seq)) if attempt == self.attempt => last = last.max(seq),
                Some(_) => {}
                None if path.extension().is_some_and(|it| it == "parquet") => {
                    let rows = metric_part::read(path).unwrap_or_default();
                    let ours = rows.iter().filter(|row| row.attempt == self.attempt);
                    last = ours.map(|row| row.seq).fold(last, u64::max);
                }
                None => {}
            }
        }
        Ok(last)
    }

    fn encode(&self, path: &Path, rows: &[MetricRow]) -> Result<Vec<u8>, TrackError> {
        metric_part::encode(&self.meta, rows)
            .map_err(|error| TrackError::write(path)(io::Error::other(error)))
    }
}

/// The log writes every NaN alike; so no row depends on the way it took.
fn plain(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value }
}

fn remove_unnamed(dirs: &[PathBuf]) -> Result<(), TrackError> {
    for dir in dirs {
        for path in Listing::read(dir)?.unnamed {
            fs::remove_file(&path).map_err(TrackError::write(&path))?;
        }
    }
    Ok(())
}

/// Second half of a compaction, also after a crash in its middle: what
/// `.ready` replaces goes, then it takes its place.
fn finish_compaction(metrics: &Path) -> Result<(), TrackError> {
    let Listing { parts, ready: Some(ready), .. } = Listing::read(metrics)? else {
        return Ok(());
    };
    match metric_part::read(&ready) {
        Ok(_) => {}
        // The parts that are left are all there is.
        Err(TrackError::Damaged { .. }) => return metric_part::set_aside(&ready),
        Err(error) => return Err(error),
    }
    for part in parts {
        fs::remove_file(&part).map_err(TrackError::write(&part))?;
    }
    // Or a power cut brings parts back beside what replaced them.
    durable::sync_dir(metrics)?;
    durable::rename(&ready, &ready.with_extension("parquet"))
}

#[cfg(test)]
mod tests;
