//! Flat Twemoji and the same emoji with volume (Fluent Emoji 3D, from npm).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use twemoji_assets::png::PngTwemojiAsset;

use super::emoji_key::{group_key, id, is_left_out, parse};
use super::{Entry, Picture, Source, picture_of, read_whole, revision};
use crate::error::DataError;
use crate::fold::{Domain, FoldBuckets};
use crate::recipe::RecipeKind;

/// The package has 3,393 files and 18 MB unpacked; beyond this it is another one.
const MAX_FILES: usize = 20_000;
const MAX_UNPACKED_BYTES: u64 = 256 << 20;
const MAX_IMAGE_BYTES: u64 = 4 << 20;

pub(crate) struct EmojiFlat3d {
    entries: Vec<Entry>,
    /// The image file behind each entry's id, flat and with volume.
    files: BTreeMap<String, (&'static [u8], Vec<u8>)>,
}

impl EmojiFlat3d {
    /// `path` is the package as npm packs it, a gzipped tar; it is read in memory, nothing is unpacked.
    pub(crate) fn open(path: &Path, folds: &FoldBuckets) -> Result<EmojiFlat3d, DataError> {
        let mut source = EmojiFlat3d { entries: Vec::new(), files: BTreeMap::new() };
        for (name, solid) in webp_files(path)? {
            let Some(code_points) = parse(&name).filter(|points| !is_left_out(points)) else {
                continue;
            };
            let Some(flat) = twemoji(&code_points) else { continue };
            if source.files.insert(id(&code_points), (flat, solid)).is_none() {
                let places = folds.places(&group_key(&code_points)).iter();
                source.entries.extend(places.map(|&(fold, domain)| Entry {
                    fold,
                    domain,
                    id: id(&code_points),
                }));
            }
        }
        Ok(source)
    }
}

impl Source for EmojiFlat3d {
    fn rule(&self) -> String {
        format!("emoji-flat3d, revision {}", revision(RecipeKind::EmojiFlat3d))
    }

    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn picture(&self, index: usize, size: u32) -> Result<Picture, String> {
        let entry = &self.entries[index];
        let (flat, solid) = &self.files[&entry.id];
        match entry.domain {
            Domain::A => picture_of(flat, size),
            Domain::B => picture_of(solid, size),
        }
    }
}

/// Twemoji leaves `fe0f` out of most names; try the name as it is first.
fn twemoji(code_points: &[u32]) -> Option<&'static [u8]> {
    let text = |points: &[u32]| {
        points.iter().map(|&point| char::from_u32(point)).collect::<Option<String>>()
    };
    let plain: Vec<u32> = code_points.iter().copied().filter(|&point| point != 0xfe0f).collect();
    let asset = PngTwemojiAsset::from_emoji(&text(code_points)?);
    Some(asset.or_else(|| PngTwemojiAsset::from_emoji(&text(&plain)?))?.data.0)
}

/// Names without ending, and contents, of `package/assets/*.webp`.
fn webp_files(path: &Path) -> Result<BTreeMap<String, Vec<u8>>, DataError> {
    let bad = |reason: &dyn std::fmt::Display| DataError::bad_package(path, reason);
    let file = File::open(path).map_err(DataError::read(path))?;
    let unpacked = GzDecoder::new(file).take(MAX_UNPACKED_BYTES);
    let mut archive = tar::Archive::new(unpacked);
    let mut files = BTreeMap::new();
    for entry in archive.entries().map_err(|error| bad(&error))? {
        let entry = entry.map_err(|error| bad(&error))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let stem = name.strip_prefix("package/assets/").and_then(|name| name.strip_suffix(".webp"));
        let (Some(stem), true) = (stem, entry.header().entry_type().is_file()) else { continue };
        if files.len() == MAX_FILES {
            return Err(bad(&"it holds too many files"));
        }
        let bytes =
            read_whole(entry, MAX_IMAGE_BYTES).map_err(|it| bad(&format!("{name}: {it}")))?;
        if files.insert(stem.to_string(), bytes).is_some() {
            return Err(bad(&format!("it holds {name} twice")));
        }
    }
    if files.is_empty() {
        return Err(bad(&"it holds no package/assets/*.webp"));
    }
    Ok(files)
}

#[cfg(test)]
mod tests;
