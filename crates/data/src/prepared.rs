//! Decoded, resized images as raw bytes, one after another.
//!
//! `prepared/<fingerprint>/` holds `index.json` (which image is where) and, for
//! each size that was asked for, `<size>px-train.u8` and `<size>px-held-out.u8`.
//! Reading an image is then one positional read.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{DataError, SkippedImage};
use crate::fold::{Domain, Fold};
use crate::source::Source;
use crate::store::Progress;

/// Raised when the files' or the fingerprint's meaning changes; other formats are rebuilt, not read.
const FORMAT: u32 = 2;
/// Images made at a time, of these and as many bytes: bounds memory, and is how often progress is
/// told.
const CHUNK: usize = 64;
const CHUNK_BYTES: usize = 256 << 20;

/// Sides in pixels of the training and of the held-out images.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) train: u32,
    pub(crate) held_out: u32,
}

impl Sizes {
    fn of(self, fold: Fold) -> u32 {
        if fold == Fold::Train { self.train } else { self.held_out }
    }
}

/// What is in a prepared data set, in the order of the files.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Index {
    format: u32,
    pub(crate) fingerprint: String,
    /// Who made the images, for a person who finds this folder.
    about: About,
    groups: Vec<Group>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) credit: String,
    pub(crate) licence: String,
}

/// The images of one fold and domain, ordered by id.
#[derive(Debug, Serialize, Deserialize)]
struct Group {
    fold: Fold,
    domain: Domain,
    count: usize,
    ids: Vec<String>,
    /// Of what each image was made from.
    blake3: Vec<String>,
}

impl Index {
    fn new() -> Index {
        let empty =
            |(fold, domain)| Group { fold, domain, count: 0, ids: Vec::new(), blake3: Vec::new() };
        let places =
            Fold::ALL.into_iter().flat_map(|fold| Domain::ALL.map(|domain| (fold, domain)));
        let about = About {
            name: String::new(),
            title: String::new(),
            credit: String::new(),
            licence: String::new(),
        };
        Index {
            format: FORMAT,
            fingerprint: String::new(),
            about,
            groups: places.map(empty).collect(),
        }
    }

    fn push(&mut self, fold: Fold, domain: Domain, id: String, content: blake3::Hash) {
        let group = &mut self.groups[Self::position(fold, domain)];
        group.count += 1;
        group.ids.push(id);
        group.blake3.push(content.to_hex().to_string());
    }

    pub(crate) fn ids(&self, fold: Fold, domain: Domain) -> &[String] {
        &self.groups[Self::position(fold, domain)].ids
    }

    /// Hexadecimal hashes of what the images were made from, in the order of [`Index::ids`].
    pub(crate) fn contents(&self, fold: Fold, domain: Domain) -> &[String] {
        &self.groups[Self::position(fold, domain)].blake3
    }

    /// How many images lie before this group's first in its file.
    pub(crate) fn first(&self, fold: Fold, domain: Domain) -> usize {
        let before = self.groups[..Self::position(fold, domain)].iter();
        before
            .filter(|group| (group.fold == Fold::Train) == (fold == Fold::Train))
            .map(|group| group.ids.len())
            .sum()
    }

    /// Images in the training file, or in the held-out file.
    fn total(&self, train: bool) -> usize {
        self.groups
            .iter()
            .filter(|group| (group.fold == Fold::Train) == train)
            .map(|group| group.ids.len())
            .sum()
    }

    fn position(fold: Fold, domain: Domain) -> usize {
        fold as usize * 2 + domain as usize
    }

    /// Identity of the content: what the images are made from, how, and which is which.
    ///
    /// Sizes and paths are left out, so the same images are the same data set on every machine.
    fn fingerprint(&self, rule: &str) -> String {
        let mut hasher = blake3::Hasher::new_derive_key("cyclelab 2026 data set fingerprint");
        hasher.update(rule.as_bytes());
        for group in &self.groups {
            hasher.update(format!("\n{:?} {:?}", group.fold, group.domain).as_bytes());
            for (id, content) in group.ids.iter().zip(&group.blake3) {
                hasher.update(format!("\n{content} {id:?}").as_bytes());
            }
        }
        hasher.finalize().to_hex()[..32].to_string()
    }

