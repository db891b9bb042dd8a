use std::io::IsTerminal;
use std::path::Path;

use anyhow::bail;
use data::ImageFiles;
use indicatif::ProgressBar;
use runner::{
    ComputeDevice, RunnerError, StoredGenerator, TrainedDropout, TranslateEvent, Translated,
    Translation,
};
use spec::Direction;

use crate::args::{DirectionArg, TranslateArgs};
use crate::commands::device;
use crate::exit::Exit;
use crate::places::Places;
use crate::run_address::{open_and_say, run_at};
use crate::sweep_progress::style;
use crate::terminal::{number, plural, print_by_class};

/// Translates a folder of pictures; the exit code says whether all could be used.
pub(crate) fn translate(args: &TranslateArgs, places: &Places) -> anyhow::Result<Exit> {
    carry_out(args, places).or_else(|error| {
        let dropout = matches!(
            error.downcast_ref::<RunnerError>(),
            Some(RunnerError::TrainedWithDropout { .. })
        );
        let exit = print_by_class(error)?;
        if dropout {
            say!(
                "hint: upstream drops when it translates, too, so it never gives the same picture \
                 twice; `--no-dropout` translates without"
            );
        }
        Ok(exit)
    })
}

fn carry_out(args: &TranslateArgs, places: &Places) -> anyhow::Result<Exit> {
    let generator = generator(args, places)?;
    let files = ImageFiles::list(&args.input, &args.output).map_err(RunnerError::from)?;
    let device = device(&args.device)?;
    let (generator, files) = (&generator, &files);
    let job = Translation { generator, files, size: args.size, batch: args.batch, device };
    let done = with_progress(&job)?;
    summarise(&done, &args.output, device);
    Ok(if done.bad.is_empty() { Exit::Done } else { Exit::Data })
}

fn generator(args: &TranslateArgs, places: &Places) -> anyhow::Result<StoredGenerator> {
    let direction = args.direction.map(|it| match it {
        DirectionArg::Ab => Direction::Ab,
        DirectionArg::Ba => Direction::Ba,
    });
    let file = Path::new(&args.weights);
    if file.is_file() {
        let dropout = match args.no_dropout {
            true => TrainedDropout::Ignore,
            false => TrainedDropout::Refuse,
        };
        let generator = StoredGenerator::from_file(file, direction, dropout)?;
        if let Some(words) = &generator.taken_as {
            say!("note: taken as {words}");
        }
        return Ok(generator);
    }
    let ending = file.extension().and_then(|ending| ending.to_str());
    if matches!(ending, Some("pth" | "pt" | "safetensors")) {
        bail!("there is no weight file `{}`", args.weights);
    }
    let run = run_at(&args.weights, places)?;
    let Some(direction) = direction else {
        bail!("a run has two generators: add `--direction ab` or `--direction ba`");
    };
    Ok(StoredGenerator::from_run(&open_and_say(&run)?, direction)?)
}

fn with_progress(job: &Translation<'_>) -> Result<Translated, RunnerError> {
    let bar = std::io::stderr().is_terminal().then(|| {
        ProgressBar::new(job.files.count() as u64)
            .with_style(style("{bar:24} {pos}/{len} pictures, {eta} left"))
    });
    // Before the first picture, which can take a while.
    bar.iter().for_each(ProgressBar::tick);
    let done = runner::translate(job, &mut |event| match (event, &bar) {
        (TranslateEvent::Done { done }, Some(bar)) => bar.set_position(done as u64),
        (TranslateEvent::Done { .. }, None) => {}
        (TranslateEvent::Bad { image }, Some(bar)) => bar.println(format!("left out: {image}")),
        (TranslateEvent::Bad { image }, None) => say!("left out: {image}"),
    });
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    done
}

fn summarise(done: &Translated, output: &Path, device: ComputeDevice) {
    let left_out = match done.bad.len() {
        0 => String::new(),
        n => format!("; {n} left out"),
    };
    if done.written == 0 {
        tell!("nothing was written{left_out}");
        return;
    }
    let each = done.elapsed.as_secs_f64() / done.written as f64;
    tell!(
        "{} in {} ({} s each on {device}){left_out}",
        plural(done.written, "picture"),
        output.display(),
        number(each),
    );
}
