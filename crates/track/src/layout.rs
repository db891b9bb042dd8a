//! Every file name of the store.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use crate::durable;
use crate::error::TrackError;
use crate::record::SampleKind;

/// `runs/<sweep>`: a plan, and the folders of the runs it was the first to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepDir(PathBuf);

/// `runs/<sweep>/<label>-s<seed>-<8 hex>`: one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir(PathBuf);

impl SweepDir {
    /// # Errors
    /// `Name` unless the name is a plain file name on every system.
    pub fn new(runs_root: &Path, name: &str) -> Result<Self, TrackError> {
        if !is_sweep_name(name) {
            return Err(TrackError::Name { name: name.to_owned() });
        }
        Ok(SweepDir(runs_root.join(name)))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The sweep's file as last invoked, verbatim.
    pub fn sweep_toml(&self) -> PathBuf {
        self.0.join("sweep.toml")
    }

    /// One file per invocation: `0001.toml`, …
    pub fn history(&self) -> PathBuf {
        self.0.join("history")
    }

    pub fn plan(&self) -> PathBuf {
        self.0.join("plan.jsonl")
    }

    pub fn events(&self) -> PathBuf {
        self.0.join("events.jsonl")
    }

    /// What was sent to a cluster, one line a call.
    pub fn submissions(&self) -> PathBuf {
        self.0.join("submissions.jsonl")
    }

    /// Scripts and logs of what was sent then; no run's folder, since those never begin with a dot.
    pub fn exec(&self, number: u32) -> PathBuf {
        self.exec_root().join(number.to_string())
    }

    pub(crate) fn exec_root(&self) -> PathBuf {
        self.0.join(".exec")
    }

    /// Derived: one wide row per run.
    pub fn runs_parquet(&self) -> PathBuf {
        self.0.join("runs.parquet")
    }

    pub(crate) fn lock_file(&self) -> PathBuf {
        self.0.join(".lock")
    }

    /// One file per claim: `0001.json`, …
    pub(crate) fn leases(&self) -> PathBuf {
        self.0.join("leases")
    }

    pub fn run_dir(&self, label: &str, seed: u64, key: &str) -> RunDir {
        RunDir(self.0.join(run_folder_name(label, seed, key)))
    }
}

impl RunDir {
    pub fn new(path: PathBuf) -> Self {
        RunDir(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Identity and provenance, written once.
    pub fn run_json(&self) -> PathBuf {
        self.0.join("run.json")
    }

    /// Every leaf written out.
    pub fn config_toml(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    /// Where each leaf's value comes from.
    pub fn config_origin(&self) -> PathBuf {
        self.0.join("config.origin.json")
    }

    /// The first attempt's is `provenance/`; later ones add a folder inside it.
    pub fn provenance(&self, attempt: u32) -> PathBuf {
        let dir = self.0.join("provenance");
        if attempt <= 1 { dir } else { dir.join(format!("attempt-{attempt:02}")) }
    }

    pub fn events(&self) -> PathBuf {
        self.0.join("events.jsonl")
    }

    /// `*.parquet` in here is always the effective view.
    pub fn metrics(&self) -> PathBuf {
        self.0.join("metrics")
    }

    /// Rows taken back by a resume.
    pub fn superseded(&self) -> PathBuf {
        self.0.join("metrics/superseded")
    }

    pub fn samples(&self) -> PathBuf {
        self.0.join("samples")
    }

    pub fn samples_jsonl(&self) -> PathBuf {
        self.0.join("samples/samples.jsonl")
    }

    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    pub fn checkpoint(&self, step: u64) -> PathBuf {
        self.checkpoints().join(format!("step-{step:08}"))
    }

    /// What the attempt's process said on its output.
    pub fn log(&self, attempt: u32) -> PathBuf {
        self.0.join(format!("logs/attempt-{attempt:02}.log"))
    }

    /// Opens that log for a process to write to, in a folder that a power cut does not take away.
    pub fn open_log(&self, attempt: u32) -> Result<File, TrackError> {
        let path = self.log(attempt);
        durable::create_dir(path.parent().expect("a log lies in its run's folder"))?;
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        opened.map_err(TrackError::write(&path))
    }

    pub(crate) fn lock_file(&self) -> PathBuf {
        self.0.join(".lock")
    }

    /// One file per attempt: `0001.json`, … No reader of results looks here.
    pub(crate) fn leases(&self) -> PathBuf {
        self.0.join("leases")
    }
}

/// Readable, unique by its end, and plain enough for every file system.
///
/// `=` is not kept: DuckDB and polars take a folder `key=value` for a hive
/// partition, and would add columns of their own to `runs/SWEEP/*/metrics/*.parquet`.
pub fn run_folder_name(label: &str, seed: u64, key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+');
    let label: String = label.chars().map(|c| if plain(c) { c } else { '-' }).take(64).collect();
    let label = label.trim_start_matches(['.', '-']).trim_end_matches('-');
    let label = if label.is_empty() { "run" } else { label };
    format!("{label}-s{seed}-{}", short_key(key))
}

/// The part of a run key that ends its folder's name.
pub(crate) fn short_key(key: &str) -> &str {
    key.get(..8).unwrap_or(key)
}

/// Relative to the run's folder. An id that a file name cannot hold is altered,
/// and then ends with 8 digits of its hash: no two ids share a file.
pub(crate) fn sample_path(step: u64, domain: &str, id: &str, kind: SampleKind) -> PathBuf {
    let mut name: String = id
        .replace('/', "__")
        .chars()
        .map(|c| if c.is_control() || r#"\:*?"<>|"#.contains(c) { '_' } else { c })
        .take(56) // of up to 4 bytes each: file names end at 255 bytes
        .collect();
    if name != id {
        name.push('-');
        name.push_str(&blake3::hash(id.as_bytes()).to_hex()[..8]);
    }
    PathBuf::from(format!("samples/step-{step:07}/{domain}_{name}.{}.png", kind.as_str()))
}

fn is_sweep_name(name: &str) -> bool {
    let tail = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(tail)
        // Windows drops a final dot.
        && !name.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweep_names() {
        let check = |name: &str, good: bool| {
            assert_eq!(SweepDir::new(Path::new("runs"), name).is_ok(), good, "{name:?}");
        };
        check("lambda", true);
        check("2-lambda_x.loss", true);
        check(&"x".repeat(64), true);
        for bad in
            ["", ".", "..", "ends.", "../x", "/abs", "a/b", "a\\b", "a\0", "-rf", ".hidden", "é"]
        {
            check(bad, false);
        }
        check(&"x".repeat(65), false);
    }

    #[test]
    fn run_folders() {
        let check = |label: &str, expected: &str| {
            assert_eq!(run_folder_name(label, 2, "3f9c1a2b00112233"), expected);
        };
        check("lambda_cycle=10", "lambda_cycle-10-s2-3f9c1a2b");
        check("gan_mode=lsgan, d=0.5", "gan_mode-lsgan--d-0.5-s2-3f9c1a2b");
        check("../../etc", "etc-s2-3f9c1a2b");
        check("λ", "run-s2-3f9c1a2b");
        check(&"x".repeat(99), &format!("{}-s2-3f9c1a2b", "x".repeat(64)));
    }

    #[test]
    fn sample_paths() {
        let check = |id: &str, expected: &str| {
            let path = sample_path(1200, "a", id, SampleKind::Fake);
            assert_eq!(path, Path::new("samples/step-0001200").join(expected));
        };
        check("n02381460_1000.jpg", "a_n02381460_1000.jpg.fake.png");
        check("testA/n02381460_1000.jpg", "a_testA__n02381460_1000.jpg-2a56082b.fake.png");
        check("../../x", "a_..__..__x-255fd6f5.fake.png");
        check("a\nb", "a_a_b-e1220d74.fake.png");
        check(&"🦓".repeat(56), &format!("a_{}.fake.png", "🦓".repeat(56)));
        check(&"🦓".repeat(99), &format!("a_{}-c7d5c65b.fake.png", "🦓".repeat(56)));
    }

    #[test]
    fn ids_that_look_alike_have_files_of_their_own() {
        let check = |one: &str, other: &str| {
            let [one, other] = [one, other].map(|id| sample_path(1, "a", id, SampleKind::Truth));
            assert_ne!(one, other);
            for path in [one, other] {
                assert!(path.file_name().unwrap().len() <= 255, "{path:?}");
            }
        };
        check("x/y", "x__y");
        check("x:y", "x?y");
        let long = "🦓".repeat(60);
        check(&format!("{long}1"), &format!("{long}2"));
    }
}
