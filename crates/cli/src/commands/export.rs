mod command_lines;
mod event_files;
mod long_table;

use std::path::{Path, PathBuf};

use anyhow::bail;
use runner::{ExportedFile, SavedRun, upstream_file};
use spec::{DiscriminatorKind, GeneratorKind, ModelConfig, NormKind, Padding, Upsample};
use track::{RunDir, SweepRecord, read_sweep};

use crate::args::{ExportArgs, ExportCommand, WeightFormat};
use crate::exit::Exit;
use crate::places::Places;
use crate::run_address::{open_and_say, run_at};
use crate::terminal::{print_by_class, print_error, table};

pub(crate) fn export(args: &ExportArgs, places: &Places) -> anyhow::Result<Exit> {
    match &args.command {
        ExportCommand::Weights { run, format: WeightFormat::Safetensors, out } => {
            let run = run_at(run, places)?;
            weights(&run, out.as_deref()).or_else(print_by_class)
        }
        ExportCommand::Tensorboard { sweep, out } => {
            let record = recorded(sweep, places)?;
            let out = out.clone().unwrap_or_else(|| places.reports.join(sweep).join("tensorboard"));
            event_files::write(&record, &out).or_else(print_refused)
        }
        ExportCommand::Csv { sweep, out } => {
            let record = recorded(sweep, places)?;
            let out = out.clone().unwrap_or_else(|| places.reports.join(sweep).join("metrics.csv"));
            long_table::write(&record, &out).or_else(print_refused)
        }
        ExportCommand::Commands { sweep, out } => {
            command_lines::commands(sweep, out.as_deref(), places).or_else(print_refused)
        }
        ExportCommand::K8s { sweep, out } => {
            command_lines::kubernetes(sweep, out.as_deref(), places).or_else(print_refused)
        }
    }
}

/// All that there is of a sweep so far; what of it cannot be read is named.
fn recorded(sweep: &str, places: &Places) -> anyhow::Result<SweepRecord> {
    let record = read_sweep(&places.runs, sweep)?;
    let cells = record.plan.cells.len();
    for run in &record.runs {
        if run.cell >= cells {
            bail!(
                "run {} of `{sweep}` names cell {}, but the plan has {cells}",
                run.index,
                run.cell
            );
        }
        for (path, reason) in &run.damaged {
            say!("warning: `{}` is left out: {reason}", path.display());
        }
    }
    Ok(record)
}

/// A disk that is full or says no has an exit code of its own.
fn print_refused(error: anyhow::Error) -> anyhow::Result<Exit> {
    match error.chain().any(|cause| cause.is::<std::io::Error>()) {
        true => {
            print_error(&error);
            Ok(Exit::Io)
        }
        false => Err(error),
    }
}

/// Writes the networks of the newest checkpoint and says how PyTorch loads them.
fn weights(dir: &RunDir, out: Option<&Path>) -> anyhow::Result<Exit> {
    let run = open_and_say(dir)?;
    let out = out.map_or_else(|| default_folder(dir, &run), Path::to_path_buf);
    let files = runner::export(&run, &out)?;
    let row = |file: &ExportedFile| {
        let path = file.path.display().to_string();
        vec![path, upstream_file(file.network).to_string(), file.tensors.to_string()]
    };
    let rows: Vec<_> = files.iter().map(row).collect();
    tell!("{}", table(&["file", "upstream's", "tensors"], &rows));
    tell!("\nnetG_A.load_state_dict(safetensors.torch.load_file(\"{}\"))", rows[0][0]);
    if files.len() == 2 {
        say!("note: this run has no discriminators, loss.gan is false");
    }
    for departure in departures(&run.model) {
        say!("note: {departure}");
    }
    Ok(Exit::Done)
}

fn default_folder(dir: &RunDir, run: &SavedRun) -> PathBuf {
    let name = dir.path().file_name().unwrap_or_default();
    Path::new("weights").join(&run.identity.sweep).join(name)
}

/// What to mind where upstream builds these networks otherwise.
fn departures(model: &ModelConfig) -> Vec<&'static str> {
    let mut found = Vec::new();
    match model.norm {
        NormKind::Instance => {}
        NormKind::InstanceAffine => {
            found.push("upstream's networks have these tensors with InstanceNorm2d(affine=True)");
        }
        NormKind::Batch => found.push(
            "a run keeps no running statistics: load with strict=False, and leave the network in \
             train(), as upstream's test.py does",
        ),
        NormKind::None => {
            found.push("upstream's `--norm none` has convolutions without bias, these have one");
        }
    }
    if model.discriminator == DiscriminatorKind::Image {
        found
            .push("the discriminators' scores are averaged over the image here, not in upstream's");
    }
    let residual = model.generator == GeneratorKind::Resnet;
    if model.dropout > 0.0 {
        found.push("upstream's generator has these tensors with use_dropout=True");
    }
    if residual && model.padding != Padding::Reflect {
        found.push("upstream always pads the first and the last convolution by reflection");
    }
    if residual && model.upsample != Upsample::Transpose {
        found.push("upstream's generator has these tensors with the up-sampling of its docs/qa.md");
    }
    found
}
