//! `plan.jsonl`: what was asked in the first line, one planned run in each after it.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::durable;
use crate::error::TrackError;
use crate::identity::check_schema_rev;
use crate::layout::SweepDir;
use crate::record::PlanRecord;
use crate::schema::SCHEMA_REV;

/// One run as planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanEntry {
    pub index: usize,
    /// The question without its seed.
    pub point_id: String,
    /// 16 hex digits.
    pub key: String,
    /// Index into `PlanRecord::cells`.
    pub cell: usize,
    pub seed: u64,
    pub label: String,
    /// Relative to the runs root, `/` between its parts; another sweep's where it asked the same.
    pub folder: String,
    /// The resolved `RunConfig`.
    pub config: Value,
    /// Who set each leaf, in words.
    pub origins: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct Header<P> {
    schema_rev: u32,
    plan: P,
}

impl SweepDir {
    /// Replaces the plan whole.
    pub fn write_plan(&self, plan: &PlanRecord, runs: &[PlanEntry]) -> Result<(), TrackError> {
        let path = self.plan();
        let mut text = Vec::new();
        let mut line = |value: serde_json::Result<Vec<u8>>| {
            text.extend(value.map_err(|error| TrackError::write(&path)(error.into()))?);
            text.push(b'\n');
            Ok(())
        };
        line(serde_json::to_vec(&Header { schema_rev: SCHEMA_REV, plan }))?;
        for run in runs {
            line(serde_json::to_vec(run))?;
        }
        durable::replace(&path, &text)
    }

    /// # Errors
    /// `NoSweep` where there is no plan. A plan is written whole, so unlike a
    /// log it is not read around damage.
    pub fn read_plan(&self) -> Result<(PlanRecord, Vec<PlanEntry>), TrackError> {
        let path = self.plan();
        let text = fs::read(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                TrackError::NoSweep { path: self.path().to_owned(), near: self.near() }
            }
            _ => TrackError::read(&path)(error),
        })?;
        let damaged = |line: usize, reason: &dyn ToString| {
            TrackError::damaged(&path, format!("line {line}: {}", reason.to_string()))
        };
        let mut lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let first = lines.next().ok_or_else(|| damaged(1, &"empty"))?;
        let header: Header<Value> =
            serde_json::from_slice(first).map_err(|error| damaged(1, &error))?;
        check_schema_rev(&path, Some(header.schema_rev.into()))?;
        let plan = serde_json::from_value(header.plan).map_err(|error| damaged(1, &error))?;
        let mut runs = Vec::new();
        for (index, line) in lines.enumerate() {
            let run: PlanEntry =
                serde_json::from_slice(line).map_err(|error| damaged(index + 2, &error))?;
            if !stays_inside(&run.folder) {
                return Err(damaged(index + 2, &format!("folder `{}`", run.folder)));
            }
            runs.push(run);
        }
        Ok((plan, runs))
    }

    /// The planned sweep beside this one whose name is most like its own, for who mistyped it.
    fn near(&self) -> Option<String> {
        const ALIKE: f64 = 0.6;
        let wanted = self.name();
        let beside = fs::read_dir(self.path().parent()?).ok()?;
        beside
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|sweep| sweep.join("plan.jsonl").is_file())
            .filter_map(|sweep| Some(sweep.file_name()?.to_string_lossy().into_owned()))
            .map(|name| (strsim::normalized_damerau_levenshtein(&wanted, &name), name))
            .filter(|(alike, _)| *alike >= ALIKE)
            .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)))
            .map(|(_, name)| name)
    }
}

/// Folders of a plan are joined to the runs root; none may lead out of it.
fn stays_inside(folder: &str) -> bool {
    !folder.is_empty()
        && Path::new(folder).components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn round_trip_and_rewrite() {
        let store = fixture::Store::new();
        let runs = [fixture::entry(0), fixture::entry(1)];
        store.sweep.write_plan(&fixture::plan(), &runs).unwrap();
        assert_eq!(store.sweep.read_plan().unwrap(), (fixture::plan(), runs.to_vec()));
        store.sweep.write_plan(&fixture::plan(), &runs[..1]).unwrap();
        assert_eq!(store.sweep.read_plan().unwrap().1, &runs[..1]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let store = fixture::Store::new();
        store.sweep.write_plan(&fixture::plan(), &[fixture::entry(0)]).unwrap();
        let good = fs::read_to_string(store.sweep.plan()).unwrap();
        let check = |text: &str, expected: &str| {
            fs::write(store.sweep.plan(), text).unwrap();
            let error = store.sweep.read_plan().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("", "line 1: empty");
        check(&good[..good.len() - 9], "line 2: ");
        check(&good.replace("\"schema_rev\":1", "\"schema_rev\":9"), "format 9");
        check(&good.replace("lambda/", "../lambda/"), "line 2: folder `../lambda/");
        check(&good.replace("lambda/", "/lambda/"), "line 2: folder `/lambda/");
        fs::remove_file(store.sweep.plan()).unwrap();
        assert!(matches!(store.sweep.read_plan(), Err(TrackError::NoSweep { .. })));
    }
}
