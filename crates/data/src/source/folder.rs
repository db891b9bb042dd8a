//! A folder of the user's own images.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::{
    AS_THEY_ARE, Entry, LAYOUT, Picture, Source, ids, is_image_name, picture_of, read_whole,
    too_large,
};
use crate::error::{DataError, nearest};
use crate::fold::Fold;

/// Deeper folders than this are taken for a mistake.
const MAX_DEPTH: usize = 16;
/// A link to the root of a disk is a mistake, too: listing ends here.
const MAX_ENTRIES: usize = 1_000_000;
/// Larger files are no training images; a limit keeps a stray video out of memory.
const MAX_FILE_BYTES: u64 = 512 << 20;

/// The images below a root, listed but not yet read.
pub(crate) struct Folder {
    root: PathBuf,
    entries: Vec<Entry>,
    files: Vec<File>,
}

/// A file that is an image by its name.
pub(crate) struct File {
    /// Below the root.
    pub(crate) path: String,
    bytes: u64,
    modified_ns: u128,
    /// Why it is none, where that shows without opening it.
    fault: Option<&'static str>,
}

const NO_FILE: &str = "a pipe or a device, not a file";
const NO_TEXT: &str = "its name is not UTF-8; rename it";

/// The image files below `dir`, by path, and how many other files there are.
///
/// # Errors
/// `Read`, `TooDeep`, `TooManyFiles`.
pub(crate) fn files_below(dir: &Path) -> Result<(Vec<File>, usize), DataError> {
    at_most(MAX_ENTRIES, dir)
}

fn at_most(entries: usize, dir: &Path) -> Result<(Vec<File>, usize), DataError> {
    let mut walk = Walk {
        root: dir,
        most: entries,
        seen: 0,
        visited: BTreeSet::new(),
        files: vec![],
        others: 0,
    };
    walk.enter(dir, "", 0)?;
    walk.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((walk.files, walk.others))
}

impl File {
    /// The file's content, or why it cannot be had.
    pub(crate) fn read(&self, root: &Path) -> Result<Vec<u8>, String> {
        match self.fault {
            Some(fault) => Err(fault.to_string()),
            None => read_file(&root.join(&self.path)),
        }
    }

    /// Whether it may still turn out to be an image.
    pub(crate) fn is_sound(&self) -> bool {
        self.fault.is_none()
    }
}

/// Since it was listed a file may have gone, grown, or become a pipe: opening that would wait for
/// a writer.
fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let found = fs::metadata(path).map_err(unreadable)?;
    if !found.is_file() {
        return Err(NO_FILE.to_string());
    }
    if found.len() > MAX_FILE_BYTES {
        return Err(too_large(MAX_FILE_BYTES));
    }
    read_whole(fs::File::open(path).map_err(unreadable)?, MAX_FILE_BYTES)
}

impl Folder {
    /// Lists the folders trainA trainB valA valB refA refB testA testB of `root`, or train/A …; only
    /// those for training must exist.
    ///
    /// # Errors
    /// `NotAFolder`, `MissingFolder`, `EmptyDomain`, `Read`, `TooDeep`, `TooManyFiles`.
    pub(crate) fn list(root: &Path) -> Result<Folder, DataError> {
        Folder::expect_training(root)?;
        let mut folder =
            Folder { root: root.to_path_buf(), entries: Vec::new(), files: Vec::new() };
        for (fold, domain, name, alternative) in LAYOUT {
            let Some(name) = present(root, [name, alternative]) else { continue };
            let dir = root.join(name);
            let (files, others) = files_below(&dir)?;
            if fold == Fold::Train && files.is_empty() {
                let (place, detail) = (dir.display().to_string(), no_image(others));
                return Err(DataError::EmptyDomain { place, detail });
            }
            let paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
            folder.entries.extend(ids(&paths).into_iter().map(|id| Entry { fold, domain, id }));
            folder.files.extend(
                files
                    .into_iter()
                    .map(|file| File { path: format!("{name}/{}", file.path), ..file }),
            );
        }
        Ok(folder)
    }

    /// Whether both folders of training images are there; what they hold is not looked at.
    ///
    /// # Errors
    /// `NotAFolder`, `MissingFolder`.
    pub(crate) fn expect_training(root: &Path) -> Result<(), DataError> {
        if !root.is_dir() {
            return Err(DataError::NotAFolder { root: root.to_path_buf() });
        }
        let training = LAYOUT.into_iter().filter(|(fold, ..)| *fold == Fold::Train);
        for (_, _, name, alternative) in training {
            if present(root, [name, alternative]).is_none() {
                return Err(missing(root, name, alternative));
            }
        }
        Ok(())
    }

