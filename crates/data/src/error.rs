//! What can go wrong between a configuration and its images.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// An image that could not be used, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedImage {
    /// The image's path below the data set's root, or its name in the package.
    pub path: String,
    pub reason: String,
}

impl fmt::Display for SkippedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", visible(&self.path), visible(&self.reason))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DataError {
    #[error("no data set is called `{name}`{}; there are: {}", did_you_mean(.nearest), .known.join(", "))]
    UnknownRecipe { name: String, nearest: Option<String>, known: Vec<String> },
    #[error("nothing to fetch is called `{name}`{}; there are: {}", did_you_mean(.nearest), .known.join(", "))]
    NothingToFetch { name: String, nearest: Option<String>, known: Vec<String> },
    /// `place` is `FILE` or `FILE:LINE`.
    #[error("{place}: {message}")]
    BadRecipe { place: String, message: String },
    #[error("exactly one of data.dataset and data.path must be set")]
    NoSource,
    #[error("data.crop_size is {crop_size}, which must be from 1 to data.load_size ({load_size})")]
    BadSize { load_size: u32, crop_size: u32 },
    #[error("data.load_size is {load_size}, and images have at most {most} px a side")]
    LargeSize { load_size: u32, most: u32 },

    #[error("`{root}` is not a folder")]
    NotAFolder { root: PathBuf },
    #[error(
        "`{root}` has neither `{expected}` nor `{alternative}`; {}{}",
        list_of(.found), did_you_mean(.nearest)
    )]
    MissingFolder {
        root: PathBuf,
        expected: &'static str,
        alternative: &'static str,
        found: Vec<String>,
        nearest: Option<String>,
    },
    #[error("`{place}` holds no image to train on: {detail}")]
    EmptyDomain { place: String, detail: String },
    #[error("`{root}` holds no image: {detail}")]
    NoImages { root: PathBuf, detail: String },
    #[error("`{root}` is both the folder to read from and the folder to write to")]
    SameFolder { root: PathBuf },
    /// A line for each name to be written, with those that would take it.
    #[error("pictures would overwrite each other or what is read:{}", first_ten(.clashes))]
    SameName { clashes: Vec<String> },
    #[error("{} of the images cannot be used:{}", .images.len(), first_ten(.images))]
    BadImages { images: Vec<SkippedImage> },
    /// Leaving out some is asked for; a data set of which most is missing is another one.
    #[error(
        "{} of {of} images of `{place}` cannot be used, too many to go on with the rest:{}",
        .images.len(), first_ten(.images)
    )]
    MostlyBad { place: String, of: usize, images: Vec<SkippedImage> },
    #[error("`{root}` holds more than {most} files and folders; is it the right folder?")]
    TooManyFiles { root: PathBuf, most: usize },
    #[error("`{path}` lies more than {most} folders deep")]
    TooDeep { path: PathBuf, most: usize },

    #[error("cannot read `{path}`")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot write `{path}`")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot write the image `{path}`: {reason}")]
    WriteImage { path: PathBuf, reason: String },
    #[error("`{path}` changed or disappeared while it was being prepared; run the command again")]
    Unstable { path: PathBuf },

    #[error("cannot download {url}: {reason}")]
    Download { url: String, reason: String },
    #[error("what was downloaded for `{file}` has sha256 {found}, expected {expected}; {remedy}")]
    Hash { file: PathBuf, expected: String, found: String, remedy: String },
    #[error("cannot start `{command}`: {reason}; {remedy}")]
    ClientMissing { command: String, reason: String, remedy: String },
    #[error("`{command}` failed ({outcome}); {remedy}. Its last words:\n{stderr}")]
    ClientFailed { command: String, outcome: String, stderr: String, remedy: String },
    #[error("`{path}` is not the package it should be: {reason}")]
    BadPackage { path: PathBuf, reason: String },
    #[error("{name}: {place} holds {found} images, the recipe expects {expected}")]
    WrongCount { name: String, place: &'static str, expected: usize, found: usize },
}

impl DataError {
    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> DataError {
        let path = path.to_path_buf();
        move |source| DataError::Read { path, source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> DataError {
        let path = path.to_path_buf();
        move |source| DataError::Write { path, source }
    }

    pub(crate) fn bad_package(path: &Path, reason: impl fmt::Display) -> DataError {
        DataError::BadPackage { path: path.to_path_buf(), reason: reason.to_string() }
    }
}

/// Names come from strangers: what would act on a terminal, break a line or turn the direction of
/// writing is written out instead.
pub(crate) fn visible(text: &str) -> String {
    let is_hidden = |c: char| {
        let turns = matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
            || matches!(c, '\u{2066}'..='\u{2069}');
        c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}')
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// The candidate closest in spelling, if it is close enough to be meant.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let wanted = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate.to_string())
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

fn list_of(names: &[String]) -> String {
    if names.is_empty() {
        "it holds no folders".into()
    } else {
        format!("found: {}", names.join(", "))
    }
}

fn first_ten(lines: &[impl fmt::Display]) -> String {
    let mut text: String = lines.iter().take(10).map(|line| format!("\n  {line}")).collect();
    if lines.len() > 10 {
        text += &format!("\n  … and {} more", lines.len() - 10);
    }
    text
}
