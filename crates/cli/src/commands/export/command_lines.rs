//! How every run of a sweep is started, for engines that this program does not know.

use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::Context;
use cluster::commands::RunCommand;
use track::{PlanEntry, SweepDir, plan_fingerprint};

use crate::commands::run_command;
use crate::exit::Exit;
use crate::places::Places;

/// One line of shell a run, in the plan's order.
pub(super) fn commands(sweep: &str, out: Option<&Path>, places: &Places) -> anyhow::Result<Exit> {
    let (command, entries) = planned(sweep, places)?;
    let mut text = String::new();
    for entry in &entries {
        text.push_str(&command.line(entry.index)?);
        text.push('\n');
    }
    write(&text, out)
}

/// An Indexed Job of Kubernetes, as a beginning.
pub(super) fn kubernetes(sweep: &str, out: Option<&Path>, places: &Places) -> anyhow::Result<Exit> {
    let (command, entries) = planned(sweep, places)?;
    say!("note: an example, not run by us");
    write(&cluster::kubernetes::example(sweep, entries.len(), &command), out)
}

/// By the plan alone: the sweep file may have changed since, and its base files be elsewhere.
fn planned(sweep: &str, places: &Places) -> anyhow::Result<(RunCommand, Vec<PlanEntry>)> {
    let dir = SweepDir::new(&places.runs, sweep)?;
    let (plan, entries) = dir.read_plan()?;
    let fingerprint = plan_fingerprint(entries.iter().map(|it| (it.index, it.key.as_str())));
    let device = plan.device.into_iter().flat_map(|device| ["--device".to_string(), device]);
    Ok((run_command(dir.path(), places, fingerprint, device.collect())?, entries))
}

/// To the letter, other than what is shown to a person: a shell reads it.
fn write(text: &str, out: Option<&Path>) -> anyhow::Result<Exit> {
    let Some(path) = out else {
        return match std::io::stdout().write_all(text.as_bytes()) {
            // A reader like `head` wants no more.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(error).context("cannot write the answer")
            }
            _ => Ok(Exit::Done),
        };
    };
    std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    tell!("{}", path.display());
    Ok(Exit::Done)
}
