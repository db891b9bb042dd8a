//! From a typed file to cells: product, exclusions, points; then each resolved and checked.

mod baseline;
mod twins;
mod verify;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use self::baseline::Baseline;
use crate::axis_spec::Dimension;
use crate::cell_label::{self, Template};
use crate::diagnostic::{counted, quoted};
use crate::plan::{Cell, MOST_RUNS};
use crate::resolve::{Layer, Origin, Resolved, resolve};
use crate::settings::{Entry, Reading};
use crate::sweep_file::{Design, SweepFile};

/// The settings of one base file.
pub(crate) struct BaseFile {
    pub(crate) path: String,
    pub(crate) entries: Vec<Entry>,
}

/// What a cell was made from.
#[derive(Debug, Clone)]
enum Draft {
    /// One position per dimension.
    Grid(Vec<usize>),
    /// Index into `[[points]]`.
    Point(usize),
}

/// Where cells come from, and what to say no more about.
pub(crate) struct Expansion<'a> {
    file: &'a SweepFile,
    bases: &'a [BaseFile],
    overrides: &'a [Entry],
    /// Dimensions with at least one good value, or with so many that the product is refused.
    dimensions: Vec<&'a Dimension>,
    /// Whether every dimension was read without an error and clashes with nothing.
    sound: bool,
}

impl<'a> Expansion<'a> {
    pub(crate) fn new(
        file: &'a SweepFile,
        bases: &'a [BaseFile],
        overrides: &'a [Entry],
        reading: &mut Reading,
    ) -> Self {
        let unclashed = verify::clashes(file, overrides, reading);
        let sound = unclashed && file.dimensions.iter().all(|dimension| dimension.sound);
        // A range too long to be made has a length but no values. Products are refused by that
        // length; points never multiply it.
        let points_only = file.design.value == Design::Points;
        let usable = |it: &&Dimension| it.len > 0 && !(points_only && it.values.is_empty());
        let mut owned: BTreeSet<&str> = BTreeSet::new();
        // Of dimensions that share a leaf, which is an error, the first alone varies it.
        let mut unclaimed = |it: &&Dimension| {
            let free = it.leaves.iter().all(|leaf| !owned.contains(leaf));
            owned.extend(&it.leaves);
            free
        };
        let dimensions = file.dimensions.iter().filter(usable).filter(|it| unclaimed(it)).collect();
        Expansion { file, bases, overrides, dimensions, sound }
    }

    /// Every cell, or `None` where the plan is too large to be made.
    pub(crate) fn cells(&self, reading: &mut Reading) -> Option<Vec<Cell>> {
        self.design(reading);
        self.refuse_boundless(reading)?;
        let baseline = self.baseline_positions(reading);
        let positions = self.exclude(self.combinations(&baseline.positions), &baseline, reading);
        let mut drafts: Vec<Draft> = positions.into_iter().map(Draft::Grid).collect();
        drafts.extend((0..self.file.points.len()).map(Draft::Point));
        self.refuse_too_many(&drafts, reading)?;
        let resolved: Vec<Resolved> = drafts
            .iter()
            .map(|draft| match draft {
                Draft::Grid(positions) => self.resolve(positions, None),
                Draft::Point(index) => self.resolve(&baseline.positions, Some(*index)),
            })
            .collect();
        self.check(&resolved, reading);
        let labels = self.labels(&drafts, &resolved, reading);
        self.duplicates(&drafts, &resolved, &labels, reading);
        self.twins(&drafts, &resolved, &labels, reading);
        let at = self.baseline_cell(&drafts, &resolved, &baseline, &labels, reading);
        Some(self.finish(&drafts, resolved, labels, at))
    }

    fn design(&self, reading: &mut Reading) {
        let Design::Points = self.file.design.value else { return };
        if let Some(dimension) = self.file.dimensions.first() {
            reading
                .error(dimension.place, "`design = \"points\"` takes no axes")
                .help("write design = \"grid\" to have both axes and points");
        }
        if self.file.points.is_empty() {
            reading.error(self.file.design.place, "`design = \"points\"` needs [[points]]");
        }
    }

