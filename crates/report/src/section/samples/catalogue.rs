//! What there is to show, and the file that each picture is in. Nothing is read here.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use track::{RunRecord, SampleKind};

use crate::page::Subject;
use crate::section::{drawn_cells, seeds};

/// Columns a reader can still compare; more cells are thinned as in the plots.
const MOST_COLUMNS: usize = 12;
/// What a run makes of an input, in the order of the menu.
const MADE: [SampleKind; 3] = [SampleKind::Fake, SampleKind::Rec, SampleKind::Idt];
/// What all runs share.
pub(super) const GIVEN: [SampleKind; 2] = [SampleKind::Real, SampleKind::Truth];

/// A held-out image that all runs translate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Input {
    /// `a` or `b`.
    pub(super) domain: &'static str,
    pub(super) id: String,
}

pub(super) struct Catalogue<'a> {
    /// Cells, the baseline first.
    pub(super) columns: Vec<usize>,
    /// Of runs that saved a sample, in plan order.
    pub(super) seeds: Vec<u64>,
    /// Of domain A, then of domain B.
    pub(super) inputs: Vec<Input>,
    /// What the runs saved of translation, reconstruction and identity.
    pub(super) made: Vec<SampleKind>,
    /// By column and seed: those in `columns`, whether or not they saved anything.
    pub(super) shelves: BTreeMap<(usize, u64), Shelf<'a>>,
    given: BTreeMap<(SampleKind, usize), PathBuf>,
}

/// What one run saved.
pub(super) struct Shelf<'a> {
    pub(super) run: &'a RunRecord,
    /// In order.
    pub(super) steps: Vec<u64>,
    files: BTreeMap<(u64, SampleKind, &'static str, &'a str), &'a Path>,
}

/// One picture of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    Given { kind: SampleKind, input: usize },
    Made { column: usize, seed: u64, step: u64, kind: SampleKind, input: usize },
}

impl<'a> Catalogue<'a> {
    pub(super) fn of(subject: &Subject<'a>) -> Catalogue<'a> {
        let columns = columns(subject);
        let mut shelves = BTreeMap::new();
        for run in &subject.record.runs {
            if let Some(column) = columns.iter().position(|cell| *cell == run.cell) {
                shelves.insert((column, run.seed), Shelf::of(run));
            }
        }
        let inputs = ["a", "b"].map(|domain| inputs(subject, domain)).concat();
        let saved = |shelf: &Shelf<'_>| !shelf.steps.is_empty();
        let has_saved = |seed: &u64| shelves.iter().any(|((_, of), it)| of == seed && saved(it));
        let seeds = seeds(subject.record).into_iter().filter(has_saved).collect();
        let is_made = |kind: &SampleKind| shelves.values().any(|it| it.has(*kind));
        let made = MADE.into_iter().filter(is_made).collect();
        let given = given(subject, &inputs);
        Catalogue { columns, seeds, inputs, made, shelves, given }
    }

    /// Every step at which a shown run saved a sample.
    pub(super) fn steps(&self) -> Vec<u64> {
        let mut steps: Vec<u64> =
            self.shelves.values().flat_map(|shelf| shelf.steps.iter().copied()).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    pub(super) fn has_truth(&self, domain: &str) -> bool {
        let is_there = |(at, input): (usize, &Input)| {
            input.domain == domain && self.given.contains_key(&(SampleKind::Truth, at))
        };
        self.inputs.iter().enumerate().any(is_there)
    }

    /// `None` where it was not saved.
    pub(super) fn file(&self, slot: Slot) -> Option<PathBuf> {
        match slot {
            Slot::Given { kind, input } => self.given.get(&(kind, input)).cloned(),
            Slot::Made { column, seed, step, kind, input } => {
                let Input { domain, id } = &self.inputs[input];
                self.shelves.get(&(column, seed))?.file(step, kind, domain, id)
            }
        }
    }
}

impl<'a> Shelf<'a> {
    fn of(run: &'a RunRecord) -> Shelf<'a> {
        let of_domain = |domain: &str| ["a", "b"].into_iter().find(|known| *known == domain);
        let files: BTreeMap<_, _> = run
            .samples
            .iter()
            .filter_map(|it| Some(((it.step, it.kind, of_domain(&it.domain)?, &*it.id), &*it.path)))
            .collect();
        let mut steps: Vec<u64> = files.keys().map(|(step, ..)| *step).collect();
        steps.dedup();
        Shelf { run, steps, files }
    }

    fn has(&self, kind: SampleKind) -> bool {
        self.files.keys().any(|(_, of, ..)| *of == kind)
    }

    fn file(&self, step: u64, kind: SampleKind, domain: &'static str, id: &str) -> Option<PathBuf> {
        let path = self.files.get(&(step, kind, domain, id))?;
        Some(inside(self.run, path))
    }
}

fn columns(subject: &Subject<'_>) -> Vec<usize> {
    let count = subject.record.plan.cells.len();
    let mut columns: Vec<usize> = match count <= MOST_COLUMNS {
        true => (0..count).collect(),
        false => drawn_cells(subject).into_iter().map(|(cell, _)| cell).collect(),
    };
    // A stable sort: the others stay in the plan's order.
    columns.sort_by_key(|cell| Some(*cell) != subject.summary.baseline);
    columns
}

/// The planned inputs; without a plan for them, whatever was saved.
fn inputs(subject: &Subject<'_>, domain: &'static str) -> Vec<Input> {
    let samples = subject.record.runs.iter().flat_map(|run| &run.samples);
    let mut saved: Vec<&str> =
        samples.filter(|sample| sample.domain == domain).map(|sample| &*sample.id).collect();
    saved.sort_unstable();
    saved.dedup();
    let mut ids: Vec<&str> = Vec::new();
    for (of, id) in &subject.record.plan.samples {
        if of == domain && saved.binary_search(&&**id).is_ok() && !ids.contains(&&**id) {
            ids.push(id);
        }
    }
    let ids = if ids.is_empty() { saved } else { ids };
    ids.into_iter().map(|id| Input { domain, id: id.to_owned() }).collect()
}

/// Inputs and true translations: of the first run that has them, as they are the same for all.
fn given(subject: &Subject<'_>, inputs: &[Input]) -> BTreeMap<(SampleKind, usize), PathBuf> {
    let all = inputs.len() * if subject.record.plan.dataset.paired { 2 } else { 1 };
    let mut given = BTreeMap::new();
    for shelf in subject.record.runs.iter().map(Shelf::of) {
        for kind in GIVEN {
            for (at, input) in inputs.iter().enumerate() {
                let mut last = shelf.steps.iter().rev();
                let found = last.find_map(|step| shelf.file(*step, kind, input.domain, &input.id));
                if let Some(path) = found {
                    given.entry((kind, at)).or_insert(path);
                }
            }
        }
        if given.len() >= all {
            break;
        }
    }
    given
}

/// A store may come from elsewhere: what its list of samples names begins in the run's folder.
fn inside(run: &RunRecord, path: &Path) -> PathBuf {
    let below = path.components().filter(|part| matches!(part, Component::Normal(_)));
    run.folder.join(below.collect::<PathBuf>())
}
