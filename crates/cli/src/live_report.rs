//! The report of a sweep that is at work, written anew as it goes.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use report::Refresher;

/// The scheduler has written its plan by then.
const FIRST: Duration = Duration::from_secs(1);

/// A page is new at most this often.
const PACE: Duration = Duration::from_secs(10);

/// Of the time between two pages this part goes into writing one: training needs the processor.
const SHARE: u32 = 20;

/// Writes the live page from a thread of its own, until the sweep has ended.
pub(crate) struct LiveReport {
    ended: Sender<()>,
    thread: JoinHandle<()>,
}

impl LiveReport {
    /// `say` is given a line when there is a page to open, and one when a page could not be written.
    pub(crate) fn start(
        runs: &Path,
        sweep: &str,
        out: PathBuf,
        say: impl Fn(&str) + Send + 'static,
    ) -> LiveReport {
        let (ended, end) = channel();
        let (runs, sweep) = (runs.to_path_buf(), sweep.to_string());
        let thread = std::thread::spawn(move || match Refresher::begin(&out) {
            Ok(Some(refresher)) => refresh(&refresher, &runs, &sweep, &end, &say),
            Ok(None) => say("note: another process refreshes the report"),
            Err(error) => say(&format!("warning: the report is not refreshed: {}", chain(error))),
        });
        LiveReport { ended, thread }
    }

    /// No page is written any more when this returns, and an open one looks for the last.
    pub(crate) fn end(self) {
        drop(self.ended);
        if self.thread.join().is_err() {
            say!("warning: refreshing the report ended with a bug");
        }
    }
}

/// One page after another. What keeps one from being written may pass; it is said once, and the
/// report that is written in the end has the last word.
fn refresh(
    refresher: &Refresher,
    runs: &Path,
    sweep: &str,
    end: &Receiver<()>,
    say: &impl Fn(&str),
) {
    let (mut pause, mut told, mut warned) = (FIRST, false, false);
    while matches!(end.recv_timeout(pause), Err(RecvTimeoutError::Timeout)) {
        let began = Instant::now();
        match write(refresher, runs, sweep) {
            Ok(page) if !told => {
                told = true;
                say(&format!("report: {} (refreshes itself)", page.display()));
            }
            Err(error) if !warned => {
                warned = true;
                say(&format!("warning: the report could not be refreshed: {}", chain(error)));
            }
            _ => {}
        }
        pause = PACE.max(began.elapsed() * SHARE);
    }
}

fn write(refresher: &Refresher, runs: &Path, sweep: &str) -> anyhow::Result<PathBuf> {
    let record = track::read_sweep(runs, sweep)?;
    Ok(refresher.write(&record)?.page)
}

fn chain(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}
