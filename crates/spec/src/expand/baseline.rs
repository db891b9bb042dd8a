//! Which cell every effect is measured against.

use super::{Draft, Expansion, Positions};
use crate::axis_spec::Dimension;
use crate::diagnostic::quoted;
use crate::leaf::{self, show};
use crate::resolve::Resolved;
use crate::settings::{Entry, Reading};
use crate::sweep_file::{Design, Match};

/// The baseline's position in the product.
pub(super) struct Baseline {
    pub(super) positions: Positions,
    /// Whether the file names it, rather than the defaults or nobody.
    pub(super) named: bool,
    /// Why the first cell had to do.
    guessed: Option<String>,
}

/// The cell every effect is measured against.
impl Expansion<'_> {
    pub(super) fn baseline_positions(&mut self, reading: &mut Reading) -> Baseline {
        match &self.file.baseline {
            Some(baseline) if self.file.design.value != Design::Points => {
                let positions = self.named_baseline(baseline, reading);
                let named = positions.is_some();
                let first =
                    || self.dimensions.iter().map(|it| (!it.values.is_empty()).then_some(0));
                let positions = positions.unwrap_or_else(|| first().collect());
                Baseline { positions, named, guessed: None }
            }
            _ => self.default_baseline(),
        }
    }

    /// Where the file's baseline lies in the product; `None` with an error.
    fn named_baseline(&mut self, baseline: &Match, reading: &mut Reading) -> Option<Positions> {
        if !self.sound || !baseline.sound {
            return None;
        }
        let before = reading.findings.errors();
        for entry in &baseline.entries {
            if !self.varies(entry.leaf) {
                reading
                    .error(
                        entry.key,
                        format!("the baseline sets `{}`, which does not vary", entry.leaf),
                    )
                    .help("a fixed value belongs under [set]");
            }
        }
        let mut missing: Vec<String> = Vec::new();
        let mut positions: Positions = vec![None; self.dimensions.len()];
        // Whether a conditional axis varies depends on the others.
        let (conditional, always): (Vec<usize>, Vec<usize>) =
            (0..self.dimensions.len()).partition(|index| self.dimensions[*index].when.is_some());
        for index in always.into_iter().chain(conditional) {
            let leaves = &self.dimensions[index].leaves;
            let wanted: Vec<&Entry> =
                baseline.entries.iter().filter(|entry| leaves.contains(&entry.leaf)).collect();
            match (self.is_active(index, &positions), wanted.first()) {
                (true, Some(_)) => match self.position_of(index, &wanted, reading) {
                    Some(at) => positions[index] = Some(at),
                    None if reading.findings.errors() == before => {
                        missing.push(self.dimensions[index].name.clone());
                    }
                    None => {}
                },
                (true, None) => missing.push(self.dimensions[index].name.clone()),
                (false, Some(entry)) => {
                    let message = format!(
                        "the baseline sets `{}`, whose `when` does not hold there",
                        entry.leaf
                    );
                    reading.error(entry.key, message).help("leave it out");
                }
                (false, None) => {}
            }
        }
        if !missing.is_empty() {
            reading
                .error(
                    baseline.place,
                    format!("the baseline is partial: it does not fix {}", quoted(&missing, "and")),
                )
                .help("a baseline names one value of every axis");
        }
        (reading.findings.errors() == before).then_some(positions)
    }

    /// The only row that has these values. Of an axis that is drawn from a distribution the
    /// baseline's value becomes one.
    fn position_of(
        &mut self,
        index: usize,
        wanted: &[&Entry],
        reading: &mut Reading,
    ) -> Option<usize> {
        let it = &mut self.dimensions[index];
        if it.drawn.is_some() {
            it.values = vec![vec![wanted[0].clone()]];
            it.len = 1;
            return Some(0);
        }
        let agrees = |row: &Vec<Entry>| {
            let has = |wanted: &&Entry| {
                row.iter().any(|it| it.leaf == wanted.leaf && it.value == wanted.value)
            };
            wanted.iter().all(has)
        };
        let rows = it.values.iter().enumerate().filter(|(_, row)| agrees(row));
        let found: Vec<usize> = rows.map(|(at, _)| at).take(2).collect();
        match found.as_slice() {
            [at] => Some(*at),
            [] => {
                not_a_value(it, wanted, reading);
                None
            }
            _ => None,
        }
    }

    /// The cell that is the configuration without any axis, or the first one.
    fn default_baseline(&self) -> Baseline {
        let none = vec![None; self.dimensions.len()];
        if self.file.design.value == Design::Random {
            let guessed = Some("a random design has no cell of the defaults".to_string());
            return Baseline { positions: none, named: false, guessed };
        }
        let tree = leaf::tree(&self.resolve(&Draft::Grid(none), &[]).config);
        let mut positions = Vec::new();
        let mut guessed = None;
        for it in &self.dimensions {
            let is_default = |row: &Vec<Entry>| {
                row.iter().all(|it| leaf::get(&tree, it.leaf) == Some(&it.value))
            };
            let at = it.values.iter().position(is_default);
            if at.is_none() {
                let default = it.leaves.first().and_then(|leaf| leaf::get(&tree, leaf)).map(show);
                guessed.get_or_insert(match (it.zip, default) {
                    (false, Some(default)) => {
                        format!("the default of `{}` ({default}) is not among its values", it.name)
                    }
                    _ => format!("the defaults are not among the values of [zip.{}]", it.name),
                });
            }
            positions.push(at.or(Some(0)));
        }
        if guessed.is_some() {
            positions = vec![Some(0); self.dimensions.len()];
        }
        Baseline { positions: self.active(positions), named: false, guessed }
    }

    /// The index of the baseline's cell; warns where it had to be guessed.
    pub(super) fn baseline_cell(
        &self,
        drafts: &[Draft],
        resolved: &[Resolved],
        baseline: &Baseline,
        labels: &[String],
        reading: &mut Reading,
    ) -> Option<usize> {
        if self.file.design.value == Design::Points {
            return self.baseline_point(resolved, labels, reading);
        }
        let is_baseline = |draft: &Draft| matches!(draft, Draft::Grid(positions) if *positions == baseline.positions);
        let found = drafts.iter().position(is_baseline);
        let why = match (&baseline.guessed, found) {
            (None, Some(found)) => return Some(found),
            // An explicit baseline that is gone was reported with its exclusion.
            (_, None) if baseline.named => return None,
            (Some(why), _) => why.clone(),
            (None, None) => "the cell of the default values is excluded".to_string(),
        };
        self.first_cell(&why, labels, reading)
    }

    fn baseline_point(
        &self,
        resolved: &[Resolved],
        labels: &[String],
        reading: &mut Reading,
    ) -> Option<usize> {
        let Some(baseline) = &self.file.baseline else {
            let default = self.resolve(&Draft::Grid(Vec::new()), &[]).config;
            return match resolved.iter().position(|cell| cell.config == default) {
                Some(found) => Some(found),
                None => self.first_cell("no point is the default", labels, reading),
            };
        };
        let is_it = |cell: &Resolved| {
            baseline.entries.iter().all(|entry| cell.config.get(entry.leaf) == entry.value)
        };
        let found: Vec<usize> =
            (0..resolved.len()).filter(|index| is_it(&resolved[*index])).collect();
        match found.as_slice() {
            _ if !baseline.sound || !self.points_sound() || !reading.broken.is_empty() => None,
            [one] => Some(*one),
            [] => {
                reading.error(
                    baseline.place,
                    "the baseline is not in the plan: no point has its values",
                );
                None
            }
            [first, second, ..] => {
                let (first, second) = (&labels[*first], &labels[*second]);
                reading
                    .error(
                        baseline.place,
                        format!("the baseline is partial: `{first}` and `{second}` both fit"),
                    )
                    .help("name a value that only one point has");
                None
            }
        }
    }

    fn first_cell(&self, why: &str, labels: &[String], reading: &mut Reading) -> Option<usize> {
        let first = labels.first()?;
        if self.sound && self.file.baseline.is_none() {
            reading
                .findings
                .warning(
                    self.file.place,
                    format!("no baseline is named and {why}: `{first}` is taken"),
                )
                .help("write [sweep.baseline] with one value of every axis");
        }
        Some(0)
    }
}

fn not_a_value(it: &Dimension, wanted: &[&Entry], reading: &mut Reading) {
    let shown: Vec<String> =
        wanted.iter().map(|entry| format!("{} = {}", entry.leaf, show(&entry.value))).collect();
    let rows = it
        .values
        .iter()
        .map(|row| row.iter().map(|entry| show(&entry.value)).collect::<Vec<_>>().join(" with "));
    let rows: Vec<String> = rows.take(12).collect();
    reading
        .error(
            wanted[0].place,
            format!(
                "the baseline is not in the plan: {} is not a value of `{}`",
                shown.join(" with "),
                it.name
            ),
        )
        .help(format!("its values are {}", rows.join(", ")));
}
