//! One job file for HyperQueue.

use anyhow::Context;
use cluster::Indices;
use cluster::hq::JobFile;
use runner::sweep::enlist;
use spec::Hq;
use track::SubmittedArray;

use super::{Sending, absolute, print_jobs};
use crate::exit::Exit;
use crate::terminal::plural;

const JOB_FILE: &str = "plan.toml";

pub(super) fn send(sending: &Sending<'_>, hq: &Hq) -> anyhow::Result<Exit> {
    let prepared = &sending.begun.prepared;
    mind_what_was_sent(sending)?;
    let (_claim, _events) = enlist(prepared, &sending.begun.toml, &sending.begun.invocation)?;
    let number = prepared.sweep.new_exec()?;
    let folder = absolute(&prepared.sweep.exec(number))?;
    let indices: Indices = sending.to_send.iter().copied().collect();
    let job_file = JobFile {
        job_name: &prepared.plan.name,
        folder: &folder,
        hq,
        max_fails: prepared.plan.limits.max_failures,
        indices: &indices,
        command: &sending.command,
    };
    let text = job_file.text()?;
    let path = prepared.sweep.keep_script(number, JOB_FILE, &text)?;
    if sending.args.dry_run {
        tell!("# {}\n{text}", path.display());
        say!("nothing was sent");
        return Ok(Exit::Done);
    }
    let job_id = cluster::hq::submit(&path).context("nothing was sent")?;
    let mut submission = sending.submission("hq", number);
    submission.arrays.push(SubmittedArray {
        job_id,
        offset: 0,
        indices: indices.to_string(),
        class: 0,
        script: JOB_FILE.to_string(),
        throttle: None,
        packed: Vec::new(),
    });
    sending.record(&submission)?;
    print_jobs(&submission);
    say!("follow it: hq job progress {job_id}; then: cyclelab report {}", prepared.plan.name);
    Ok(Exit::Done)
}

/// HyperQueue is not asked what it still has to do, so a second job needs the user's word.
fn mind_what_was_sent(sending: &Sending<'_>) -> anyhow::Result<()> {
    let (submissions, _) = sending.begun.prepared.sweep.read_submissions()?;
    let sent = submissions.iter().filter(|it| it.engine == "hq").flat_map(|it| &it.arrays);
    let jobs: Vec<String> = sent.map(|it| it.job_id.to_string()).collect();
    if !jobs.is_empty() && !sending.args.resume && !sending.args.dry_run {
        anyhow::bail!(
            "{} of `{}` sent to HyperQueue before ({}); once `hq job list` has them no more, `--resume` sends what \
             is unfinished",
            plural(jobs.len(), "job"),
            sending.begun.prepared.plan.name,
            jobs.join(", ")
        );
    }
    Ok(())
}