    fn is_sound(&self) -> bool {
        self.format == FORMAT
            && self.groups.len() == Fold::ALL.len() * Domain::ALL.len()
            && self
                .groups
                .iter()
                .enumerate()
                .all(|(i, group)| Self::position(group.fold, group.domain) == i)
            && self
                .groups
                .iter()
                .all(|group| group.ids.len() == group.count && group.blake3.len() == group.count)
    }
}

/// An index and its two files, opened.
pub(crate) struct Prepared {
    pub(crate) index: Index,
    pub(crate) train: (PathBuf, File),
    pub(crate) held_out: (PathBuf, File),
}

/// Opens what was prepared before; `None` if anything of it is missing, cut short or of another format.
pub(crate) fn open(dir: &Path, fingerprint: &str, sizes: Sizes) -> Option<Prepared> {
    let dir = dir.join(fingerprint);
    let index: Index = serde_json::from_slice(&fs::read(dir.join("index.json")).ok()?).ok()?;
    if !index.is_sound() || index.fingerprint != fingerprint {
        return None;
    }
    let file = |size: u32, train: bool| {
        let path = dir.join(file_name(size, train));
        let file = File::open(&path).ok()?;
        let expected = index.total(train) as u64 * bytes_of(size) as u64;
        (file.metadata().ok()?.len() == expected).then_some((path, file))
    };
    let (train, held_out) = (file(sizes.train, true)?, file(sizes.held_out, false)?);
    Some(Prepared { index, train, held_out })
}

pub(crate) struct Built {
    pub(crate) fingerprint: String,
    pub(crate) skipped: Vec<SkippedImage>,
}

