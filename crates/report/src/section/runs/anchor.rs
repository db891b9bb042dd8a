//! Where on the page a run's part is: by its key, since a level that is added to the sweep gives other
//! runs its index.

use std::collections::BTreeMap;

use track::RunRecord;

/// As many as the name of its folder has.
const DIGITS: usize = 8;

/// How often each name is asked for.
pub(super) struct Anchors(BTreeMap<String, usize>);

impl Anchors {
    pub(super) fn of(runs: &[RunRecord]) -> Anchors {
        let mut counts = BTreeMap::new();
        for run in runs {
            for name in names(&run.key) {
                *counts.entry(name).or_default() += 1;
            }
        }
        Anchors(counts)
    }

    /// `run-039bedb4`; the whole key where runs share its first digits, and the index too where they
    /// share all.
    pub(super) fn at(&self, run: &RunRecord) -> String {
        let mut own = names(&run.key);
        match own.iter().position(|name| self.0.get(name).is_none_or(|count| *count == 1)) {
            Some(found) => own.swap_remove(found),
            None => format!("run-{}-{}", digits(&run.key), run.index),
        }
    }
}

fn names(key: &str) -> Vec<String> {
    let whole = digits(key);
    let short: String = whole.chars().take(DIGITS).collect();
    let mut names = vec![format!("run-{short}"), format!("run-{whole}")];
    names.dedup();
    names
}

/// A key is a record's text like any other: into an address go letters and digits alone.
fn digits(key: &str) -> String {
    key.chars().filter(char::is_ascii_alphanumeric).collect()
}
