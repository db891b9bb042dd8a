//! `[exec] retries`: how often a run is tried again, by the way it ended.

use crate::diagnostic::Findings;
use crate::node::Node;
use crate::section::Section;

/// Further attempts of one run after it ended in this way; each goes on from its newest checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// The process is gone without a last word: killed, or the machine went down.
    pub lost: u32,
    /// Stopped by `run_timeout` or `stall_timeout`.
    pub timeout: u32,
    /// Out of memory, of the device or the machine.
    pub oom: u32,
    /// The disk was full, or access was denied.
    pub io: u32,
    pub panic: u32,
    /// The process ended in a way that fits none of the others.
    pub exit: u32,
}

impl Default for Retries {
    /// What the machine did may pass; what the program did would most likely happen again.
    fn default() -> Self {
        Retries { lost: 2, timeout: 0, oom: 0, io: 1, panic: 0, exit: 0 }
    }
}

const A_RESULT: &str = "a run that diverged is a result, and would diverge again";
const STAYS: &str = "this never passes by itself: it takes another file, or other images";

pub(crate) fn read_retries(node: &Node, findings: &mut Findings) -> Retries {
    let default = Retries::default();
    let Some(mut section) = Section::open("[exec.retries]", node, findings) else { return default };
    for (key, why) in
        [("diverged", A_RESULT), ("nan", A_RESULT), ("config", STAYS), ("data", STAYS)]
    {
        section.never(key, why);
    }
    let mut times = |key: &'static str, default: u32| {
        let times = section.whole(key, 0..=100, findings);
        times.map_or(default, |times| u32::try_from(times.value).expect("the range was checked"))
    };
    let retries = Retries {
        lost: times("lost", default.lost),
        timeout: times("timeout", default.timeout),
        oom: times("oom", default.oom),
        io: times("io", default.io),
        panic: times("panic", default.panic),
        exit: times("exit", default.exit),
    };
    section.finish(findings);
    retries
}
