//! Runs into the trash, and the way back.

use std::path::Path;

use anyhow::{Context, bail};
use track::{Removal, SweepDir, TrackError};

use crate::args::RmArgs;
use crate::exit::Exit;
use crate::places::Places;
use crate::run_address::run_at;
use crate::terminal::{print_error, shell_word};

pub(crate) fn rm(args: &RmArgs, places: &Places) -> anyhow::Result<Exit> {
    let mut removals: Vec<Removal> = Vec::new();
    let mut refused = Vec::new();
    for address in &args.run {
        match removal(address, places) {
            // Named twice, moved once.
            Ok(it) if removals.iter().any(|other| other.from == it.from) => {}
            Ok(it) => removals.push(it),
            Err(error) => refused.push(error),
        }
    }
    if refused.is_empty() && !args.dry_run {
        refused.extend(Removal::carry_out(&removals).err().map(anyhow::Error::from));
    }
    if !refused.is_empty() {
        return Ok(refusal(&refused));
    }
    let verb = if args.dry_run { "would move" } else { "moved" };
    for Removal { from, to } in &removals {
        tell!("{verb} {}\n    to {}", from.display(), to.display());
    }
    if !args.dry_run {
        tell!("\nTo bring {} back:", if removals.len() == 1 { "it" } else { "them" });
        for Removal { from, to } in &removals {
            tell!("  test ! -e {1} && mv {0} {1}", typed(to), typed(from));
        }
    }
    Ok(Exit::Done)
}

fn removal(address: &str, places: &Places) -> anyhow::Result<Removal> {
    let stays = || format!("`{address}` stays where it is");
    for folder in [Path::new(address).to_path_buf(), places.runs.join(address)] {
        if is_sweep(&folder) {
            bail!(
                "`{address}` is a whole sweep; name its runs, as in {}/0",
                address.trim_end_matches('/')
            );
        }
    }
    let run = run_at(address, places)?;
    if !run.path().is_dir() {
        bail!("`{address}` has not begun: there is nothing to move");
    }
    Removal::of(&run).with_context(stays)
}

pub(super) fn is_sweep(folder: &Path) -> bool {
    let Ok(folder) = folder.canonicalize() else { return false };
    let name = folder.file_name().map(|name| name.to_string_lossy());
    match (folder.parent(), name) {
        (Some(root), Some(name)) => {
            SweepDir::new(root, &name).is_ok_and(|sweep| sweep.plan().is_file())
        }
        _ => false,
    }
}

/// Every reason, and the code of the one that passes by itself.
fn refusal(refused: &[anyhow::Error]) -> Exit {
    for error in refused {
        print_error(error);
    }
    say!("nothing has moved");
    let held = |error: &anyhow::Error| {
        matches!(error.downcast_ref::<TrackError>(), Some(TrackError::Held { .. }))
    };
    let io = |error: &anyhow::Error| {
        matches!(error.downcast_ref::<TrackError>(), Some(TrackError::Write { .. }))
    };
    match refused {
        _ if refused.iter().any(held) => Exit::Held,
        _ if refused.iter().any(io) => Exit::Io,
        _ => Exit::Failed,
    }
}

/// A path as a shell takes it.
pub(super) fn typed(path: &Path) -> String {
    shell_word(&path.to_string_lossy()).into_owned()
}
