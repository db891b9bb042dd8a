//! The files in `metrics/`, their names and their order of appearance.
//!
//! `*.parquet` there is the effective view for any reader that knows Parquet
//! and nothing else: no row twice, no row that a resume took back; the newest
//! rows are still in the log (`metric_log`). Two moments need care. A compaction
//! leaves `compact-….ready`, complete but outside the pattern, while it removes
//! what that replaces; and what cannot be read, a part or a line of the log, is
//! set aside as `….damaged` when a writer meets it.

use std::fs;
use std::io::{Cursor, ErrorKind};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use polars::prelude::{
    DataFrame, KeyValueMetadata, ParallelStrategy, ParquetCompression, ParquetReader,
    ParquetWriter, PolarsResult, SerReader,
};

use crate::durable;
use crate::error::TrackError;
use crate::identity::check_schema_rev;
use crate::record::MetricRow;
use crate::schema::{self, SCHEMA_REV};

pub(crate) const READY: &str = "ready";
pub(crate) const DAMAGED: &str = "damaged";

/// Stands in the footer before 64 hex digits. Parquet sums at most the pages, and polars does not
/// write those sums: without this, a changed bit is another value, or has the decoder trust a lie.
const SUM_FOLLOWS: &str = "blake3 of this file, with these digits as zeros: ";
const NO_SUM: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What every file says about itself in its footer, so that a lone one can be
/// traced. DuckDB shows it with `parquet_kv_metadata`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetricMeta {
    pub run_key: String,
    pub sweep: String,
    pub config_blake3: String,
    pub git: String,
    pub dirty: bool,
    pub dataset_fingerprint: String,
    pub version: String,
}

impl MetricMeta {
    fn footer(&self) -> KeyValueMetadata {
        let pairs = [
            ("schema_rev", SCHEMA_REV.to_string()),
            ("run_key", self.run_key.clone()),
            ("sweep", self.sweep.clone()),
            ("config_blake3", self.config_blake3.clone()),
            ("git", self.git.clone()),
            ("dirty", self.dirty.to_string()),
            ("dataset_fingerprint", self.dataset_fingerprint.clone()),
            ("tool_version", self.version.clone()),
            ("sum", format!("{SUM_FOLLOWS}{NO_SUM}")),
        ];
        let pairs = pairs.map(|(key, value)| (format!("cyclelab.{key}"), value));
        KeyValueMetadata::from_static(pairs.to_vec())
    }
}

/// What is in `metrics/` now.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    /// `*.parquet`, by name.
    pub(crate) parts: Vec<PathBuf>,
    /// A compaction cut short: complete, and in place of all the parts.
    pub(crate) ready: Option<PathBuf>,
    /// The log: rows on their way to a part, or those that a killed attempt left.
    pub(crate) segments: Vec<PathBuf>,
    pub(crate) set_aside: Vec<PathBuf>,
    /// Files whose writer was killed before they got their name.
    pub(crate) unnamed: Vec<PathBuf>,
}

impl Listing {
    pub(crate) fn read(metrics: &Path) -> Result<Self, TrackError> {
        let mut listing = Listing::default();
        let entries = match fs::read_dir(metrics) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(listing),
            Err(error) => return Err(TrackError::read(metrics)(error)),
        };
        for entry in entries {
            let path = entry.map_err(TrackError::read(metrics))?.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if is_named(&path, durable::TEMP_PREFIX) => listing.unnamed.push(path),
                Some("parquet") => listing.parts.push(path),
                Some(READY) => listing.ready = Some(path),
                Some("jsonl") if is_named(&path, "wal-") => listing.segments.push(path),
                Some(DAMAGED) => listing.set_aside.push(path),
                _ => {}
            }
        }
        listing.parts.sort();
        listing.segments.sort();
        listing.set_aside.sort();
        Ok(listing)
    }
}

fn is_named(path: &Path, prefix: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
}

pub(crate) fn part_name(attempt: u32, rows: &[MetricRow]) -> String {
    let first = rows.iter().map(|row| row.seq).min().unwrap_or(0);
    let last = rows.iter().map(|row| row.seq).max().unwrap_or(0);
    format!("part-a{attempt:02}-{first:08}-{last:08}.parquet")
}

