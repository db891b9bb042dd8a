//! Checkpoints: folders that are whole or absent, proven by a manifest.
//!
//! Written under a temporary name, fsynced, renamed. Older ones go only after
//! the new one has been read back and verifies.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::durable::{self, TEMP_PREFIX};
use crate::error::TrackError;
use crate::layout::RunDir;

const MANIFEST: &str = "MANIFEST.json";
const STATE: &str = "state.json";

/// A checkpoint being written.
pub struct CheckpointDir {
    run: RunDir,
    step: u64,
    temp: PathBuf,
}

/// A checkpoint that verifies.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    pub step: u64,
    pub path: PathBuf,
    /// As given to `commit`.
    pub state: Value,
}

/// What there is to go on from.
#[derive(Debug, Default, PartialEq)]
pub struct Restore {
    pub found: Option<Checkpoint>,
    /// Newer ones that do not verify, and why; worth a warning each.
    pub rejected: Vec<(PathBuf, String)>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    step: u64,
    /// By name.
    files: Vec<ManifestFile>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestFile {
    name: String,
    size: u64,
    blake3: String,
}

impl CheckpointDir {
    /// Makes an empty folder for the caller's files.
    pub fn begin(run: &RunDir, attempt: u32, step: u64) -> Result<Self, TrackError> {
        let name = format!("{TEMP_PREFIX}a{attempt:02}-{step:08}");
        let temp = run.checkpoints().join(name);
        remove_if_there(&temp)?;
        durable::create_dir(&temp)?;
        Ok(CheckpointDir { run: run.clone(), step, temp })
    }

    /// Where to write the file of that name. No folders inside a checkpoint.
    pub fn file(&self, name: &str) -> PathBuf {
        self.temp.join(name)
    }

