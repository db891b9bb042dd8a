//! `[limits]`, `[exec]` and `[samples]`: how a plan is carried out, not what it asks.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::diagnostic::{Findings, Located, Place};
use crate::node::{Node, Value};
use crate::retries::{Retries, read_retries};
use crate::section::Section;

/// When to refuse, to stop a run, or to start no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// A plan with more runs is an error, never a silent sample.
    pub max_runs: u64,
    /// A run whose process has worked for so long is stopped.
    pub run_timeout: Option<Duration>,
    /// Likewise one that has made no progress for so long.
    pub stall_timeout: Option<Duration>,
    /// No run starts after this.
    pub total_time: Option<Duration>,
    /// No run starts after this many have failed.
    pub max_failures: Option<u64>,
    /// Bytes that must stay free.
    pub disk_free_min: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_runs: 200,
            run_timeout: None,
            stall_timeout: None,
            total_time: None,
            max_failures: None,
            disk_free_min: None,
        }
    }
}

/// Where and in which order runs happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exec {
    pub devices: Devices,
    pub slots_per_device: Slots,
    pub order: RunOrder,
    pub retries: Retries,
    pub on_code_change: OnCodeChange,
}

impl Default for Exec {
    fn default() -> Self {
        Exec {
            devices: Devices::Auto,
            slots_per_device: Slots::Count(1),
            order: RunOrder::SeedMajor,
            retries: Retries::default(),
            on_code_change: OnCodeChange::Warn,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Devices {
    /// Every GPU that is present, else the CPU.
    Auto,
    Cpu,
    /// These, such as `cuda:0`.
    Named(Vec<String>),
}

/// Runs at a time on one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slots {
    Auto,
    Count(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunOrder {
    /// Every cell with the first seed, then with the second: an early stop leaves whole replicates.
    SeedMajor,
    /// Every seed of the first cell, then of the second.
    AsDeclared,
}

/// What happens to runs finished by other code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCodeChange {
    Reuse,
    Warn,
    Rerun,
}

/// The fixed inputs whose translations are saved, the same for every run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Samples {
    /// How many per domain where `ids` is empty.
    pub count: u32,
    /// `A/name` or `B/name`.
    pub ids: Vec<String>,
}

impl Default for Samples {
    fn default() -> Self {
        Samples { count: 6, ids: Vec::new() }
    }
}

/// The limits, and where `max_runs` is written.
pub(crate) fn read_limits(node: &Node, findings: &mut Findings) -> (Limits, Option<Place>) {
    let default = Limits::default();
    let Some(mut section) = Section::open("[limits]", node, findings) else {
        return (default, None);
    };
    let max_runs = section.whole("max_runs", 1..=u64::MAX, findings);
    let limits = Limits {
        max_runs: max_runs.as_ref().map_or(default.max_runs, |max_runs| max_runs.value),
        run_timeout: duration_of(&mut section, "run_timeout", findings),
        stall_timeout: duration_of(&mut section, "stall_timeout", findings),
        total_time: duration_of(&mut section, "total_time", findings),
        max_failures: section
            .whole("max_failures", 1..=u64::MAX, findings)
            .map(|count| count.value),
        disk_free_min: size_of(&mut section, "disk_free_min", findings),
    };
    section.finish(findings);
    (limits, max_runs.map(|max_runs| max_runs.place))
}

pub(crate) fn read_exec(node: &Node, findings: &mut Findings) -> Exec {
    let default = Exec::default();
    let Some(mut section) = Section::open("[exec]", node, findings) else { return default };
    let orders = [("seed-major", RunOrder::SeedMajor), ("as-declared", RunOrder::AsDeclared)];
    let changes = [
        ("reuse", OnCodeChange::Reuse),
        ("warn", OnCodeChange::Warn),
        ("rerun", OnCodeChange::Rerun),
    ];
    let exec = Exec {
        devices: devices(&mut section, findings).unwrap_or(default.devices),
        slots_per_device: slots(&mut section, findings).unwrap_or(default.slots_per_device),
        order: section
            .choice("order", &orders, &["shuffled"], findings)
            .map_or(default.order, |order| order.value),
        retries: section
            .get("retries")
            .map_or(default.retries, |(_, node)| read_retries(node, findings)),
        on_code_change: section
            .choice("on_code_change", &changes, &[], findings)
            .map_or(default.on_code_change, |change| change.value),
    };
    section.finish(findings);
    exec
}

fn devices(section: &mut Section<'_>, findings: &mut Findings) -> Option<Devices> {
    let (_, node) = section.get("devices")?;
    let wanted = "\"auto\", \"cpu\" or an array such as [\"cuda:0\"]";
    match &node.value {
        Value::String(text) if text == "auto" => Some(Devices::Auto),
        Value::String(text) if text == "cpu" => Some(Devices::Cpu),
        Value::String(text) if is_device(text) => {
            let message = format!("`devices` in [exec]: {text:?} must stand in an array");
            findings.error(node.place, message).help(format!("write [{text:?}]"));
            None
        }
        Value::Array(_) => {
            let named = section.strings("devices", findings);
            let mut list: Vec<String> = Vec::new();
            for device in named {
                device_name(device, &mut list, findings);
            }
            if matches!(&node.value, Value::Array(items) if items.is_empty()) {
                findings.error(node.place, "`devices` in [exec] is empty: nothing could run");
            }
            Some(Devices::Named(list))
        }
        _ => {
            section.unexpected("devices", wanted, node, findings);
            None
        }
    }
}

fn device_name(device: Located<String>, list: &mut Vec<String>, findings: &mut Findings) {
    if !is_device(&device.value) {
        findings
            .error(device.place, format!("`devices` in [exec]: {:?} is not a device", device.value))
            .help("write \"cpu\" or \"cuda:0\"");
    } else if list.contains(&device.value) {
        findings
            .error(device.place, format!("`devices` in [exec]: {:?} is given twice", device.value))
            .help("several runs on one device: `slots_per_device`");
    } else {
        list.push(device.value);
    }
}

/// `cpu`, or a kind and an index; whether it is present is the runner's question.
fn is_device(text: &str) -> bool {
    text == "cpu"
        || text.split_once(':').is_some_and(|(kind, index)| {
            kind == "cuda"
                && !index.is_empty()
                && index.len() < 4
                && index.chars().all(|c| c.is_ascii_digit())
        })
}

fn slots(section: &mut Section<'_>, findings: &mut Findings) -> Option<Slots> {
    let (_, node) = section.get("slots_per_device")?;
    match &node.value {
        Value::String(text) if text == "auto" => Some(Slots::Auto),
        Value::Integer(count) if (1..=1024).contains(count) => {
            Some(Slots::Count(u32::try_from(*count).expect("the range was checked")))
        }
        _ => {
            section.unexpected(
                "slots_per_device",
                "a whole number from 1 to 1024, or \"auto\"",
                node,
                findings,
            );
            None
        }
    }
}

pub(crate) fn read_samples(node: &Node, findings: &mut Findings) -> Samples {
    let default = Samples::default();
    let Some(mut section) = Section::open("[samples]", node, findings) else { return default };
    section.later("every", "how often is `train.sample_every`, in steps");
    let count = section.whole("count", 0..=1000, findings);
    let mut ids: Vec<String> = Vec::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for id in section.strings("ids", findings) {
        if !is_sample_id(&id.value) {
            findings
                .error(
                    id.place,
                    format!("`ids` in [samples]: {:?} is not the id of an image", id.value),
                )
                .help("write the domain and the name, such as \"A/n02381460_1000\"");
        } else if !seen.insert(id.value.clone()) {
            findings.error(id.place, format!("`ids` in [samples]: {:?} is given twice", id.value));
        } else {
            ids.push(id.value);
        }
    }
    section.finish(findings);
    let count = count
        .map_or(default.count, |count| u32::try_from(count.value).expect("the range was checked"));
    Samples { count, ids }
}

/// `A/…` or `B/…`, staying inside the domain's folder.
fn is_sample_id(id: &str) -> bool {
    let name = id.strip_prefix("A/").or_else(|| id.strip_prefix("B/"));
    name.is_some_and(|name| {
        !name.contains('\\')
            && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
    })
}

pub(crate) fn duration_of(
    section: &mut Section<'_>,
    key: &'static str,
    findings: &mut Findings,
) -> Option<Duration> {
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86400)];
    let wanted = "a time such as \"90s\", \"30m\", \"12h\" or \"3d\"";
    quantity(section, key, &units, wanted, findings).map(Duration::from_secs)
}

