//! Slurm's own programs, called with care: fixed formats, a clean environment, a time limit.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::accounting::{self, Accounted, parse_sacct};
use super::queue::{self, Queued, parse_squeue};
use crate::error::ClusterError;
use crate::process::{Answer, call_with, shown};
use crate::reply::Reply;

/// Slurm's programs give a controller that does not answer a minute and more.
const LIMIT: Duration = Duration::from_secs(60);

/// `sbatch` tries again for two minutes and more where the queue is full.
const SBATCH_LIMIT: u32 = 4;

/// Slurm's default, where it does not say.
const MAX_ARRAY_SIZE: usize = 1001;

/// Of at most some ninety characters each: together what one argument holds.
const NAMES_PER_CALL: usize = 1000;

const OF_SLURM: [&str; 8] =
    ["SLURM_", "SBATCH_", "SQUEUE_", "SACCT_", "SCONTROL_", "SCANCEL_", "SRUN_", "SALLOC_"];

pub struct Client {
    /// What every call is given of the environment.
    env: Vec<(OsString, OsString)>,
    limit: Duration,
    /// `sacct` said that nothing is kept: it would say so every time.
    no_accounting: AtomicBool,
}

/// What the cluster's accounting knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accounting {
    Known(Vec<Accounted>),
    /// It keeps none, or does not answer; why.
    None(String),
}

const GPUS: [&str; 4] =
    ["CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ZE_AFFINITY_MASK"];

impl Client {
    /// `env` is the whole environment. Inside a job it is full of that job's own settings, which
    /// `sbatch` and `squeue` would take for wishes; only where the cluster is stays.
    pub fn new(env: impl IntoIterator<Item = (OsString, OsString)>) -> Client {
        let mut env: Vec<(OsString, OsString)> = env.into_iter().collect();
        let in_a_job = env.iter().any(|(key, _)| key == "SLURM_JOB_ID");
        env.retain(|(key, _)| is_passed_on(&key.to_string_lossy()));
        // Which GPU that job was given is not where the next one's is.
        env.retain(|(key, _)| !in_a_job || !GPUS.iter().any(|gpus| key == gpus));
        Client { env, limit: LIMIT, no_accounting: AtomicBool::new(false) }
    }

    /// Sends a script.
    pub fn submit(&self, script: &Path, dependency: Option<&str>) -> Reply {
        let arguments = Client::submission(script, dependency);
        let limit = SBATCH_LIMIT * self.limit;
        let answer = call_with(self.command("sbatch", &arguments), "", limit);
        // `17`, or `17;cluster` on one of several.
        let number = |out: &str| out.trim().split(';').next().and_then(|it| it.parse().ok());
        Reply::of(answer, &shown("sbatch", &arguments), number, is_of_the_line)
    }

