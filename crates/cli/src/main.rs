//! The program `cyclelab`: arguments, terminal, exit codes.

#[macro_use]
mod terminal;

mod args;
mod begun_sweep;
mod board;
mod commands;
mod dashboard;
mod diagnostics;
mod engine;
mod exit;
mod live_report;
mod places;
mod run_address;
mod signals;
mod site;
mod slots;
mod sweep_progress;

use clap::Parser;

use crate::args::{Args, Command};

/// A step makes and drops hundreds of megabytes; this allocator keeps them for the next, where the
/// system's gives them back and has them cleared anew.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let args = Args::parse();
    let places = args.places.resolve();
    let outcome = match args.command {
        Command::Check(it) => commands::check(&it, &places),
        Command::Plan(it) => commands::plan(&it, &places),
        Command::Sweep(it) => commands::sweep(&it, &places),
        Command::Submit(it) => commands::submit(&it, &places),
        Command::Run(it) => commands::run(&it, &places),
        Command::Status(it) => commands::status(&it, &places),
        Command::Watch(it) => commands::watch(&it, &places),
        Command::Ls(it) => commands::ls(&it, &places),
        Command::Show(it) => commands::show(&it, &places),
        Command::Diff(it) => commands::diff(&it, &places),
        Command::Rm(it) => commands::rm(&it, &places),
        Command::Report(it) => commands::report(&it, &places),
        Command::Compare(it) => commands::compare(&it, &places),
        Command::Serve(it) => commands::serve(&it, &places),
        Command::Translate(it) => commands::translate(&it, &places),
        Command::Score(it) => commands::score(&it, &places),
        Command::Schema => commands::schema(),
        Command::Export(it) => commands::export(&it, &places),
        Command::Presets { json } => commands::presets(json),
        Command::Data(it) => commands::data(&it, &places),
        Command::Fsck(it) => commands::fsck(&it, &places),
        Command::Reindex => commands::reindex(&places),
        Command::Gc(it) => commands::gc(&it, &places),
        Command::Reproduce(it) => commands::reproduce(&it, &places),
        Command::Bench(it) => commands::bench(&it, &places),
    };
    outcome.unwrap_or_else(|error| terminal::print_error(&error)).into()
}
