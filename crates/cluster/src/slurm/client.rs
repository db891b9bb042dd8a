//! Slurm's own programs, called with care: fixed formats, a clean environment, a time limit.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::accounting::{self, Accounted, parse_sacct};
use super::queue::{self, Queued, parse_squeue};
use crate::error::ClusterError;
use crate::process::{Answer, call, shown};

/// Slurm's programs give a controller that does not answer a minute and more.
const LIMIT: Duration = Duration::from_secs(60);

/// Slurm's default, where it does not say.
const MAX_ARRAY_SIZE: usize = 1001;

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

impl Client {
    /// `env` is the whole environment. Inside a job it is full of that job's own settings, which
    /// `sbatch` and `squeue` would take for wishes; only where the cluster is stays.
    pub fn new(env: impl IntoIterator<Item = (OsString, OsString)>) -> Client {
        let env = env.into_iter().filter(|(key, _)| is_passed_on(&key.to_string_lossy()));
        Client { env: env.collect(), limit: LIMIT, no_accounting: AtomicBool::new(false) }
    }

    /// Sends a script; gives the number of the job.
    ///
    /// # Errors
    /// `Missing`, `Refused` with what `sbatch` said, `Unreadable` where it answered no number.
    pub fn submit(&self, script: &Path, dependency: Option<&str>) -> Result<u64, ClusterError> {
        let arguments = Client::submission(script, dependency);
        let answer = self.call("sbatch", &arguments)?.expect(&shown("sbatch", &arguments))?;
        // `17`, or `17;cluster` on one of several.
        let number = answer.trim().split(';').next().unwrap_or_default();
        number
            .parse()
            .map_err(|_| ClusterError::unreadable("sbatch --parsable", "job's number", &answer))
    }

    /// The arguments of `sbatch` for that.
    pub fn submission(script: &Path, dependency: Option<&str>) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["--parsable".into()];
        arguments.extend(dependency.map(|it| format!("--dependency={it}").into()));
        arguments.push(script.into());
        arguments
    }

    /// Asks whether the cluster would take a script, and changes nothing.
    pub fn check(&self, script: &Path) -> Result<(), ClusterError> {
        let arguments = ["--test-only".into(), script.into()];
        self.call("sbatch", &arguments)?.expect(&shown("sbatch", &arguments)).map(drop)
    }

    /// What is in the queue of these jobs.
    pub fn queue(&self, jobs: &[u64]) -> Result<Vec<Queued>, ClusterError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let list = listed(jobs);
        let arguments = ["-h", "-j", &list, "-o", queue::FORMAT].map(OsString::from);
        let answer = self.call("squeue", &arguments)?;
        // A job that is over is forgotten after some minutes, and then there is no such number.
        if !answer.status.success() && answer.said.contains("Invalid job id") {
            return Ok(Vec::new());
        }
        parse_squeue(&answer.expect(&shown("squeue", &arguments))?)
    }

    /// How jobs ended that the queue has forgotten. Not to be had on many clusters, so it is no
    /// error that it is not.
    pub fn accounting(&self, jobs: &[u64]) -> Accounting {
        if jobs.is_empty() || self.no_accounting.load(Ordering::Relaxed) {
            return Accounting::None("no accounting".to_string());
        }
        let list = listed(jobs);
        let arguments = ["-X", "-P", "-n", "-j", &list, "-o", accounting::FORMAT];
        let arguments = arguments.map(OsString::from);
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

    fn call(&self, program: &str, arguments: &[OsString]) -> Result<Answer, ClusterError> {
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
        call(command, self.limit)
    }
}

fn is_passed_on(key: &str) -> bool {
    let of_slurm = ["SLURM_", "SBATCH_", "SQUEUE_", "SACCT_", "SCONTROL_", "SRUN_", "SALLOC_"];
    key == "SLURM_CONF" || !of_slurm.iter().any(|prefix| key.starts_with(prefix))
}

fn listed(jobs: &[u64]) -> String {
    jobs.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
