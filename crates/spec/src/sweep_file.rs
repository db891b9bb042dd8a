//! The sweep file exactly as typed: every section read, every value of its type.
//!
//! Nothing is combined here; `plan.rs` gives the sections their meaning.

mod cells;
mod name;

pub(crate) use self::cells::{Arm, Match, Point, set};
pub(crate) use self::name::slug;

use crate::axis_spec::{Dimension, read_axes, read_zips};
use crate::condition::{Derived, Requirement, Rule, read_derived, read_requirement, read_rule};
use crate::diagnostic::{Findings, Located, Place};
use crate::execution::{Exec, Limits, Samples, read_exec, read_limits, read_samples};
use crate::executor::{Executor, read_executor};
use crate::metric::{Metric, read_metric};
use crate::node::{Key, Node, Value};
use crate::plan::MOST_RUNS;
use crate::preset::Preset;
use crate::section::Section;
use crate::seeds::{Seeds, read_seeds};
use crate::settings::{Entry, Reading};

/// The newest `schema` this build reads.
pub const SCHEMA: u64 = 1;

/// Each is held against every cell.
const MOST_EXCLUDES: usize = 1000;

/// Likewise, and each may resolve the cell anew.
const MOST_CONDITIONS: usize = 100;

/// How cells are made from axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Design {
    /// Every combination.
    Grid,
    /// The baseline, and each other value of each axis alone.
    OneAtATime,
    /// The baseline, and each of the `[[arms]]` alone.
    LeaveOneOut,
    /// Only the `[[points]]`.
    Points,
    /// The baseline where the file names it, and `n_trials` cells drawn from the axes.
    Random,
}

impl Design {
    pub const ALL: [Design; 5] =
        [Design::Grid, Design::OneAtATime, Design::LeaveOneOut, Design::Points, Design::Random];

    /// As in the sweep file.
    pub fn name(self) -> &'static str {
        match self {
            Design::Grid => "grid",
            Design::OneAtATime => "one-at-a-time",
            Design::LeaveOneOut => "leave-one-out",
            Design::Points => "points",
            Design::Random => "random",
        }
    }
}

pub(crate) struct SweepFile {
    pub(crate) name: String,
    pub(crate) question: String,
    /// What a finding about the sweep as a whole points at.
    pub(crate) place: Place,
    pub(crate) base: Vec<Located<String>>,
    pub(crate) preset: Preset,
    pub(crate) design: Located<Design>,
    /// Cells that a random design draws, and from which seed.
    pub(crate) n_trials: Option<Located<u64>>,
    pub(crate) sample_seed: Option<Located<u64>>,
    pub(crate) seeds: Seeds,
    pub(crate) run_name: Option<Located<String>>,
    pub(crate) tags: Vec<String>,
    pub(crate) metric: Metric,
    /// What the metric's `select` sets.
    pub(crate) select: Option<Entry>,
    pub(crate) baseline: Option<Match>,
    pub(crate) set: Vec<Entry>,
    /// `[guards]` is short for `guards.*` under `[set]`.
    pub(crate) guards: Vec<Entry>,
    /// Axes and zips in the order of the file.
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) arms: Vec<Arm>,
    pub(crate) points: Vec<Point>,
    pub(crate) excludes: Vec<Match>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) derived: Vec<Derived>,
    pub(crate) requirements: Vec<Requirement>,
    /// Whether arms, rules and what is derived were read without an error.
    pub(crate) sound: bool,
    pub(crate) limits: Limits,
    pub(crate) max_runs_place: Option<Place>,
    pub(crate) exec: Exec,
    pub(crate) samples: Samples,
    pub(crate) executor: Executor,
}

