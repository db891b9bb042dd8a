//! The pictures beside the page: those of which the page holds a thumbnail only.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{ReportError, replace};

const FOLDER: &str = "images";

/// A file to be copied. Its name says what is in it, so one that is there is never written again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PictureFile {
    /// SHA-256 of the bytes, and what they are: `5d1f….png`.
    pub name: String,
    pub source: PathBuf,
}

impl PictureFile {
    /// Where the page looks for it.
    pub fn address(&self) -> String {
        format!("{FOLDER}/{}", self.name)
    }

    fn hash(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }
}

/// Copies what is missing, each file whole or not at all. The page has a thumbnail of every one: what
/// cannot be copied is said, by path and reason, and is no reason to have no report.
pub(crate) fn write(files: &[PictureFile], out_dir: &Path) -> Vec<(PathBuf, String)> {
    let folder = out_dir.join(FOLDER);
    if !files.is_empty()
        && let Err(error) = fs::create_dir_all(&folder)
    {
        return vec![(folder, error.to_string())];
    }
    let copied = |file: &PictureFile| {
        let failed = copy(file, &folder.join(&file.name)).err()?;
        Some((file.source.clone(), failed))
    };
    files.iter().filter_map(copied).collect()
}

fn copy(file: &PictureFile, path: &Path) -> Result<(), String> {
    let size = fs::metadata(&file.source).map_err(|error| error.to_string())?.len();
    // One that a power cut emptied has the name and not the bytes.
    if fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() == size) {
        return Ok(());
    }
    let bytes = fs::read(&file.source).map_err(|error| error.to_string())?;
    // A run that goes on may have replaced it since the page was made.
    let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if hash != file.hash() {
        return Err("it changed while its report was written".into());
    }
    replace(path, &bytes).map_err(|error| match error {
        ReportError::Write { source, .. } => source.to_string(),
        error => error.to_string(),
    })
}

/// Removes what an earlier page named and this one does not; files of other names stay.
pub(crate) fn remove_others(files: &[PictureFile], out_dir: &Path) -> Result<(), ReportError> {
    let folder = out_dir.join(FOLDER);
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        |source| ReportError::Remove { path, source }
    };
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(&folder)(error)),
    };
    let named: BTreeSet<&str> = files.iter().map(|file| &*file.name).collect();
    for entry in entries {
        let entry = entry.map_err(failed(&folder))?;
        let name = entry.file_name();
        let is_ours = |name: &&str| is_picture_name(name) && !named.contains(name);
        if name.to_str().filter(is_ours).is_some() {
            fs::remove_file(entry.path()).map_err(failed(&entry.path()))?;
        }
    }
    if files.is_empty() {
        // It stays where something else lies in it.
        let _ = fs::remove_dir(&folder);
    }
    Ok(())
}

fn is_picture_name(name: &str) -> bool {
    let Some((hash, extension)) = name.split_once('.') else { return false };
    let is_hex = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex && matches!(extension, "png" | "jpg" | "webp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_our_own_are_removed() {
        let check = |name: &str, expected| assert_eq!(is_picture_name(name), expected, "{name}");
        let hash = "0f".repeat(32);
        check(&format!("{hash}.png"), true);
        check(&format!("{hash}.jpg"), true);
        check(&format!("{hash}.txt"), false);
        check(&format!("{}.png", &hash[1..]), false);
        check(&format!(".{hash}.png.17"), false);
        check("holiday.png", false);
        check(&hash, false);
    }

    /// The name says what is in the file: bytes that came later do not get it.
    #[test]
    fn a_picture_that_changed_meanwhile_is_not_copied() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let source = dir.path().join("a.png");
        fs::write(&source, b"later").expect("it can be written");
        let named = |bytes: &[u8]| {
            let hash = Sha256::digest(bytes);
            let name = hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + ".png";
            PictureFile { name, source: source.clone() }
        };
        let [(path, reason)] = &write(&[named(b"other")], dir.path())[..] else { panic!("one") };
        assert!(*path == source && reason.contains("changed"), "{reason}");
        assert_eq!(fs::read_dir(dir.path().join(FOLDER)).expect("a folder").count(), 0);
        let file = named(b"later");
        assert_eq!(write(std::slice::from_ref(&file), dir.path()), []);
        assert_eq!(fs::read(dir.path().join(file.address())).expect("it is there"), b"later");

        // What a power cut left of it is written again.
        fs::write(dir.path().join(file.address()), b"").expect("it can be emptied");
        assert_eq!(write(std::slice::from_ref(&file), dir.path()), []);
        assert_eq!(fs::read(dir.path().join(file.address())).expect("it is there"), b"later");
    }
}
