//! Rows that are in no part yet: a log that outlives the process.
//!
//! A part is written once and whole, so until it is due its rows stand in a
//! segment, `metrics/wal-aNN-SSSSSSSS.jsonl`: those of attempt NN from seq S
//! on, one line each, plain enough for `tail -f` and `grep`.
//!
//! ```text
//! 5f0d2c1e {"attempt":1,"seq":812,"step":4050,…,"name":"loss/d_a","value":"0.71",…}
//! ```
//!
//! In front stands the CRC-32 (zlib's) of the JSON: a line is whole, or known
//! not to be. What follows the last newline is what a killed writer left of a
//! line, and no damage. A newline that is lost costs the two lines it parted.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::durable;
use crate::error::TrackError;
use crate::record::{MetricRow, Split};

/// What a segment holds.
#[derive(Debug, Default)]
pub struct Parsed {
    pub rows: Vec<MetricRow>,
    /// `line 3: its checksum does not match`, …
    pub bad: Vec<String>,
    /// There is something after the last newline, and it is no whole frame.
    pub torn_tail: bool,
}

/// Every row that is whole, whatever the bytes are.
pub fn parse(segment: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    for (index, line) in segment.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let frame = line.strip_suffix(b"\n");
        match row_of(frame.unwrap_or(line)) {
            Ok(row) => parsed.rows.push(row),
            Err(_) if frame.is_none() => parsed.torn_tail = true,
            Err(reason) => parsed.bad.push(format!("line {}: {reason}", index + 1)),
        }
    }
    parsed
}

/// What a segment holds, and what is wrong with it; nothing is changed.
/// `MetricWriter::open` is what repairs.
pub(crate) fn inspect(segment: &Path) -> Result<Parsed, TrackError> {
    fs::read(segment).map(|bytes| parse(&bytes)).map_err(TrackError::read(segment))
}

/// A segment being written.
pub(crate) struct Segment {
    path: PathBuf,
    file: File,
    /// Bytes of whole frames.
    len: u64,
    /// An fsync failed. The kernel may have dropped what it could not write, and says so only
    /// once: no later success means anything.
    unsynced: bool,
}

impl Segment {
    /// A new one, for rows from `first` on.
    pub(crate) fn create(metrics: &Path, first: &MetricRow) -> Result<Self, TrackError> {
        let path = metrics.join(format!("wal-a{:02}-{:08}.jsonl", first.attempt, first.seq));
        let file = OpenOptions::new().append(true).create_new(true).open(&path);
        let file = file.map_err(TrackError::write(&path))?;
        Ok(Segment { path, file, len: 0, unsynced: false })
    }

    /// Adds the rows with one write: all of them, or after an error none. From then on they
    /// outlive the process; the machine, after `sync`.
    pub(crate) fn append(&mut self, rows: &[MetricRow]) -> Result<(), TrackError> {
        let frames: Vec<u8> = rows.iter().flat_map(frame).collect();
        // Should cutting back have failed too, the last time: no frame may join a torn one.
        let written = self.cut().and_then(|()| self.file.write_all(&frames));
        if written.is_err() {
            let _ = self.cut();
        } else {
            self.len += frames.len() as u64;
        }
        written.map_err(TrackError::write(&self.path))
    }

    fn cut(&self) -> io::Result<()> {
        let torn = self.file.metadata()?.len() > self.len;
        if torn { self.file.set_len(self.len) } else { Ok(()) }
    }

    /// # Errors
    /// `Write`; and once it has failed, always.
    pub(crate) fn sync(&mut self) -> Result<(), TrackError> {
        let synced = match self.unsynced {
            true => Err(io::Error::other("an earlier fsync failed")),
            false => self.file.sync_all(),
        };
        self.unsynced = synced.is_err();
        synced.map_err(TrackError::write(&self.path))?;
        durable::sync_dir(self.path.parent().expect("created in a directory"))
    }

    #[cfg(test)]
    pub(crate) fn distrust(&mut self) {
        self.unsynced = true;
    }

    /// Takes the segment away: its rows are in a part.
    pub(crate) fn remove(self) -> Result<(), TrackError> {
        remove(&self.path)
    }
}

