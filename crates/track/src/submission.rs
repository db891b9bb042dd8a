//! `submissions.jsonl`: what was sent to a cluster, as a log: of every job that it is about to be sent,
//! and what came of it.
//!
//! A line is on the disk before the next step is taken. A `submit` that ends anywhere leaves at most
//! one job of which nobody knows whether it was sent, and by its name the cluster can be asked.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::durable;
use crate::error::TrackError;
use crate::identity::check_schema_rev;
use crate::jsonl::{self, JsonLines};
use crate::layout::SweepDir;
use crate::provenance::host_name;
use crate::schema::SCHEMA_REV;
use crate::time;

/// What one `submit` sent, and what is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    /// `slurm` or `hq`.
    pub engine: String,
    /// Of the plan that the runs' numbers are of: `plan_fingerprint`.
    pub plan: String,
    /// The command that sent them.
    pub argv: Vec<String>,
    /// Its folder, `.exec/<number>`.
    #[serde(skip)]
    pub number: u32,
    /// In the order they were sent.
    #[serde(skip)]
    pub jobs: Vec<SubmittedJob>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SubmittedJob {
    /// No other job has it: by it a job is known whose number is not.
    pub name: String,
    /// In the submission's folder.
    pub script: String,
    pub work: Work,
    /// When it was sent, RFC 3339 UTC.
    pub at: String,
    pub fate: Fate,
}

/// What a job does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    Runs(SubmittedArray),
    /// Writes the report once all others have ended.
    Report,
}

/// One array, or HyperQueue's one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubmittedArray {
    /// A task's number plus this is a run's index, where it trains one.
    pub offset: usize,
    /// All runs of the array, as in `0-5,9`.
    pub indices: String,
    /// 0: the sweep's own resources; else which class, counted from 1.
    pub class: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<u32>,
    /// Of tasks that are listed in the script, which runs they train: by the task's number. Empty elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packed: Vec<String>,
}

/// What came of sending a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Fate {
    Sent {
        job_id: u64,
    },
    Refused {
        why: String,
    },
    /// No answer came: it may be in the queue, and it may not.
    Unsettled {
        why: String,
    },
}

const OLDER: &str = "an older version of this program sent these jobs; once they are gone from the queue, move \
                     the file away";

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Line {
    schema_rev: u32,
    /// RFC 3339 UTC.
    at: String,
    number: u32,
    #[serde(flatten)]
    what: What,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum What {
    Begun {
        begun: Submission,
    },
    Sending {
        sending: String,
        script: String,
        work: Work,
    },
    Fate {
        job: String,
        #[serde(flatten)]
        fate: Fate,
    },
}

/// Which run has which number, as 16 hex digits: what was sent names runs by their number.
pub fn plan_fingerprint<'a>(runs: impl IntoIterator<Item = (usize, &'a str)>) -> String {
    let mut hash = blake3::Hasher::new();
    for (index, key) in runs {
        hash.update(format!("{index} {key}\n").as_bytes());
    }
    hash.finalize().to_hex()[..16].to_owned()
}

impl Submission {
    /// With nothing sent yet.
    pub fn new(engine: &str, number: u32, plan: String, argv: Vec<String>) -> Self {
        Submission { engine: engine.to_owned(), plan, argv, number, jobs: vec![] }
    }
}

impl SweepDir {
    /// The first line of a submission.
    pub fn begin_submission(&self, submission: &Submission) -> Result<(), TrackError> {
        self.add(submission.number, What::Begun { begun: submission.clone() })
    }

    /// Before it is sent: what is not on the disk nobody would look for.
    pub fn record_sending(
        &self,
        number: u32,
        name: &str,
        script: &str,
        work: &Work,
    ) -> Result<(), TrackError> {
        let (sending, script) = (name.to_owned(), script.to_owned());
        self.add(number, What::Sending { sending, script, work: work.clone() })
    }

    /// Once it is known, or known better.
    pub fn record_fate(&self, number: u32, name: &str, fate: &Fate) -> Result<(), TrackError> {
        self.add(number, What::Fate { job: name.to_owned(), fate: fate.clone() })
    }

    /// Adds a line, and returns once it is on the disk.
    fn add(&self, number: u32, what: What) -> Result<(), TrackError> {
        let line = Line { schema_rev: SCHEMA_REV, at: time::rfc3339(time::now_us()), number, what };
        JsonLines::open(&self.submissions())?.append(&line)
    }

    /// In order, and what was wrong with lines that are none. A torn last line is none.
    ///
    /// # Errors
    /// `TooNew` where a later version wrote one: it may know of jobs that this one would send again.
    pub fn read_submissions(&self) -> Result<(Vec<Submission>, Vec<String>), TrackError> {
        let path = self.submissions();
        let (lines, mut bad) = jsonl::read_numbered::<serde_json::Value>(&path)?;
        let mut submissions = Vec::new();
        for (number, line) in lines {
            if let Some(found) = line.get("schema_rev").and_then(serde_json::Value::as_u64) {
                check_schema_rev(&path, Some(found))?;
            }
            let is_older = line.get("arrays").is_some();
            let read = serde_json::from_value::<Line>(line).map_err(|error| match is_older {
                true => OLDER.to_owned(),
                false => error.to_string(),
            });
            if let Err(error) = read.and_then(|line| line.tell(&mut submissions)) {
                bad.push(format!("line {number}: {error}"));
            }
        }
        Ok((submissions, bad))
    }