/// Makes every image of `source` at its fold's size and moves the files into `dir/<fingerprint>/`.
/// `rule` says how contents become images and what they are to each other.
///
/// # Errors
/// `EmptyDomain`, `Write`; `BadImages` naming all of them, unless `skip_bad`, and then `MostlyBad`.
pub(crate) fn build(
    dir: &Path,
    source: &dyn Source,
    rule: &str,
    about: About,
    sizes: Sizes,
    skip_bad: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Built, DataError> {
    fs::create_dir_all(dir).map_err(DataError::write(dir))?;
    let scratch = tempfile::Builder::new()
        .prefix(".building-")
        .tempdir_in(dir)
        .map_err(DataError::write(dir))?;
    let mut files = [
        Output::new(scratch.path(), sizes.train, true)?,
        Output::new(scratch.path(), sizes.held_out, false)?,
    ];

    let entries = source.entries();
    let mut order: Vec<usize> = (0..entries.len()).collect();
    match source.is_ordered() {
        true => order.sort_by_key(|&i| (entries[i].fold, entries[i].domain)),
        false => order.sort_by(|&a, &b| entries[a].cmp(&entries[b])),
    }
    let (mut index, mut skipped) = (Index::new(), Vec::new());
    let at_once = CHUNK_BYTES / bytes_of(sizes.train.max(sizes.held_out)).max(1);
    let at_once = at_once.clamp(1, CHUNK);
    let mut done = 0;
    for chunk in order.chunks(at_once) {
        let pictures: Vec<_> =
            chunk.par_iter().map(|&i| source.picture(i, sizes.of(entries[i].fold))).collect();
        for (&i, picture) in chunk.iter().zip(pictures) {
            let entry = &entries[i];
            match picture {
                Ok(picture) => {
                    files[usize::from(entry.fold != Fold::Train)].append(&picture.rgb)?;
                    index.push(entry.fold, entry.domain, entry.id.clone(), picture.content);
                }
                Err(reason) => {
                    let place = (entry.fold, entry.domain);
                    skipped.push((place, SkippedImage { path: source.path(i), reason }));
                }
            }
        }
        done += chunk.len() as u64;
        let what = format!("preparing {}", about.name);
        progress(Progress { what, done, total: Some(order.len() as u64), bytes: false });
    }
    if !skipped.is_empty() && !skip_bad {
        let images = skipped.into_iter().map(|(_, image)| image).collect();
        return Err(DataError::BadImages { images });
    }
    for (domain, place) in [(Domain::A, "trainA"), (Domain::B, "trainB")] {
        if index.ids(Fold::Train, domain).is_empty() {
            let detail = match skipped.len() {
                0 => "no image falls into it".to_string(),
                n => format!("{n} images cannot be used, the first is {}", skipped[0].1),
            };
            return Err(DataError::EmptyDomain {
                place: format!("{}: {place}", about.name),
                detail,
            });
        }
    }
    expect_most_are_left(&index, &skipped, &about)?;
    let skipped = skipped.into_iter().map(|(_, image)| image).collect();

    index.fingerprint = index.fingerprint(rule);
    index.about = about;
    let home = dir.join(&index.fingerprint);
    fs::create_dir_all(&home).map_err(DataError::write(&home))?;
    for file in files {
        file.finish(&home)?;
    }
    // Last, so that an index means a whole data set.
    write_whole(
        &home.join("index.json"),
        &serde_json::to_vec(&index).expect("an index is plain data"),
    )?;
    Ok(Built { fingerprint: index.fingerprint, skipped })
}

/// In every fold and domain.
fn expect_most_are_left(
    index: &Index,
    skipped: &[((Fold, Domain), SkippedImage)],
    about: &About,
) -> Result<(), DataError> {
    for group in &index.groups {
        let here = (group.fold, group.domain);
        let bad = skipped.iter().filter(|(place, _)| *place == here).map(|(_, image)| image);
        let bad: Vec<SkippedImage> = bad.cloned().collect();
        if bad.len() > group.count {
            let place = format!("{:?}{:?}", group.fold, group.domain);
            let place = format!("{}: {}{}", about.name, place[..1].to_lowercase(), &place[1..]);
            return Err(DataError::MostlyBad { place, of: bad.len() + group.count, images: bad });
        }
    }
    Ok(())
}

/// Writes a file that is either there and whole, or not there.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    let dir = path.parent().expect("every file here lies in a folder");
    fs::create_dir_all(dir).map_err(DataError::write(dir))?;
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(DataError::write(dir))?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(DataError::write(path))?;
    file.persist(path).map_err(|error| DataError::write(path)(error.error))?;
    Ok(())
}

struct Output {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Output {
    fn new(dir: &Path, size: u32, train: bool) -> Result<Output, DataError> {
        let path = dir.join(file_name(size, train));
        let file = File::create(&path).map_err(DataError::write(&path))?;
        Ok(Output { path, file: BufWriter::with_capacity(1 << 20, file) })
    }

    fn append(&mut self, rgb: &[u8]) -> Result<(), DataError> {
        self.file.write_all(rgb).map_err(DataError::write(&self.path))
    }

    fn finish(self, home: &Path) -> Result<(), DataError> {
        let file = self
            .file
            .into_inner()
            .map_err(|error| DataError::write(&self.path)(error.into_error()))?;
        file.sync_all().map_err(DataError::write(&self.path))?;
        let target = home.join(self.path.file_name().expect("made with a name above"));
        fs::rename(&self.path, &target).map_err(DataError::write(&target))
    }
}

fn file_name(size: u32, train: bool) -> String {
    format!("{size}px-{}.u8", if train { "train" } else { "held-out" })
}

pub(crate) fn bytes_of(size: u32) -> usize {
    3 * size as usize * size as usize
}