/// Takes a segment away whose rows are all in parts.
pub(crate) fn remove(segment: &Path) -> Result<(), TrackError> {
    match fs::remove_file(segment) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(TrackError::write(segment)),
    }
}

fn frame(row: &MetricRow) -> Vec<u8> {
    let mut json = Vec::new();
    RowJson::serialize(row, &mut serde_json::Serializer::new(&mut json))
        .expect("a row is numbers and text");
    let checksum = checksum(&json);
    [checksum.as_bytes(), &json, b"\n"].concat()
}

fn row_of(frame: &[u8]) -> Result<MetricRow, String> {
    let (found, json) = frame.split_at_checked(9).ok_or("it is too short")?;
    if found != checksum(json).as_bytes() {
        return Err("its checksum does not match".to_owned());
    }
    let mut json = serde_json::Deserializer::from_slice(json);
    RowJson::deserialize(&mut json)
        .and_then(|row| json.end().map(|()| row))
        .map_err(|error| error.to_string())
}

/// With the space after it.
fn checksum(json: &[u8]) -> String {
    format!("{:08x} ", crc32fast::hash(json))
}

/// The row as JSON, under the names of the columns. Floats are text: JSON has no NaN, and the
/// default parser of `serde_json` may be off by a last bit.
#[derive(Serialize, Deserialize)]
#[serde(remote = "MetricRow", deny_unknown_fields)]
struct RowJson {
    attempt: u32,
    seq: u64,
    step: u64,
    #[serde(with = "exact")]
    epoch: f32,
    images: u64,
    split: Split,
    name: String,
    #[serde(with = "exact")]
    value: f64,
    count: u32,
    #[serde(with = "exact_or_null")]
    min: Option<f64>,
    #[serde(with = "exact_or_null")]
    max: Option<f64>,
    #[serde(with = "exact")]
    elapsed_s: f64,
    #[serde(rename = "ts")]
    ts_us: i64,
}

/// A float as the shortest text that reads back as the same float.
mod exact {
    use std::fmt::{Debug, Display};
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<T: Debug, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{value:?}"))
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

mod exact_or_null {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::exact;

    pub(super) fn serialize<S: Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => exact::serialize(value, to),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D>(from: D) -> Result<Option<f64>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::row;

    fn frames(rows: &[MetricRow]) -> Vec<u8> {
        rows.iter().flat_map(frame).collect()
    }

    #[test]
    fn a_line_is_plain_text() {
        let text = String::from_utf8(frames(&[row(2, 7, 5)])).unwrap();
        let json = concat!(
            r#"{"attempt":2,"seq":7,"step":5,"epoch":"1.25","images":5,"split":"train","#,
            r#""name":"loss/d_a","value":"5.0","count":1,"min":"0.0","max":"1.0","#,
            r#""elapsed_s":"0.5","ts":1767225600000000}"#
        );
        // From another implementation: `python3 -c 'import zlib; …zlib.crc32(json)'`.
        assert_eq!(text, format!("1236bc4b {json}\n"));
    }

