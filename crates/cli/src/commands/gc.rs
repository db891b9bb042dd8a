//! What can go from the store, and its removal.

use track::{Garbage, GarbageKind, Pile, TrackError};

use super::rm::typed;
use crate::args::GcArgs;
use crate::exit::Exit;
use crate::places::Places;
use crate::terminal::plural;

pub(crate) fn gc(args: &GcArgs, places: &Places) -> anyhow::Result<Exit> {
    let older_than = args.older_than.unwrap_or_default();
    let pile = Pile::find(&places.runs, args.trash.then_some(older_than))?;
    let mut exit = Exit::Done;
    let mut total = (0, 0);
    for kind in GarbageKind::ALL {
        let found: Vec<_> = pile.garbage.iter().filter(|it| it.kind == kind).collect();
        let gone = match args.dry_run {
            true => found,
            false => found.into_iter().filter(|it| removed(it, &mut exit)).collect(),
        };
        total = (total.0 + gone.len(), total.1 + bytes(&gone));
        print_kind(kind, &gone, args.dry_run);
    }
    print_rest(&pile, total, args.dry_run);
    Ok(exit)
}

/// Whether it is gone; why not is said aloud, and the rest goes on.
fn removed(garbage: &Garbage, exit: &mut Exit) -> bool {
    let Err(error) = garbage.remove() else { return true };
    say!("warning: `{}` stays: {error}", garbage.path.display());
    *exit = match error {
        TrackError::Held { .. } => *exit,
        _ => Exit::Io,
    };
    false
}

fn bytes(garbage: &[&Garbage]) -> u64 {
    garbage.iter().map(|it| it.bytes).sum()
}

fn print_kind(kind: GarbageKind, garbage: &[&Garbage], dry_run: bool) {
    if garbage.is_empty() {
        return;
    }
    let verb = if dry_run { "would delete" } else { "deleted" };
    tell!("{verb} {}, {}:", in_words(kind, garbage.len()), size(bytes(garbage)));
    for one in garbage {
        tell!("  {}  {}", one.path.display(), size(one.bytes));
    }
}

fn in_words(kind: GarbageKind, n: usize) -> String {
    match kind {
        GarbageKind::Leftover => plural(n, "leftover") + " of killed processes",
        GarbageKind::Checkpoint => plural(n, "older checkpoint") + " of finished runs",
        GarbageKind::Reproduction => plural(n, "run") + " trained once more and kept",
        GarbageKind::Trash => plural(n, "run") + " in the trash",
    }
}

fn print_rest(pile: &Pile, (places, bytes): (usize, u64), dry_run: bool) {
    match (places, dry_run) {
        (0, _) => tell!("nothing to delete"),
        (_, true) => tell!("would free {}; nothing was deleted", size(bytes)),
        (_, false) => tell!("freed {}", size(bytes)),
    }
    if !pile.orphans.is_empty() {
        tell!("\nruns that no plan mentions; to move one to the trash:");
        for (path, bytes) in &pile.orphans {
            tell!("  cyclelab rm {}  # {}", typed(path), size(*bytes));
        }
    }
    for path in &pile.held {
        say!("note: `{}` is in use and left alone", path.display());
    }
    for (path, reason) in &pile.unread {
        say!("warning: `{}` was not looked at: {reason}", path.display());
    }
}

/// `812 B`, `1.4 GiB`.
fn size(bytes: u64) -> String {
    let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.into_iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => format!("{bytes} B"),
    }
}
