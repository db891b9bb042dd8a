//! How fast this machine is at it.

use std::path::PathBuf;

use super::key_value;

#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// The sweep file whose baseline is trained [default: the reference configuration]
    #[arg(value_name = "FILE.toml")]
    pub(crate) file: Option<PathBuf>,
    /// Override a leaf, as in `--set model.ngf=32`
    #[arg(long = "set", value_name = "LEAF=VALUE", value_parser = key_value)]
    pub(crate) overrides: Vec<(String, String)>,
    /// `auto`, `cpu` or `cuda:N` [default: the first of the file's `exec.devices`]
    #[arg(long)]
    pub(crate) device: Option<String>,
    /// Threads of each copy on the CPU [default: the cores, shared out among the copies]
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1024))]
    pub(crate) threads: Option<usize>,
    /// Copies that train at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1024))]
    pub(crate) side_by_side: usize,
    /// Steps that are not counted, besides the first
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) warm_up: usize,
    /// Steps that are counted
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    pub(crate) steps: usize,
    /// Train on the sweep's images in place of noise: reading them counts, and is timed apart
    #[arg(long)]
    pub(crate) images: bool,
    /// Read batches of the sweep's images, and train nothing
    #[arg(long, conflicts_with_all = ["images", "side_by_side", "threads", "device"])]
    pub(crate) loader: bool,
    /// The same as JSON, for scripts
    #[arg(long)]
    pub(crate) json: bool,
}