fn size_of(section: &mut Section<'_>, key: &'static str, findings: &mut Findings) -> Option<u64> {
    let units = [
        ("KB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
    ];
    quantity(section, key, &units, "a size such as \"500MB\" or \"20GB\"", findings)
}

/// A positive whole number with a unit, in the smallest unit.
fn quantity(
    section: &mut Section<'_>,
    key: &'static str,
    units: &[(&str, u64)],
    wanted: &str,
    findings: &mut Findings,
) -> Option<u64> {
    let (_, node) = section.get(key)?;
    let parsed = match &node.value {
        Value::String(text) => parse_quantity(text, units),
        _ => None,
    };
    if parsed.is_none() {
        section.unexpected(key, wanted, node, findings);
    }
    parsed
}

fn parse_quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = (&text[..split], text[split..].trim());
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor).filter(|value| *value > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_need_a_whole_number_and_a_known_unit() {
        let units = [("s", 1), ("h", 3600)];
        let check =
            |text: &str, expected| assert_eq!(parse_quantity(text, &units), expected, "{text}");
        check("90s", Some(90));
        check("12 h", Some(43200));
        check("90", None);
        check("s", None);
        check("0s", None);
        check("-1s", None);
        check("1.5h", None);
        check("9s9", None);
        check("18446744073709551615h", None);
    }

    #[test]
    fn sample_ids_stay_inside_their_domain() {
        let check = |id: &str, expected| assert_eq!(is_sample_id(id), expected, "{id}");
        check("A/n02381460_1000", true);
        check("B/sub/folder.png", true);
        check("C/x", false);
        check("A/", false);
        check("A/../x", false);
        check("A/./x", false);
        check("x", false);
    }
}
