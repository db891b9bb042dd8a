//! A store for one run that is trained once more: a folder below the runs that no reader looks at.

use std::fs;
use std::path::{Path, PathBuf};

use crate::durable;
use crate::error::TrackError;
use crate::identity::RunIdentity;
use crate::layout::{RunDir, SweepDir};
use crate::plan::PlanEntry;
use crate::record::{CellRecord, MetricRecord, PlanRecord};
use crate::time;

/// No sweep's name begins with a dot, so this is none.
pub(crate) const PREFIX: &str = ".reproduce-";

/// `RUNS/.reproduce-<time>-<sweep>`, with a sweep of one run in it.
#[derive(Debug)]
pub struct Reproduction {
    root: PathBuf,
    sweep: SweepDir,
    run: RunDir,
}

impl Reproduction {
    /// Plans the run anew, from what it says about itself: its sweep may plan other runs by now.
    ///
    /// `command` is what the user typed.
    pub fn begin(
        runs_root: &Path,
        original: &RunIdentity,
        command: &str,
    ) -> Result<Self, TrackError> {
        let at = time::rfc3339(time::now_us()).replace(['-', ':'], "");
        let name = SweepDir::new(runs_root, &original.sweep)?.name();
        let root = runs_root.join(format!("{PREFIX}{at}-{name}"));
        let sweep = SweepDir::new(&root, &name)?;
        let run = sweep.run_dir(&original.label, original.seed, &original.key);
        durable::create_dir(sweep.path())?;
        let folder = run.path().strip_prefix(&root).expect("the sweep lies in its root");
        let entry = PlanEntry {
            index: 0,
            point_id: original.point_id.clone(),
            key: original.key.clone(),
            cell: 0,
            seed: original.seed,
            label: original.label.clone(),
            folder: folder.to_string_lossy().into_owned(),
            config: original.config.clone(),
            origins: Default::default(),
        };
        sweep.write_plan(&plan_of(original, command), &[entry])?;
        Ok(Reproduction { root, sweep, run })
    }

    /// The whole store.
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn sweep(&self) -> &SweepDir {
        &self.sweep
    }

    pub fn run(&self) -> &RunDir {
        &self.run
    }

    pub fn remove(self) -> Result<(), TrackError> {
        fs::remove_dir_all(&self.root).map_err(TrackError::write(&self.root))
    }
}

/// No samples: pictures are not compared.
fn plan_of(original: &RunIdentity, command: &str) -> PlanRecord {
    PlanRecord {
        device: None,
        name: original.sweep.clone(),
        question: format!("Does {}, seed {}, come out again?", original.label, original.seed),
        design: "points".into(),
        command: command.to_owned(),
        metric: MetricRecord {
            name: String::new(),
            minimize: true,
            select: "last".into(),
            secondary: vec![],
        },
        axes: vec![],
        cells: vec![CellRecord {
            label: original.label.clone(),
            settings: vec![],
            baseline: true,
            seeds: vec![original.seed],
            note: None,
            arm: None,
            origin: None,
            inactive: Vec::new(),
            also: vec![],
        }],
        seeds: vec![original.seed],
        dataset: original.dataset.clone(),
        preset: String::new(),
        departures: vec![],
        samples: vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, Store};
    use crate::sweep_dir::find_run;

    #[test]
    fn planned_beside_the_store_and_seen_by_no_reader() {
        let store = Store::new();
        let original = fixture::identity(0);
        let again = Reproduction::begin(&store.root, &original, "cyclelab reproduce x").unwrap();
        let (plan, entries) = again.sweep().read_plan().unwrap();
        assert_eq!((plan.name.as_str(), entries.len()), ("lambda", 1));
        assert_eq!((&entries[0].key, &entries[0].config), (&original.key, &original.config));
        assert_eq!(again.root().join(&entries[0].folder), again.run().path());

        again.run().write_identity(&original, "", &serde_json::Value::Null).unwrap();
        assert_eq!(find_run(&store.root, &original.key).unwrap(), None);
        let root = again.root().to_owned();
        again.remove().unwrap();
        assert!(!root.exists());
    }
}
