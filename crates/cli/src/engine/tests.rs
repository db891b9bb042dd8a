//! A sweep of three runs that were sent, and a queue that says what it is told to.

use cluster::slurm::{parse_sacct, parse_squeue};
use serde_json::Value;
use tempfile::TempDir;
use track::{
    Event, PlanEntry, RunDir, RunEvents, Submission, SubmittedArray, Work, read_run_status,
};

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

    /// As submission `number`, with a job `a<number>`.
    fn send(&self, number: u32, indices: &str, packed: &[&str], plan: &str, fate: Option<Fate>) {
        let submission = Submission::new("slurm", number, plan.to_string(), vec![]);
        self.sweep.begin_submission(&submission).unwrap();
        let work = Work::Runs(SubmittedArray {
            offset: 0,
            indices: indices.to_string(),
            class: 0,
            throttle: None,
            packed: packed.iter().map(ToString::to_string).collect(),
        });
        self.add(number, &format!("a{number}"), &work, fate);
    }

    fn add(&self, number: u32, name: &str, work: &Work, fate: Option<Fate>) {
        self.sweep.record_sending(number, name, "x.sbatch", work).unwrap();
        if let Some(fate) = fate {
            self.sweep.record_fate(number, name, &fate).unwrap();
        }
    }

    fn plan(&self) -> String {
        plan_fingerprint((0..3).map(|index| (index, KEYS[index])))
    }

    /// As if Slurm had just said so.
    fn view(&self, squeue: &str, sacct: &str) -> View {
        let names = Sent::read(&self.sweep).names().map(String::from).collect();
        let heard = Heard {
            at: Instant::now(),
            names,
            queue: Ok(parse_squeue(squeue).unwrap()),
            accounting: Some(parse_sacct(sacct)),
        };
        let client = Client::new([]);
        Engine { client, heard: Some(heard) }.view_of(&self.sweep, &self.runs())
    }
}

fn taken(job_id: u64) -> Option<Fate> {
    Some(Fate::Sent { job_id })
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
    lab.send(1, "0-2", &[], &lab.plan(), taken(7));
    lab.happens(0, &started());
    lab.happens(0, &Event::Completed { step: 1, active_s: 1.0 });
    lab.happens(2, &started());
    lab.happens(2, &Event::Interrupted { step: 1 });
    let queue = "a1|7|7|2|PENDING|BeginTime|N/A|\na1|8|7|1|RUNNING|None|N/A|n0\n\
                 a1|9|7|0|COMPLETED|None|N/A|n0\n";
    let view = lab.view(queue, "");
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
    lab.send(1, "0-2", &[], &lab.plan(), taken(7));
    lab.happens(0, &started());
    // Of a job of long ago that had the same number nothing is taken.
    let account = "7_0|OUT_OF_MEMORY|0:125|n1|a1\n7_1|FAILED|1:0|n1|a stranger's\n";
    let view = lab.view("a1|7|7|2|NODE_FAIL|None|N/A|n1\n", account);
    assert_eq!(words(&view)[0], "lost; Slurm: OUT_OF_MEMORY (0:125) on n1 (7_0)");
    assert_eq!(
        words(&view)[1..],
        ["unsent (7_1)", "ended before it began; Slurm: NODE_FAIL (7_2)"]
    );
    assert!(view.live.is_empty() && view.runs[&0].standing.is_open());
}

#[test]
fn the_newest_job_counts_unless_an_older_one_lives() {
    let lab = Lab::new();
    lab.send(1, "0-2", &[], &lab.plan(), taken(7));
    lab.send(2, "0,2", &["0,2"], &lab.plan(), taken(9));
    let queue = "a2|10|9|0|RUNNING|None|N/A|n0\na1|7|7|1,2|PENDING|Priority|N/A|\n";
    let view = lab.view(queue, "");
    let expected = ["starting on n0 (9_0)", "queued: Priority (7_1)", "starting on n0 (9_0)"];
    assert_eq!(words(&view), expected);
    assert_eq!(view.arrays, [(7, 1), (9, 2)].into());
}

#[test]
fn jobs_of_another_plan_are_told_and_not_taken_for_these_runs() {
    let lab = Lab::new();
    lab.send(1, "0-2", &[], "of before", taken(7));
    let view = lab.view("a1|7|7|0-2|PENDING|Priority|N/A|\n", "");
    assert_eq!(view.of_other_plan, [7]);
    assert!(view.notes().any(|note| note.contains("the plan has changed")));
    assert_eq!(words(&view)[0], "unsent");
    assert_eq!(view.live, ["7_[0-2]"]);
    assert!(lab.view("", "").of_other_plan.is_empty(), "they are gone");
}

