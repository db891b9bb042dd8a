//! Columns of the metrics, long form: one row per value, so every file unions
//! with every other and a new metric is no new column.
//!
//! | column | type | |
//! | ------ | ---- | - |
//! | `run` | string | run key, constant within a file |
//! | `attempt` | u32 | |
//! | `seq` | u64 | order of writing within the attempt, from 1 |
//! | `step` | u64 | updates of the generators |
//! | `epoch` | f32 | fractional |
//! | `images` | u64 | seen so far, per domain |
//! | `split` | string | `train`, `val`, `eval`, `sys` |
//! | `name` | string | `loss/cycle_a`, … |
//! | `value` | f64 | NaN and infinities as such, never null |
//! | `count` | u32 | steps in the window |
//! | `min`, `max` | f64, nullable | extremes within the window |
//! | `elapsed_s` | f64 | training seconds so far |
//! | `ts` | timestamp(us, UTC) | |

use polars::prelude::{
    Column, DataFrame, DataType, Int64Chunked, IntoSeries, NamedFrom, PolarsResult, TimeUnit,
    TimeZone,
};

use crate::record::{MetricRow, Split};

/// Format of everything in the store. Raised when a reader of before could not
/// make sense of what a writer of now leaves.
pub const SCHEMA_REV: u32 = 1;

impl Split {
    pub fn as_str(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Val => "val",
            Split::Eval => "eval",
            Split::Sys => "sys",
        }
    }

    fn parse(text: &str) -> Option<Split> {
        let all = [Split::Train, Split::Val, Split::Eval, Split::Sys];
        all.into_iter().find(|split| split.as_str() == text)
    }
}

pub(crate) fn frame_of(run_key: &str, rows: &[MetricRow]) -> PolarsResult<DataFrame> {
    macro_rules! column {
        ($name:literal, $of_row:expr) => {
            Column::new($name.into(), rows.iter().map($of_row).collect::<Vec<_>>())
        };
    }
    let ts = Int64Chunked::new("ts".into(), rows.iter().map(|row| row.ts_us).collect::<Vec<_>>())
        .into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    DataFrame::new(
        rows.len(),
        vec![
            column!("run", |_| run_key),
            column!("attempt", |row| row.attempt),
            column!("seq", |row| row.seq),
            column!("step", |row| row.step),
            column!("epoch", |row| row.epoch),
            column!("images", |row| row.images),
            column!("split", |row| row.split.as_str()),
            column!("name", |row| row.name.as_str()),
            column!("value", |row| row.value),
            column!("count", |row| row.count),
            column!("min", |row| row.min),
            column!("max", |row| row.max),
            column!("elapsed_s", |row| row.elapsed_s),
            Column::from(ts.into_series()),
        ],
    )
}

/// The reverse; what does not fit the schema is said in words.
pub(crate) fn rows_of(frame: &DataFrame) -> Result<Vec<MetricRow>, String> {
    let words = |error: polars::error::PolarsError| error.to_string();
    macro_rules! values {
        ($name:literal, $as_type:ident) => {
            frame.column($name).map_err(words)?.$as_type().map_err(words)?
        };
    }
    // A null where there must be a value means the file is not what it says it is.
    macro_rules! required {
        ($name:literal, $as_type:ident) => {{
            let values = values!($name, $as_type);
            if values.null_count() > 0 {
                return Err(format!("null in column `{}`", $name));
            }
            values.iter().flatten()
        }};
    }
    let ts = frame.column("ts").map_err(words)?;
    if !matches!(ts.dtype(), DataType::Datetime(TimeUnit::Microseconds, _)) {
        return Err(format!("column `ts` is {}", ts.dtype()));
    }
    let ts = ts.datetime().map_err(words)?.physical();
    if ts.null_count() > 0 {
        return Err("null in column `ts`".to_owned());
    }
    let mut attempt = required!("attempt", u32);
    let mut seq = required!("seq", u64);
    let mut step = required!("step", u64);
    let mut epoch = required!("epoch", f32);
    let mut images = required!("images", u64);
    let mut split = required!("split", str);
    let mut name = required!("name", str);
    let mut value = required!("value", f64);
    let mut count = required!("count", u32);
    let mut min = values!("min", f64).iter();
    let mut max = values!("max", f64).iter();
    let mut elapsed_s = required!("elapsed_s", f64);
    let mut ts = ts.iter().flatten();

    let mut row = || -> Option<Result<MetricRow, String>> {
        let split = split.next()?;
        let Some(split) = Split::parse(split) else {
            return Some(Err(format!("split `{split}`")));
        };
        Some(Ok(MetricRow {
            step: step.next()?,
            epoch: epoch.next()?,
            images: images.next()?,
            split,
            name: name.next()?.to_owned(),
            value: value.next()?,
            count: count.next()?,
            min: min.next()?,
            max: max.next()?,
            elapsed_s: elapsed_s.next()?,
            ts_us: ts.next()?,
            attempt: attempt.next()?,
            seq: seq.next()?,
        }))
    };
    std::iter::from_fn(&mut row).collect()
}
