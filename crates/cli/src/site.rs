//! The site's file: what all sweeps that are sent from here have in common.

use std::path::{Path, PathBuf};

use anyhow::Context;
use spec::{Executor, Plan, SourceText, read_site};

use crate::diagnostics::{read_text, render};
use crate::places::non_empty;
use crate::terminal::show;

/// The plan's executor over the site's; or, with every mistake in the site's printed, `None`.
pub(crate) fn executor(plan: &Plan, given: Option<&Path>) -> anyhow::Result<Option<Executor>> {
    let Some(path) = given.map(Path::to_path_buf).or_else(named).or_else(usual) else {
        return Ok(Some(plan.executor.clone()));
    };
    let name = path.display().to_string();
    let text = read_text(&path).with_context(|| format!("cannot read the site's file `{name}`"))?;
    match read_site(SourceText { name, text }) {
        Ok(site) => Ok(Some(plan.executor.clone().over(site))),
        Err(rejected) => {
            show(&render(&rejected.diagnostics, &rejected.sources));
            Ok(None)
        }
    }
}

fn named() -> Option<PathBuf> {
    non_empty("CYCLELAB_SITE").map(PathBuf::from)
}

/// As the XDG base directory specification has it; only where it is there.
fn usual() -> Option<PathBuf> {
    let xdg = non_empty("XDG_CONFIG_HOME").map(PathBuf::from).filter(|it| it.is_absolute());
    let home = || non_empty("HOME").map(|home| PathBuf::from(home).join(".config"));
    xdg.or_else(home).map(|it| it.join("cyclelab/site.toml")).filter(|it| it.exists())
}
