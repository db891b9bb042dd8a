//! Cells that differ only in leaves without effect: they would train the same twice.

use std::collections::BTreeMap;

use super::verify::identity;
use super::{Draft, Expansion};
use crate::diagnostic::{Place, counted};
use crate::idle;
use crate::leaf::show;
use crate::resolve::Resolved;
use crate::settings::Reading;

/// A leaf that varies where it has no effect, and why it has none.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Idleness {
    place: Place,
    leaf: &'static str,
    because: &'static str,
    value: String,
}

impl Expansion<'_> {
    /// Warns once for every leaf and reason, with one pair of cells as the example.
    pub(super) fn twins(
        &self,
        drafts: &[Draft],
        resolved: &[Resolved],
        labels: &[String],
        reading: &mut Reading,
    ) {
        if !self.is_comparable(reading) {
            return;
        }
        let varying = self.varying();
        let mut first: BTreeMap<String, usize> = BTreeMap::new();
        let mut found: BTreeMap<Idleness, Vec<[usize; 2]>> = BTreeMap::new();
        for (index, cell) in resolved.iter().enumerate() {
            let effective = identity(&idle::without_idle(&cell.config, &varying));
            let earlier = *first.entry(effective).or_insert(index);
            if earlier == index {
                continue;
            }
            for leaf in &varying {
                let differs = resolved[earlier].config.get(leaf) != cell.config.get(leaf);
                if let (true, Some(because)) = (differs, idle::because(leaf, &cell.config)) {
                    let value = show(&cell.config.get(because));
                    let place = self.varied_at(leaf, &drafts[index]);
                    let idleness = Idleness { place, leaf, because, value };
                    found.entry(idleness).or_default().push([earlier, index]);
                }
            }
        }
        for (Idleness { place, leaf, because, value }, pairs) in found {
            let [one, other] = pairs[0].map(|index| &labels[index]);
            let more = match pairs.len() {
                1 => String::new(),
                n => format!(" (and {} more)", counted(n as u128 - 1, "pair")),
            };
            reading
                .findings
                .warning(
                    place,
                    format!("`{leaf}` has no effect where `{because}` is {value}: `{one}` and `{other}` train the same{more}"),
                )
                .help("`when` on an axis, or an [[exclude]] that matches one of them, saves its runs");
        }
    }

    /// The axis of a leaf, or the point that sets it.
    fn varied_at(&self, leaf: &str, draft: &Draft) -> Place {
        let axis = self.dimensions.iter().find(|it| it.leaves.contains(&leaf));
        match (axis, draft) {
            (Some(axis), _) => axis.place,
            (None, Draft::Arm(index)) => self.file.arms[*index].place,
            (None, Draft::Point(index)) => self.file.points[*index].place,
            (None, Draft::Grid(_)) => self.file.place,
        }
    }
}
