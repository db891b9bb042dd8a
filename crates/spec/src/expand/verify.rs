//! What can only be wrong once cells are resolved.

use std::collections::BTreeMap;

use super::{Draft, Expansion};
use crate::check::{self, Problem};
use crate::diagnostic::{Diagnostic, Place, quoted};
use crate::image_search::ImageSearch;
use crate::leaf;
use crate::resolve::Resolved;
use crate::run_config::{CONTENT_ADDRESSES, NON_SEMANTIC, RunConfig};
use crate::run_id::canonical_of;
use crate::settings::Reading;

/// What is wrong, once per place: its message, the number of cells it concerns, and the remedy.
type ByPlace = BTreeMap<(Place, String), (usize, Option<String>)>;

impl Expansion<'_> {
    /// Says every problem once per place, with the number of cells it concerns; likewise doubts,
    /// of cells without a problem.
    pub(super) fn check(
        &self,
        resolved: &[Resolved],
        search: &mut ImageSearch<'_>,
        reading: &mut Reading,
    ) {
        let (mut problems, mut doubts) = (ByPlace::new(), ByPlace::new());
        for cell in resolved {
            let mut of_cell = check::problems(&cell.config);
            of_cell.extend(cell.problems.iter().cloned());
            of_cell.extend(search.problem(cell));
            if of_cell.is_empty() {
                self.note(cell, check::doubts(&cell.config), &mut doubts, reading);
            }
            self.note(cell, of_cell, &mut problems, reading);
        }
        let complete = |found: &mut Diagnostic, (cells, help): (usize, Option<String>)| {
            found.maybe_help(help);
            if resolved.len() > 1 {
                found.label(format!("concerns {cells} of {} cells", resolved.len()));
            }
        };
        for ((place, message), noted) in problems {
            complete(reading.error(place, message), noted);
        }
        for ((place, message), noted) in doubts {
            complete(reading.findings.warning(place, message), noted);
        }
    }

    fn note(
        &self,
        cell: &Resolved,
        problems: Vec<Problem>,
        found: &mut ByPlace,
        reading: &Reading,
    ) {
        for problem in problems {
            // A value that was refused already is not blamed a second time.
            let broken = problem.leaves.iter().any(|leaf| reading.broken.contains(leaf));
            if broken && problem.leaves.len() > 1 {
                continue;
            }
            let place = cell.blame(&problem.leaves).unwrap_or(self.file.place);
            found.entry((place, problem.message)).or_insert((0, problem.help)).0 += 1;
        }
    }

    pub(super) fn duplicates(
        &self,
        drafts: &[Draft],
        resolved: &[Resolved],
        labels: &[String],
        reading: &mut Reading,
    ) {
        if !self.is_comparable(reading) {
            return;
        }
        let mut first: BTreeMap<String, usize> = BTreeMap::new();
        let mut places: BTreeMap<Place, (String, String)> = BTreeMap::new();
        for (index, cell) in resolved.iter().enumerate() {
            let earlier = *first.entry(identity(&cell.config)).or_insert(index);
            if earlier == index {
                continue;
            }
            let place = self.differing(&drafts[earlier], &drafts[index]);
            let why = why_same(&resolved[earlier].config, &cell.config);
            let message = match &drafts[index] {
                Draft::Arm(_) => format!("this arm is the cell `{}` again", labels[earlier]),
                Draft::Point(_) => format!("this point is the cell `{}` again", labels[earlier]),
                Draft::Grid(_) => {
                    format!(
                        "the cells `{}` and `{}` are the same runs",
                        labels[earlier], labels[index]
                    )
                }
            };
            places.entry(place).or_insert((message, why));
        }
        for (place, (message, why)) in places {
            reading.error(place, message).help(why);
        }
    }

    /// The value by which two cells of a product differ, or the point.
    fn differing(&self, earlier: &Draft, later: &Draft) -> Place {
        match (earlier, later) {
            (_, Draft::Point(index)) => self.file.points[*index].place,
            (_, Draft::Arm(index)) => self.file.arms[*index].place,
            (Draft::Grid(a), Draft::Grid(b)) => {
                let at = (0..a.len()).rev().find(|at| a[*at] != b[*at]);
                let axis = at.map(|at| (&self.dimensions[at], b[at]));
                axis.map_or(self.file.place, |(axis, at)| {
                    at.map_or(axis.place, |at| axis.values[at][0].place)
                })
            }
            (Draft::Arm(_) | Draft::Point(_), Draft::Grid(_)) => self.file.place,
        }
    }
}

/// Everything that decides which run this is, apart from the seed.
pub(super) fn identity(config: &RunConfig) -> String {
    let tree = leaf::tree(config);
    let mut identity = canonical_of(&tree);
    for leaf in CONTENT_ADDRESSES {
        let address = leaf::get(&tree, leaf).expect("every configuration has every leaf");
        identity.push_str(&format!("\n{address}"));
    }
    identity
}

fn why_same(one: &RunConfig, other: &RunConfig) -> String {
    let differ: Vec<&str> =
        NON_SEMANTIC.into_iter().filter(|leaf| one.get(leaf) != other.get(leaf)).collect();
    if differ.is_empty() {
        "all their settings are equal after resolution".to_string()
    } else {
        format!(
            "they differ only in {}, which does not change what is trained",
            quoted(&differ, "and")
        )
    }
}
