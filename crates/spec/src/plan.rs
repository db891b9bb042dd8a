//! What a sweep file means: cells times seeds, every run fully resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value as Json;

use crate::axis_spec::{Distribution, Scale};
use crate::cell_label;
use crate::consequence::Consequence;
use crate::diagnostic::{Diagnostic, Place, Rejected, SourceText};
use crate::execution::{Exec, Limits, RunOrder, Samples};
use crate::executor::Executor;
use crate::expand::{BaseFile, Expansion};
use crate::expression::Expression;
use crate::image_search::{ImageSearch, Unfound};
use crate::leaf::{self, Kind};
use crate::metric::Metric;
use crate::node::{Node, Value, parse_document, parse_value};
use crate::preset::Preset;
use crate::resolve::Origin;
use crate::run_config::{DataConfig, RunConfig};
use crate::settings::{Entry, Reading};
use crate::sweep_file::{Design, SweepFile};

/// Runs of a plan, and so cells, values of one axis, and seeds of one cell: beyond this they are
/// refused unmade, whatever `max_runs` says. Each run is a process and a folder.
pub(crate) const MOST_RUNS: u64 = 10_000;

/// A longer file is refused unread. It has room for [`MOST_RUNS`] points.
const MOST_BYTES: usize = 1 << 20;

/// A sweep that can be run.
#[derive(Debug, Clone)]
pub struct Plan {
    pub name: String,
    pub question: String,
    pub preset: Preset,
    pub design: Design,
    pub seeds: Vec<u64>,
    pub metric: Metric,
    /// In the order of the file; the last varies fastest. A leaf that is derived is none.
    pub axes: Vec<Axis>,
    /// The names of the arms, in the order of the file.
    pub arms: Vec<String>,
    /// Leaves that are computed in every cell, and their expressions.
    pub derived: Vec<(String, String)>,
    pub cells: Vec<Cell>,
    /// In the order they are to be started.
    pub runs: Vec<PlannedRun>,
    pub limits: Limits,
    pub exec: Exec,
    pub samples: Samples,
    /// Where runs are sent, as far as this file says; no part of any run's key.
    pub executor: Executor,
    pub tags: Vec<String>,
    pub warnings: Vec<Diagnostic>,
    /// The sweep file, then its base files, then one per `--set`.
    pub sources: Vec<SourceText>,
}

/// What varies: one leaf, or several zipped together.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The leaf's path, or the zip's name.
    pub name: String,
    /// One leaf, or those of the zip.
    pub leaves: Vec<String>,
    /// The display name the file gives.
    pub label: Option<String>,
    pub scale: Scale,
    /// One row per position, holding one value per leaf; of a random design those that were drawn,
    /// rising, with the baseline's.
    pub values: Vec<Vec<Json>>,
    /// The condition under which it varies; in other cells its leaf has the base's value, and
    /// [`Cell::inactive`] names it.
    pub when: Option<String>,
    /// What a random design drew its values from, unless it chose among listed ones.
    pub distribution: Option<Distribution>,
}

/// One configuration, to be run with each of its seeds.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Unique in the plan.
    pub label: String,
    /// Every leaf that varies anywhere in the plan, with this cell's value.
    pub settings: Vec<(String, Json)>,
    pub config: RunConfig,
    /// Who set each leaf.
    pub origins: BTreeMap<String, Origin>,
    /// Where it differs from the baseline by rules and derivations, beside what it sets itself.
    pub also: Vec<Consequence>,
    /// The cell every effect is measured against; one per plan.
    pub baseline: bool,
    pub seeds: Vec<u64>,
    pub note: Option<String>,
    /// The arm that this cell is.
    pub arm: Option<String>,
    pub origin: CellOrigin,
    /// The names of the axes whose condition does not hold here; of an arm or a point: in the
    /// baseline that it starts from.
    pub inactive: Vec<String>,
}

/// Who asked for a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellOrigin {
    /// The axes: combined, or drawn from.
    Design,
    /// `[[arms]]`.
    Arm,
    /// `[[points]]`.
    Point,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedRun {
    /// Position in [`Plan::runs`].
    pub index: usize,
    /// Position in [`Plan::cells`].
    pub cell: usize,
    pub seed: u64,
}

