//! What the run store holds: `ls` and `show`.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde_json::json;
use spec::RunConfig;
use track::{
    FlagRecord, MetricRecord, RunDir, RunRecord, RunState, SweepRecord, read_sweep,
    read_sweep_status,
};

use crate::args::{LsArgs, ShowArgs};
use crate::commands::score::KINDS;
use crate::exit::Exit;
use crate::places::Places;
use crate::run_address::recorded_at;
use crate::terminal::{number, plural, print_error, table};

/// All sweeps, or all runs of one.
pub(crate) fn ls(args: &LsArgs, places: &Places) -> anyhow::Result<Exit> {
    let Some(name) = &args.sweep else {
        let (sweeps, exit) = all_sweeps(places)?;
        if args.json {
            let one = |it: &SweepRecord| json!({ "sweep": it.plan.name, "question": it.plan.question, "states": states(it) });
            tell!("{}", crate::terminal::json(&sweeps.iter().map(one).collect::<Vec<_>>())?);
            return Ok(exit);
        }
        let row = |it: &SweepRecord| {
            vec![it.plan.name.clone(), states_in_words(it), it.plan.question.clone()]
        };
        let rows: Vec<_> = sweeps.iter().map(row).collect();
        match rows.is_empty() {
            true => tell!("no sweep in `{}`", places.runs.display()),
            false => tell!("{}", table(&["sweep", "runs", "question"], &rows)),
        }
        return Ok(exit);
    };
    let sweep = read_sweep(&places.runs, name)?;
    if args.json {
        let runs = sweep.runs.iter().map(run_json).collect::<Vec<_>>();
        tell!("{}", crate::terminal::json(&runs)?);
        return Ok(Exit::Done);
    }
    let metric = &sweep.plan.metric.name;
    let row = |run: &RunRecord| {
        vec![
            run.index.to_string(),
            sweep.plan.cells[run.cell].label.clone(),
            run.seed.to_string(),
            run.state.name().to_string(),
            run.last(metric).map_or_else(|| "—".into(), number),
            run.key.clone(),
            run.folder.display().to_string(),
        ]
    };
    let rows: Vec<_> = sweep.runs.iter().map(row).collect();
    tell!("{}", table(&["run", "cell", "seed", "state", metric, "key", "folder"], &rows));
    Ok(Exit::Done)
}

