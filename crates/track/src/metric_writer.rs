//! The metrics of one attempt: rows gathered in memory, sealed into immutable
//! Parquet parts, compacted into one file at the end.

use std::fs;
use std::path::{Path, PathBuf};

use crate::durable;
use crate::error::TrackError;
use crate::layout::RunDir;
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

/// The only writer of a run's `metrics/`; its owner holds the run's lock.
pub struct MetricWriter {
    run: RunDir,
    meta: MetricMeta,
    attempt: u32,
    next_seq: u64,
    pending: Vec<MetricRow>,
}

impl MetricWriter {
    /// Takes up a run's metrics. `rewind_to` is the step of the checkpoint the
    /// attempt goes on from (0 for a new beginning): rows after it are moved
    /// out of the view, to `metrics/superseded/`. `None` leaves all as it is.
    pub fn open(
        run: &RunDir,
        meta: MetricMeta,
        attempt: u32,
        rewind_to: Option<u64>,
    ) -> Result<Self, TrackError> {
        durable::create_dir(&run.superseded())?;
        finish_compaction(&run.metrics())?;
        let mut writer =
            MetricWriter { run: run.clone(), meta, attempt, next_seq: 1, pending: vec![] };
        if let Some(step) = rewind_to {
            writer.rewind(step)?;
        }
        writer.next_seq = writer.last_seq()? + 1;
        Ok(writer)
    }

