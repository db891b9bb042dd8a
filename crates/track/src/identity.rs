//! What a run is: written once, before its first step.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::durable;
use crate::error::TrackError;
use crate::layout::RunDir;
use crate::record::DatasetRecord;
use crate::schema::SCHEMA_REV;

/// The content of `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunIdentity {
    /// Format of the run's folder.
    pub schema_rev: u32,
    /// 16 hex digits: the point and the seed.
    pub key: String,
    /// The question without its seed.
    pub point_id: String,
    pub seed: u64,
    /// The sweep that asked first; others may refer to the run.
    pub sweep: String,
    pub label: String,
    /// Raised on purpose when the same configuration begins to mean something else.
    pub training_rev: u32,
    /// The resolved `RunConfig`, kept as JSON: a folder stays readable when a leaf is added.
    pub config: Value,
    pub dataset: DatasetRecord,
    /// Recorded, not part of the key: hashing it would retrain everything after an edit of a README.
    pub code: CodeVersion,
    /// RFC 3339 UTC.
    pub created_at: String,
}

/// Which program computed the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeVersion {
    /// Full hash; absent outside a repository.
    pub commit: Option<String>,
    /// Tracked files differed from the commit.
    pub dirty: bool,
    /// The program's own version.
    pub version: String,
}

/// `3f9c1a2b4d5e-dirty`, or the version where there is no commit.
impl fmt::Display for CodeVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.commit {
            Some(commit) => f.write_str(commit.get(..12).unwrap_or(commit))?,
            None => f.write_str(&self.version)?,
        }
        f.write_str(if self.dirty { "-dirty" } else { "" })
    }
}

impl RunDir {
    /// Writes `config.toml`, `config.origin.json` and, last, `run.json`: a
    /// folder that has the last has all. A folder that is already this run's is
    /// left as it is.
    ///
    /// # Errors
    /// `OtherRun` where the folder belongs to another key.
    pub fn write_identity(
        &self,
        identity: &RunIdentity,
        config_toml: &str,
        origin: &Value,
    ) -> Result<(), TrackError> {
        if let Some(found) = self.read_identity()? {
            return self.expect_key(&found.key, &identity.key);
        }
        durable::create_dir(self.path())?;
        durable::replace(&self.config_toml(), config_toml.as_bytes())?;
        let origin_path = self.config_origin();
        durable::replace(&origin_path, &durable::pretty_json(&origin_path, origin)?)?;
        let path = self.run_json();
        durable::create(&path, &durable::pretty_json(&path, identity)?)
    }

    /// `None` where no run has begun in this folder.
    ///
    /// # Errors
    /// `TooNew` where a later version wrote it; `Damaged` where it is not ours at all.
    pub fn read_identity(&self) -> Result<Option<RunIdentity>, TrackError> {
        let path = self.run_json();
        match fs::read(&path) {
            Ok(text) => parse_versioned(&path, &text).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(TrackError::read(&path)(error)),
        }
    }

    pub(crate) fn expect_key(&self, found: &str, wanted: &str) -> Result<(), TrackError> {
        if found == wanted {
            return Ok(());
        }
        let (found, wanted) = (found.to_owned(), wanted.to_owned());
        Err(TrackError::OtherRun { path: self.path().to_owned(), found, wanted })
    }
}

/// Reads JSON with a `schema_rev`, which is looked at first: a later format
/// need not have the fields of this one.
pub(crate) fn parse_versioned<T: DeserializeOwned>(
    path: &Path,
    text: &[u8],
) -> Result<T, TrackError> {
    let damaged = |error: serde_json::Error| TrackError::damaged(path, error);
    let value: Value = serde_json::from_slice(text).map_err(damaged)?;
    check_schema_rev(path, value["schema_rev"].as_u64())?;
    serde_json::from_value(value).map_err(damaged)
}

pub(crate) fn check_schema_rev(path: &Path, found: Option<u64>) -> Result<(), TrackError> {
    match found {
        Some(found) if found <= u64::from(SCHEMA_REV) => Ok(()),
        Some(found) => Err(TrackError::TooNew {
            path: path.to_owned(),
            found: u32::try_from(found).unwrap_or(u32::MAX),
            supported: SCHEMA_REV,
        }),
        None => Err(TrackError::damaged(path, "no schema_rev")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn written_once() {
        let store = fixture::Store::new();
        let identity = fixture::identity(0);
        let write =
            |identity: &RunIdentity| store.run.write_identity(identity, "[data]\n", &Value::Null);
        assert_eq!(store.run.read_identity().unwrap(), None);
        write(&identity).unwrap();
        assert_eq!(store.run.read_identity().unwrap(), Some(identity.clone()));

        write(&RunIdentity { label: "renamed".into(), ..identity.clone() }).unwrap();
        assert_eq!(store.run.read_identity().unwrap().unwrap().label, identity.label);
        let other = RunIdentity { key: "ffff".into(), ..identity };
        assert!(matches!(write(&other), Err(TrackError::OtherRun { .. })));
    }

    #[test]
    fn a_later_format_is_refused_by_its_number() {
        let store = fixture::Store::new();
        fs::write(store.run.run_json(), r#"{"schema_rev": 999, "unlike": "anything"}"#).unwrap();
        let error = store.run.read_identity().unwrap_err();
        assert!(matches!(error, TrackError::TooNew { found: 999, .. }), "{error}");
        fs::write(store.run.run_json(), r#"{"schema_rev": 1, "key""#).unwrap();
        let error = store.run.read_identity().unwrap_err();
        assert!(matches!(error, TrackError::Damaged { .. }), "{error}");
    }

    #[test]
    fn code_in_words() {
        let check = |commit: Option<&str>, dirty, expected: &str| {
            let commit = commit.map(str::to_owned);
            let code = CodeVersion { commit, dirty, version: "0.1.0".into() };
            assert_eq!(code.to_string(), expected);
        };
        check(Some("3f9c1a2b4d5e60718293a4b5c6d7e8f901234567"), false, "3f9c1a2b4d5e");
        check(Some("3f9c1a2b4d5e60718293a4b5c6d7e8f901234567"), true, "3f9c1a2b4d5e-dirty");
        check(None, false, "0.1.0");
    }
}
