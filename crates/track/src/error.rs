use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong between a run and its folder.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
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
    #[error("`{path}` is damaged: {reason}")]
    Damaged { path: PathBuf, reason: String },
    #[error("`{path}` has format {found}; this build reads up to {supported}")]
    TooNew { path: PathBuf, found: u32, supported: u32 },
    #[error("`{path}` is held by {owner}; nothing was changed")]
    Held { path: PathBuf, owner: String },
    #[error("`{path}`: attempt {attempt} was taken over by {by}; it writes nothing more")]
    Fenced {
        path: PathBuf,
        attempt: u32,
        /// The later attempt and its process.
        by: String,
    },
    #[error(
        "`{path}` needs {} for a checkpoint, and {} are free",
        size(*.needed),
        size(*.free)
    )]
    NoSpace {
        path: PathBuf,
        /// In bytes, as `free`.
        needed: u64,
        free: u64,
    },
    #[error("`{path}` belongs to run {found}, not to {wanted}")]
    OtherRun { path: PathBuf, found: String, wanted: String },
    #[error("`{name}` cannot name a sweep: 1 to 64 of A-Z a-z 0-9 . _ -, a letter or digit first")]
    Name { name: String },
    /// `near`: the sweep beside it whose name is most like it.
    #[error("no sweep at `{path}`{}", near.as_ref().map_or(String::new(), |name| format!("; did you mean `{name}`?")))]
    NoSweep { path: PathBuf, near: Option<String> },
}

impl TrackError {
    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> TrackError {
        move |source| TrackError::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> TrackError {
        move |source| TrackError::Write { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, reason: impl ToString) -> TrackError {
        TrackError::Damaged { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// In decimal units, as disks are sold.
fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        ..1e9 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    }
}
