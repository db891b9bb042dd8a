//! What must be true of every cell, and conditions that are true of none.

use super::{Draft, Expansion};
use crate::diagnostic::{counted, quoted};
use crate::leaf;
use crate::resolve::Resolved;
use crate::settings::Reading;

/// Cells that a message names.
const MOST_NAMED: usize = 5;

impl Expansion<'_> {
    /// A violation is an error: a cell is never dropped silently.
    pub(super) fn require(&self, resolved: &[Resolved], labels: &[String], reading: &mut Reading) {
        if self.file.requirements.is_empty() || !self.is_comparable(reading) {
            return;
        }
        let trees: Vec<_> = resolved.iter().map(|cell| leaf::tree(&cell.config)).collect();
        for requirement in &self.file.requirements {
            let expression = &requirement.condition.expression;
            let violators: Vec<&String> = trees
                .iter()
                .zip(labels)
                .filter(|(tree, _)| !expression.holds_in(tree))
                .map(|(_, label)| label)
                .collect();
            if violators.is_empty() {
                continue;
            }
            let named = quoted(&violators[..violators.len().min(MOST_NAMED)], "and");
            let more = match violators.len().saturating_sub(MOST_NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let what = requirement.message.as_deref().unwrap_or(expression.text());
            let cells = counted(resolved.len() as u128, "cell");
            let message = format!("required: {what}; not so in {named}{more}");
            reading
                .error(requirement.condition.place, message)
                .label(format!("violated by {} of {cells}", violators.len()))
                .help("an [[exclude]] leaves cells out, a rule in [[rules]] changes them");
        }
    }

    /// Rules and conditional axes that no cell makes use of.
    pub(super) fn unused(&self, drafts: &[Draft], resolved: &[Resolved], reading: &mut Reading) {
        if !self.is_comparable(reading) {
            return;
        }
        for (index, rule) in self.file.rules.iter().enumerate() {
            if !resolved.iter().any(|cell| cell.fired.contains(&index)) {
                reading.error(rule.when.place, "this rule is true of no cell").help(
                    "a rule that changes nothing is a mistake in its condition, or not needed",
                );
            }
        }
        for (index, axis) in self.dimensions.iter().enumerate() {
            let Some(when) = &axis.when else { continue };
            let varies = |draft: &Draft| matches!(draft, Draft::Grid(positions) if positions[index].is_some());
            if !drafts.iter().any(varies) {
                reading
                    .error(
                        when.place,
                        format!("`{}` varies in no cell: this is never true", axis.name),
                    )
                    .help("a one-at-a-time design asks its baseline");
            }
        }
    }
}
