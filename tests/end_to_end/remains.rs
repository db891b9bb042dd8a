//! What a run leaves, such that two runs can be compared: files byte for byte, metric rows bit for
//! bit, and nothing more than there should be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use polars::prelude::{ParquetReader, SerReader};
use serde_json::Value;
use track::{MetricRow, RunRecord};

use crate::lab::files_below;
use crate::victim::Trial;

/// (step, split, name): there is one row of each.
type RowKey = (u64, String, String);
/// Value, count, extremes, epoch and images.
type RowBits = (u64, u32, Option<u64>, Option<u64>, u32, u64);

pub(crate) struct Remains {
    /// Content by place; of files whose content is not compared, only the place.
    files: BTreeMap<String, Option<Vec<u8>>>,
    rows: BTreeMap<RowKey, RowBits>,
    duplicates: usize,
    time_goes_on: bool,
}

/// What is wrong with a run's remains, compared to those of one that was never disturbed.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Difference {
    pub(crate) lost_rows: usize,
    pub(crate) duplicate_rows: usize,
    /// With other bits, or that should not be there.
    pub(crate) wrong_rows: usize,
    pub(crate) differing_bytes: usize,
    /// Files that should not be there.
    pub(crate) leftovers: Vec<String>,
    pub(crate) missing: Vec<String>,
    pub(crate) time_runs_back: bool,
}

impl Remains {
    /// Of a finished run, as any reader of Parquet sees it.
    pub(crate) fn of(trial: &Trial<'_>) -> Remains {
        let folder = trial.folder();
        let paths = files_below(&folder, "");
        let mut remains = Remains {
            files: BTreeMap::new(),
            rows: BTreeMap::new(),
            duplicates: 0,
            time_goes_on: true,
        };
        for path in paths {
            let relative = path.strip_prefix(&folder).expect("below").to_string_lossy();
            if let Some(place) = place(&relative) {
                let content = compared(&place).then(|| content(&path));
                remains.files.insert(place, content);
            }
        }
        let mut times: BTreeMap<u64, f64> = BTreeMap::new();
        for path in files_below(&folder.join("metrics"), ".parquet") {
            if path.parent() == Some(&folder.join("metrics")) {
                remains.read(&path, &mut times);
            }
        }
        let times: Vec<f64> = times.into_values().collect();
        remains.time_goes_on = times.is_sorted() && times.first().is_none_or(|first| *first >= 0.0);
        remains
    }

    fn read(&mut self, path: &Path, times: &mut BTreeMap<u64, f64>) {
        let file = File::open(path).expect("a part");
        let frame = ParquetReader::new(file).finish().expect("a part that can be read");
        let column = |name: &str| frame.column(name).expect("a column of the schema").clone();
        let (step, split, name) = (column("step"), column("split"), column("name"));
        let (value, count) = (column("value"), column("count"));
        let (min, max) = (column("min"), column("max"));
        let (epoch, images, elapsed) = (column("epoch"), column("images"), column("elapsed_s"));
        for row in 0..frame.height() {
            let text = |it: &polars::prelude::Column| {
                it.str().expect("text").get(row).expect("no null").to_string()
            };
            let float = |it: &polars::prelude::Column| it.f64().expect("floats").get(row);
            let key =
                (step.u64().expect("steps").get(row).expect("no null"), text(&split), text(&name));
            times.insert(key.0, float(&elapsed).expect("no null"));
            let bits = (
                float(&value).expect("no null").to_bits(),
                count.u32().expect("counts").get(row).expect("no null"),
                float(&min).map(f64::to_bits),
                float(&max).map(f64::to_bits),
                epoch.f32().expect("epochs").get(row).expect("no null").to_bits(),
                images.u64().expect("images").get(row).expect("no null"),
            );
            self.duplicates += usize::from(self.rows.insert(key, bits).is_some());
        }
    }

    pub(crate) fn difference(&self, found: &Remains) -> Difference {
        self.difference_but(found, &|_| false)
    }

    /// Some files, by their place, may be different, missing or there.
    pub(crate) fn difference_but(
        &self,
        found: &Remains,
        excused: &dyn Fn(&str) -> bool,
    ) -> Difference {
        let (expected, rows) = (comparable(&self.rows), comparable(&found.rows));
        let names = |it: &Remains| -> BTreeSet<String> {
            it.files.keys().filter(|place| !excused(place)).cloned().collect()
        };
        let (places, found_places) = (names(self), names(found));
        let both = places.intersection(&found_places).filter_map(|place| {
            Some((self.files[place].as_deref()?, found.files[place].as_deref()?))
        });
        Difference {
            lost_rows: expected.keys().filter(|key| !rows.contains_key(*key)).count(),
            duplicate_rows: found.duplicates,
            wrong_rows: wrong(&expected, &rows).count(),
            differing_bytes: both.map(|(a, b)| differing(a, b)).sum(),
            leftovers: found_places.difference(&places).cloned().collect(),
            missing: places.difference(&found_places).cloned().collect(),
            time_runs_back: !found.time_goes_on,
        }
    }