    /// Adds a row. It is not on the disk before the next `seal`.
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
            value,
            count,
            min,
            max,
            elapsed_s,
            ts_us,
            attempt: self.attempt,
            seq: self.next_seq,
        });
        self.next_seq += 1;
    }

    /// Rows not on the disk yet.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Writes the pending rows as one part and returns its path; `None` where
    /// there were none. After an error they are still pending.
    pub fn seal(&mut self) -> Result<Option<PathBuf>, TrackError> {
        if self.pending.is_empty() {
            return Ok(None);
        }
        let path = self.run.metrics().join(metric_part::part_name(self.attempt, &self.pending));
        durable::create(&path, &self.encode(&path, &self.pending)?)?;
        self.pending.clear();
        Ok(Some(path))
    }

    /// Seals, then puts all parts of all attempts into one file, sorted for
    /// good statistics by (split, name, step). `None` where there is nothing.
    ///
    /// In this order a reader of `*.parquet` never meets a row twice: for an
    /// instant it may meet none.
    pub fn compact(&mut self) -> Result<Option<PathBuf>, TrackError> {
        self.seal()?;
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
        let ready = metrics.join(format!("compact-a{:02}.{READY}", self.attempt));
        let bytes = self.encode(&ready, &rows)?;
        if metric_part::decode(&ready, bytes.clone())?.len() != rows.len() {
            return Err(TrackError::damaged(&ready, "rows were lost in writing"));
        }
        durable::replace(&ready, &bytes)?;
        let written = fs::read(&ready).map_err(TrackError::read(&ready))?;
        if written != bytes {
            let _ = fs::remove_file(&ready);
            return Err(TrackError::damaged(&ready, "the disk gave back other bytes"));
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

    fn rewind(&self, step: u64) -> Result<(), TrackError> {
        for (path, rows) in self.readable_parts()? {
            let (kept, dropped): (Vec<_>, Vec<_>) =
                rows.into_iter().partition(|row| row.step <= step);
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
            let beside = self.run.superseded().join(format!("{stem}-after-{step:08}.parquet"));
            durable::replace(&beside, &self.encode(&beside, &dropped)?)?;
            durable::replace(&path, &self.encode(&path, &kept)?)?;
            if let Some((attempt, _)) = metric_part::parse_part_name(&path) {
                let path_now = path.with_file_name(metric_part::part_name(attempt, &kept));
                if path_now != path {
                    durable::rename(&path, &path_now)?;
                }
            }
        }
        Ok(())
    }

    /// The attempt's last number, should it have written before.
    fn last_seq(&self) -> Result<u64, TrackError> {
        let mut last = 0;
        let names = Listing::read(&self.run.metrics())?;
        let superseded = Listing::read(&self.run.superseded())?;
        for path in names.parts.iter().chain(&names.set_aside).chain(&superseded.parts) {
            match metric_part::parse_part_name(path) {
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
            .map_err(|error| TrackError::write(path)(std::io::Error::other(error)))
    }
}

/// Second half of a compaction, also after a crash in its middle: what
/// `.ready` replaces goes, then it takes its place.
fn finish_compaction(metrics: &Path) -> Result<(), TrackError> {
    let Listing { parts, ready: Some(ready), .. } = Listing::read(metrics)? else {
        return Ok(());
    };
    for part in parts {
        fs::remove_file(&part).map_err(TrackError::write(&part))?;
    }
    durable::rename(&ready, &ready.with_extension("parquet"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, Store};

    /// A run whose attempts have sealed parts with rows at these steps.
    fn written(attempts: &[&[&[u64]]]) -> Store {
        let store = Store::new();
        for (index, parts) in attempts.iter().enumerate() {
            let mut writer = open(&store, index as u32 + 1, None);
            for steps in *parts {
                for &step in *steps {
                    writer.push(fixture::measurement(step, "loss/d_a", step as f64));
                }
                writer.seal().unwrap();
            }
        }
        store
    }

    fn open(store: &Store, attempt: u32, rewind_to: Option<u64>) -> MetricWriter {
        MetricWriter::open(&store.run, MetricMeta::default(), attempt, rewind_to).unwrap()
    }

    fn names(dir: &Path) -> Vec<String> {
        let listing = Listing::read(dir).unwrap();
        let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        listing.parts.iter().chain(&listing.ready).chain(&listing.set_aside).map(name).collect()
    }

    /// (attempt, seq, step) of all that `*.parquet` holds, sorted.
    fn glob(dir: &Path) -> Vec<(u32, u64, u64)> {
        let parts = Listing::read(dir).unwrap().parts;
        let rows = parts.iter().flat_map(|path| metric_part::read(path).unwrap());
        let mut rows: Vec<_> = rows.map(|row| (row.attempt, row.seq, row.step)).collect();
        rows.sort();
        rows
    }

    #[test]
    fn parts_are_named_by_what_they_hold() {
        let store = written(&[&[&[1, 2, 3], &[4]], &[&[5]]]);
        assert_eq!(
            names(&store.run.metrics()),
            [
                "part-a01-00000001-00000003.parquet",
                "part-a01-00000004-00000004.parquet",
                "part-a02-00000001-00000001.parquet"
            ]
        );
        assert_eq!(open(&store, 3, None).seal().unwrap(), None);
        // The same attempt again does not use a number twice.
        let mut again = open(&store, 1, None);
        again.push(fixture::measurement(9, "loss/d_a", 9.0));
        assert!(again.seal().unwrap().unwrap().ends_with("part-a01-00000005-00000005.parquet"));
    }

    #[test]
    fn rewinding() {
        let check = |rewind_to: u64, view: &[u64], parts: &[&str], superseded: &[&str]| {
            let store = written(&[&[&[1, 2, 3], &[4, 5, 6]], &[&[7, 8]]]);
            drop(open(&store, 3, Some(rewind_to)));
            let steps: Vec<u64> = glob(&store.run.metrics()).iter().map(|row| row.2).collect();
            assert_eq!(steps, view, "rewind to {rewind_to}");
            let dropped = glob(&store.run.superseded()).len();
            assert_eq!(dropped + view.len(), 8, "rewind to {rewind_to}");
            assert_eq!(names(&store.run.metrics()), parts, "rewind to {rewind_to}");
            assert_eq!(names(&store.run.superseded()), superseded, "rewind to {rewind_to}");
            // A second time changes nothing.
            drop(open(&store, 3, Some(rewind_to)));
            assert_eq!(names(&store.run.metrics()), parts, "again, rewind to {rewind_to}");
        };
        let (first, second, third) = (
            "part-a01-00000001-00000003.parquet",
            "part-a01-00000004-00000006.parquet",
            "part-a02-00000001-00000002.parquet",
        );
        check(8, &[1, 2, 3, 4, 5, 6, 7, 8], &[first, second, third], &[]);
        check(6, &[1, 2, 3, 4, 5, 6], &[first, second], &[third]);
        check(
            4,
            &[1, 2, 3, 4],
            &[first, "part-a01-00000004-00000004.parquet"],
            &["part-a01-00000004-00000006-after-00000004.parquet", third],
        );
        check(3, &[1, 2, 3], &[first], &[second, third]);
        check(0, &[], &[], &[first, second, third]);
    }

    #[test]
    fn compacting_keeps_every_row_once() {
        let store = written(&[&[&[3, 4], &[5]], &[&[1, 2]]]);
        let before = glob(&store.run.metrics());
        let mut writer = open(&store, 2, None);
        writer.push(fixture::measurement(6, "eval/l1_ab", 0.5));
        writer.compact().unwrap();
        assert_eq!(names(&store.run.metrics()), ["compact-a02.parquet"]);
        assert_eq!(glob(&store.run.metrics()).len(), before.len() + 1);

        // Once more, with more: still one file, still no duplicate.
        writer.push(fixture::measurement(7, "eval/l1_ab", 0.5));
        writer.compact().unwrap();
        assert_eq!(names(&store.run.metrics()), ["compact-a02.parquet"]);
        let rows = glob(&store.run.metrics());
        assert_eq!(rows.len(), before.len() + 2);
        let mut unique = rows.clone();
        unique.dedup();
        assert_eq!(unique, rows);

        let path = store.run.metrics().join("compact-a02.parquet");
        let rows = metric_part::read(&path).unwrap();
        let keys: Vec<_> = rows.iter().map(|row| (row.split, &row.name, row.step)).collect();
        assert!(keys.is_sorted(), "{keys:?}");
    }

    #[test]
    fn a_compaction_cut_short_is_finished() {
        // Killed after `.ready`, with all, some or none of the parts removed.
        for removed in 0..=2 {
            let store = written(&[&[&[1, 2], &[3]]]);
            let parts = Listing::read(&store.run.metrics()).unwrap().parts;
            let expected = glob(&store.run.metrics());
            let whole = written(&[&[&[1, 2], &[3]]]);
            let compacted = open(&whole, 1, None).compact().unwrap().unwrap();
            fs::copy(compacted, store.run.metrics().join("compact-a01.ready")).unwrap();
            parts[..removed].iter().for_each(|part| fs::remove_file(part).unwrap());

            let writer = open(&store, 2, None);
            assert_eq!(names(&store.run.metrics()), ["compact-a01.parquet"]);
            assert_eq!(glob(&store.run.metrics()), expected);
            drop(writer);
        }
    }

    #[test]
    fn a_compacted_run_can_still_be_rewound() {
        let store = written(&[&[&[1, 2, 3]]]);
        open(&store, 1, None).compact().unwrap();
        let mut writer = open(&store, 1, Some(2));
        assert_eq!(glob(&store.run.metrics()), [(1, 1, 1), (1, 2, 2)]);
        writer.push(fixture::measurement(3, "loss/d_a", 3.0));
        writer.seal().unwrap();
        assert_eq!(glob(&store.run.metrics()), [(1, 1, 1), (1, 2, 2), (1, 4, 3)]);
    }

    #[test]
    fn a_damaged_part_is_set_aside_not_lost() {
        let store = written(&[&[&[1], &[2]]]);
        let part = store.run.metrics().join("part-a01-00000001-00000001.parquet");
        let bytes = fs::read(&part).unwrap();
        fs::write(&part, &bytes[..bytes.len() / 2]).unwrap();
        open(&store, 2, Some(9)).compact().unwrap();
        assert_eq!(
            names(&store.run.metrics()),
            ["compact-a02.parquet", "part-a01-00000001-00000001.parquet.damaged"]
        );
        assert_eq!(glob(&store.run.metrics()), [(1, 2, 2)]);
    }

    #[test]
    fn rows_that_could_not_be_written_stay_pending() {
        let store = written(&[]);
        let mut writer = open(&store, 1, None);
        writer.push(fixture::measurement(1, "loss/d_a", 1.0));
        fs::remove_dir_all(store.run.metrics()).unwrap();
        assert!(matches!(writer.seal(), Err(TrackError::Write { .. })));
        assert_eq!(writer.pending(), 1);
        fs::create_dir(store.run.metrics()).unwrap();
        writer.seal().unwrap().unwrap();
        assert_eq!(glob(&store.run.metrics()), [(1, 1, 1)]);
    }
}
