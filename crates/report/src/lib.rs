//! A sweep record in, one HTML file out.
//!
//! The file is self-contained: it loads nothing from elsewhere, reads well without scripts,
//! in print and aloud, and has the same bytes for the same record. Nothing is
//! averaged away: a run that diverged, failed or is still to come is shown as
//! that, and a missing value stays missing.

mod absence;
mod brief;
mod compare;
mod contents;
mod data;
mod escape;
mod evaluation;
mod figure;
mod importance;
mod live;
mod markdown;
mod measured;
mod metric;
mod number;
mod page;
mod picture_file;
mod section;
pub mod summary;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub use live::{LAST_NEWS, News, Refresher, is_refreshed};
pub use picture_file::PictureFile;
use track::SweepRecord;

pub use compare::{Compared, SWEEPS, TextTable, compare, write_comparison};
pub use contents::contents;

#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("run {index} names cell {cell}, but the plan has {cells}")]
    UnknownCell { index: usize, cell: usize, cells: usize },
    #[error("run {index} is a second one of seed {seed} in cell {cell}")]
    SeedTwice { index: usize, cell: usize, seed: u64 },
    #[error(
        "{} cannot be compared: name {} to {} of them",
        number::plural(*.found, "sweep"),
        SWEEPS.start(),
        SWEEPS.end()
    )]
    HowMany { found: usize },
    #[error("sweep `{sweep}` is named twice: a comparison is of different sweeps, name each once")]
    ComparedTwice { sweep: String },
    #[error(
        "sweep `{sweep}` has no completed run yet: train it with `cyclelab sweep`, or leave it out"
    )]
    NothingCompleted { sweep: String },
    #[error("sweep `{sweep}` has no value of `{metric}`; all sweeps have {}", listed(.measured))]
    Unmeasured { sweep: String, metric: String, measured: Vec<String> },
    #[error(
        "the sweeps are judged by different metrics ({}), and not all of them have any of those: name one with \
         `--metric`; all sweeps have {}",
        .declared.join(", "),
        listed(.measured)
    )]
    NoCommonMetric { declared: Vec<String>, measured: Vec<String> },
    #[error("a figure could not be drawn: {reason}")]
    Drawing { reason: String },
    #[error("cannot create `{path}`")]
    CreateDir { path: PathBuf, source: io::Error },
    #[error("cannot write `{path}`")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot remove `{path}`")]
    Remove { path: PathBuf, source: io::Error },
}

impl ReportError {
    pub(crate) fn drawing(cause: impl Display) -> ReportError {
        ReportError::Drawing { reason: cause.to_string() }
    }
}

fn listed(metrics: &[String]) -> String {
    if metrics.is_empty() { "no metric in common".into() } else { metrics.join(", ") }
}

/// What a reader may want otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Bytes of sample images that go into the page; what does not fit is left out and named.
    pub image_budget: usize,
    /// The page shows by itself what is written in its place later.
    pub live: bool,
    /// The folder in which the page will lie: from there it links to the folders of its runs, where
    /// they are near, so its bytes depend on where that is. A page that is moved or given away keeps
    /// these links, and they lead nowhere; one made without a folder, as for a server, has none.
    pub beside: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Options {
        // Pages of 25 MB still open at once and pass most mail servers; the rest is for numbers.
        Options { image_budget: 20 << 20, live: false, beside: None }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub html: String,
    /// The answer and its table as Markdown, for a README or a pull request.
    pub summary: String,
    /// Everything the page's numbers are made of, as JSON: `docs/report.md` describes it.
    pub data: String,
    /// Of a live page: what the script beside it, `live.js`, says.
    pub news: Option<News>,
    /// Pictures that belong beside the page, which holds thumbnails of them; in order of names.
    pub pictures: Vec<PictureFile>,
    /// Sample images that could not be shown, by path and reason. The page says so in their place.
    pub problems: Vec<(PathBuf, String)>,
}

/// The page as text. Reads the sample images, and nothing else.
///
/// # Errors
/// `UnknownCell` and `SeedTwice` for a record that contradicts itself, `Drawing` if plotters fails.
pub fn render(record: &SweepRecord, options: &Options) -> Result<Rendered, ReportError> {
    check(record)?;
    page::render(record, options)
}

/// That the record does not contradict itself.
pub(crate) fn check(record: &SweepRecord) -> Result<(), ReportError> {
    let cells = record.plan.cells.len();
    if let Some(run) = record.runs.iter().find(|run| run.cell >= cells) {
        return Err(ReportError::UnknownCell { index: run.index, cell: run.cell, cells });
    }
    let mut seen = BTreeSet::new();
    if let Some(run) = record.runs.iter().find(|run| !seen.insert((run.cell, run.seed))) {
        return Err(ReportError::SeedTwice { index: run.index, cell: run.cell, seed: run.seed });
    }
    Ok(())
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub page: PathBuf,
    /// The page waits for a newer one.
    pub is_live: bool,
    /// Sample images that could not be shown or put beside the page, by path and reason.
    pub problems: Vec<(PathBuf, String)>,
}

/// Writes `index.html`, and beside it `summary.md`, `data.json` and larger pictures in `images/`,
/// each whole or not at all. A live page that was there, and is open somewhere, shows this one. Where
/// somebody refreshes the page, this one stays live.
///
/// # Errors
/// Those of [`render`], `CreateDir`, `Write` and `Remove`.
pub fn write(record: &SweepRecord, out_dir: &Path) -> Result<Written, ReportError> {
    write_as(record, out_dir, is_refreshed(out_dir))
}

fn write_as(record: &SweepRecord, out_dir: &Path, live: bool) -> Result<Written, ReportError> {
    create_dir(out_dir)?;
    let beside = Some(out_dir.to_path_buf());
    let rendered = render(record, &Options { live, beside, ..Options::default() })?;
    let mut problems = rendered.problems;
    // The page after what lies beside it, and the news of it last.
    problems.extend(picture_file::write(&rendered.pictures, out_dir));
    replace(&out_dir.join("data.json"), rendered.data.as_bytes())?;
    replace(&out_dir.join("summary.md"), rendered.summary.as_bytes())?;
    let page = out_dir.join("index.html");
    replace(&page, rendered.html.as_bytes())?;
    let news = out_dir.join(live::NEWS_FILE);
    match &rendered.news {
        Some(said) => replace(&news, said.script(SystemTime::now()).as_bytes())?,
        None => {
            if news.exists() {
                replace(&news, LAST_NEWS.as_bytes())?;
            }
            // Before that pages are open that name them.
            picture_file::remove_others(&rendered.pictures, out_dir)?;
        }
    }
    Ok(Written { page, is_live: live, problems })
}

fn create_dir(path: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(path)
        .map_err(|source| ReportError::CreateDir { path: path.to_path_buf(), source })
}

/// Two reports at once write two files; the later rename wins, and a reader sees one of them whole.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let name = path.file_name().expect("a file is named by its caller").to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    written.map_err(|source| {
        // Of a full disk half a file would be left; that it cannot be removed is not the news.
        let _ = fs::remove_file(&beside);
        ReportError::Write { path: path.to_path_buf(), source }
    })
}