#[test]
fn jobs_of_another_plan_may_wait_in_a_queue_that_does_not_answer() {
    let lab = Lab::new();
    lab.send(1, "0-2", &[], "of before", taken(7));
    lab.send(2, "0-2", &[], &lab.plan(), taken(8));
    lab.add(2, "report", &Work::Report, taken(9));
    let perhaps = |is_absent| {
        let queue = Err(Unheard { why: "`squeue` said nothing for 60 s".into(), is_absent });
        let names = Sent::read(&lab.sweep).names().map(String::from).collect();
        let heard = Some(Heard { at: Instant::now(), names, queue, accounting: None });
        let view = Engine { client: Client::new([]), heard }.view_of(&lab.sweep, &lab.runs());
        assert!(view.trouble.is_some_and(|it| it.contains("said nothing")));
        view.perhaps_of_other_plan
    };
    assert_eq!(perhaps(false), ["a1"]);
    assert_eq!(perhaps(true), [""; 0], "a machine without Slurm has no queue");
}

/// A job whose answer was lost is looked for by its name.
#[test]
fn a_doubtful_job_is_found_or_not() {
    let lab = Lab::new();
    lab.send(1, "0-2", &[], &lab.plan(), None);
    let found = |queue: &str, account: &str| {
        let view = lab.view(queue, account);
        (view.doubtful[0].found, words(&view)[1].clone())
    };
    let lives = found("a1|7|7|0-2|PENDING|Priority|N/A|\n", "");
    assert_eq!(lives, (Finding::Taken(7), "queued: Priority (7_1)".into()));
    let over = found("a1|7|7|1|FAILED|NonZeroExitCode|N/A|n0\n", "");
    assert_eq!(over, (Finding::Taken(7), "ended before it began; Slurm: FAILED (7_1)".into()));
    assert_eq!(found("", "7_1|FAILED|78:0|n0|a1\n").0, Finding::Taken(7));
    assert_eq!(found("", "7_1|FAILED|78:0|n0|another\n").0, Finding::Nothing);
    let lost = lab.view("", "");
    assert_eq!(words(&lost)[1], "in doubt (a1, task 1)");
    assert!(!lost.runs[&1].standing.is_open(), "nothing is sent before it is known");
    let notes: Vec<String> = lab.view("", "").notes().collect();
    assert!(notes[0].contains("job `a1`") && notes[0].contains("nothing of it yet"), "{notes:?}");

    // Long ago, nothing is an answer too.
    let text = std::fs::read_to_string(lab.sweep.submissions()).unwrap();
    let old = text.replace(&track::time::rfc3339(track::time::now_us())[..4], "2020");
    std::fs::write(lab.sweep.submissions(), old).unwrap();
    assert_eq!(found("", "").0, Finding::Absent);
    lab.sweep.record_fate(1, "a1", &Fate::Refused { why: "nothing of it".into() }).unwrap();
    assert!(lab.view("", "").doubtful.is_empty(), "settled");
}

#[test]
fn days_are_counted_with_one_to_spare() {
    let ago = |hours: i64| track::time::rfc3339(track::time::now_us() - hours * 3_600_000_000);
    for (hours, days) in [(0, 2), (23, 2), (25, 3), (24 * 400, 61)] {
        assert_eq!(days_since(&ago(hours)), days, "{hours} h");
    }
}

#[test]
fn reports_in_the_queue_are_known() {
    let lab = Lab::new();
    lab.send(1, "0-2", &[], &lab.plan(), taken(7));
    lab.add(1, "r1", &Work::Report, taken(8));
    let view = lab.view("r1|8|8|N/A|PENDING|Dependency|N/A|\n", "");
    let report = &view.reports[0];
    assert_eq!((report.job, report.submission, report.waits), (8, 1, true));
    assert!(view.live.is_empty() && view.arrays.is_empty(), "it trains nothing");
}

/// A sweep that is done is not asked about: that is no answer.
#[test]
fn what_was_not_asked_is_not_known() {
    let lab = Lab::new();
    lab.send(1, "0-2", &[], &lab.plan(), None);
    let names = vec!["another sweep's".to_string()];
    let heard = Heard { at: Instant::now(), names, queue: Ok(vec![]), accounting: None };
    let engine = Engine { client: Client::new([]), heard: Some(heard) };
    let view = engine.view(&Sent::read(&lab.sweep), &lab.runs());
    assert!(view.doubtful.is_empty() && view.runs.is_empty() && view.heard.is_none());
}

#[test]
fn without_a_queue_the_folders_remain() {
    let lab = Lab::new();
    lab.send(1, "0-2", &[], &lab.plan(), taken(7));
    // No PATH: there is no squeue.
    let mut engine =
        Engine { client: Client::new([("PATH".into(), "/nonexistent".into())]), heard: None };
    let view = engine.view_of(&lab.sweep, &lab.runs());
    assert!(view.runs.is_empty());
    assert_eq!(view.notes().count(), 1, "{:?}", view.trouble);
    assert!(view.trouble.is_some_and(|it| it.contains("`squeue`")));
}