    /// The arguments of `sbatch` for that.
    pub fn submission(script: &Path, dependency: Option<&str>) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["--parsable".into()];
        arguments.extend(dependency.map(|it| format!("--dependency={it}").into()));
        arguments.push(script.into());
        arguments
    }

    /// Asks whether the cluster would take a script of this text, and changes nothing.
    pub fn check(&self, text: &str) -> Result<(), ClusterError> {
        let arguments = ["--test-only".into()];
        let answer = call_with(self.command("sbatch", &arguments), text, self.limit)?;
        answer.expect(&shown("sbatch", &arguments)).map(drop)
    }

    /// What the queue has of the jobs with these names, also of those that ended some minutes ago. By
    /// name: numbers are used again, and of a job whose answer was lost nobody knows the number.
    pub fn queue(&self, names: &[&str]) -> Result<Vec<Queued>, ClusterError> {
        let mut found = Vec::new();
        for names in names.chunks(NAMES_PER_CALL) {
            // -a: also of partitions that are hidden from others.
            let of = format!("--name={}", names.join(","));
            let arguments = ["-h", "-a", "-t", "all", &of, "-o", queue::FORMAT].map(OsString::from);
            let answer = self.call("squeue", &arguments)?;
            found.extend(parse_squeue(&answer.expect(&shown("squeue", &arguments))?)?);
        }
        Ok(found)
    }

    /// How jobs ended that the queue has forgotten. Not to be had on many clusters, so it is no
    /// error that it is not.
    pub fn accounting(&self, jobs: &[u64]) -> Accounting {
        let list: Vec<String> = jobs.iter().map(u64::to_string).collect();
        self.account(&["-j", &list.join(",")], jobs.is_empty())
    }

    /// Likewise of jobs whose numbers nobody knows, sent in the last `days`.
    pub fn accounting_by_name(&self, names: &[&str], days: u32) -> Accounting {
        let (since, of) = (format!("now-{days}days"), names.join(","));
        self.account(&["-S", &since, "--name", &of], names.is_empty())
    }

    fn account(&self, which: &[&str], of_nothing: bool) -> Accounting {
        if of_nothing || self.no_accounting.load(Ordering::Relaxed) {
            return Accounting::None("no accounting".to_string());
        }
        let arguments = [&["-X", "-P", "-n"], which, &["-o", accounting::FORMAT]].concat();
        let arguments: Vec<OsString> = arguments.into_iter().map(OsString::from).collect();
        let answer = self.call("sacct", &arguments);
        match answer.and_then(|it| it.expect(&shown("sacct", &arguments))) {
            Ok(text) => Accounting::Known(parse_sacct(&text)),
            Err(error) => {
                let why = error.to_string();
                if matches!(error, ClusterError::Missing { .. }) || why.contains("disabled") {
                    self.no_accounting.store(true, Ordering::Relaxed);
                }
                Accounting::None(why)
            }
        }
    }

    /// No index of an array reaches it.
    pub fn max_array_size(&self) -> Result<usize, ClusterError> {
        let arguments = ["show", "config"].map(OsString::from);
        let config = self.call("scontrol", &arguments)?.expect(&shown("scontrol", &arguments))?;
        let line = config.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == "MaxArraySize").then(|| value.trim().to_string())
        });
        match line {
            None => Ok(MAX_ARRAY_SIZE),
            Some(size) => size.parse().map_err(|_| {
                ClusterError::unreadable("scontrol show config", "MaxArraySize", &size)
            }),
        }
    }

    /// Puts a job, or a task of an array, back into the queue.
    pub fn requeue(&self, job: &str) -> Result<(), ClusterError> {
        let arguments = ["requeue", job].map(OsString::from);
        self.call("scontrol", &arguments)?.expect(&shown("scontrol", &arguments)).map(drop)
    }

    /// Whether a job was told to give way, and neither cancelled nor started again since.
    pub fn is_preempted(&self, job: &str) -> Result<bool, ClusterError> {
        let arguments = ["show", "job", job].map(OsString::from);
        let shown = self.call("scontrol", &arguments)?.expect(&shown("scontrol", &arguments))?;
        let value = |key: &str| shown.split_whitespace().find_map(|word| word.strip_prefix(key));
        let was_told =
            value("PreemptTime=").is_some_and(|it| it.starts_with(|c: char| c.is_ascii_digit()));
        Ok(was_told && value("JobState=") == Some("RUNNING"))
    }

    pub fn cancel(&self, job: u64) -> Result<(), ClusterError> {
        let arguments = [OsString::from(job.to_string())];
        self.call("scancel", &arguments)?.expect(&shown("scancel", &arguments)).map(drop)
    }

    fn call(&self, program: &str, arguments: &[OsString]) -> Result<Answer, ClusterError> {
        call_with(self.command(program, arguments), "", self.limit)
    }

    fn command(&self, program: &str, arguments: &[OsString]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(self.env.iter().cloned());
        if program != "sbatch" {
            // sbatch hands its environment on to the job, whose language is the user's own.
            command.env("LC_ALL", "C");
        }
        if program == "squeue" {
            // Else a long list of tasks is cut short.
            command.env("SLURM_BITSTR_LEN", "0");
        }
        command
    }
}

/// What `sbatch` says where it did not hear what became of its request, or may not have.
fn is_of_the_line(said: &str) -> bool {
    const WORDS: [&str; 11] = [
        "timed out",
        "send/recv",
        "Zero Bytes",
        "Unable to contact",
        "onnection",
        "Transport endpoint",
        "Unexpected message",
        "Message receive failure",
        "Insane message length",
        "Header lengths are longer",
        "Protocol authentication error",
    ];
    WORDS.iter().any(|word| said.contains(word))
}

/// Wishes are said in the sweep file and the site's; of Slurm's own variables only those count that say
/// where the cluster is, and who asks.
fn is_passed_on(key: &str) -> bool {
    const OF_THE_CLUSTER: [&str; 6] = [
        "SLURM_CONF",
        "SLURM_CONF_SERVER",
        "SLURM_JWT",
        "SLURM_SACK_JWKS",
        "SLURM_SACK_KEY",
        "SLURM_SACK_SOCKET",
    ];
    OF_THE_CLUSTER.contains(&key) || !OF_SLURM.iter().any(|prefix| key.starts_with(prefix))
}

#[cfg(test)]
mod tests;
