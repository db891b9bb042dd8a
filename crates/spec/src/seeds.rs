//! Seeds of a sweep: replicates of every cell, never an axis.

use crate::diagnostic::{Findings, Place, counted};
use crate::node::{Node, Value};
use crate::plan::MOST_CELLS;
use crate::section::Section;

pub(crate) struct Seeds {
    pub(crate) list: Vec<u64>,
    /// As asked for; `list` stays empty where this is beyond any plan.
    pub(crate) len: u64,
    pub(crate) place: Place,
    sound: bool,
}

impl Seeds {
    /// Where the file names no seeds: the single seed 1.
    pub(crate) fn one(place: Place) -> Self {
        Seeds { list: vec![1], len: 1, place, sound: true }
    }

    /// Below three replicates nothing can be said about noise.
    pub(crate) fn warn_if_few(&self, findings: &mut Findings) {
        if self.len >= 3 || !self.sound {
            return;
        }
        let floor = 2.0 / f64::from(1u32 << self.len);
        findings
            .warning(
                self.place,
                format!(
                    "with {}, the smallest p-value of a sign-flip test is 2/2^{} = {floor}",
                    counted(u128::from(self.len), "seed"),
                    self.len
                ),
            )
            .help("use at least 3 seeds to see the noise; p < 0.05 needs 6");
    }
}

/// `[1, 2, 3]`, or `{ count = 3, base = 1 }` for consecutive seeds from `base` (1 if left out).
pub(crate) fn read_seeds(node: &Node, what: &str, findings: &mut Findings) -> Seeds {
    let before = findings.errors();
    let mut seeds = Seeds { list: Vec::new(), len: 0, place: node.place, sound: true };
    match &node.value {
        Value::Array(items) => {
            for item in items {
                one_seed(item, what, &mut seeds.list, findings);
            }
            seeds.len = seeds.list.len() as u64;
            if items.is_empty() {
                findings.error(node.place, format!("{what} is empty: nothing would run"));
            }
        }
        Value::Table(_) => counted_seeds(node, what, &mut seeds, findings),
        _ => {
            let message =
                format!("{what}: expected an array of whole numbers, found {}", node.found());
            findings.error(node.place, message).help("write [1, 2, 3] or { count = 3, base = 1 }");
        }
    }
    seeds.sound = findings.errors() == before;
    seeds
}

fn one_seed(item: &Node, what: &str, list: &mut Vec<u64>, findings: &mut Findings) {
    let seed = match item.value {
        Value::Integer(number) => u64::try_from(number).ok(),
        _ => None,
    };
    match seed {
        Some(seed) if list.contains(&seed) => {
            findings
                .error(item.place, format!("{what}: {seed} is given twice"))
                .help("the same seed repeats the same run; it is no replicate");
        }
        Some(seed) => list.push(seed),
        None => {
            let message = format!("{what}: expected a whole number ≥ 0, found {}", item.found());
            findings.error(item.place, message);
        }
    }
}

fn counted_seeds(node: &Node, what: &str, seeds: &mut Seeds, findings: &mut Findings) {
    let Some(mut section) = Section::open(what, node, findings) else { return };
    let count = section.whole("count", 1..=u64::MAX, findings);
    let base = section.whole("base", 0..=u64::MAX, findings);
    if section.get("count").is_none() {
        findings.error(node.place, format!("{what} needs `count`"));
    }
    section.finish(findings);
    let Some(count) = count else { return };
    let base = base.map_or(1, |base| base.value);
    seeds.len = count.value;
    if count.value <= MOST_CELLS {
        // TOML's integers end at 2^63, so the sum stays within a u64.
        seeds.list = (base..base.saturating_add(count.value)).collect();
    }
}
