//! Faults at the system calls of a run, by strace: the program is the one that is shipped.
//!
//! Only the main thread is followed, which does all of a run's recording but the heartbeat: so the
//! calls are few, and the same from run to run.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::lab::available;
use crate::victim::{Trial, start};

/// Everything by which a file system changes.
const CALLS: &str = "openat,write,pwrite64,writev,ftruncate,fsync,fdatasync,rename,renameat,renameat2,\
    link,linkat,unlink,unlinkat,rmdir,mkdir,mkdirat,flock";

/// One call, numbered among those of its name: what strace counts.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) nth: usize,
    /// As strace shows them, with the paths of open files.
    pub(crate) arguments: String,
}

pub(crate) fn strace_is_there() -> bool {
    let mut probe = Command::new("strace");
    probe.args(["-qq", "-o", "/dev/null", "true"]);
    available("strace, allowed to trace,", probe)
}

/// The calls of an undisturbed start that change the sweep's folder, in order.
pub(crate) fn recorded(trial: &Trial<'_>) -> Vec<Call> {
    let trace = trial.root().with_extension("strace");
    let said =
        start(under_strace(trial.command(), &trace, &["-y", &format!("--trace={CALLS}")])).wait();
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let calls = changing(&std::fs::read_to_string(trace).expect("strace's file"));
    assert!(calls.len() > 50, "strace saw {} calls", calls.len());
    calls
}

fn changing(trace: &str) -> Vec<Call> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let Some((name, arguments)) = line.split_once('(') else { continue };
        let nth = counts.entry(name).or_default();
        *nth += 1;
        let changes = name != "openat" || arguments.contains("O_CREAT");
        if changes && arguments.contains("/victim/") {
            let (name, arguments) = (name.to_string(), arguments.to_string());
            calls.push(Call { name, nth: *nth, arguments });
        }
    }
    calls
}

/// The command, where `fault` happens at one call: `signal=KILL` before it does anything,
/// `error=ENOSPC` in place of it.
pub(crate) fn with_fault(command: Command, call: &Call, fault: &str) -> Command {
    let Call { name, nth, .. } = call;
    with_faults(command, name, &format!("{fault}:when={nth}"))
}

/// The command with a fault at calls of these names, in strace's words.
pub(crate) fn with_faults(command: Command, names: &str, fault: &str) -> Command {
    let inject = format!("--inject={names}:{fault}");
    under_strace(command, Path::new("/dev/null"), &[&format!("--trace={names}"), &inject])
}

/// The same, of all threads and of the processes it starts.
pub(crate) fn and_children(strace: Command) -> Command {
    let options: Vec<_> = strace.get_args().map(|it| it.to_owned()).collect();
    let mut follow = Command::new("strace");
    follow.args(["-f", "--seccomp-bpf"]).args(options);
    follow.current_dir(strace.get_current_dir().expect("commands run in their lab"));
    follow.envs(strace.get_envs().filter_map(|(name, value)| Some((name, value?))));
    follow.stdin(std::process::Stdio::null());
    follow
}

pub(crate) fn under_strace(command: Command, trace: &Path, options: &[&str]) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-qq", "-o"]).arg(trace).args(options);
    strace.arg("--").arg(command.get_program()).args(command.get_args());
    strace.current_dir(command.get_current_dir().expect("commands run in their lab"));
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    strace.stdin(std::process::Stdio::null());
    strace
}
