//! What a cell changes without saying so: leaves that rules and derivations move along with it.
//!
//! An arm "without the pool" that also halves a learning rate shows the effect of both. Such a
//! difference is no mistake, but nobody may read the cell's result without knowing of it.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value as Json;

use crate::leaf::{self, show};
use crate::plan::Cell;
use crate::resolve::{Origin, Resolved};

/// A leaf in which a cell differs from the baseline, though the cell's axes, arm or point do not
/// set it.
#[derive(Debug, Clone, PartialEq)]
pub struct Consequence {
    /// The leaf's path.
    pub leaf: String,
    /// The cell's value; null where the leaf is absent.
    pub value: Json,
    /// Who set it in the cell.
    pub origin: Origin,
    /// The baseline's value.
    pub baseline: Json,
    /// Who set it in the baseline: where `origin` is no rule, a rule that is true of the baseline
    /// alone.
    pub baseline_origin: Origin,
}

impl Consequence {
    /// To which rule or expression the difference is due.
    pub fn reason(&self) -> String {
        match self.origin.follows() {
            true => self.origin.to_string(),
            false => {
                format!("the baseline has {}, {}", show(&self.baseline), self.baseline_origin)
            }
        }
    }
}

/// `optim.lr_d = 1e-4 ([[rules]] 1: two time scales)`.
impl fmt::Display for Consequence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} = {} ({})", self.leaf, show(&self.value), self.reason())
    }
}

impl Cell {
    /// In one sentence what it has beside its settings that the baseline has not; `None` where
    /// there is nothing.
    pub fn said_of_consequences(&self) -> Option<String> {
        let all: Vec<String> = self.also.iter().map(Consequence::to_string).collect();
        (!all.is_empty()).then(|| format!("{} also has {}", self.label, all.join(", ")))
    }
}

impl Origin {
    /// Whether it decides by what else is set.
    fn follows(&self) -> bool {
        matches!(self, Origin::Rule(_) | Origin::FileRule(..) | Origin::Derived(_))
    }

    /// Whether a cell chose it: that is what the cell is for.
    fn is_chosen(&self) -> bool {
        matches!(self, Origin::Axis(_) | Origin::Zip(_) | Origin::Arm(_) | Origin::Point(_))
    }
}

/// Of every cell, in the order of the leaves; nothing where there is no baseline.
pub(crate) fn consequences(
    resolved: &[Resolved],
    baseline: Option<usize>,
) -> Vec<Vec<Consequence>> {
    let Some(baseline) = baseline.map(|at| &resolved[at]) else {
        return vec![Vec::new(); resolved.len()];
    };
    let tree = leaf::tree(&baseline.config);
    resolved.iter().map(|cell| beyond((&tree, &baseline.origins), cell)).collect()
}

fn beyond(
    (baseline, origins): (&Json, &BTreeMap<String, Origin>),
    cell: &Resolved,
) -> Vec<Consequence> {
    let tree = leaf::tree(&cell.config);
    let value = |tree: &Json, leaf| leaf::get(tree, leaf).cloned().unwrap_or(Json::Null);
    let one = |leaf: &'static str| {
        let (own, other) = (value(&tree, leaf), value(baseline, leaf));
        let (origin, of_baseline) = (&cell.origins[leaf], &origins[leaf]);
        let follows = origin.follows() || (of_baseline.follows() && !origin.is_chosen());
        (own != other && follows).then(|| Consequence {
            leaf: leaf.to_string(),
            value: own,
            origin: origin.clone(),
            baseline: other,
            baseline_origin: of_baseline.clone(),
        })
    };
    leaf::paths().filter_map(one).collect()
}
