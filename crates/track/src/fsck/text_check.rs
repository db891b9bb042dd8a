//! Logs of JSON lines: whole to their last newline, and nothing but what they should hold.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::{Examination, Level, aside_of, in_words};
use crate::durable;
use crate::error::TrackError;
use crate::jsonl::{self, JsonLines};

/// The values of the whole lines. A file that is not there has none.
pub(super) fn check_lines<T: DeserializeOwned>(path: &Path, found: &mut Examination) -> Vec<T> {
    let Some(text) = check_tail(path, found) else { return vec![] };
    let (values, bad) = match jsonl::read::<T>(path) {
        Ok(read) => read,
        Err(error) => {
            found.damaged(path, in_words(&error));
            return vec![];
        }
    };
    if !bad.is_empty() {
        found.mend(Level::Repairable, path, bad.join("; "), || without_bad_lines::<T>(path, &text));
    }
    values
}

/// Cuts off what a killed writer left at the end. The file's text, where it can be read.
pub(super) fn check_tail(path: &Path, found: &mut Examination) -> Option<Vec<u8>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => {
            found.damaged(path, error.to_string());
            return None;
        }
    };
    let end = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let tail = text.len() - end;
    if tail > 0 {
        found.mend(Level::Repairable, path, format!("a torn last line of {tail} bytes"), || {
            JsonLines::open(path)?; // which cuts it off
            Ok("cut off".to_owned())
        });
    }
    Some(text)
}

/// Keeps the file as it was beside.
fn without_bad_lines<T: DeserializeOwned>(path: &Path, text: &[u8]) -> Result<String, TrackError> {
    let aside = aside_of(path);
    durable::create(&aside, text)?;
    let mut good = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        if line.ends_with(b"\n") && serde_json::from_slice::<T>(line).is_ok() {
            good.extend_from_slice(line);
        }
    }
    durable::replace(path, &good)?;
    Ok(format!("left out; as it was: {}", aside.file_name().unwrap_or_default().display()))
}
