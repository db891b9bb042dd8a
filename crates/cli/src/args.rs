//! What can be typed.

use std::path::PathBuf;
use std::time::Duration;

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
    ///
    /// Idempotent: a finished run ends at once, any other goes on from its newest checkpoint. TERM,
    /// INT, USR1 and USR2 save and stop it, with exit code 85.
    ///
    /// Exit codes: 0 done; 85 interrupted, resumable; 75 another process has the run; 86 diverged, a
    /// result; 78 bad configuration; 65 bad data; 74 disk full, permission denied; 87 out of memory; 70
    /// a bug.
    Run(RunArgs),
    /// How far sweeps are
    Status(StatusArgs),
    /// A sweep over the whole terminal while it is trained: runs, curves, time left, load
    ///
    /// Only looks: leaving it changes nothing. Reads the store, so it works from another terminal and
    /// another machine that sees the same folder.
    Watch(WatchArgs),
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
    /// Set sweeps beside each other: what they agree on, and what else differs between them
    ///
    /// Two to eight sweeps of one runs folder: the same question asked of other images, with other
    /// code or at another size, or another question. Each is judged by its own baseline, as in its
    /// own report.
    Compare(CompareArgs),
    /// Show the reports of all sweeps to a browser, also one on another machine
    ///
    /// Made from the store when they are asked for, and live while a sweep is at work. Listens on this
    /// machine's loopback address alone, so another one takes a tunnel (`ssh -L`); knows nobody
    /// without the token in the address it prints; changes nothing.
    Serve(ServeArgs),
    /// Translate a folder of pictures with a run's generator or a published one
    ///
    /// Pictures of any size are read (jpg, png, bmp, tif, webp; subfolders too) and written as
    /// PNG under the same names. Upstream's weight files work as they are, PyTorch's old format
    /// and its new one.
    ///
    /// Exit code 65: some pictures could not be used, and the rest is done; or the folders could
    /// not (no pictures, names that clash), and nothing is done.
    Translate(TranslateArgs),
    /// Score a folder of translations, whoever made them
    ///
    /// Compares them with real pictures of the domain they were translated into. Given what was
    /// translated, and real pictures of two kinds (`--real`, `--reference`), also says what doing nothing
    /// (identity), doing all of it right (oracle), the mean picture and mere colours would score, and
    /// the gain: 0 is doing nothing, 1 is as good as real pictures.
    ///
    /// What cannot be computed is listed with its reason. Exit code 65: pictures that cannot be read,
    /// or have no counterpart.
    Score(ScoreArgs),
    /// Write what runs have learned and recorded in formats that other programs read
    Export(ExportArgs),
    /// Starting points of a run: what each departs in from the reference, and why
    Presets {
        /// The same as JSON, for scripts
        #[arg(long)]
        json: bool,
    },
    /// Data sets: list, fetch, check, preview
    Data(DataArgs),
    /// Print the JSON Schema of sweep files, by which editors complete and check
    Schema,
    /// Read everything that is recorded, and say by path what is wrong
    ///
    /// Plans, events, metrics row by row, checkpoints by their hashes, samples, and what is derived
    /// from them. Runs that are being trained are left alone.
    ///
    /// Exit code 1: something is damaged, or can be repaired and has not been. What is only worth
    /// knowing is a note.
    Fsck(FsckArgs),
    /// Write anew what is derived from the runs: each sweep's runs.parquet, and RUNS/index.jsonl
    Reindex,
    /// Delete what nobody needs any more
    ///
    /// Leftovers of killed processes; of runs that have their result, checkpoints older than the
    /// newest that verifies. With `--trash` also what `rm` has moved there and what `reproduce` has
    /// kept. Never the only copy of a result: runs that no plan mentions are only listed.
    Gc(GcArgs),
    /// Train a run once more and compare every number and weight
    ///
    /// From the configuration and the seed that the run recorded, in a folder of its own below RUNS,
    /// which goes afterwards unless the two differ. Speed, load and times are not compared.
    ///
    /// Exit code 1: not reproduced. 65: the images or weight files are no longer those of the run.
    Reproduce(ReproduceArgs),
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
pub(crate) struct OnlyArgs {
    /// Only runs for which this holds, in the words of a sweep file's `when`, with `seed` and `label`:
    /// --only "loss.lambda_cycle >= 10 and seed in [1, 2]"; the others stay planned
    #[arg(long = "only", value_name = "EXPRESSION")]
    pub(crate) expression: Option<String>,
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
    #[command(flatten)]
    pub(crate) only: OnlyArgs,
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
    #[command(flatten)]
    pub(crate) only: OnlyArgs,
    /// `auto`, `cpu` or `cuda:N`, in place of the file's `exec.devices`
    #[arg(long)]
    pub(crate) device: Option<String>,
    /// Runs side by side, in place of the file's `exec.slots_per_device`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) slots: Option<u32>,
    /// Begin a run anew where it has checkpoints and none of them can be used
    #[arg(long)]
    pub(crate) fresh: bool,
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
    /// Begin anew where checkpoints are there and none of them can be used
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Go on with a run that another version of this program began
    #[arg(long)]
    pub(crate) allow_changed: bool,
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
pub(crate) struct ScoreArgs {
    /// Folder of real pictures of the target domain, subfolders included
    #[arg(long, value_name = "DIR")]
    pub(crate) real: PathBuf,
    /// Folder of translations, subfolders included
    #[arg(long, value_name = "DIR")]
    pub(crate) fake: PathBuf,
    /// Folder of what was translated, under the same names
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<PathBuf>,
    /// Whether the real picture that has a translation's name is its partner, and what that means
    #[arg(long, value_enum)]
    pub(crate) pairs: Option<PairsArg>,
    /// Folder of other real pictures than those of `--real`, which these and the translations are both
    /// compared with; without them there is no gain [default: with `--pairs`, real pictures that have no
    /// translation's name]
    #[arg(long, value_name = "DIR")]
    pub(crate) reference: Option<PathBuf>,
    /// Resize every picture to a square of this side first, as held-out images are [default: the
    /// translations' side]
    #[arg(long, value_name = "PX", value_parser = clap::value_parser!(u32).range(8..=4096))]
    pub(crate) size: Option<u32>,
    /// pytorch-fid's weights (pt_inception-2015-12-05-6726825d.pth), for FID; refused unless every
    /// tensor fits
    #[arg(long, value_name = "FILE")]
    pub(crate) inception: Option<PathBuf>,
    /// Weights for LPIPS: torchvision's AlexNet or VGG-16, and lpips' heads for it; twice for two files
    #[arg(long, value_name = "FILE", requires = "pairs")]
    pub(crate) lpips: Vec<PathBuf>,
    /// `auto`, `cpu` or `cuda:N`
    #[arg(long, default_value = "auto")]
    pub(crate) device: String,
    /// The same as JSON, for scripts
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PairsArg {
    /// Equal names below both folders, whatever the ending: the true translation, pixel by pixel
    ByName,
    /// Equal names: the same thing, but not pixel by pixel. No L1, PSNR and SSIM then; retrieval
    /// asks whether a translation is nearest to its own partner
    ByNameLoose,
}

impl PairsArg {
    /// What the partners are to the translations.
    pub(crate) fn kind(self) -> runner::Pairs {
        match self {
            PairsArg::ByName => runner::Pairs::Aligned,
            PairsArg::ByNameLoose => runner::Pairs::Loose,
        }
    }
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
    /// Write a sweep as TensorBoard's event files, a folder a run
    ///
    /// Every metric by step as SPLIT/NAME, the last samples as images, and for HPARAMS the settings
    /// that vary, the seed and the declared metrics' results.
    Tensorboard {
        /// The sweep's name
        sweep: String,
        /// Folder to write to, for `tensorboard --logdir`; what is there of the same runs is
        /// replaced [default: REPORTS/SWEEP/tensorboard]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Write all metrics of a sweep as one CSV table, a row a value
    ///
    /// Columns: run (its key), cell, seed, the settings that vary, split, step, epoch, name, value.
    Csv {
        /// The sweep's name
        sweep: String,
        /// The table to write [default: REPORTS/SWEEP/metrics.csv]
        #[arg(long, value_name = "FILE")]
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
    /// Write the images of a data set's folds as PNG, into OUT/testA, OUT/testB and so on
    ///
    /// A and B images that show the same thing have the same name.
    Export {
        /// A data set's name, or a folder
        source: String,
        /// The folder to write to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// val, ref or test; several with commas
        #[arg(long, default_value = "test", value_delimiter = ',')]
        fold: Vec<String>,
        #[command(flatten)]
        size: SizeArgs,
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

#[derive(Debug, clap::Args)]
pub(crate) struct FsckArgs {
    /// Sweeps, runs as SWEEP/RUN with RUN as in `cyclelab show`, or their folders; all sweeps without
    /// any
    #[arg(value_name = "SWEEP|SWEEP/RUN|FOLDER")]
    pub(crate) address: Vec<String>,
    /// Mend what can be mended: torn ends are cut off, what cannot be read is renamed, what is derived
    /// is written anew
    #[arg(long)]
    pub(crate) repair: bool,
    /// The same as JSON, for scripts
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct GcArgs {
    /// Say what would be deleted, and delete nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Also what lies in RUNS/.trash, and runs trained once more that were kept
    #[arg(long)]
    pub(crate) trash: bool,
    /// Of those, what has been there for so long, as in 30d, 12h, 30m or 90s
    #[arg(long, value_name = "TIME", requires = "trash", value_parser = time_span)]
    pub(crate) older_than: Option<Duration>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReproduceArgs {
    /// A run's folder, or SWEEP/RUN with RUN as in `cyclelab show`
    #[arg(value_name = "RUN")]
    pub(crate) address: String,
    /// Compare up to this step, and train not much further
    #[arg(long, value_name = "STEP")]
    pub(crate) until: Option<u64>,
    /// Keep the run that was trained once more
    #[arg(long)]
    pub(crate) keep: bool,
    /// `auto`, `cpu` or `cuda:N` [default: the run's own]
    #[arg(long)]
    pub(crate) device: Option<String>,
    /// How much a value may differ, as a part of its metric's largest [default: 0 on the CPU where
    /// nothing else differs, as that repeats to the last bit; else 0.001. A GPU adds up in another
    /// order every time, other code and processors may round otherwise, and training amplifies that
    /// from step to step: the fewer steps, the more this says]
    #[arg(long, value_name = "X", value_parser = tolerance)]
    pub(crate) tolerance: Option<f64>,
    /// The same as JSON, for scripts
    #[arg(long)]
    pub(crate) json: bool,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.trim().into(), value.trim().into())),
        None => Err("expected LEAF=VALUE, as in train.steps=100".into()),
    }
}

fn time_span(text: &str) -> Result<Duration, String> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = text[..text.len() - unit.len()].parse::<u64>();
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return Err("expected a time such as 30d, 12h, 30m or 90s".into()),
    };
    let number = number.map_err(|error| error.to_string())?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(part) if part >= 0.0 && f64::is_finite(part) => Ok(part),
        _ => Err("expected a number from 0 on, as in 0.001".into()),
    }
}