impl Cell {
    /// The label as a part of a folder's name, at most 48 safe characters.
    pub fn slug(&self) -> String {
        cell_label::slug(&self.label)
    }
}

/// Reads a sweep file and makes its plan.
///
/// `overrides` are the command line's `--set` pairs: a leaf's path and a TOML
/// value, where a leaf that takes text also accepts it unquoted. `load` is
/// given the path of a base file as written and returns its text, or why not.
///
/// # Errors
/// [`Rejected`] with every mistake found. A text that is not TOML, or of a
/// newer schema, is not examined further.
pub fn read(
    source: SourceText,
    overrides: &[(String, String)],
    load: &mut dyn FnMut(&str) -> Result<SourceText, String>,
) -> Result<Plan, Rejected> {
    read_in(Path::new(""), source, overrides, load, &mut |_| Ok(()))
}

/// Likewise, and looks for the images.
///
/// `find` is asked once for each data set and each folder that a cell names, with `data.path` as
/// [`Plan::resolve_paths`] makes it of the sweep file's `folder`; its answers are findings like all
/// others. The plan has the paths as they were written.
///
/// # Errors
/// As [`read`].
pub fn read_in(
    folder: &Path,
    source: SourceText,
    overrides: &[(String, String)],
    load: &mut dyn FnMut(&str) -> Result<SourceText, String>,
    find: &mut dyn FnMut(&DataConfig) -> Result<(), Unfound>,
) -> Result<Plan, Rejected> {
    let mut sources = vec![source];
    let mut reading = Reading::default();
    let mut search = ImageSearch::new(folder, find);
    match plan(&mut sources, overrides, load, &mut search, &mut reading) {
        Some(plan) if !reading.findings.has_errors() => {
            Ok(Plan { warnings: reading.findings.into_sorted(), sources, ..plan })
        }
        _ => Err(Rejected { diagnostics: reading.findings.into_sorted(), sources }),
    }
}

fn plan(
    sources: &mut Vec<SourceText>,
    overrides: &[(String, String)],
    load: &mut dyn FnMut(&str) -> Result<SourceText, String>,
    search: &mut ImageSearch<'_>,
    reading: &mut Reading,
) -> Option<Plan> {
    refuse_long(0, &sources[0].text, reading)?;
    reading.text.clone_from(&sources[0].text);
    let root = parse_document(0, &sources[0].text, &mut reading.findings);
    if reading.findings.has_errors() {
        return None;
    }
    let file = SweepFile::read(&root, reading)?;
    let bases = base_files(&file, sources, load, reading);
    let overrides: Vec<Entry> = overrides
        .iter()
        .filter_map(|(key, value)| command_line(key, value, sources, reading))
        .collect();
    let mut expansion = Expansion::new(&file, &bases, &overrides, reading);
    let cells = expansion.cells(search, reading)?;
    let axes = expansion.axes();
    let runs = runs(&file, &cells);
    Some(Plan {
        name: file.name,
        question: file.question,
        preset: file.preset,
        design: file.design.value,
        seeds: file.seeds.list(),
        metric: file.metric,
        axes,
        arms: file.arms.into_iter().map(|arm| arm.name).collect(),
        derived: file
            .derived
            .iter()
            .map(|it| (it.leaf.to_string(), it.value.text().to_string()))
            .collect(),
        cells,
        runs,
        limits: file.limits,
        exec: file.exec,
        samples: file.samples,
        executor: file.executor,
        tags: file.tags,
        warnings: Vec::new(),
        sources: Vec::new(),
    })
}

fn refuse_long(source: usize, text: &str, reading: &mut Reading) -> Option<()> {
    if text.len() <= MOST_BYTES {
        return Some(());
    }
    let message = format!(
        "the file is {} bytes long; sweep files and base files have at most {MOST_BYTES}",
        text.len()
    );
    reading.error(Place { source, start: 0, end: 0 }, message);
    None
}