    /// Jobs of one submission have this in their names, and no others.
    pub fn submission_token(&self) -> String {
        let path = std::path::absolute(self.path()).unwrap_or_else(|_| self.path().to_owned());
        let (now, pid, host) = (time::now_us(), std::process::id(), host_name());
        let text = format!("{} {now} {pid} {host}", path.display());
        blake3::hash(text.as_bytes()).to_hex()[..8].to_owned()
    }

    /// The number of what is sent next: a number is given once.
    pub fn next_exec(&self) -> Result<u32, TrackError> {
        let all = self.exec_root();
        let entries = match fs::read_dir(&all) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(1),
            Err(error) => return Err(TrackError::read(&all)(error)),
        };
        let mut last: u32 = 0;
        for entry in entries {
            let name = entry.map_err(TrackError::read(&all))?.file_name();
            last = last.max(name.to_str().and_then(|name| name.parse().ok()).unwrap_or(0));
        }
        Ok(last.saturating_add(1))
    }

    /// Makes a folder for what is sent under that number.
    pub fn make_exec(&self, number: u32) -> Result<(), TrackError> {
        durable::create_dir(&self.exec_root())?;
        let folder = self.exec(number);
        fs::create_dir(&folder).map_err(TrackError::write(&folder))?;
        durable::sync_parent(&folder)
    }

    /// Keeps what is sent, where nothing of that name may be yet.
    pub fn keep_script(&self, number: u32, name: &str, text: &str) -> Result<PathBuf, TrackError> {
        let path = self.exec(number).join(name);
        durable::create(&path, text.as_bytes())?;
        Ok(path)
    }
}

impl Line {
    /// Adds what it says to what the lines before it said.
    fn tell(self, submissions: &mut Vec<Submission>) -> Result<(), String> {
        let number = self.number;
        if let What::Begun { begun } = self.what {
            submissions.push(Submission { number, ..begun });
            return Ok(());
        }
        let of_number = submissions.iter_mut().rev().find(|it| it.number == number);
        let submission = of_number.ok_or(format!("submission {number} was never begun"))?;
        match self.what {
            What::Begun { .. } => {}
            What::Sending { sending, script, work } => {
                let why = "no answer is noted".to_owned();
                let fate = Fate::Unsettled { why };
                let job = SubmittedJob { name: sending, script, work, at: self.at, fate };
                submission.jobs.push(job);
            }
            What::Fate { job, fate } => {
                let found = submission.jobs.iter_mut().find(|it| it.name == job);
                found.ok_or(format!("submission {number} has no job {job:?}"))?.fate = fate;
            }
        }
        Ok(())
    }
}

impl SubmittedJob {
    /// Of a job that the engine took.
    pub fn job_id(&self) -> Option<u64> {
        match self.fate {
            Fate::Sent { job_id } => Some(job_id),
            Fate::Refused { .. } | Fate::Unsettled { .. } => None,
        }
    }

