use std::borrow::Cow;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use runner::run::Invocation;
use runner::sweep::{Launch, SweepOutcome, execute};
use runner::{PreparedSweep, RunnerError, Stop};
use spec::{Devices, OnCodeChange, Plan, Slots};
use track::{CodeVersion, SourceTree, SweepRecord};

use crate::args::SweepArgs;
use crate::begun_sweep::{BegunSweep, announce, mind_the_mirror};
use crate::commands::report::{print_results, write_report};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::live_report::LiveReport;
use crate::places::Places;
use crate::signals::{self, Asked};
use crate::slots::{in_words, threads_per_run, usable_devices, whole_machine};
use crate::sweep_progress::SweepProgress;
use crate::terminal::{duration, plural, print_error, shell_word};

/// Trains every run that has no result yet, then writes tables and report.
pub(crate) fn sweep(args: &SweepArgs, places: &Places) -> anyhow::Result<Exit> {
    let began = Instant::now();
    let mut devices = Vec::new();
    let begun = BegunSweep::begin(&args.file, &args.only, places, |plan| {
        override_exec(plan, args);
        devices = usable_devices(plan)?;
        Ok(())
    })?;
    let Some(mut begun) = begun else { return Ok(Exit::Invalid) };
    let claim = begun.claim()?;
    let view = Engine::of_this_process().view_of(&begun.prepared.sweep, &begun.prepared.runs);
    view.trouble.iter().for_each(|trouble| say!("note: {trouble}"));
    begun.expect_the_numbers_of(&view)?;
    begun.mind_the_code(&claim)?;
    let BegunSweep { prepared, toml, invocation } = begun;
    let slots = whole_machine(&prepared, &devices);
    if announce(&prepared) > 0 {
        say!("device: {}", in_words(&slots));
    }
    mind_the_mirror(&prepared.plan, places);

    let stop = Arc::new(Stop::default());
    let progress = Arc::new(SweepProgress::new(&prepared, slots.len()));
    let out = places.reports.join(&prepared.plan.name);
    let outcome = {
        let listener = Arc::clone(&progress);
        let asked = Arc::clone(&stop);
        signals::listen(&stop, Asked::Sweep, move |level| {
            listener.stopping(level, asked.grace());
        })?;
        let launch = Launch {
            program: this_program()?,
            arguments: child_arguments(args, &prepared, places),
            threads_per_run: threads_per_run(&slots),
            slots,
            invocation: &invocation,
            toml: &toml,
        };
        let live = (!args.no_report && prepared.to_do().next().is_some()).then(|| {
            let progress = Arc::clone(&progress);
            let say = move |line: &str| progress.say(line);
            LiveReport::start(&places.runs, &prepared.plan.name, out.clone(), say)
        });
        let listen = &mut |update| progress.update(&update);
        let outcome = execute(&prepared, claim, &launch, &stop, listen);
        live.into_iter().for_each(LiveReport::end);
        outcome?
    };
    progress.finish();
    let record = track::read_sweep(&places.runs, &prepared.plan.name)?;
    // What is derived can be written later; what happened is to be said now.
    let derived = [
        track::write_runs_parquet(&prepared.sweep, &record),
        track::write_index(&places.runs).map(drop),
    ];
    for error in derived.into_iter().filter_map(Result::err) {
        let error = RunnerError::from(error).chain();
        say!("warning: {error}; with space and permission `cyclelab reindex` writes it");
    }
    if !args.no_report {
        print_results(&record);
    }
    let failed = say_what_failed(&record).max(outcome.failed);
    say!("{}", last_line(&prepared, &outcome, failed, began));
    let reported = match args.no_report {
        true => Ok(()),
        false => write_and_print_report(&record, &out),
    };
    if let Err(error) = &reported {
        print_error(error);
        say!("with space and permission `cyclelab report {}` writes it", prepared.plan.name);
    }
    Ok(match outcome {
        _ if reported.is_err() => Exit::Io,
        SweepOutcome { breaker: true, .. } => Exit::Breaker,
        SweepOutcome { interrupted: true, .. } => Exit::SweepInterrupted,
        _ if failed > 0 => Exit::SomeFailed,
        _ => Exit::Done,
    })
}

