//! Append-only lines of JSON that survive a crash in the middle of a line.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::durable;
use crate::error::TrackError;

pub(crate) struct JsonLines {
    path: PathBuf,
    file: File,
}

impl JsonLines {
    /// Opens for appending. A last line without its newline is what a killed
    /// writer left; appending to it would poison two lines, so it is cut off.
    pub(crate) fn open(path: &Path) -> Result<Self, TrackError> {
        if let Some(parent) = path.parent() {
            durable::create_dir(parent)?;
        }
        let is_new = !path.exists();
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(TrackError::write(path))?;
        if is_new {
            // Or a power cut takes the name, and every line that is on the disk with it.
            durable::sync_parent(path)?;
        }
        let mut lines = JsonLines { path: path.to_owned(), file };
        lines.cut_torn_line().map_err(TrackError::write(path))?;
        Ok(lines)
    }

    /// Adds one line, and returns once it is on the disk.
    pub(crate) fn append(&mut self, value: &impl Serialize) -> Result<(), TrackError> {
        let mut line = serde_json::to_vec(value)
            .map_err(|error| TrackError::write(&self.path)(error.into()))?;
        line.push(b'\n');
        self.append_line(&line).map_err(TrackError::write(&self.path))
    }

    fn append_line(&mut self, line: &[u8]) -> io::Result<()> {
        // Of an earlier call whose cut failed too.
        self.cut_torn_line()?;
        let written = self.file.write_all(line).and_then(|()| self.file.sync_data());
        if written.is_err() {
            // A disk that filled up half way leaves a torn line; the next one must not join it.
            let _ = self.cut_torn_line();
        }
        written
    }

    /// Another log of this process may have written since: only the file knows where it ends.
    fn cut_torn_line(&mut self) -> io::Result<()> {
        let end = self.file.seek(SeekFrom::End(0))?;
        let mut last = [b'\n'];
        if end > 0 {
            self.file.seek(SeekFrom::Start(end - 1))?;
            self.file.read_exact(&mut last)?;
        }
        if last == *b"\n" {
            return Ok(());
        }
        let mut text = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut text)?;
        self.file.set_len(whole_lines(&text).len() as u64)
    }
}

/// Values with their lines' numbers, and what was wrong with other lines.
type Numbered<T> = (Vec<(usize, T)>, Vec<String>);

/// The values of a file's whole lines, and what was wrong with the others.
/// A file that is not there has no lines.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<(Vec<T>, Vec<String>), TrackError> {
    let (values, bad) = read_numbered(path)?;
    Ok((values.into_iter().map(|(_, value)| value).collect(), bad))
}

/// The same with the numbers of lines, from 1.
pub(crate) fn read_numbered<T: DeserializeOwned>(path: &Path) -> Result<Numbered<T>, TrackError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((vec![], vec![])),
        Err(error) => return Err(TrackError::read(path)(error)),
    };
    let (mut values, mut bad) = (vec![], vec![]);
    for (index, line) in whole_lines(&text).split(|&byte| byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        match serde_json::from_slice(line) {
            Ok(value) => values.push((index + 1, value)),
            Err(error) => bad.push(format!("line {}: {error}", index + 1)),
        }
    }
    Ok((values, bad))
}

fn whole_lines(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cut_at_any_byte_costs_only_itself() {
        let whole = b"{\"n\":1}\n{\"n\":22}\n";
        for cut in 0..=whole.len() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("log.jsonl");
            std::fs::write(&path, &whole[..cut]).unwrap();
            let before = whole[..cut].iter().filter(|&&byte| byte == b'\n').count();

            let (values, bad) = read::<serde_json::Value>(&path).unwrap();
            assert_eq!((values.len(), bad.len()), (before, 0), "read, cut at {cut}");

            JsonLines::open(&path).unwrap().append(&serde_json::json!({"n": 333})).unwrap();
            let (values, bad) = read::<serde_json::Value>(&path).unwrap();
            assert_eq!((values.len(), bad.len()), (before + 1, 0), "appended, cut at {cut}");
            assert_eq!(values[before]["n"], 333);
        }
    }

    #[test]
    fn a_torn_line_that_could_not_be_cut_is_cut_before_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        let mut lines = JsonLines::open(&path).unwrap();
        let line = |n: u32| serde_json::json!({ "n": n });
        lines.append(&line(1)).unwrap();
        std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"n\":2")
            .unwrap();
        lines.append(&line(3)).unwrap();
        let (values, bad) = read::<serde_json::Value>(&path).unwrap();
        assert_eq!((values, bad.len()), (vec![line(1), line(3)], 0));
    }

    #[test]
    fn a_bad_line_is_named_and_skipped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        std::fs::write(&path, b"{\"n\":1}\n{\"n\":\xff\n{\"n\":3}\n").unwrap();
        let (values, bad) = read::<serde_json::Value>(&path).unwrap();
        assert_eq!(values.len(), 2);
        assert!(bad[0].starts_with("line 2: "), "{bad:?}");
    }
}
