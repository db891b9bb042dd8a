//! A zip file with the folders trainA, trainB, testA, testB: the published data sets. Those of val and
//! ref are read where there are any.
//!
//! Images are read from it one by one; nothing is ever unpacked, so that no name, link or device
//! in it can act on the disk. What is left to a hostile archive is to be large, and that has limits.

use std::fs::File;
use std::path::Path;
use std::sync::Mutex;

use zip::ZipArchive;

use super::{
    AS_THEY_ARE, Entry, LAYOUT, Picture, Source, ids, is_image_name, picture_of, read_whole,
    too_large,
};
use crate::error::DataError;
use crate::fold::{Domain, Fold};
use crate::recipe::Recipe;

const MAX_FILES: usize = 200_000;
const MAX_IMAGE_BYTES: u64 = 64 << 20;
/// Of all images, unpacked; the largest published set has 1.4 GiB.
const MAX_BYTES: u64 = 64 << 30;
/// Unpacked to packed, of archives beyond [`SMALL`]. Images are compressed already; drawings
/// without compression reach about 50.
const MAX_RATIO: u64 = 200;
const SMALL: u64 = 1 << 30;

pub(crate) struct Archive {
    entries: Vec<Entry>,
    files: Vec<Member>,
    /// One reader for all threads: they take turns reading and decode side by side.
    zip: Mutex<ZipArchive<File>>,
}

struct Member {
    path: String,
    /// In the zip's own list.
    index: usize,
}

impl Archive {
    /// # Errors
    /// `BadPackage`, `WrongCount`, `EmptyDomain`, `Read`.
    pub(crate) fn open(path: &Path, recipe: &Recipe) -> Result<Archive, DataError> {
        let bad = |reason: &dyn std::fmt::Display| DataError::bad_package(path, reason);
        let file = File::open(path).map_err(DataError::read(path))?;
        let mut zip = ZipArchive::new(file).map_err(|error| bad(&error))?;
        if zip.len() > MAX_FILES {
            return Err(bad(&"it holds too many files"));
        }
        if zip.has_duplicate_names() {
            return Err(bad(&"it holds a name twice"));
        }
        // One stream under many names: the way to unpack to far more than the file could hold.
        if zip.has_overlapping_files().map_err(|error| bad(&error))? {
            return Err(bad(&"its files overlap"));
        }
        let mut unpacked: u64 = 0;
        let mut found: Vec<(Fold, Domain, String, Member)> = Vec::new();
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index).map_err(|error| bad(&error))?;
            let name = entry.name().map_err(|error| bad(&error))?.into_owned();
            if !entry.is_file() || entry.is_symlink() || !is_safe(&name) {
                continue;
            }
            if let Some((fold, domain, below)) = place(&name) {
                unpacked = unpacked.saturating_add(entry.size());
                found.push((fold, domain, below.to_string(), Member { path: name.clone(), index }));
            }
        }
        let packed = path.metadata().map_err(DataError::read(path))?.len();
        if unpacked > MAX_BYTES || unpacked > SMALL.max(packed.saturating_mul(MAX_RATIO)) {
            let (unpacked, packed) = (unpacked >> 20, packed >> 20);
            return Err(bad(&format!("its images would unpack from {packed} to {unpacked} MiB")));
        }
        found.sort_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
        if let Some(twice) =
            found.windows(2).find(|it| (it[0].0, it[0].1, &it[0].2) == (it[1].0, it[1].1, &it[1].2))
        {
            return Err(bad(&format!("it holds `{}` twice", twice[1].3.path)));
        }
        check_counts(recipe, &found)?;

        let mut archive = Archive { entries: Vec::new(), files: Vec::new(), zip: Mutex::new(zip) };
        for group in found.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let paths: Vec<String> = group.iter().map(|(_, _, below, _)| below.clone()).collect();
            let (fold, domain) = (group[0].0, group[0].1);
            archive.entries.extend(ids(&paths).into_iter().map(|id| Entry { fold, domain, id }));
        }
        archive.files.extend(found.into_iter().map(|(_, _, _, member)| member));
        Ok(archive)
    }

    fn read(&self, index: usize) -> Result<Vec<u8>, String> {
        let mut zip =
            self.zip.lock().map_err(|_| "another image of the archive ended in a panic")?;
        let entry = zip.by_index(self.files[index].index).map_err(|error| error.to_string())?;
        if entry.size() > MAX_IMAGE_BYTES {
            return Err(too_large(MAX_IMAGE_BYTES));
        }
        read_whole(entry, MAX_IMAGE_BYTES)
    }
}

impl Source for Archive {
    fn rule(&self) -> String {
        AS_THEY_ARE.to_string()
    }

    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// As a folder of the same files.
    fn is_ordered(&self) -> bool {
        true
    }

    fn picture(&self, index: usize, size: u32) -> Result<Picture, String> {
        picture_of(&self.read(index)?, size)
    }

    fn path(&self, index: usize) -> String {
        self.files[index].path.clone()
    }
}

/// Nothing is unpacked, so no path can lead out; a strange one still means a strange file.
fn is_safe(name: &str) -> bool {
    let is_drive = name.as_bytes().get(1) == Some(&b':');
    let is_strange = name.contains('\\') || name.contains(char::is_control);
    !is_drive && !is_strange && !name.starts_with('/') && name.split('/').all(|part| part != "..")
}

/// Fold, domain and the path below the folder; up to one folder may lie around all others.
fn place(name: &str) -> Option<(Fold, Domain, &str)> {
    if !is_image_name(name.rsplit('/').next()?) || name.starts_with("__MACOSX/") {
        return None;
    }
    let inner = name.split_once('/').map_or("", |(_, inner)| inner);
    [name, inner].into_iter().find_map(|name| {
        LAYOUT.iter().find_map(|&(fold, domain, one, other)| {
            let below = [one, other]
                .into_iter()
                .find_map(|dir| name.strip_prefix(dir)?.strip_prefix('/'))?;
            Some((fold, domain, below))
        })
    })
}

fn check_counts(
    recipe: &Recipe,
    found: &[(Fold, Domain, String, Member)],
) -> Result<(), DataError> {
    let count =
        |fold, domain| found.iter().filter(|image| (image.0, image.1) == (fold, domain)).count();
    let Some(counts) = &recipe.counts else {
        for (domain, place) in [(Domain::A, "trainA"), (Domain::B, "trainB")] {
            if count(Fold::Train, domain) == 0 {
                let detail = "the archive has no images there".to_string();
                return Err(DataError::EmptyDomain {
                    place: format!("{}: {place}", recipe.name),
                    detail,
                });
            }
        }
        return Ok(());
    };
    for (fold, domain, place, expected) in [
        (Fold::Train, Domain::A, "trainA", counts.train_a),
        (Fold::Train, Domain::B, "trainB", counts.train_b),
        (Fold::Test, Domain::A, "testA", counts.test_a),
        (Fold::Test, Domain::B, "testB", counts.test_b),
    ] {
        let found = count(fold, domain);
        if found != expected {
            return Err(DataError::WrongCount {
                name: recipe.name.clone(),
                place,
                expected,
                found,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
