//! The texts that `sbatch` is given, made to be read and to be sent again by hand.
//!
//! Two readers, two ways to quote: `sbatch` takes the `#SBATCH` lines apart itself, by double quotes
//! that nothing acts in; bash reads the rest.

use std::fmt::Write;

use spec::{Requeue, Resources, Slurm};

use super::arrays::{ArrayPlan, Runs};
use crate::commands::RunCommand;
use crate::error::ClusterError;
use crate::shell::words;

/// One array of a sweep.
pub struct ArrayScript<'a> {
    pub job_name: &'a str,
    /// Where its logs go; absolute.
    pub folder: &'a str,
    pub slurm: &'a Slurm,
    pub plan: &'a ArrayPlan,
    pub command: &'a RunCommand,
}

/// The job that writes the report once all arrays have ended.
pub struct ReportScript<'a> {
    pub job_name: &'a str,
    pub folder: &'a str,
    pub slurm: &'a Slurm,
    /// The program and its arguments.
    pub command: &'a [String],
}

impl ArrayScript<'_> {
    /// # Errors
    /// `Unwritable` where a path has what no quoting carries through.
    pub fn text(&self) -> Result<String, ClusterError> {
        let array = &self.plan.array;
        let resources = self.slurm.resources_of(array.class);
        let throttle = self.plan.throttle.map_or(String::new(), |most| format!("%{most}"));
        let mut header = Header::default();
        header.option("job-name", self.job_name)?;
        header.option("array", &format!("{}{throttle}", array.tasks))?;
        header.option("output", &log(self.folder, "slurm_%A_%a.log")?)?;
        header.line("# Else a task that is requeued empties its log.");
        header.line("#SBATCH --open-mode=append");
        header.flag(match self.slurm.requeue {
            Requeue::Never => "no-requeue",
            Requeue::Slurm | Requeue::Itself => "requeue",
        });
        // B: to this script alone, which the program replaces; a bash in between would be killed
        // by it, and the program not hear of it.
        let (signal, grace) = (self.slurm.signal.name(), self.slurm.grace.as_secs());
        header.option("signal", &format!("B:{signal}@{grace}"))?;
        header.resources(&resources)?;
        let mut text = header.0;
        text.push_str("set -eu\n");
        if let Some(cpus) = resources.cpus {
            // Where a cluster does not confine its jobs the program would see all cores.
            writeln!(text, "export RAYON_NUM_THREADS={cpus}").expect("a string takes it");
        }
        setup(&self.slurm.setup, &mut text);
        text.push_str(&self.exec());
        Ok(text)
    }

    /// `exec`: the program is then the job's first process, and hears the signal itself.
    fn exec(&self) -> String {
        let mut text = String::new();
        let index = match &self.plan.array.runs {
            Runs::Offset(offset) => format!("$((SLURM_ARRAY_TASK_ID + {offset}))"),
            Runs::Packed(packed) => {
                let lists: Vec<String> = packed.iter().map(ToString::to_string).collect();
                let lines: Vec<String> = lists.chunks(20).map(|it| it.join(" ")).collect();
                text = format!(
                    "# The runs of each task, by its number from 0.\nruns=(\n    {}\n)\n",
                    lines.join("\n    ")
                );
                "\"${runs[SLURM_ARRAY_TASK_ID]}\"".to_string()
            }
        };
        let requeue = match self.slurm.requeue {
            Requeue::Itself => {
                format!(" --requeue self --max-requeues {}", self.slurm.max_requeues)
            }
            // Slurm does not where a job that gives way ends by itself within its `GraceTime`.
            Requeue::Slurm => " --requeue slurm".to_string(),
            Requeue::Never => String::new(),
        };
        text + &format!("exec {}{requeue} --index {index}\n", words(self.command.words()))
    }
}

impl ReportScript<'_> {
    /// # Errors
    /// As [`ArrayScript::text`].
    pub fn text(&self) -> Result<String, ClusterError> {
        let mut header = Header::default();
        header.option("job-name", self.job_name)?;
        header.option("output", &log(self.folder, "report_%j.log")?)?;
        header.line("#SBATCH --open-mode=append");
        // It reads and draws: one core, and no GPU.
        let Resources { partition, account, qos, time, extra, .. } = self.slurm.resources.clone();
        let resources = Resources {
            partition,
            account,
            qos,
            time,
            extra,
            cpus: Some(1),
            ..Resources::default()
        };
        header.resources(&resources)?;
        let mut text = header.0;
        text.push_str("set -eu\n");
        setup(&self.slurm.setup, &mut text);
        let command = words(self.command.iter().map(String::as_str));
        writeln!(text, "exec {command}").expect("a string takes it");
        Ok(text)
    }
}

/// A module's own scripts use variables that may be unset.
fn setup(lines: &[String], text: &mut String) {
    if lines.is_empty() {
        return;
    }
    text.push_str("set +u\n");
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    text.push_str("set -u\n");
}

struct Header(String);

impl Default for Header {
    fn default() -> Header {
        Header("#!/bin/bash\n".to_string())
    }
}

impl Header {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn flag(&mut self, name: &str) {
        self.line(&format!("#SBATCH --{name}"));
    }

    fn option(&mut self, name: &str, value: &str) -> Result<(), ClusterError> {
        let value = sbatch_word(value)?;
        self.line(&format!("#SBATCH --{name}={value}"));
        Ok(())
    }

    fn resources(&mut self, resources: &Resources) -> Result<(), ClusterError> {
        let Resources { partition, account, qos, time, gres, cpus, mem, constraint, extra } =
            resources;
        let options = [
            ("partition", partition.clone()),
            ("account", account.clone()),
            ("qos", qos.clone()),
            ("time", time.as_ref().map(ToString::to_string)),
            ("gres", gres.clone()),
            ("cpus-per-task", cpus.map(|it| it.to_string())),
            ("mem", mem.clone()),
            ("constraint", constraint.clone()),
        ];
        for (name, value) in options {
            if let Some(value) = value {
                self.option(name, &value)?;
            }
        }
        for option in extra.iter().flatten() {
            let option = sbatch_word(option)?;
            self.line(&format!("#SBATCH {option}"));
        }
        Ok(())
    }
}

fn unwritable(text: &str, why: &'static str) -> ClusterError {
    let (what, where_to) = ("the text", "`#SBATCH` line");
    ClusterError::Unwritable { what, text: text.to_string(), where_to, why }
}

/// Between double quotes `sbatch` keeps everything but a backslash and the quote itself. Outside of
/// them a backslash does not save a space (22.05).
fn sbatch_word(text: &str) -> Result<String, ClusterError> {
    if text.contains(['\n', '\r', '\0']) {
        return Err(unwritable(text, "the line ends there"));
    }
    // Its buffer for one option; a longer one ends sbatch without a word on which.
    if text.len() > 4000 {
        return Err(unwritable(text, "it is too long"));
    }
    let harmless = |c: char| c.is_ascii_alphanumeric() || "/._-+,@:%=[]".contains(c);
    match text.chars().all(harmless) {
        true => Ok(text.to_string()),
        false => Ok(format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))),
    }
}

/// A path with a pattern at its end. `%` is a pattern everywhere in it, and a backslash switches all
/// patterns off, so that every task would write to one file.
fn log(folder: &str, name: &str) -> Result<String, ClusterError> {
    if folder.contains('\\') {
        return Err(unwritable(folder, "Slurm takes no backslash in the path of a log"));
    }
    Ok(format!("{}/{name}", folder.replace('%', "%%")))
}

#[cfg(test)]
mod tests;
