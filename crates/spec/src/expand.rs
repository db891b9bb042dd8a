//! From a typed file to cells: what the design combines, exclusions, arms, points; then each
//! resolved and checked.

mod activity;
mod baseline;
mod combine;
mod labels;
mod owners;
mod requirements;
mod trials;
mod twins;
mod verify;

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::axis_spec::Dimension;
use crate::condition::{self, Derived};
use crate::consequence::consequences;
use crate::diagnostic::quoted;
use crate::image_search::ImageSearch;
use crate::plan::{Axis, Cell, CellOrigin};
use crate::resolve::{Afterwards, Layer, Origin, Resolved, resolve};
use crate::settings::{Entry, Reading};
use crate::sweep_file::{Design, SweepFile};

/// The settings of one base file.
pub(crate) struct BaseFile {
    pub(crate) path: String,
    pub(crate) entries: Vec<Entry>,
}

/// One position per dimension; `None` where the dimension's `when` does not hold.
type Positions = Vec<Option<usize>>;

/// What a cell was made from.
#[derive(Debug, Clone)]
enum Draft {
    Grid(Positions),
    /// Index into `[[arms]]`.
    Arm(usize),
    /// Index into `[[points]]`.
    Point(usize),
}

/// Where cells come from, and what to say no more about.
pub(crate) struct Expansion<'a> {
    file: &'a SweepFile,
    bases: &'a [BaseFile],
    overrides: &'a [Entry],
    /// Dimensions with at least one good value, or with so many that the product is refused. Those
    /// that a random design draws from get their values here.
    dimensions: Vec<Dimension>,
    derived: Vec<&'a Derived>,
    /// Whether every dimension, arm and rule was read without an error and clashes with nothing.
    sound: bool,
}

impl<'a> Expansion<'a> {
    pub(crate) fn new(
        file: &'a SweepFile,
        bases: &'a [BaseFile],
        overrides: &'a [Entry],
        reading: &mut Reading,
    ) -> Self {
        let unclashed = owners::clashes(file, overrides, reading);
        let timely = activity::timely(file, reading);
        let derived = condition::in_order(&file.derived, reading);
        let sound = unclashed
            && timely
            && file.sound
            && derived.is_some()
            && file.dimensions.iter().all(|dimension| dimension.sound);
        // A range too long to be made has a length but no values. Products are refused by that
        // length; designs without axes never multiply it.
        let design = file.design.value;
        let usable = |it: &&Dimension| match design {
            Design::Points | Design::LeaveOneOut => !it.values.is_empty(),
            Design::Random => it.len > 0 || it.drawn.is_some(),
            Design::Grid | Design::OneAtATime => it.len > 0,
        };
        let mut owned: BTreeSet<&str> = BTreeSet::new();
        // Of dimensions that share a leaf, which is an error, the first alone varies it.
        let mut unclaimed = |it: &&Dimension| {
            let free = it.leaves.iter().all(|leaf| !owned.contains(leaf));
            owned.extend(&it.leaves);
            free
        };
        let dimensions = file.dimensions.iter().filter(usable).filter(|it| unclaimed(it));
        let dimensions = dimensions.cloned().collect();
        let derived = derived.unwrap_or_default();
        Expansion { file, bases, overrides, dimensions, derived, sound }
    }

    /// Every cell, or `None` where the plan is too large to be made.
    pub(crate) fn cells(
        &mut self,
        search: &mut ImageSearch<'_>,
        reading: &mut Reading,
    ) -> Option<Vec<Cell>> {
        self.design(reading);
        self.refuse_boundless(reading)?;
        let baseline = self.baseline_positions(reading);
        let positions = self.combinations(&baseline, reading);
        let positions = self.exclude(positions, &baseline, reading);
        let mut drafts: Vec<Draft> = positions.into_iter().map(Draft::Grid).collect();
        drafts.extend((0..self.file.arms.len()).map(Draft::Arm));
        drafts.extend((0..self.file.points.len()).map(Draft::Point));
        self.refuse_too_many(&drafts, reading)?;
        let resolved: Vec<Resolved> =
            drafts.iter().map(|draft| self.resolve(draft, &baseline.positions)).collect();
        self.check(&resolved, search, reading);
        let labels = self.labels(&drafts, &resolved, &baseline.positions, reading);
        self.duplicates(&drafts, &resolved, &labels, reading);
        self.twins(&drafts, &resolved, &labels, reading);
        self.unused(&drafts, &resolved, reading);
        self.require(&resolved, &labels, reading);
        let at = self.baseline_cell(&drafts, &resolved, &baseline, &labels, reading);
        Some(self.finish(&drafts, resolved, labels, &baseline.positions, at))
    }

