//! A run's folder but for its metrics, checkpoints and samples; and a sweep's own files.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::text_check::{check_lines, check_tail};
use super::{
    Checkup, Examination, Fsck, Level, checkpoint_check, in_words, metric_check, not_checked,
    sample_check, set_aside,
};
use crate::durable;
use crate::error::TrackError;
use crate::event::{Event, Stamped, SweepEvent};
use crate::garbage::{is_temp, temps_below};
use crate::identity::RunIdentity;
use crate::layout::{RunDir, SweepDir, short_key};
use crate::plan::PlanEntry;
use crate::record::RunState;

/// `entry` is what the plan says of the run.
pub(super) fn check(fsck: &Fsck<'_>, run: &RunDir, entry: Option<&PlanEntry>) -> Checkup {
    let mut found = Examination::new(run.path(), fsck.repair);
    if let Err(error) = run.expect_free() {
        return found.in_use(&error);
    }
    let before = fs::read(run.events()).ok();
    let temps = temps_below(run.path());
    let lock = match fsck.repair.then(|| run.lock()).transpose() {
        Ok(lock) => lock,
        Err(error) => return found.in_use(&error),
    };
    check_temps(&temps, &mut found);
    check_content(fsck, run, entry, &mut found);
    if lock.is_none() {
        let ended = || {
            let (path, owner) = (run.path().to_owned(), "a process that has ended".to_owned());
            TrackError::Held { path, owner }
        };
        let changed = fs::read(run.events()).ok() != before;
        if let Some(error) = run.expect_free().err().or_else(|| changed.then(ended)) {
            return found.in_use(&error);
        }
    }
    found.checkup
}

fn check_content(
    fsck: &Fsck<'_>,
    run: &RunDir,
    entry: Option<&PlanEntry>,
    found: &mut Examination,
) {
    found.checkup.runs = 1;
    let events = check_lines::<Stamped<Event>>(&run.events(), found);
    let identity = match run.read_identity() {
        Ok(identity) => identity,
        Err(error @ TrackError::TooNew { .. }) => {
            return found.note(&run.run_json(), not_checked(&error));
        }
        Err(error) => {
            found.damaged(&run.run_json(), in_words(&error));
            None
        }
    };
    match &identity {
        Some(identity) => check_identity(fsck, run, identity, entry, found),
        // An attempt can fail before it knows what to write there.
        None if run.run_json().exists() || !run.metrics().exists() => {}
        None => found.damaged(&run.run_json(), "not there, but the run has metrics"),
    }
    if events.is_empty() && run.metrics().exists() {
        found.damaged(&run.events(), "nothing says how the run stands, but it has metrics");
    }
    check_leases(&run.leases(), found);
    metric_check::check(run, identity.as_ref(), found);
    if found.checkup.rows == 0 && RunState::fold(&events, false).is_result() {
        found.damaged(
            &run.metrics(),
            "finished, but no row is left; `cyclelab rm` to train it again",
        );
    }
    let key = identity.as_ref().map(|it| it.key.as_str()).or(entry.map(|it| it.key.as_str()));
    checkpoint_check::check(run, key, &events, found);
    sample_check::check(run, found);
}

fn check_identity(
    fsck: &Fsck<'_>,
    run: &RunDir,
    identity: &RunIdentity,
    entry: Option<&PlanEntry>,
    found: &mut Examination,
) {
    let path = run.run_json();
    if let Some(entry) = entry.filter(|entry| entry.key != identity.key) {
        found.damaged(&path, format!("of run {}; the plan has {}", identity.key, entry.key));
    }
    let name = run.path().file_name().unwrap_or_default().to_string_lossy();
    // Runs of earlier code stay beside as `….old-1`.
    let name = name.split_once(".old-").map_or(&*name, |(name, _)| name);
    let ending = format!("-{}", short_key(&identity.key));
    if !name.ends_with(&ending) {
        found.damaged(&path, format!("no sweep finds it: the folder's name has no `{ending}`"));
    }
    let Some(expected) = (fsck.config_toml)(&identity.config) else { return };
    let path = run.config_toml();
    let what = match fs::read(&path) {
        Ok(text) if text == expected.as_bytes() => return,
        Ok(_) => "not the configuration in run.json".to_owned(),
        Err(error) => error.to_string(),
    };
    found.mend(Level::Repairable, &path, what, || {
        let kept = if path.exists() { Some(set_aside(&path)?) } else { None };
        durable::replace(&path, expected.as_bytes())?;
        Ok(format!(
            "written anew{}",
            kept.map(|it| format!("; the other {it}")).unwrap_or_default()
        ))
    });
}

/// The next attempt takes a lease that cannot be read for another's, and waits for it to end.
fn check_leases(leases: &Path, found: &mut Examination) {
    for entry in fs::read_dir(leases).into_iter().flatten().flatten() {
        let path = entry.path();
        if is_temp(&path) || path.extension().is_none_or(|it| it != "json") {
            continue;
        }
        let text = fs::read(&path).unwrap_or_default();
        if let Err(error) = serde_json::from_slice::<Value>(&text) {
            found.note(&path, format!("{error}; the next attempt may wait for a minute"));
        }
    }
}

fn check_temps(temps: &[PathBuf], found: &mut Examination) {
    for path in temps {
        found.mend(Level::Note, path, "left by a killed process", || {
            // The lock's new owner has cleared most of them away.
            let removed = match fs::symlink_metadata(path) {
                Err(_) => Ok(()),
                Ok(it) if it.is_dir() => fs::remove_dir_all(path),
                Ok(_) => fs::remove_file(path),
            };
            removed.map_err(TrackError::write(path))?;
            Ok("removed".to_owned())
        });
    }
}

/// Only a torn tail is cut: of a line that is not understood a job may hang, which would be sent again.
fn check_submissions(sweep: &SweepDir, found: &mut Examination) {
    let path = sweep.submissions();
    check_tail(&path, found);
    match sweep.read_submissions() {
        Ok((_, bad)) => bad.into_iter().for_each(|why| found.damaged(&path, why)),
        Err(error) => found.damaged(&path, in_words(&error)),
    }
}

/// The plan, where it can be read, and the sweep's events.
pub(super) fn check_sweep_files(
    sweep: &SweepDir,
    found: &mut Examination,
) -> Option<Vec<PlanEntry>> {
    let lock = match found.repair.then(|| sweep.lock()).transpose() {
        Ok(lock) => lock,
        Err(error) => {
            found.note(sweep.path(), not_checked(&error));
            None
        }
    };
    let entries = match sweep.read_plan() {
        Ok((_, entries)) => Some(entries),
        Err(error) => {
            found.damaged(
                &sweep.plan(),
                format!("{}; `cyclelab sweep` with its file writes it anew", in_words(&error)),
            );
            None
        }
    };
    // A scheduler at work may be in the middle of a line.
    if lock.is_some() || !found.repair && sweep.expect_free().is_ok() {
        check_lines::<Stamped<SweepEvent>>(&sweep.events(), found);
        check_submissions(sweep, found);
        check_leases(&sweep.leases(), found);
        let own = [sweep.path().to_owned(), sweep.history(), sweep.leases()];
        let entries = own.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
        let temps: Vec<_> =
            entries.flatten().map(|it| it.path()).filter(|path| is_temp(path)).collect();
        check_temps(&temps, found);
    }
    entries
}
