//! Where and from what a run was computed: nothing here is part of its
//! identity, all of it is needed when two machines disagree.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::durable;
use crate::error::TrackError;
use crate::layout::RunDir;
use crate::manifest::read_regular;
use crate::record::{DatasetRecord, ProvenanceRecord};

/// A diff beyond this is cut: it is a note, not a backup.
pub const DIFF_MAX_BYTES: u64 = 1 << 20;
/// Far beyond what is written: a command line is bounded, and of the environment little is kept.
const JSON_MAX_BYTES: u64 = 8 << 20;
const UNTRACKED_MAX: usize = 1000;

/// An allow-list: an environment also holds tokens, and a store is shared.
const ENV_KEYS: [&str; 10] = [
    "CUDA_VISIBLE_DEVICES",
    "CUBLAS_WORKSPACE_CONFIG",
    "NVIDIA_TF32_OVERRIDE",
    "NVIDIA_VISIBLE_DEVICES",
    "RAYON_NUM_THREADS",
    "OMP_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RUST_BACKTRACE",
    "LANG",
    "TZ",
];
/// Who the launcher says that it is.
const ENGINE_KEYS: [&str; 15] = [
    "SLURM_JOB_ID",
    "SLURM_JOB_NAME",
    "SLURM_JOB_PARTITION",
    "SLURM_ARRAY_JOB_ID",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_RESTART_COUNT",
    "SLURM_CPUS_PER_TASK",
    "SLURM_GPUS",
    "SLURM_NODELIST",
    "SLURM_CLUSTER_NAME",
    "SLURM_JOB_GPUS",
    "SLURMD_NODENAME",
    "HQ_JOB_ID",
    "HQ_TASK_ID",
    "HQ_INSTANCE_ID",
];

/// One attempt's circumstances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    pub argv: Vec<String>,
    /// Of the environment, what is on the allow-list.
    pub env: BTreeMap<String, String>,
    /// Tool to version: the program, its compiler, its backend.
    pub versions: BTreeMap<String, String>,
    pub hardware: Hardware,
    pub source: SourceTree,
}

/// The content of `env.json`, as it is read back.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Environment {
    #[serde(default)]
    pub argv: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub versions: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hardware {
    pub host: String,
    pub os: String,
    pub cpu: String,
    /// Cores this process may use.
    pub cores: usize,
    pub memory_mib: Option<u64>,
    /// As the run names it: `cpu`, `cuda:0`, …
    pub device: String,
}

/// The repository a command was typed in, where there is one: a note beside the program's own code.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceTree {
    pub commit: Option<String>,
    pub dirty: bool,
    /// Tracked changes against `commit`, at most 1 MiB.
    pub diff: String,
    /// Names only.
    pub untracked: Vec<String>,
}

impl Provenance {
    /// `env` is the whole environment; what is not on the allow-list is dropped here.
    pub fn collect(
        argv: Vec<String>,
        env: impl IntoIterator<Item = (OsString, OsString)>,
        versions: BTreeMap<String, String>,
        device: String,
        source: SourceTree,
    ) -> Self {
        Provenance { argv, env: allowed(env), versions, hardware: Hardware::here(device), source }
    }
}

impl Hardware {
    /// This machine, from `/proc`; elsewhere, what the standard library knows.
    pub fn here(device: String) -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let memory_kib = field(&meminfo, "MemTotal")
            .and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok());
        Hardware {
            host: host_name(),
            os: os_name(),
            cpu: field(&cpuinfo, "model name").unwrap_or(std::env::consts::ARCH).to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: memory_kib.map(|kib| kib / 1024),
            device,
        }
    }
}