/// The attempt and the highest seq that the name of a part, or of a segment of
/// the log, speaks of; `None` for any other file.
pub(crate) fn parse_name(path: &Path) -> Option<(u32, u64)> {
    let name = path.file_name()?.to_str()?;
    let part = name.strip_prefix("part-a").map(|rest| (rest, 1));
    let (rest, nth) = part.or_else(|| Some((name.strip_prefix("wal-a")?, 0)))?;
    let mut fields = rest.split(['-', '.']);
    let attempt = fields.next()?.parse().ok()?;
    let last = fields.nth(nth)?.parse().ok()?;
    Some((attempt, last))
}

pub(crate) fn encode(meta: &MetricMeta, rows: &[MetricRow]) -> PolarsResult<Vec<u8>> {
    let frame = schema::frame_of(&meta.run_key, rows)?;
    let mut bytes = encode_frame(frame, Some(meta.footer()))?;
    let digits = sum_digits(&bytes).expect("the footer has a place for them");
    let sum = sum_of(&bytes, &digits);
    bytes[digits].copy_from_slice(sum.as_bytes());
    Ok(bytes)
}

/// Where a file has the digits of its sum.
fn sum_digits(bytes: &[u8]) -> Option<Range<usize>> {
    let mark = SUM_FOLLOWS.as_bytes();
    let start = bytes.windows(mark.len()).rposition(|text| text == mark)? + mark.len();
    let end = start + NO_SUM.len();
    (end <= bytes.len()).then_some(start..end)
}

fn sum_of(bytes: &[u8], digits: &Range<usize>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes[..digits.start]).update(NO_SUM.as_bytes()).update(&bytes[digits.end..]);
    hasher.finalize().to_hex().to_string()
}

/// Zstd at its default level, 3; all other settings as every reader expects them.
pub(crate) fn encode_frame(
    mut frame: DataFrame,
    footer: Option<KeyValueMetadata>,
) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_row_group_size(Some(1 << 20))
        .with_key_value_metadata(footer)
        .set_parallel(false) // the cores are training
        .finish(&mut frame)?;
    Ok(bytes)
}

/// # Errors
/// `Read` where the file cannot be had, `TooNew`, or `Damaged`.
pub(crate) fn read(path: &Path) -> Result<Vec<MetricRow>, TrackError> {
    // Read whole, not mapped: a file that shrinks under a map kills the process.
    let bytes = fs::read(path).map_err(TrackError::read(path))?;
    decode(path, bytes)
}

pub(crate) fn decode(path: &Path, bytes: Vec<u8>) -> Result<Vec<MetricRow>, TrackError> {
    // Before the decoder sees a byte: for some it asks for exabytes, and an abort cannot be caught.
    // Parts written before there were sums have none.
    if let Some(digits) = sum_digits(&bytes)
        && sum_of(&bytes, &digits).as_bytes() != &bytes[digits]
    {
        return Err(TrackError::damaged(path, "its checksum does not match"));
    }
    // Parquet decoders trust lengths within a page; polars panics on some that lie.
    let rows = catch_unwind(AssertUnwindSafe(|| decode_trusting(path, bytes)));
    rows.unwrap_or_else(|_| Err(TrackError::damaged(path, "the decoder gave up")))
}

fn decode_trusting(path: &Path, bytes: Vec<u8>) -> Result<Vec<MetricRow>, TrackError> {
    let mut reader = ParquetReader::new(Cursor::new(bytes)).read_parallel(ParallelStrategy::None);
    let metadata = reader.get_metadata().map_err(|error| TrackError::damaged(path, error))?;
    let pairs = metadata.key_value_metadata().iter().flatten();
    let schema_rev = pairs
        .filter(|pair| pair.key == "cyclelab.schema_rev")
        .find_map(|pair| pair.value.as_ref()?.parse().ok());
    check_schema_rev(path, schema_rev)?;
    let frame = reader.finish().map_err(|error| TrackError::damaged(path, error))?;
    schema::rows_of(&frame).map_err(|reason| TrackError::damaged(path, reason))
}

