//! `submissions.jsonl`: what was sent to a cluster, one line a call of `submit`.
//!
//! A line is on the disk before anybody is told of its jobs: a job that nobody knows of cannot be
//! waited for, and its runs would be sent twice.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::durable;
use crate::error::TrackError;
use crate::identity::check_schema_rev;
use crate::jsonl::{self, JsonLines};
use crate::layout::SweepDir;
use crate::schema::SCHEMA_REV;
use crate::time;

/// Jobs that were sent together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    schema_rev: u32,
    /// RFC 3339 UTC.
    pub at: String,
    /// `slurm` or `hq`.
    pub engine: String,
    /// Its folder, `.exec/<number>`.
    pub number: u32,
    /// Of the plan that the runs' numbers are of: `plan_fingerprint`.
    pub plan: String,
    /// The command that sent them.
    pub argv: Vec<String>,
    pub arrays: Vec<SubmittedArray>,
    /// Writes the report once all others have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_job: Option<u64>,
    /// Why not all were sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// One array, or HyperQueue's one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubmittedArray {
    pub job_id: u64,
    /// A task's number plus this is a run's index, where it trains one.
    pub offset: usize,
    /// All runs of the array, as in `0-5,9`.
    pub indices: String,
    /// 0: the sweep's own resources; else which class, counted from 1.
    pub class: usize,
    /// In the submission's folder.
    pub script: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<u32>,
    /// Of tasks that train several runs each, which: by the task's number. Empty elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packed: Vec<String>,
}

impl Submission {
    /// Of now, with nothing sent yet.
    pub fn new(engine: &str, number: u32, plan: String, argv: Vec<String>) -> Self {
        Submission {
            schema_rev: SCHEMA_REV,
            at: time::rfc3339(time::now_us()),
            engine: engine.to_owned(),
            number,
            plan,
            argv,
            arrays: vec![],
            report_job: None,
            trouble: None,
        }
    }
}

/// Which run has which number, as 16 hex digits: what was sent names runs by their number.
pub fn plan_fingerprint<'a>(runs: impl IntoIterator<Item = (usize, &'a str)>) -> String {
    let mut hash = blake3::Hasher::new();
    for (index, key) in runs {
        hash.update(format!("{index} {key}\n").as_bytes());
    }
    hash.finalize().to_hex()[..16].to_owned()
}

impl SweepDir {
    /// Adds a line, and returns once it is on the disk.
    pub fn record_submission(&self, submission: &Submission) -> Result<(), TrackError> {
        JsonLines::open(&self.submissions())?.append(submission)
    }

    /// In order, and what was wrong with lines that are none. A torn last line is none.
    ///
    /// # Errors
    /// `TooNew` where a later version wrote one: it may know of jobs that this one would send again.
    pub fn read_submissions(&self) -> Result<(Vec<Submission>, Vec<String>), TrackError> {
        let path = self.submissions();
        let (lines, mut bad) = jsonl::read::<serde_json::Value>(&path)?;
        let mut submissions = Vec::new();
        for line in lines {
            if let Some(found) = line.get("schema_rev").and_then(serde_json::Value::as_u64) {
                check_schema_rev(&path, Some(found))?;
            }
            match serde_json::from_value(line) {
                Ok(submission) => submissions.push(submission),
                Err(error) => bad.push(error.to_string()),
            }
        }
        Ok((submissions, bad))
    }