    /// A product that is never made: its size alone is the error.
    fn refuse_boundless(&self, reading: &mut Reading) -> Option<()> {
        let cells = match self.file.design.value {
            Design::Points => Some(self.file.points.len() as u128),
            Design::Grid => self
                .dimensions
                .iter()
                .try_fold(1u128, |product, it| product.checked_mul(u128::from(it.len))),
            Design::OneAtATime => {
                Some(1 + self.dimensions.iter().map(|it| u128::from(it.len) - 1).sum::<u128>())
            }
        };
        if cells.is_some_and(|cells| cells <= u128::from(MOST_RUNS)) {
            return Some(());
        }
        let runs = cells.and_then(|cells| cells.checked_mul(u128::from(self.file.seeds.len)));
        let runs = runs.map_or("more than 10^38 runs".to_string(), |runs| counted(runs, "run"));
        self.too_many(&runs, reading);
        None
    }

    fn refuse_too_many(&self, drafts: &[Draft], reading: &mut Reading) -> Option<()> {
        let runs: u128 = drafts.iter().map(|draft| u128::from(self.seeds(draft).len)).sum();
        if runs > u128::from(self.file.limits.max_runs.min(MOST_RUNS)) {
            self.too_many(&counted(runs, "run"), reading);
            return None;
        }
        Some(())
    }

    fn too_many(&self, runs: &str, reading: &mut Reading) {
        let joiner = if self.file.design.value == Design::OneAtATime { " + " } else { " × " };
        let factors: Vec<String> =
            self.dimensions.iter().map(|it| format!("{} {}", it.len, it.name)).collect();
        let mut product = vec![factors.join(joiner)];
        product.retain(|factors| !factors.is_empty());
        product.push(counted(u128::from(self.file.seeds.len), "seed"));
        let mut product = product.join(" × ");
        if !self.file.points.is_empty() {
            product += &format!(" and {}", counted(self.file.points.len() as u128, "point"));
        }
        let place = self.file.max_runs_place.unwrap_or(self.file.place);
        let max_runs = self.file.limits.max_runs;
        let (most, help) = if max_runs < MOST_RUNS {
            (format!("`max_runs` = {max_runs}"), "vary less, or raise `max_runs` under [limits]")
        } else {
            (format!("the {MOST_RUNS} of the largest plan"), "vary less, or ask in several files")
        };
        reading.error(place, format!("{product} make {runs}, more than {most}")).help(help);
    }

    fn combinations(&self, baseline: &[usize]) -> Vec<Vec<usize>> {
        let sizes: Vec<usize> = self.dimensions.iter().map(|it| it.values.len()).collect();
        match self.file.design.value {
            Design::Points => Vec::new(),
            Design::Grid => {
                let mut all = vec![Vec::new()];
                for size in sizes {
                    let longer = |head: Vec<usize>| {
                        (0..size).map(move |at| [head.as_slice(), &[at]].concat())
                    };
                    all = all.into_iter().flat_map(longer).collect();
                }
                all
            }
            Design::OneAtATime => {
                let mut all = vec![baseline.to_vec()];
                for (index, size) in sizes.into_iter().enumerate() {
                    for at in (0..size).filter(|at| *at != baseline[index]) {
                        let mut positions = baseline.to_vec();
                        positions[index] = at;
                        all.push(positions);
                    }
                }
                all
            }
        }
    }

