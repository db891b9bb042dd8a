//! Under which circumstances a run was computed, as far as they can change its numbers.

use std::collections::BTreeSet;

use crate::error::TrackError;
use crate::event::{Event, RunEvents};
use crate::layout::RunDir;
use crate::provenance::{Environment, Hardware, read_json};

impl RunDir {
    /// Name and value: `code`, `device`, `processor`, `threads`, `data set`, `training revision`, and
    /// the versions of compiler and backend. Where attempts differed, all values, joined.
    /// What was not recorded is left out.
    pub fn circumstances(&self) -> Result<Vec<(String, String)>, TrackError> {
        let mut found = Found::default();
        let (events, _) = RunEvents::read(&self.events())?;
        let mut attempts = BTreeSet::new();
        for stamped in events {
            if let Event::Started { attempt, device, code, .. } = stamped.event {
                found.add("code", code);
                found.add("device", device);
                attempts.insert(attempt);
            }
        }
        for attempt in attempts {
            self.add_provenance(attempt, &mut found)?;
        }
        if let Some(identity) = self.read_identity()? {
            found.add("data set", identity.dataset.fingerprint);
            found.add("training revision", identity.training_rev.to_string());
        }
        Ok(found.0.into_iter().map(|(name, values)| (name, values.join(", "))).collect())
    }

    fn add_provenance(&self, attempt: u32, found: &mut Found) -> Result<(), TrackError> {
        let dir = self.provenance(attempt);
        let hardware: Option<Hardware> = read_json(&dir.join("hw.json"))?;
        let environment: Option<Environment> = read_json(&dir.join("env.json"))?;
        let asked = environment.as_ref().and_then(|it| it.env.get("RAYON_NUM_THREADS").cloned());
        if let Some(hardware) = hardware {
            found.add("processor", hardware.cpu);
            // One thread a core, unless asked otherwise.
            found.add("threads", asked.unwrap_or_else(|| hardware.cores.to_string()));
        }
        for (tool, version) in environment.into_iter().flat_map(|it| it.versions) {
            found.add(&tool, version);
        }
        Ok(())
    }
}

/// In order of appearance, each value once.
#[derive(Default)]
struct Found(Vec<(String, Vec<String>)>);

impl Found {
    fn add(&mut self, name: &str, value: String) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) if values.contains(&value) => {}
            Some((_, values)) => values.push(value),
            None => self.0.push((name.to_owned(), vec![value])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, Store};
    use crate::provenance::{Provenance, SourceTree};

    #[test]
    fn every_attempt_counts() {
        let store = Store::new();
        store.run.write_identity(&fixture::identity(0), "", &serde_json::Value::Null).unwrap();
        let mut events = RunEvents::open(&store.run.events()).unwrap();
        for (attempt, code) in [(1, "aaaa"), (2, "bbbb")] {
            let started = Event::Started {
                attempt,
                device: "cpu".into(),
                pid: 1,
                host: "h".into(),
                code: code.into(),
                argv: vec![],
            };
            events.append(&started).unwrap();
            let env = [("RAYON_NUM_THREADS".into(), "3".into())];
            let versions = [("burn".to_owned(), "0.22".to_owned())].into();
            let source = SourceTree::default();
            let provenance = Provenance::collect(vec![], env, versions, "cpu".into(), source);
            store.run.write_provenance(attempt, &provenance, &fixture::dataset()).unwrap();
        }
        let found = store.run.circumstances().unwrap();
        let check = |name: &str, expected: &str| {
            let value = found.iter().find(|(known, _)| known == name).map(|(_, it)| it.as_str());
            assert_eq!(value, Some(expected), "{name}: {found:?}");
        };
        check("code", "aaaa, bbbb");
        check("device", "cpu");
        check("threads", "3");
        check("burn", "0.22");
        check("data set", "f");
        check("training revision", "1");
    }
}
