//! What one task of an array takes: the keys that a class may set anew.

use super::time_limit::TimeLimit;
use crate::diagnostic::{Findings, Located};
use crate::node::{Node, Value};
use crate::section::{Section, is_line};

/// Of those that are `None` or empty the cluster decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    pub partition: Option<String>,
    pub account: Option<String>,
    pub qos: Option<String>,
    pub time: Option<TimeLimit>,
    pub gres: Option<String>,
    pub cpus: Option<u32>,
    pub mem: Option<String>,
    pub constraint: Option<String>,
    /// Further options of sbatch, each one argument.
    pub extra: Option<Vec<String>>,
}

impl Resources {
    /// What is not said here is taken from `below`.
    pub(super) fn over(self, below: Resources) -> Resources {
        Resources {
            partition: self.partition.or(below.partition),
            account: self.account.or(below.account),
            qos: self.qos.or(below.qos),
            time: self.time.or(below.time),
            gres: self.gres.or(below.gres),
            cpus: self.cpus.or(below.cpus),
            mem: self.mem.or(below.mem),
            constraint: self.constraint.or(below.constraint),
            extra: self.extra.or(below.extra),
        }
    }
}

pub(super) fn read_resources(section: &mut Section<'_>, findings: &mut Findings) -> Resources {
    Resources {
        partition: word(section, "partition", findings),
        account: word(section, "account", findings),
        qos: word(section, "qos", findings),
        time: time(section, findings),
        gres: word(section, "gres", findings),
        cpus: whole(section, "cpus", 1, 4096, findings),
        mem: mem(section, findings),
        constraint: word(section, "constraint", findings),
        extra: extra(section, findings),
    }
}

/// A text that becomes the value of an option.
fn word(section: &mut Section<'_>, key: &'static str, findings: &mut Findings) -> Option<String> {
    let text = section.line(key, findings)?;
    if text.value.trim().is_empty() {
        let message = format!("`{key}` is empty");
        findings.error(text.place, message).help("left out, the cluster's default is taken");
        return None;
    }
    Some(text.value)
}

/// A whole number that a [`u32`] holds.
pub(super) fn whole(
    section: &mut Section<'_>,
    key: &'static str,
    least: u32,
    most: u32,
    findings: &mut Findings,
) -> Option<u32> {
    let found = section.whole(key, u64::from(least)..=u64::from(most), findings)?;
    Some(u32::try_from(found.value).expect("the range was checked"))
}

fn time(section: &mut Section<'_>, findings: &mut Findings) -> Option<TimeLimit> {
    let (_, node) = section.get("time")?;
    let parsed = match &node.value {
        Value::String(text) => TimeLimit::parse(text),
        _ => None,
    };
    if parsed.is_none() {
        let wanted = "a time such as \"08:00:00\", \"1-00:00:00\" or minutes as in \"90\"";
        section.unexpected("time", wanted, node, findings);
    }
    parsed
}

fn mem(section: &mut Section<'_>, findings: &mut Findings) -> Option<String> {
    let (_, node) = section.get("mem")?;
    match &node.value {
        Value::String(text) if is_mem(text) => Some(text.clone()),
        _ => {
            let wanted = "memory a node such as \"32G\" (K, M, G or T; without a unit, M)";
            section.unexpected("mem", wanted, node, findings);
            None
        }
    }
}

fn is_mem(text: &str) -> bool {
    let digits = text.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(text);
    !digits.is_empty() && digits.len() <= 12 && digits.bytes().all(|c| c.is_ascii_digit())
}

/// Those that this program sets itself: a second word on them would break what it counts on.
const OWN: [(&str, &str); 16] = [
    ("array", "a"),
    // By their names jobs are found again, and on this cluster alone.
    ("job-name", "J"),
    ("clusters", "M"),
    ("cluster-constraint", ""),
    ("output", "o"),
    ("open-mode", ""),
    ("signal", ""),
    ("requeue", ""),
    ("no-requeue", ""),
    ("dependency", "d"),
    ("parsable", ""),
    ("test-only", ""),
    ("wait", "W"),
    ("wrap", ""),
    ("help", "h"),
    ("version", "V"),
];

fn extra(section: &mut Section<'_>, findings: &mut Findings) -> Option<Vec<String>> {
    let (_, node) = section.get("extra")?;
    // An array of what are no strings is named once, by `strings`.
    let is_array = matches!(&node.value, Value::Array(_));
    let options = section.strings("extra", findings);
    let options = options.into_iter().filter_map(|option| is_option(option, findings));
    let options: Vec<String> = options.collect();
    is_array.then_some(options)
}

fn is_option(option: Located<String>, findings: &mut Findings) -> Option<String> {
    let text = &option.value;
    if !is_line(text) || !text.starts_with('-') || text.trim_start_matches('-').is_empty() {
        let message = format!("`extra`: {text:?} is no option of sbatch");
        let help = "one argument each, such as \"--exclude=badnode3\"";
        findings.error(option.place, message).help(help);
        return None;
    }
    if let Some(own) = own(text) {
        let message = format!("`extra`: {text:?} cannot be set, since `--{own}` is set by submit");
        findings.error(option.place, message);
        return None;
    }
    Some(option.value)
}

/// The option that is meant: the long ones may be cut short as long as they are clear.
fn own(option: &str) -> Option<&'static str> {
    let found = match option.strip_prefix("--") {
        Some(long) => {
            let name = long.split('=').next().unwrap_or(long);
            OWN.iter().find(|(own, _)| own.starts_with(name))
        }
        None => OWN.iter().find(|(_, short)| !short.is_empty() && option[1..].starts_with(short)),
    };
    found.map(|(own, _)| *own)
}

/// Lines of shell, verbatim.
pub(super) fn lines(
    section: &mut Section<'_>,
    key: &'static str,
    findings: &mut Findings,
) -> Option<Vec<String>> {
    let (_, Node { value: Value::Array(_), .. }) = section.get(key)? else {
        section.strings(key, findings);
        return None;
    };
    let mut lines = Vec::new();
    for line in section.strings(key, findings) {
        match line.value.contains(|c: char| c.is_control() && c != '\t') {
            true => {
                let message = format!("`{key}`: {:?} is not one line", line.value);
                findings.error(line.place, message).help("one string a line");
            }
            false => lines.push(line.value),
        }
    }
    Some(lines)
}
