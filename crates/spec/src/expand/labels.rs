//! What cells are called.

use std::collections::{BTreeMap, BTreeSet};

use super::{Design, Draft, Expansion};
use crate::cell_label::{self, Template};
use crate::resolve::Resolved;
use crate::settings::Reading;

impl Expansion<'_> {
    pub(super) fn labels(
        &self,
        drafts: &[Draft],
        resolved: &[Resolved],
        baseline: &[Option<usize>],
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
                (None, None) => {
                    cell_label::from_leaves(&cell.config, &self.named(draft, baseline), &varying)
                }
            });
        }
        let unique =
            |labels: &[String]| labels.iter().collect::<BTreeSet<_>>().len() == labels.len();
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

    /// The name that the file gives an arm or a point; of arms alone, all else is the baseline.
    fn own_name(&self, draft: &Draft) -> Option<String> {
        match draft {
            Draft::Grid(_) if self.file.design.value == Design::LeaveOneOut => {
                Some("baseline".to_string())
            }
            Draft::Grid(_) => None,
            Draft::Arm(index) => Some(self.file.arms[*index].name.clone()),
            Draft::Point(index) => self.file.points[*index].name.clone(),
        }
    }

    /// Leaves that any cell sets for itself, in the order of the file.
    pub(super) fn varying(&self) -> Vec<&'static str> {
        let mut leaves: Vec<&'static str> = Vec::new();
        let axes = self.dimensions.iter().flat_map(|it| it.leaves.iter().copied());
        let arms = self.file.arms.iter().flat_map(|arm| &arm.entries);
        let points = self.file.points.iter().flat_map(|point| &point.entries);
        for leaf in axes.chain(arms.chain(points).map(|entry| entry.leaf)) {
            if !leaves.contains(&leaf) {
                leaves.push(leaf);
            }
        }
        leaves
    }

    /// The leaves that name one cell: what varies in the product, and the cell's own.
    fn named(&self, draft: &Draft, baseline: &[Option<usize>]) -> Vec<&'static str> {
        let own: Vec<&str> = self.own_entries(draft).iter().map(|entry| entry.leaf).collect();
        let positions = match draft {
            Draft::Grid(positions) => positions,
            Draft::Arm(_) | Draft::Point(_) => baseline,
        };
        let product = |leaf: &str| {
            let mut axes = self.dimensions.iter().zip(positions);
            axes.any(|(it, at)| at.is_some() && it.values.len() > 1 && it.leaves.contains(&leaf))
        };
        self.varying().into_iter().filter(|leaf| product(leaf) || own.contains(leaf)).collect()
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