fn override_exec(plan: &mut Plan, args: &SweepArgs) {
    if let Some(device) = &args.device {
        plan.exec.devices = match device.as_str() {
            "auto" => Devices::Auto,
            "cpu" => Devices::Cpu,
            name => Devices::Named(vec![name.to_string()]),
        };
    }
    if let Some(slots) = args.slots {
        plan.exec.slots_per_device = Slots::Count(slots);
    }
}

/// What every run of the sweep is told besides which one it is.
fn child_arguments(args: &SweepArgs, prepared: &PreparedSweep, places: &Places) -> Vec<String> {
    let mut arguments = places.as_arguments();
    arguments.extend(["--plan".to_string(), prepared.fingerprint()]);
    if args.fresh {
        arguments.push("--fresh".to_string());
    }
    // What is to be trained anew has been set aside; of the rest the user has been told.
    if prepared.plan.exec.on_code_change != OnCodeChange::Rerun {
        arguments.push("--allow-changed".to_string());
    }
    arguments
}

/// On Linux the very file that runs now, even if a build replaces it meanwhile: one sweep, one code.
fn this_program() -> anyhow::Result<PathBuf> {
    let own = Path::new("/proc/self/exe");
    match own.exists() {
        true => Ok(own.to_path_buf()),
        false => std::env::current_exe().context("cannot find this program's own file"),
    }
}

/// What this process was started with, and the code it is.
pub(crate) fn invocation() -> Invocation {
    let commit = env!("CYCLELAB_COMMIT");
    let known = [("rustc", env!("CYCLELAB_RUSTC")), ("burn", env!("CYCLELAB_BURN"))];
    Invocation {
        // A name that is no text would end the program in `args`.
        argv: std::env::args_os().map(|it| it.to_string_lossy().into_owned()).collect(),
        env: std::env::vars_os().collect(),
        code: CodeVersion {
            commit: (!commit.is_empty()).then(|| commit.to_string()),
            dirty: env!("CYCLELAB_DIRTY") == "true",
            version: env!("CARGO_PKG_VERSION").to_string(),
        },
        versions: known.into_iter().map(|(name, it)| (name.to_string(), it.to_string())).collect(),
        source: SourceTree::read(Path::new(".")),
    }
}

/// As anybody would type it: without this machine's path to the program.
pub(crate) fn as_typed(argv: &[String]) -> String {
    let words = argv.iter().skip(1).map(|word| shell_word(word));
    std::iter::once(Cow::Borrowed("cyclelab")).chain(words).collect::<Vec<_>>().join(" ")
}

/// Names the runs without a usable result, and returns how many of them have failed.
fn say_what_failed(record: &SweepRecord) -> usize {
    let mut failed = 0;
    for run in &record.runs {
        let Some(reason) = run.state.reason() else { continue };
        failed += usize::from(run.state.is_failure());
        say!("run {} {} (seed {}): {}", run.index, run.state.name(), run.seed, reason);
    }
    failed
}

fn last_line(
    prepared: &PreparedSweep,
    outcome: &SweepOutcome,
    failed: usize,
    began: Instant,
) -> String {
    let time = duration(began.elapsed());
    match outcome {
        SweepOutcome { interrupted: true, trained, .. } => format!(
            "stopped after {time} with {} finished; the same command goes on from here",
            plural(*trained, "run"),
        ),
        _ if failed > 0 => {
            format!(
                "done in {time}, {} failed; the same command tries them again",
                plural(failed, "run")
            )
        }
        _ if outcome.trained == 0 && prepared.to_do().next().is_none() => {
            let asked = prepared.asked().count();
            let which = if asked < prepared.entries.len() { " that --only asks for" } else { "" };
            format!("nothing to train: all {}{which} are done ({time})", plural(asked, "run"))
        }
        _ => format!("done: {} trained in {time}", plural(outcome.trained, "run")),
    }
}

fn write_and_print_report(record: &SweepRecord, out: &Path) -> anyhow::Result<()> {
    let path = write_report(record, out)?.page;
    say!("report: {}", path.display());
    if !std::io::stdout().is_terminal() {
        tell!("{}", path.display());
    }
    Ok(())
}