    fn exclude(
        &self,
        all: Vec<Vec<usize>>,
        baseline: &Baseline,
        reading: &mut Reading,
    ) -> Vec<Vec<usize>> {
        let mut kept = all.clone();
        for exclude in &self.file.excludes {
            let mut sound = exclude.sound;
            for entry in &exclude.entries {
                if !self.varies(entry.leaf) && self.sound {
                    sound = false;
                    reading
                        .error(
                            entry.key,
                            format!(
                                "`{}` does not vary, so nothing can be excluded by it",
                                entry.leaf
                            ),
                        )
                        .maybe_help(self.what_varies());
                }
            }
            let matches = |positions: &Vec<usize>| {
                exclude
                    .entries
                    .iter()
                    .all(|entry| self.value(positions, entry.leaf) == Some(&entry.value))
            };
            if !sound || exclude.entries.is_empty() {
                continue;
            }
            if !all.iter().any(matches) && self.sound {
                reading.error(exclude.place, "this [[exclude]] matches no cell").help(
                    "an exclusion that removes nothing is a mistake in its values, or not needed",
                );
            }
            if baseline.named && matches(&baseline.positions) && all.contains(&baseline.positions) {
                reading.error(exclude.place, "this [[exclude]] removes the baseline");
            }
            kept.retain(|positions| !matches(positions));
        }
        if kept.is_empty() && !all.is_empty() && self.sound {
            let place = self.file.excludes.first().map_or(self.file.place, |exclude| exclude.place);
            reading.error(place, "every cell is excluded");
        }
        kept
    }

    /// Whether cells are what the file means: where it has errors, what they share says nothing.
    fn is_comparable(&self, reading: &Reading) -> bool {
        self.sound && self.points_sound() && reading.broken.is_empty()
    }

    fn points_sound(&self) -> bool {
        self.file.points.iter().all(|point| point.sound)
    }

    fn varies(&self, leaf: &str) -> bool {
        self.file.dimensions.iter().any(|it| it.leaves.contains(&leaf))
    }

    fn what_varies(&self) -> Option<String> {
        let leaves: Vec<&str> =
            self.dimensions.iter().flat_map(|it| it.leaves.iter().copied()).collect();
        (!leaves.is_empty()).then(|| format!("what varies: {}", quoted(&leaves, "and")))
    }

    fn value(&self, positions: &[usize], leaf: &str) -> Option<&Json> {
        let rows = self.dimensions.iter().zip(positions).map(|(it, at)| &it.values[*at]);
        rows.flatten().find(|entry| entry.leaf == leaf).map(|entry| &entry.value)
    }

    fn seeds(&self, draft: &Draft) -> &crate::seeds::Seeds {
        match draft {
            Draft::Grid(_) => &self.file.seeds,
            Draft::Point(index) => {
                self.file.points[*index].seeds.as_ref().unwrap_or(&self.file.seeds)
            }
        }
    }
}

