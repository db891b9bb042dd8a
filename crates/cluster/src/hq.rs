//! HyperQueue's job file, which is TOML, and the call that sends it.
//!
//! HyperQueue refuses keys that it does not know, so only those stand here that its manual names.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use spec::{CrashLimit, Hq};

use crate::commands::RunCommand;
use crate::error::ClusterError;
use crate::indices::Indices;
use crate::process::{call, shown};
use crate::reply::Reply;

/// A server that is gone does not answer.
const LIMIT: Duration = Duration::from_secs(60);

/// One job, a task a run. Its tasks have the runs' own numbers.
pub struct JobFile<'a> {
    pub job_name: &'a str,
    /// Where its logs go; absolute.
    pub folder: &'a str,
    pub hq: &'a Hq,
    /// How many tasks may fail before the others are given up.
    pub max_fails: Option<u64>,
    pub indices: &'a Indices,
    pub command: &'a RunCommand,
}

impl JobFile<'_> {
    /// # Errors
    /// `Unwritable` where a folder's name is a pattern to HyperQueue.
    pub fn text(&self) -> Result<String, ClusterError> {
        if self.folder.contains("%{") {
            return Err(ClusterError::Unwritable {
                what: "the path",
                text: self.folder.to_string(),
                where_to: "job file of HyperQueue",
                why: "it takes `%{` for a pattern",
            });
        }
        let mut text = format!("name = {}\n", string(self.job_name));
        let mut line = |line: String| writeln!(text, "{line}").expect("a string takes it");
        if let Some(most) = self.max_fails {
            line(format!("max_fails = {most}"));
        }
        line("\n[array]".to_string());
        line(format!("ids = {}", string(&self.indices.to_string())));
        let words = self.command.words().chain(["--index-env", "HQ_TASK_ID"]);
        let words: Vec<String> = words.map(string).collect();
        line(format!("command = [{}]", words.join(", ")));
        for stream in ["stdout", "stderr"] {
            // Left out, both would lie in the folder that it was sent from.
            let path = format!("{}/hq_%{{TASK_ID}}.{stream}", self.folder);
            line(format!("{stream} = {}", string(&path)));
        }
        if let Some(limit) = self.hq.crash_limit {
            line(match limit {
                CrashLimit::Unlimited => "crash_limit = \"unlimited\"".to_string(),
                CrashLimit::Times(times) => format!("crash_limit = {times}"),
            });
        }
        self.request().into_iter().for_each(line);
        Ok(text)
    }

    fn request(&self) -> Vec<String> {
        let cpus = self.hq.cpus.map(|cpus| format!("\"cpus\" = {cpus}"));
        let gpus = self.hq.gpus.map(|gpus| format!("\"gpus/nvidia\" = {gpus}"));
        let resources: Vec<String> = cpus.into_iter().chain(gpus).collect();
        let mut lines = Vec::new();
        if !resources.is_empty() {
            lines.push(format!("resources = {{ {} }}", resources.join(", ")));
        }
        if let Some(time) = self.hq.time_request {
            lines.push(format!("time_request = \"{}s\"", time.as_secs()));
        }
        if !lines.is_empty() {
            lines.insert(0, "\n[[array.request]]".to_string());
        }
        lines
    }
}

/// Sends a job file.
pub fn submit(job_file: &Path) -> Reply {
    let arguments = ["job".into(), "submit-file".into(), OsString::from(job_file)];
    let mut command = Command::new("hq");
    command.args(&arguments);
    // Its words for a server that does not answer are not known: only a signal is told from a refusal.
    Reply::of(call(command, LIMIT), &shown("hq", &arguments), number, |_| false)
}

/// The last one: `Job submitted successfully, job ID: 3`.
fn number(answer: &str) -> Option<u64> {
    let mut words = answer.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty());
    words.next_back()?.parse().ok()
}

/// A basic string of TOML.
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                write!(out, "\\u{:04X}", u32::from(c)).expect("a string takes it");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(hq: &Hq, folder: &str, max_fails: Option<u64>) -> Result<String, ClusterError> {
        let command = RunCommand {
            program: "/opt/cyclelab".into(),
            sweep_dir: "/data/a \"b\"\n".into(),
            plan: "3f9c".into(),
            arguments: vec![],
        };
        let indices: Indices = [0, 1, 2, 5].into_iter().collect();
        let job_name = "lambda";
        JobFile { job_name, folder, hq, max_fails, indices: &indices, command: &command }.text()
    }

    #[test]
    fn a_job_file() {
        let hq = Hq {
            cpus: Some(8),
            gpus: Some(1),
            time_request: Some(Duration::from_secs(1800)),
            crash_limit: Some(CrashLimit::Unlimited),
        };
        let expected = r#"name = "lambda"
max_fails = 3

[array]
ids = "0-2,5"
command = ["/opt/cyclelab", "run", "--sweep-dir", "/data/a \"b\"\u000A", "--plan", "3f9c", "--index-env", "HQ_TASK_ID"]
stdout = "/d/.exec/1/hq_%{TASK_ID}.stdout"
stderr = "/d/.exec/1/hq_%{TASK_ID}.stderr"
crash_limit = "unlimited"

[[array.request]]
resources = { "cpus" = 8, "gpus/nvidia" = 1 }
time_request = "1800s"
"#;
        assert_eq!(text(&hq, "/d/.exec/1", Some(3)).unwrap(), expected);
    }

    #[test]
    fn what_nobody_asks_for_is_left_out() {
        let text = text(&Hq::default(), "/d", None).unwrap();
        for key in ["max_fails", "crash_limit", "request", "resources"] {
            assert!(!text.contains(key), "{key}: {text}");
        }
    }

    #[test]
    fn a_job_s_number_is_read() {
        assert_eq!(number("Job submitted successfully, job ID: 3\n"), Some(3));
        assert_eq!(number("no job"), None);
    }

    #[test]
    fn a_pattern_in_a_path_is_refused() {
        let error = text(&Hq::default(), "/a%{b}", None).unwrap_err().to_string();
        assert!(error.contains("takes `%{` for a pattern"), "{error}");
    }
}
