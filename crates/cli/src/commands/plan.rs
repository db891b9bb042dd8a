use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Context;
use runner::{ComputeDevice, PreparedSweep, StepTime, measure_step, prepare};
use serde_json::json;
use stats::SeedPower;
use track::RunState;

use crate::args::PlanArgs;
use crate::diagnostics::{filter_or_print, plan_or_print, read_file};
use crate::exit::Exit;
use crate::places::Places;
use crate::slots::{in_words, threads_per_run, usable_devices, whole_machine};
use crate::sweep_progress::Preparing;
use crate::terminal::{duration, plural, shell_word, table};

/// Lists a sweep's runs, what is done, and how long the rest would take here.
pub(crate) fn plan(args: &PlanArgs, places: &Places) -> anyhow::Result<Exit> {
    let Some((plan, _)) = plan_or_print(read_file(&args.file, places)?) else {
        return Ok(Exit::Invalid);
    };
    let Some(filter) = filter_or_print(&args.only) else { return Ok(Exit::Invalid) };
    let devices = usable_devices(&plan)?;
    let mut preparing = Preparing::new();
    let mut prepared =
        prepare(plan, &places.runs, &places.store(), "", &mut |it| preparing.show(it))
            .with_context(|| format!("cannot plan `{}`", args.file.file.display()))?;
    preparing.clear();
    filter.iter().for_each(|filter| prepared.restrict_to(filter));
    for note in prepared.notes() {
        say!("note: {note}");
    }
    let slots = whole_machine(&prepared, &devices);
    let estimate = match args.no_estimate || prepared.to_do().next().is_none() {
        true => None,
        false => Some(Estimate::measure(&prepared, &slots)),
    };
    match args.json {
        true => {
            tell!("{}", crate::terminal::json(&as_json(&prepared, estimate.as_ref()))?)
        }
        false => print(args, &prepared, &slots, estimate.as_ref()),
    }
    Ok(Exit::Done)
}

/// How long what is left takes, from a few real steps of every shape of network in it.
struct Estimate {
    total: Duration,
    /// One measurement per distinct shape.
    measured: Vec<StepTime>,
}

impl Estimate {
    fn measure(prepared: &PreparedSweep, slots: &[ComputeDevice]) -> Estimate {
        let threads = threads_per_run(slots);
        let on_first = slots.iter().filter(|it| **it == slots[0]).count();
        let mut by_shape: BTreeMap<String, StepTime> = BTreeMap::new();
        let mut seconds = 0.0;
        for index in prepared.to_do().filter(|&index| !prepared.is_unscored(index)) {
            let config = &prepared.plan.cells[prepared.entries[index].cell].config;
            // λ, pool size and learning rates do not change a step's cost; which terms are on does.
            let terms = (config.loss.gan, config.loss.weight_cycle_a().is_some());
            let terms = (
                terms,
                config.loss.weight_cycle_b().is_some(),
                config.loss.weight_identity().is_some(),
                config.loss.weight_penalty().is_some(),
            );
            let data = (config.data.crop_size, config.data.batch_size, config.optim.d_steps);
            let shape =
                format!("{:?} {:?} {terms:?} {data:?}", config.model, config.train.precision);
            let step = *by_shape
                .entry(shape)
                .or_insert_with(|| measure_step(config, slots[0], on_first, threads));
            seconds += step.seconds * prepared.total_steps[index] as f64;
        }
        let total = Duration::from_secs_f64(seconds / slots.len() as f64);
        Estimate { total, measured: by_shape.into_values().collect() }
    }

    fn sentence(&self) -> String {
        let steps = self.measured.iter().map(|it| it.seconds * 1e3);
        let (least, most) =
            steps.fold((f64::INFINITY, 0.0_f64), |(a, b), it| (a.min(it), b.max(it)));
        let step = match most - least < 1.0 {
            true => format!("{most:.0} ms"),
            false => format!("{least:.0} to {most:.0} ms"),
        };
        format!(
            "about {} of training here, evaluation apart ({step} a step, measured just now)",
            duration(self.total)
        )
    }
}

