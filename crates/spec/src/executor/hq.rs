//! `[executor.hq]`.

use std::time::Duration;

use super::resources::whole;
use crate::execution::duration_of;
use crate::node::{Node, Value};
use crate::section::Section;
use crate::settings::Reading;

/// How a sweep's runs are sent to HyperQueue; of what is `None` HyperQueue decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hq {
    pub cpus: Option<u32>,
    pub gpus: Option<u32>,
    /// What a worker must have left before a run starts there.
    pub time_request: Option<Duration>,
    pub crash_limit: Option<CrashLimit>,
}

/// How often a task may lose its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashLimit {
    Unlimited,
    Times(u32),
}

impl Hq {
    pub(super) fn over(self, site: Hq) -> Hq {
        Hq {
            cpus: self.cpus.or(site.cpus),
            gpus: self.gpus.or(site.gpus),
            time_request: self.time_request.or(site.time_request),
            crash_limit: self.crash_limit.or(site.crash_limit),
        }
    }
}

pub(super) fn read_hq(node: &Node, reading: &mut Reading) -> Hq {
    let findings = &mut reading.findings;
    let Some(mut section) = Section::open("[executor.hq]", node, findings) else {
        return Hq::default();
    };
    let hq = Hq {
        cpus: whole(&mut section, "cpus", 1, 4096, findings),
        gpus: whole(&mut section, "gpus", 1, 64, findings),
        time_request: duration_of(&mut section, "time_request", findings),
        crash_limit: section.get("crash_limit").and_then(|(_, node)| match &node.value {
            Value::String(text) if text == "unlimited" => Some(CrashLimit::Unlimited),
            Value::Integer(times @ 1..=1_000_000) => {
                Some(CrashLimit::Times(u32::try_from(*times).expect("the range was checked")))
            }
            _ => {
                let wanted = "a whole number from 1 to 1000000, or \"unlimited\"";
                section.unexpected("crash_limit", wanted, node, findings);
                None
            }
        }),
    };
    section.finish(findings);
    hq
}
