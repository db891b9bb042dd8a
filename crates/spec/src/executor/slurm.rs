//! `[executor.slurm]`.

use std::time::Duration;

use super::resources::{Resources, lines, read_resources, whole};
use crate::execution::duration_of;
use crate::expression::Expression;
use crate::node::Node;
use crate::run_config::RunConfig;
use crate::section::Section;
use crate::settings::Reading;
use crate::sweep_file::tables;

/// How a sweep's runs are sent to Slurm.
#[derive(Debug, Clone)]
pub struct Slurm {
    pub resources: Resources,
    /// Tasks at a time, over all arrays.
    pub max_parallel: Option<u32>,
    pub signal: StopSignal,
    /// How long before the end of its time a task gets that signal.
    pub grace: Duration,
    pub requeue: Requeue,
    pub max_requeues: u32,
    /// Runs that one task trains, one after another.
    pub runs_per_task: u32,
    pub setup: Vec<String>,
    pub classes: Vec<ResourceClass>,
}

/// Runs that take something else.
#[derive(Debug, Clone)]
pub struct ResourceClass {
    pub when: Expression,
    resources: Resources,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    Usr1,
    Usr2,
    Term,
}

impl StopSignal {
    pub fn name(self) -> &'static str {
        match self {
            StopSignal::Usr1 => "USR1",
            StopSignal::Usr2 => "USR2",
            StopSignal::Term => "TERM",
        }
    }
}

/// Who puts a task that was stopped back into the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requeue {
    /// Nobody: `submit --resume` sends it again.
    Never,
    /// Slurm, after a preemption and the failure of a node.
    Slurm,
    /// Slurm, and the run itself once it has saved, as at the end of its time.
    Itself,
}

/// The table as far as it is written.
#[derive(Debug, Clone, Default)]
pub(super) struct SlurmTable {
    resources: Resources,
    max_parallel: Option<u32>,
    signal: Option<StopSignal>,
    grace: Option<Duration>,
    requeue: Option<Requeue>,
    max_requeues: Option<u32>,
    runs_per_task: Option<u32>,
    setup: Option<Vec<String>>,
    classes: Option<Vec<ResourceClass>>,
}

impl Slurm {
    /// 0: no class, the table's own; else the first class that holds, counted from 1.
    pub fn class_of(&self, config: &RunConfig, seed: u64, label: &str) -> usize {
        let first = self.classes.iter().position(|class| class.when.holds(config, seed, label));
        first.map_or(0, |at| at + 1)
    }

    /// What tasks of a class take.
    pub fn resources_of(&self, class: usize) -> Resources {
        match class.checked_sub(1).and_then(|at| self.classes.get(at)) {
            Some(class) => class.resources.clone().over(self.resources.clone()),
            None => self.resources.clone(),
        }
    }
}

impl SlurmTable {
    pub(super) fn over(self, site: SlurmTable) -> SlurmTable {
        SlurmTable {
            resources: self.resources.over(site.resources),
            max_parallel: self.max_parallel.or(site.max_parallel),
            signal: self.signal.or(site.signal),
            grace: self.grace.or(site.grace),
            requeue: self.requeue.or(site.requeue),
            max_requeues: self.max_requeues.or(site.max_requeues),
            runs_per_task: self.runs_per_task.or(site.runs_per_task),
            setup: self.setup.or(site.setup),
            classes: self.classes.or(site.classes),
        }
    }

    pub(super) fn settled(&self) -> Slurm {
        Slurm {
            resources: self.resources.clone(),
            max_parallel: self.max_parallel,
            // TERM comes with preemption too; this one says that the time is nearly up.
            signal: self.signal.unwrap_or(StopSignal::Usr2),
            // Slurm sends it up to a minute early or late; saving takes seconds.
            grace: self.grace.unwrap_or(Duration::from_secs(120)),
            requeue: self.requeue.unwrap_or(Requeue::Slurm),
            max_requeues: self.max_requeues.unwrap_or(20),
            runs_per_task: self.runs_per_task.unwrap_or(1),
            setup: self.setup.clone().unwrap_or_default(),
            classes: self.classes.clone().unwrap_or_default(),
        }
    }
}

const SIGNALS: [(&str, StopSignal); 3] =
    [("USR1", StopSignal::Usr1), ("USR2", StopSignal::Usr2), ("TERM", StopSignal::Term)];
const REQUEUE: [(&str, Requeue); 3] =
    [("never", Requeue::Never), ("slurm", Requeue::Slurm), ("self", Requeue::Itself)];

/// Each is held against every run.
const MOST_CLASSES: usize = 100;

/// What Slurm's own field for it holds.
const LONGEST_GRACE: Duration = Duration::from_secs(65_535);

pub(super) fn read_slurm(node: &Node, reading: &mut Reading) -> SlurmTable {
    let findings = &mut reading.findings;
    let Some(mut section) = Section::open("[executor.slurm]", node, findings) else {
        return SlurmTable::default();
    };
    section.never("nodes", "a run is one process on one node");
    section.never("ntasks", "a run is one process on one node");
    let table = SlurmTable {
        resources: read_resources(&mut section, findings),
        max_parallel: whole(&mut section, "max_parallel", 1, 1_000_000, findings),
        signal: section.choice("signal", &SIGNALS, &[], findings).map(|it| it.value),
        grace: duration_of(&mut section, "grace", findings),
        requeue: section.choice("requeue", &REQUEUE, &[], findings).map(|it| it.value),
        max_requeues: whole(&mut section, "max_requeues", 0, 1_000_000, findings),
        runs_per_task: whole(&mut section, "runs_per_task", 1, 10_000, findings),
        setup: lines(&mut section, "setup", findings),
        classes: None,
    };
    if table.grace.is_some_and(|it| it > LONGEST_GRACE)
        && let Some((_, node)) = section.get("grace")
    {
        section.unexpected("grace", "at most \"65535s\"", node, findings);
    }
    let given = section.get("classes").is_some();
    let nodes = tables(&mut section, "classes", MOST_CLASSES, reading);
    let classes: Vec<_> = nodes.into_iter().filter_map(|node| class(node, reading)).collect();
    section.finish(&mut reading.findings);
    SlurmTable { classes: given.then_some(classes), ..table }
}

fn class(node: &Node, reading: &mut Reading) -> Option<ResourceClass> {
    const NAME: &str = "[[executor.slurm.classes]]";
    let mut section = Section::open(NAME, node, &mut reading.findings)?;
    if section.get("when").is_none() {
        reading
            .error(node.place, format!("{NAME} needs `when`"))
            .help("a condition on runs, such as when = \"model.ngf > 64\"");
    }
    let when = section.string("when", &mut reading.findings);
    let when = when.and_then(|text| reading.filter(&text));
    let resources = read_resources(&mut section, &mut reading.findings);
    for of_all in ["max_parallel", "signal", "grace", "requeue", "setup", "runs_per_task"] {
        section
            .never(of_all, "this is the same for all classes; it belongs under [executor.slurm]");
    }
    section.finish(&mut reading.findings);
    Some(ResourceClass { when: when?, resources })
}