impl SweepFile {
    /// Reads the document. `None`: it is not for this version, the finding says so.
    pub(crate) fn read(root: &Node, reading: &mut Reading) -> Option<SweepFile> {
        let mut top = Section::open("", root, &mut reading.findings)?;
        schema(&mut top, reading)?;
        let start = root.place;
        let (sweep_key, sweep_node) = match top.get("sweep") {
            Some((key, node)) => (Some(key), node.clone()),
            None => (None, Node { value: Value::Table(Vec::new()), place: start }),
        };
        let place = sweep_key.map_or(start, |key| key.place);
        let mut file = sweep(&sweep_node, place, reading)?;
        if let Some((_, node)) = top.get("set") {
            file.set = reading.settings(node, "[set]");
        }
        if let Some((_, node)) = top.get("guards") {
            file.guards = reading.settings_of("guards", node, "[guards]");
        }
        if let Some((_, node)) = top.get("axes") {
            file.dimensions.extend(read_axes(node, reading));
        }
        if let Some((_, node)) = top.get("zip") {
            file.dimensions.extend(read_zips(node, reading));
        }
        file.dimensions.sort_by_key(|dimension| dimension.place);
        file.cells(&mut top, reading);
        file.conditions(&mut top, reading);
        if let Some((_, node)) = top.get("limits") {
            (file.limits, file.max_runs_place) = read_limits(node, &mut reading.findings);
        }
        if let Some((_, node)) = top.get("exec") {
            file.exec = read_exec(node, &mut reading.findings);
        }
        if let Some((_, node)) = top.get("samples") {
            file.samples = read_samples(node, &mut reading.findings);
        }
        if let Some((_, node)) = top.get("executor") {
            file.executor = read_executor(node, reading);
        }
        top.later("report", "");
        top.later("checkpoint", "how often is `train.checkpoint_every`, in steps, under [set]");
        top.finish(&mut reading.findings);
        Some(file)
    }

    fn cells(&mut self, top: &mut Section<'_>, reading: &mut Reading) {
        for node in tables(top, "arms", MOST_RUNS as usize, reading) {
            self.arms.extend(cells::arm(node, &self.arms, reading));
        }
        for node in tables(top, "points", MOST_RUNS as usize, reading) {
            self.points.extend(cells::point(node, &self.points, reading));
        }
        let excludes = tables(top, "exclude", MOST_EXCLUDES, reading);
        self.excludes.extend(excludes.into_iter().filter_map(|node| cells::exclude(node, reading)));
        self.sound &= self.arms.iter().all(|arm| arm.sound);
    }

    fn conditions(&mut self, top: &mut Section<'_>, reading: &mut Reading) {
        let before = reading.findings.errors();
        let rules = tables(top, "rules", MOST_CONDITIONS, reading);
        self.rules.extend(rules.into_iter().filter_map(|node| read_rule(node, reading)));
        if let Some((_, node)) = top.get("derive") {
            self.derived = read_derived(node, reading);
        }
        self.sound &= reading.findings.errors() == before;
        let requirements = tables(top, "require", MOST_CONDITIONS, reading);
        let read = |node| read_requirement(node, reading);
        self.requirements.extend(requirements.into_iter().filter_map(read));
    }
}

/// Refuses a newer file at once: its other "mistakes" may be none.
fn schema(top: &mut Section<'_>, reading: &mut Reading) -> Option<()> {
    let schema = top.whole("schema", 1..=u64::MAX, &mut reading.findings);
    match schema {
        Some(schema) if schema.value > SCHEMA => {
            let message =
                format!("`schema` {} is newer than this build, which reads {SCHEMA}", schema.value);
            reading.error(schema.place, message).help("update cyclelab");
            None
        }
        _ => Some(()),
    }
}