    /// What varies, with the values that were drawn.
    pub(crate) fn axes(&self) -> Vec<Axis> {
        let row = |row: &Vec<Entry>| row.iter().map(|entry| entry.value.clone()).collect();
        let axis = |it: &Dimension| Axis {
            name: it.name.clone(),
            leaves: it.leaves.iter().map(|leaf| leaf.to_string()).collect(),
            label: it.label.clone(),
            scale: it.scale,
            values: it.values.iter().map(row).collect(),
            when: it.when.as_ref().map(|when| when.expression.text().to_string()),
            distribution: it.drawn.as_ref().map(|drawn| drawn.distribution),
        };
        let mut axes: Vec<Axis> = self.dimensions.iter().map(axis).collect();
        let number = |row: &Vec<Json>| row[0].as_f64().expect("only numbers are drawn");
        for axis in axes.iter_mut().filter(|axis| axis.distribution.is_some()) {
            axis.values.sort_by(|a, b| number(a).total_cmp(&number(b)));
        }
        axes
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

    /// `None` where the leaf does not vary, or not in this cell.
    fn value(&self, positions: &[Option<usize>], leaf: &str) -> Option<&Json> {
        let rows = self.dimensions.iter().zip(positions);
        let rows = rows.filter_map(|(it, at)| at.map(|at| &it.values[at]));
        rows.flatten().find(|entry| entry.leaf == leaf).map(|entry| &entry.value)
    }

    fn seeds(&self, draft: &Draft) -> &crate::seeds::Seeds {
        let own = match draft {
            Draft::Grid(_) | Draft::Arm(_) => None,
            Draft::Point(index) => self.file.points[*index].seeds.as_ref(),
        };
        own.unwrap_or(&self.file.seeds)
    }

    /// What an arm or a point sets beside the baseline.
    fn own_entries(&self, draft: &Draft) -> &[Entry] {
        match draft {
            Draft::Grid(_) => &[],
            Draft::Arm(index) => &self.file.arms[*index].entries,
            Draft::Point(index) => &self.file.points[*index].entries,
        }
    }
}

/// Resolving.
impl Expansion<'_> {
    /// Arms and points add to the baseline.
    fn resolve(&self, draft: &Draft, baseline: &[Option<usize>]) -> Resolved {
        let (positions, own) = match draft {
            Draft::Grid(positions) => (positions.as_slice(), None),
            Draft::Arm(index) => (baseline, Some(Origin::Arm(self.file.arms[*index].name.clone()))),
            Draft::Point(index) => (baseline, Some(Origin::Point(*index))),
        };
        let own = own.map(|origin| (origin, self.own_entries(draft)));
        let after = Afterwards {
            rules: &self.file.rules,
            derived: &self.derived,
            metric: self.file.metric.declared.then_some(self.file.metric.name.as_str()),
            level: self.bases.len() + 1,
        };
        resolve(self.file.preset, &self.layers(positions, own), &after)
    }

    /// Who sets what before rules and what is derived; the command line is last.
    fn layers<'b>(
        &'b self,
        positions: &[Option<usize>],
        own: Option<(Origin, &'b [Entry])>,
    ) -> Vec<Layer<'b>> {
        let file_level = self.bases.len();
        let of_file = |origin, entries| Layer { level: file_level, origin, entries };
        let mut layers: Vec<Layer<'_>> = Vec::new();
        for (level, base) in self.bases.iter().enumerate() {
            let origin = Origin::Base(base.path.clone());
            layers.push(Layer { level, origin, entries: base.entries.iter().collect() });
        }
        layers.push(of_file(Origin::Select, self.file.select.iter().collect()));
        let set = self.file.set.iter().chain(&self.file.guards).collect();
        layers.push(of_file(Origin::Set, set));
        for (it, at) in self.dimensions.iter().zip(positions) {
            let Some(at) = at else { continue };
            let origin = if it.zip {
                Origin::Zip(it.name.clone())
            } else {
                Origin::Axis(it.label.clone().unwrap_or_else(|| it.name.clone()))
            };
            layers.push(of_file(origin, it.values[*at].iter().collect()));
        }
        if let Some((origin, entries)) = own {
            layers.push(of_file(origin, entries.iter().collect()));
        }
        // Above `[[rules]]` and what is derived.
        let level = file_level + 3;
        let overrides = self.overrides.iter().collect();
        layers.push(Layer { level, origin: Origin::CommandLine, entries: overrides });
        layers
    }

    fn finish(
        &self,
        drafts: &[Draft],
        resolved: Vec<Resolved>,
        labels: Vec<String>,
        base: &[Option<usize>],
        baseline: Option<usize>,
    ) -> Vec<Cell> {
        let varying = self.varying();
        let also = consequences(&resolved, baseline);
        let cells = drafts.iter().zip(resolved).zip(labels).zip(also).enumerate();
        cells
            .map(|(index, (((draft, cell), label), also))| {
                let settings =
                    varying.iter().map(|leaf| (leaf.to_string(), cell.config.get(leaf))).collect();
                Cell {
                    label,
                    settings,
                    config: cell.config,
                    origins: cell.origins,
                    also,
                    baseline: baseline == Some(index),
                    seeds: self.seeds(draft).list(),
                    note: match draft {
                        Draft::Grid(_) => None,
                        Draft::Arm(index) => self.file.arms[*index].note.clone(),
                        Draft::Point(index) => self.file.points[*index].note.clone(),
                    },
                    arm: match draft {
                        Draft::Arm(index) => Some(self.file.arms[*index].name.clone()),
                        Draft::Grid(_) | Draft::Point(_) => None,
                    },
                    origin: match draft {
                        Draft::Grid(_) => CellOrigin::Design,
                        Draft::Arm(_) => CellOrigin::Arm,
                        Draft::Point(_) => CellOrigin::Point,
                    },
                    inactive: match draft {
                        Draft::Grid(positions) => self.inactive(positions),
                        Draft::Arm(_) | Draft::Point(_) => self.inactive(base),
                    },
                }
            })
            .collect()
    }
}