impl SourceTree {
    /// Asks git about `dir`. Without git or a repository nothing is known,
    /// which is no error.
    pub fn read(dir: &Path) -> Self {
        let Some(commit) = git(dir, &["rev-parse", "HEAD"], 64) else {
            return SourceTree::default();
        };
        let status = git(dir, &["status", "--porcelain", "--untracked-files=no"], 1);
        let untracked = git(dir, &["ls-files", "--others", "--exclude-standard"], DIFF_MAX_BYTES);
        SourceTree {
            commit: Some(commit.trim().to_owned()),
            dirty: status.is_some_and(|status| !status.is_empty()),
            diff: git(dir, &["diff", "HEAD", "--no-ext-diff", "--no-color"], DIFF_MAX_BYTES)
                .unwrap_or_default(),
            untracked: untracked
                .unwrap_or_default()
                .lines()
                .take(UNTRACKED_MAX)
                .map(str::to_owned)
                .collect(),
        }
    }
}

impl RunDir {
    /// Writes `hw.json`, `env.json`, `dataset.json`, `diff.patch` and `untracked.txt`.
    pub fn write_provenance(
        &self,
        attempt: u32,
        provenance: &Provenance,
        dataset: &DatasetRecord,
    ) -> Result<(), TrackError> {
        let dir = self.provenance(attempt);
        durable::create_dir(&dir)?;
        let json = |name: &str, value: serde_json::Value| {
            let path = dir.join(name);
            durable::replace(&path, &durable::pretty_json(&path, &value)?)
        };
        let Provenance { argv, env, versions, hardware, source } = provenance;
        json("hw.json", serde_json::json!(hardware))?;
        json("env.json", serde_json::json!({ "argv": argv, "env": env, "versions": versions }))?;
        json("dataset.json", serde_json::json!(dataset))?;
        durable::replace(&dir.join("diff.patch"), source.diff.as_bytes())?;
        let mut untracked = source.untracked.join("\n");
        untracked.push('\n');
        durable::replace(&dir.join("untracked.txt"), untracked.as_bytes())
    }
}

impl RunDir {
    /// What the attempt left; `None` where it left nothing. What cannot be read is given to `damaged`,
    /// and is missing: of an attempt whose files are all damaged the record has nothing but its number.
    pub(crate) fn read_provenance(
        &self,
        attempt: u32,
        mut damaged: impl FnMut(PathBuf, TrackError),
    ) -> Option<ProvenanceRecord> {
        let dir = self.provenance(attempt);
        let [hw, env, diff] = ["hw.json", "env.json", "diff.patch"].map(|name| dir.join(name));
        // A dangling link is there, too: what it led to is missing, and that is told.
        let is_there = [&hw, &env, &diff].into_iter().any(|it| fs::symlink_metadata(it).is_ok());
        let record = ProvenanceRecord {
            attempt,
            hardware: read_json(&hw).unwrap_or_else(|error| {
                damaged(hw, error);
                None
            }),
            environment: read_json(&env).unwrap_or_else(|error| {
                damaged(env, error);
                None
            }),
            changes: fs::metadata(diff).ok().map(|it| it.len()),
        };
        is_there.then_some(record)
    }
}

/// `None` where there is no such file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, TrackError> {
    match fs::symlink_metadata(path) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(TrackError::read(path)(error)),
    }
    let text = read_regular(path, JSON_MAX_BYTES).map_err(|it| TrackError::damaged(path, it))?;
    serde_json::from_slice(&text).map(Some).map_err(|it| TrackError::damaged(path, it))
}

pub(crate) fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "unknown".to_owned() } else { name.trim().to_owned() }
}

fn allowed(env: impl IntoIterator<Item = (OsString, OsString)>) -> BTreeMap<String, String> {
    env.into_iter()
        .filter_map(|(key, value)| {
            let key = key.into_string().ok()?;
            let known = ENV_KEYS.contains(&key.as_str()) || ENGINE_KEYS.contains(&key.as_str());
            known.then(|| (key, value.to_string_lossy().into_owned()))
        })
        .collect()
}

/// The value of `key : value` lines, as `/proc` writes them.
fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim())
    })
}

fn os_name() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let distribution = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let distribution = distribution.unwrap_or(std::env::consts::OS).trim_matches('"');
    format!("{distribution} {}", kernel.trim()).trim_end().to_owned()
}

