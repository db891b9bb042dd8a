//! Sample pictures: every one that is listed is there, and whole.

use std::fs;
use std::path::Path;

use super::text_check::check_lines;
use super::{Examination, Level, aside_of, set_aside};
use crate::durable;
use crate::error::TrackError;
use crate::layout::RunDir;
use crate::record::SampleRecord;
use crate::samples::lines_of;

/// The first bytes of a PNG, and its last chunk: empty, with its checksum (PNG specification, 5.2
/// and 11.2.5).
const BEGIN: &[u8] = b"\x89PNG\r\n\x1a\n";
const END: &[u8] = b"\0\0\0\0IEND\xaeB`\x82";

pub(super) fn check(run: &RunDir, found: &mut Examination) {
    let list = run.samples_jsonl();
    let samples = check_lines::<SampleRecord>(&list, found);
    let mut good = Vec::new();
    for sample in &samples {
        let path = run.path().join(&sample.path);
        match fault(&path) {
            None => good.push(sample.clone()),
            Some(what) => found.mend(Level::Repairable, &path, what, || {
                let moved = if path.exists() { set_aside(&path)? + "; " } else { String::new() };
                Ok(moved + "no longer listed")
            }),
        }
    }
    found.checkup.samples = good.len();
    if found.repair && good.len() < samples.len() {
        let rewritten = rewrite(&list, &good);
        if let Err(error) = rewritten {
            found.damaged(&list, format!("the list could not be written anew: {error}"));
        }
    }
}

fn fault(path: &Path) -> Option<String> {
    match fs::read(path) {
        Err(error) => Some(error.to_string()),
        Ok(bytes) if !bytes.starts_with(BEGIN) => Some("not a PNG".to_owned()),
        Ok(bytes) if !bytes.ends_with(END) => Some("cut short".to_owned()),
        Ok(_) => None,
    }
}

/// Keeps the list as it was beside.
fn rewrite(list: &Path, samples: &[SampleRecord]) -> Result<(), TrackError> {
    let before = fs::read(list).map_err(TrackError::read(list))?;
    durable::create(&aside_of(list), &before)?;
    durable::replace(list, &lines_of(samples))
}
