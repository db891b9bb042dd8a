//! One job file for HyperQueue.

use cluster::Indices;
use cluster::hq::JobFile;
use spec::Hq;
use track::{Fate, Submission, SubmittedArray, SubmittedJob, SweepClaim, Work};

use super::sender::{Outgoing, Sender};
use super::{Sending, absolute, print_jobs};
use crate::exit::Exit;
use crate::terminal::plural;

const JOB_FILE: &str = "plan.toml";

pub(super) fn send(sending: &Sending<'_>, claim: &mut SweepClaim, hq: &Hq) -> anyhow::Result<Exit> {
    let prepared = &sending.begun.prepared;
    mind_what_was_sent(sending)?;
    let number = prepared.sweep.next_exec()?;
    let folder = absolute(&prepared.sweep.exec(number))?;
    let indices: Indices = sending.to_send.iter().copied().collect();
    let job_name = format!("{}.{number}.{}", sending.name(), prepared.sweep.submission_token());
    let job_file = JobFile {
        job_name: &job_name,
        folder: &folder,
        hq,
        max_fails: prepared.plan.limits.max_failures,
        indices: &indices,
        command: &sending.command,
    };
    let text = job_file.text()?;
    sending.enlist(claim)?;
    prepared.sweep.make_exec(number)?;
    let path = prepared.sweep.keep_script(number, JOB_FILE, &text)?;
    if sending.args.dry_run {
        tell!("# {}\n{text}", path.display());
        say!("nothing was sent");
        return Ok(Exit::Done);
    }
    let work = Work::Runs(SubmittedArray {
        offset: 0,
        indices: indices.to_string(),
        class: 0,
        throttle: None,
        packed: Vec::new(),
    });
    let mut sender = Sender::begin(sending, claim, "hq", number)?;
    let job = Outgoing { name: &job_name, script: JOB_FILE, work };
    let job_id = sender.send(job, || cluster::hq::submit(&path), |_| None)?;
    print_jobs(sender.jobs());
    say!("follow it: hq job progress {job_id}; then: cyclelab report {}", sending.name());
    Ok(Exit::Done)
}

/// HyperQueue is not asked what it still has to do, so a second job needs the user's word.
fn mind_what_was_sent(sending: &Sending<'_>) -> anyhow::Result<()> {
    let prepared = &sending.begun.prepared;
    let (submissions, _) = prepared.sweep.read_submissions()?;
    let to_hq: Vec<&Submission> = submissions.iter().filter(|it| it.engine == "hq").collect();
    let jobs: Vec<String> = to_hq.iter().flat_map(|it| &it.jobs).filter_map(in_words).collect();
    if jobs.is_empty() || sending.args.dry_run {
        return Ok(());
    }
    if !sending.args.resume {
        anyhow::bail!(
            "{} of `{}` sent to HyperQueue before ({}); once `hq job list` has them no more, `--resume` sends what \
             is unfinished",
            plural(jobs.len(), "job"),
            sending.name(),
            jobs.join(", ")
        );
    }
    if to_hq.iter().any(|it| it.plan != prepared.fingerprint()) {
        say!(
            "note: the plan has changed since jobs were sent to HyperQueue; those that wait will do nothing"
        );
    }
    Ok(())
}

/// One that was refused is none.
fn in_words(job: &SubmittedJob) -> Option<String> {
    match &job.fate {
        Fate::Sent { job_id } => Some(job_id.to_string()),
        Fate::Unsettled { .. } => Some(format!("`{}`, if it was taken", job.name)),
        Fate::Refused { .. } => None,
    }
}