/// One run: configuration as a difference to its preset, course, last scores.
pub(crate) fn show(args: &ShowArgs, places: &Places) -> anyhow::Result<Exit> {
    let (sweep, run) = match &args.run {
        Some(run) => (read_sweep(&places.runs, &args.sweep)?, run.clone()),
        None => recorded_at(&args.sweep, places)?,
    };
    let run = find(&sweep, &run)?;
    let identity = RunDir::new(run.folder.clone()).read_identity()?;
    let scores = last_values(run);
    if args.json {
        let mut value = run_json(run);
        value["scores"] = json!(scores);
        value["identity"] = json!(identity);
        tell!("{}", crate::terminal::json(&value)?);
        return Ok(Exit::Done);
    }
    tell!(
        "run {} of {}: {}, seed {}",
        run.index,
        sweep.plan.name,
        sweep.plan.cells[run.cell].label,
        run.seed
    );
    let mut facts = vec![
        (
            "state",
            [Some(run.state.name()), run.state.reason()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(": "),
        ),
        ("key", run.key.clone()),
        ("folder", run.folder.display().to_string()),
        ("attempts", run.attempts.to_string()),
    ];
    facts.extend(run.started_at.clone().map(|at| ("started", at)));
    facts.extend(run.active_s.map(|s| ("training", format!("{s:.0} s"))));
    facts.extend(run.device.clone().map(|device| ("device", device)));
    facts.extend(run.code.clone().map(|code| ("code", code)));
    for (name, value) in facts {
        tell!("  {name:<9} {value}");
    }
    for (path, reason) in &run.damaged {
        say!("warning: `{}` is left out: {reason}", path.display());
    }
    if run.state != RunState::Completed || run.attempts > 1 || !run.trouble.is_empty() {
        say_what_happened(run);
    }
    if let Some(identity) = identity {
        let config: RunConfig = serde_json::from_value(identity.config)
            .context("the run's configuration is not one of this version")?;
        tell!("\nDifferences to the preset `{}`:", sweep.plan.preset);
        let preset = spec::Preset::ALL.into_iter().find(|it| it.name() == sweep.plan.preset);
        let preset = preset.unwrap_or(spec::Preset::Reference);
        for (leaf, before, value) in spec::difference(&config, preset) {
            tell!("  {leaf:<24} {} (preset: {})", spec::show(&value), spec::show(&before));
        }
    }
    for FlagRecord { direction, flag, fails, reason } in &run.flags {
        let gravity = if *fails { "misleading" } else { "worth a look" };
        tell!("\n{flag} ({direction}, {gravity}): {reason}");
    }
    print_scores(&scores, &sweep.plan.metric);
    Ok(Exit::Done)
}

/// What held-out images say, the sweep's own metrics first, each beside its anchors; then the rest.
fn print_scores(scores: &BTreeMap<String, f64>, judged_by: &MetricRecord) {
    let own = [&judged_by.name].into_iter().chain(&judged_by.secondary);
    let known = spec::known_metrics().iter().map(|metric| &metric.name);
    let mut names: Vec<&String> = Vec::new();
    for name in own.chain(known.filter(|name| name.starts_with("eval/"))) {
        if scores.contains_key(name) && !names.contains(&name) {
            names.push(name);
        }
    }
    let row = |name: &&String| {
        let error = scores.get(&spec::standard_error_of(name));
        let error = error.map_or(String::new(), |it| format!(" ± {}", number(*it)));
        let anchor = |kind: &&str| {
            let name = name.trim_start_matches("eval/");
            let of = |side: &str| scores.get(&format!("anchor/{kind}/{name}{side}")).copied();
            // A mean of both directions has the mean of their anchors.
            let both = || Some((of("_ab")? + of("_ba")?) / 2.0);
            of("").or_else(both).map_or(String::new(), number)
        };
        let mut row = vec![name.to_string(), format!("{}{error}", number(scores[*name]))];
        row.extend(KINDS.iter().map(anchor));
        row
    };
    if !names.is_empty() {
        let rows: Vec<_> = names.iter().map(row).collect();
        let header: Vec<&str> = ["metric", "value"].into_iter().chain(KINDS).collect();
        tell!("\n{}", table(&header, &rows));
    }
    let is_other = |name: &&String| !name.starts_with("eval/") && !name.starts_with("anchor/");
    let others: Vec<&String> = scores.keys().filter(is_other).collect();
    if !others.is_empty() {
        tell!("\nLast values of training:");
        for name in others {
            tell!("  {name:<28} {}", number(scores[name]));
        }
    }
}

/// The way to where the run stands, and the end of its log.
fn say_what_happened(run: &RunRecord) {
    if !run.timeline.is_empty() {
        tell!("\nWhat happened:");
        for (ts, words) in &run.timeline {
            tell!("  {} {}", ts.split('.').next().unwrap_or(ts), words);
        }
    }
    if run.state != RunState::Completed && !run.log_tail.is_empty() {
        tell!("\nLast lines of the log of attempt {}:", run.attempts);
        for line in &run.log_tail {
            tell!("  {line}");
        }
    }
}

/// A run by its index in the plan or by the beginning of its key.
pub(crate) fn find<'a>(sweep: &'a SweepRecord, run: &str) -> anyhow::Result<&'a RunRecord> {
    if let Some(found) = run.parse().ok().and_then(|index: usize| sweep.runs.get(index)) {
        return Ok(found);
    }
    let matching: Vec<_> = sweep.runs.iter().filter(|it| it.key.starts_with(run)).collect();
    match matching.as_slice() {
        [one] => Ok(one),
        [] => bail!(
            "`{}` has no run {run}; it has {}",
            sweep.plan.name,
            plural(sweep.runs.len(), "run")
        ),
        several => {
            bail!("{} runs of `{}` have keys that begin with {run}", several.len(), sweep.plan.name)
        }
    }
}

/// Of the result, and not of a look on the way to it.
fn last_values(run: &RunRecord) -> BTreeMap<String, f64> {
    let names = run.rows.iter().map(|row| &row.name);
    names.filter_map(|name| Some((name.clone(), run.last(name)?))).collect()
}

/// Every sweep in the runs folder, by name. What is no sweep is passed over; one that cannot be read
/// is named, and the exit code says so.
pub(super) fn all_sweeps(places: &Places) -> anyhow::Result<(Vec<SweepRecord>, Exit)> {
    let (mut read, mut exit) = (Vec::new(), Exit::Done);
    for sweep in track::sweeps(&places.runs)? {
        match read_sweep_status(&places.runs, &sweep.name()) {
            Ok(record) => read.push(record),
            Err(error) => exit = print_error(&anyhow::Error::from(error).context(format!(
                "`{}` is left out; `cyclelab sweep` with its file plans it anew, and loses nothing",
                sweep.path().display()
            ))),
        }
    }
    Ok((read, exit))
}

pub(super) fn states(sweep: &SweepRecord) -> BTreeMap<&'static str, usize> {
    let mut states = BTreeMap::new();
    for run in &sweep.runs {
        *states.entry(run.state.name()).or_insert(0) += 1;
    }
    states
}

pub(super) fn states_in_words(sweep: &SweepRecord) -> String {
    let words = states(sweep).into_iter().map(|(state, count)| format!("{count} {state}"));
    words.collect::<Vec<_>>().join(", ")
}

pub(super) fn run_json(run: &RunRecord) -> serde_json::Value {
    json!({
        "index": run.index,
        "key": run.key,
        "seed": run.seed,
        "cell": run.cell,
        "state": run.state,
        "attempts": run.attempts,
        "active_s": run.active_s,
        "started_at": run.started_at,
        "device": run.device,
        "code": run.code,
        "folder": run.folder,
        "trouble": run.trouble,
        "flags": run.flags,
        "absent": run.absent,
        "timeline": run.timeline,
        "log_tail": run.log_tail,
    })
}
