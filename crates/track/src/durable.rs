//! Files that are whole or absent, also after a power cut.
//!
//! Written beside, fsynced, renamed, and the directory fsynced: without the
//! last step the rename itself may be lost, and so may a new directory be.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use serde::Serialize;
use tempfile::NamedTempFile;

use crate::error::TrackError;

/// Prefix of everything that is not yet, or no longer, part of the store.
pub(crate) const TEMP_PREFIX: &str = ".tmp-";

/// Puts `bytes` at `path`, in place of what is there.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), TrackError> {
    let file = beside(path, bytes)?;
    file.persist(path).map_err(|error| TrackError::write(path)(error.error))?;
    sync_dir(parent(path))
}

/// Puts `bytes` at `path`, where nothing may be yet.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<(), TrackError> {
    let file = beside(path, bytes)?;
    file.persist_noclobber(path).map_err(|error| TrackError::write(path)(error.error))?;
    sync_dir(parent(path))
}

/// Indented JSON with a last newline, for files a person may open.
pub(crate) fn pretty_json(path: &Path, value: &impl Serialize) -> Result<Vec<u8>, TrackError> {
    let mut text =
        serde_json::to_vec_pretty(value).map_err(|error| TrackError::write(path)(error.into()))?;
    text.push(b'\n');
    Ok(text)
}

pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), TrackError> {
    fs::rename(from, to).map_err(TrackError::write(to))?;
    sync_dir(parent(to))?;
    if parent(from) == parent(to) { Ok(()) } else { sync_dir(parent(from)) }
}

/// Makes a directory, and those above it that are missing.
pub(crate) fn create_dir(path: &Path) -> Result<(), TrackError> {
    if path.is_dir() {
        return Ok(());
    }
    if !parent(path).is_dir() {
        create_dir(parent(path))?;
    }
    match fs::create_dir(path) {
        Ok(()) => sync_dir(parent(path)),
        // Another process was faster.
        Err(_) if path.is_dir() => Ok(()),
        Err(error) => Err(TrackError::write(path)(error)),
    }
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), TrackError> {
    if cfg!(unix) {
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(TrackError::write(dir))?;
    }
    Ok(())
}

/// Makes a file's own name durable.
pub(crate) fn sync_parent(path: &Path) -> Result<(), TrackError> {
    sync_dir(parent(path))
}

fn beside(path: &Path, bytes: &[u8]) -> Result<NamedTempFile, TrackError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMP_PREFIX);
    // The crate's own default of 0600 would lock colleagues out of the store.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(parent(path)).map_err(TrackError::write(path))?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(TrackError::write(path))?;
    Ok(file)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaced_whole_created_once_nothing_left_beside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        create(&path, b"one").unwrap();
        assert!(matches!(create(&path, b"two"), Err(TrackError::Write { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"one");
        replace(&path, b"three").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn directories_are_made_once_and_all_the_way_up() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b/c");
        create_dir(&deep).unwrap();
        create_dir(&deep).unwrap();
        assert!(deep.is_dir());
        fs::write(deep.join("file"), b"").unwrap();
        for blocked in [deep.join("file"), deep.join("file/below/further")] {
            let error = create_dir(&blocked).unwrap_err();
            assert!(matches!(error, TrackError::Write { .. }), "{error:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_are_as_readable_as_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (ours, plain) = (dir.path().join("ours"), dir.path().join("plain"));
        create(&ours, b"").unwrap();
        fs::write(&plain, b"").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