    pub fn runs(&self) -> Option<&SubmittedArray> {
        match &self.work {
            Work::Runs(array) => Some(array),
            Work::Report => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Store;
    use crate::fsck::{Fsck, Level};
    use crate::garbage::Pile;

    fn submission(number: u32) -> Submission {
        let argv = vec!["cyclelab".into(), "submit".into()];
        Submission::new("slurm", number, plan_fingerprint([(0, "3f9c")]), argv)
    }

    fn runs() -> Work {
        Work::Runs(SubmittedArray {
            offset: 0,
            indices: "0-5,9".into(),
            class: 0,
            throttle: Some(3),
            packed: vec![],
        })
    }

    fn send(store: &Store, number: u32, name: &str, work: &Work, fate: Option<Fate>) {
        store.sweep.record_sending(number, name, "x.sbatch", work).unwrap();
        if let Some(fate) = fate {
            store.sweep.record_fate(number, name, &fate).unwrap();
        }
    }

    #[test]
    fn what_was_sent_is_read_back() {
        let store = Store::new();
        assert_eq!(store.sweep.read_submissions().unwrap(), (vec![], vec![]));
        store.sweep.begin_submission(&submission(1)).unwrap();
        send(&store, 1, "a", &runs(), Some(Fate::Sent { job_id: 17 }));
        send(&store, 1, "b", &runs(), Some(Fate::Refused { why: "full".into() }));
        send(&store, 1, "c", &Work::Report, None);
        store.sweep.begin_submission(&submission(2)).unwrap();
        let (found, bad) = store.sweep.read_submissions().unwrap();
        assert_eq!(bad, [""; 0]);
        assert_eq!(found.iter().map(|it| it.number).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(found[1], submission(2));
        let [a, b, c] = &found[0].jobs[..] else { panic!("{found:?}") };
        assert_eq!((a.job_id(), a.work.clone()), (Some(17), runs()));
        assert_eq!(b.fate, Fate::Refused { why: "full".into() });
        assert!(matches!(c.fate, Fate::Unsettled { .. }) && c.runs().is_none());

        // What is found out later counts.
        store.sweep.record_fate(1, "c", &Fate::Sent { job_id: 19 }).unwrap();
        let (found, _) = store.sweep.read_submissions().unwrap();
        assert_eq!(found[0].jobs[2].job_id(), Some(19));
    }

    /// Cut after any byte: nothing that was sent before is forgotten, and what was being sent is in doubt.
    #[test]
    fn a_log_cut_anywhere_forgets_no_job() {
        let store = Store::new();
        store.sweep.begin_submission(&submission(1)).unwrap();
        send(&store, 1, "a", &runs(), Some(Fate::Sent { job_id: 17 }));
        send(&store, 1, "b", &runs(), Some(Fate::Sent { job_id: 18 }));
        let whole = fs::read(store.sweep.submissions()).unwrap();
        for cut in 0..=whole.len() {
            fs::write(store.sweep.submissions(), &whole[..cut]).unwrap();
            let (found, bad) = store.sweep.read_submissions().unwrap();
            assert_eq!(bad, [""; 0], "cut at {cut}");
            let lines = whole[..cut].iter().filter(|&&byte| byte == b'\n').count();
            let ids: Vec<_> =
                found.iter().flat_map(|it| &it.jobs).map(SubmittedJob::job_id).collect();
            let expected: &[Option<u64>] = match lines {
                0 | 1 => &[],
                2 => &[None],
                3 => &[Some(17)],
                4 => &[Some(17), None],
                _ => &[Some(17), Some(18)],
            };
            assert_eq!(ids, expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_bad_line_is_named() {
        let store = Store::new();
        store.sweep.begin_submission(&submission(1)).unwrap();
        let whole = fs::read(store.sweep.submissions()).unwrap();
        let with = |rest: &str| [&whole, rest.as_bytes()].concat();
        let check = |rest: &str, words: &[&str]| {
            fs::write(store.sweep.submissions(), with(rest)).unwrap();
            let (found, bad) = store.sweep.read_submissions().unwrap();
            assert_eq!((found.len(), bad.len()), (1, words.len()), "{bad:?}");
            assert!(bad.iter().all(|it| words.iter().any(|word| it.contains(word))), "{bad:?}");
        };
        check("{\"schema_rev\":1}\n{\n", &["line 3", "missing field"]);
        let fate = "{\"schema_rev\":1,\"at\":\"\",\"number\":NUMBER,\"job\":\"x\",\"event\":\"sent\",\"job_id\":1}\n";
        check("{\"schema_rev\":1,\"at\":\"\",\"arrays\":[]}\n", &["line 2: an older version"]);
        check(&fate.replace("NUMBER", "1"), &["line 2: submission 1 has no job \"x\""]);
        check(&fate.replace("NUMBER", "7"), &["never begun"]);
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
    fn names_are_given_once() {
        let store = Store::new();
        let token = || store.sweep.submission_token();
        let (one, other) = (token(), token());
        assert!(one.len() == 8 && one != other, "{one} {other}");
    }

    #[test]
    fn folders_are_given_once() {
        let store = Store::new();
        let next = || {
            let number = store.sweep.next_exec().unwrap();
            store.sweep.make_exec(number).unwrap();
            number
        };
        assert_eq!([1, 2].map(|_| next()), [1, 2]);
        fs::remove_dir(store.sweep.exec(1)).unwrap();
        fs::write(store.sweep.exec(3), "a file").unwrap();
        assert_eq!(next(), 4);
        assert!(store.sweep.make_exec(4).is_err());
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
        let number = store.sweep.next_exec().unwrap();
        store.sweep.make_exec(number).unwrap();
        let script = store.sweep.keep_script(number, "array.sbatch", "exec true\n").unwrap();
        store.sweep.begin_submission(&submission(number)).unwrap();
        send(&store, number, "a", &runs(), Some(Fate::Sent { job_id: 17 }));
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

        // A line that is not understood may be all that is known of a job: it stays, and is told.
        let mut damaged = fs::read(store.sweep.submissions()).unwrap();
        damaged.extend(b"{\"schema_rev\":1,\"number\":1}\n");
        fs::write(store.sweep.submissions(), &damaged).unwrap();
        let found = about("submissions");
        assert!(found[0].what.contains("line 4") && found[0].level == Level::Damaged, "{found:?}");
        assert_eq!(fs::read(store.sweep.submissions()).unwrap(), damaged);
    }
}
