//! The reports that can be asked for, made from the store when they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use report::{Options, PictureFile, Rendered};
use track::{RunState, SweepDir, SweepRecord, read_sweep, read_sweep_status};

use crate::ServeError;
use crate::answer::Answer;

/// A report is read anew at most this often, and never for more than a tenth of the time.
const PACE: Duration = Duration::from_secs(10);
const SHARE: u32 = 10;

const HTML: &str = "text/html; charset=utf-8";

/// Reports kept at once: a page is some megabytes.
const MOST_KEPT: usize = 4;

pub struct Shelf {
    runs: PathBuf,
    reports: BTreeMap<String, Kept>,
}

struct Kept {
    rendered: Rendered,
    until: Instant,
}

impl Shelf {
    /// Of all sweeps in the folder, those that come later included.
    pub fn new(runs: PathBuf) -> Shelf {
        Shelf { runs, reports: BTreeMap::new() }
    }

    pub(crate) fn answer(&mut self, path: &str) -> Answer {
        match self.find(path) {
            Ok(Some(answer)) => answer,
            Ok(None) => Answer::refusal(404, "There is nothing of this name."),
            Err(error) => Answer::refusal(500, &error.to_string()),
        }
    }

    /// `None` for what is not there.
    fn find(&mut self, path: &str) -> Result<Option<Answer>, ServeError> {
        let names = || -> Result<Vec<String>, ServeError> {
            Ok(track::sweeps(&self.runs)?.iter().map(|sweep| sweep.name()).collect())
        };
        if path.is_empty() {
            // One that cannot be read is left out here, and says why where it is asked for.
            let read = |name: &String| read_sweep_status(&self.runs, name).ok();
            let sweeps: Vec<SweepRecord> = names()?.iter().filter_map(read).collect();
            return Ok(Some(Answer::file(HTML, report::contents(&sweeps))));
        }
        let Some((name, file)) = path.split_once('/') else {
            return Ok(None);
        };
        if !names()?.iter().any(|it| it == name) {
            return Ok(None);
        }
        let rendered = self.report(name)?;
        Ok(match file {
            "" | "index.html" => Some(Answer::file(HTML, rendered.html.as_str())),
            "summary.md" => {
                Some(Answer::file("text/markdown; charset=utf-8", rendered.summary.as_str()))
            }
            "data.json" => Some(Answer::file("application/json", rendered.data.as_str())),
            // Of a page that is live no more there is no news; one that is open still asks.
            "live.js" => {
                let news = rendered.news.as_ref().map(|news| news.script(SystemTime::now()));
                let news = news.unwrap_or_else(|| report::LAST_NEWS.to_string());
                Some(Answer::file("text/javascript", news))
            }
            _ => match rendered.pictures.iter().find(|picture| picture.address() == file) {
                Some(picture) => Some(shown(picture)?),
                None => None,
            },
        })
    }

    fn report(&mut self, name: &str) -> Result<&Rendered, ServeError> {
        let began = Instant::now();
        if self.reports.get(name).is_none_or(|kept| kept.until <= began) {
            let record = read_sweep(&self.runs, name)?;
            let live = is_at_work(&self.runs, &record)?;
            let rendered = report::render(&record, &Options { live, ..Options::default() })?;
            let until = Instant::now() + PACE.max(began.elapsed() * SHARE);
            self.reports.insert(name.to_string(), Kept { rendered, until });
            if self.reports.len() > MOST_KEPT {
                let others = self.reports.iter().filter(|(other, _)| *other != name);
                let oldest = others.min_by_key(|(_, kept)| kept.until).map(|it| it.0.clone());
                oldest.into_iter().for_each(|name| drop(self.reports.remove(&name)));
            }
        }
        Ok(&self.reports[name].rendered)
    }
}

/// Whether there will be news: a scheduler has the sweep, or a run is being trained.
fn is_at_work(runs: &Path, record: &SweepRecord) -> Result<bool, ServeError> {
    let is_held = SweepDir::new(runs, &record.plan.name)?.expect_free().is_err();
    Ok(is_held || record.runs.iter().any(|run| run.state == RunState::Running))
}

/// A picture lies in its run's folder; the page names it by what is in it.
fn shown(picture: &PictureFile) -> Result<Answer, ServeError> {
    let bytes = fs::read(&picture.source)
        .map_err(|source| ServeError::Picture { path: picture.source.clone(), source })?;
    let kind = match picture.name.rsplit('.').next() {
        Some("png") => "image/png",
        Some("jpg") => "image/jpeg",
        _ => "image/webp",
    };
    Ok(Answer::file(kind, bytes))
}