    /// Seals the folder with `state.json` and the manifest and gives it its
    /// name; then removes all but the newest `keep`. Returns its path.
    ///
    /// Rows up to this step are sealed before, or a resume would lose them.
    pub fn commit(self, state: &Value, keep: usize) -> Result<PathBuf, TrackError> {
        let CheckpointDir { run, step, temp } = self;
        let state_path = temp.join(STATE);
        fs::write(&state_path, durable::pretty_json(&state_path, state)?)
            .map_err(TrackError::write(&state_path))?;
        let manifest = Manifest { format: 1, step, files: describe(&temp)? };
        let manifest_path = temp.join(MANIFEST);
        fs::write(&manifest_path, manifest.text()).map_err(TrackError::write(&manifest_path))?;
        for name in manifest.files.iter().map(|file| file.name.as_str()).chain([MANIFEST]) {
            let path = temp.join(name);
            File::open(&path).and_then(|file| file.sync_all()).map_err(TrackError::write(&path))?;
        }
        durable::sync_dir(&temp)?;

        let path = run.checkpoint(step);
        if path.exists() {
            // The same step again: a good one is as good as this one, a damaged one makes room.
            if verify(&path, step).is_ok() {
                remove_if_there(&temp)?;
                return Ok(path);
            }
            discard(&path)?;
        }
        durable::rename(&temp, &path)?;
        verify(&path, step).map_err(|reason| TrackError::damaged(&path, reason))?;
        keep_newest(&run, keep)?;
        Ok(path)
    }
}

/// The newest checkpoint whose manifest verifies.
pub fn newest_valid(run: &RunDir) -> Result<Restore, TrackError> {
    let mut restore = Restore::default();
    for (step, path) in newest_first(run)? {
        match verify(&path, step) {
            Ok(state) => {
                restore.found = Some(Checkpoint { step, path, state });
                break;
            }
            Err(reason) => restore.rejected.push((path, reason)),
        }
    }
    Ok(restore)
}

/// Removes all but the newest `keep` checkpoints.
pub fn keep_newest(run: &RunDir, keep: usize) -> Result<(), TrackError> {
    newest_first(run)?.iter().skip(keep).try_for_each(|(_, path)| discard(path))
}

fn newest_first(run: &RunDir) -> Result<Vec<(u64, PathBuf)>, TrackError> {
    let dir = run.checkpoints();
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(TrackError::read(&dir)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(TrackError::read(&dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(step) = name.and_then(|name| name.strip_prefix("step-")?.parse().ok()) {
            found.push((step, path));
        }
    }
    found.sort_by_key(|(step, _)| std::cmp::Reverse(*step));
    Ok(found)
}

/// The state of a checkpoint that is as it was written, or what is wrong with it.
fn verify(path: &Path, step: u64) -> Result<Value, String> {
    let text = fs::read(path.join(MANIFEST)).map_err(|error| format!("{MANIFEST}: {error}"))?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| format!("{MANIFEST}: {error}"))?;
    // Written and read by the same code: a byte that is different is a byte that was changed.
    if manifest.text() != text {
        return Err(format!("{MANIFEST}: not as written"));
    }
    if manifest.format != 1 {
        return Err(format!("{MANIFEST}: format {}", manifest.format));
    }
    if manifest.step != step {
        return Err(format!("{MANIFEST}: of step {}", manifest.step));
    }
    for listed in &manifest.files {
        let found = describe_file(&path.join(&listed.name), &listed.name)
            .map_err(|error| format!("{}: {error}", listed.name))?;
        if found.size != listed.size {
            return Err(format!("{}: {} bytes of {}", listed.name, found.size, listed.size));
        }
        if found.blake3 != listed.blake3 {
            return Err(format!("{}: content changed", listed.name));
        }
    }
    let state = fs::read(path.join(STATE)).map_err(|error| format!("{STATE}: {error}"))?;
    serde_json::from_slice(&state).map_err(|error| format!("{STATE}: {error}"))
}

impl Manifest {
    fn text(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers are JSON")
    }
}

fn describe(dir: &Path) -> Result<Vec<ManifestFile>, TrackError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(TrackError::read(dir))? {
        let path = entry.map_err(TrackError::read(dir))?.path();
        let name = path.file_name().expect("listed by name").to_string_lossy().into_owned();
        files.push(describe_file(&path, &name).map_err(TrackError::read(&path))?);
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn describe_file(path: &Path, name: &str) -> std::io::Result<ManifestFile> {
    let mut hasher = blake3::Hasher::new();
    let size = std::io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(ManifestFile { name: name.to_owned(), size, blake3: hasher.finalize().to_string() })
}

/// Out of sight first: a removal cut short must not look like a damaged checkpoint.
fn discard(path: &Path) -> Result<(), TrackError> {
    let name = path.file_name().expect("listed by name").to_string_lossy();
    let temp = path.with_file_name(format!("{TEMP_PREFIX}old-{name}"));
    remove_if_there(&temp)?;
    durable::rename(path, &temp)?;
    remove_if_there(&temp)
}

fn remove_if_there(dir: &Path) -> Result<(), TrackError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(TrackError::write(dir)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Store;
    use serde_json::json;

    fn commit(store: &Store, step: u64, keep: usize) -> PathBuf {
        let checkpoint = CheckpointDir::begin(&store.run, 1, step).unwrap();
        fs::write(checkpoint.file("gen_ab.safetensors"), format!("weights {step}")).unwrap();
        fs::write(checkpoint.file("pool.bin"), b"").unwrap();
        checkpoint.commit(&json!({ "step": step, "lr": 0.1 }), keep).unwrap()
    }

    fn steps(store: &Store) -> Vec<u64> {
        newest_first(&store.run).unwrap().into_iter().map(|(step, _)| step).collect()
    }

    #[test]
    fn committed_restored_and_pruned() {
        let store = Store::new();
        assert_eq!(newest_valid(&store.run).unwrap(), Restore::default());
        let unfinished = CheckpointDir::begin(&store.run, 1, 9).unwrap();
        fs::write(unfinished.file("gen_ab.safetensors"), b"half").unwrap();
        assert_eq!(newest_valid(&store.run).unwrap(), Restore::default());

        for step in [10, 20, 30] {
            let path = commit(&store, step, 2);
            assert_eq!(path, store.run.checkpoint(step));
            let Restore { found, rejected } = newest_valid(&store.run).unwrap();
            let found = found.unwrap();
            assert_eq!((found.step, found.path), (step, path));
            assert_eq!(found.state, json!({ "step": step, "lr": 0.1 }));
            assert_eq!(rejected, []);
        }
        assert_eq!(steps(&store), [30, 20]);
        assert_eq!(commit(&store, 30, 2), store.run.checkpoint(30));
        keep_newest(&store.run, 1).unwrap();
        assert_eq!(steps(&store), [30]);
        let left = fs::read_dir(store.run.checkpoints()).unwrap().count();
        assert_eq!(left, 2, "step 30 and the unfinished one of step 9");
    }

    #[test]
    fn one_byte_changed_anywhere_falls_back_to_the_older() {
        let store = Store::new();
        commit(&store, 10, 2);
        let newest = commit(&store, 20, 2);
        for name in ["gen_ab.safetensors", STATE, MANIFEST] {
            let path = newest.join(name);
            let good = fs::read(&path).unwrap();
            for index in 0..good.len() {
                for mask in [0x01, 0x20, 0x80] {
                    let mut bad = good.clone();
                    bad[index] ^= mask;
                    fs::write(&path, bad).unwrap();
                    let restore = newest_valid(&store.run).unwrap();
                    let at = format!("{name} byte {index} mask {mask:#x}");
                    assert_eq!(restore.found.map(|found| found.step), Some(10), "{at}");
                    assert_eq!(restore.rejected.len(), 1, "{at}");
                    assert!(restore.rejected[0].1.starts_with(name) || name == MANIFEST, "{at}");
                }
            }
            fs::write(&path, good).unwrap();
        }
        assert_eq!(newest_valid(&store.run).unwrap().found.unwrap().step, 20);
    }

    #[test]
    fn missing_grown_or_moved_is_rejected() {
        let check = |spoil: &dyn Fn(&Store), reason: &str| {
            let store = Store::new();
            commit(&store, 10, 2);
            commit(&store, 20, 2);
            spoil(&store);
            let restore = newest_valid(&store.run).unwrap();
            assert!(restore.rejected[0].1.contains(reason), "{:?}", restore.rejected);
            assert_eq!(restore.found.unwrap().step, 10);
            // A new one at the damaged step takes its place.
            commit(&store, 20, 2);
            assert_eq!(newest_valid(&store.run).unwrap().found.unwrap().step, 20);
        };
        let newest = |store: &Store, name: &str| store.run.checkpoint(20).join(name);
        check(&|store| fs::remove_file(newest(store, "pool.bin")).unwrap(), "pool.bin: ");
        check(&|store| fs::write(newest(store, "pool.bin"), b"x").unwrap(), "1 bytes of 0");
        check(&|store| fs::remove_file(newest(store, MANIFEST)).unwrap(), MANIFEST);
        check(
            &|store| {
                fs::remove_dir_all(store.run.checkpoint(20)).unwrap();
                fs::create_dir(store.run.checkpoint(20)).unwrap();
                for entry in fs::read_dir(store.run.checkpoint(10)).unwrap() {
                    let from = entry.unwrap().path();
                    fs::copy(&from, newest(store, from.file_name().unwrap().to_str().unwrap()))
                        .unwrap();
                }
            },
            "of step 10",
        );
    }
}