/// The first `max` bytes of git's answer, or `None` where it fails.
fn git(dir: &Path, args: &[&str], max: u64) -> Option<String> {
    let mut child = Command::new("git")
        .args(args)
        .current_dir(dir)
        .env("GIT_OPTIONAL_LOCKS", "0") // do not touch the index of a tree we only look at
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut text = Vec::new();
    let read = child.stdout.take()?.take(max).read_to_end(&mut text);
    let whole = (text.len() as u64) < max;
    // The pipe is closed by now, so a git with more to say ends by itself.
    let status = child.wait().ok()?;
    (read.is_ok() && (status.success() || !whole))
        .then(|| String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn of_the_environment_only_what_is_allowed() {
        let env = [
            ("CUDA_VISIBLE_DEVICES", "1"),
            ("SLURM_JOB_ID", "42"),
            ("SLURM_JWT", "secret"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ];
        let kept = allowed(env.map(|(key, value)| (key.into(), value.into())));
        let kept: Vec<_> = kept.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(kept, [("CUDA_VISIBLE_DEVICES", "1"), ("SLURM_JOB_ID", "42")]);
    }

    #[test]
    fn a_repository_and_none() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        let run = |args: &[&str]| {
            let identity = ["-c", "user.name=t", "-c", "user.email=t@t"];
            let status = Command::new("git").current_dir(at).args(identity).args(args).output();
            assert!(status.unwrap().status.success(), "git {args:?}");
        };
        // Not the machine's repository, should the temp dir lie in one.
        let none = git(at, &["rev-parse", "--show-toplevel"], 4096);
        if none.is_none() {
            assert_eq!(SourceTree::read(at), SourceTree::default());
        }
        run(&["init", "-q"]);
        fs::write(at.join("tracked"), "one\n").unwrap();
        run(&["add", "tracked"]);
        run(&["commit", "-qm", "first"]);
        let clean = SourceTree::read(at);
        assert_eq!(clean.commit.as_ref().map(String::len), Some(40));
        assert!(!clean.dirty && clean.diff.is_empty());

        fs::write(at.join("tracked"), "two\n").unwrap();
        fs::write(at.join("new"), "x").unwrap();
        let dirty = SourceTree::read(at);
        assert!(dirty.dirty && dirty.diff.contains("+two"), "{dirty:?}");
        assert_eq!(dirty.untracked, ["new"]);

        fs::write(at.join("tracked"), "long line\n".repeat(300_000)).unwrap();
        assert_eq!(SourceTree::read(at).diff.len() as u64, DIFF_MAX_BYTES);
    }

    /// In a folder that others write to a name can be anything; the opening of a pipe would never end.
    #[cfg(unix)]
    #[test]
    fn only_a_file_of_some_size_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let check = |name: &str, expected: Result<Option<u32>, &str>| {
            let found = read_json::<u32>(&dir.path().join(name)).map_err(|it| it.to_string());
            match (found, expected) {
                (Err(said), Err(words)) => assert!(said.contains(words), "{name}: {said}"),
                (found, expected) => assert_eq!(found, expected.map_err(String::from), "{name}"),
            }
        };
        check("gone", Ok(None));
        fs::write(dir.path().join("one"), "1").unwrap();
        check("one", Ok(Some(1)));
        let large = fs::File::create(dir.path().join("large")).unwrap();
        large.set_len(JSON_MAX_BYTES + 1).unwrap();
        check("large", Err("8388609 bytes"));
        let made = Command::new("mkfifo").arg(dir.path().join("pipe")).status();
        assert!(made.unwrap().success());
        check("pipe", Err("not a file"));
    }

    #[test]
    fn later_attempts_do_not_overwrite() {
        let store = fixture::Store::new();
        for attempt in [1, 2] {
            let argv = vec![attempt.to_string()];
            let provenance =
                Provenance::collect(argv, [], BTreeMap::new(), "cpu".into(), SourceTree::default());
            store.run.write_provenance(attempt, &provenance, &fixture::dataset()).unwrap();
        }
        let env = |attempt: u32| {
            let text = fs::read(store.run.provenance(attempt).join("env.json")).unwrap();
            serde_json::from_slice::<serde_json::Value>(&text).unwrap()["argv"][0].clone()
        };
        assert_eq!((env(1), env(2)), ("1".into(), "2".into()));
    }
}