fn print(
    args: &PlanArgs,
    prepared: &PreparedSweep,
    slots: &[ComputeDevice],
    estimate: Option<&Estimate>,
) {
    let row = |(entry, run): (&track::PlanEntry, &track::RunRecord)| {
        let state = match run.state {
            RunState::Planned => "new",
            _ => run.state.name(),
        };
        let baseline = if prepared.plan.cells[entry.cell].baseline { "baseline" } else { "" };
        let steps = prepared.total_steps[entry.index].to_string();
        let cells = [&entry.label, &entry.seed.to_string(), &steps, state, &entry.key, baseline];
        let mut row = vec![entry.index.to_string()];
        row.extend(cells.map(str::to_string));
        row
    };
    let asked = prepared.asked().map(|i| (&prepared.entries[i], &prepared.runs[i]));
    let rows: Vec<_> = asked.map(row).collect();
    let header = ["run", "cell", "seed", "steps", "state", "key", ""];
    tell!("{}\n", prepared.plan.question);
    tell!("{}\n", table(&header, &rows));
    let asked: BTreeSet<usize> = prepared.asked().map(|i| prepared.entries[i].cell).collect();
    let consequences: Vec<String> = asked
        .into_iter()
        .filter_map(|cell| prepared.plan.cells[cell].said_of_consequences())
        .collect();
    if !consequences.is_empty() {
        tell!("{}\n", consequences.join("\n"));
    }
    let left = prepared.to_do().count();
    let rescored = prepared.to_do().filter(|&index| prepared.is_unscored(index)).count();
    let all = plural(prepared.entries.len(), "run");
    tell!(
        "{}: {} done, {} to train{}{}.",
        if args.only.expression.is_some() { format!("{} of {all}", rows.len()) } else { all },
        rows.len() - left,
        left - rescored,
        if rescored > 0 { format!(", {rescored} to score again") } else { String::new() },
        if left > 0 { format!(", {}", in_words(slots)) } else { String::new() },
    );
    if let Some(estimate) = estimate {
        tell!("Estimate: {}.", estimate.sentence());
    }
    tell!("{}", seed_power(prepared).sentence());
    if left > 0 {
        tell!("Start with: {}", start_command(args));
    }
}

/// What trains the runs that are listed: of the same settings, and no others.
fn start_command(args: &PlanArgs) -> String {
    let mut words = vec!["cyclelab".to_string(), "sweep".to_string()];
    words.push(args.file.file.display().to_string());
    for (leaf, value) in &args.file.overrides {
        words.extend(["--set".to_string(), format!("{leaf}={value}")]);
    }
    if let Some(filter) = &args.only.expression {
        words.extend(["--only".to_string(), filter.clone()]);
    }
    words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
}

/// What the seeds can show of every cell against the baseline.
fn seed_power(prepared: &PreparedSweep) -> SeedPower {
    let contrasts = prepared.plan.cells.iter().filter(|cell| !cell.baseline).count();
    SeedPower::of(prepared.plan.seeds.len(), contrasts, stats::Level::default())
}

fn as_json(prepared: &PreparedSweep, estimate: Option<&Estimate>) -> serde_json::Value {
    let also = |it: &spec::Consequence| {
        json!({
            "leaf": it.leaf,
            "value": it.value,
            "baseline": it.baseline,
            "reason": it.reason(),
        })
    };
    let run = |(entry, run): (&track::PlanEntry, &track::RunRecord)| {
        let cell = &prepared.plan.cells[entry.cell];
        json!({
            "index": entry.index,
            "label": entry.label,
            "seed": entry.seed,
            "key": entry.key,
            "state": run.state,
            "steps": prepared.total_steps[entry.index],
            "baseline": cell.baseline,
            "settings": cell.settings,
            "also": cell.also.iter().map(also).collect::<Vec<_>>(),
            "folder": run.folder,
        })
    };
    json!({
        "name": prepared.plan.name,
        "question": prepared.plan.question,
        "planned": prepared.entries.len(),
        "to_train": prepared.to_do().filter(|&index| !prepared.is_unscored(index)).count(),
        "to_score_again": prepared.to_do().filter(|&index| prepared.is_unscored(index)).count(),
        "estimate_s": estimate.map(|it| it.total.as_secs_f64()),
        "smallest_p": seed_power(prepared).smallest_p,
        "runs": prepared.asked().map(|i| run((&prepared.entries[i], &prepared.runs[i]))).collect::<Vec<_>>(),
    })
}
