//! Where and from what a run was computed: what two machines that disagree would be asked about.

use std::collections::BTreeMap;

use track::{DIFF_MAX_BYTES, Environment, Hardware, ProvenanceRecord, RunRecord, RunState};

use crate::escape::esc;
use crate::number::{grouped, plural};
use crate::page::Subject;

/// Name and value, in the order they are read in.
pub(super) type Facts = Vec<(&'static str, String)>;

/// What is known of a run, attempts side by side where they differ. What is not recorded is not in it.
pub(super) fn facts(subject: &Subject<'_>, run: &RunRecord) -> Facts {
    let mut facts: Facts = program(run).into_iter().collect();
    if let Some(code) = &run.code
        && run.program.as_ref().is_none_or(|it| it.to_string() != *code)
    {
        facts.push(("code, last attempt", code.clone()));
    }
    facts.extend(of_attempts(&run.provenance));
    if let Some(data) = &run.dataset {
        let counts = data.counts.iter().map(|(fold, a, b)| format!("{fold} {a} + {b}"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        facts.push((
            "data set",
            format!("{}, fingerprint {} ({counts})", data.name, data.fingerprint),
        ));
    }
    if let Some(size) = &run.parameters {
        let (made, judged) = (grouped(size.generators), grouped(size.discriminators));
        facts.push((
            "parameters",
            format!("{made} in the generators, {judged} in the discriminators"),
        ));
    }
    facts.push(("key", run.key.clone()));
    let trained_for = run.folder.parent().and_then(|it| it.file_name());
    let trained_for = trained_for.map(|it| it.to_string_lossy().into_owned());
    let own = subject.record.dir.file_name().map(|it| it.to_string_lossy().into_owned());
    if run.state != RunState::Planned
        && let (Some(sweep), Some(own)) = (trained_for, own)
        && sweep != own
        && run.program.is_some()
    {
        facts.push(("trained for", format!("sweep {sweep}, which asked the same before")));
    }
    facts
}

fn program(run: &RunRecord) -> Option<(&'static str, String)> {
    let program = run.program.as_ref()?;
    let commit = match (&program.commit, program.dirty) {
        (Some(commit), false) => format!("commit {commit}"),
        (Some(commit), true) => format!("commit {commit}, with changes that are not in it"),
        (None, _) => "built outside a repository".into(),
    };
    Some(("program", format!("cyclelab {}, {commit}", program.version)))
}

type Read = fn(&ProvenanceRecord) -> Option<String>;

/// In the order they are read in.
const NOTED: [(&str, Read); 11] = [
    ("host", |it| hardware(it).map(|it| it.host.clone())),
    ("system", |it| hardware(it).map(|it| it.os.clone())),
    ("processor", |it| hardware(it).map(|it| format!("{}, {}", it.cpu, plural(it.cores, "core")))),
    ("memory", |it| hardware(it)?.memory_mib.map(|it| format!("{:.1} GiB", it as f64 / 1024.0))),
    ("device", |it| hardware(it).map(|it| it.device.clone())),
    ("threads", threads),
    ("built with", |it| {
        let versions = &environment(it)?.versions;
        // rustc's own words begin with its name.
        let said =
            versions.iter().map(|(tool, version)| match version.starts_with(tool.as_str()) {
                true => version.clone(),
                false => format!("{tool} {version}"),
            });
        Some(said.collect::<Vec<_>>().join("; ")).filter(|it| !it.is_empty())
    }),
    ("environment", |it| {
        let others = environment(it)?.env.iter().filter(|(key, _)| *key != THREADS);
        let said = others.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
        Some(said.join(" ")).filter(|it| !it.is_empty())
    }),
    ("command", |it| {
        let said =
            environment(it)?.argv.iter().map(|word| match word.contains(char::is_whitespace) {
                true => format!("'{word}'"),
                false => word.clone(),
            });
        Some(said.collect::<Vec<_>>().join(" ")).filter(|it| !it.is_empty())
    }),
    ("typed in", |it| {
        it.changes.map(|bytes| match bytes {
            0 => "a folder without changes to tracked files, or in no repository".into(),
            DIFF_MAX_BYTES.. => {
                "a repository with 1 MiB or more of changes to tracked files".into()
            }
            bytes => format!("a repository with {} of changes to tracked files", size(bytes)),
        })
    }),
    // Not written, or not readable: the latter is named beneath the parts.
    ("missing", |it| {
        let missing =
            [("machine", it.hardware.is_none()), ("environment", it.environment.is_none())];
        let missing = missing.iter().filter(|(_, is)| *is).map(|(name, _)| *name);
        Some(missing.collect::<Vec<_>>().join(", ")).filter(|it| !it.is_empty())
    }),
];

const THREADS: &str = "RAYON_NUM_THREADS";

fn hardware(noted: &ProvenanceRecord) -> Option<&Hardware> {
    noted.hardware.as_ref()
}

fn environment(noted: &ProvenanceRecord) -> Option<&Environment> {
    noted.environment.as_ref()
}

fn threads(noted: &ProvenanceRecord) -> Option<String> {
    match environment(noted)?.env.get(THREADS) {
        Some(count) => Some(count.clone()),
        None => Some(format!("{}, one a core", hardware(noted)?.cores)),
    }
}

fn of_attempts(noted: &[ProvenanceRecord]) -> Facts {
    let mut facts = Facts::new();
    for (name, read) in NOTED {
        let said: Vec<(u32, Option<String>)> =
            noted.iter().map(|it| (it.attempt, read(it))).collect();
        let Some((_, first)) = said.first() else { continue };
        if said.iter().all(|(_, it)| it == first) {
            facts.extend(first.clone().map(|it| (name, it)));
            continue;
        }
        let each = said.into_iter().map(|(attempt, it)| {
            format!("attempt {attempt}: {}", it.as_deref().unwrap_or("not recorded"))
        });
        facts.push((name, each.collect::<Vec<_>>().join("; ")));
    }
    facts
}

/// What all runs that have begun agree on: told once on a page of many.
pub(super) fn shared(all: &[Facts]) -> Facts {
    let Some((first, others)) = all.split_first() else { return Facts::new() };
    let others: Vec<BTreeMap<&str, &String>> =
        others.iter().map(|facts| facts.iter().map(|(name, it)| (*name, it)).collect()).collect();
    let is_shared = |(name, value): &&(&'static str, String)| {
        others.iter().all(|facts| facts.get(name).is_some_and(|it| *it == value))
    };
    first.iter().filter(is_shared).cloned().collect()
}

pub(super) fn list(facts: &[(&'static str, String)]) -> String {
    let entry = |(name, value): &(&str, String)| {
        format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", esc(value))
    };
    format!("<dl class=\"provenance\">\n{}</dl>\n", facts.iter().map(entry).collect::<String>())
}

/// In decimal units, as disks are sold.
pub(super) fn size(bytes: u64) -> String {
    let value = bytes as f64;
    match value {
        ..1e3 => plural(bytes as usize, "byte"),
        ..1e6 => format!("{:.1} kB", value / 1e3),
        ..1e9 => format!("{:.1} MB", value / 1e6),
        _ => format!("{:.1} GB", value / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_is_the_same_in_all() {
        let facts = |host: &str| vec![("host", host.to_string()), ("device", "cpu".into())];
        assert_eq!(shared(&[facts("a"), facts("b")]), [("device", "cpu".to_string())]);
        assert_eq!(shared(&[facts("a"), facts("a")]), facts("a"));
        assert_eq!(shared(&[facts("a"), vec![]]), []);
        assert_eq!(shared(&[]), []);
    }

    #[test]
    fn attempts_that_differ_stand_side_by_side() {
        let noted = |attempt, device: Option<&str>| ProvenanceRecord {
            attempt,
            hardware: device.map(|device| Hardware {
                host: "box".into(),
                os: "Linux".into(),
                cpu: "x".into(),
                cores: 2,
                memory_mib: None,
                device: device.into(),
            }),
            environment: None,
            changes: None,
        };
        let said = |all: &[ProvenanceRecord], name: &str| {
            of_attempts(all).into_iter().find(|it| it.0 == name).map(|it| it.1)
        };
        let both = [noted(1, Some("cpu")), noted(2, Some("cuda:0"))];
        assert_eq!(said(&both, "device").unwrap(), "attempt 1: cpu; attempt 2: cuda:0");
        assert_eq!((said(&both, "host").as_deref(), said(&both, "memory")), (Some("box"), None));
        let lost = [noted(1, Some("cpu")), noted(3, None)];
        assert_eq!(said(&lost, "device").unwrap(), "attempt 1: cpu; attempt 3: not recorded");
        assert_eq!(
            said(&lost, "missing").unwrap(),
            "attempt 1: environment; attempt 3: machine, environment"
        );
    }
}
