//! The sweep's own files, and finding a run that some sweep has already computed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::durable;
use crate::error::TrackError;
use crate::layout::{RunDir, SweepDir, short_key};
use crate::record::RunState;
use crate::time;

impl SweepDir {
    /// # Errors
    /// `Name`, or `Write` where the folder cannot be made.
    pub fn create_or_open(runs_root: &Path, name: &str) -> Result<Self, TrackError> {
        let sweep = SweepDir::new(runs_root, name)?;
        durable::create_dir(sweep.path())?;
        Ok(sweep)
    }

    /// Keeps the sweep's file verbatim, and a dated copy of it with the command.
    /// Returns the invocation's number, counted from 1.
    pub fn record_invocation(&self, toml: &str, argv: &[String]) -> Result<u32, TrackError> {
        durable::create_dir(&self.history())?;
        let number = self.last_invocation()? + 1;
        // As JSON an argument's line break stays inside the comment.
        let command = serde_json::to_string(argv).expect("strings are JSON");
        let entry = format!("# {} {command}\n{toml}", time::rfc3339(time::now_us()));
        durable::create(&self.history().join(format!("{number:04}.toml")), entry.as_bytes())?;
        durable::replace(&self.sweep_toml(), toml.as_bytes())?;
        Ok(number)
    }

    fn last_invocation(&self) -> Result<u32, TrackError> {
        let numbers = children(&self.history())?;
        let numbers = numbers.iter().filter_map(|path| path.file_stem()?.to_str()?.parse().ok());
        Ok(numbers.max().unwrap_or(0))
    }
}

/// A run with this key in any sweep's folder. Of twins a completed one is
/// preferred, then a diverged one, which is a result as well, then whichever
/// comes first by name. A folder that cannot be read is passed over: the run
/// is then computed again.
pub fn find_run(runs_root: &Path, key: &str) -> Result<Option<RunDir>, TrackError> {
    if !runs_root.exists() {
        return Ok(None);
    }
    let ending = format!("-{}", short_key(key));
    let (mut diverged, mut other) = (None, None);
    // What is not named like a sweep is none: the trash.
    let is_sweep = |path: &&PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| SweepDir::new(runs_root, name).is_ok()) && path.is_dir()
    };
    for sweep in children(runs_root)?.iter().filter(is_sweep) {
        for path in children(sweep)? {
            if !path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(&ending)) {
                continue;
            }
            let run = RunDir::new(path);
            // Eight digits are for people; the whole key decides.
            if !run.read_identity().is_ok_and(|found| found.is_some_and(|it| it.key == key)) {
                continue;
            }
            match run.state() {
                Ok(RunState::Completed) => return Ok(Some(run)),
                Ok(RunState::Diverged { .. }) => diverged.get_or_insert(run),
                _ => other.get_or_insert(run),
            };
        }
    }
    Ok(diverged.or(other))
}

/// In name order: what is found must not depend on the file system.
fn children(dir: &Path) -> Result<Vec<PathBuf>, TrackError> {
    let entries = fs::read_dir(dir).map_err(TrackError::read(dir))?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>, std::io::Error>>()
        .map_err(TrackError::read(dir))?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, RunEvents};
    use crate::fixture;
    use serde_json::Value;

    #[test]
    fn every_invocation_is_kept() {
        let store = fixture::Store::new();
        let argv = ["sweep".to_owned(), "two\nlines".to_owned()];
        assert_eq!(store.sweep.record_invocation("a = 1\n", &argv).unwrap(), 1);
        assert_eq!(store.sweep.record_invocation("a = 2\n", &argv).unwrap(), 2);
        assert_eq!(fs::read_to_string(store.sweep.sweep_toml()).unwrap(), "a = 2\n");
        let first = fs::read_to_string(store.sweep.history().join("0001.toml")).unwrap();
        assert!(first.ends_with(" [\"sweep\",\"two\\nlines\"]\na = 1\n"), "{first}");
    }

    #[test]
    fn a_run_is_found_by_its_whole_key() {
        let store = fixture::Store::new();
        let identity = fixture::identity(0);
        let find = |key: &str| find_run(&store.root, key).unwrap();
        assert_eq!(find(&identity.key), None);
        store.run.write_identity(&identity, "", &Value::Null).unwrap();
        assert_eq!(find(&identity.key), Some(store.run.clone()));
        let same_end = format!("{}ffffffff", short_key(&identity.key));
        assert_eq!(find(&same_end), None);

        // The same question, asked and answered by later sweeps.
        let twin = |sweep: &str, end: Event| {
            let sweep = SweepDir::create_or_open(&store.root, sweep).unwrap();
            let run = sweep.run_dir("x", 1, &identity.key);
            run.write_identity(&identity, "", &Value::Null).unwrap();
            RunEvents::open(&run.events()).unwrap().append(&end).unwrap();
            run
        };
        twin("later-1", Event::Interrupted { step: 1 });
        assert_eq!(find(&identity.key), Some(store.run.clone()));
        let diverged = twin("later-2", Event::Diverged { step: 1, reason: "NaN".into() });
        assert_eq!(find(&identity.key), Some(diverged));
        let completed = twin("later-3", Event::Completed { step: 1, active_s: 1.0 });
        assert_eq!(find(&identity.key), Some(completed));
    }
}
