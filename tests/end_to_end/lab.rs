//! A folder of its own for every test, and the program started in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub(crate) struct Lab {
    dir: tempfile::TempDir,
}

/// What a finished command left.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Lab { dir: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a writable folder");
        path
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cyclelab"));
        command.args(args).current_dir(self.dir.path());
        command.env("CYCLELAB_CACHE", self.path("cache")).stdin(Stdio::null());
        // Where whoever runs the tests may have said what their cluster is like.
        command.env("XDG_CONFIG_HOME", self.path("config")).env_remove("CYCLELAB_SITE");
        command
    }

    pub(crate) fn say(&self, args: &[&str]) -> Said {
        Said::from(self.command(args).output().expect("the program starts"))
    }

    /// The same, where anything but success is a failure of the test.
    pub(crate) fn succeed(&self, args: &[&str]) -> Said {
        let said = self.say(args);
        assert_eq!(said.code, Some(0), "{args:?}\n{}\n{}", said.stdout, said.stderr);
        said
    }

    pub(crate) fn json(&self, args: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.succeed(args).stdout).expect("JSON on standard output")
    }

    /// States of a sweep's runs, in plan order.
    pub(crate) fn states(&self, sweep: &str) -> Vec<String> {
        let runs = self.json(&["ls", sweep, "--json"]);
        let runs = runs.as_array().expect("a list of runs");
        runs.iter()
            .map(|run| run["state"]["state"].as_str().expect("a state").to_string())
            .collect()
    }

    /// Run folders of a sweep, by name.
    pub(crate) fn run_folders(&self, sweep: &str) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = std::fs::read_dir(self.path("runs").join(sweep))
            .expect("the sweep's folder")
            .map(|entry| entry.expect("readable").path())
            .filter(|path| path.join("run.json").exists())
            .collect();
        found.sort();
        found
    }
}

/// A run's folder, by its index in the plan.
pub(crate) fn run_folder(lab: &Lab, sweep: &str, index: usize) -> PathBuf {
    let runs = lab.json(&["ls", sweep, "--json"]);
    lab.path(runs[index]["folder"].as_str().expect("a folder"))
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        Said {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Four runs of the smallest networks: λ in {0, 10}, two seeds.
pub(crate) fn tiny(steps: u32) -> String {
    format!(
        r#"
[sweep]
name = "tiny"
question = "Does it run from end to end?"
seeds = [1, 2]
[sweep.metric]
name = "eval/l1_ab"
[sweep.baseline]
loss.lambda_cycle = 10
[set]
data.dataset = "synthetic"
data.load_size = 16
data.crop_size = 16
model.ngf = 4
model.ndf = 4
model.n_blocks = 1
model.n_layers = 1
train.steps = {steps}
train.log_every = 5
eval.every = 10
[axes]
loss.lambda_cycle = [0, 10]
[samples]
count = 2
[exec]
devices = "cpu"
slots_per_device = 2
"#
    )
}

/// A file of weights that PyTorch wrote, see tests/reference.
pub(crate) fn written_by_pytorch(name: &str) -> String {
    format!("{}/../../tests/reference/vectors/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Whether a program can be started, said aloud when not.
pub(crate) fn available(what: &str, mut probe: Command) -> bool {
    let quiet = probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let there = quiet.status().is_ok_and(|status| status.success());
    if !there {
        let strict = std::env::var_os("CYCLELAB_NO_SKIPS").is_some();
        assert!(!strict, "{what} is not installed, and CYCLELAB_NO_SKIPS is set");
        eprintln!("SKIPPED: {what} is not installed here");
    }
    there
}

pub(crate) fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(files_below(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}
