//! What comes from other programs and goes to them: pictures, weights, data sets, tables.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

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
    /// Write the command that trains each run of a planned sweep, a line a run in the plan's order
    ///
    /// For GNU parallel, xargs, and arrays of Flux, PBS, LSF and others. All paths are absolute, and all
    /// words quoted for a shell; a command whose run is finished ends at once.
    Commands {
        /// The sweep's name
        sweep: String,
        /// The file to write [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Write an example of a Kubernetes Indexed Job for a planned sweep; not run by us
    K8s {
        /// The sweep's name
        sweep: String,
        /// The file to write [default: standard output]
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
