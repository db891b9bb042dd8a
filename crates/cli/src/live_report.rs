//! The report of a sweep that is at work, written anew as it goes.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;

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
        let thread = std::thread::spawn(move || refresh(&runs, &sweep, &out, &end, &say));
        LiveReport { ended, thread }
    }

    /// No page is written any more when this returns.
    pub(crate) fn end(self) {
        drop(self.ended);
        self.thread.join().expect("writing a report does not panic");
    }
}

/// One page after another. What keeps one from being written may pass; it is said once, and the
/// report that is written in the end has the last word.
fn refresh(runs: &Path, sweep: &str, out: &Path, end: &Receiver<()>, say: &impl Fn(&str)) {
    let (mut pause, mut told, mut warned) = (FIRST, false, false);
    while matches!(end.recv_timeout(pause), Err(RecvTimeoutError::Timeout)) {
        let began = Instant::now();
        match write(runs, sweep, out) {
            Ok(page) if !told => {
                told = true;
                say(&format!("report: {} (refreshes itself)", page.display()));
            }
            Err(error) if !warned => {
                warned = true;
                say(&format!("warning: the report could not be refreshed: {error:#}"));
            }
            _ => {}
        }
        pause = PACE.max(began.elapsed() * SHARE);
    }
}

fn write(runs: &Path, sweep: &str, out: &Path) -> anyhow::Result<PathBuf> {
    let record = track::read_sweep(runs, sweep)?;
    report::write_live(&record, out)
        .with_context(|| format!("cannot write the report of `{sweep}`"))
}
