//! Any bytes as a segment of the metrics' log: whole lines are read, each by itself, and the others
//! are named.
//!
//! Chance seldom finds a checksum, so an input that begins with `#` gets one in front of each line.

#![no_main]
// The modules as they stand in `track`, without Parquet, which would take minutes to instrument.
#![allow(dead_code)]

#[path = "../crates/track/src/durable.rs"]
mod durable;
#[path = "../crates/track/src/error.rs"]
mod error;
#[path = "../crates/track/src/metric_log.rs"]
mod metric_log;
#[path = "../crates/track/src/record.rs"]
mod record;

use libfuzzer_sys::fuzz_target;
use metric_log::{Parsed, parse};

fuzz_target!(|data: &[u8]| {
    match data.strip_prefix(b"#") {
        Some(lines) => check(&with_checksums(lines)),
        None => check(data),
    }
});

fn check(segment: &[u8]) {
    let whole = parse(segment);
    assert!(whole.bad.iter().all(|reason| reason.starts_with("line ")), "{:?}", whole.bad);
    let lines = segment.split(|&byte| byte == b'\n').count();
    let torn = usize::from(whole.torn_tail);
    assert!(whole.rows.len() + whole.bad.len() + torn <= lines, "more than there are lines");

    // Cut after any line, the two halves are what the whole is.
    for (at, _) in segment.iter().enumerate().filter(|(_, byte)| **byte == b'\n').take(4) {
        let (before, after) = segment.split_at(at + 1);
        let (before, after) = (parse(before), parse(after));
        assert!(!before.torn_tail && before.bad.len() + after.bad.len() == whole.bad.len());
        assert_eq!(after.torn_tail, whole.torn_tail);
        let halves: Vec<String> = bits(&before).chain(bits(&after)).collect();
        assert_eq!(halves, bits(&whole).collect::<Vec<_>>());
    }
}

/// NaN too is itself here.
fn bits(parsed: &Parsed) -> impl Iterator<Item = String> {
    parsed.rows.iter().map(|row| format!("{row:?} {:x}", row.value.to_bits()))
}

fn with_checksums(lines: &[u8]) -> Vec<u8> {
    let mut segment = Vec::new();
    for json in lines.split_inclusive(|&byte| byte == b'\n') {
        let hash = crc32fast::hash(json.strip_suffix(b"\n").unwrap_or(json));
        segment.extend(format!("{hash:08x} ").into_bytes());
        segment.extend(json);
    }
    segment
}
