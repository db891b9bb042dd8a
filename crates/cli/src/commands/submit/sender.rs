//! Sends jobs one after another, each noted before and after.

use anyhow::Context;
use cluster::Reply;
use track::{Fate, Submission, SubmittedJob, SweepClaim, SweepDir, Work, time};

use super::{Sending, print_jobs};

/// A job that is to be sent.
pub(super) struct Outgoing<'a> {
    /// No other job has it.
    pub(super) name: &'a str,
    /// Its file, in the submission's folder.
    pub(super) script: &'a str,
    pub(super) work: Work,
}

/// One submission, as far as it has come.
pub(super) struct Sender<'a> {
    sweep: &'a SweepDir,
    /// Of the sweep; lost where another process has taken it over.
    claim: &'a SweepClaim,
    submission: Submission,
}

impl<'a> Sender<'a> {
    pub(super) fn begin(
        sending: &Sending<'a>,
        claim: &'a SweepClaim,
        engine: &str,
        number: u32,
    ) -> anyhow::Result<Sender<'a>> {
        let prepared = &sending.begun.prepared;
        let argv = sending.begun.invocation.argv.clone();
        let submission = Submission::new(engine, number, prepared.fingerprint(), argv);
        prepared.sweep.begin_submission(&submission).context("nothing was sent")?;
        Ok(Sender { sweep: &prepared.sweep, claim, submission })
    }

    /// The number of the job.
    ///
    /// # Errors
    /// Where it was refused, or whether it was sent is not known; nothing more is to be sent then. What was
    /// sent before is printed.
    pub(super) fn send(
        &mut self,
        job: Outgoing<'_>,
        submit: impl FnOnce() -> Reply,
        look: impl Fn(&str) -> Option<u64>,
    ) -> anyhow::Result<u64> {
        let sent = self.try_to_send(job, submit, look);
        if sent.is_err() {
            print_jobs(&self.submission.jobs);
        }
        sent
    }

    fn try_to_send(
        &mut self,
        job: Outgoing<'_>,
        submit: impl FnOnce() -> Reply,
        look: impl Fn(&str) -> Option<u64>,
    ) -> anyhow::Result<u64> {
        let (number, name) = (self.submission.number, job.name);
        let went = match self.submission.jobs.is_empty() {
            true => "nothing was sent",
            false => {
                "not all was sent; the jobs above are in the queue, and `--resume` sends the rest"
            }
        };
        self.claim.confirm().context(went)?;
        self.sweep.record_sending(number, name, job.script, &job.work).context(went)?;
        let (fate, outcome) = match submit() {
            Reply::Taken(job_id) => (Fate::Sent { job_id }, Ok(job_id)),
            Reply::Refused(error) => {
                let why = error.to_string();
                (Fate::Refused { why }, Err(anyhow::Error::new(error).context(went)))
            }
            Reply::Unknown(error) => match look(name) {
                Some(job_id) => {
                    say!("note: {error}; the queue has the job all the same");
                    (Fate::Sent { job_id }, Ok(job_id))
                }
                None => {
                    let why = error.to_string();
                    let unknown = format!(
                        "it is not known whether job `{name}` was sent, and the queue does not have it yet; \
                         `cyclelab status` looks for it, and so does the same command with `--resume`"
                    );
                    (Fate::Unsettled { why }, Err(anyhow::Error::new(error).context(unknown)))
                }
            },
        };
        self.sweep.record_fate(number, name, &fate).with_context(|| match &fate {
            Fate::Sent { job_id } => format!(
                "job {job_id} was sent, and that could not be noted; the same command with `--resume` finds it"
            ),
            _ => format!("what came of job `{name}` could not be noted"),
        })?;
        let (at, script) = (time::rfc3339(time::now_us()), job.script.to_string());
        let sent = SubmittedJob { name: name.to_string(), script, work: job.work, at, fate };
        self.submission.jobs.push(sent);
        outcome
    }

    pub(super) fn jobs(&self) -> &[SubmittedJob] {
        &self.submission.jobs
    }
}