    /// Changes whenever a file was added, removed, renamed or written to.
    pub(crate) fn stamp(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        // What was prepared by another rule is not used.
        hasher.update(AS_THEY_ARE.as_bytes());
        for (entry, file) in self.entries.iter().zip(&self.files) {
            hasher.update(format!("{:?} {:?} ", entry.fold, entry.domain).as_bytes());
            hasher.update(
                format!("{:?} {} {}\n", file.path, file.bytes, file.modified_ns).as_bytes(),
            );
        }
        hasher.finalize().to_hex().to_string()
    }
}

impl Source for Folder {
    fn rule(&self) -> String {
        AS_THEY_ARE.to_string()
    }

    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whole paths decide, as in the reference: `x-1.png` comes before `x.png`.
    fn is_ordered(&self) -> bool {
        true
    }

    fn picture(&self, index: usize, size: u32) -> Result<Picture, String> {
        picture_of(&self.files[index].read(&self.root)?, size)
    }

    fn path(&self, index: usize) -> String {
        self.files[index].path.clone()
    }
}

/// Why a folder is without images, that has this many other files.
pub(crate) fn no_image(others: usize) -> String {
    match others {
        0 => "it is empty".to_string(),
        n => format!("{n} files, but none ends in jpg, jpeg, png, bmp, tif, tiff or webp"),
    }
}

struct Walk<'a> {
    root: &'a Path,
    /// Names read so far, of files and folders, and how many are too many.
    seen: usize,
    most: usize,
    /// Real paths of the folders entered, so that a loop of links ends.
    visited: BTreeSet<PathBuf>,
    files: Vec<File>,
    /// Files that are no images by name.
    others: usize,
}

impl Walk<'_> {
    fn enter(&mut self, dir: &Path, prefix: &str, depth: usize) -> Result<(), DataError> {
        let real = dir.canonicalize().map_err(DataError::read(dir))?;
        if !self.visited.insert(real) {
            return Ok(());
        }
        if depth > MAX_DEPTH {
            return Err(DataError::TooDeep { path: dir.to_path_buf(), most: MAX_DEPTH });
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(dir).map_err(DataError::read(dir))? {
            names.push(entry.map_err(DataError::read(dir))?.file_name());
            self.seen += 1;
            if self.seen > self.most {
                let (root, most) = (self.root.to_path_buf(), self.most);
                return Err(DataError::TooManyFiles { root, most });
            }
        }
        // Sorted, so that which way into a loop is taken does not depend on the file system.
        names.sort();
        for name in names {
            let path = dir.join(&name);
            // Ids are text: a name that is not gets replacement characters, and is told apart.
            let name = format!("{prefix}{}", name.to_string_lossy());
            self.meet(&path, name, depth)?;
        }
        Ok(())
    }

    fn meet(&mut self, path: &Path, name: String, depth: usize) -> Result<(), DataError> {
        let found = fs::metadata(path);
        if found.as_ref().is_ok_and(fs::Metadata::is_dir) {
            return self.enter(path, &format!("{name}/"), depth + 1);
        }
        if !is_image_name(name.rsplit('/').next().unwrap_or_default()) {
            self.others += 1;
            return Ok(());
        }
        let is_text = path.strip_prefix(self.root).is_ok_and(|below| below.to_str().is_some());
        let fault = match &found {
            _ if !is_text => Some(NO_TEXT),
            Ok(found) if !found.is_file() => Some(NO_FILE),
            // A dangling link is reported as unreadable when its turn comes.
            _ => None,
        };
        let modified = found.as_ref().ok().and_then(|it| it.modified().ok());
        let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        self.files.push(File {
            path: name,
            bytes: found.map_or(0, |it| it.len()),
            modified_ns: modified.map_or(0, |since| since.as_nanos()),
            fault,
        });
        Ok(())
    }
}

fn present(root: &Path, names: [&'static str; 2]) -> Option<&'static str> {
    names.into_iter().find(|name| root.join(name).is_dir())
}

fn missing(root: &Path, expected: &'static str, alternative: &'static str) -> DataError {
    let mut found: Vec<String> = fs::read_dir(root)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    found.sort();
    let known: Vec<&str> = LAYOUT.iter().flat_map(|row| [row.2, row.3]).collect();
    let strangers = found.iter().map(String::as_str).filter(|name| !known.contains(name));
    let nearest = nearest(expected, strangers);
    found.truncate(20);
    DataError::MissingFolder { root: root.to_path_buf(), expected, alternative, found, nearest }
}

#[cfg(test)]
mod tests;
