//! Taking runs out of the store without deleting anything: their folders move to `.trash`, beside
//! the sweeps, where no reader looks.

use std::fs;
use std::path::{Path, PathBuf};

use crate::durable;
use crate::error::TrackError;
use crate::layout::{RunDir, SweepDir};
use crate::time;

/// Where a run's folder goes; nothing has moved yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    pub from: PathBuf,
    pub to: PathBuf,
}

impl Removal {
    /// `RUNS/.trash/<time>-<sweep>-<folder>`, with the root around the folder itself: a rename
    /// does not leave its file system.
    ///
    /// # Errors
    /// `Held` names the process that trains the run; `Name` where the folder lies in no sweep's,
    /// as one in the trash; `Read` where there is no folder.
    pub fn of(run: &RunDir) -> Result<Self, TrackError> {
        let from = fs::canonicalize(run.path()).map_err(TrackError::read(run.path()))?;
        let name = |path: &Path| {
            path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
        };
        let sweep = from.parent().unwrap_or(&from);
        let root = sweep.parent().unwrap_or(sweep);
        SweepDir::new(root, &name(sweep))?;
        run.expect_free()?;
        let at = time::rfc3339(time::now_us()).replace(['-', ':'], "");
        let to = trash(root).join(format!("{at}-{}-{}", name(sweep), name(&from)));
        Ok(Removal { from, to })
    }

    /// Moves all folders or none.
    ///
    /// # Errors
    /// `Held` where a run has begun since; `Write` where a folder cannot be moved.
    pub fn carry_out(removals: &[Removal]) -> Result<(), TrackError> {
        // Held until all have moved: no attempt can begin in a folder on its way.
        let _locks = removals
            .iter()
            .map(|removal| RunDir::new(removal.from.clone()).lock())
            .collect::<Result<Vec<_>, _>>()?;
        for (done, removal) in removals.iter().enumerate() {
            if let Err(error) = removal.carry() {
                for earlier in removals[..done].iter().rev() {
                    durable::rename(&earlier.to, &earlier.from)?;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    fn carry(&self) -> Result<(), TrackError> {
        durable::create_dir(self.to.parent().unwrap_or(&self.to))?;
        durable::rename(&self.from, &self.to)
    }
}

/// No sweep's name begins with a dot, so this is none.
pub(crate) fn trash(runs_root: &Path) -> PathBuf {
    runs_root.join(".trash")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::event::{Event, RunEvents};
    use crate::fixture::{self, Store};
    use crate::reader::{read_sweep, read_sweep_status};
    use crate::record::RunState;
    use crate::sweep_dir::find_run;

    /// A sweep of two runs, both completed, and their folders.
    fn completed() -> (Store, [RunDir; 2]) {
        let store = Store::new();
        let entries = [fixture::entry(0), fixture::entry(1)];
        store.sweep.write_plan(&fixture::plan(), &entries).unwrap();
        let runs = [0, 1].map(|index| {
            let run = RunDir::new(store.root.join(fixture::entry(index).folder));
            run.write_identity(&fixture::identity(index), "", &Value::Null).unwrap();
            let end = Event::Completed { step: 1, active_s: 1.0 };
            RunEvents::open(&run.events()).unwrap().append(&end).unwrap();
            run
        });
        (store, runs)
    }

    fn in_trash(store: &Store) -> usize {
        fs::read_dir(trash(&store.root)).map_or(0, Iterator::count)
    }

    #[test]
    fn a_removed_run_is_whole_elsewhere_and_no_reader_sees_it() {
        let (store, [run, other]) = completed();
        let key = fixture::identity(0).key;
        assert_eq!(find_run(&store.root, &key).unwrap(), Some(run.clone()));
        let removal = Removal::of(&run).unwrap();
        assert_eq!(in_trash(&store), 0, "only asked");
        Removal::carry_out(std::slice::from_ref(&removal)).unwrap();

        let folder = run.path().file_name().unwrap().to_string_lossy().into_owned();
        let moved = removal.to.file_name().unwrap().to_string_lossy().into_owned();
        assert!(moved.ends_with(&format!("Z-lambda-{folder}")), "{moved}");
        assert!(!moved.contains(':'), "{moved}");
        assert_eq!(removal.to.parent().unwrap().file_name().unwrap(), ".trash");
        let identity = RunDir::new(removal.to.clone()).read_identity().unwrap().unwrap();
        assert_eq!(identity, fixture::identity(0));

        assert!(!run.path().exists());
        assert_eq!(find_run(&store.root, &key).unwrap(), None);
        assert!(find_run(&store.root, &fixture::identity(1).key).unwrap() == Some(other));
        for read in [read_sweep, read_sweep_status] {
            let states = read(&store.root, "lambda").unwrap().runs.into_iter().map(|it| it.state);
            assert_eq!(states.collect::<Vec<_>>(), [RunState::Planned, RunState::Completed]);
            let no_sweep = read(&store.root, ".trash");
            assert!(matches!(no_sweep, Err(TrackError::Name { .. })), "{no_sweep:?}");
        }
        fs::rename(removal.to, removal.from).unwrap();
        assert_eq!(find_run(&store.root, &key).unwrap(), Some(run));
    }

    #[test]
    fn a_held_run_keeps_all_where_they_are() {
        let (store, [run, other]) = completed();
        let removals = [&run, &other].map(|run| Removal::of(run).unwrap());
        let lock = other.lock().unwrap();
        assert!(matches!(Removal::of(&other), Err(TrackError::Held { .. })));
        // One that begins between the question and the move.
        assert!(matches!(Removal::carry_out(&removals), Err(TrackError::Held { .. })));
        assert!(run.path().is_dir() && other.path().is_dir());
        drop(lock);
        Removal::carry_out(&removals).unwrap();
        assert_eq!(in_trash(&store), 2);
    }

    #[test]
    fn a_move_that_fails_takes_the_others_back() {
        let (store, [run, other]) = completed();
        let mut removals = [&run, &other].map(|run| Removal::of(run).unwrap());
        let taken = store.root.join("taken");
        fs::write(&taken, "a file, not a folder").unwrap();
        removals[1].to = taken;
        assert!(matches!(Removal::carry_out(&removals), Err(TrackError::Write { .. })));
        assert!(run.run_json().is_file() && other.run_json().is_file());
        assert_eq!(in_trash(&store), 0);
    }

    #[test]
    fn what_is_no_run_of_a_sweep_stays() {
        let (store, [run, _]) = completed();
        let removal = Removal::of(&run).unwrap();
        Removal::carry_out(std::slice::from_ref(&removal)).unwrap();
        let again = Removal::of(&RunDir::new(removal.to));
        assert!(matches!(again, Err(TrackError::Name { .. })), "{again:?}");
        let gone = Removal::of(&run);
        assert!(matches!(gone, Err(TrackError::Read { .. })), "{gone:?}");
        assert_eq!(in_trash(&store), 1);
    }
}
