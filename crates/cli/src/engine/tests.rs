//! A sweep of three runs that were sent, and a queue that says what it is told to.

use cluster::slurm::{parse_sacct, parse_squeue};
use serde_json::Value;
use tempfile::TempDir;
use track::{Event, PlanEntry, RunEvents, Submission, SubmittedArray, read_run_status};

use super::*;

struct Lab {
    sweep: SweepDir,
    root: TempDir,
}

impl Lab {
    fn new() -> Lab {
        let root = tempfile::tempdir().unwrap();
        let sweep = SweepDir::create_or_open(root.path(), "lambda").unwrap();
        Lab { sweep, root }
    }

    fn runs(&self) -> Vec<RunRecord> {
        (0..3).map(|index| read_run_status(self.root.path(), &entry(index))).collect()
    }

    fn happens(&self, index: usize, event: &Event) {
        let run = RunDir::new(self.root.path().join(entry(index).folder));
        RunEvents::open(&run.events()).unwrap().append(event).unwrap();
    }

    fn send(&self, job_id: u64, indices: &str, packed: &[&str], plan: &str) {
        let mut submission = Submission::new("slurm", 1, plan.to_string(), vec![]);
        submission.arrays.push(SubmittedArray {
            job_id,
            offset: 0,
            indices: indices.to_string(),
            class: 0,
            script: "array.sbatch".into(),
            throttle: None,
            packed: packed.iter().map(ToString::to_string).collect(),
        });
        self.sweep.record_submission(&submission).unwrap();
    }

    fn plan(&self) -> String {
        plan_fingerprint((0..3).map(|index| (index, KEYS[index])))
    }

    /// As if Slurm had just said so.
    fn view(&self, jobs: &[u64], squeue: &str, sacct: &str) -> View {
        let heard = Heard {
            at: Instant::now(),
            jobs: jobs.to_vec(),
            queue: Ok(parse_squeue(squeue).unwrap()),
            accounting: Some(parse_sacct(sacct)),
        };
        let client = Client::new([]);
        Engine { client, heard: Some(heard) }.view_of(&self.sweep, &self.runs())
    }
}

const KEYS: [&str; 3] = ["00000000aaaaaaaa", "11111111bbbbbbbb", "22222222cccccccc"];

fn entry(index: usize) -> PlanEntry {
    PlanEntry {
        index,
        point_id: "p".into(),
        key: KEYS[index].into(),
        cell: 0,
        seed: index as u64,
        label: "x".into(),
        folder: format!("lambda/x-s{index}-{}", &KEYS[index][..8]),
        config: Value::Null,
        origins: BTreeMap::new(),
    }
}

fn started() -> Event {
    let (device, host) = ("cpu".into(), "n0".into());
    Event::Started { attempt: 1, device, pid: 1, host, code: "c".into(), argv: vec![] }
}

fn words(view: &View) -> Vec<String> {
    view.runs.values().map(EngineRun::words).collect()
}

#[test]
fn what_folders_and_queue_say_together() {
    let lab = Lab::new();
    lab.send(7, "0-2", &[], &lab.plan());
    lab.happens(0, &started());
    lab.happens(0, &Event::Completed { step: 1, active_s: 1.0 });
    lab.happens(2, &started());
    lab.happens(2, &Event::Interrupted { step: 1 });
    let queue = "7|7|2|PENDING|BeginTime|N/A|\n8|7|1|RUNNING|None|N/A|n0\n";
    let view = lab.view(&[7], queue, "");
    let expected = ["ended (7_0)", "starting on n0 (7_1)", "requeued: BeginTime (7_2)"];
    assert_eq!(words(&view), expected);
    assert_eq!(view.summary(), "1 ended, 1 requeued, 1 starting");
    assert_eq!(view.live, ["7_[2]", "7_[1]"]);
    let json = view.runs[&2].json();
    assert_eq!((&json["standing"], &json["state"]), (&"requeued".into(), &"PENDING".into()));
    assert_eq!((&json["job"], &json["resumable"]), (&"7_2".into(), &false.into()));
}

#[test]
fn what_became_of_jobs_that_are_gone() {
    let lab = Lab::new();
    lab.send(7, "0-2", &[], &lab.plan());
    lab.happens(0, &started());
    let view = lab.view(&[7], "", "7_0|OUT_OF_MEMORY|0:125|n1\n");
    assert_eq!(words(&view)[0], "lost; Slurm: OUT_OF_MEMORY (0:125) on n1 (7_0)");
    assert_eq!(words(&view)[1], "unsent (7_1)");
    assert!(view.live.is_empty() && view.runs[&0].standing.is_open());
}

#[test]
fn the_newest_job_counts_unless_an_older_one_lives() {
    let lab = Lab::new();
    lab.send(7, "0-2", &[], &lab.plan());
    lab.send(9, "0,2", &["0,2"], &lab.plan());
    let view = lab.view(&[7, 9], "10|9|0|RUNNING|None|N/A|n0\n7|7|1,2|PENDING|Priority|N/A|\n", "");
    let expected = ["starting on n0 (9_0)", "queued: Priority (7_1)", "starting on n0 (9_0)"];
    assert_eq!(words(&view), expected);
}

#[test]
fn jobs_of_another_plan_are_told_and_not_taken_for_these_runs() {
    let lab = Lab::new();
    lab.send(7, "0-2", &[], "of before");
    let view = lab.view(&[7], "7|7|0-2|PENDING|Priority|N/A|\n", "");
    assert!(view.other_plan && view.notes().any(|note| note.contains("the plan has changed")));
    assert_eq!(words(&view)[0], "unsent");
    assert_eq!(view.live, ["7_[0-2]"]);
    assert!(!lab.view(&[7], "", "").other_plan, "they are gone");
}

#[test]
fn without_a_queue_the_folders_remain() {
    let lab = Lab::new();
    lab.send(7, "0-2", &[], &lab.plan());
    // No PATH: there is no squeue.
    let mut engine =
        Engine { client: Client::new([("PATH".into(), "/nonexistent".into())]), heard: None };
    let view = engine.view_of(&lab.sweep, &lab.runs());
    assert!(view.runs.is_empty());
    assert_eq!(view.notes().count(), 1, "{:?}", view.trouble);
    assert!(view.trouble.is_some_and(|it| it.contains("`squeue`")));
}