/// Takes a file that cannot be read, or not all of it, out of the view; readers go on naming it.
pub(crate) fn set_aside(path: &Path) -> Result<(), TrackError> {
    durable::rename(path, &path.with_added_extension(DAMAGED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn encoded(rows: &[MetricRow]) -> Vec<u8> {
        encode(&MetricMeta::default(), rows).unwrap()
    }

    #[test]
    fn every_value_comes_back() {
        let mut rows: Vec<MetricRow> = (1..=9).map(|seq| fixture::row(1, seq, seq)).collect();
        let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MIN_POSITIVE, 0.1];
        for (row, value) in rows.iter_mut().zip(odd) {
            row.value = value;
            row.max = Some(value);
        }
        rows[7].min = None;
        rows[7].max = None;
        rows[8].name = "ünïcode/λ".into();
        rows[8].ts_us = -1;
        let back = decode(Path::new("x"), encoded(&rows)).unwrap();
        let bits = |rows: &[MetricRow]| -> Vec<String> {
            rows.iter()
                .map(|row| {
                    format!("{row:?} {:x} {:?}", row.value.to_bits(), row.max.map(f64::to_bits))
                })
                .collect()
        };
        assert_eq!(bits(&back), bits(&rows));
    }

    #[test]
    fn a_part_cut_anywhere_is_damaged() {
        let whole = encoded(&[fixture::row(1, 1, 1), fixture::row(1, 2, 2)]);
        for cut in 0..whole.len() {
            let error = decode(Path::new("x"), whole[..cut].to_vec()).unwrap_err();
            assert!(matches!(error, TrackError::Damaged { .. }), "cut at {cut}: {error}");
        }
    }

    #[test]
    fn a_changed_byte_never_changes_a_row() {
        let rows = [fixture::row(1, 1, 1), fixture::row(1, 2, 2)];
        let whole = encoded(&rows);
        let place = sum_digits(&whole).unwrap();
        let mark = place.start - SUM_FOLLOWS.len()..place.start;
        for index in 0..whole.len() {
            for mask in [0x01, 0x20, 0xff] {
                let mut bytes = whole.clone();
                bytes[index] ^= mask;
                match decode(Path::new("x"), bytes) {
                    Err(TrackError::Damaged { .. }) => {}
                    // Without its mark the sum is not found, but then the rest is as it was.
                    Ok(found) if mark.contains(&index) => assert_eq!(found, rows),
                    other => panic!("byte {index}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn a_part_without_a_sum_is_read() {
        let rows = [fixture::row(1, 1, 1)];
        let frame = schema::frame_of("k", &rows).unwrap();
        let footer = vec![("cyclelab.schema_rev".to_owned(), SCHEMA_REV.to_string())];
        let footer = KeyValueMetadata::from_static(footer);
        let bytes = encode_frame(frame, Some(footer)).unwrap();
        assert_eq!(decode(Path::new("x"), bytes).unwrap(), rows);
    }

    #[test]
    fn a_part_of_a_later_version_is_refused() {
        let frame = schema::frame_of("k", &[fixture::row(1, 1, 1)]).unwrap();
        let footer = vec![("cyclelab.schema_rev".to_owned(), "7".to_owned())];
        let footer = KeyValueMetadata::from_static(footer);
        let bytes = encode_frame(frame, Some(footer)).unwrap();
        let error = decode(Path::new("x"), bytes).unwrap_err();
        assert!(matches!(error, TrackError::TooNew { found: 7, .. }), "{error}");
    }

    #[test]
    fn names() {
        let check = |name: &str, expected| assert_eq!(parse_name(Path::new(name)), expected);
        check("part-a01-00000001-00000100.parquet", Some((1, 100)));
        check("part-a12-00000001-00000100-after-00000050.parquet", Some((12, 100)));
        check("part-a01-00000001-00000100.parquet.damaged", Some((1, 100)));
        check("wal-a02-00000007.jsonl", Some((2, 7)));
        check("wal-a02-00000007.jsonl.damaged", Some((2, 7)));
        check("compact-a01.parquet", None);
        check("part-axx.parquet", None);
        let rows = [fixture::row(3, 5, 1), fixture::row(3, 9, 2)];
        check(&part_name(3, &rows), Some((3, 9)));
    }
}
