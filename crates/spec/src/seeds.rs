//! Seeds of a sweep: replicates of every cell, never an axis.

use std::collections::BTreeSet;

use crate::diagnostic::{Findings, Place, counted};
use crate::node::{Node, Value};
use crate::section::Section;

pub(crate) struct Seeds {
    /// As asked for, which may be more than any plan holds.
    pub(crate) len: u64,
    pub(crate) place: Place,
    which: Which,
    sound: bool,
}

enum Which {
    Listed(Vec<u64>),
    /// `len` consecutive ones.
    From(u64),
}

impl Seeds {
    /// Where the file names no seeds: the single seed 1.
    pub(crate) fn one(place: Place) -> Self {
        Seeds { len: 1, place, which: Which::From(1), sound: true }
    }

    /// All of them: only once `len` is known to be one that a plan holds.
    pub(crate) fn list(&self) -> Vec<u64> {
        match &self.which {
            Which::Listed(list) => list.clone(),
            // TOML's integers end at 2^63, so the sum stays within a u64.
            Which::From(base) => (*base..base.saturating_add(self.len)).collect(),
        }
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
            .help("use at least 3 seeds to see the noise; p < 0.05 needs 6, and several comparisons more");
    }
}

/// `[1, 2, 3]`, or `{ count = 3, base = 1 }` for consecutive seeds from `base` (1 if left out).
pub(crate) fn read_seeds(node: &Node, what: &str, findings: &mut Findings) -> Seeds {
    let before = findings.errors();
    let (len, which) = match &node.value {
        Value::Array(items) => {
            let list = listed_seeds(items, what, findings);
            if items.is_empty() {
                findings.error(node.place, format!("{what} is empty: nothing would run"));
            }
            (list.len() as u64, Which::Listed(list))
        }
        Value::Table(_) => counted_seeds(node, what, findings),
        _ => {
            let message =
                format!("{what}: expected an array of whole numbers, found {}", node.found());
            findings.error(node.place, message).help("write [1, 2, 3] or { count = 3, base = 1 }");
            (0, Which::From(1))
        }
    };
    Seeds { len, place: node.place, which, sound: findings.errors() == before }
}

fn listed_seeds(items: &[Node], what: &str, findings: &mut Findings) -> Vec<u64> {
    let mut seen = BTreeSet::new();
    items.iter().filter_map(|item| one_seed(item, what, &mut seen, findings)).collect()
}

fn one_seed(
    item: &Node,
    what: &str,
    seen: &mut BTreeSet<u64>,
    findings: &mut Findings,
) -> Option<u64> {
    let seed = match item.value {
        Value::Integer(number) => u64::try_from(number).ok(),
        _ => None,
    };
    match seed {
        Some(seed) if !seen.insert(seed) => {
            findings
                .error(item.place, format!("{what}: {seed} is given twice"))
                .help("the same seed repeats the same run; it is no replicate");
            None
        }
        Some(seed) => Some(seed),
        None => {
            let message = format!("{what}: expected a whole number ≥ 0, found {}", item.found());
            findings.error(item.place, message);
            None
        }
    }
}

fn counted_seeds(node: &Node, what: &str, findings: &mut Findings) -> (u64, Which) {
    let none = (0, Which::From(1));
    let Some(mut section) = Section::open(what, node, findings) else { return none };
    let count = section.whole("count", 1..=u64::MAX, findings);
    let base = section.whole("base", 0..=u64::MAX, findings);
    if section.get("count").is_none() {
        findings.error(node.place, format!("{what} needs `count`"));
    }
    section.finish(findings);
    let Some(count) = count else { return none };
    (count.value, Which::From(base.map_or(1, |base| base.value)))
}