    /// Makes a folder for what is sent next; its number is given once.
    pub fn new_exec(&self) -> Result<u32, TrackError> {
        let all = self.exec_root();
        durable::create_dir(&all)?;
        for number in 1.. {
            let folder = self.exec(number);
            match fs::create_dir(&folder) {
                Ok(()) => {
                    durable::sync_parent(&folder)?;
                    return Ok(number);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(TrackError::write(&folder)(error)),
            }
        }
        unreachable!("a disk is full before the numbers are used up")
    }

    /// Keeps what is sent, where nothing of that name may be yet.
    pub fn keep_script(&self, number: u32, name: &str, text: &str) -> Result<PathBuf, TrackError> {
        let path = self.exec(number).join(name);
        durable::create(&path, text.as_bytes())?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Store;
    use crate::fsck::{Fsck, Level};
    use crate::garbage::Pile;

    fn submission(number: u32) -> Submission {
        let array = SubmittedArray {
            job_id: 17,
            offset: 0,
            indices: "0-5,9".into(),
            class: 0,
            script: "array.sbatch".into(),
            throttle: Some(3),
            packed: vec![],
        };
        let argv = vec!["cyclelab".into(), "submit".into()];
        let plan = plan_fingerprint([(0, "3f9c")]);
        Submission { arrays: vec![array], ..Submission::new("slurm", number, plan, argv) }
    }

    #[test]
    fn what_was_sent_is_read_back() {
        let store = Store::new();
        assert_eq!(store.sweep.read_submissions().unwrap(), (vec![], vec![]));
        for number in [1, 2] {
            store.sweep.record_submission(&submission(number)).unwrap();
        }
        let (found, bad) = store.sweep.read_submissions().unwrap();
        assert_eq!(found.iter().map(|it| it.number).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((found[1].arrays.clone(), bad.len()), (submission(2).arrays, 0));
    }

    #[test]
    fn a_torn_line_costs_itself_and_a_bad_one_is_named() {
        let store = Store::new();
        store.sweep.record_submission(&submission(1)).unwrap();
        let whole = fs::read(store.sweep.submissions()).unwrap();
        let with = |rest: &str| [&whole, rest.as_bytes()].concat();
        fs::write(store.sweep.submissions(), with("{\"schema_rev\":1,\"at")).unwrap();
        let (found, bad) = store.sweep.read_submissions().unwrap();
        assert_eq!((found.len(), bad.len()), (1, 0));
        fs::write(store.sweep.submissions(), with("{\"schema_rev\":1}\n{\n")).unwrap();
        let (found, bad) = store.sweep.read_submissions().unwrap();
        assert_eq!((found.len(), bad.len()), (1, 2), "{bad:?}");
        fs::write(store.sweep.submissions(), with("{\"schema_rev\":99}\n")).unwrap();
        let newer = store.sweep.read_submissions();
        assert!(matches!(newer, Err(TrackError::TooNew { found: 99, .. })), "{newer:?}");
    }

    #[test]
    fn a_plan_is_known_by_its_runs_and_their_numbers() {
        let both = plan_fingerprint([(0, "aa"), (1, "bb")]);
        assert_eq!(both.len(), 16);
        let others = [vec![(0, "aa")], vec![(0, "bb"), (1, "aa")], vec![(1, "aa"), (0, "bb")]];
        for other in others {
            assert_ne!(both, plan_fingerprint(other));
        }
    }

    #[test]
    fn folders_are_given_once() {
        let store = Store::new();
        assert_eq!([1, 2].map(|_| store.sweep.new_exec().unwrap()), [1, 2]);
        fs::remove_dir(store.sweep.exec(1)).unwrap();
        fs::write(store.sweep.exec(3), "a file").unwrap();
        assert_eq!([1, 4].map(|_| store.sweep.new_exec().unwrap()), [1, 4]);
        let path = store.sweep.keep_script(4, "array.sbatch", "#!/bin/bash\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "#!/bin/bash\n");
        assert!(store.sweep.keep_script(4, "array.sbatch", "").is_err(), "what was sent stays");
    }

    /// The rest of the store neither cleans it away nor wonders what it is.
    #[test]
    fn what_was_sent_is_known_to_all() {
        let store = Store::new();
        let entries = [crate::fixture::entry(0)];
        store.sweep.write_plan(&crate::fixture::plan(), &entries).unwrap();
        let number = store.sweep.new_exec().unwrap();
        let script = store.sweep.keep_script(number, "array.sbatch", "exec true\n").unwrap();
        store.sweep.record_submission(&submission(number)).unwrap();
        let fsck = Fsck { runs_root: &store.root, repair: true, config_toml: &|_| None };
        let look = || fsck.check_sweep(&store.sweep).unwrap();
        let about = |what: &str| {
            let all = look().into_iter().flat_map(|it| it.findings);
            all.filter(|it| it.path.to_string_lossy().contains(what)).collect::<Vec<_>>()
        };
        assert_eq!((about("submissions"), about(".exec")), (vec![], vec![]));
        let pile = Pile::find(&store.root, None).unwrap();
        let spared = |path: &PathBuf| !path.starts_with(store.sweep.exec(number));
        assert!(pile.garbage.iter().all(|it| spared(&it.path)), "{pile:?}");
        assert!(pile.orphans.iter().all(|(path, _)| spared(path)), "{pile:?}");
        drop(store.sweep.claim().unwrap());
        assert!(script.is_file() && store.sweep.submissions().is_file());

        let mut torn = fs::read(store.sweep.submissions()).unwrap();
        torn.extend(b"{\"schema_rev\":1");
        fs::write(store.sweep.submissions(), torn).unwrap();
        let found = about("submissions");
        assert!(found[0].what.contains("torn") && found[0].level == Level::Repairable, "{found:?}");
        assert_eq!(store.sweep.read_submissions().unwrap().0.len(), 1);
        assert_eq!(about("submissions"), vec![], "mended");
    }
}