fn sweep(node: &Node, place: Place, reading: &mut Reading) -> Option<SweepFile> {
    let findings = &mut reading.findings;
    let mut section = Section::open("[sweep]", node, findings)?;
    let name = name::name(&mut section, place, findings);
    let question = required(&mut section, "question", place, findings);
    let base = match section.get("base") {
        // One base file need not stand in an array.
        Some((_, Node { value: Value::String(path), place })) => {
            vec![Located { value: path.clone(), place: *place }]
        }
        _ => section.strings("base", findings),
    };
    let presets = Preset::ALL.map(|preset| (preset.name(), preset));
    let preset = section.choice("preset", &presets, &[], findings);
    let designs = Design::ALL.map(|design| (design.name(), design));
    let design = section.choice("design", &designs, &[], findings);
    let n_trials = section.whole("n_trials", 1..=u64::MAX, findings);
    let sample_seed = section.whole("sample_seed", 0..=u64::MAX, findings);
    for other in ["samples", "trials", "count", "n_samples"] {
        section.never(other, "how many cells a random design draws is `n_trials`");
    }
    let run_name = section.line("run_name", findings);
    let tags = section.strings("tags", findings).into_iter().map(|tag| tag.value).collect();
    let before = findings.errors();
    let (metric, select) =
        section.get("metric").map(|(_, node)| read_metric(node, findings)).unwrap_or_default();
    if findings.errors() != before {
        // What the best weights are chosen by is not known.
        reading.broken.insert("eval.best_by");
    }
    let findings = &mut reading.findings;
    let seeds = match section.get("seeds") {
        Some((_, node)) => read_seeds(node, "`seeds`", findings),
        None => Seeds::one(place),
    };
    seeds.warn_if_few(findings);
    let baseline = section.get("baseline").map(|(key, node)| {
        let before = reading.findings.errors();
        let entries = reading.settings(node, "[sweep.baseline]");
        Match { entries, place: key.place, sound: reading.findings.errors() == before }
    });
    section.finish(&mut reading.findings);
    Some(SweepFile {
        place: name.as_ref().map_or(place, |name| name.place),
        name: name.map_or_else(String::new, |name| name.value),
        question,
        base,
        preset: preset.map_or(Preset::Reference, |preset| preset.value),
        design: design.unwrap_or(Located { value: Design::Grid, place }),
        n_trials,
        sample_seed,
        seeds,
        run_name,
        tags,
        metric,
        select,
        baseline,
        set: Vec::new(),
        guards: Vec::new(),
        dimensions: Vec::new(),
        arms: Vec::new(),
        points: Vec::new(),
        excludes: Vec::new(),
        rules: Vec::new(),
        derived: Vec::new(),
        requirements: Vec::new(),
        sound: true,
        limits: Limits::default(),
        max_runs_place: None,
        exec: Exec::default(),
        samples: Samples::default(),
        executor: Executor::default(),
    })
}

fn required(
    section: &mut Section<'_>,
    key: &'static str,
    place: Place,
    findings: &mut Findings,
) -> String {
    match section.get(key) {
        None => {
            let help = match key {
                "question" => "one sentence: what should this sweep decide?",
                _ => "the name of the sweep's folder, such as \"lambda\"",
            };
            findings.error(place, format!("[sweep] needs `{key}`")).help(help);
            String::new()
        }
        Some((key_found, node)) => match section.string(key, findings) {
            Some(text) if text.value.trim().is_empty() => {
                findings.error(node.place, format!("`{}` in [sweep] is empty", key_found.text));
                String::new()
            }
            Some(text) => text.value,
            None => String::new(),
        },
    }
}

pub(crate) fn tables<'a>(
    top: &mut Section<'a>,
    key: &'static str,
    most: usize,
    reading: &mut Reading,
) -> Vec<&'a Node> {
    match top.get(key) {
        None => Vec::new(),
        Some((Key { place, .. }, Node { value: Value::Array(items), .. }))
            if items.len() > most =>
        {
            reading.error(*place, format!("{} [[{key}]] are more than {most}", items.len()));
            Vec::new()
        }
        Some((_, Node { value: Value::Array(items), .. })) => items.iter().collect(),
        Some((Key { place, .. }, node)) => {
            let message = format!("`{key}` must be [[{key}]] tables, found {}", node.found());
            reading.error(*place, message).help(format!("write [[{key}]] with two brackets"));
            Vec::new()
        }
    }
}