/// Resolving and naming.
impl Expansion<'_> {
    fn resolve(&self, positions: &[usize], point: Option<usize>) -> Resolved {
        let file_level = self.bases.len();
        let mut layers: Vec<Layer<'_>> = Vec::new();
        for (level, base) in self.bases.iter().enumerate() {
            let origin = Origin::Base(base.path.clone());
            layers.push(Layer { level, origin, entries: base.entries.iter().collect() });
        }
        let set = self.file.set.iter().chain(&self.file.guards).collect();
        layers.push(Layer { level: file_level, origin: Origin::Set, entries: set });
        for (it, at) in self.dimensions.iter().zip(positions) {
            let origin = if it.zip {
                Origin::Zip(it.name.clone())
            } else {
                Origin::Axis(it.label.clone().unwrap_or_else(|| it.name.clone()))
            };
            layers.push(Layer {
                level: file_level,
                origin,
                entries: it.values[*at].iter().collect(),
            });
        }
        if let Some(index) = point {
            let entries = self.file.points[index].entries.iter().collect();
            layers.push(Layer { level: file_level, origin: Origin::Point(index), entries });
        }
        let overrides = self.overrides.iter().collect();
        layers.push(Layer {
            level: file_level + 1,
            origin: Origin::CommandLine,
            entries: overrides,
        });
        resolve(self.file.preset, &layers)
    }

    fn labels(
        &self,
        drafts: &[Draft],
        resolved: &[Resolved],
        reading: &mut Reading,
    ) -> Vec<String> {
        let varying = self.varying();
        let template = self
            .file
            .run_name
            .as_ref()
            .and_then(|name| Some((name, Template::read(name, reading)?)));
        let mut labels: Vec<String> = Vec::new();
        for (draft, cell) in drafts.iter().zip(resolved) {
            labels.push(match (self.own_name(draft), &template) {
                (Some(name), _) => name,
                (None, Some((_, template))) => template.fill(&cell.config),
                (None, None) => cell_label::from_leaves(&cell.config, &self.named(draft), &varying),
            });
        }
        let unique = |labels: &[String]| {
            labels.iter().collect::<std::collections::BTreeSet<_>>().len() == labels.len()
        };
        if unique(&labels) {
            return labels;
        }
        match &template {
            Some((name, _)) => {
                reading
                    .findings
                    .warning(
                        name.place,
                        "`run_name` gives several cells the same name; a number is added",
                    )
                    .help("name every leaf that varies");
            }
            None => {
                let longer = |(draft, cell): (&Draft, &Resolved)| {
                    self.own_name(draft).unwrap_or_else(|| {
                        cell_label::from_leaves(&cell.config, &varying, &varying)
                    })
                };
                labels = drafts.iter().zip(resolved).map(longer).collect();
            }
        }
        numbered(labels)
    }

    /// The name that the file gives a point.
    fn own_name(&self, draft: &Draft) -> Option<String> {
        match draft {
            Draft::Grid(_) => None,
            Draft::Point(index) => self.file.points[*index].name.clone(),
        }
    }

    /// Leaves that any cell sets for itself, in the order of the file.
    fn varying(&self) -> Vec<&'static str> {
        let mut leaves: Vec<&'static str> = Vec::new();
        let points =
            self.file.points.iter().flat_map(|point| point.entries.iter().map(|entry| entry.leaf));
        let axes = self.dimensions.iter().flat_map(|it| it.leaves.iter().copied());
        for leaf in axes.chain(points) {
            if !leaves.contains(&leaf) {
                leaves.push(leaf);
            }
        }
        leaves
    }

    /// The leaves that name one cell: what varies in the product, and the point's own.
    fn named(&self, draft: &Draft) -> Vec<&'static str> {
        let own: Vec<&str> = match draft {
            Draft::Grid(_) => Vec::new(),
            Draft::Point(index) => {
                self.file.points[*index].entries.iter().map(|entry| entry.leaf).collect()
            }
        };
        let product =
            |leaf: &str| self.dimensions.iter().any(|it| it.len > 1 && it.leaves.contains(&leaf));
        self.varying().into_iter().filter(|leaf| product(leaf) || own.contains(leaf)).collect()
    }

    fn finish(
        &self,
        drafts: &[Draft],
        resolved: Vec<Resolved>,
        labels: Vec<String>,
        baseline: Option<usize>,
    ) -> Vec<Cell> {
        let varying = self.varying();
        let cells = drafts.iter().zip(resolved).zip(labels).enumerate();
        cells
            .map(|(index, ((draft, cell), label))| {
                let settings =
                    varying.iter().map(|leaf| (leaf.to_string(), cell.config.get(leaf))).collect();
                Cell {
                    label,
                    settings,
                    config: cell.config,
                    origins: cell.origins,
                    baseline: baseline == Some(index),
                    seeds: self.seeds(draft).list(),
                    note: match draft {
                        Draft::Grid(_) => None,
                        Draft::Point(index) => self.file.points[*index].note.clone(),
                    },
                }
            })
            .collect()
    }
}

/// Repeated labels get ` #2`, ` #3`, ….
fn numbered(labels: Vec<String>) -> Vec<String> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    labels
        .into_iter()
        .map(|label| {
            let n = taken.entry(label.clone()).or_insert(0);
            *n += 1;
            if *n == 1 { label } else { format!("{label} #{n}") }
        })
        .collect()
}
