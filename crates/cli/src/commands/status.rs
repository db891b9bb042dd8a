use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;
use track::{RunRecord, RunState, SweepDir, SweepRecord, read_sweep_status};

use super::store::{all_sweeps, run_json, states, states_in_words};
use crate::args::StatusArgs;
use crate::engine::{Engine, EngineRun, View};
use crate::exit::Exit;
use crate::places::Places;
use crate::terminal::table;

/// One line a sweep, or one sweep with its unfinished runs.
pub(crate) fn status(args: &StatusArgs, places: &Places) -> anyhow::Result<Exit> {
    let (sweeps, exit) = match &args.sweep {
        Some(name) => (vec![read_sweep_status(&places.runs, name)?], Exit::Done),
        None => all_sweeps(places)?,
    };
    let views = views(&sweeps)?;
    if args.json {
        let one = |(sweep, view): (&SweepRecord, &View)| {
            let run = |run: &RunRecord| {
                let mut value = run_json(run);
                value["engine"] = json!(view.runs.get(&run.index).map(EngineRun::json));
                value
            };
            let runs = sweep.runs.iter().map(run).collect::<Vec<_>>();
            let notes = view.notes().collect::<Vec<_>>();
            json!({
                "sweep": sweep.plan.name, "states": states(sweep), "runs": runs,
                "jobs": view.live, "engine_notes": notes,
            })
        };
        let all = sweeps.iter().zip(&views).map(one).collect::<Vec<_>>();
        tell!("{}", crate::terminal::json(&all)?);
        return Ok(exit);
    }
    if sweeps.is_empty() {
        tell!("no sweep in `{}`", places.runs.display());
    }
    for (sweep, view) in sweeps.iter().zip(&views) {
        tell!("{}: {}", sweep.plan.name, states_in_words(sweep));
        if !view.runs.is_empty() && !view.live.is_empty() {
            tell!("  Slurm: {}", view.summary());
        }
        if args.sweep.is_some() {
            print_open(sweep, view);
        }
    }
    let notes: BTreeSet<String> = views.iter().flat_map(View::notes).collect();
    for note in notes {
        say!("note: {note}");
    }
    if views.iter().any(|it| it.trouble.is_some() && it.runs.is_empty()) {
        say!("note: without Slurm's word this is what the runs' folders say");
    }
    Ok(exit)
}

/// What clusters say of them, asked once for all.
fn views(sweeps: &[SweepRecord]) -> anyhow::Result<Vec<View>> {
    let with_folder = |it: &SweepRecord| {
        let root = it.dir.parent().unwrap_or(Path::new("."));
        let name = it.dir.file_name().unwrap_or_default().to_string_lossy();
        SweepDir::new(root, &name)
    };
    let folders = sweeps.iter().map(with_folder).collect::<Result<Vec<_>, _>>()?;
    let runs = sweeps.iter().map(|it| it.runs.as_slice());
    let all: Vec<(SweepDir, &[RunRecord])> = folders.into_iter().zip(runs).collect();
    Ok(Engine::of_this_process().views(&all))
}

/// Every run without a result, and what a cluster says of it.
fn print_open(sweep: &SweepRecord, view: &View) {
    let open = sweep.runs.iter().filter(|run| run.state != RunState::Completed);
    let row = |run: &RunRecord| {
        let label = &sweep.plan.cells[run.cell].label;
        let cells = [label.as_str(), run.state.name(), run.state.reason().unwrap_or("")];
        let mut row = vec![run.index.to_string(), run.seed.to_string()];
        row.extend(cells.map(str::to_string));
        if !view.runs.is_empty() {
            row.insert(4, view.runs.get(&run.index).map(EngineRun::words).unwrap_or_default());
        }
        row
    };
    let rows: Vec<_> = open.map(row).collect();
    let header: &[&str] = match view.runs.is_empty() {
        true => &["run", "seed", "cell", "state", ""],
        false => &["run", "seed", "cell", "state", "Slurm", ""],
    };
    if !rows.is_empty() {
        tell!("\n{}", table(header, &rows));
    }
}
