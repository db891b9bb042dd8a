//! What can be typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// The program's version and the commit it was built from.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " ", env!("CYCLELAB_COMMIT"));

/// Ablation studies of unpaired image translation (CycleGAN).
///
/// A sweep file asks one question; `cyclelab sweep FILE` trains every cell with every seed,
/// goes on where it stopped, and writes a report.
#[derive(Debug, Parser)]
#[command(name = "cyclelab", version = VERSION, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Start with:  cyclelab sweep experiments/quickstart.toml")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

// The environment is read in `places`: clap's own `env` shows whatever is set there as required in
// the usage of every error.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Folders")]
pub(crate) struct PlaceArgs {
    /// Folder that holds one folder per sweep [env: CYCLELAB_RUNS] [default: runs]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) runs: Option<PathBuf>,
    /// Folder for reports [env: CYCLELAB_REPORTS] [default: reports]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) reports: Option<PathBuf>,
    /// Folder for downloaded and decoded images [env: CYCLELAB_CACHE] [default: the user's cache
    /// folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// Folder of data set recipes that are added to the built-in ones [env: CYCLELAB_DATASETS]
    /// [default: datasets]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) datasets: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a sweep file: all mistakes at once, nothing is made
    Check(CheckArgs),
    /// List the runs of a sweep file, which are done, and how long the rest takes
    Plan(PlanArgs),
    /// Train what is not trained yet, then write the report
    Sweep(SweepArgs),
    /// Train one run of a planned sweep (what schedulers call)
    Run(RunArgs),
    /// How far sweeps are
    Status(StatusArgs),
    /// List sweeps, or the runs of one
    Ls(LsArgs),
    /// Show one run: what it differs in, how it went, its scores
    Show(ShowArgs),
    /// What two runs differ in: settings, circumstances, last values
    ///
    /// Equal runs say so: the same configuration, seed, data set, training revision, code, device
    /// and last values. Speed and load of the machine (`perf/`, `sys/`) are shown and never count.
    Diff(DiffArgs),
    /// Move runs to the trash; their sweep trains them again
    ///
    /// Nothing is deleted: a run's folder moves to RUNS/.trash, and `mv` brings it back. All named
    /// runs move, or none.
    ///
    /// Exit code 75: a run is being trained, and nothing has moved.
    Rm(RmArgs),
    /// Write a sweep's report from what has been recorded so far
    Report(ReportArgs),
    /// Translate a folder of pictures with a run's generator or a published one
    ///
    /// Pictures of any size are read (jpg, png, bmp, tif, webp; subfolders too) and written as
    /// PNG under the same names. Upstream's weight files work as they are, PyTorch's old format
    /// and its new one.
    ///
    /// Exit code 65: some pictures could not be used, and the rest is done; or the folders could
    /// not (no pictures, names that clash), and nothing is done.
    Translate(TranslateArgs),
    /// Write what a run has learned in formats that other programs read
    Export(ExportArgs),
    /// Starting points of a run: what each departs in from the reference, and why
    Presets {
        /// The same as JSON, for scripts
        #[arg(long)]
        json: bool,
    },
    /// Data sets: list, fetch, check, preview
    Data(DataArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct FileArgs {
    /// The sweep file
    #[arg(value_name = "FILE.toml")]
    pub(crate) file: PathBuf,
    /// Override a leaf in every run, as in `--set train.steps=100`
    #[arg(long = "set", value_name = "LEAF=VALUE", value_parser = key_value)]
    pub(crate) overrides: Vec<(String, String)>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// Findings as JSON on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// Skip the measurement behind the estimate of time
    #[arg(long)]
    pub(crate) no_estimate: bool,
    /// The same as JSON, for scripts
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// `auto`, `cpu` or `cuda:N`, in place of the file's `exec.devices`
    #[arg(long)]
    pub(crate) device: Option<String>,
    /// Runs side by side, in place of the file's `exec.slots_per_device`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) slots: Option<u32>,
    /// Train only; `cyclelab report` writes the report later
    #[arg(long)]
    pub(crate) no_report: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// The sweep's folder, as in runs/lambda
    #[arg(long, value_name = "DIR")]
    pub(crate) sweep_dir: PathBuf,
    /// Which run of the plan, from 0
    #[arg(long)]
    pub(crate) index: usize,
    /// `auto`, `cpu` or `cuda:N`
    #[arg(long, default_value = "auto")]
    pub(crate) device: String,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t = ProgressKind::Auto)]
    pub(crate) progress: ProgressKind,
    /// Save and stop when standard input closes: a scheduler's way to stop its children
    #[arg(long, hide = true)]
    pub(crate) stop_with_stdin: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressKind {
    /// A bar on a terminal, lines elsewhere
    Auto,
    /// One line now and then
    Plain,
    /// Losses and scores as live curves over the whole terminal (burn-train's dashboard); `q`, then `s`, saves and stops
    Dashboard,
    /// One JSON event a line on standard output
    Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// The sweep's name; all sweeps without it
    pub(crate) sweep: Option<String>,
    /// The same as JSON, for scripts
    #[arg(long)]
    pub(crate) json: bool,
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
pub(crate) struct RmArgs {
    /// Runs' folders, or SWEEP/RUN with RUN as in `cyclelab show`
    #[arg(value_name = "RUN", required = true)]
    // Not `runs`: the name of the global option.
    pub(crate) run: Vec<String>,
    /// Say what would move, and move nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    /// The sweep's name
    pub(crate) sweep: String,
    /// Folder to write `index.html` to [default: REPORTS/SWEEP]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TranslateArgs {
    /// A weight file (.pth, .safetensors), a run's folder, or SWEEP/RUN with RUN as in `cyclelab
    /// show`
    #[arg(long, value_name = "FILE|RUN")]
    pub(crate) weights: String,
    /// Which of a run's two generators; a weight file holds one, whose direction is its own
    #[arg(long, value_enum)]
    pub(crate) direction: Option<DirectionArg>,
    /// Folder of pictures
    #[arg(long, value_name = "DIR")]
    pub(crate) input: PathBuf,
    /// Folder for their translations; what is there under the same names is replaced
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Resize to a square of this side first, as held-out images are in training [default: each
    /// picture at its own size]
    #[arg(long, value_name = "PX", value_parser = clap::value_parser!(u32).range(4..=16384))]
    pub(crate) size: Option<u32>,
    /// `auto`, `cpu` or `cuda:N`
    #[arg(long, default_value = "auto")]
    pub(crate) device: String,
    /// Pictures of one size that go through together [default: by their area; always 1 with batch
    /// norm]
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub(crate) batch: Option<usize>,
    /// Take a weight file that was trained with dropout, and translate without it
    #[arg(long)]
    pub(crate) no_dropout: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DirectionArg {
    /// From domain A to domain B
    Ab,
    /// From domain B to domain A
    Ba,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    #[command(subcommand)]
    pub(crate) command: ExportCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// Write a run's four networks under upstream's key names, for PyTorch
    Weights {
        /// A run's folder, or SWEEP/RUN with RUN as in `cyclelab show`
        run: String,
        /// The files' format
        #[arg(long, value_enum, default_value_t = WeightFormat::Safetensors)]
        format: WeightFormat,
        /// Folder to write to [default: weights/SWEEP/RUN, RUN being the run's folder's name]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WeightFormat {
    /// One file a network, read by `safetensors.torch.load_file`
    Safetensors,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    pub(crate) command: DataCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Data sets that can be named in `data.dataset`
    List {
        /// The same as JSON, for scripts
        #[arg(long)]
        json: bool,
    },
    /// Download a data set's source and verify it
    Fetch {
        /// A name from `cyclelab data list`
        name: String,
    },
    /// Decode every image of a data set or a folder and say what is wrong
    Check {
        /// A data set's name, or a folder
        source: String,
        #[command(flatten)]
        size: SizeArgs,
        /// The same as JSON, for scripts
        #[arg(long)]
        json: bool,
    },
    /// Write a picture of some images of a data set or a folder
    Preview {
        /// A data set's name, or a folder
        source: String,
        /// The picture to write
        #[arg(long, value_name = "FILE.png", default_value = "preview.png")]
        out: PathBuf,
        /// Rows of images
        #[arg(long, default_value_t = 8, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
        rows: usize,
        /// train, val, ref or test
        #[arg(long, default_value = "train")]
        fold: String,
        #[command(flatten)]
        size: SizeArgs,
    },
}

#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct SizeArgs {
    /// Side of the images in pixels
    #[arg(long = "size", default_value_t = 64)]
    pub(crate) px: u32,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.trim().into(), value.trim().into())),
        None => Err("expected LEAF=VALUE, as in train.steps=100".into()),
    }
}