    /// What a reader sees of a run that lies dead: no row that is wrong, and every row up to the
    /// newest checkpoint.
    pub(crate) fn expect_beginning(&self, seen: &RunRecord, checkpoint: u64) -> Result<(), String> {
        let seen: BTreeMap<RowKey, RowBits> = seen.rows.iter().map(as_bits).collect();
        let (expected, seen) = (comparable(&self.rows), comparable(&seen));
        if let Some(key) = wrong(&expected, &seen).next() {
            return Err(format!("while it lay dead, the row {key:?} was wrong"));
        }
        let lost = expected.keys().find(|key| key.0 <= checkpoint && !seen.contains_key(*key));
        match lost {
            Some(key) => Err(format!("while it lay dead, the row {key:?} was lost")),
            None => Ok(()),
        }
    }
}

impl Difference {
    pub(crate) fn is_none(&self) -> bool {
        *self == Difference::default()
    }

    pub(crate) fn add(&mut self, other: &Difference) {
        self.lost_rows += other.lost_rows;
        self.duplicate_rows += other.duplicate_rows;
        self.wrong_rows += other.wrong_rows;
        self.differing_bytes += other.differing_bytes;
        self.leftovers.extend(other.leftovers.iter().cloned());
        self.missing.extend(other.missing.iter().cloned());
        self.time_runs_back |= other.time_runs_back;
    }
}

/// Every file with its content, but the leases, which beat.
pub(crate) fn snapshot(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let name = |path: &Path| path.strip_prefix(folder).expect("below").display().to_string();
    let files = files_below(folder, "").into_iter();
    let files = files.map(|path| (name(&path), std::fs::read(&path).expect("a file")));
    files.filter(|(name, _)| !name.contains("leases/")).collect()
}

/// Which files came, went or changed since.
pub(crate) fn changed(folder: &Path, before: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let now = snapshot(folder);
    let names: BTreeSet<&String> = now.keys().chain(before.keys()).collect();
    names.into_iter().filter(|name| now.get(*name) != before.get(*name)).cloned().collect()
}

fn as_bits(row: &MetricRow) -> (RowKey, RowBits) {
    let key = (row.step, row.split.as_str().to_string(), row.name.clone());
    let bits = (
        row.value.to_bits(),
        row.count,
        row.min.map(f64::to_bits),
        row.max.map(f64::to_bits),
        row.epoch.to_bits(),
        row.images,
    );
    (key, bits)
}

/// Speed and load of the machine differ from run to run.
fn comparable(rows: &BTreeMap<RowKey, RowBits>) -> BTreeMap<&RowKey, &RowBits> {
    let of_the_run = |key: &RowKey| key.1 != "sys" && !key.2.starts_with("perf/");
    rows.iter().filter(|(key, _)| of_the_run(key)).collect()
}

fn wrong<'a>(
    expected: &'a BTreeMap<&'a RowKey, &'a RowBits>,
    found: &'a BTreeMap<&'a RowKey, &'a RowBits>,
) -> impl Iterator<Item = &'a RowKey> {
    found.iter().filter(|(key, bits)| expected.get(*key) != Some(bits)).map(|(key, _)| *key)
}

/// Where a file belongs, whichever attempt wrote it; `None` where any number may be.
fn place(relative: &str) -> Option<String> {
    let (folder, name) = relative.rsplit_once('/').unwrap_or(("", relative));
    let finished = !name.starts_with('.') || name == ".lock";
    if finished && ["metrics/superseded", "leases", "logs"].contains(&folder) {
        return None;
    }
    // An attempt that was killed early has not told where it came from; the next one does.
    if finished && folder.starts_with("provenance/attempt-") {
        return Some(format!("provenance/{name}"));
    }
    if folder == "metrics" && name.starts_with("compact-a") && name.ends_with(".parquet") {
        return Some("metrics/compact.parquet".to_string());
    }
    Some(relative.to_string())
}

fn compared(place: &str) -> bool {
    ["checkpoints/", "samples/", "config."].iter().any(|folder| place.starts_with(folder))
}

/// The bytes, without the times that a checkpoint counts and their hash.
fn content(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).expect("a file");
    let name = path.file_name().expect("a file").to_string_lossy();
    let json = || serde_json::from_slice::<Value>(&bytes).expect("JSON");
    match &*name {
        "state.json" => {
            let mut state = json();
            let counters = state.as_object_mut().expect("an object");
            counters.retain(|name, _| name != "active_s" && name != "window_s");
            serde_json::to_vec(&state).expect("JSON")
        }
        // A line that had to be written again stands there twice; readers take the later.
        "samples.jsonl" => {
            let lines: BTreeSet<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
            lines.into_iter().collect::<Vec<_>>().concat()
        }
        "MANIFEST.json" => {
            let mut manifest = json();
            let files = manifest["files"].as_array_mut().expect("a list");
            files.retain(|file| file["name"] != "state.json");
            serde_json::to_vec(&manifest).expect("JSON")
        }
        _ => bytes,
    }
}

fn differing(a: &[u8], b: &[u8]) -> usize {
    a.len().abs_diff(b.len()) + a.iter().zip(b).filter(|(a, b)| a != b).count()
}
