//! `[executor]`: where runs are sent when they are not trained here, and what they take there.
//!
//! The same tables stand in a sweep file and in a site's own file, which a group writes once for its
//! cluster. Key by key the sweep file's word counts, then the site's, then the default. Nothing here
//! is a part of what is asked: a run is the same run wherever it is trained.

mod hq;
mod resources;
mod slurm;
#[cfg(test)]
mod tests;
mod time_limit;

pub use self::hq::{CrashLimit, Hq};
pub use self::resources::Resources;
pub use self::slurm::{Requeue, ResourceClass, Slurm, StopSignal};
pub use self::time_limit::TimeLimit;

use self::hq::read_hq;
use self::slurm::{SlurmTable, read_slurm};
use crate::diagnostic::{Rejected, SourceText};
use crate::node::{Node, parse_document};
use crate::section::Section;
use crate::settings::Reading;

/// `[executor]` as far as it is written.
#[derive(Debug, Clone, Default)]
pub struct Executor {
    slurm: SlurmTable,
    hq: Hq,
}

impl Executor {
    /// What is not said here is taken from the site's.
    pub fn over(self, site: Executor) -> Executor {
        Executor { slurm: self.slurm.over(site.slurm), hq: self.hq.over(site.hq) }
    }

    /// With a default for every key that nobody wrote.
    pub fn slurm(&self) -> Slurm {
        self.slurm.settled()
    }

    pub fn hq(&self) -> &Hq {
        &self.hq
    }
}

/// Reads a site's file: `[executor]` and nothing else.
///
/// # Errors
/// [`Rejected`] with every mistake found.
pub fn read_site(source: SourceText) -> Result<Executor, Rejected> {
    let mut reading = Reading { text: source.text.clone(), ..Reading::default() };
    let root = parse_document(0, &source.text, &mut reading.findings);
    let executor = match reading.findings.has_errors() {
        true => None,
        false => site(&root, &mut reading),
    };
    match executor {
        Some(executor) if !reading.findings.has_errors() => Ok(executor),
        _ => {
            let diagnostics = reading.findings.into_sorted();
            Err(Rejected { diagnostics, sources: vec![source] })
        }
    }
}

fn site(root: &Node, reading: &mut Reading) -> Option<Executor> {
    let mut top = Section::open("", root, &mut reading.findings)?;
    for other in ["sweep", "set", "axes", "exec", "limits"] {
        top.never(other, "a site's file has [executor] alone; this belongs in a sweep file");
    }
    let executor = top.get("executor").map(|(_, node)| read_executor(node, reading));
    top.finish(&mut reading.findings);
    Some(executor.unwrap_or_default())
}

pub(crate) fn read_executor(node: &Node, reading: &mut Reading) -> Executor {
    let Some(mut section) = Section::open("[executor]", node, &mut reading.findings) else {
        return Executor::default();
    };
    let executor = Executor {
        slurm: section.get("slurm").map(|(_, node)| read_slurm(node, reading)).unwrap_or_default(),
        hq: section.get("hq").map(|(_, node)| read_hq(node, reading)).unwrap_or_default(),
    };
    section.finish(&mut reading.findings);
    executor
}
