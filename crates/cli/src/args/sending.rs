//! Sending runs away to be trained elsewhere.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{FileArgs, OnlyArgs};

#[derive(Debug, clap::Args)]
pub(crate) struct SubmitArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    #[command(flatten)]
    pub(crate) only: OnlyArgs,
    /// What trains them
    #[arg(long, value_enum, default_value_t = EngineArg::Slurm)]
    pub(crate) executor: EngineArg,
    /// Send what is unfinished and no job in the queue will do
    #[arg(long)]
    pub(crate) resume: bool,
    /// The site's own `[executor]`, below the sweep file's [env: CYCLELAB_SITE] [default:
    /// cyclelab/site.toml in the user's configuration folder, where that is there]
    #[arg(long, value_name = "FILE")]
    pub(crate) site: Option<PathBuf>,
    /// Write and print what would be sent, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Train only; `cyclelab report` writes the report later
    #[arg(long)]
    pub(crate) no_report: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineArg {
    /// Slurm: job arrays
    Slurm,
    /// HyperQueue: one job file
    Hq,
}
