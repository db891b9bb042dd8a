//! A folder of the user's own images.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::{AS_THEY_ARE, Entry, LAYOUT, Picture, Source, ids, is_image_name, picture_of};
use crate::error::{DataError, nearest};
use crate::fold::Fold;

/// Deeper folders than this are taken for a mistake and left alone.
const MAX_DEPTH: usize = 16;
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
}

/// The image files below `dir`, by path, and how many other files there are.
///
/// # Errors
/// `Read`.
pub(crate) fn files_below(dir: &Path) -> Result<(Vec<File>, usize), DataError> {
    let mut walk = Walk { visited: BTreeSet::new(), files: Vec::new(), others: 0 };
    walk.enter(dir, "", 0)?;
    walk.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((walk.files, walk.others))
}

impl File {
    /// The file's content, or why it cannot be had.
    pub(crate) fn read(&self, root: &Path) -> Result<Vec<u8>, String> {
        if self.bytes > MAX_FILE_BYTES {
            return Err(format!("{} MiB is too large for an image file", self.bytes >> 20));
        }
        fs::read(root.join(&self.path)).map_err(|error| format!("cannot be read: {error}"))
    }
}

impl Folder {
    /// Lists `root/trainA` … `root/testB`, or `root/train/A` …; only the training folders must exist.
    ///
    /// # Errors
    /// `NotAFolder`, `MissingFolder`, `EmptyDomain`, `Read`.
    pub(crate) fn list(root: &Path) -> Result<Folder, DataError> {
        if !root.is_dir() {
            return Err(DataError::NotAFolder { root: root.to_path_buf() });
        }
        let mut folder =
            Folder { root: root.to_path_buf(), entries: Vec::new(), files: Vec::new() };
        for (fold, domain, name, alternative) in LAYOUT {
            let Some(name) = [name, alternative].into_iter().find(|name| root.join(name).is_dir())
            else {
                if fold == Fold::Train {
                    return Err(missing(root, name, alternative));
                }
                continue;
            };
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

struct Walk {
    /// Real paths of the folders entered, so that a loop of links ends.
    visited: BTreeSet<PathBuf>,
    files: Vec<File>,
    /// Files that are no images by name.
    others: usize,
}

impl Walk {
    fn enter(&mut self, dir: &Path, prefix: &str, depth: usize) -> Result<(), DataError> {
        let real = dir.canonicalize().map_err(DataError::read(dir))?;
        if depth > MAX_DEPTH || !self.visited.insert(real) {
            return Ok(());
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(dir).map_err(DataError::read(dir))? {
            names.push(entry.map_err(DataError::read(dir))?.file_name());
        }
        // Sorted, so that which way into a loop is taken does not depend on the file system.
        names.sort();
        for name in names {
            let path = dir.join(&name);
            // Ids are text: a name that is not gets replacement characters, and is not found again.
            let name = format!("{prefix}{}", name.to_string_lossy());
            self.meet(&path, name, depth)?;
        }
        Ok(())
    }

    fn meet(&mut self, path: &Path, name: String, depth: usize) -> Result<(), DataError> {
        let is_image = is_image_name(name.rsplit('/').next().unwrap_or_default());
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => self.enter(path, &format!("{name}/"), depth + 1)?,
            Ok(found) if found.is_file() && is_image => {
                let modified =
                    found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                let modified_ns = modified.map_or(0, |since| since.as_nanos());
                self.files.push(File { path: name, bytes: found.len(), modified_ns });
            }
            // Pipes and devices can block for ever: never opened.
            Ok(found) => self.others += usize::from(found.is_file()),
            // A dangling link: listed, and reported as unreadable when its turn comes.
            Err(_) if is_image => self.files.push(File { path: name, bytes: 0, modified_ns: 0 }),
            Err(_) => self.others += 1,
        }
        Ok(())
    }
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
mod tests {
    use super::*;
    use crate::fixture::tree;
    use crate::fold::Domain;

    fn listed(root: &Path) -> Vec<(Fold, Domain, String)> {
        let folder = Folder::list(root).unwrap();
        folder.entries.into_iter().map(|entry| (entry.fold, entry.domain, entry.id)).collect()
    }

    #[test]
    fn both_customs_are_read_the_same() {
        let check = |paths: &[&str]| {
            let expected = [
                (Fold::Train, Domain::A, "n/2".to_string()),
                (Fold::Train, Domain::A, "x".to_string()),
                (Fold::Train, Domain::B, "y".to_string()),
                (Fold::Test, Domain::A, "z".to_string()),
            ];
            assert_eq!(listed(tree(paths).path()), expected);
        };
        check(&[
            "trainA/x.png",
            "trainA/n/2.JPG",
            "trainA/notes.txt",
            "trainB/y.webp",
            "testA/z.tif",
        ]);
        check(&[
            "train/A/x.png",
            "train/A/n/2.JPG",
            "train/B/y.webp",
            "test/A/z.tif",
            "other/q.png",
        ]);
    }

    #[test]
    fn what_is_missing_is_named_with_what_was_found() {
        let check = |paths: &[&str], expected: &[&str]| {
            let dir = tree(paths);
            let error = Folder::list(dir.path()).err().unwrap().to_string();
            for part in expected {
                assert!(error.contains(part), "{error} lacks {part}");
            }
        };
        check(
            &["TrainA/x.png", "trainB/x.png"],
            &["`trainA` nor `train/A`", "found: TrainA", "mean `TrainA`"],
        );
        check(&["trainA/x.png", "horses/x.png"], &["`trainB`", "found: horses, trainA"]);
        check(&["x.png"], &["it holds no folders"]);
        check(&["trainA/x.png", "trainB/x.gif"], &["trainB", "1 files, but none ends in"]);
        let error = Folder::list(Path::new("/no/such/folder")).err().unwrap().to_string();
        assert_eq!(error, "`/no/such/folder` is not a folder");
    }

    #[cfg(unix)]
    #[test]
    fn links_that_loop_and_pipes_do_not_hang() {
        let dir = tree(&["trainA/x.png", "trainB/y.png"]);
        std::os::unix::fs::symlink(dir.path(), dir.path().join("trainA/loop")).unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("trainA/dangling.png")).unwrap();
        let pipe = dir.path().join("trainA/pipe.png");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let ids: Vec<String> = listed(dir.path()).into_iter().map(|(_, _, id)| id).collect();
        assert_eq!(ids, ["dangling", "loop/trainB/y", "x", "y"]);
    }

    #[test]
    fn the_stamp_follows_every_change() {
        let dir = tree(&["trainA/x.png", "trainB/y.png"]);
        let stamp = || Folder::list(dir.path()).unwrap().stamp();
        let before = stamp();
        assert_eq!(stamp(), before);
        fs::write(dir.path().join("trainA/x.png"), "more").unwrap();
        let written = stamp();
        assert_ne!(written, before);
        fs::rename(dir.path().join("trainA/x.png"), dir.path().join("trainA/z.png")).unwrap();
        assert_ne!(stamp(), written);
    }
}