    #[test]
    fn every_float_comes_back_bit_for_bit() {
        let odd = [0.1, -0.0, 1e23, 5e-324, f64::MAX, f64::MIN_POSITIVE];
        let not_json = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        // Bits from all over: many are numbers that a hasty parser gets wrong.
        let others = (1..2000_u64).map(|n| f64::from_bits(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let others = others.filter(|value| !value.is_nan());
        let values = odd.into_iter().chain(not_json).chain(others);
        let rows: Vec<MetricRow> = values
            .map(|value| MetricRow {
                value,
                min: (value > 0.0).then_some(value),
                epoch: value as f32,
                name: "ünïcode/λ\n\"".into(),
                ts_us: -1,
                ..row(1, 1, 1)
            })
            .collect();
        let Parsed { rows: back, bad, torn_tail } = parse(&frames(&rows));
        assert_eq!((bad, torn_tail), (vec![], false));
        let exactly = |rows: &[MetricRow]| -> Vec<String> {
            rows.iter()
                .map(|row| {
                    (row, row.value.to_bits(), row.epoch.to_bits(), row.min.map(f64::to_bits))
                })
                .map(|bits| format!("{bits:x?}"))
                .collect()
        };
        assert_eq!(exactly(&back), exactly(&rows));
    }

    #[test]
    fn a_log_cut_at_any_byte_keeps_its_whole_lines() {
        let rows = [row(1, 1, 1), row(1, 2, 2), row(1, 3, 3)];
        let whole = frames(&rows);
        for cut in 0..=whole.len() {
            // A line is whole before its newline: the checksum says so.
            let complete = (1..=rows.len()).filter(|&n| frames(&rows[..n]).len() - 1 <= cut);
            let complete = complete.count();
            let parsed = parse(&whole[..cut]);
            assert_eq!(parsed.rows, rows[..complete], "cut at {cut}");
            assert_eq!(parsed.bad, [""; 0], "cut at {cut}");
            let whole_frames = frames(&rows[..complete]).len();
            assert_eq!(parsed.torn_tail, cut > whole_frames, "cut at {cut}");
        }
    }

    #[test]
    fn a_changed_byte_costs_its_line_and_is_named() {
        let rows = [row(1, 1, 1), row(1, 2, 2), row(1, 3, 3)];
        let whole = frames(&rows);
        for index in 0..whole.len() {
            let line = whole[..index].iter().filter(|&&byte| byte == b'\n').count();
            let lost = if whole[index] == b'\n' { line..=line + 1 } else { line..=line };
            for mask in [0x01, 0x20, 0xff] {
                let mut bytes = whole.clone();
                bytes[index] ^= mask;
                let Parsed { rows: found, bad, torn_tail } = parse(&bytes);
                let kept = rows.iter().enumerate().filter(|(at, _)| !lost.contains(at));
                assert!(kept.map(|(_, row)| row).eq(&found), "byte {index}: {found:?}");
                let last = index == whole.len() - 1;
                assert_eq!((bad.is_empty(), torn_tail), (last, last), "byte {index}: {bad:?}");
                let named = bad.iter().all(|bad| bad.starts_with("line "));
                assert!(named && bad.len() <= 2, "byte {index}: {bad:?}");
            }
        }
    }

    #[test]
    fn lines_that_are_no_rows_are_named() {
        let check = |json: &str, reason: &str| {
            let line = format!("{}{json}\n", checksum(json.as_bytes()));
            let bytes = [line.into_bytes(), frames(&[row(1, 1, 1)])].concat();
            let Parsed { rows, bad, .. } = parse(&bytes);
            assert_eq!(rows, [row(1, 1, 1)], "{json}");
            assert!(bad[0].starts_with("line 1: ") && bad[0].contains(reason), "{bad:?}");
        };
        let good = String::from_utf8(frames(&[row(1, 1, 1)])).unwrap()[9..].trim().to_owned();
        check("", "EOF");
        check("{}", "missing field");
        check(&good.replace("\"count\":1", "\"count\":-1"), "invalid value");
        check(&good.replace("\"train\"", "\"trial\""), "unknown variant");
        check(&good.replace("\"1.0\"", "\"1.0.0\""), "float");
        check(&good.replace("{", "{\"more\":1,"), "unknown field");
        check(&format!("{good} {good}"), "trailing");
        let Parsed { bad, .. } = parse(b"\nabc\n\0\0\0\0\0\0\0\0\0\0\0\n");
        assert_eq!(bad.len(), 3, "{bad:?}");
    }

    #[test]
    fn after_a_failed_write_no_line_is_torn() {
        let dir = tempfile::tempdir().unwrap();
        let mut segment = Segment::create(dir.path(), &row(1, 1, 1)).unwrap();
        segment.append(&[row(1, 1, 1)]).unwrap();
        // As a full disk leaves it when cutting back fails too.
        fs::write(&segment.path, [frames(&[row(1, 1, 1)]), b"5f0d2c1e {\"at".to_vec()].concat())
            .unwrap();
        segment.append(&[row(1, 2, 2), row(1, 3, 3)]).unwrap();
        segment.sync().unwrap();
        let Parsed { rows, bad, torn_tail } = inspect(&segment.path).unwrap();
        assert_eq!(rows, [row(1, 1, 1), row(1, 2, 2), row(1, 3, 3)]);
        assert_eq!((bad, torn_tail), (vec![], false));
        let again = Segment::create(dir.path(), &row(1, 1, 1));
        assert!(matches!(again, Err(TrackError::Write { .. })), "never over another");
    }
}
