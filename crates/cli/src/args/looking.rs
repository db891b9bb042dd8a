//! Looking at what has been recorded: lists, pages, comparisons.

use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// The sweep's name; all sweeps without it
    pub(crate) sweep: Option<String>,
    /// The same as JSON, for scripts
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct WatchArgs {
    /// The sweep's name [default: the one that is at work]
    pub(crate) sweep: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LsArgs {
    /// The sweep's name; all sweeps without it
    pub(crate) sweep: Option<String>,
    /// The same as JSON, for scripts
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The sweep's name; or the run at once, as SWEEP/RUN or by its folder
    #[arg(value_name = "SWEEP|SWEEP/RUN")]
    pub(crate) sweep: String,
    /// The run: its index in `cyclelab ls SWEEP`, or the beginning of its key
    pub(crate) run: Option<String>,
    /// The same as JSON, for scripts
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DiffArgs {
    /// A run's folder, or SWEEP/RUN with RUN as in `cyclelab show`
    #[arg(value_name = "A")]
    pub(crate) a: String,
    /// The run to compare with it
    #[arg(value_name = "B")]
    pub(crate) b: String,
    /// The same as JSON, for scripts
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    /// The sweep's name
    pub(crate) sweep: String,
    /// Folder to write `index.html` to [default: REPORTS/SWEEP]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Go on writing it as the runs go on, until every one has ended or Ctrl-C is pressed; an open page
    /// shows what is new by itself. (`cyclelab sweep` does so for its own report.)
    #[arg(long)]
    pub(crate) live: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// The port to listen on [default: the first free one from 8642 on]
    #[arg(long, value_name = "N")]
    pub(crate) port: Option<u16>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompareArgs {
    /// The sweeps' names
    #[arg(value_name = "SWEEP", required = true, num_args = 2..=8)]
    pub(crate) sweeps: Vec<String>,
    /// Folder to write `index.html` to [default: REPORTS/compare/A+B]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Compare by this metric, as in eval/kid_lite0_ab, which gives figures and no verdicts where a
    /// sweep declares another [default: the declared one; else the first declared one that all have]
    #[arg(long, value_name = "NAME")]
    pub(crate) metric: Option<String>,
}
