//! What proves a checkpoint: whose it is, of which step, and the size and hash of every file.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::TrackError;

pub(crate) const MANIFEST: &str = "MANIFEST.json";
pub(crate) const STATE: &str = "state.json";

const FORMAT: u32 = 1;

/// Far beyond a dozen files, and soon read where something else has that name.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: u32,
    step: u64,
    /// The run's key. Absent in manifests of before it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    /// By name, each once.
    files: Vec<ManifestFile>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestFile {
    name: String,
    size: u64,
    blake3: String,
}

impl Manifest {
    /// Of a folder's files as they are.
    pub(crate) fn of(dir: &Path, key: &str, step: u64) -> Result<Self, TrackError> {
        let names = names(dir).map_err(TrackError::read(dir))?;
        let file = |name: String| {
            let path = dir.join(&name);
            describe(&path, name).map_err(TrackError::read(&path))
        };
        let files = names.into_iter().map(file).collect::<Result<_, _>>()?;
        Ok(Manifest { format: FORMAT, step, run: Some(key.to_owned()), files })
    }

    pub(crate) fn text(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers are JSON")
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.name.as_str())
    }
}

/// A manifest as this program writes it, or what is wrong with it.
pub fn parse_manifest(text: &[u8]) -> Result<Manifest, String> {
    // Looked at first: a later format need not have the fields of this one.
    #[derive(Deserialize)]
    struct Versioned {
        format: u32,
    }
    let Versioned { format } = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if format != FORMAT {
        return Err(format!("format {format}; this build reads {FORMAT}"));
    }
    let manifest: Manifest = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    // Written and read by the same code: a byte that is different is a byte that was changed.
    if manifest.text() != text {
        return Err("not as written".to_owned());
    }
    if let Some(name) = manifest.names().find(|name| !is_plain(name)) {
        return Err(format!("{name:?} cannot name a file of a checkpoint"));
    }
    if !manifest.names().is_sorted_by(|a, b| a < b) {
        return Err("files out of order".to_owned());
    }
    // Otherwise nothing would prove the state.
    if !manifest.names().any(|name| name == STATE) {
        return Err(format!("{STATE} is not listed"));
    }
    Ok(manifest)
}

/// The state of a checkpoint that is as it was written, or what is wrong with it. Without a key, or
/// in a manifest of before there was one, the run is not compared.
pub(crate) fn verify(dir: &Path, key: Option<&str>, step: u64) -> Result<Value, String> {
    let manifest = look(dir, key, step)?;
    for listed in &manifest.files {
        listed.verify(dir).map_err(|reason| format!("{}: {reason}", listed.name))?;
    }
    let state = fs::read(dir.join(STATE)).map_err(|error| format!("{STATE}: {error}"))?;
    serde_json::from_slice(&state).map_err(|error| format!("{STATE}: {error}"))
}

/// What can be said of a checkpoint without reading its weights: that its manifest is this run's, and
/// that the files it lists, and no others, are there with their sizes.
pub(crate) fn look(dir: &Path, key: Option<&str>, step: u64) -> Result<Manifest, String> {
    let in_manifest = |reason: String| format!("{MANIFEST}: {reason}");
    let text = read_regular(&dir.join(MANIFEST), MAX_BYTES).map_err(in_manifest)?;
    let manifest = parse_manifest(&text).map_err(in_manifest)?;
    if let (Some(found), Some(key)) = (&manifest.run, key)
        && found != key
    {
        return Err(in_manifest(format!("of run {found}, not {key}")));
    }
    if manifest.step != step {
        return Err(in_manifest(format!("of step {}", manifest.step)));
    }
    for listed in &manifest.files {
        listed.expect_size(dir).map_err(|reason| format!("{}: {reason}", listed.name))?;
    }
    // A loader that looks for a file by its name must not find one that nothing proves.
    let found = names(dir).map_err(|error| error.to_string())?;
    let listed = |name: &str| name == MANIFEST || manifest.names().any(|it| it == name);
    if let Some(name) = found.into_iter().find(|name| !listed(name)) {
        return Err(format!("{name}: not in {MANIFEST}"));
    }
    Ok(manifest)
}

impl ManifestFile {
    fn expect_size(&self, dir: &Path) -> Result<(), String> {
        let size = regular_size(&dir.join(&self.name))?;
        if size == self.size { Ok(()) } else { Err(format!("{size} bytes of {}", self.size)) }
    }

    fn verify(&self, dir: &Path) -> Result<(), String> {
        let path = dir.join(&self.name);
        let found = describe(&path, self.name.clone()).map_err(|error| error.to_string())?;
        if found == *self { Ok(()) } else { Err("content changed".to_owned()) }
    }
}

/// In name order, without those with a dot in front: desktops and network file systems leave such
/// files (`.DS_Store`, `.nfs…`), and no file of a checkpoint is named so.
fn names(dir: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// A name is joined to a folder's path: nothing may lead out of it.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| !c.is_control() && !r#"/\:"#.contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain) && name != MANIFEST
}

fn describe(path: &Path, name: String) -> std::io::Result<ManifestFile> {
    let mut hasher = blake3::Hasher::new();
    let size = std::io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(ManifestFile { name, size, blake3: hasher.finalize().to_string() })
}

/// Of a file, no link and no pipe, and no longer than `most`.
pub(crate) fn read_regular(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let size = regular_size(path)?;
    if size > most {
        return Err(format!("{size} bytes"));
    }
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut text))
        .map_err(|error| error.to_string())?;
    Ok(text)
}

/// Asked before a file is opened: the opening of a pipe waits for its writer.
fn regular_size(path: &Path) -> Result<u64, String> {
    let found = fs::symlink_metadata(path).map_err(|error| error.to_string())?;
    if found.is_file() { Ok(found.len()) } else { Err("not a file".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Manifests of two files, altered.
    fn check(from: &str, to: &str, expected: Result<(), &str>) {
        let file = |name: &str| ManifestFile { name: name.into(), size: 3, blake3: "00".into() };
        let files = vec![file("gen_ab.safetensors"), file(STATE)];
        let manifest = Manifest { format: 1, step: 10, run: Some("3f9c".into()), files };
        let text = String::from_utf8(manifest.text()).unwrap();
        assert!(text.contains(from), "{from}");
        match (parse_manifest(text.replacen(from, to, 1).as_bytes()), expected) {
            (Ok(_), Ok(())) => {}
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{to}: {found}"),
            (found, _) => panic!("{from} → {to}: {found:?}"),
        }
    }

    #[test]
    fn what_a_manifest_may_say() {
        check("", "", Ok(()));
        check(r#""run":"3f9c","#, "", Ok(()));
        check(r#""format":1"#, r#""format":2"#, Err("format 2; this build reads 1"));
        check(r#""format":1"#, r#""format":2,"more":true"#, Err("format 2; this build reads 1"));
        check(r#""step""#, r#""stop""#, Err("unknown field `stop`"));
        check(":10", ": 10", Err("not as written"));
        check(":10", ":1e1", Err(""));
        check("gen_ab", "tate_ab", Err("files out of order"));
        check("gen_ab.safetensors", STATE, Err("files out of order"));
        check(r#""state.json""#, r#""stale.json""#, Err("state.json is not listed"));
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let refused = |name: &str| {
            check("gen_ab.safetensors", name, Err("cannot name a file of a checkpoint"))
        };
        let names =
            ["../x", "..", ".", "", "/etc/passwd", "a/b", r"a\\b", "C:x", r"\u0000", ".nfs1"];
        for name in names {
            refused(name);
        }
        refused(MANIFEST);
    }
}
