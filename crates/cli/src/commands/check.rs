use crate::args::CheckArgs;
use crate::diagnostics::{as_json, read_file, render, summary};
use crate::exit::Exit;
use crate::places::Places;
use crate::terminal::{plural, show};

/// Reads a sweep file and prints what is wrong with it, or what it asks for.
pub(crate) fn check(args: &CheckArgs, places: &Places) -> anyhow::Result<Exit> {
    let file = read_file(&args.file, places)?;
    let (findings, sources, exit) = match &file.result {
        Ok(plan) => (&plan.warnings, &plan.sources, Exit::Done),
        Err(rejected) => (&rejected.diagnostics, &rejected.sources, Exit::Invalid),
    };
    if args.json {
        tell!("{}", crate::terminal::json(&as_json(findings, sources))?);
        return Ok(exit);
    }
    show(&render(findings, sources));
    match &file.result {
        Err(rejected) => say!("{}", summary(rejected)),
        Ok(plan) => tell!(
            "{}: no errors. {} × {} = {}.",
            sources[0].name,
            plural(plan.cells.len(), "cell"),
            plural(plan.seeds.len(), "seed"),
            plural(plan.runs.len(), "run"),
        ),
    }
    Ok(exit)
}
