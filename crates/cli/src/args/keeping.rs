//! Keeping the store: what is removed, read through, mended and trained once more.

use std::time::Duration;

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
