//! Answers that are lost, and two who send at once: no run is sent twice, and no job forgotten.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{SUBMIT, alone, calls, cluster, say, submit};
use crate::lab::{Lab, tiny};

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "not yet: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn events(lab: &Lab) -> Vec<String> {
    let text = std::fs::read_to_string(lab.path("runs/tiny/submissions.jsonl")).expect("a log");
    let event = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let event = line["event"].as_str().map(str::to_string);
        event.unwrap_or_else(|| line.get("begun").map_or("sending", |_| "begun").to_string())
    };
    text.lines().map(event).collect()
}

/// A `submit` that is held up in `sbatch`, and killed there.
fn killed_while_sending(lab: &Lab, meanwhile: impl FnOnce()) {
    lab.write("hold", "");
    let before = calls(lab).len();
    let mut command = alone(lab, &[&SUBMIT[..], &["--no-report"]].concat());
    let mut first = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    until("it sends", || calls(lab).len() > before);
    meanwhile();
    first.kill().expect("it lives");
    first.wait().expect("it is gone");
    std::fs::remove_file(lab.path("hold")).expect("a file");
}

#[test]
fn of_two_at_once_one_sends() {
    let lab = Lab::new();
    cluster(&lab);
    lab.write("tiny.toml", &tiny(10));
    killed_while_sending(&lab, || {
        for more in [&[][..], &["--resume"], &["--dry-run"]] {
            let second = submit(&lab, more);
            assert_eq!(second.code, Some(75), "{more:?}: {}", second.stderr);
            assert!(second.stderr.contains("is at work"), "{more:?}: {}", second.stderr);
        }
        let sweep = say(alone(&lab, &["sweep", "tiny.toml"]));
        assert_eq!(sweep.code, Some(75), "{}", sweep.stderr);
    });
    assert_eq!(calls(&lab).len(), 1);
}

#[test]
fn a_job_of_a_killed_submit_is_found_by_its_name() {
    let lab = Lab::new();
    cluster(&lab);
    lab.write("tiny.toml", &tiny(10));
    killed_while_sending(&lab, || {});
    assert_eq!(events(&lab), ["begun", "sending"]);

    // Its claim is gone with it. But whether it has sent the job nobody can say yet.
    let refused = submit(&lab, &["--resume"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert!(refused.stderr.contains("Slurm knows nothing of it yet"), "{}", refused.stderr);
    let status = say(alone(&lab, &["status", "tiny"]));
    assert!(status.stderr.contains("job `tiny.1.1."), "{}", status.stderr);
    assert_eq!(calls(&lab).len(), 1, "nothing is sent before that is known");

    lab.write("queue", "1|1|0-3|PENDING|Priority|N/A|\n");
    let status = say(alone(&lab, &["status", "tiny"]));
    assert!(status.stdout.contains("queued: Priority (1_2)"), "{}", status.stdout);
    let settled = submit(&lab, &["--resume"]);
    assert_eq!(settled.code, Some(0), "{}", settled.stderr);
    assert!(settled.stderr.contains("Slurm has it as 1"), "{}", settled.stderr);
    let calls = calls(&lab);
    assert!(calls.len() == 2 && calls[1].contains("afterany:1 "), "the report alone: {calls:?}");
    assert_eq!(events(&lab)[2..], ["sent", "begun", "sending", "sent"]);
}

#[test]
fn a_job_that_never_came_is_sent_again() {
    let lab = Lab::new();
    cluster(&lab);
    lab.write("tiny.toml", &tiny(10));
    killed_while_sending(&lab, || {});
    // As if that had been long ago.
    let log = lab.path("runs/tiny/submissions.jsonl");
    let text = std::fs::read_to_string(&log).expect("a log");
    let lines = text.lines().map(|line| {
        let mut line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        line["at"] = "2020-01-01T00:00:00.000000Z".into();
        format!("{line}\n")
    });
    std::fs::write(&log, lines.collect::<String>()).expect("a log");
    let again = submit(&lab, &["--no-report"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(again.stderr.contains("it was not sent"), "{}", again.stderr);
    assert!(again.stdout.contains("job 2: runs 0-3"), "{}", again.stdout);
    assert_eq!(events(&lab)[2..], ["refused", "begun", "sending", "sent"]);
}

/// Slurm's own words for a request whose answer did not come.
#[test]
fn no_answer_is_no_refusal() {
    let lost = "echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2\n\
                exit 1\n";
    let lab = Lab::new();
    cluster(&lab);
    lab.write("tiny.toml", &tiny(10));
    lab.write("answer", lost);
    lab.write("queue", "1|1|0-3|PENDING|Priority|N/A|\n");
    let found = submit(&lab, &["--no-report"]);
    assert_eq!(found.code, Some(0), "{}", found.stderr);
    assert!(found.stderr.contains("the queue has the job all the same"), "{}", found.stderr);
    assert!(found.stdout.contains("job 1: runs 0-3"), "{}", found.stdout);

    let lab = Lab::new();
    cluster(&lab);
    lab.write("tiny.toml", &tiny(10));
    lab.write("answer", lost);
    let lost = submit(&lab, &["--no-report"]);
    assert_eq!(lost.code, Some(1), "{}", lost.stderr);
    assert!(lost.stderr.contains("it is not known whether job `tiny.1.1."), "{}", lost.stderr);
    assert!(lost.stderr.contains("Socket timed out"), "{}", lost.stderr);
    assert!(!lost.stderr.contains("nothing was sent"), "{}", lost.stderr);
    assert_eq!(events(&lab), ["begun", "sending", "unsettled"]);
    std::fs::remove_file(lab.path("answer")).expect("a file");
    assert_eq!(submit(&lab, &["--resume"]).code, Some(1), "nor again without a look");
    assert_eq!(calls(&lab).len(), 1);
}
