//! Conditional axes: in which cells an axis varies.

use super::{Expansion, Positions};
use crate::resolve;
use crate::settings::Reading;
use crate::sweep_file::SweepFile;

/// Whether every `when` asks for what is decided before it; what is not is reported.
///
/// Axes are decided before rules and what is derived, rules before what is derived, and
/// conditional axes in the order of the file.
pub(super) fn timely(file: &SweepFile, reading: &mut Reading) -> bool {
    let before = reading.findings.errors();
    let derived: Vec<&str> = file.derived.iter().map(|it| it.leaf).collect();
    let ruled: Vec<&str> =
        file.rules.iter().flat_map(|rule| rule.entries.iter().map(|entry| entry.leaf)).collect();
    for rule in &file.rules {
        reading.refuse_later(&rule.when, &derived, "derived, after the rules");
    }
    for (index, axis) in file.dimensions.iter().enumerate() {
        let Some(when) = &axis.when else { continue };
        reading.refuse_later(when, &derived, "derived, after the axes");
        reading.refuse_later(when, &ruled, "set by [[rules]], after the axes");
        let later = file.dimensions[index + 1..].iter().filter(|it| it.when.is_some());
        let later: Vec<&str> = later.flat_map(|it| it.leaves.iter().copied()).collect();
        reading.refuse_later(when, &later, "a conditional axis that stands below this one");
    }
    reading.findings.errors() == before
}

impl Expansion<'_> {
    pub(super) fn is_conditional(&self) -> bool {
        self.dimensions.iter().any(|it| it.when.is_some())
    }

    /// The positions without those of axes that do not vary there.
    pub(super) fn active(&self, mut positions: Positions) -> Positions {
        let conditional = self.dimensions.iter().enumerate().filter(|(_, it)| it.when.is_some());
        let conditional: Vec<usize> = conditional.map(|(index, _)| index).collect();
        let wanted = positions.clone();
        conditional.iter().for_each(|index| positions[*index] = None);
        for index in conditional {
            if wanted[index].is_some() && self.is_active(index, &positions) {
                positions[index] = wanted[index];
            }
        }
        positions
    }

    /// Whether an axis varies beside these values of the axes that are decided before it.
    pub(super) fn is_active(&self, index: usize, positions: &[Option<usize>]) -> bool {
        let Some(when) = &self.dimensions[index].when else { return true };
        let tree = resolve::tree(self.file.preset, &self.layers(positions, None));
        when.expression.holds_in(&tree)
    }

    /// The names of conditional axes that do not vary in a cell.
    pub(super) fn inactive(&self, positions: &[Option<usize>]) -> Vec<String> {
        let axes = self.dimensions.iter().zip(positions);
        axes.filter(|(it, at)| it.when.is_some() && at.is_none())
            .map(|(it, _)| it.name.clone())
            .collect()
    }
}
