//! How long a step takes here.

mod loader;
mod spread;
mod steps;

use std::path::Path;

use data::Dataset;
use spec::{DataConfig, SourceText};

use crate::args::{BenchArgs, FileArgs};
use crate::commands::device;
use crate::diagnostics::{ReadFile, plan_or_print, read, read_file};
use crate::exit::Exit;
use crate::places::Places;
use crate::slots::usable_devices;
use crate::sweep_progress::Preparing;
use crate::terminal::print_by_class;

/// What is timed where no file is given: the preset `reference`, and whatever `--set` makes of it.
const REFERENCE: &str = r#"
[sweep]
name = "bench"
question = "How long does a step take?"
seeds = { count = 10 }
[set]
data.dataset = "synthetic"
"#;

/// Times training steps of a sweep's baseline, or its loader.
pub(crate) fn bench(args: &BenchArgs, places: &Places) -> anyhow::Result<Exit> {
    carry_out(args, places).or_else(print_by_class)
}

fn carry_out(args: &BenchArgs, places: &Places) -> anyhow::Result<Exit> {
    let Some((plan, _)) = plan_or_print(sweep_file(args, places)?) else {
        return Ok(Exit::Invalid);
    };
    let baseline = plan.baseline().or(plan.cells.first()).expect("a plan has a cell");
    if args.loader {
        loader::time(args, &baseline.config, places)?;
        return Ok(Exit::Done);
    }
    let device = match &args.device {
        Some(name) => device(name)?,
        None => usable_devices(&plan)?[0],
    };
    steps::time(args, &baseline.config, device, places)?;
    Ok(Exit::Done)
}

fn sweep_file(args: &BenchArgs, places: &Places) -> anyhow::Result<ReadFile> {
    let overrides = args.overrides.clone();
    if let Some(file) = args.file.clone() {
        return read_file(&FileArgs { file, overrides }, places);
    }
    let name = "the reference configuration".to_string();
    let source = SourceText { name, text: REFERENCE.to_string() };
    Ok(read(source, Path::new(""), &overrides, places))
}

fn open(config: &DataConfig, places: &Places) -> anyhow::Result<Dataset> {
    let mut preparing = Preparing::new();
    let opened = places.store().prepare(config, &mut |it| preparing.show(it));
    preparing.clear();
    Ok(opened.map_err(runner::RunnerError::from)?)
}
