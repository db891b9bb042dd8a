//! What can be typed.

mod exchange;
mod keeping;
mod looking;
mod sending;
mod timing;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use exchange::*;
pub(crate) use keeping::*;
pub(crate) use looking::*;
pub(crate) use sending::*;
pub(crate) use timing::*;

/// The program's version and the commit it was built from.
pub(crate) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " ", env!("CYCLELAB_COMMIT"));

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
    /// Send what is not trained yet to a cluster, and return at once
    ///
    /// Slurm gets job arrays whose tasks are `cyclelab run`, and the report as a job that waits for
    /// them; scripts and logs are kept in the sweep's folder. `cyclelab status` says how it goes. What
    /// jobs take is `[executor.slurm]` in the sweep file, or in the site's own.
    ///
    /// Exit code 1: refused or not answered, and what was sent before is said. 75: another process has
    /// the sweep.
    Submit(SubmitArgs),
    /// Train one run of a planned sweep (what schedulers call)
    ///
    /// Idempotent: a finished run ends at once, any other goes on from its newest checkpoint. TERM,
    /// INT, USR1 and USR2 save and stop it, with exit code 85.
    ///
    /// Exit codes: 0 done; 85 interrupted, resumable; 75 another process has the run; 86 diverged, a
    /// result; 78 bad configuration, or another plan; 65 bad data; 74 disk full, permission denied; 87 out
    /// of memory; 70 a bug.
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
    /// How long a training step takes here, and how much memory
    ///
    /// Trains the baseline of a sweep, or the reference configuration, for a few steps on noise. The
    /// first step compiles, tunes and fills caches, and is told apart from the median of those that
    /// count. Nothing is kept.
    ///
    /// Exit code 87: it does not fit into memory.
    Bench(BenchArgs),
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
    /// Which run of the plan, from 0; several as in 4-7,9, one after another, with the exit code of
    /// the worst
    #[arg(long, value_name = "N", required_unless_present = "index_env")]
    pub(crate) index: Vec<cluster::Indices>,
    /// The environment variable that has it
    #[arg(long, hide = true, value_name = "NAME", conflicts_with = "index")]
    pub(crate) index_env: Option<String>,
    /// The plan's fingerprint: in a sweep whose plan is another one nothing is done (exit code 78)
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) plan: Option<String>,
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
    /// When a Slurm job that was stopped puts itself back into the queue
    #[arg(long, hide = true, value_enum)]
    pub(crate) requeue: Option<RequeueArg>,
    /// ... but not more often than this for want of time
    #[arg(long, hide = true, value_name = "N", default_value_t = 20)]
    pub(crate) max_requeues: u32,
    /// Save and stop when standard input closes: a scheduler's way to stop its children
    #[arg(long, hide = true)]
    pub(crate) stop_with_stdin: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RequeueArg {
    /// Where it was to give way to another
    Slurm,
    /// Then, and where its time was up
    #[value(name = "self")]
    Itself,
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

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.trim().into(), value.trim().into())),
        None => Err("expected LEAF=VALUE, as in train.steps=100".into()),
    }
}
