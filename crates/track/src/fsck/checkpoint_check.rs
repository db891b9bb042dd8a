//! Checkpoints: every one as it was written, and those that the events promise there.

use super::{Examination, Level, in_words};
use crate::checkpoint::{self, check_checkpoints, checkpoints_set_aside};
use crate::event::{Event, Stamped};
use crate::layout::RunDir;

/// `key`: the run's, which every checkpoint names.
pub(super) fn check(
    run: &RunDir,
    key: Option<&str>,
    events: &[Stamped<Event>],
    found: &mut Examination,
) {
    let aside = match checkpoints_set_aside(run) {
        Ok(aside) => aside,
        Err(error) => return found.damaged(&run.checkpoints(), in_words(&error)),
    };
    let Some(key) = key else {
        return found.note(&run.checkpoints(), "not checked: it is unknown whose they are");
    };
    let checked = check_checkpoints(run, key);
    found.checkup.checkpoints = checked.len();
    for (path, verdict) in &checked {
        if let Err(reason) = verdict {
            found.mend(Level::Repairable, path, reason, || {
                checkpoint::set_aside(path)?;
                Ok("set aside".to_owned())
            });
        }
    }
    for path in &aside {
        found.note(path, "set aside: it could not be used");
    }
    let any_good = checked.iter().any(|(_, verdict)| verdict.is_ok());
    let Some(step) = last_promised(events) else { return };
    let path = run.checkpoint(step);
    if !any_good {
        found.damaged(&run.checkpoints(), "none is left that verifies: what was learned is lost, what was recorded is not; `cyclelab rm` and a new training, or `--fresh`, make another");
    } else if !path.exists() && !aside.iter().any(|it| it.file_stem() == path.file_name()) {
        found.damaged(&path, "its event is there, the checkpoint is not");
    }
}

/// The step of the newest checkpoint that events speak of: older ones go in time.
fn last_promised(events: &[Stamped<Event>]) -> Option<u64> {
    events.iter().rev().find_map(|stamped| match stamped.event {
        Event::Checkpoint { step, .. } | Event::Interrupted { step } if step > 0 => Some(step),
        _ => None,
    })
}