fn base_files(
    file: &SweepFile,
    sources: &mut Vec<SourceText>,
    load: &mut dyn FnMut(&str) -> Result<SourceText, String>,
    reading: &mut Reading,
) -> Vec<BaseFile> {
    let mut bases: Vec<BaseFile> = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for path in &file.base {
        if path.value.len() > leaf::LONGEST_TEXT {
            let message = format!("no path is longer than {} bytes", leaf::LONGEST_TEXT);
            reading.error(path.place, message);
            continue;
        }
        if !seen.insert(&path.value) {
            reading.error(path.place, format!("the base file `{}` is given twice", path.value));
            continue;
        }
        let before = reading.findings.errors();
        let mut entries = Vec::new();
        match load(&path.value) {
            Err(why) => {
                reading.error(
                    path.place,
                    format!("cannot read the base file `{}`: {why}", path.value),
                );
            }
            Ok(text) => {
                let index = sources.len();
                if refuse_long(index, &text.text, reading).is_some() {
                    let root = parse_document(index, &text.text, &mut reading.findings);
                    if reading.findings.errors() == before {
                        entries = reading.settings(&root, "a base file");
                    }
                }
                sources.push(text);
            }
        }
        if entries.is_empty() && reading.findings.errors() != before {
            // What it would have set is unknown; the images are most likely among it.
            reading.broken.extend(["data.dataset", "data.path"]);
        }
        bases.push(BaseFile { path: path.value.clone(), entries });
    }
    bases
}

/// One `--set key=value`, as a source of its own so that findings can point into it.
fn command_line(
    key: &str,
    value: &str,
    sources: &mut Vec<SourceText>,
    reading: &mut Reading,
) -> Option<Entry> {
    let source = sources.len();
    let text = format!("{key}={value}");
    sources.push(SourceText { name: format!("--set {text}"), text: text.clone() });
    let key_place = Place { source, start: 0, end: key.len() };
    let place = Place { source, start: key.len() + 1, end: text.len() };
    let leaf = reading.leaf(key, key_place)?;
    let takes_text = matches!(leaf::kind(leaf), Kind::Text | Kind::Choice(_));
    let node = match parse_value(source, value, key.len() + 1) {
        Some(node) => node,
        // A shell has eaten the quotes, or they were left out.
        None if takes_text => Node { value: Value::String(value.to_string()), place },
        None => {
            reading.broken.insert(leaf);
            reading.error(place, format!("`--set {text}`: `{value}` is not a TOML value"));
            return None;
        }
    };
    let value = reading.coerce(leaf, &node, &format!("`--set {text}`"))?;
    Some(Entry { leaf, key: key_place, value, place })
}

fn runs(file: &SweepFile, cells: &[Cell]) -> Vec<PlannedRun> {
    let mut pairs: Vec<(usize, u64)> = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        pairs.extend(cell.seeds.iter().map(|seed| (index, *seed)));
    }
    if file.exec.order == RunOrder::SeedMajor {
        // Seeds that only points have come last, in the order they appear.
        let mut order = file.seeds.list();
        order.extend(pairs.iter().map(|(_, seed)| *seed));
        let mut rank: BTreeMap<u64, usize> = BTreeMap::new();
        for seed in order {
            let next = rank.len();
            rank.entry(seed).or_insert(next);
        }
        pairs.sort_by_key(|(_, seed)| rank[seed]);
    }
    let runs = pairs.into_iter().enumerate();
    runs.map(|(index, (cell, seed))| PlannedRun { index, cell, seed }).collect()
}

impl Plan {
    /// The cell that effects are measured against.
    pub fn baseline(&self) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.baseline)
    }

    /// Positions in [`Plan::runs`] of those that a filter holds for.
    pub fn runs_where(&self, filter: &Expression) -> Vec<usize> {
        let holds = |run: &&PlannedRun| {
            let cell = &self.cells[run.cell];
            filter.holds(&cell.config, run.seed, &cell.label)
        };
        self.runs.iter().filter(holds).map(|run| run.index).collect()
    }
}
